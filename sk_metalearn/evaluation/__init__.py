"""Candidates on folds: limits, failures, racing, journal."""

from ._executors import Executor, make_executor
from ._fold import FoldResult, Payload, failed_fold, make_by_params, run_fold
from ._journal import Journal, StoredTrial, check_fingerprint, open_journal
from ._racing import Race, Standard
from ._workers import Completed, WorkerPool

__all__ = [
    "Completed",
    "Executor",
    "FoldResult",
    "Journal",
    "Payload",
    "Race",
    "Standard",
    "StoredTrial",
    "WorkerPool",
    "check_fingerprint",
    "failed_fold",
    "make_by_params",
    "make_executor",
    "open_journal",
    "run_fold",
]
