"""Candidates on folds: limits, failures, racing, journal."""

from ._checkpoint import open_journal
from ._executor import Completed, Executor
from ._fold import FoldResult, Payload, ScorerSpy, SetParams, failed_fold, run_fold
from ._folders import SearchFolder
from ._journal import Journal, StoredTrial, check_fingerprint
from ._make_executor import make_executor
from ._margins import MarginScorer, calibrate, lacks_probabilities
from ._racing import Incumbent, Race
from ._threads import caller_threads, one_thread
from ._worker_pool import WorkerPool

__all__ = [
    "Completed",
    "Executor",
    "FoldResult",
    "Incumbent",
    "Journal",
    "MarginScorer",
    "Payload",
    "Race",
    "ScorerSpy",
    "SearchFolder",
    "SetParams",
    "StoredTrial",
    "WorkerPool",
    "calibrate",
    "caller_threads",
    "check_fingerprint",
    "failed_fold",
    "lacks_probabilities",
    "make_executor",
    "one_thread",
    "open_journal",
    "run_fold",
]
