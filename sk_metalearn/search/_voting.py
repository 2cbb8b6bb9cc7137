"""The ensemble as one estimator of scikit-learn."""

import warnings

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import Bunch

__all__ = ["fit_voting", "fitted_voting", "voting_estimator"]


def voting_estimator(estimators, weights, kind):
    """Make the scikit-learn estimator of an ensemble.

    Parameters
    ----------
    estimators : list of (str, estimator)
        Unfitted members.
    weights : list of int or None
    kind : {"classification", "regression"}

    Returns
    -------
    VotingClassifier or VotingRegressor
        Of probabilities, or values.
    """
    # As skl2onnx wants them.
    weights = None if weights is None else np.asarray(weights)
    if kind == "classification":
        return VotingClassifier(estimators, voting="soft", weights=weights, flatten_transform=False)
    return VotingRegressor(estimators, weights=weights)


def fit_voting(estimator, X, y, fit_params):
    """Fit a pipeline of the catalogue, or the members of an ensemble of several.

    A voting estimator of scikit-learn would not pass weights on to the last step of a pipeline.

    Parameters
    ----------
    estimator : estimator
        A pipeline, or of `voting_estimator`.
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
        with warnings.catch_warnings():
            # The search has told it of the candidates.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return estimator.fit(X, y, **fit_params)
    names = [name for name, _ in estimator.estimators]
    fitted = [fit_voting(clone(own), X, y, fit_params) for _, own in estimator.estimators]
    return _fill(estimator, names, fitted)


def fitted_voting(members, weights=None):
    """Make a fitted ensemble of estimators that are fitted already.

    A clone of it is not fitted; its `fit` fits each member once, on all rows that it is given.

    Parameters
    ----------
    members : list of (str, estimator, list of estimator)
        Name, the unfitted estimator, and the models that predict in its place, fitted on folds;
        classifiers of one kind of classes all know the same ones.
    weights : list of int or None, default=None

    Returns
    -------
    VotingClassifier or VotingRegressor
    """
    names = [name for name, _, _ in members]
    kind = "classification" if is_classifier(members[0][2][0]) else "regression"
    whole = voting_estimator([(name, own) for name, own, _ in members], weights, kind)
    fitted = [models[0] if len(models) == 1 else _mean(models, kind) for _, _, models in members]
    return _fill(whole, names, fitted)


def _mean(models, kind):
    names = [f"fold_{i}" for i in range(len(models))]
    return _fill(voting_estimator(list(zip(names, models, strict=True)), None, kind), names, models)


def _fill(voting, names, fitted):
    """Give a voting estimator what its `fit` would have learned."""
    if isinstance(voting, VotingClassifier):
        voting.le_ = LabelEncoder().fit(fitted[0].classes_)
        voting.classes_ = voting.le_.classes_
    voting.estimators_ = fitted
    voting.named_estimators_ = Bunch(**dict(zip(names, fitted, strict=True)))
    if hasattr(fitted[0], "feature_names_in_"):
        voting.feature_names_in_ = fitted[0].feature_names_in_
    return voting
