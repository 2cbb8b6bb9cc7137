"""Persistent worker processes whose jobs are held to limits of CPU time, wall time and memory."""

import itertools
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from cloudpickle import dumps, loads

from ..exceptions import FallbackWarning
from ._worker import read_message, write_message

__all__ = ["Completed", "WorkerPool"]

_COMMAND = "from sk_metalearn.evaluation._worker import main; main()"
_POLL_SECONDS = 0.02
_HAS_PROC = os.path.exists("/proc/self/stat")
_TICKS = os.sysconf("SC_CLK_TCK") if _HAS_PROC else 1
_PAGE = os.sysconf("SC_PAGE_SIZE") if _HAS_PROC else 1
_ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "BLIS", "NUMEXPR")
}
_ONE_THREAD["VECLIB_MAXIMUM_THREADS"] = "1"
# Imported before the first job, so that no candidate pays for it.
_PRELOAD = (
    "sklearn.compose",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.model_selection",
    "sklearn.neighbors",
    "sklearn.neural_network",
    "sklearn.pipeline",
    "sklearn.svm",
)


@dataclass(frozen=True)
class Completed:
    """How a job ended.

    Parameters
    ----------
    ticket : int
        What `WorkerPool.submit` gave.
    key : object
        What the caller gave to `WorkerPool.submit`.
    status : {"ok", "crashed", "timeout", "memory", "died", "cancelled"}
        ``"crashed"``: the function raised. ``"died"``: the process ended under it.
    value : object
        What the function returned.
    error : str
        Traceback or explanation when the status is not ``"ok"``.
    wall_seconds, cpu_seconds : float
        Time used.
    peak_bytes : int
        Largest resident memory of the process during the job, 0 where it cannot be read.
    """

    ticket: int
    key: Any
    status: str
    value: Any
    error: str
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass(eq=False)
class _Job:
    ticket: int
    key: Any
    message: bytes
    cpu_seconds: float | None
    wall_seconds: float | None
    memory_bytes: int | None
    begun: float = 0.0
    cpu_at_start: float = 0.0
    cpu_used: float = 0.0
    peak: int = 0
    verdict: tuple = field(default=())


def _import_paths():
    return [path or os.getcwd() for path in sys.path]


def _usage(pid):
    """CPU seconds and resident bytes of a process, from /proc."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS, int(fields[21]) * _PAGE


class _Worker(threading.Thread):
    """Owns one process: feeds it jobs, takes its answers, starts it again when it is gone."""

    def __init__(self, pool):
        super().__init__(daemon=True)
        self.pool, self.process, self.job = pool, None, None
        self.lock = threading.Lock()

    def run(self):
        self.spawn()
        while (job := self.pool.take(self)) is not None:
            if not self.alive and not self.spawn():
                self.report(job, "died", "The worker process could not start; see its output.")
                continue
            if job.verdict:
                self.report(job, *job.verdict)
                continue
            self.serve(job)
        self.kill()

    @property
    def alive(self):
        """Whether there is a process."""
        return self.process is not None and self.process.poll() is None

    def spawn(self):
        """Start a process and wait until it is ready; False if it is not."""
        if self.pool.closed:
            return False
        paths = os.pathsep.join(_import_paths())
        environment = {**os.environ, **_ONE_THREAD, "PYTHONPATH": paths}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", _COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            process_group=0,
        )
        settings = {
            "parent": os.getpid(),
            "niceness": self.pool.niceness,
            "preload": self.pool.preload,
        }
        try:
            write_message(self.process.stdin, dumps(settings))
            ready = read_message(self.process.stdout) is not None
        except OSError:
            ready = False
        if not ready:
            self.kill()
        return ready

    def serve(self, job):
        process = self.process
        if _HAS_PROC:
            try:
                job.cpu_at_start, _ = _usage(process.pid)
            except OSError:
                job.cpu_at_start = 0.0
        job.begun = time.monotonic()
        with self.lock:
            self.job = job
        self.pool.watch_on()
        try:
            write_message(process.stdin, job.message)
            answer = read_message(process.stdout)
        except OSError:
            answer = None
        with self.lock:
            self.job = None
        if job.verdict or answer is None:
            self.kill()
            status, error = job.verdict or ("died", _explain(process.returncode))
            # The result is told first: the next process starts while the caller goes on. Jobs
            # are given up when a search ends; a start would then take time from what follows.
            self.report(job, status, error)
            if status != "cancelled":
                self.spawn()
            return
        try:
            status, value, error, wall, cpu, peak = loads(answer)
        except Exception as problem:
            self.report(job, "crashed", f"The result cannot be unpickled: {problem!r}")
            return
        self.pool.results.put(
            Completed(job.ticket, job.key, status, value, error, wall, cpu, max(peak, job.peak))
        )

    def report(self, job, status, error):
        wall = time.monotonic() - job.begun if job.begun else 0.0
        self.pool.results.put(
            Completed(job.ticket, job.key, status, None, error, wall, job.cpu_used, job.peak)
        )

    def check(self):
        """Hold the running job to its limits; called by the pool's monitor."""
        with self.lock:
            job = self.job
            if job is None:
                return False
            wall = time.monotonic() - job.begun
            if _HAS_PROC:
                try:
                    cpu, resident = _usage(self.process.pid)
                except (OSError, IndexError):
                    return True
                job.cpu_used = cpu - job.cpu_at_start
                job.peak = max(job.peak, resident)
            if not job.verdict:
                job.verdict = _judge(job, wall)
            if job.verdict:
                _kill_group(self.process)
        return True

    def kill(self):
        if self.process is not None:
            _kill_group(self.process)
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()


