"""Configurations of one family as points of a Euclidean space, for models of performance."""

import math

import numpy as np

from ..spaces import PREPROCESSING, Categorical

__all__ = ["depends_on_columns", "place_points"]

# Beyond the ends of its range a value is placed outside [0, 1], but not further than this.
_MARGIN = 0.3
_STEP = "preprocessing__"


def depends_on_columns(family):
    """Tell whether the places of a family's points depend on the number of columns."""
    return "gamma" in family.parameters


def place_points(family, configurations, n_features=20, variance=1.0):
    """Place configurations so that near ones can be expected to perform alike.

    A number stands at its place on its own scale, also where it is called by a name: no limit at
    the upper end. The width of a kernel stands relative to the squared distances between rows,
    so that the same place means the same on tasks of 5 and of 500 columns and ``"scale"`` is
    one of the places. Amounts among choices (shares of features, layers of a network) are numbers
    too. A choice without order has a column per value, a rate of learning and a number of steps
    have one for their product; a parameter that does not apply stands in the middle.

    Parameters
    ----------
    family : Family
    configurations : sequence of Configuration
    n_features : int, default=20
        Columns of the task, which some values refer to.
    variance : float, default=1.0
        Mean variance of the task's columns before any scaling.

    Returns
    -------
    places : ndarray of shape (n_configurations, n_columns)
    groups : ndarray of shape (n_columns,), dtype int
        Columns of one group share a length scale.
    """
    columns, groups = [], []

    def add(values, group):
        values = np.asarray(values, dtype=float).reshape(len(configurations), -1)
        columns.append(values)
        groups.extend([group] * values.shape[1])

    group = 0
    for name, parameter in family.parameters.items():
        read = _AMOUNTS.get(name)
        values = [configuration.params.get(name, _ABSENT) for configuration in configurations]
        if name == "gamma":
            scalers = [own.preprocessing.get("scaler", "none") for own in configurations]
            after = [_VARIANCE.get(own, variance) for own in scalers]
            add([_width(*own, n_features) for own in zip(values, after, strict=True)], group)
            group += 1
        elif read is not None:
            for amounts in zip(*(read(value, n_features) for value in values), strict=True):
                add(amounts, group)
                group += 1
        elif isinstance(parameter, Categorical):
            choices = [*parameter.choices]
            add([[_same(value, choice) for choice in choices] for value in values], group)
            group += 1
        else:
            add([_number(name, parameter, value) for value in values], group)
            group += 1
    for rate, steps in _PRODUCTS:
        if rate in family.parameters and steps in family.parameters:
            add(
                [_way(own.params.get(rate), own.params.get(steps)) for own in configurations], group
            )
            group += 1
    for step, words in PREPROCESSING.items():
        chosen = [configuration.preprocessing.get(step, "none") for configuration in configurations]
        if step == "scaler":
            add([float(word == "none") for word in chosen], group)
            group += 1
        add([[word == own for own in words] for word in chosen], group)
        group += 1
    return np.hstack(columns), np.array(groups)


_ABSENT = object()


def _same(value, choice):
    choice = list(choice) if isinstance(choice, tuple) else choice
    return float(value is not _ABSENT and type(value) is type(choice) and value == choice)


def _number(name, parameter, value):
    if value is _ABSENT:
        return 0.5
    value = _NAMED.get((name, value), value)
    if value is None or isinstance(value, str):
        return 1.0
    low, high, value = float(parameter.low), float(parameter.high), float(value)
    if parameter.log:
        low, high, value = math.log(low), math.log(high), math.log(max(value, 1e-12))
    return min(max((value - low) / (high - low), -_MARGIN), 1 + _MARGIN)


# What a value called by a name amounts to; an absent limit is the largest.
_NAMED = {
    ("batch_size", "auto"): 200,
    ("shrinkage", None): 0.0,
    ("shrinkage", "auto"): 0.1,
}


# Mean variance of columns after a scaler.
_VARIANCE = {"standard": 1.0, "minmax": 0.06, "quantile": 1.0, "power": 1.0}


def _width(value, variance, n_features):
    """Place of a kernel's gamma: 0 at 1e-4 and 1 at 1e4 over the mean squared distance."""
    if value is _ABSENT or value == "scale":
        return 0.5
    if not isinstance(value, int | float):
        value = 1 / n_features
    decades = math.log10(max(value * n_features * variance, 1e-12))
    return min(max(0.5 + decades / 8, -_MARGIN), 1 + _MARGIN)


# A rate and a number of steps: how far they lead matters as much as either.
_PRODUCTS = (
    ("learning_rate", "max_iter"),
    ("learning_rate", "n_estimators"),
    ("learning_rate_init", "max_iter"),
)


def _way(rate, steps):
    if rate is None or steps is None:
        return 0.5
    return min(max((math.log10(max(rate * steps, 1e-12)) + 1) / 3, -_MARGIN), 1 + _MARGIN)


def _share(value, n_features):
    share = {"sqrt": n_features**-0.5, "log2": math.log2(n_features + 1) / n_features}
    if value is _ABSENT or not isinstance(value, int | float | str):
        return (0.5,)
    amount = share.get(value, 1.0) if isinstance(value, str) else float(value)
    return (1 + math.log(min(max(amount, 0.01), 1.0)) / math.log(20),)


def _layers(value, n_features):
    if value is _ABSENT:
        return 0.5, 0.5
    widths = [max(float(width), 1.0) for width in value] or [1.0]
    return (math.log2(max(widths)) - 4) / 4, (len(widths) - 1) / 2


def _power(value, n_features):
    return (float(value) - 1.0,) if isinstance(value, int | float) else (0.5,)


_AMOUNTS = {"max_features": _share, "hidden_layer_sizes": _layers, "p": _power}
