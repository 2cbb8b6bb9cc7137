"""Which candidate a search ends with."""

from dataclasses import dataclass

import numpy as np

from .._compat import select_best_index
from ..exceptions import FallbackWarning, warn_user

__all__ = ["OneStandardError", "best_index"]


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
        warn_user(
            "Every candidate exceeds the limits of prediction time or model size; the best of "
            "them is taken all the same.",
            FallbackWarning,
        )
        over[:] = False
    if rule is None:
        return int(np.where(over, np.iinfo(np.int32).max, results[f"rank_test_{metric}"]).argmin())
    return rule({**results, name: np.where(over, np.nan, scores)})
