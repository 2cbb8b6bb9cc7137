"""Ensemble selection over the out-of-fold predictions of the candidates of a search."""

import time

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import Bunch

from .._compat import safe_indexing

__all__ = ["fit_voting", "select_members", "voting_estimator"]


class _Given:
    """Stands for an estimator whose predictions are known; X is the rows to predict."""

    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True


class _GivenClassifier(_Given, ClassifierMixin, BaseEstimator):
    def __init__(self, probabilities=None, classes=None):
        self.probabilities = probabilities
        self.classes = classes
        self.classes_ = classes

    def predict_proba(self, X):
        return self.probabilities[np.asarray(X).ravel()]

    def predict(self, X):
        return np.asarray(self.classes)[self.predict_proba(X).argmax(axis=1)]


class _GivenRegressor(_Given, RegressorMixin, BaseEstimator):
    def __init__(self, values=None):
        self.values = values

    def predict(self, X):
        return self.values[np.asarray(X).ravel()]


def select_members(
    predictions,
    y,
    scorer,
    tests,
    classes=None,
    score_params=None,
    n_rounds=30,
    pool_size=50,
    deadline=np.inf,
):
    """Choose members and weights of an ensemble by greedy forward selection with replacement.

    Parameters
    ----------
    predictions : list of ndarray of shape (n_rows, n_classes) or (n_rows,)
        Out-of-fold predictions of each candidate: probabilities in the order of `classes`, or
        values.
    y : ndarray of shape (n_rows,)
        Only rows in `tests` are used.
    scorer : callable
        ``scorer(estimator, X, y)``, higher is better.
    tests : list of ndarray of int
        Test rows of each fold; the score is the mean over folds, as in the search.
    classes : ndarray of shape (n_classes,), optional
        None for regression.
    score_params : dict of str to ndarray of shape (n_rows,), optional
        For the scorer, such as sample weights.
    n_rounds : int, default=30
        Rounds of selection; the best of them counts.
    pool_size : int, default=50
        Only the best so many candidates take part.
    deadline : float, optional
        ``time.monotonic()`` after which no further round is begun; a round that is not done
        does not count.

    Returns
    -------
    weights : dict of int to int
        How often each member was chosen, by index; a single member with weight 1 where no
        mixture is better than the best candidate; empty if there was no time for one round.
    score : float
        Score of the ensemble on the folds; at least that of the best candidate.

    References
    ----------
    R. Caruana, A. Niculescu-Mizil, G. Crew and A. Ksikes, "Ensemble selection from libraries of
    models", ICML 2004.
    """

    def score_of(prediction):
        given = (
            _GivenRegressor(prediction)
            if classes is None
            else _GivenClassifier(prediction, classes)
        )
        return float(np.mean([_score(scorer, given, y, rows, score_params) for rows in tests]))

    def scores_of(mixtures):
        scores = []
        for mixture in mixtures:
            if time.monotonic() > deadline:
                return None
            scores.append(score_of(mixture))
        return np.array(scores)

    singles = scores_of(predictions)
    if singles is None:
        return {}, -np.inf
    pool = np.argsort(-singles, kind="stable")[:pool_size]
    chosen = [int(pool[0])]
    total = predictions[chosen[0]].astype(float)
    best_score, best_members = singles[chosen[0]], list(chosen)
    for _ in range(n_rounds - 1):
        scores = scores_of((total + predictions[i]) / (len(chosen) + 1) for i in pool)
        if scores is None:
            break
        pick = int(pool[int(np.argmax(scores))])
        chosen.append(pick)
        total = total + predictions[pick]
        # A tie keeps the smaller ensemble.
        if scores.max() > best_score + 1e-12:
            best_score, best_members = scores.max(), list(chosen)
    members, counts = np.unique(best_members, return_counts=True)
    return dict(zip(members.tolist(), counts.tolist(), strict=True)), float(best_score)


def _score(scorer, given, y, rows, params):
    cut = {name: values[rows] for name, values in (params or {}).items()}
    return scorer(given, rows[:, None], safe_indexing(y, rows), **cut)


def voting_estimator(estimators, weights, kind):
    """Make the scikit-learn estimator of an ensemble.

    Parameters
    ----------
    estimators : list of (str, estimator)
        Unfitted members.
    weights : list of int
    kind : {"classification", "regression"}

    Returns
    -------
    estimator
        The member itself where there is one, else a `VotingClassifier` of probabilities or a
        `VotingRegressor`.
    """
    if len(estimators) == 1:
        return estimators[0][1]
    if kind == "classification":
        return VotingClassifier(estimators, voting="soft", weights=weights)
    return VotingRegressor(estimators, weights=weights)


def fit_voting(estimator, X, y, fit_params):
    """Fit a pipeline of the catalogue, or the members of an ensemble of several.

    A voting estimator of scikit-learn would not pass weights on to the last step of a pipeline.

    Parameters
    ----------
    estimator : estimator
        Of `voting_estimator`.
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
    fit_params : dict
        For the `fit` of a pipeline.

    Returns
    -------
    estimator
        The same, fitted.
    """
    if not isinstance(estimator, VotingClassifier | VotingRegressor):
        return estimator.fit(X, y, **fit_params)
    if isinstance(estimator, VotingClassifier):
        estimator.le_ = LabelEncoder().fit(y)
        estimator.classes_ = estimator.le_.classes_
        y = estimator.le_.transform(y)
    fitted = [clone(member).fit(X, y, **fit_params) for _, member in estimator.estimators]
    estimator.estimators_ = fitted
    names = [name for name, _ in estimator.estimators]
    estimator.named_estimators_ = Bunch(**dict(zip(names, fitted, strict=True)))
    if hasattr(fitted[0], "feature_names_in_"):
        estimator.feature_names_in_ = fitted[0].feature_names_in_
    return estimator
