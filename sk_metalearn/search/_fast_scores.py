"""The usual metrics of many predictions at once, for choosing the members of an ensemble."""

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    brier_score_loss,
    log_loss,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)

__all__ = ["fast_score", "proper_score"]


def fast_score(scorer, n_classes):
    """Give the function that computes a scorer's metric for many predictions.

    Parameters
    ----------
    scorer : callable
    n_classes : int
        0 for regression.

    Returns
    -------
    callable or None
        ``function(y, P)`` with `y` the numbers of classes, or values, of n rows, and `P` of shape
        (m, n, n_classes) or (m, n): m scores, higher is better. None where only the scorer itself
        can say.
    """
    while hasattr(scorer, "scorer"):
        scorer = scorer.scorer
    function = getattr(scorer, "_score_func", None)
    if function is None or getattr(scorer, "_kwargs", None):
        return None
    known = _OF_VALUES if n_classes == 0 else _OF_CLASSES
    if n_classes == 2:
        known = {**known, roc_auc_score: (1, _area)}
    sign, own = known.get(function, (None, None))
    return own if sign == scorer._sign else None


def proper_score(y, P, n_classes):
    """Score predictions by log likelihood, or by the squared error of values.

    Parameters
    ----------
    y : ndarray of shape (n,)
    P : ndarray of shape (m, n, n_classes) or (m, n)
    n_classes : int
        0 for regression.

    Returns
    -------
    ndarray of shape (m,)
        Higher is better.
    """
    return _log_likelihood(y, P) if n_classes else _squared(y, P)


def _area(y, P):
    n_second = int(y.sum())
    n_first = len(y) - n_second
    if not n_first or not n_second:
        return np.full(len(P), np.nan)
    ranks = rankdata(P[:, :, 1], axis=1)
    least = n_second * (n_second + 1) / 2
    return (ranks[:, y == 1].sum(axis=1) - least) / (n_first * n_second)


def _log_likelihood(y, P):
    own = P[:, np.arange(len(y)), y] / P.sum(axis=2)
    return np.log(np.clip(own, np.finfo(P.dtype).eps, 1)).mean(axis=1)


def _accuracy(y, P):
    return (P.argmax(axis=2) == y).mean(axis=1)


def _balanced(y, P):
    right = P.argmax(axis=2) == y
    return np.mean([right[:, y == own].mean(axis=1) for own in np.unique(y)], axis=0)


def _brier(y, P):
    if P.shape[2] == 2:
        return -((P[:, :, 1] - y) ** 2).mean(axis=1)
    return -((P - np.eye(P.shape[2])[y]) ** 2).sum(axis=2).mean(axis=1)


def _squared(y, P):
    return -((P - y) ** 2).mean(axis=1)


def _root(y, P):
    return -np.sqrt(-_squared(y, P))


def _absolute(y, P):
    return -np.abs(P - y).mean(axis=1)


def _explained(y, P):
    return 1 + _squared(y, P) / np.var(y)


# What each metric is to a scorer of it: 1 where it is to be large, -1 where small.
_OF_CLASSES = {
    accuracy_score: (1, _accuracy),
    balanced_accuracy_score: (1, _balanced),
    log_loss: (-1, _log_likelihood),
    brier_score_loss: (-1, _brier),
}
_OF_VALUES = {
    r2_score: (1, _explained),
    mean_squared_error: (-1, _squared),
    root_mean_squared_error: (-1, _root),
    mean_absolute_error: (-1, _absolute),
}
