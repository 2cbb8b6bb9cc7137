"""The loss that boosting minimises where the metric is another than the squared error."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import (
    d2_absolute_error_score,
    d2_pinball_score,
    d2_tweedie_score,
    mean_absolute_error,
    mean_gamma_deviance,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_tweedie_deviance,
    median_absolute_error,
)

from ..spaces import unwrap

__all__ = ["loss_of", "set_loss"]

_ABSOLUTE = (mean_absolute_error, median_absolute_error, d2_absolute_error_score)
_PINBALL = (mean_pinball_loss, d2_pinball_score)
_TWEEDIE = (mean_tweedie_deviance, d2_tweedie_score)


def loss_of(scorer, y):
    """Give the settings of histogram gradient boosting that minimise what a metric measures.

    Parameters
    ----------
    scorer : callable
    y : array-like of shape (n_rows,)
        Numbers, or anything where the metric is none of numbers.

    Returns
    -------
    dict
        Empty for the squared error, and where the targets do not allow the loss.
    """
    while hasattr(scorer, "scorer"):
        scorer = scorer.scorer
    metric, known = getattr(scorer, "_score_func", None), getattr(scorer, "_kwargs", {})
    if metric in _ABSOLUTE:
        return {"loss": "absolute_error"}
    if metric in _PINBALL:
        return {"loss": "quantile", "quantile": known.get("alpha", 0.5)}
    power = {mean_poisson_deviance: 1, mean_gamma_deviance: 2}.get(metric)
    if metric in _TWEEDIE:
        power = known.get("power", 0)
    if power is None or not 1 <= power <= 2:
        return {}
    least = np.min(np.asarray(y, dtype=float))
    if power == 2:
        return {"loss": "gamma"} if least > 0 else {}
    return {"loss": "poisson"} if least >= 0 else {}


def set_loss(pipeline, settings):
    """Set a loss on the model of a pipeline, if that is histogram gradient boosting.

    Parameters
    ----------
    pipeline : Pipeline
        Changed.
    settings : dict
        Of `loss_of`.
    """
    parts = unwrap(pipeline)
    if not settings or not isinstance(parts.model, HistGradientBoostingRegressor):
        return
    if parts.target and settings["loss"] in ("poisson", "gamma"):
        # These are for numbers above 0, and not for what a transformation makes of them.
        return
    pipeline.set_params(**{parts.prefix + name: value for name, value in settings.items()})
