"""The thread that owns the worker processes of a pool.

It starts them, hands out jobs, takes answers, and ends what exceeds its limits. It never waits for
a single process, so that none can hold up the others.
"""

import atexit
import contextlib
import os
import pickle
import queue
import selectors
import socket
import threading
import time
import weakref
from collections import deque
from dataclasses import dataclass
from typing import Any

from ._executor import Completed
from ._left_behind import end_left_behind
from ._worker_process import WorkerProcess

__all__ = ["NOT_STARTED", "UNLOADABLE", "Job", "Supervisor", "close_all"]

# Ends that are faults of the machine, not of a job.
NOT_STARTED, UNLOADABLE = "not_started", "unloadable"
_POLL_SECONDS = 0.02
# A gap in the watch beyond this means that this process was stopped meanwhile.
_GAP_SECONDS = 1.0
# A stopped process is not charged for the time, for so long.
_STOPPED_SECONDS = 60.0
_START_SECONDS = 120.0
_MOST_STARTS = 3


@dataclass(eq=False)
class Job:
    """A call on its way: what to run, its limits, and what it has used so far."""

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


class Supervisor:
    """A thread that owns worker processes and holds their jobs to limits.

    Every job that is given comes back once, in `results`, unless it is taken back.

    Parameters
    ----------
    n_workers : int
        Number of processes.
    niceness : int
        Added to their niceness.
    preload : sequence of str
        Modules that they import before they take jobs.

    Attributes
    ----------
    results : queue of Completed
        Ends of jobs; values are pickled.
    closed : bool
        Whether it takes no more jobs.

    Raises
    ------
    OSError
        If the system has nothing left to start with.
    """

    def __init__(self, n_workers, niceness, preload):
        self._n_workers, self._niceness, self._preload = n_workers, niceness, preload
        self.closed, self.results = False, queue.SimpleQueue()
        self._owner = os.getpid()
        self._lock = threading.Lock()
        # Jobs without an end, and those of them that no process has begun.
        self._open, self._waiting = {}, deque()
        self._processes = []
        # Processes to start without a job that waits for one.
        self._eager = n_workers
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
        _running.add(self)

    @property
    def usable(self):
        """Whether this process can give it jobs."""
        return not self.closed and self.alive and self._owner == os.getpid()

    @property
    def alive(self):
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def pids(self):
        """Numbers of the processes that have started."""
        return [process.pid for process in list(self._processes) if process.ready]

    def give(self, job):
        """Queue a job for the next free process.

        Parameters
        ----------
        job : Job
        """
        with self._lock:
            self._open[job.ticket] = job
            self._waiting.append(job)
        self._wake()

    def take_back(self, job):
        """Take back a job that no process has begun.

        Parameters
        ----------
        job : Job

        Returns
        -------
        bool
            Whether it was taken back; then it has no end.
        """
        found = self._take_out(job)
        if found:
            self._open.pop(job.ticket, None)
        return found

    def cancel(self, job):
        """End a job, running or not, with the status ``"cancelled"``.

        Parameters
        ----------
        job : Job
            One that has ended already is left as it is.
        """
        if job.verdict:
            return
        job.verdict = ("cancelled", "Cancelled.")
        if self._take_out(job):
            self._report(job, *job.verdict)
        else:
            self._wake()

    def give_back(self, cause):
        """End all jobs with the status ``"not_started"``.

        Parameters
        ----------
        cause : str
            Becomes their error.
        """
        for job in list(self._open.values()):
            self._report(job, NOT_STARTED, cause)

    def forget(self):
        """Have processes without a job let go of the data of the last one."""
        self._forget = True
        self._wake()

    def close(self):
        """End the processes and the thread; jobs without an end are lost."""
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
        used = wall, job.cpu_used, job.peak
        self._end(job, Completed(job.key, status, None, error, *used, ticket=job.ticket))

    def _end(self, job, done):
        if self._open.pop(job.ticket, None) is not None:
            self.results.put(done)

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
            self.give_back(f"The pool does not work: {error!r}")
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
        while len(self._processes) < self._n_workers and max(self._eager, short) > 0:
            if time.monotonic() < self._not_before:
                return
            try:
                process = WorkerProcess(self._niceness, self._preload)
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
        self._end(job, Completed(job.key, status, body, error, wall, cpu, peak, ticket=job.ticket))

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


_running = weakref.WeakSet()


@atexit.register
def close_all():
    """End all worker processes of this program."""
    for supervisor in list(_running):
        supervisor.close()
