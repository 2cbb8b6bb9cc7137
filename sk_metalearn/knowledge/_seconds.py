"""Seconds on a task of another size: how the families' times grow with rows and columns."""

import weakref

import numpy as np

from ._performance_model import family_model

__all__ = ["predict_seconds"]

# What the times are expected to grow with, before anything is seen: rows, columns, classes.
_USUAL = (1.0, 0.7, 0.3)
_GROWTH = {
    "svm": (1.8, 0.7, 0.5),
    "gaussian_process": (2.5, 0.3, 0.0),
    "kernel_ridge": (2.3, 0.3, 0.0),
    "k_neighbors": (1.3, 0.5, 0.1),
    "hist_gradient_boosting": (0.7, 0.7, 1.0),
}
_PRIOR = 10.0
# The protocol measures on two thirds of at most this many rows, after a quarter is laid aside.
_MOST_ROWS, _DEVELOPMENT, _TRAINING = 2000, 0.75, 2 / 3

_FITS = weakref.WeakKeyDictionary()


def predict_seconds(configurations, schema, table):
    """Predict the CPU seconds of one fit and its predictions on a task.

    Parameters
    ----------
    configurations : sequence of Configuration or None
    schema : Schema
        Of the task.
    table : PerformanceTable
        Of the task's kind.

    Returns
    -------
    ndarray of shape (n_configurations,)
        NaN where nothing is known.
    """
    predicted = np.full(len(configurations), np.nan)
    families = {}
    for i, own in enumerate(configurations):
        if own is not None:
            families.setdefault(own.family, []).append(i)
    sizes = _sizes(_TRAINING * schema.n_rows, schema.n_features, schema.n_classes)
    for name, members in families.items():
        # Times do not depend on the metric; any one gives the model.
        model = family_model(table, name, table.metrics[0]) if table.metrics else None
        if model is None:
            continue
        growth = _growth(table, name, model.level)
        if growth is None:
            continue
        level = growth[0] + growth[1:] @ sizes
        seen = np.isfinite(model.level)
        relative = model.predict_seconds([configurations[i] for i in members], schema.n_features)
        relative = np.log(relative[seen]) - model.level[seen, None]
        predicted[members] = np.exp(level + np.nanmedian(relative, axis=0))
    return predicted


def _sizes(n_rows, n_features, n_classes):
    return np.log(np.stack([n_rows, n_features, np.maximum(n_classes, 2)]).astype(float))


def _growth(table, name, level):
    """Intercept and exponents of a family's mean time, fitted robustly around the usual ones."""
    fits = _FITS.setdefault(table, {})
    if name not in fits:
        tasks = table.tasks
        rows = np.array([task.n_rows for task in tasks], dtype=float)
        rows = _TRAINING * np.minimum(_DEVELOPMENT * rows, _MOST_ROWS)
        columns = np.array([max(task.n_features, 1) for task in tasks])
        sizes = _sizes(rows, columns, np.array([task.n_classes for task in tasks])).T
        fits[name] = _robust(sizes, level, np.array(_GROWTH.get(name, _USUAL)))
    return fits[name]


def _robust(sizes, level, usual):
    seen = np.isfinite(level)
    if not seen.any():
        return None
    centre = sizes[seen].mean(axis=0)
    moved = sizes[seen] - centre
    weights = np.ones(seen.sum())
    for _ in range(10):
        total = weights.sum()
        mean = (weights * level[seen]).sum() / total
        shift = (weights[:, None] * moved).sum(axis=0) / total
        x, y = moved - shift, level[seen] - mean
        gram = (weights[:, None] * x).T @ x + _PRIOR * np.eye(3)
        slope = usual + np.linalg.solve(gram, (weights * (y - x @ usual)) @ x)
        error = y - x @ slope
        scale = 1.5 * max(1.4826 * np.median(np.abs(error)), 1e-3)
        weights = np.minimum(1.0, scale / np.maximum(np.abs(error), 1e-12))
    return np.append(mean - slope @ (shift + centre), slope)
