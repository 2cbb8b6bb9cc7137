"""Probabilities of classifiers that give decision values only."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from .._compat import safe_indexing

__all__ = ["MarginScorer", "calibrate", "lacks_probabilities", "unseen_probabilities"]


def lacks_probabilities(model):
    """Whether a classifier gives decision values, and no probabilities.

    Parameters
    ----------
    model : estimator

    Returns
    -------
    bool
    """
    return hasattr(model, "decision_function") and not hasattr(model, "predict_proba")


def calibrate(model, X, y):
    """Give a fitted classifier probabilities, by sigmoids learned on rows that it has not seen.

    Parameters
    ----------
    model : estimator
        Fitted.
    X : array-like of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
        Holds every class that the model knows. Rows of others teach nothing.

    Returns
    -------
    CalibratedClassifierCV

    References
    ----------
    J. Platt. Probabilistic outputs for support vector machines and comparisons to regularized
    likelihood methods. 1999.
    """
    known = np.flatnonzero(np.isin(y, model.classes_))
    X, y = safe_indexing(X, known), safe_indexing(y, known)
    rows = np.arange(len(known))
    calibrated = CalibratedClassifierCV(FrozenEstimator(model), cv=[(rows, rows)], ensemble=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        calibrated.fit(X, y)
    # Frozen models go neither to ONNX nor into a clone that is to learn anew.
    for own in calibrated.calibrated_classifiers_:
        own.estimator = model
    return calibrated.set_params(estimator=model, cv=None)


def unseen_probabilities(model, X, y):
    """Give the probabilities of rows by maps that were learned on other rows.

    Each half of the rows has the map of the other half.

    Parameters
    ----------
    model : estimator
        Fitted on other rows.
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        In the order of ``model.classes_``.

    Raises
    ------
    ValueError
        If a half lacks a class.
    """
    values, y = np.asarray(model.decision_function(X)), np.asarray(y)
    given = _Given(values, model.classes_)
    order = np.argsort(y, kind="stable")
    probabilities = np.empty((len(y), len(model.classes_)))
    for mine, other in ((order[::2], order[1::2]), (order[1::2], order[::2])):
        if len(np.unique(y[other])) < len(model.classes_):
            raise ValueError(
                "The decision values cannot be mapped to probabilities: every class needs two "
                "test rows in each fold."
            )
        fitted = calibrate(given, other[:, None], y[other])
        probabilities[mine] = fitted.predict_proba(mine[:, None])
    return probabilities


class _Given(ClassifierMixin, BaseEstimator):
    """A classifier whose decision values are known; X holds the numbers of rows."""

    def __init__(self, values, classes):
        self.values = values
        self.classes = classes
        self.classes_ = classes

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X, y=None):
        return self

    def decision_function(self, X):
        return self.values[np.asarray(X).ravel()]

    def predict(self, X):
        values = self.decision_function(X)
        places = (values > 0).astype(int) if values.ndim == 1 else values.argmax(axis=1)
        return np.asarray(self.classes)[places]


class _WithProbabilities(ClassifierMixin, BaseEstimator):
    """A fitted classifier together with the probabilities of the rows that it is scored on."""

    def __init__(self, model, y):
        self.model = model
        self.y = y
        self.classes_ = model.classes_

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X, y=None):
        return self

    def predict(self, X):
        return self.model.predict(X)

    def predict_proba(self, X):
        return unseen_probabilities(self.model, X, self.y)


class MarginScorer:
    """Scores classifiers without probabilities under a metric that needs them.

    Parameters
    ----------
    scorer : callable
    """

    def __init__(self, scorer):
        self.scorer = scorer

    def __call__(self, estimator, X, y, **params):
        if lacks_probabilities(estimator):
            estimator = _WithProbabilities(estimator, y)
        return self.scorer(estimator, X, y, **params)
