"""Which past tasks are like the one at hand, and what that says about the candidates."""

import numpy as np
from scipy.special import ndtri

from ._past_performance import PastMatrix
from ._process import SharedProcess, kernel_matrix

__all__ = [
    "MIN_TASKS",
    "metafeature_table",
    "profile_embedding",
    "rank_shares",
    "similar_tasks",
    "task_prior",
    "task_weights",
]

# Fewer past tasks do not tell what meta-features are worth.
MIN_TASKS = 20


def similar_tasks(past, own):
    """Return the past tasks that count most in a search, the heaviest first.

    Parameters
    ----------
    past : PastPerformance
        Its meta-features say how like the task at hand a past task is.
    own : mapping of str to float or None
        Meta-features of the task at hand.

    Returns
    -------
    rows : ndarray of shape (n_tasks_kept,), dtype int
        Of `past`.
    weights : ndarray of shape (n_tasks_kept,)
        Summing to 1.
    """
    matrix = PastMatrix(past)
    if not matrix.useful:
        return np.empty(0, dtype=int), np.empty(0)
    weights = task_weights(matrix, past, own)
    order = np.argsort(-weights, kind="stable")
    return matrix.rows[order], weights[order]


def task_weights(matrix, past, own, sharpness=1.0):
    """Weights of past tasks: a Gaussian kernel of the distance in the embedding of loss profiles.

    Parameters
    ----------
    matrix : PastMatrix
        The past tasks, cleaned.
    past : PastPerformance
        Where its meta-features are.
    own : mapping of str to float or None
        Meta-features of the task at hand.
    sharpness : float, default=1.0
        The weight is exp(-sharpness * d^2), where the mean of d^2 between past tasks is 1.

    Returns
    -------
    ndarray of shape (n_tasks_kept,)
        Summing to 1; all equal without meta-features or with few tasks.
    """
    table, own = metafeature_table(past, own, matrix.rows)
    weights = np.ones(len(table))
    if sharpness and own.any() and len(table) >= MIN_TASKS:
        embedding = profile_embedding(table, matrix.normal)
        distance = (((table - own) @ embedding) ** 2).sum(axis=1)
        weights = np.exp(-sharpness * (distance - distance.min()))
    return weights / weights.sum()


def metafeature_table(past, own, rows):
    """Standardised meta-features of past tasks and of the task at hand; unknown ones are 0.

    Parameters
    ----------
    past : PastPerformance
        Where the meta-features are.
    own : mapping of str to float or None
        Meta-features of the task at hand.
    rows : ndarray of shape (n_tasks,), dtype int
        Past tasks wanted.

    Returns
    -------
    table : ndarray of shape (n_tasks, n_metafeatures)
        Of the past tasks, in standard deviations, clipped to 3.
    own : ndarray of shape (n_metafeatures,)
        Both without columns if either side has no meta-features.
    """
    if past.metafeatures is None or not past.metafeature_names or not own:
        return np.zeros((len(rows), 0)), np.zeros(0)
    table = np.asarray(past.metafeatures, dtype=float)[rows]
    own = np.array([own.get(name, np.nan) for name in past.metafeature_names], dtype=float)
    table = np.where(np.isfinite(table), table, np.nan)
    known = np.isfinite(table)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, table, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, table - mean, 0.0) ** 2).sum(axis=0) / count)
    scale = np.where(spread > 0, spread, 1.0)
    table, own = (table - mean) / scale, (own - mean) / scale
    return tuple(np.clip(np.where(np.isfinite(x), x, 0.0), -3.0, 3.0) for x in (table, own))


def profile_embedding(table, normal, penalty=10.0):
    """Linear map of meta-features by which datasets with like loss profiles are near.

    Ridge regression predicts the standardised loss profile of a dataset. The map puts the
    prediction beside the meta-features themselves, which know datasets that are near in ways the
    profiles of a few hundred datasets cannot teach; either has half of the mean squared distance.

    Parameters
    ----------
    table : ndarray of shape (n_tasks, n_metafeatures)
        Standardised meta-features.
    normal : ndarray of shape (n_tasks, n_candidates)
        Normal scores.
    penalty : float, default=10.0
        Of the ridge regression.

    Returns
    -------
    ndarray of shape (n_metafeatures, n_components)
        Scaled so that the mean squared distance of two datasets is 1.
    """
    profiles = normal - normal.mean(axis=1, keepdims=True)
    profiles = profiles / np.maximum(np.linalg.norm(profiles, axis=1, keepdims=True), 1e-12)
    identity = np.eye(table.shape[1])
    target = table.T @ (profiles - profiles.mean(axis=0))
    left, strength, _ = np.linalg.svd(np.linalg.solve(table.T @ table + penalty * identity, target))
    n_components = len(strength)
    parts = []
    for part in (identity, left[:, :n_components] * strength):
        spread = np.sqrt(4.0 * (table @ part).var(axis=0).sum())
        parts.append(part / max(spread, 1e-12))
    return np.hstack(parts).astype(np.float32)


