"""Evaluations on a joblib backend that the package does not know."""

import time
from collections import deque

from joblib import Parallel, delayed

from ..exceptions import FallbackWarning, warn_user
from ._executor import Completed, Executor
from ._fold import run_configured
from ._in_process import call_here, run_here
from ._threads import one_thread

__all__ = ["InBatches"]


def _run(payload, job):
    begun = time.perf_counter()
    with one_thread():
        value = run_configured(payload, *job)
    return value, time.perf_counter() - begun


class InBatches(Executor):
    """What was handed over runs as one call of `joblib.Parallel`.

    Parameters
    ----------
    payload : Payload
    n_jobs : int or None
    n_workers : int
    """

    def __init__(self, payload, n_jobs, n_workers):
        self.payload, self.n_jobs, self.n_workers = payload, n_jobs, n_workers
        self.capacity = 2 * n_workers
        self.jobs, self.results = [], deque()

    def submit(self, job, key, wall_seconds=None, memory_bytes=None, expected_seconds=None):
        self.jobs.append((job, key))

    def next(self, timeout=None):
        if not self.results and self.jobs:
            jobs, self.jobs = self.jobs, []
            self.results.extend(self._run(jobs))
        return self.results.popleft() if self.results else None

    def _run(self, jobs):
        try:
            values = Parallel(n_jobs=self.n_jobs)(
                delayed(_run)(self.payload, job) for job, _ in jobs
            )
        except Exception as error:
            warn_user(
                f"The joblib backend failed ({error!r}); what it had runs in this process.",
                FallbackWarning,
            )
            return [run_here(self.payload, job, key) for job, key in jobs]
        return [
            Completed(key, "ok", value, "", seconds)
            for (_, key), (value, seconds) in zip(jobs, values, strict=True)
        ]

    def cancel(self, keys):
        keys = set(keys)
        self.jobs = [(job, key) for job, key in self.jobs if key not in keys]
        self.results = deque(done for done in self.results if done.key not in keys)

    def share(self, payload):
        self.jobs, self.results = [], deque()
        self.payload = payload

    def call(self, function, *args, wall_seconds=None, n_threads=None):
        self.jobs, self.results = [], deque()
        return call_here(function, args, n_threads)

    def close(self):
        self.jobs, self.results = [], deque()
        self.payload = None
