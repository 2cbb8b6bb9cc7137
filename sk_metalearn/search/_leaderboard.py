"""All that a search knows the score of, best first."""

import warnings

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.dummy import DummyClassifier, DummyRegressor

from .._compat import (
    check_method_params,
    own_score_of,
    safe_indexing,
    scores_predictions,
    single_scorers,
)
from ..exceptions import import_optional
from ._settings_text import settings_text
from ._several_metrics import split_metrics

__all__ = ["leaderboard_frame", "leaderboard_rows", "name_of_score", "score_dummy"]

# The dummy has no price where there are not more.
_MOST_ROWS = 100_000


def leaderboard_rows(search):
    """Rank the candidates of a fitted search, its ensemble, and what they are compared with.

    Parameters
    ----------
    search : MetaSearchCV, AutoClassifier or AutoRegressor
        Fitted.

    Returns
    -------
    list of dict
        Keys ``rank``, ``score``, ``weight``, ``spread``, ``seconds``, ``predict_seconds``,
        ``family``, ``reason``, ``status``, ``row`` and ``settings``, and one for each metric that
        does not decide.
    """
    results, estimator = search.cv_results_, getattr(search, "estimator", None)
    metric = _metric_of(search)
    scores = np.array(results[f"mean_test_{metric}"], dtype=float)
    guessed = np.isnan(scores)
    # Only of the metric that guided the search there are estimates.
    scores[guessed] = results["estimate"][guessed]
    members, told = getattr(search, "ensemble_", {}), _further_of(search)
    rows = [
        {
            "score": float(scores[i]),
            **{name: float(results[f"mean_test_{name}"][i]) for name in told},
            "weight": members.get(i, 0),
            "spread": float(results[f"std_test_{metric}"][i]),
            "seconds": float(results["mean_fit_time"][i]),
            "predict_seconds": float(results["mean_score_time"][i]),
            "family": params.get("family", "") if estimator is None else "",
            "reason": str(results["reason"][i]),
            "status": str(results["status"][i]),
            "row": i,
            # Last, where pandas shows it however narrow the screen is.
            "settings": _settings_of(params, estimator, getattr(search, "_kind", None)),
        }
        for i, params in enumerate(results["params"])
    ]
    if len(members) > 1:
        settings = f"ensemble of {len(members)}"
        row = _other_row(search.best_score_, settings, "ensemble", seconds=search.refit_time_)
        rows.append({**row, **search._further})
    if np.isfinite(search.knowledge_report_.get("dummy", np.nan)):
        # What can be had without looking at X.
        rows.append(_other_row(search.knowledge_report_["dummy"], "dummy", "baseline"))
    rows.sort(key=lambda row: (-np.nan_to_num(row["score"], nan=-np.inf), row["status"] != "ok"))
    empty = dict.fromkeys(["rank", "score", *told], np.nan)
    return [{**empty, **row, "rank": number} for number, row in enumerate(rows, 1)]


def leaderboard_frame(search):
    """Give `leaderboard_rows` as a frame with the ranks as its index."""
    pandas = import_optional("pandas", "pandas", "leaderboard")
    frame = pandas.DataFrame(leaderboard_rows(search)).set_index("rank")
    return frame if hasattr(search, "ensemble_") else frame.drop(columns=["weight", "family"])


def _metric_of(search):
    """The metric that a search chose by, as in ``cv_results_``."""
    asked = getattr(search, "refit", True)
    asked = getattr(asked, "metric", asked)
    names = [name[10:] for name in search.cv_results_ if name.startswith("mean_test_")]
    return asked if asked in names else names[0]


def _further_of(search):
    """Names of the metrics that an Auto estimator is only told."""
    known = search.cv_results_
    further = split_metrics(search.scoring)[2] if hasattr(search, "ensemble_") else {}
    return [name for name in further if f"mean_test_{name}" in known]


def _settings_of(params, estimator, kind):
    """What differs from the defaults; a pipeline where nothing does is marked."""
    text = settings_text(params, estimator, kind)
    untouched = estimator is None and text == params["family"]
    return f"{text} (defaults)" if untouched else text


def _other_row(score, settings, reason, seconds=np.nan):
    return {
        "score": float(score),
        "weight": 0,
        "spread": np.nan,
        "seconds": seconds,
        "predict_seconds": np.nan,
        "family": reason,
        "reason": reason,
        "status": "ok",
        "row": -1,
        "settings": settings,
    }


def score_dummy(problem):
    """Give the score of a model that does not look at X, on the folds of a search.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    float
        NaN where a scorer of the user's own would have to be asked, or the dummy has no score.
    """
    scorer = single_scorers(problem.scorer)
    if isinstance(scorer, dict):
        scorer = scorer[problem.objective.name]
    known = problem.kind and _is_scikit_learns(scorer) and problem.n_rows <= _MOST_ROWS
    if not known:
        return np.nan
    classifies = problem.kind == "classification"
    dummy = DummyClassifier() if classifies else DummyRegressor()
    scores = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for train, test in problem.splits:
                model = dummy.fit(np.zeros((len(train), 1)), safe_indexing(problem.y, train))
                params = check_method_params(problem.X, params=problem.score_params, indices=test)
                y_test = safe_indexing(problem.y, test)
                scores.append(scorer(model, np.zeros((len(test), 1)), y_test, **params))
    except (AttributeError, TypeError, ValueError):
        return np.nan
    return float(np.mean(scores))


def name_of_score(estimator):
    """Name of the metric that an estimator's own ``score`` is; None for one of its own."""
    while hasattr(estimator, "steps"):
        estimator = estimator.steps[-1][1]
    usual = {ClassifierMixin.score: "accuracy", RegressorMixin.score: "r2"}
    return usual.get(getattr(type(estimator), "score", None))


def _is_scikit_learns(scorer):
    """Whether a scorer does what its name says, of which nothing but predictions is asked."""
    own = own_score_of(scorer)
    if own is not None:
        return name_of_score(own) is not None
    while type(scorer).__module__.startswith("sk_metalearn."):
        # Each wrapper of ours holds what it wraps.
        scorer = scorer.scorer
    return scores_predictions(scorer)
