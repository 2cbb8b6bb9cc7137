"""Persistent worker processes whose jobs are held to limits of CPU time, wall time and memory.

One thread owns the processes: it starts them, hands out jobs, takes answers, and ends what exceeds
its limits. It never waits for a single process, so that none can hold up the others.
"""

import atexit
import contextlib
import itertools
import os
import pickle
import queue
import selectors
import socket
import sys
import threading
import time
import weakref
from collections import deque
from dataclasses import dataclass, replace
from typing import Any

from ._executor import Completed
from ._left_behind import end_left_behind
from ._user_code import dumps
from ._worker_process import WorkerProcess, import_paths

__all__ = ["NOT_STARTED", "UNLOADABLE", "WorkerPool"]

# Ends that are faults of the machine, not of a job.
NOT_STARTED, UNLOADABLE = "not_started", "unloadable"
_POLL_SECONDS = 0.02
# A gap in the watch beyond this means that this process was stopped meanwhile.
_GAP_SECONDS = 1.0
# A stopped process is not charged for the time, for so long.
_STOPPED_SECONDS = 60.0
_START_SECONDS = 120.0
_MOST_STARTS = 3
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


@dataclass(eq=False)
class _Job:
    ticket: int
    key: Any
    message: dict
    cpu_seconds: float | None
    wall_seconds: float | None
    memory_bytes: int | None
    begun: float = 0.0
    cpu_at_start: float | None = None
    cpu_used: float = 0.0
    peak: int = 0
    stopped: float = 0.0
    verdict: tuple = ()


