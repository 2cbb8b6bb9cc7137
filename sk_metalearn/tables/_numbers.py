"""A target of numbers, and metrics that take predictions above 0 only."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.preprocessing import FunctionTransformer

from .._compat import needs_positive

__all__ = ["FlooredScorer", "Numbers"]

#: The least prediction where a target is 0, as a part of the least one above 0.
_FLOOR = 0.01


@dataclass(frozen=True)
class Numbers:
    """A target of numbers.

    Parameters
    ----------
    floor : float or None, default=None
        The least that a model may predict.
    """

    floor: float | None = None
    n_outputs = 1

    @classmethod
    def of(cls, y, scorer):
        """Read a target.

        Parameters
        ----------
        y : array-like of shape (n_rows,)
        scorer : callable

        Returns
        -------
        Numbers
            With a floor where no value is below 0, as of counts, and the metric is not defined for
            predictions of 0 or less, such as Poisson's deviance: the least target, or a small part
            of the least above 0.
        """
        values = np.asarray(y)
        if not needs_positive(scorer) or values.min() < 0 or not values.max() > 0:
            return cls()
        least = float(values[values > 0].min())
        return cls(least if values.min() > 0 else _FLOOR * least)

    def encode(self, y):
        """Give a target as models meet it: as it is."""
        return y

    def judge(self, scorer):
        """Give a scorer of models that may predict too little.

        Parameters
        ----------
        scorer : callable

        Returns
        -------
        callable
            The scorer itself where there is no floor.
        """
        return scorer if self.floor is None else FlooredScorer(scorer, self.floor)

    def judge_final(self, scorer):
        """Give a scorer of the final model: itself."""
        return scorer

    def plain(self, predicted):
        """Give predictions as an array of shape (n_rows,)."""
        return np.ravel(predicted)

    def speak(self, model):
        """Give a fitted model that predicts no less than the floor.

        Parameters
        ----------
        model : estimator
            Fitted.

        Returns
        -------
        estimator
            The model itself, or a `TransformedTargetRegressor` of it.
        """
        if self.floor is None:
            return model
        bounds = {"a_min": self.floor, "a_max": None}
        clip = FunctionTransformer(inverse_func=np.clip, inv_kw_args=bounds, check_inverse=False)
        whole = TransformedTargetRegressor(model, transformer=clip, check_inverse=False)
        whole.regressor_, whole.transformer_ = model, clip.fit(np.ones((1, 1)))
        whole._training_dim = 1
        if hasattr(model, "feature_names_in_"):
            whole.feature_names_in_ = model.feature_names_in_
        return whole


class FlooredScorer:
    """Scores a model whose predictions below a floor count as the floor.

    Parameters
    ----------
    scorer : callable
    floor : float
    """

    def __init__(self, scorer, floor):
        self.scorer, self.floor = scorer, floor

    def __call__(self, estimator, X, y, **params):
        return self.scorer(_Floored(estimator, self.floor), X, y, **params)


class _Floored(RegressorMixin, BaseEstimator):
    """A fitted model that predicts no less than a floor."""

    def __init__(self, model, floor):
        self.model = model
        self.floor = floor

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.maximum(np.ravel(self.model.predict(X)), self.floor)
