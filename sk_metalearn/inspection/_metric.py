"""Which of its metrics a search chose by."""

from ..search import OneStandardError, name_of_score

__all__ = ["metric_label", "metric_of"]


def metric_of(search):
    """Give the name, as in ``cv_results_``, of the metric that a search chose its best by.

    Parameters
    ----------
    search : MetaSearchCV, AutoClassifier or AutoRegressor
        Fitted.

    Returns
    -------
    str
        Where a callable chose, or nothing, the first metric; it guided the search.
    """
    # In the Auto estimators the first metric decides.
    refit = getattr(search, "refit", True)
    asked = refit.metric if isinstance(refit, OneStandardError) else refit
    names = [name[10:] for name in search.cv_results_ if name.startswith("mean_test_")]
    return asked if asked in names else next(iter(names), "score")


def metric_label(search, metric):
    """Give the name of a metric of a search as its user knows it.

    Parameters
    ----------
    search : MetaSearchCV, AutoClassifier or AutoRegressor
        Fitted.
    metric : str
        As in ``cv_results_``; ``"score"`` where there is one alone.

    Returns
    -------
    str
    """
    if metric != "score":
        return metric
    scoring = search.scoring or _usual_metric(search)
    if scoring is None:
        return name_of_score(search.estimator) or metric
    if isinstance(scoring, list | tuple | dict):
        return next(iter(scoring))
    return scoring if isinstance(scoring, str) else getattr(scoring, "__name__", metric)


def _usual_metric(search):
    """The metric of an Auto estimator that was given none; None for another search."""
    several = getattr(getattr(search, "_target", None), "n_outputs", 1) > 1
    return getattr(search, "_several_scoring" if several else "_default_scoring", None)
