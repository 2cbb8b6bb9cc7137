"""Which executor a search gets."""

from joblib import effective_n_jobs
from joblib.parallel import get_active_backend

from ..exceptions import FallbackWarning, warn_user
from ._in_batches import InBatches
from ._in_process import InProcess
from ._in_threads import InThreads
from ._remote import NoWorkers

__all__ = ["local_processes", "make_executor"]

_OWN_PROCESSES = ("LokyBackend", "MultiprocessingBackend", "SequentialBackend", "ThreadingBackend")


def make_executor(payload, n_jobs=None, isolated=False, fresh=False, spare=False):
    """Choose the executor that the active joblib backend, `n_jobs` and the limits call for.

    Parameters
    ----------
    payload : Payload
        What all jobs share.
    n_jobs : int, default=None
        As in joblib: None follows `joblib.parallel_config`.
    isolated : bool, default=False
        Whether candidates need killable processes even with one job.
    fresh : bool, default=False
        Whether these must be new.
    spare : bool, default=False
        Whether one more of them is to be ready for `Executor.call`.

    Returns
    -------
    Executor
        To be closed by the caller, best in a ``with`` block.
    """
    backend, _ = get_active_backend()
    name = type(backend).__name__
    n_workers = effective_n_jobs(n_jobs)
    try:
        if name == "DaskDistributedBackend":
            from ._on_dask import OnDask

            return OnDask(payload, backend.client, n_workers)
        if name == "RayBackend":
            from ._on_ray import OnRay

            return OnRay(payload, n_workers)
        if name == "ThreadingBackend" and n_workers > 1:
            if isolated:
                _warn_no_limits("in threads")
            return InThreads(payload, n_workers)
        if name not in _OWN_PROCESSES:
            if isolated:
                _warn_no_limits(f"on the joblib backend {name}")
            return InBatches(payload, n_jobs, n_workers)
        if n_workers == 1 and not isolated:
            return InProcess(payload)
        from ._in_workers import InWorkers

        return InWorkers(payload, n_workers, fresh, spare)
    except NoWorkers as error:
        promise = "n_jobs, time_budget and the limits of a candidate" if isolated else "n_jobs"
        warn_user(
            f"{error}, so that candidates run in this process one after the other and {promise} "
            "cannot be kept.",
            FallbackWarning,
        )
        return InProcess(payload)


def local_processes(n_jobs=None, isolated=False):
    """Say how many processes of this machine an executor would start.

    Parameters
    ----------
    n_jobs : int, default=None
        As for `make_executor`.
    isolated : bool, default=False
        As for `make_executor`.

    Returns
    -------
    int or None
        0: jobs run in this process. None: somewhere else, or in a way of the user's.
    """
    if type(get_active_backend()[0]).__name__ not in _OWN_PROCESSES:
        return None
    n_workers = effective_n_jobs(n_jobs)
    return n_workers if n_workers > 1 or isolated else 0


def _warn_no_limits(where):
    warn_user(
        f"A time budget and limits of time and memory for a candidate cannot be enforced {where}; "
        "a candidate that has begun runs to its end. Use n_jobs with joblib's default backend to "
        "have them kept.",
        FallbackWarning,
    )
