"""Candidates on folds: limits, failures, racing, journal."""

from ._checkpoint import open_journal
from ._executor import Completed, Executor
from ._fold import FoldResult, Payload, run_fold
from ._journal import Journal, StoredTrial
from ._make_executor import make_executor
from ._worker_pool import WorkerPool

# isort: split
# For the other rooms; no part of the public interface.
from ._fold import SetParams, failed_fold
from ._folders import SearchFolder
from ._free_memory import free_memory
from ._make_executor import local_processes
from ._margins import MarginScorer, calibrate, lacks_probabilities, unseen_probabilities
from ._racing import Incumbent, Race
from ._threads import caller_threads, one_thread

__all__ = [
    "Completed",
    "Executor",
    "FoldResult",
    "Journal",
    "Payload",
    "StoredTrial",
    "WorkerPool",
    "make_executor",
    "open_journal",
    "run_fold",
]
