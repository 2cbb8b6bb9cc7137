"""What all places where evaluations run have in common."""

from dataclasses import dataclass
from typing import Any

__all__ = ["Completed", "Executor"]


@dataclass(frozen=True)
class Completed:
    """How a job ended.

    Parameters
    ----------
    key : object
        What the job was submitted with.
    status : {"ok", "crashed", "timeout", "memory", "died", "cancelled"}
        ``"crashed"``: the function raised. ``"died"``: the process ended under it.
    value : object
        What the function returned.
    error : str
        Traceback or explanation when the status is not ``"ok"``.
    wall_seconds, cpu_seconds : float
        Time used.
    peak_bytes : int
        Largest resident memory of the process during the job, 0 where it is not known.
    ticket : int, default=-1
        What `WorkerPool.submit` gave.
    """

    key: Any
    status: str
    value: Any = None
    error: str = ""
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    ticket: int = -1


class Executor:
    """Runs jobs of one search; a job is the arguments of `run_fold` after the payload.

    Only the thread that made an executor calls it. Compiled code has one thread in each job.

    Attributes
    ----------
    n_workers : int
        Jobs that run at the same time.
    capacity : int
        Jobs worth handing over at the same time.
    kills : bool
        Whether limits hold and a cancelled job ends at once.
    here : bool
        Whether jobs run in this process.
    """

    n_workers = 1
    capacity = 1
    kills = False
    here = False

    def submit(self, job, key, wall_seconds=None, memory_bytes=None, expected_seconds=None):
        """Hand over a job; its result comes back from `next` with `key`.

        Parameters
        ----------
        job : tuple
            Arguments of `run_fold` behind the payload.
        key : hashable
            Told apart by the caller; two jobs at a time never share one.
        wall_seconds : float, default=None
            Time after which the job is ended, if the executor can; counted from its begin.
        memory_bytes : int, default=None
            Resident memory at which the job is ended, if the executor can.
        expected_seconds : float, default=None
            How long it will probably take. A short job may run in this process while no worker
            is ready.
        """
        raise NotImplementedError

    def next(self, timeout=None):
        """Return the next `Completed`, or None after `timeout` seconds or if nothing is pending.

        Parameters
        ----------
        timeout : float, default=None
            Seconds to wait; None: until a result comes.

        Returns
        -------
        Completed or None
            Results come in the order in which jobs end.
        """
        raise NotImplementedError

    def cancel(self, keys):
        """Give up jobs; they do not come back from `next`.

        Parameters
        ----------
        keys : iterable
            Keys the jobs were submitted with; others are passed over.
        """
        raise NotImplementedError

    def share(self, payload):
        """Put another payload in the place of the first one; jobs are given up.

        Parameters
        ----------
        payload : Payload
            What later jobs are evaluated with.
        """
        raise NotImplementedError

    def call(self, function, *args, wall_seconds=None, n_threads=None):
        """Run any function where jobs run, and wait for its end; jobs are given up.

        Parameters
        ----------
        function : callable
            Pickled if it runs in another process.
        *args
            What it is called with. The payload of this executor, its `X` and its `y` are where
            the function runs, and do not travel again.
        wall_seconds : float, default=None
            Time after which it is given up, if the executor can; counted from now.
        n_threads : int, default=None
            Threads that compiled code has meanwhile; 1 by default.

        Returns
        -------
        Completed
            The result of the function, or why there is none.
        """
        raise NotImplementedError

    def close(self):
        """Give up everything; may be called again."""
        raise NotImplementedError

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
