"""Configurations of one family as points of a Euclidean space, for models of performance."""

import math

import numpy as np

from ..spaces import PREPROCESSING, Categorical

__all__ = ["place_points"]

# Beyond the ends of its range a value is placed outside [0, 1], but not further than this.
_MARGIN = 0.3
_STEP = "preprocessing__"


def place_points(family, configurations, n_features=20):
    """Place configurations so that near ones can be expected to perform alike.

    A number stands at its place on its own scale, also where it is called by a name: no limit at
    the upper end, ``"scale"`` at one over the number of columns. Amounts among choices (shares of
    features, layers of a network) are numbers too. A choice without order has a column per value;
    a parameter that does not apply stands in the middle.

    Parameters
    ----------
    family : Family
    configurations : sequence of Configuration
    n_features : int, default=20
        Columns of the data after encoding, which some values refer to.

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
        if read is not None:
            for amounts in zip(*(read(value, n_features) for value in values), strict=True):
                add(amounts, group)
                group += 1
        elif isinstance(parameter, Categorical):
            choices = [*parameter.choices]
            add([[_same(value, choice) for choice in choices] for value in values], group)
            group += 1
        else:
            add([_number(name, parameter, value, n_features) for value in values], group)
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


def _number(name, parameter, value, n_features):
    if value is _ABSENT:
        return 0.5
    value = _NAMED.get((name, value), value)
    if value is None or isinstance(value, str):
        return 1.0
    if callable(value):
        value = value(n_features)
    low, high, value = float(parameter.low), float(parameter.high), float(value)
    if parameter.log:
        low, high, value = math.log(low), math.log(high), math.log(max(value, 1e-12))
    return min(max((value - low) / (high - low), -_MARGIN), 1 + _MARGIN)


def _one_over(n_features):
    return 1.0 / n_features


# What a value called by a name amounts to; an absent limit is the largest.
_NAMED = {
    ("gamma", "scale"): _one_over,
    ("gamma", "auto"): _one_over,
    ("gamma", None): _one_over,
    ("batch_size", "auto"): 200,
    ("shrinkage", None): 0.0,
    ("shrinkage", "auto"): 0.1,
}


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