def _judge(job, wall):
    if job.memory_bytes is not None and job.peak > job.memory_bytes:
        return "memory", (
            f"Used {job.peak / 2**20:.0f} MiB of memory; the limit is "
            f"{job.memory_bytes / 2**20:.0f} MiB."
        )
    if job.cpu_seconds is not None and job.cpu_used > job.cpu_seconds:
        return "timeout", f"Used more than {job.cpu_seconds:g} CPU seconds."
    if job.wall_seconds is not None and wall > job.wall_seconds:
        return "timeout", f"Ran for more than {job.wall_seconds:g} seconds."
    return ()


def _kill_group(process):
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        process.kill()


def _explain(code):
    if code is not None and code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = str(-code)
        return f"The worker process was ended by signal {name}."
    return f"The worker process ended with exit code {code}."


class WorkerPool:
    """Persistent worker processes with limits.

    Limits hold even while a job hangs in compiled code: the process is killed and another takes
    its place. Workers run one thread, ignore Ctrl-C, and end when this process ends. They do not
    import the caller's main script; functions defined there travel by value.

    Parameters
    ----------
    n_workers : int
        Number of processes.
    niceness : int, default=0
        Added to the workers' niceness.
    preload : sequence of str, optional
        Modules that a worker imports before it takes jobs; common parts of scikit-learn by
        default.

    Examples
    --------
    >>> from sk_metalearn.evaluation import WorkerPool
    >>> with WorkerPool(1, preload=()) as pool:
    ...     ticket = pool.submit(divmod, 7, 2, wall_seconds=60)
    ...     pool.next().value
    (3, 1)
    """

    def __init__(self, n_workers, niceness=0, preload=_PRELOAD):
        if n_workers < 1:
            raise ValueError(f"n_workers must be at least 1; got {n_workers}.")
        self.n_workers, self.niceness, self.preload = int(n_workers), niceness, tuple(preload)
        self.closed = False
        self.results = queue.SimpleQueue()
        self._jobs, self._ready, self._change = deque(), 0, threading.Condition()
        self._outstanding = {}
        self._numbers = itertools.count()
        self._busy = threading.Event()
        self._workers = [_Worker(self) for _ in range(self.n_workers)]
        for worker in self._workers:
            worker.start()
        threading.Thread(target=self._monitor, daemon=True).start()

    def __repr__(self):
        return f"WorkerPool(n_workers={self.n_workers})"

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    @property
    def idle(self):
        """Number of workers with nothing to do."""
        return max(0, self.n_workers - len(self._outstanding))

    @property
    def pending(self):
        """Number of jobs submitted whose end was not yet given by `next`."""
        return len(self._outstanding)

    def submit(
        self, function, *args, key=None, cpu_seconds=None, wall_seconds=None, memory_bytes=None
    ):
        """Give a job to the next free worker.

        Parameters
        ----------
        function : callable
            Called as ``function(*args)`` in the worker.
        *args
            Its arguments; they and the function are pickled by value where needed.
        key : object, optional
            Comes back with the result.
        cpu_seconds, wall_seconds : float, optional
            Limits of the time from the moment a worker takes the job.
        memory_bytes : int, optional
            Limit of the resident memory of the whole worker process, the modules it has loaded
            (some 150 MiB) included.

        Returns
        -------
        int
            The ticket that `next` gives with the result.
        """
        if self.closed:
            raise RuntimeError("The pool is closed.")
        if not _HAS_PROC and (cpu_seconds is not None or memory_bytes is not None):
            warnings.warn(
                f"On {sys.platform} the limits of CPU time and memory cannot be enforced; only "
                "the limit of wall time holds.",
                FallbackWarning,
                stacklevel=2,
            )
        ticket = next(self._numbers)
        message = dumps((_import_paths(), dumps((function, args))))
        job = _Job(ticket, key, message, cpu_seconds, wall_seconds, memory_bytes)
        self._outstanding[ticket] = job
        with self._change:
            self._jobs.append(job)
            self._change.notify_all()
        return ticket

    def take(self, worker):
        """Wait for a job; None when the pool is closed. Called by the workers.

        A worker whose process is gone takes a job only if none is ready for it.

        Parameters
        ----------
        worker : threading.Thread
        """
        with self._change:
            alive = worker.alive
            self._ready += alive
            self._change.notify_all()
            while not self.closed and len(self._jobs) <= (0 if alive else self._ready):
                self._change.wait()
            self._ready -= alive
            return None if self.closed else self._jobs.popleft()

    def next(self, timeout=None):
        """Wait for a job to end.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait; without it, as long as it takes.

        Returns
        -------
        Completed or None
            None if nothing ended in time, or nothing is pending.
        """
        if not self._outstanding:
            return None
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                # Waiting in slices lets Ctrl-C through on every platform.
                done = self.results.get(timeout=0.5 if left is None else min(left, 0.5))
            except queue.Empty:
                if left is not None and left <= 0.5:
                    return None
                continue
            del self._outstanding[done.ticket]
            return done

    def cancel(self, ticket):
        """End a job, running or not; `next` gives it with the status ``"cancelled"``.

        Parameters
        ----------
        ticket : int
            What `submit` gave; a job that has ended already is left as it is.
        """
        job = self._outstanding.get(ticket)
        if job is None or job.verdict:
            return
        job.verdict = ("cancelled", "Cancelled.")
        with self._change:
            waits = job in self._jobs
            if waits:
                self._jobs.remove(job)
        if waits:
            # All workers may be starting, which takes its time.
            self.results.put(
                Completed(ticket, job.key, "cancelled", None, "Cancelled.", 0.0, 0.0, 0)
            )
        self._busy.set()

    def close(self):
        """End all workers at once; jobs not yet done are lost."""
        if self.closed:
            return
        self.closed = True
        self._busy.set()
        with self._change:
            self._jobs.clear()
            self._change.notify_all()
        for worker in self._workers:
            if worker.process is not None:
                _kill_group(worker.process)
        for worker in self._workers:
            worker.join(timeout=5.0)

    def watch_on(self):
        """Wake the monitor; called by a worker that begins a job."""
        self._busy.set()

    def _monitor(self):
        while not self.closed:
            self._busy.wait()
            self._busy.clear()
            while not self.closed and any([worker.check() for worker in self._workers]):
                time.sleep(_POLL_SECONDS)
