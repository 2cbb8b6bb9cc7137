"""Whether a metric fits a target."""

import warnings

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import get_scorer

__all__ = ["check_metric"]


def check_metric(scoring, y, kind):
    """Check that a metric can be computed on a target, before any model is fitted for it.

    Parameters
    ----------
    scoring : str
        Name of a scorer.
    y : ndarray of shape (n_rows,)
    kind : {"classification", "regression"}

    Raises
    ------
    ValueError
        If not even a constant prediction can be scored: a metric for two classes, and y has three.
    """
    dummy = DummyClassifier() if kind == "classification" else DummyRegressor()
    X = np.zeros((len(y), 1))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            get_scorer(scoring)(dummy.fit(X, y), X, y)
    except (ValueError, AttributeError) as error:
        raise ValueError(
            f"scoring={scoring!r} cannot be computed on this target: {str(error).rstrip('.')}. "
            "Give another metric, or None for the default."
        ) from error
