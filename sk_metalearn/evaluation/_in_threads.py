"""Evaluations in threads of this process."""

import queue
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

from ._executor import Completed, Executor
from ._fold import run_configured
from ._in_process import call_here
from ._threads import one_thread

__all__ = ["InThreads"]


def _run(payload, job):
    # OpenMP has a number of threads of its own in each thread.
    with one_thread():
        return run_configured(payload, *job)


class InThreads(Executor):
    """Threads of this process; what runs cannot be ended, and is left to itself.

    Parameters
    ----------
    payload : Payload
    n_workers : int
    """

    here = True

    def __init__(self, payload, n_workers):
        self.payload = payload
        self.n_workers = self.capacity = n_workers
        self.pool = ThreadPoolExecutor(n_workers)
        self.done = queue.SimpleQueue()
        self.running = {}

    def submit(self, job, key, wall_seconds=None, memory_bytes=None, expected_seconds=None):
        future = self.pool.submit(_run, self.payload, job)
        self.running[key] = future, time.perf_counter()
        future.add_done_callback(lambda own: self.done.put((key, own)))

    def next(self, timeout=None):
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.running:
            left = 0.5 if deadline is None else min(0.5, max(0.0, deadline - time.monotonic()))
            try:
                key, future = self.done.get(timeout=left)
            except queue.Empty:
                if deadline is not None and time.monotonic() >= deadline:
                    return None
                continue
            if key not in self.running or self.running[key][0] is not future:
                continue
            _, begun = self.running.pop(key)
            status, value, error = "ok", None, ""
            try:
                value = future.result()
            except Exception:
                status, error = "crashed", traceback.format_exc()
            return Completed(key, status, value, error, time.perf_counter() - begun)
        return None

    def cancel(self, keys):
        for key in list(keys):
            future, _ = self.running.pop(key, (None, None))
            if future is not None:
                future.cancel()

    def share(self, payload):
        self.cancel(self.running)
        self.payload = payload

    def call(self, function, *args, wall_seconds=None, n_threads=None):
        self.cancel(self.running)
        return call_here(function, args, n_threads)

    def close(self):
        self.cancel(self.running)
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.payload = None