# Inverse lengths, and variances of what meta-features leave unexplained, to choose from.
_SHARPNESS = (1.0, 2.0, 4.0)
_NOISES = (0.3, 1.0, 3.0, 10.0)
_LINEAR = 0.1  # share of a linear trend in the kernel


def task_prior(matrix, past, own, shrinkage=5.0):
    """Mean and covariance of the normal scores of the candidates on the task at hand.

    A Gaussian process over the meta-features, the same for all candidates, gives the mean; the
    covariance is that of its errors on past tasks left out, shrunk towards the diagonal. How far
    meta-features are trusted is what predicts the past tasks left out best; if nothing predicts
    them better than their common mean, or there are few tasks, the prior is that of all tasks.

    Parameters
    ----------
    matrix : PastMatrix
        The past tasks, cleaned.
    past : PastPerformance
        Where its meta-features are.
    own : mapping of str to float or None
        Meta-features of the task at hand.
    shrinkage : float, default=5.0
        The weight of the diagonal is this number divided by the number of tasks.

    Returns
    -------
    mean : ndarray of shape (n_candidates,)
        Expected normal score of each candidate.
    covariance : ndarray of shape (n_candidates, n_candidates)
        Of the errors of that expectation.
    """
    places = _places(matrix, past, own)
    if places is None:
        return matrix.moments(shrinkage)
    tasks, here = places
    centre = matrix.normal.mean(axis=0)
    values = matrix.normal - centre
    n = len(values)
    kernels = (_kernel(tasks, tasks, sharpness) for sharpness in _SHARPNESS)
    best = SharedProcess.choose(kernels, _NOISES, values, "left_out")
    # No better than the errors at tasks left out of a plain mean.
    if best.loss >= ((values * n / (n - 1)) ** 2).sum():
        return matrix.moments(shrinkage)
    cross = _kernel(here, tasks, _SHARPNESS[best.place])
    _, covariance = matrix.moments(shrinkage, errors=best.errors)
    return centre + (cross @ best.weights)[0], covariance


def _kernel(first, second, sharpness):
    return kernel_matrix(first, second, 1.0 / sharpness, "exponential") + (
        _LINEAR * first @ second.T
    )


def _places(matrix, past, own):
    """Places of the past tasks and of the task at hand: normal scores of the meta-features."""
    table, here = rank_shares(past, own, matrix.rows)
    if len(table) < MIN_TASKS:
        return None
    shares = np.vstack([table, here])
    n = np.isfinite(table).sum(axis=0)
    least, most = np.nanmin(table, axis=0, initial=1.0), np.nanmax(table, axis=0, initial=0.0)
    telling = (n >= 3) & (most > least)
    if not telling.any():
        return None
    shares, n = shares[:, telling], n[telling]
    places = ndtri(np.clip(shares, 0.5 / n, 1 - 0.5 / n))
    # One that is undefined stands in the middle.
    places = np.where(np.isfinite(places), places, 0.0) / np.sqrt(len(n))
    return places[:-1], places[-1:]


def rank_shares(past, own, rows):
    """Replace each meta-feature by the share of the past tasks that have less, ties counted half.

    Parameters
    ----------
    past : PastPerformance
        Where its meta-features are.
    own : mapping of str to float or None
        Meta-features of the task at hand.
    rows : ndarray of shape (n_tasks,), dtype int
        Past tasks wanted.

    Returns
    -------
    table : ndarray of shape (n_tasks, n_metafeatures)
        NaN where undefined; only the meta-features defined for the task at hand and a past one,
        no column if there are none.
    own : ndarray of shape (n_metafeatures,)
        The same for the task at hand.
    """
    if past.metafeatures is None or not past.metafeature_names or not own:
        return np.zeros((len(rows), 0)), np.zeros(0)
    table = np.asarray(past.metafeatures, dtype=float)[rows]
    here = np.array([own.get(name, np.nan) for name in past.metafeature_names], dtype=float)
    columns = []
    for values, value in zip(table.T, here, strict=True):
        there = np.isfinite(values)
        if not np.isfinite(value) or not there.any():
            continue
        ordered, points = np.sort(values[there]), np.append(values[there], value)
        ranks = np.searchsorted(ordered, points, "left") + np.searchsorted(ordered, points, "right")
        column = np.full(len(values) + 1, np.nan)
        column[np.append(there, True)] = ranks / (2 * len(ordered))
        columns.append(column)
    if not columns:
        return np.zeros((len(rows), 0)), np.zeros(0)
    shares = np.column_stack(columns)
    return shares[:-1], shares[-1]
