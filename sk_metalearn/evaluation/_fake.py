"""An executor and a clock that need no fit and no time, to test what is built on them."""

from dataclasses import dataclass
from typing import Any

from ._executor import Completed, Executor

__all__ = ["FakeClock", "FakeExecutor", "FakeResult"]


class FakeClock:
    """A clock that moves when it is told to.

    Parameters
    ----------
    now : float, default=0.0
        Seconds.
    """

    def __init__(self, now=0.0):
        self.now = now

    def __call__(self):
        return self.now

    def advance(self, seconds):
        """Move the clock.

        Parameters
        ----------
        seconds : float
        """
        self.now += seconds


@dataclass(frozen=True)
class FakeResult:
    """How a job of a `FakeExecutor` is to end.

    Parameters
    ----------
    value : object, default=None
        What it returns where the status is ``"ok"``.
    seconds : float, default=1.0
        How long it takes.
    status : {"ok", "crashed", "timeout", "memory", "died"}, default="ok"
    """

    value: Any = None
    seconds: float = 1.0
    status: str = "ok"


class FakeExecutor(Executor):
    """Runs jobs on imagined workers by the time of a `FakeClock`.

    A job begins when it is handed over or as soon as a worker is free, and ends after its seconds,
    or at its limit of time. `next` moves the clock to the next end.

    Parameters
    ----------
    run : callable
        ``run(*job)`` gives the `FakeResult` of a job.
    clock : FakeClock
    n_workers : int, default=1

    Attributes
    ----------
    n_begun : int
        Jobs begun.
    """

    kills = True

    def __init__(self, run, clock, n_workers=1):
        self.run, self.clock = run, clock
        self.n_workers = self.capacity = n_workers
        self.waiting, self.running, self.n_begun = [], {}, 0

    def submit(self, job, key, wall_seconds=None, memory_bytes=None, expected_seconds=None):
        self.waiting.append((job, key, wall_seconds))
        self._begin()

    def _begin(self):
        while self.waiting and len(self.running) < self.n_workers:
            job, key, wall = self.waiting.pop(0)
            self.n_begun += 1
            result = self.run(*job)
            late = wall is not None and result.seconds > wall
            seconds = wall if late else result.seconds
            status = "timeout" if late else result.status
            value = result.value if status == "ok" else None
            done = Completed(key, status, value, status, seconds, seconds)
            self.running[key] = self.clock() + seconds, self.n_begun, done

    def next(self, timeout=None):
        if not self.running:
            return None
        end, _, done = min(self.running.values(), key=lambda own: own[:2])
        wait = max(0.0, end - self.clock())
        if timeout is not None and wait > timeout:
            self.clock.advance(timeout)
            return None
        self.clock.advance(wait)
        del self.running[done.key]
        self._begin()
        return done

    def cancel(self, keys):
        keys = set(keys)
        self.waiting = [own for own in self.waiting if own[1] not in keys]
        self.running = {key: own for key, own in self.running.items() if key not in keys}
        self._begin()

    def share(self, payload):
        self.cancel([*self.running, *(own[1] for own in self.waiting)])

    def call(self, function, *args, wall_seconds=None, n_threads=None):
        self.share(None)
        result = self.run(function, *args)
        late = wall_seconds is not None and result.seconds > wall_seconds
        seconds = wall_seconds if late else result.seconds
        self.clock.advance(seconds)
        status = "timeout" if late else result.status
        return Completed(None, status, result.value if status == "ok" else None, status, seconds)

    def close(self):
        self.share(None)
