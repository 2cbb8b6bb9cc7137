"""Candidates on folds: limits, failures, racing, journal."""

from ._executors import Executor, make_executor
from ._fold import FoldResult, Payload, SetParams, failed_fold, run_fold
from ._journal import Journal, StoredTrial, check_fingerprint, open_journal
from ._racing import Incumbent, Race
from ._threads import caller_threads, one_thread
from ._workers import Completed, WorkerPool

__all__ = [
    "Completed",
    "Executor",
    "FoldResult",
    "Incumbent",
    "Journal",
    "Payload",
    "Race",
    "StoredTrial",
    "WorkerPool",
    "caller_threads",
    "check_fingerprint",
    "failed_fold",
    "SetParams",
    "make_executor",
    "one_thread",
    "open_journal",
    "run_fold",
]
