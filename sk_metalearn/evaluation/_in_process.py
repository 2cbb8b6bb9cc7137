"""Evaluations in this process, one after the other."""

import time
import traceback
from collections import deque

from ._executor import Completed, Executor
from ._fold import run_fold
from ._threads import one_thread, several_threads

__all__ = ["InProcess", "call_here", "run_here"]


def run_here(payload, job, key):
    """Run a job now.

    Parameters
    ----------
    payload : Payload
    job : tuple
    key : hashable

    Returns
    -------
    Completed
    """
    begun, cpu = time.perf_counter(), time.process_time()
    with one_thread():
        value = run_fold(payload, *job)
    if isinstance(value.model, bytes):
        # The folder is gone.
        value.model = ""
    wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return Completed(key, "ok", value, "", wall, cpu)


def call_here(function, args, n_threads=None):
    """Call a function now.

    Parameters
    ----------
    function : callable
    args : tuple
    n_threads : int, default=None

    Returns
    -------
    Completed
    """
    begun, cpu = time.perf_counter(), time.process_time()
    status, value, error = "ok", None, ""
    try:
        with one_thread(), several_threads(n_threads):
            value = function(*args)
    except MemoryError:
        status, error = "memory", traceback.format_exc()
    except (Exception, SystemExit):
        status, error = "crashed", traceback.format_exc()
    wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return Completed(None, status, value, error, wall, cpu)


class InProcess(Executor):
    """One job after the other, here and now.

    Parameters
    ----------
    payload : Payload
    """

    here = True

    def __init__(self, payload):
        self.payload = payload
        self.jobs = deque()

    def submit(self, job, key, wall_seconds=None, memory_bytes=None, expected_seconds=None):
        self.jobs.append((job, key))

    def next(self, timeout=None):
        return run_here(self.payload, *self.jobs.popleft()) if self.jobs else None

    def cancel(self, keys):
        keys = set(keys)
        self.jobs = deque((job, key) for job, key in self.jobs if key not in keys)

    def share(self, payload):
        self.jobs.clear()
        self.payload = payload

    def call(self, function, *args, wall_seconds=None, n_threads=None):
        self.jobs.clear()
        return call_here(function, args, n_threads)

    def close(self):
        self.jobs.clear()
        self.payload = None
