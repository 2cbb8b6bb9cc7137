"""Evaluations on a Dask cluster."""

import queue
import time
import uuid
from dataclasses import replace

from ._executor import Completed
from ._on_node import end_on_node, forget_on_node, run_on_node
from ._remote import LOST, NoWorkers, Remote
from ._supervisor import NOT_STARTED
from ._worker_pool import WorkerPool

__all__ = ["OnDask"]


class OnDask(Remote):
    """The workers of a Dask cluster, each of which runs jobs in killable processes.

    Dask itself runs a job again elsewhere when a worker is lost.

    Parameters
    ----------
    payload : Payload
    client : distributed.Client
    n_workers : int

    Raises
    ------
    NoWorkers
        If the data cannot be brought to the cluster.
    """

    _MOST_MENDS = 3

    def __init__(self, payload, client, n_workers):
        self.client, self.name, self.content = client, None, None
        self.done, self.futures, self.n_mends = queue.SimpleQueue(), {}, 0
        super().__init__(payload, n_workers, 2 * n_workers)

    def _put(self, parts):
        self._forget()
        self.name = uuid.uuid4().hex
        try:
            self.content = self.client.scatter(b"".join(parts), broadcast=True, hash=False)
        except Exception as error:
            raise NoWorkers(f"The data cannot be brought to the cluster ({error!r})") from error

    def _forget(self):
        if self.name is not None:
            self._on_all(forget_on_node, self.name)
        self.name, self.content = None, None

    def _on_all(self, function, argument):
        # Without waiting for an answer.
        self.client.run(function, argument, wait=False, on_error="ignore")

    def _begin(self, call, n_threads=None, wall_seconds=None, memory_bytes=None):
        ticket = f"sk_metalearn-{uuid.uuid4().hex}"
        future = self.client.submit(
            run_on_node,
            ticket,
            call,
            self.name,
            self.content,
            n_threads,
            wall_seconds,
            memory_bytes,
            key=ticket,
            pure=False,
        )
        self.futures[ticket] = future
        future.add_done_callback(lambda own: self.done.put((ticket, own)))
        return ticket

    def _wait(self, timeout):
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.futures:
            left = 0.5 if deadline is None else min(0.5, max(0.0, deadline - time.monotonic()))
            try:
                ticket, future = self.done.get(timeout=left)
            except queue.Empty:
                if deadline is not None and time.monotonic() >= deadline:
                    return None
                continue
            if self.futures.pop(ticket, None) is not None:
                return ticket, self._outcome(future)
        return None

    def _outcome(self, future):
        if future.status == "finished":
            done = future.result()
            return WorkerPool.load(replace(done, key=None))
        if future.status in ("cancelled", "lost"):
            # The data were held by workers that are gone.
            self._share(self.payload)
            return Completed(None, LOST, None, "The Dask workers with the data were lost.")
        error = future.exception()
        if type(error).__name__ == "KilledWorker":
            return Completed(None, "died", None, f"Dask gave the evaluation up: {error}")
        return Completed(None, NOT_STARTED, None, repr(error))

    def _mend(self):
        # Another worker may do better.
        self.n_mends += 1
        return self.n_mends <= self._MOST_MENDS

    def _end(self, handles):
        futures = [self.futures.pop(ticket) for ticket in handles if ticket in self.futures]
        if futures:
            self.client.cancel(futures, force=True)
            self._on_all(end_on_node, list(handles))

    def _leave(self):
        self._end(list(self.futures))
        self._forget()
