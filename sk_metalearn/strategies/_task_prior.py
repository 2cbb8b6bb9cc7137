"""What meta-features say about a task before its first evaluation."""

import numpy as np
from scipy.special import ndtri

from ._likeness import MIN_TASKS

__all__ = ["task_prior"]

# Inverse lengths, and variances of what meta-features leave unexplained, to choose from.
_SHARPNESS = (1.0, 2.0, 4.0)
_NOISES = (0.3, 1.0, 3.0, 10.0)
_LINEAR = 0.1


def task_prior(matrix, past, own, shrinkage=5.0):
    """Mean and covariance of the normal scores of the candidates on the task at hand.

    A Gaussian process over the meta-features, the same for all candidates, gives the mean; the
    covariance is that of its errors on past tasks left out, shrunk towards the diagonal. How far
    meta-features are trusted is what predicts the past tasks left out best; if nothing predicts
    them better than their common mean, or there are few tasks, the prior is that of all tasks.

    Parameters
    ----------
    matrix : PastMatrix
    past : PastPerformance
        Where its meta-features are.
    own : mapping of str to float or None
        Meta-features of the task at hand.
    shrinkage : float, default=5.0
        The weight of the diagonal is this number divided by the number of tasks.

    Returns
    -------
    mean : ndarray of shape (n_candidates,)
    covariance : ndarray of shape (n_candidates, n_candidates)
    """
    places = _places(matrix, past, own)
    if places is None:
        return matrix.moments(shrinkage)
    tasks, here = places
    centre = matrix.normal.mean(axis=0)
    values = matrix.normal - centre
    n = len(values)
    # The error at a task left out of a plain mean.
    best = ((values * n / (n - 1)) ** 2).sum(), None, None, None
    squares = _squares(tasks, tasks)
    for sharpness in _SHARPNESS:
        kernel = np.exp(-sharpness * np.sqrt(squares)) + _LINEAR * tasks @ tasks.T
        spectrum, vectors = np.linalg.eigh(kernel)
        turned = vectors.T @ values
        for noise in _NOISES:
            inverse = 1.0 / (np.maximum(spectrum, 0.0) + noise)
            weights = vectors @ (inverse[:, None] * turned)
            errors = weights / ((vectors**2) @ inverse)[:, None]
            loss = (errors**2).sum()
            if loss < best[0]:
                best = loss, sharpness, weights, errors
    _, sharpness, weights, errors = best
    if weights is None:
        return matrix.moments(shrinkage)
    cross = np.exp(-sharpness * np.sqrt(_squares(here, tasks))) + _LINEAR * here @ tasks.T
    _, covariance = matrix.moments(shrinkage, errors=errors)
    return centre + (cross @ weights)[0], covariance


def _squares(a, b):
    return np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1) - 2.0 * a @ b.T, 0.0)


def _places(matrix, past, own):
    """Places of the past tasks and of the task at hand: normal scores of the meta-features."""
    if past.metafeatures is None or not past.metafeature_names or not own:
        return None
    table = np.asarray(past.metafeatures, dtype=float)[matrix.rows]
    if len(table) < MIN_TASKS:
        return None
    here = np.array([own.get(name, np.nan) for name in past.metafeature_names], dtype=float)
    columns = []
    for values, value in zip(table.T, here, strict=True):
        there = np.isfinite(values)
        if not np.isfinite(value) or there.sum() < 3 or np.ptp(values[there]) == 0:
            continue
        column = np.zeros(len(values) + 1)  # an undefined one stands in the middle
        ordered = np.sort(values[there])
        points = np.append(values[there], value)
        ranks = np.searchsorted(ordered, points, "left") + np.searchsorted(ordered, points, "right")
        n = len(ordered)
        scores = ndtri(np.clip(ranks / (2 * n), 0.5 / n, 1 - 0.5 / n))
        column[np.append(np.flatnonzero(there), len(values))] = scores
        columns.append(column)
    if not columns:
        return None
    places = np.column_stack(columns) / np.sqrt(len(columns))
    return places[:-1], places[-1:]
