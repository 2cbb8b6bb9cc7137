"""Threads of compiled code: one for a fold, the caller's own number for all else.

With several threads sums are made in another order, so that results would depend on the number of
workers.
"""

import os
import sys
import threading
from contextlib import contextmanager

import threadpoolctl
from joblib import cpu_count
from threadpoolctl import ThreadpoolController

__all__ = ["THREAD_VARIABLES", "caller_threads", "one_thread", "several_threads"]

# What the libraries of compiled code read when they are loaded.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


# Of threads that set the number of BLAS, threadpoolctl 3.8 and later heeds the first only.
_free_blas = getattr(
    getattr(threadpoolctl, "OpenBLASController", None),
    "clear_controlling_thread",
    lambda force: None,
)


def _limit(controller, n_threads):
    _free_blas(force=True)
    limiter = controller.limit(limits=n_threads)
    _free_blas(force=True)
    return limiter


def _restore(limiter):
    _free_blas(force=True)
    limiter.restore_original_limits()
    _free_blas(force=True)


class _Held:
    """Limits of one kind of library, laid one over the other and taken off in reverse."""

    def __init__(self, user_api):
        self.user_api = user_api
        self.depth, self.n_modules, self.limiters, self.outside = 0, 0, [], 0

    def enter(self):
        self.depth += 1
        # Looking for libraries takes milliseconds; none comes without a module.
        if self.depth > 1 and len(sys.modules) == self.n_modules:
            return
        self.n_modules = len(sys.modules)
        controller = ThreadpoolController().select(user_api=self.user_api)
        found = [library["num_threads"] for library in controller.info()]
        self.outside = max([self.outside, *found])
        self.limiters.append(_limit(controller, 1))

    def leave(self):
        self.depth -= 1
        if self.depth == 0:
            while self.limiters:
                _restore(self.limiters.pop())
            self.outside = 0


# BLAS libraries have one number for the process, OpenMP one for each thread.
_lock = threading.Lock()
_blas = _Held("blas")
_of_thread = threading.local()


def _openmp():
    if not hasattr(_of_thread, "held"):
        _of_thread.held = _Held("openmp")
    return _of_thread.held


@contextmanager
def one_thread():
    """Hold compiled code to one thread; the last to leave restores what was before.

    May be entered by several threads at the same time, and again by those that are inside.

    Examples
    --------
    >>> from threadpoolctl import threadpool_info
    >>> from sk_metalearn.evaluation import one_thread
    >>> with one_thread():
    ...     {library["num_threads"] for library in threadpool_info()} <= {1}
    True
    """
    openmp = _openmp()
    with _lock:
        _blas.enter()
        openmp.enter()
    try:
        yield
    finally:
        with _lock:
            openmp.leave()
            _blas.leave()


def caller_threads():
    """Return the number of threads that this process has outside `one_thread`.

    Returns
    -------
    int
        For `Executor.call`.
    """
    with _lock:
        openmp = _openmp()
        known = max(_blas.outside, openmp.outside)
        if known == 0:
            controller = ThreadpoolController()
            known = max([0, *(library["num_threads"] for library in controller.info())])
    return known or int(os.environ.get("OMP_NUM_THREADS", 0) or 0) or cpu_count()


@contextmanager
def several_threads(n_threads):
    """Let compiled code have `n_threads`, also inside `one_thread`.

    Parameters
    ----------
    n_threads : int or None
        None changes nothing.
    """
    if n_threads is None:
        yield
        return
    # Libraries loaded meanwhile, and processes started, read the environment.
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    worker = before["OMP_NUM_THREADS"] == "1"
    if worker:
        os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(n_threads)))
    limiter = _limit(ThreadpoolController(), n_threads)
    try:
        yield
    finally:
        _restore(limiter)
        if worker:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
