"""Candidates on folds: limits, failures, racing, journal."""

from ._workers import Completed, WorkerPool

__all__ = ["Completed", "WorkerPool"]
