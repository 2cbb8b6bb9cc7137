"""What runs in a process of a cluster: it starts worker processes of its own and watches them.

So a candidate is held to its limits, and what it does to its process does not touch the cluster.
"""

import threading
from collections import OrderedDict, deque

from ._executor import Completed
from ._shared import SharedObject
from ._supervisor import NOT_STARTED
from ._worker_pool import WorkerPool

__all__ = ["end_on_node", "forget_on_node", "run_on_node"]

_lock = threading.RLock()
_idle = []
_running = {}
_files = OrderedDict()
# Calls ended before they began: a cluster does not keep the order of what it is told.
_ended = deque(maxlen=10_000)
# Searches that take turns on this machine.
_MOST_FILES = 4


class _NodePool(WorkerPool):
    """One worker; results are passed on as they are."""

    @staticmethod
    def load(done):
        return done


def _path_of(name, content):
    with _lock:
        if name not in _files:
            _files[name] = SharedObject([memoryview(content)])
            while len(_files) > _MOST_FILES:
                _files.popitem(last=False)[1].close()
        _files.move_to_end(name)
        return _files[name].path


def run_on_node(ticket, call, name, content, n_threads, wall_seconds, memory_bytes):
    """Run a pickled call in a worker process of this machine.

    Parameters
    ----------
    ticket : str
        For `end_on_node`.
    call : bytes
    name : str
        Of the payload.
    content : buffer
        The payload, as `pack` gives it.
    n_threads, wall_seconds, memory_bytes
        As for `WorkerPool.submit_call`.

    Returns
    -------
    Completed
        With its value as bytes.
    """
    try:
        path = _path_of(name, content)
        with _lock:
            pool = _idle.pop() if _idle else None
        if pool is None or not pool.usable:
            pool = _NodePool(1)
    except Exception as error:
        return Completed(None, NOT_STARTED, None, f"{type(error).__name__}: {error}")
    try:
        number = pool.submit_call(
            call,
            payload=path,
            n_threads=n_threads,
            wall_seconds=wall_seconds,
            memory_bytes=memory_bytes,
        )
        with _lock:
            _running[ticket] = pool, number
            if ticket in _ended:
                pool.cancel(number)
        return pool.wait()
    finally:
        with _lock:
            _running.pop(ticket, None)
        if pool.pending or not pool.usable:
            # The cluster has ended this task.
            pool.close()
        else:
            with _lock:
                _idle.append(pool)


async def end_on_node(tickets):
    """End calls that run here, beside the threads that wait for them.

    Parameters
    ----------
    tickets : list of str
    """
    with _lock:
        for ticket in tickets:
            if ticket in _running:
                pool, number = _running[ticket]
                pool.cancel(number)
            else:
                _ended.append(ticket)


async def forget_on_node(name):
    """Remove a payload.

    Parameters
    ----------
    name : str
    """
    with _lock:
        if name in _files:
            _files.pop(name).close()
        for pool in _idle:
            pool.forget()
