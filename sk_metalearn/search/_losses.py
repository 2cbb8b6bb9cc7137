"""The loss that boosting minimises where the metric asks for a quantile."""

from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import d2_pinball_score, mean_pinball_loss

from ..spaces import is_fitted_by_output, unwrap

__all__ = ["loss_of", "set_loss"]


def loss_of(scorer):
    """Give the settings of histogram gradient boosting that minimise what a metric measures.

    The absolute error and the deviances of Poisson, gamma and Tweedie are left to the squared
    error, with which searches did as well.

    Parameters
    ----------
    scorer : callable

    Returns
    -------
    dict
        Empty but for the pinball loss of a quantile.
    """
    while hasattr(scorer, "scorer"):
        scorer = scorer.scorer
    if getattr(scorer, "_score_func", None) not in (mean_pinball_loss, d2_pinball_score):
        return {}
    return {"loss": "quantile", "quantile": scorer._kwargs.get("alpha", 0.5)}


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
    model, prefix = parts.model, parts.prefix
    if is_fitted_by_output(model):
        model, prefix = model.estimator, f"{prefix}estimator__"
    if settings and isinstance(model, HistGradientBoostingRegressor):
        pipeline.set_params(**{prefix + name: value for name, value in settings.items()})
