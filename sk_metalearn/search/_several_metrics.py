"""Several metrics: the first one decides, the others are told beside it."""

import numpy as np

from .._compat import accepts_sample_weight

__all__ = ["FurtherMetric", "MetricsScorer", "has_own_metric", "split_metrics"]

_DECIDING = "score"


def split_metrics(scoring):
    """Split what was given as `scoring` into what decides and what is told beside it.

    Parameters
    ----------
    scoring : str, callable, list or tuple of str, dict of str to (str or callable), or None

    Returns
    -------
    deciding : str, callable or None
    name : str
        Under which it is told, too; empty where it stands alone.
    further : dict of str to (str or callable)
        The others by their names.

    Raises
    ------
    ValueError
        If several are given in a form without names, or none.

    Examples
    --------
    >>> from sk_metalearn.search._several_metrics import split_metrics
    >>> split_metrics(["roc_auc", "f1"])
    ('roc_auc', 'roc_auc', {'f1': 'f1'})
    """
    if isinstance(scoring, list | tuple):
        if not all(isinstance(own, str) for own in scoring):
            raise ValueError(
                f"A list as scoring holds names of metrics; got {scoring!r}. Give a dict of names "
                "to scorers, such as {'cost': make_scorer(cost), 'auc': 'roc_auc'}."
            )
        scoring = {own: own for own in scoring}
    if not isinstance(scoring, dict):
        return scoring, "", {}
    if not scoring or _DECIDING in scoring:
        raise ValueError(
            "scoring needs one metric or more, none of them named 'score', which is what the "
            f"deciding one is called in cv_results_; got {scoring!r}."
        )
    (name, deciding), *further = scoring.items()
    return deciding, name, dict(further)


def has_own_metric(scoring):
    """Tell whether one of the metrics is a function of the user's."""
    own = scoring.values() if isinstance(scoring, dict) else [scoring]
    return any(map(callable, own))


class FurtherMetric:
    """A scorer that may fail where the deciding one does not.

    Parameters
    ----------
    scorer : callable
        Of the user's metric; tells whether weights are taken.
    judge : callable, default=None
        What is called in its place.
    """

    def __init__(self, scorer, judge=None):
        self.scorer = scorer
        self.judge = scorer if judge is None else judge

    def params_of(self, params):
        """Give what it takes of what the deciding scorer is given."""
        weight = params.get("sample_weight")
        return {"sample_weight": weight} if accepts_sample_weight(self.scorer, weight) else {}

    def __call__(self, estimator, X, y, **params):
        try:
            return float(self.judge(estimator, X, y, **self.params_of(params)))
        except Exception:
            return np.nan


class MetricsScorer:
    """Gives the deciding score and, by their names, those that can be had of the others.

    Parameters
    ----------
    scorer : callable
        Decides.
    name : str
        Of its metric.
    further : dict of str to FurtherMetric
    """

    def __init__(self, scorer, name, further):
        self.scorer, self.name, self.further = scorer, name, further

    def __call__(self, estimator, X, y, **params):
        score = self.scorer(estimator, X, y, **params)
        others = {name: own(estimator, X, y, **params) for name, own in self.further.items()}
        # One that cannot be had is no fault of the candidate.
        known = {name: own for name, own in others.items() if np.isfinite(own)}
        return {_DECIDING: score, self.name: score, **known}
