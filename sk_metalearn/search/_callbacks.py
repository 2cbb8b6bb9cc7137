"""The callback tasks of a fit, opened and closed in one place."""

from contextlib import contextmanager

from .._compat import begin_callbacks

__all__ = ["fit_task", "refit_task"]


@contextmanager
def fit_task(search, X, y, params, refits):
    """Open the root task of a fit; it is closed where the fit ends well.

    Parameters
    ----------
    search : estimator
    X, y : array-like
    params : dict
        What `fit` was given beside them.
    refits : bool
        Whether a final fit follows the search.

    Yields
    ------
    CallbackContext
    """
    told = _told(params)
    root = begin_callbacks(search, max_subtasks=1 + refits)
    root.call_on_fit_task_begin(estimator=search, X=X, y=y, **told)
    yield root
    root.call_on_fit_task_end(estimator=search, X=X, y=y, **told)


@contextmanager
def refit_task(search, problem, root, estimator):
    """Open the task of the final fit.

    Parameters
    ----------
    search : estimator
    problem : Problem
    root : CallbackContext
        Of the whole fit.
    estimator : estimator
        What is fitted; callbacks that ask for it hear of its own tasks.
    """
    X, y, params, _ = problem.whole
    told = _told(params)
    context = root.subcontext(task_name="refit-with-best-params")
    with context.propagate_callback_context(estimator):
        context.call_on_fit_task_begin(estimator=search, X=X, y=y, **told)
        yield
    context.call_on_fit_task_end(estimator=search, X=X, y=y, **told)


def _told(params):
    weight = params.get("sample_weight")
    return {"metadata": {"sample_weight": weight} if weight is not None else None}
