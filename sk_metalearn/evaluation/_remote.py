"""What executors with processes of their own have in common, here or on a cluster.

A fault of the machine is never a fault of a candidate: a job whose process was ended from outside
runs again, and where no process can do the work it is done in this one.
"""

import time
import warnings
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sklearn import get_config

from ..exceptions import FallbackWarning, warn_user
from ._executor import Completed, Executor
from ._fold import FoldResult, call_configured, run_configured, write_model
from ._in_process import InProcess, call_here, run_here
from ._shared import pack
from ._supervisor import NOT_STARTED, UNLOADABLE
from ._user_code import dumps
from ._worker import OfPayload

__all__ = ["LOST", "NoWorkers", "Remote"]

# The place where a job ran is gone.
LOST = "lost"
_OUTSIDE = ("SIGKILL", "SIGTERM")
_MOST_AGAIN = 3
# What may run in this process while no worker is ready: it cannot be ended.
_SHORT_SECONDS, _SHORT_SHARE = 0.25, 0.05


class NoWorkers(Exception):
    """Jobs cannot run in other processes; the text says why."""


@dataclass
class _Running:
    handle: Any
    job: tuple
    wall_seconds: float | None
    memory_bytes: int | None
    short: bool
    data: str = ""


class Remote(Executor):
    """Base of executors that hand jobs to other processes.

    Parameters
    ----------
    payload : Payload
    n_workers : int
    capacity : int

    Raises
    ------
    NoWorkers
        If the payload cannot get to other processes.
    """

    kills = True

    def __init__(self, payload, n_workers, capacity):
        self.payload, self.n_workers, self.capacity = payload, n_workers, capacity
        self.running, self.keys, self.again = {}, {}, Counter()
        self.stand_in, self.closed = None, False
        self._share(payload)

    # What a subclass does.

    def _put(self, parts):
        """Bring the parts of a shared object to where jobs run, in the place of the last."""
        raise NotImplementedError

    def _begin(self, call, n_threads=None, wall_seconds=None, memory_bytes=None):
        """Start a pickled call and return a handle."""
        raise NotImplementedError

    def _wait(self, timeout):
        """Return (handle, Completed) of a call that has ended, or None after `timeout`."""
        raise NotImplementedError

    def _end(self, handles):
        """End calls."""
        raise NotImplementedError

    def _leave(self):
        """Release all."""
        raise NotImplementedError

    def _withdraw(self, handle):
        """Take back a call that waits for a process to start; True if it was taken back."""
        return False

    def _data(self):
        """Name what `_put` brought last."""
        return ""

    def _mend(self):
        """Tell whether what was wrong with the place is mended, so that a job can run again."""
        return False

    # What all do.

    def _share(self, payload):
        try:
            parts = list(pack(payload))
        except Exception as error:
            raise NoWorkers(
                f"The estimator, the data or the scorer cannot be pickled ({error!r})"
            ) from error
        self._put(parts)

    def _start(self, key, running):
        call = dumps((run_configured, (OfPayload(), *running.job)))
        running.data = self._data()
        running.handle = self._begin(
            call, wall_seconds=running.wall_seconds, memory_bytes=running.memory_bytes
        )
        self.running[key] = running
        self.keys[running.handle] = key

    def submit(self, job, key, wall_seconds=None, memory_bytes=None, expected_seconds=None):
        if self.stand_in is not None:
            self.stand_in.submit(job, key)
            return
        short = memory_bytes is None and expected_seconds is not None
        if short:
            most = _SHORT_SECONDS
            if wall_seconds is not None:
                most = min(most, _SHORT_SHARE * wall_seconds)
            short = expected_seconds <= most
        running = _Running(None, job, wall_seconds, memory_bytes, short)
        try:
            self._start(key, running)
        except Exception as error:
            self.running[key] = running
            self._take_over(f"A candidate could not be handed to a worker ({error!r})")

    def next(self, timeout=None):
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            if self.stand_in is not None:
                return self.stand_in.next()
            if not self.running:
                return None
            done = self._run_short()
            if done is not None:
                return done
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            ended = self._wait(left)
            if ended is None:
                return None
            handle, done = ended
            key = self.keys.pop(handle, None)
            if key is None or key not in self.running:
                continue
            running = self.running.pop(key)
            if not self._goes_again(done, key):
                self._fetch_model(done.value)
                return Completed(
                    key,
                    done.status if done.status != LOST else "died",
                    done.value,
                    done.error,
                    done.wall_seconds,
                    done.cpu_seconds,
                    done.peak_bytes,
                )
            self._retry(key, running, done)

    def _goes_again(self, done, key):
        if done.status in (NOT_STARTED, UNLOADABLE):
            return True
        outside = done.status == "died" and any(name in done.error for name in _OUTSIDE)
        if not (outside or done.status == LOST):
            return False
        self.again[key] += 1
        return self.again[key] <= _MOST_AGAIN

    def _retry(self, key, running, done):
        problem = done.status in (NOT_STARTED, UNLOADABLE)
        try:
            if not problem or running.data != self._data() or self._mend():
                self._start(key, running)
                return
            cause = _last_line(done.error)
        except Exception as error:
            cause = repr(error)
        self.running = {key: running, **self.running}
        what = "load what it needs" if done.status == UNLOADABLE else "start"
        self._take_over(f"No worker process could {what} ({cause})")

    def _fetch_model(self, result):
        """Keep here the model that a candidate left on another machine."""
        if not isinstance(result, FoldResult) or not isinstance(result.model, bytes):
            return
        try:
            result.model = write_model(self.payload.keep_models, result.model)
        except OSError:
            # A full disk costs the model, not the result.
            result.model = ""

    def _run_short(self):
        for key, running in self.running.items():
            if running.short and self._withdraw(running.handle):
                del self.running[key]
                return run_here(self.payload, running.job, key)
        return None

    def _take_over(self, cause):
        """Do in this process what no other can."""
        warn_user(
            f"{cause}, so that candidates run in this process one after the other; n_jobs, "
            "time_budget and the limits of a candidate cannot be kept.",
            FallbackWarning,
        )
        self.stand_in = InProcess(self.payload)
        self.kills, self.here, self.n_workers, self.capacity = False, True, 1, 1
        for key, running in self.running.items():
            self.stand_in.submit(running.job, key)
        handles = [own.handle for own in self.running.values() if own.handle is not None]
        self.running, self.keys = {}, {}
        try:
            self._end(handles)
            self._leave()
        except Exception:
            # It did not work, which has been said.
            pass

    def cancel(self, keys):
        keys = list(keys)
        if self.stand_in is not None:
            self.stand_in.cancel(keys)
        given_up = [self.running.pop(key) for key in keys if key in self.running]
        for running in given_up:
            self.keys.pop(running.handle, None)
        if given_up:
            self._end([running.handle for running in given_up])

    def share(self, payload):
        self.cancel(self.running)
        self.payload = payload
        if self.stand_in is not None:
            self.stand_in.share(payload)
            return
        try:
            self._share(payload)
        except NoWorkers as error:
            self._take_over(str(error))

    def call(self, function, *args, wall_seconds=None, n_threads=None):
        self.cancel(self.running)
        begun = time.monotonic()
        limits = {"n_threads": n_threads, "wall_seconds": wall_seconds}
        for _ in range(_MOST_AGAIN + 1):
            if self.stand_in is not None:
                break
            try:
                settings = get_config(), list(warnings.filters), function
                call = dumps((call_configured, (*settings, *map(self._away, args))))
                done = self._wait_for(self._begin(call, **limits), wall_seconds, begun)
            except Exception as error:
                self._take_over(f"A call could not be handed to a worker ({error!r})")
                break
            if done.status in (NOT_STARTED, UNLOADABLE) and not self._mend():
                self._take_over(f"No worker process could run it ({_last_line(done.error)})")
            elif done.status not in (NOT_STARTED, UNLOADABLE):
                if not self._goes_again(done, None):
                    return done
        return call_here(function, args, n_threads)

    def _wait_for(self, handle, wall_seconds, begun):
        while True:
            left = None
            if wall_seconds is not None:
                left = max(0.0, begun + wall_seconds - time.monotonic())
            ended = self._wait(left)
            if ended is None:
                self._end([handle])
                why = f"Was not done after {wall_seconds:g} seconds."
                return Completed(None, "timeout", None, why, time.monotonic() - begun)
            if ended[0] == handle:
                return ended[1]

    def _away(self, argument):
        """Replace what is where jobs run anyway."""
        if argument is None:
            return argument
        if argument is self.payload:
            return OfPayload()
        for field in ("X", "y"):
            if argument is getattr(self.payload, field):
                return OfPayload(field)
        return argument

    def close(self):
        if self.closed:
            return
        self.closed = True
        self.cancel(self.running)
        if self.stand_in is not None:
            self.stand_in.close()
        else:
            self._leave()
        self.payload = None


def _last_line(text):
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason was given"
