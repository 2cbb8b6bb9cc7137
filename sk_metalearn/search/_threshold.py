"""The probability from which on a classifier of two classes predicts the second."""

import numpy as np
from sklearn.metrics import get_scorer
from sklearn.model_selection import FixedThresholdClassifier

from .._compat import ranks_classes, scores_predictions
from ._ensemble import mix, score_mixtures

__all__ = [
    "ThresholdScorer",
    "check_threshold",
    "label_scorer",
    "members_scorer",
    "predict_from",
    "shifted",
    "threshold_of",
    "tune_threshold",
]

# At most so many thresholds are compared, for the final model and on a fold.
_MOST, _MOST_ON_A_FOLD = 200, 30
_HALF = 0.5
# Scores that differ by less, relative to their size, are equal.
_ROUNDING = 1e-9


def check_threshold(classes, scorer, scoring):
    """Refuse to tune a threshold that would change nothing, or that there is none of.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
    scorer : callable
    scoring : str, callable or None
        As the user named the metric.

    Raises
    ------
    ValueError
        Unless there are two classes and a metric of labels that looks at predictions only.
    """
    if len(classes) != 2:
        raise ValueError(
            f"threshold='tune' is for two classes; y holds {len(classes)}. Leave threshold=None."
        )
    if ranks_classes(scorer) or not scores_predictions(scorer):
        raise ValueError(
            f"threshold='tune' needs a metric of predicted classes, such as "
            f"scoring='balanced_accuracy', or one that sklearn.metrics.make_scorer made of a "
            f"function of the true and the predicted classes. Got scoring={scoring!r}, which no "
            "threshold changes, or which looks at more than predictions."
        )


class ThresholdScorer:
    """Scores a classifier of two classes at its best threshold for the rows.

    Candidates are compared by what a threshold can make of them; the score of a fold is a little
    too good, for all of them alike.

    Parameters
    ----------
    scorer : callable
        Of predicted classes.
    """

    def __init__(self, scorer):
        self.scorer = scorer

    def __call__(self, estimator, X, y, **params):
        if len(estimator.classes_) != 2:
            return self.scorer(estimator, X, y, **params)
        mixture = estimator.predict_proba(X)
        rows = [np.arange(len(mixture))]
        given = mixture, y, self.scorer, rows, np.asarray(estimator.classes_), params
        return tune_threshold(*given, most=_MOST_ON_A_FOLD)[1]


def label_scorer(scorer):
    """Give the scorer of predicted classes of which a `ThresholdScorer` takes the best.

    Parameters
    ----------
    scorer : callable
        Of a problem.

    Returns
    -------
    callable
        The scorer itself where no threshold is tuned.
    """
    own = scorer
    while hasattr(own, "scorer"):
        if isinstance(own, ThresholdScorer):
            return own.scorer
        own = own.scorer
    return scorer


def members_scorer(scorer, score_params):
    """Give the scorer by which members are chosen, and what it takes.

    Parameters
    ----------
    scorer : callable
        Of a problem.
    score_params : dict

    Returns
    -------
    scorer : callable
        The log likelihood where a threshold is tuned afterwards, as that needs sound
        probabilities.
    score_params : dict
    """
    if label_scorer(scorer) is scorer:
        return scorer, score_params
    weights = {name: own for name, own in score_params.items() if name == "sample_weight"}
    return get_scorer("neg_log_loss"), weights


def shifted(probabilities, threshold):
    """Move probabilities so that the likelier class is the one that a threshold predicts.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, 2)
    threshold : float
        Of the second class, between 0 and 1.

    Returns
    -------
    ndarray of shape (n_rows, 2)
    """
    odds = probabilities * [threshold, 1 - threshold]
    return odds / np.maximum(odds.sum(axis=1, keepdims=True), np.finfo(float).tiny)


def tune_threshold(
    mixture, y, scorer, tests, classes, score_params=None, deadline=np.inf, most=_MOST
):
    """Find the threshold with the best mean score over the folds.

    Parameters
    ----------
    mixture : ndarray of shape (n_rows, 2)
        Out-of-fold probabilities.
    y : ndarray of shape (n_rows,)
    scorer : callable
        Of predicted classes, or a `ThresholdScorer` of it.
    tests : list of ndarray of int
        Test rows of each fold; other rows do not count.
    classes : ndarray of shape (2,)
    score_params : dict of str to ndarray of shape (n_rows,), optional
        For the scorer.
    deadline : float, optional
        ``time.monotonic()`` after which none is tried.
    most : int, default=200
        At most so many thresholds are compared.

    Returns
    -------
    threshold : float
        Of those that score best the nearest to one half; that itself where there is no time.
    score : float
        NaN where there is no time.
    """
    found = np.unique(mixture[np.concatenate(tests), 1])
    # Below the first and above the last all rows are of one class.
    found = np.concatenate([[0.0], found, [1.0]])
    between = (found[1:] + found[:-1]) / 2
    if len(between) > most:
        between = np.quantile(between, np.linspace(0, 1, most), method="nearest")
    candidates = np.unique([_HALF, *between[(between > 0) & (between < 1)]])
    candidates = candidates[np.argsort(np.abs(candidates - _HALF), kind="stable")]
    mixtures = np.stack([shifted(mixture, own) for own in candidates])
    judge = label_scorer(scorer)
    scores = score_mixtures(mixtures, y, judge, tests, classes, score_params, deadline)
    if scores is None:
        return _HALF, np.nan
    top = scores.max()
    best = int(np.argmax(scores >= top - _ROUNDING * abs(top)))
    return float(candidates[best]), float(scores[best])


def threshold_of(evidence, weights, problem, deadline):
    """Find the threshold of a mixture by what its members predicted for rows of the folds.

    Parameters
    ----------
    evidence : Evidence
        Of probabilities.
    weights : dict of int to int
        Of the mixture, by row of the results.
    problem : Problem
    deadline : float

    Returns
    -------
    threshold, score : float
        One half and NaN where the predictions were not kept.
    """
    own = [result for row in weights for result in evidence.folds.get(row, [])]
    if not own or any(np.ndim(result.predictions) != 2 for result in own):
        return _HALF, np.nan
    classes = np.unique(problem.whole[1])
    predictions, y, tests, params = evidence.stacked(classes)
    members = dict(zip(evidence.folds, predictions, strict=True))
    given = y, problem.scorer, tests, classes, params, deadline
    return tune_threshold(mix(members, weights), *given)


def predict_from(model, threshold):
    """Give a fitted classifier that predicts from a threshold on.

    Parameters
    ----------
    model : classifier
        Fitted, of two classes.
    threshold : float or None
        None: the model itself.

    Returns
    -------
    classifier
        A `sklearn.model_selection.FixedThresholdClassifier`; a clone of it fits a clone of the
        model.
    """
    if threshold is None:
        return model
    final = FixedThresholdClassifier(
        model,
        # Of two classes that are equally likely the first is predicted, as by the model itself.
        threshold=float(np.nextafter(0.5, 1)) if threshold == _HALF else threshold,
        pos_label=model.classes_[1],
        response_method="predict_proba",
    )
    final.estimator_ = model
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(model, name):
            setattr(final, name, getattr(model, name))
    return final
