"""Persistent worker processes whose jobs are held to limits of CPU time, wall time and memory."""

import itertools
import os
import pickle
import queue
import sys
import time
from dataclasses import replace

from ._supervisor import NOT_STARTED, UNLOADABLE, Job, Supervisor
from ._user_code import dumps
from ._worker_process import import_paths

__all__ = ["WorkerPool"]

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
        self._outstanding, self._numbers = {}, itertools.count()
        self._supervisor = Supervisor(self.n_workers, self.niceness, self.preload)

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
        return len(self.pids)

    @property
    def pids(self):
        """Numbers of the processes that have started."""
        return self._supervisor.pids

    @property
    def closed(self):
        """Whether its processes were ended."""
        return self._supervisor.closed

    @property
    def usable(self):
        """Whether this process can submit jobs."""
        return self._supervisor.usable

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
        job = Job(ticket, key, message, cpu_seconds, wall_seconds, memory_bytes)
        self._outstanding[ticket] = job
        self._supervisor.give(job)
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
                done = self._supervisor.results.get(timeout=0.5 if left is None else min(left, 0.5))
            except queue.Empty:
                if left is not None and left <= 0.5:
                    return None
                if not self._supervisor.alive:
                    self._supervisor.give_back("The pool was closed.")
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
        if job is not None:
            self._supervisor.cancel(job)

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
        if job is None or not self._supervisor.take_back(job):
            return False
        del self._outstanding[ticket]
        return True

    def forget(self):
        """Have workers without a job let go of the data of the last one."""
        self._supervisor.forget()

    def close(self):
        """End all workers at once; jobs not yet done are lost."""
        self._supervisor.close()
