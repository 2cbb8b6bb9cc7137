"""Which candidate a search ends with, and its fit on all data."""

import os
import time
import warnings
from dataclasses import dataclass

import numpy as np
from cloudpickle import loads
from sklearn.base import clone

from .._compat import select_best_index
from ..exceptions import FallbackWarning

__all__ = [
    "OneStandardError",
    "best_index",
    "fit_here",
    "fit_remotely",
    "load_model",
    "predict_refit_seconds",
]


@dataclass(frozen=True)
class OneStandardError:
    """Choose the cheapest candidate whose score is within one standard error of the best.

    Give it as ``refit=OneStandardError(...)``, or by name as ``refit="one_standard_error"``.

    Parameters
    ----------
    metric : str, default="score"
        Name of the metric as in ``cv_results_``.
    cost : str, default="mean_fit_time"
        Column of ``cv_results_`` that is to be small, such as ``"mean_score_time"`` or
        ``"param_max_depth"``.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen, C. Stone. Classification and regression trees.
    Wadsworth, 1984.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_metalearn.search import OneStandardError
    >>> results = {
    ...     "mean_test_score": np.array([0.90, 0.91]),
    ...     "std_test_score": np.array([0.02, 0.04]),
    ...     "split0_test_score": np.array([0.88, 0.87]),
    ...     "split1_test_score": np.array([0.92, 0.95]),
    ...     "mean_fit_time": np.array([0.1, 5.0]),
    ... }
    >>> OneStandardError()(results)
    0
    """

    metric: str = "score"
    cost: str = "mean_fit_time"

    def __call__(self, results):
        means = np.asarray(_column(results, f"mean_test_{self.metric}"), dtype=float)
        names = [k for k in results if k.startswith("split") and k.endswith(f"_test_{self.metric}")]
        best = int(np.argmax(np.where(np.isnan(means), -np.inf, means)))
        spread = np.asarray(results[f"std_test_{self.metric}"], dtype=float)[best]
        floor = means[best] - spread / np.sqrt(max(len(names) - 1, 1))
        cost = np.ma.filled(np.ma.asarray(_column(results, self.cost)).astype(float), np.inf)
        cost = np.where(means >= floor, cost, np.inf)
        return int(np.argmin(cost)) if np.isfinite(cost).any() else best


def _column(results, name):
    if name not in results:
        raise ValueError(f"cv_results_ has no column {name!r}; it has {sorted(results)}.")
    return results[name]


def best_index(refit, metric, results):
    """Give the index of the candidate to refit.

    Candidates beyond a limit of prediction time or model size are left out, unless `refit` is a
    callable of the user's own.
    """
    rule = refit if isinstance(refit, OneStandardError) else None
    if callable(refit) and rule is None:
        return select_best_index(refit, metric, results)
    name = f"mean_test_{metric if rule is None else rule.metric}"
    scores = np.asarray(_column(results, name), dtype=float)
    over = np.asarray(results["status"]) == "over_limit"
    if over.any() and not np.isfinite(scores[~over]).any():
        warnings.warn(
            "Every candidate exceeds the limits of prediction time or model size; the best of "
            "them is taken all the same.",
            FallbackWarning,
            stacklevel=4,
        )
        over[:] = False
    if rule is None:
        return int(np.where(over, np.iinfo(np.int32).max, results[f"rank_test_{metric}"]).argmin())
    return rule({**results, name: np.where(over, np.nan, scores)})


def predict_refit_seconds(trial, n_rows, n_train):
    """Predict how long a fit on all rows takes from a candidate's fits on the folds.

    Parameters
    ----------
    trial : Trial or None
    n_rows, n_train : int
        Rows of all data and of a training part.

    Returns
    -------
    float
        Seconds; 0 without a candidate.
    """
    if trial is None or not trial.folds:
        return 0.0
    longest = max(result.fit_seconds for result in trial.folds.values())
    # Between the linear and the quadratic growth of most learners.
    return longest * (n_rows / max(n_train, 1)) ** 1.5


def fit_here(estimator, X, y, fit_params):
    """Fit an estimator in place; give it and the seconds it took."""
    begun = time.perf_counter()
    if y is None:
        estimator.fit(X, **fit_params)
    else:
        estimator.fit(X, y, **fit_params)
    return estimator, time.perf_counter() - begun


def fit_shared(payload, estimator):
    """Fit an estimator on the data of a payload, in a worker."""
    from sklearn import config_context

    with config_context(**payload.config):
        return fit_here(estimator, payload.X, payload.y, payload.fit_params)


def fit_remotely(executor, estimator, seconds):
    """Fit on all data in a killable worker.

    Parameters
    ----------
    executor : Executor
        One that kills.
    estimator : estimator
    seconds : float
        Limit.

    Returns
    -------
    estimator or None, float, str
        The fitted estimator, its seconds, and why there is none.
    """
    done = executor.call(
        fit_shared, executor.payload, clone(estimator), wall_seconds=max(0.0, seconds)
    )
    if done.status == "ok":
        return *done.value, ""
    lines = done.error.strip().splitlines()
    return None, done.wall_seconds, f"{done.status}: {lines[-1] if lines else ''}"


def load_model(folder, trial):
    """Load the model that a candidate left when it was fitted on a fold; None if there is none.

    Parameters
    ----------
    folder : str
        Made by this search.
    trial : Trial
    """
    for result in trial.folds.values() if trial is not None else ():
        if result.model:
            with open(os.path.join(folder, result.model), "rb") as file:
                return loads(file.read())
    return None