class WorkerPool:
    """Persistent worker processes with limits.

    Limits hold even while a job hangs in compiled code: the process is ended with all that it
    started, and another takes its place. Workers run one thread, ignore Ctrl-C, and end when this
    process ends. They do not import the caller's main script; functions defined there, and in the
    user's own modules, travel by value.

    Parameters
    ----------
    n_workers : int
        Number of processes.
    niceness : int, default=0
        Added to the workers' niceness.
    preload : sequence of str, optional
        Modules that a worker imports before it takes jobs; common parts of scikit-learn by
        default.

    Raises
    ------
    ValueError
        If `n_workers` is not positive.
    OSError
        If the system has nothing left to start with, such as file descriptors.

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
        self._owner = os.getpid()
        self._results = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting, self._outstanding, self._numbers = deque(), {}, itertools.count()
        self._processes = []
        # Processes to start without a job that waits for one.
        self._eager = self.n_workers
        self._failed_starts, self._start_problem, self._not_before = 0, "", 0.0
        self._forget = False
        self._seen = time.monotonic()
        self._selector = selectors.DefaultSelector()
        try:
            self._bell, self._wakes = socket.socketpair()
        except OSError:
            self._selector.close()
            raise
        for end in (self._bell, self._wakes):
            end.setblocking(False)
        self._selector.register(self._wakes, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._supervise, daemon=True)
        try:
            self._thread.start()
        except BaseException:
            self._release()
            raise
        _open_pools.add(self)

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

    @property
    def n_ready(self):
        """Number of processes that have started."""
        return sum(process.ready for process in list(self._processes))

    @property
    def pids(self):
        """Numbers of the processes that have started."""
        return [process.pid for process in list(self._processes) if process.ready]

    @property
    def usable(self):
        """Whether this process can submit jobs."""
        return not self.closed and self._thread.is_alive() and self._owner == os.getpid()

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
        return self.submit_call(
            dumps((function, args)),
            key=key,
            cpu_seconds=cpu_seconds,
            wall_seconds=wall_seconds,
            memory_bytes=memory_bytes,
        )

    def submit_call(
        self,
        call,
        key=None,
        payload=None,
        n_threads=None,
        cpu_seconds=None,
        wall_seconds=None,
        memory_bytes=None,
    ):
        """Give a call that is pickled already to the next free worker.

        Parameters
        ----------
        call : bytes
            A function and its arguments.
        key : object, optional
            Comes back with the result.
        payload : str, optional
            Path of the shared object that `OfPayload` among the arguments stands for.
        n_threads : int, optional
            Threads of compiled code; 1 by default.
        cpu_seconds, wall_seconds : float, optional
            Limits as for `submit`.
        memory_bytes : int, optional
            Limit as for `submit`.

        Returns
        -------
        int
            Ticket of the job, which its result bears.
        """
        if not self.usable:
            raise RuntimeError("The pool is closed, or belongs to another process.")
        try:
            folder = os.getcwd()
        except OSError:
            folder = None
        message = {
            "call": call,
            "payload": payload,
            "n_threads": n_threads,
            "paths": import_paths(),
            "arguments": list(sys.argv),
            "folder": folder,
        }
        ticket = next(self._numbers)
        job = _Job(ticket, key, message, cpu_seconds, wall_seconds, memory_bytes)
        with self._lock:
            self._outstanding[ticket] = job
            self._waiting.append(job)
        self._wake()
        return ticket

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

        Raises
        ------
        RuntimeError
            If no process can be started, or none can load the job: a fault of the machine is
            no result.
        """
        done = self.wait(timeout)
        if done is not None and done.status in (NOT_STARTED, UNLOADABLE):
            what = "start" if done.status == NOT_STARTED else "load what it is to run"
            raise RuntimeError(f"No worker process could {what}: {done.error.strip()}")
        return done

    def wait(self, timeout=None):
        """Wait for a job to end, whatever ends it.

        Parameters
        ----------
        timeout : float, optional
            As for `next`.

        Returns
        -------
        Completed or None
            As for `next`. Where no process could be started the status is ``"not_started"``,
            where a process could not load what it needs ``"unloadable"``.
        """
        if not self._outstanding:
            return None
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                # Waiting in slices lets Ctrl-C through on every platform.
                done = self._results.get(timeout=0.5 if left is None else min(left, 0.5))
            except queue.Empty:
                if left is not None and left <= 0.5:
                    return None
                if not self._thread.is_alive():
                    self._give_back_all("The pool was closed.")
                continue
            self._outstanding.pop(done.ticket, None)
            return self.load(done)

    @staticmethod
    def load(done):
        """Load the value of a `Completed`, which came as bytes.

        Parameters
        ----------
        done : Completed

        Returns
        -------
        Completed
        """
        if done.value is None:
            return done
        try:
            return replace(done, value=pickle.loads(done.value))
        except Exception as problem:
            error = f"The result cannot be unpickled: {problem!r}"
            return replace(done, status="crashed", value=None, error=error)

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
        if self._take_out(job):
            self._report(job, *job.verdict)
        else:
            self._wake()

    def withdraw(self, ticket):
        """Take back a job that no worker has begun.

        Parameters
        ----------
        ticket : int
            As `submit` gave it.

        Returns
        -------
        bool
            Whether it was taken back; then `next` does not give it.
        """
        job = self._outstanding.get(ticket)
        if job is None or not self._take_out(job):
            return False
        del self._outstanding[ticket]
        return True

    def forget(self):
        """Have workers without a job let go of the data of the last one."""
        self._forget = True
        self._wake()

    def close(self):
        """End all workers at once; jobs not yet done are lost."""
        if self._owner != os.getpid():
            return
        self.closed = True
        self._wake()
        self._thread.join(timeout=10.0)

    def _wake(self):
        # Where the bell is full, the thread is awake.
        with contextlib.suppress(OSError):
            self._bell.send(b".")

    def _take_out(self, job):
        with self._lock:
            try:
                self._waiting.remove(job)
            except ValueError:
                return False
        return True

    def _report(self, job, status, error):
        wall = time.monotonic() - job.begun if job.begun else 0.0
        self._results.put(
            Completed(job.key, status, None, error, wall, job.cpu_used, job.peak, ticket=job.ticket)
        )

    def _give_back_all(self, cause):
        for job in list(self._outstanding.values()):
            self._report(job, NOT_STARTED, cause)

    # All below runs in the thread.

    def _supervise(self):
        try:
            self._start_processes()
            # While they start.
            with contextlib.suppress(Exception):
                end_left_behind()
            while not self.closed:
                self._start_processes()
                self._hand_out()
                self._listen()
                self._judge()
        except BaseException as error:
            # Nobody may wait for a thread that is gone.
            self._give_back_all(f"The pool does not work: {error!r}")
        finally:
            self.closed = True
            for process in self._processes:
                with contextlib.suppress(Exception):
                    process.end()
            self._release()

    def _release(self):
        self._selector.close()
        self._bell.close()
        self._wakes.close()

    def _start_processes(self):
        at_hand = sum(process.job is None for process in self._processes)
        short = len(self._waiting) - at_hand
        while len(self._processes) < self.n_workers and max(self._eager, short) > 0:
            if time.monotonic() < self._not_before:
                return
            try:
                process = WorkerProcess(self.niceness, self.preload)
            except Exception as error:
                self._start_failed(f"{type(error).__name__}: {error}")
                return
            self._eager, short = max(0, self._eager - 1), short - 1
            self._processes.append(process)
            self._selector.register(process.channel, selectors.EVENT_READ, process)

    def _start_failed(self, cause):
        self._failed_starts += 1
        self._start_problem = cause
        # No sense in trying without a job that needs it.
        self._eager = 0
        self._not_before = time.monotonic() + min(5.0, 0.05 * 2**self._failed_starts)
        if self._failed_starts < _MOST_STARTS or self._processes:
            return
        while self._waiting:
            with self._lock:
                job = self._waiting.popleft() if self._waiting else None
            if job is not None:
                self._report(job, NOT_STARTED, cause)

    def _hand_out(self):
        free = [process for process in self._processes if process.ready and process.job is None]
        if self._forget:
            self._forget = False
            for process in free:
                process.send(None)
        for process in free:
            with self._lock:
                if not self._waiting:
                    return
                if not process.alive:
                    continue
                job = self._waiting.popleft()
                process.job = job
            job.begun = time.monotonic()
            process.send(job.message)
            if process.unsent:
                both = selectors.EVENT_READ | selectors.EVENT_WRITE
                self._selector.modify(process.channel, both, process)

    def _listen(self):
        timeout = None
        if any(process.job is not None or not process.ready for process in self._processes):
            timeout = _POLL_SECONDS
        elif self._waiting:
            timeout = max(0.0, min(_GAP_SECONDS, self._not_before - time.monotonic()))
        found = self._selector.select(timeout)
        if timeout is None:
            self._seen = time.monotonic()
        for key, events in found:
            if key.data is None:
                with contextlib.suppress(OSError):
                    self._wakes.recv(4096)
                continue
            process = key.data
            if events & selectors.EVENT_WRITE:
                process.flush()
                if not process.unsent:
                    self._selector.modify(process.channel, selectors.EVENT_READ, process)
            if events & selectors.EVENT_READ and self._hear(process):
                self._lose(process)

    def _hear(self, process):
        """Take in what a process says; True if it has hung up."""
        messages, gone = process.receive()
        for message in messages:
            if not process.ready:
                process.take_start(message)
                if not process.ready:
                    return True
                self._failed_starts = 0
            elif process.job is not None:
                job, process.job = process.job, None
                self._take_answer(job, message)
        return gone

    def _take_answer(self, job, answer):
        try:
            status, body, error, wall, cpu, peak = pickle.loads(answer)
        except Exception as problem:
            self._report(job, "crashed", f"The answer cannot be read: {problem!r}")
            return
        peak = max(peak, job.peak)
        self._results.put(
            Completed(job.key, status, body, error, wall, cpu, peak, ticket=job.ticket)
        )

    def _judge(self):
        """Hold running jobs to their limits, and see which processes have ended."""
        now = time.monotonic()
        passed = now - self._seen
        gap = passed if passed > _GAP_SECONDS else 0.0
        self._seen = now
        for process in list(self._processes):
            job = process.job
            if not process.alive:
                # It may have answered before it ended. A child of it may hold the channel.
                self._hear(process)
                self._lose(process)
            elif not process.ready:
                process.began += gap
                if now - process.began > _START_SECONDS:
                    process.problem = f"It was not ready after {_START_SECONDS:g} seconds."
                    self._lose(process)
            elif job is not None:
                job.begun += gap
                self._measure(process, job, passed)
                job.verdict = job.verdict or _verdict(job, now)
                if job.verdict:
                    self._lose(process)

    def _measure(self, process, job, passed):
        usage = process.usage()
        if usage is None:
            return
        cpu, resident, stopped = usage
        if job.cpu_at_start is None:
            job.cpu_at_start = cpu
        job.cpu_used = cpu - job.cpu_at_start
        job.peak = max(job.peak, resident)
        if stopped and passed <= _GAP_SECONDS:
            job.stopped += passed
            if job.stopped < _STOPPED_SECONDS + (job.wall_seconds or 0.0):
                job.begun += passed

    def _lose(self, process):
        """End a process; its job ends with it."""
        if process not in self._processes:
            return
        self._processes.remove(process)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(process.channel)
        process.end()
        job = process.job
        if not process.ready:
            self._start_failed(process.end_in_words())
        elif job is not None:
            status, error = job.verdict or ("died", process.end_in_words())
            self._report(job, status, error)
            # Jobs are cancelled when a search ends; a start would take time from what follows.
            self._eager += status != "cancelled"


def _verdict(job, now):
    if job.memory_bytes is not None and job.peak > job.memory_bytes:
        return "memory", (
            f"Used {job.peak / 2**20:.0f} MiB of memory; the limit is "
            f"{job.memory_bytes / 2**20:.0f} MiB."
        )
    if job.cpu_seconds is not None and job.cpu_used > job.cpu_seconds:
        return "timeout", f"Used more than {job.cpu_seconds:g} CPU seconds."
    if job.wall_seconds is not None and now - job.begun > job.wall_seconds:
        return "timeout", f"Ran for more than {job.wall_seconds:g} seconds."
    return ()


_open_pools = weakref.WeakSet()


@atexit.register
def _close_pools():
    for pool in list(_open_pools):
        pool.close()
