"""How like the task at hand past tasks are, by meta-features."""

import numpy as np

from ._past import PastMatrix

__all__ = ["MIN_TASKS", "metafeature_table", "profile_embedding", "similar_tasks", "task_weights"]

# Fewer past tasks do not tell what meta-features are worth.
MIN_TASKS = 20


def similar_tasks(past, own):
    """Give the past tasks that count most in a search, the heaviest first.

    Parameters
    ----------
    past : PastPerformance
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
    own : mapping of str to float or None
    rows : ndarray of shape (n_tasks,), dtype int
        Past tasks wanted.

    Returns
    -------
    table : ndarray of shape (n_tasks, n_metafeatures)
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
