"""Evaluations on a Ray cluster."""

import time
import uuid
from dataclasses import replace

import numpy as np

from ._executor import Completed
from ._on_node import run_on_node
from ._remote import LOST, NoWorkers, Remote
from ._supervisor import NOT_STARTED
from ._worker_pool import WorkerPool

__all__ = ["OnRay"]


class OnRay(Remote):
    """The workers of a Ray cluster, each of which runs jobs in killable processes.

    Ray itself runs a job again elsewhere when a worker is lost, and keeps the data once on each
    machine.

    Parameters
    ----------
    payload : Payload
    n_workers : int

    Raises
    ------
    NoWorkers
        If the data cannot be brought to the cluster.
    """

    _MOST_MENDS = 3

    def __init__(self, payload, n_workers):
        import ray

        self.ray = ray
        if not ray.is_initialized():
            ray.init(num_cpus=n_workers)
        self.run = ray.remote(num_cpus=1, max_retries=2)(run_on_node)
        self.tickets, self.n_mends = {}, 0
        super().__init__(payload, n_workers, 2 * n_workers)

    def _put(self, parts):
        self.name = uuid.uuid4().hex
        try:
            # An array is mapped, bytes would be copied for each job.
            self.content = self.ray.put(np.frombuffer(b"".join(parts), dtype=np.uint8))
        except Exception as error:
            raise NoWorkers(f"The data cannot be brought to the cluster ({error!r})") from error

    def _begin(self, call, n_threads=None, wall_seconds=None, memory_bytes=None):
        ticket = uuid.uuid4().hex
        reference = self.run.remote(
            ticket, call, self.name, self.content, n_threads, wall_seconds, memory_bytes
        )
        self.tickets[ticket] = reference
        return ticket

    def _wait(self, timeout):
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.tickets:
            left = 0.5 if deadline is None else min(0.5, max(0.0, deadline - time.monotonic()))
            references = list(self.tickets.values())
            ready, _ = self.ray.wait(references, num_returns=1, timeout=left)
            if ready:
                ticket = next(own for own, ref in self.tickets.items() if ref == ready[0])
                del self.tickets[ticket]
                return ticket, self._outcome(ready[0])
            if deadline is not None and time.monotonic() >= deadline:
                return None
        return None

    def _outcome(self, reference):
        errors = self.ray.exceptions
        try:
            return WorkerPool.load(replace(self.ray.get(reference), key=None))
        except errors.OutOfMemoryError as error:
            return Completed(None, "memory", None, str(error))
        except errors.RayTaskError as error:
            return Completed(None, NOT_STARTED, None, str(error))
        except errors.RayError as error:
            return Completed(None, LOST, None, f"The Ray worker was lost: {error}")

    def _mend(self):
        self.n_mends += 1
        return self.n_mends <= self._MOST_MENDS

    def _end(self, handles):
        for ticket in handles:
            if ticket in self.tickets:
                self.ray.cancel(self.tickets.pop(ticket))

    def _leave(self):
        self._end(list(self.tickets))
        self.content = None
