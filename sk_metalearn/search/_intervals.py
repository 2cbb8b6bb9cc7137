"""Intervals around predictions, from how far off the members were on rows they had not seen."""

import numpy as np

from ._ensemble import mix

__all__ = ["interval_offsets", "unseen_errors"]

_ROUNDING = 1e-9


def unseen_errors(evidence, weights, n_folds):
    """Give the errors of a mixture on the rows of the folds.

    Parameters
    ----------
    evidence : Evidence
        Of values.
    weights : dict of int to int
        Of the mixture, by row of the results.
    n_folds : int
        At most so many folds, the first ones, are used.

    Returns
    -------
    ndarray of shape (n_rows,) or None
        Target less prediction, in ascending order; None where the predictions were not kept.
    """
    if not evidence.mixable or not evidence.folds or not set(weights) <= set(evidence.folds):
        return None
    predictions, y, tests, _ = evidence.stacked(None)
    n_rows = sum(map(len, tests[:n_folds]))
    places = {row: i for i, row in enumerate(evidence.folds)}
    mixture = mix(predictions, {places[row]: weight for row, weight in weights.items()})
    return np.sort(np.asarray(y, dtype=float)[:n_rows] - mixture[:n_rows])


def interval_offsets(errors, coverage):
    """Give what is to be added to a prediction so that the interval holds a share of targets.

    Parameters
    ----------
    errors : ndarray of shape (n_rows,)
        In ascending order.
    coverage : float
        The share.

    Returns
    -------
    low, high : float

    Raises
    ------
    ValueError
        If there are too few errors for such a share.

    References
    ----------
    R. F. Barber, E. J. Candes, A. Ramdas and R. J. Tibshirani. Predictive inference with the
    jackknife+. Annals of Statistics 49, 2021.
    """
    n = len(errors)
    # Each end leaves out half of the rest; the order statistics allow for the row to come.
    beyond = int(np.floor((1 - coverage) / 2 * (n + 1) + _ROUNDING))
    if beyond < 1:
        least = int(np.ceil(2 / (1 - coverage) - _ROUNDING)) - 1
        raise ValueError(
            f"An interval for a share of {coverage:g} of the targets needs the errors of at least "
            f"{least} rows; there are {n}. Give a smaller coverage or fit on more rows."
        )
    return float(errors[beyond - 1]), float(errors[n - beyond])
