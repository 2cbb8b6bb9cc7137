"""The fit of a chosen estimator on all rows, and what takes its place if time is too short."""

import os
import time
from dataclasses import dataclass, replace
from typing import Any

from sklearn.base import clone

from .._compat import num_samples
from ..evaluation import caller_threads
from ..exceptions import FallbackWarning, warn_user
from ..tables import own_copy

__all__ = ["FinalFit", "fit_on_all_rows", "is_network", "predict_refit_seconds"]

# A fit that gets less time is not begun.
_LEAST_SECONDS = 0.05
# Nor is one whose data would need more of the time left than this share only to come to a worker.
_SHARE_OF_LEFT = 0.5


@dataclass(frozen=True)
class FinalFit:
    """How the final fit ended.

    Parameters
    ----------
    estimator : estimator or None
        Fitted; None where there is no model.
    seconds : float
    fitted_on : str
        ``"all rows"``, what it was fitted on instead, or why there is no model.
    """

    estimator: Any
    seconds: float
    fitted_on: str


def predict_refit_seconds(trial, problem, n_starts=1, share=1.0):
    """Predict how long a fit on many rows takes, from a candidate's fits on the folds.

    Parameters
    ----------
    trial : Trial or None
    problem : Problem
    n_starts : int, default=1
        Fits of a network, from different random starts.
    share : float, default=1.0
        Of all rows.

    Returns
    -------
    float
        Seconds; 0 without a candidate.
    """
    if trial is None or not trial.folds:
        return 0.0
    longest = max(result.fit_seconds for result in trial.folds.values())
    n_rows, n_train = num_samples(problem.whole[0]), len(problem.splits[0][0])
    n_fits = n_starts if is_network(trial.proposal.point) else 1
    # Between the linear and the quadratic growth of most learners.
    return n_fits * longest * (share * n_rows / max(n_train, 1)) ** 1.5


def is_network(point):
    """Whether a candidate is a network, whose fit depends on a random start.

    Parameters
    ----------
    point : dict

    Returns
    -------
    bool
    """
    return point.get("family") == "mlp"


def _fit(estimator, X, y, fit_params):
    # What `fit` returns is up to the user's estimator.
    if y is None:
        estimator.fit(X, **fit_params)
    else:
        estimator.fit(X, y, **fit_params)
    return estimator


def fit_on_all_rows(run, problem, estimator, fallback=None, fit=_fit):
    """Fit an estimator on all rows.

    Under a time budget the fit runs in a worker; where it does not end in time, a model that was
    left on a fold takes its place.

    Parameters
    ----------
    run : SearchRun
    problem : Problem
    estimator : estimator
        Unfitted.
    fallback : Trial or None, default=None
        The candidate whose model may take its place.
    fit : callable, default=_fit
        ``fit(estimator, X, y, fit_params)`` gives the fitted estimator.

    Returns
    -------
    FinalFit
    """
    X, y, fit_params, _ = problem.whole
    left = run.budget.left()
    if left is None or not run.executor.kills:
        begun = time.perf_counter()
        fitted = fit(estimator, own_copy(X), y, fit_params)
        return FinalFit(fitted, time.perf_counter() - begun, "all rows")
    trouble, seconds, payload = "no time was left", 0.0, run.payload
    if run.share_seconds > _SHARE_OF_LEFT * left:
        trouble = f"all rows would take about {run.share_seconds:.1f} s to come to a worker"
    elif left > _LEAST_SECONDS:
        if X is not problem.X:
            payload = replace(payload, X=X, y=y, fit_params=fit_params, score_params={}, splits=[])
            run.executor.share(payload)
        done = run.executor.call(
            _fit_payload,
            payload,
            clone(estimator),
            fit,
            wall_seconds=max(0.0, run.budget.left()),
            n_threads=_free_threads(),
        )
        if done.status == "ok":
            return FinalFit(*done.value, "all rows")
        lines = done.error.strip().splitlines()
        trouble, seconds = f"{done.status}: {lines[-1] if lines else ''}", done.wall_seconds
    model = None
    if fallback is not None and run.models is not None:
        model = run.models.load(fallback.folds.get(0))
    if model is None:
        return FinalFit(None, seconds, trouble)
    warn_user(
        f"The refit on all rows did not end well within the time budget ({trouble}); "
        "best_estimator_ is the model that was fitted on the first fold's training rows.",
        FallbackWarning,
    )
    return FinalFit(model, seconds, "training rows of fold 0")


def _fit_payload(payload, estimator, fit):
    """Fit on the data of a payload, in a worker; give the model and its seconds."""
    begun = time.perf_counter()
    fitted = fit(estimator, own_copy(payload.X), payload.y, payload.fit_params)
    return fitted, time.perf_counter() - begun


def _free_threads():
    """Threads for a fit that has to end in time: those of the caller, less what others use.

    On a busy machine threads that wait for each other take many times what one takes alone.
    """
    n_cores = os.cpu_count() or 1
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return max(1, min(caller_threads(), int(n_cores - load)))
