"""Seconds on a task of another size: how the families' times grow with rows and columns."""

import weakref

import numpy as np
from scipy.optimize import least_squares

from ._performance_model import family_model

__all__ = ["predict_seconds"]

# Exponents of rows, columns and classes that the times of large tasks are expected to have.
_USUAL = (1.0, 1.0, 0.3)
_EXPONENTS = {
    "adaboost": (1.1, 0.8, 0.2),
    "decision_tree": (1.1, 0.8, 0.2),
    "dummy": (0.5, 0.3, 0.0),
    "extra_trees": (1.1, 0.5, 0.2),
    "gaussian_process": (2.7, 0.3, 0.0),
    "hist_gradient_boosting": (0.8, 0.8, 1.0),
    "k_neighbors": (1.6, 0.7, 0.1),
    "kernel_ridge": (2.5, 0.3, 0.0),
    "logistic_regression": (1.0, 1.0, 0.7),
    "mlp": (1.0, 0.5, 0.2),
    "random_forest": (1.1, 0.5, 0.2),
    "svm": (1.9, 0.7, 0.5),
}
# How far the exponents and the times stray from these, in logarithms.
_STRAY, _ERROR = 0.15, 0.4
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
        level = _level(growth, sizes)
        seen = np.isfinite(model.level)
        places = model.place([configurations[i] for i in members], schema.n_features)
        relative = np.log(model.predict_seconds(places)[seen]) - model.level[seen, None]
        predicted[members] = np.exp(level + np.nanmedian(relative, axis=0))
    return predicted


def _sizes(n_rows, n_features, n_classes):
    return np.log(np.stack([n_rows, n_features, np.maximum(n_classes, 2)]).astype(float))


def _level(growth, sizes):
    """Logarithm of a constant time plus one that grows with the size."""
    return np.logaddexp(growth[0], growth[1] + sizes @ growth[2:])


def _growth(table, name, level):
    """Constant, rate and exponents of a family's mean time, fitted once, robustly."""
    fits = _FITS.setdefault(table, {})
    if name not in fits:
        tasks = table.tasks
        rows = np.array([task.n_rows for task in tasks], dtype=float)
        rows = _TRAINING * np.minimum(_DEVELOPMENT * rows, _MOST_ROWS)
        columns = np.array([max(task.n_features, 1) for task in tasks])
        sizes = _sizes(rows, columns, np.array([task.n_classes for task in tasks])).T
        seen = np.isfinite(level)
        usual = np.array(_EXPONENTS.get(name, _USUAL))
        fits[name] = _fit(sizes[seen], level[seen], usual) if seen.any() else None
    return fits[name]


def _fit(sizes, level, usual):
    rate = level - sizes @ usual
    start = np.concatenate([[level.min()], [np.median(rate)], usual])

    def away(growth):
        error = (_level(growth, sizes) - level) / _ERROR
        return np.concatenate([error, (growth[2:] - usual) / _STRAY, [(growth[0] + 7) / 3]])

    return least_squares(away, start, loss="soft_l1").x
