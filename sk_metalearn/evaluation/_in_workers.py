"""Evaluations in killable worker processes of this machine."""

import os
import threading

from ._remote import NoWorkers, Remote
from ._shared import SharedObject
from ._worker_pool import WorkerPool

__all__ = ["InWorkers"]


class InWorkers(Remote):
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

    Raises
    ------
    NoWorkers
        If the payload cannot be pickled or written, or nothing can be started.
    """

    def __init__(self, payload, n_workers, fresh=False, spare=False):
        self.shared, self.fresh = None, fresh
        super().__init__(payload, n_workers, n_workers)
        n_processes = n_workers + bool(spare)
        try:
            self.pool = WorkerPool(n_processes) if fresh else _take_pool(n_processes)
        except Exception as error:
            self.shared.close()
            raise NoWorkers(f"Worker processes cannot be started ({error!r})") from error

    def _put(self, parts):
        if self.shared is not None:
            self.shared.close()
        try:
            self.shared = SharedObject(parts)
        except OSError as error:
            raise NoWorkers(f"The temp folder cannot take the data ({error!r})") from error

    def _begin(self, call, n_threads=None, wall_seconds=None, memory_bytes=None):
        return self.pool.submit_call(
            call,
            payload=self.shared.path,
            n_threads=n_threads,
            wall_seconds=wall_seconds,
            memory_bytes=memory_bytes,
        )

    def _wait(self, timeout):
        done = self.pool.wait(timeout)
        return None if done is None else (done.ticket, done)

    def _end(self, handles):
        for ticket in handles:
            self.pool.cancel(ticket)

    def _withdraw(self, handle):
        return self.pool.n_ready == 0 and self.pool.withdraw(handle)

    def _data(self):
        return self.shared.path

    def _mend(self):
        # A temp folder may be cleaned while a search goes on for days.
        if os.path.exists(self.shared.path):
            return False
        self._share(self.payload)
        return True

    def _leave(self):
        self.shared.close()
        if self.fresh or self.stand_in is not None or not self.pool.usable:
            self.pool.close()
        else:
            _give_pool(self.pool)


_idle = []
_idle_lock = threading.Lock()


def _take_pool(n_workers):
    """Take the pool that an earlier search left, if it would be started alike, or start one.

    Jobs that the earlier search gave up may still come back from it; no one knows their tickets.
    """
    with _idle_lock:
        while _idle:
            pool, environment = _idle.pop()
            if pool.usable and pool.n_workers == n_workers and environment == dict(os.environ):
                return pool
            pool.close()
    return WorkerPool(n_workers)


def _give_pool(pool):
    """Keep a pool for the next search, without its data."""
    pool.forget()
    with _idle_lock:
        others = [other for other, _ in _idle]
        _idle[:] = [(pool, dict(os.environ))]
    for other in others:
        other.close()
