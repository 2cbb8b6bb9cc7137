"""Where evaluations run: in this process, in killable workers, or through a joblib backend.

All executors have one interface: `submit`, `next`, `cancel`, `close`, `n_workers`, `capacity`.
"""

import os
import queue
import threading
import time
import traceback
import warnings
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor

from joblib import effective_n_jobs
from joblib.parallel import get_active_backend
from sklearn import config_context

from ..exceptions import FallbackWarning
from ._fold import run_fold, run_remote
from ._shared import SharedObject, load_shared
from ._workers import Completed, WorkerPool

__all__ = ["Executor", "load_payload", "make_executor"]


class Executor:
    """Runs jobs of one search; a job is the arguments of `run_fold` after the payload.

    Attributes
    ----------
    n_workers : int
        Jobs that run at the same time.
    capacity : int
        Jobs worth handing over at the same time.
    kills : bool
        Whether limits hold and a cancelled job ends at once.
    here : bool
        Whether jobs run in this process, whose compiled code the caller holds to one thread.
    """

    n_workers = 1
    capacity = 1
    kills = False
    here = False

    def submit(self, job, key, wall_seconds=None, memory_bytes=None, expected_seconds=None):
        """Hand over a job; its result comes back from `next` with `key`.

        Parameters
        ----------
        job : Job
        key : hashable
        wall_seconds : float, default=None
            Time after which the job is ended, if the executor can.
        memory_bytes : int, default=None
            Resident memory at which the job is ended, if the executor can.
        """
        raise NotImplementedError

    def next(self, timeout=None):
        """Give the next `Completed`, or None after `timeout` seconds or if nothing is pending.

        Parameters
        ----------
        timeout : float, default=None
        """
        raise NotImplementedError

    def cancel(self, keys):
        """Give up jobs; they do not come back from `next`.

        Parameters
        ----------
        keys : iterable
            Keys the jobs were submitted with.
        """

    def close(self):
        """Give up everything."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


class InProcess(Executor):
    """One job after the other, here and now."""

    here = True

    def __init__(self, payload):
        self.payload = payload
        self.jobs = deque()

    def submit(self, job, key, wall_seconds=None, memory_bytes=None, expected_seconds=None):
        self.jobs.append((job, key))

    def next(self, timeout=None):
        if not self.jobs:
            return None
        job, key = self.jobs.popleft()
        begun, cpu = time.perf_counter(), time.process_time()
        value = run_fold(self.payload, *job)
        wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
        return Completed(0, key, "ok", value, "", wall, cpu, 0)

    def cancel(self, keys):
        self.jobs = deque((job, key) for job, key in self.jobs if key not in set(keys))


class _Futures(Executor):
    """Base of the executors whose jobs are futures that call back when they are done."""

    def __init__(self, n_workers):
        self.n_workers = n_workers
        self.capacity = n_workers
        self.done = queue.SimpleQueue()
        self.futures = {}

    def start(self, job):
        """Start a job and give its future."""
        raise NotImplementedError

    def outcome(self, future):
        """Give (status, value, error) of a future that is done."""
        try:
            return "ok", future.result(), ""
        except Exception:
            return "crashed", None, traceback.format_exc()

    def submit(self, job, key, wall_seconds=None, memory_bytes=None, expected_seconds=None):
        future = self.start(job)
        self.futures[key] = future, job, time.perf_counter()
        self.watch(future, key)

    def watch(self, future, key):
        future.add_done_callback(lambda _: self.done.put((key, future)))

    def next(self, timeout=None):
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.futures:
            left = 0.5 if deadline is None else min(0.5, max(0.0, deadline - time.monotonic()))
            try:
                key, future = self.done.get(timeout=left)
            except queue.Empty:
                if deadline is not None and time.monotonic() >= deadline:
                    return None
                continue
            if key not in self.futures or self.futures[key][0] is not future:
                continue
            _, job, begun = self.futures.pop(key)
            status, value, error = self.outcome(future)
            if status == "again":
                self.submit(job, key)
                continue
            return Completed(0, key, status, value, error, time.perf_counter() - begun, 0.0, 0)
        return None

    def cancel(self, keys):
        for key in keys:
            future, _, _ = self.futures.pop(key, (None, None, None))
            if future is not None:
                future.cancel()

    def close(self):
        self.cancel(list(self.futures))


def _run_configured(payload, *job):
    # scikit-learn's configuration belongs to a thread.
    with config_context(**payload.config):
        return run_fold(payload, *job)


class Threads(_Futures):
    """Threads of this process."""

    here = True

    def __init__(self, payload, n_workers):
        super().__init__(n_workers)
        self.payload = payload
        self.pool = ThreadPoolExecutor(n_workers)

    def start(self, job):
        return self.pool.submit(_run_configured, self.payload, *job)

    def close(self):
        super().close()
        self.pool.shutdown(wait=False, cancel_futures=True)


class Dask(_Futures):
    """The workers of a Dask cluster.

    Dask itself runs a job again elsewhere when a worker is lost, and gives it up when it has
    cost several workers.
    """

    _MOST_AGAIN = 3

    def __init__(self, payload, client, n_workers):
        super().__init__(n_workers)
        self.capacity = 2 * n_workers
        self.client, self.payload = client, payload
        self.times_again = 0
        self.scatter()

    def scatter(self):
        self.shared = self.client.scatter(self.payload, broadcast=True, hash=False)

    def start(self, job):
        return self.client.submit(run_remote, self.shared, *job, pure=False)

    def outcome(self, future):
        if future.status == "finished":
            return "ok", future.result(), ""
        if future.status in ("cancelled", "lost") and self.times_again < self._MOST_AGAIN:
            # The data was held by workers that are gone.
            self.times_again += 1
            self.scatter()
            return "again", None, ""
        error = future.exception() if future.status == "error" else None
        if error is None or type(error).__name__ in ("KilledWorker", "CancelledError"):
            return "died", None, f"Dask gave the evaluation up: {error!r}"
        return "crashed", None, repr(error)

    def close(self):
        super().close()
        self.shared = None


class Ray(Executor):
    """The workers of a Ray cluster."""

    def __init__(self, payload, n_workers):
        import ray

        self.ray, self.n_workers, self.capacity = ray, n_workers, 2 * n_workers
        if not ray.is_initialized():
            ray.init(num_cpus=n_workers)
        self.payload = ray.put(payload)
        self.run = ray.remote(num_cpus=1, max_retries=2)(run_remote)
        self.waiting = {}

    def submit(self, job, key, wall_seconds=None, memory_bytes=None, expected_seconds=None):
        self.waiting[self.run.remote(self.payload, *job)] = key, time.perf_counter()

    def next(self, timeout=None):
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.waiting:
            left = 0.5 if deadline is None else min(0.5, max(0.0, deadline - time.monotonic()))
            ready, _ = self.ray.wait(list(self.waiting), num_returns=1, timeout=left)
            if ready:
                key, begun = self.waiting.pop(ready[0])
                status, value, error = self._outcome(ready[0])
                wall = time.perf_counter() - begun
                return Completed(0, key, status, value, error, wall, 0.0, 0)
            if deadline is not None and time.monotonic() >= deadline:
                return None
        return None

    def _outcome(self, reference):
        try:
            return "ok", self.ray.get(reference), ""
        except self.ray.exceptions.OutOfMemoryError as error:
            return "memory", None, str(error)
        except self.ray.exceptions.RayTaskError as error:
            return "crashed", None, str(error)
        except self.ray.exceptions.RayError as error:
            return "died", None, str(error)

    def cancel(self, keys):
        for reference, (key, _) in list(self.waiting.items()):
            if key in set(keys):
                del self.waiting[reference]
                self.ray.cancel(reference, force=True)

    def close(self):
        self.cancel([key for key, _ in self.waiting.values()])
        self.payload = None


class Batches(Executor):
    """Any other joblib backend: what was handed over runs as one call of `joblib.Parallel`."""

    def __init__(self, payload, n_jobs, n_workers):
        self.payload, self.n_jobs, self.n_workers = payload, n_jobs, n_workers
        self.capacity = 2 * n_workers
        self.jobs, self.results = [], deque()

    def submit(self, job, key, wall_seconds=None, memory_bytes=None, expected_seconds=None):
        self.jobs.append((job, key))

    def next(self, timeout=None):
        from joblib import Parallel, delayed

        if not self.results and self.jobs:
            jobs, self.jobs = self.jobs, []
            begun = time.perf_counter()
            values = Parallel(n_jobs=self.n_jobs)(
                delayed(run_remote)(self.payload, *job) for job, _ in jobs
            )
            wall = time.perf_counter() - begun
            for (_, key), value in zip(jobs, values, strict=True):
                self.results.append(Completed(0, key, "ok", value, "", wall, 0.0, 0))
        return self.results.popleft() if self.results else None

    def cancel(self, keys):
        self.jobs = [(job, key) for job, key in self.jobs if key not in set(keys)]
        self.results = deque(done for done in self.results if done.key not in set(keys))


_loaded = {}


def load_payload(path):
    """Give the payload of a search in a worker, which loads it once."""
    if path not in _loaded:
        _loaded.clear()
        _loaded[path] = load_shared(path)
    return _loaded[path]


def _call_shared(path, function, *args):
    payload = load_payload(path)
    with config_context(**payload.config):
        return function(payload, *args)


def _run_shared(path, *job):
    # The processes of a `WorkerPool` have one thread from their start.
    return run_remote(load_payload(path), *job, limit=False)


class Workers(Executor):
    """Killable worker processes of this machine.

    Parameters
    ----------
    payload : Payload
    n_workers : int
    fresh : bool, default=False
        Start processes of its own instead of taking some that an earlier search left; their
        memory then holds nothing from before.
    spare : bool, default=False
        Keep one more process ready for `call`.
    """

    kills = True
    # What was in a process ended from outside runs again, so many times; what ends it does not.
    _OUTSIDE = ("SIGKILL", "SIGTERM")
    _MOST_AGAIN = 3

    def __init__(self, payload, n_workers, fresh=False, spare=False):
        self.shared = SharedObject(payload)
        self.n_workers = n_workers
        self.capacity = n_workers
        self.fresh = fresh
        n_processes = n_workers + bool(spare)
        self.pool = WorkerPool(n_processes) if fresh else _take_pool(n_processes)
        self.running = {}
        self.again = Counter()

    def submit(self, job, key, wall_seconds=None, memory_bytes=None, expected_seconds=None):
        ticket = self.pool.submit(
            _run_shared,
            self.shared.path,
            *job,
            key=key,
            wall_seconds=wall_seconds,
            memory_bytes=memory_bytes,
        )
        self.running[key] = ticket, job, wall_seconds, memory_bytes

    def share(self, payload):
        """Put another payload in the place of the first one; jobs are given up."""
        self.cancel(list(self.running))
        self.shared.close()
        self.shared = SharedObject(payload)

    def call(self, function, *args, wall_seconds=None, n_threads=None):
        """Run any function in a worker and wait for its `Completed`; jobs are given up.

        The limit includes the time until a worker takes the job.
        """
        self.cancel(list(self.running))
        deadline = None if wall_seconds is None else time.monotonic() + wall_seconds
        ticket = self.pool.submit(
            _call_shared, self.shared.path, function, *args, wall_seconds=wall_seconds
        )
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            done = self.pool.next(timeout=left)
            if done is None:
                self.pool.cancel(ticket)
                why = f"Was not done after {wall_seconds:g} seconds."
                return Completed(ticket, None, "timeout", None, why, wall_seconds, 0.0, 0)
            if done.ticket == ticket:
                return done

    def next(self, timeout=None):
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.running:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            done = self.pool.next(timeout=left)
            if done is None:
                return None
            if done.key not in self.running or self.running[done.key][0] != done.ticket:
                continue
            _, job, wall_seconds, memory_bytes = self.running.pop(done.key)
            outside = done.status == "died" and any(name in done.error for name in self._OUTSIDE)
            if outside and self.again[done.key] < self._MOST_AGAIN:
                self.again[done.key] += 1
                self.submit(job, done.key, wall_seconds, memory_bytes)
                continue
            return done
        return None

    def cancel(self, keys):
        for key in keys:
            ticket, *_ = self.running.pop(key, (None,))
            if ticket is not None:
                self.pool.cancel(ticket)

    def close(self):
        self.cancel(list(self.running))
        if self.fresh:
            self.pool.close()
        else:
            _give_pool(self.pool)
        self.shared.close()


_idle_pools = []
_idle_lock = threading.Lock()


def _take_pool(n_workers):
    """Take a pool that an earlier search left, or start one.

    Jobs that the earlier search gave up may still come back from it; no one knows their tickets.
    """
    with _idle_lock:
        for i, (pid, pool) in enumerate(_idle_pools):
            if pid == os.getpid() and pool.n_workers == n_workers:
                del _idle_pools[i]
                return pool
    return WorkerPool(n_workers)


def _give_pool(pool):
    """Keep a pool for the next search; of the same size one is enough."""
    with _idle_lock:
        same = [own for _, own in _idle_pools if own.n_workers == pool.n_workers]
        if not same:
            _idle_pools.append((os.getpid(), pool))
            return
    pool.close()


def _warn_no_limits(where):
    warnings.warn(
        f"Limits of time and memory for a candidate cannot be enforced {where}; they are not "
        "kept. Use n_jobs with joblib's default backend to have them kept.",
        FallbackWarning,
        stacklevel=2,
    )


def make_executor(payload, n_jobs=None, isolated=False, fresh=False, spare=False):
    """Choose the executor that the active joblib backend, `n_jobs` and the limits call for.

    Parameters
    ----------
    payload : Payload
    n_jobs : int, optional
        As in joblib: None follows `joblib.parallel_config`.
    isolated : bool, default=False
        Whether candidates need killable processes even with one job.
    fresh : bool, default=False
        Whether these must be new.
    spare : bool, default=False
        Whether one more of them is to be ready for something else.

    Returns
    -------
    Executor
    """
    backend, _ = get_active_backend()
    name = type(backend).__name__
    n_workers = effective_n_jobs(n_jobs)
    if name == "DaskDistributedBackend":
        if isolated:
            _warn_no_limits("on a Dask cluster")
        return Dask(payload, backend.client, n_workers)
    if name == "RayBackend":
        if isolated:
            _warn_no_limits("on a Ray cluster")
        return Ray(payload, n_workers)
    if name == "ThreadingBackend" and n_workers > 1:
        if isolated:
            _warn_no_limits("in threads")
        return Threads(payload, n_workers)
    known = ("LokyBackend", "MultiprocessingBackend", "SequentialBackend", "ThreadingBackend")
    if name not in known:
        return Batches(payload, n_jobs, n_workers)
    if n_workers == 1 and not isolated:
        return InProcess(payload)
    try:
        return Workers(payload, n_workers, fresh, spare)
    except Exception as error:
        promise = "n_jobs, time_budget and the limits of a candidate" if isolated else "n_jobs"
        warnings.warn(
            f"The estimator, the data or the scorer cannot be pickled ({error!r}), so that "
            f"candidates run in this process one after the other and {promise} cannot be kept.",
            FallbackWarning,
            stacklevel=2,
        )
        return InProcess(payload)
