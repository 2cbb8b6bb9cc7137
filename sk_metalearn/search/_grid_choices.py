"""Choices from what a user gives: a grid, distributions, or nothing."""

import difflib
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid, ParameterSampler
from sklearn.utils.random import sample_without_replacement

from ..evaluation import SetParams
from ..exceptions import SpaceError, warn_user
from ..spaces import (
    Branch,
    Categorical,
    Float,
    Inexpressible,
    Integer,
    Space,
    all_points,
    build_model,
    families,
    find_family,
    match_candidates,
    plain_value,
    point_key,
    point_keys,
    read_model,
    same_value,
    unwrap,
    value_text,
)
from ._choices import Choices

__all__ = ["choose_from_grid", "place_of_columns"]

# Points of a larger grid are drawn, as many as a strategy can rate at once.
MAX_CANDIDATES = 2000
N_DRAWN = 256


def choose_from_grid(estimator, param_grid, param_distributions, problem, options):
    """Make the choices of a search over parameters of a user's estimator.

    Parameters
    ----------
    estimator : estimator
    param_grid, param_distributions : mapping, sequence of mapping, or None
        At most one of them; None for the catalogue's own space.
    problem : Problem
    options : SearchOptions

    Returns
    -------
    Choices

    Raises
    ------
    ValueError
        If both are given, a parameter does not exist, or there is no space for the estimator.
    """
    if param_grid is not None and param_distributions is not None:
        raise ValueError(
            "Give either param_grid or param_distributions; got both. Ranges and lists can stand "
            "side by side in param_distributions."
        )
    given = param_grid if param_distributions is None else param_distributions
    rng = np.random.RandomState(problem.seed)
    enqueued = [dict(params) for params in options.enqueue]
    if given is None:
        if enqueued:
            raise ValueError(
                "enqueue needs param_grid or param_distributions: without them candidates are "
                "points of the catalogue. Give the space that the settings belong to."
            )
        found = _from_catalogue(estimator, problem.schema, problem.kind, rng)
    else:
        branches = [given] if isinstance(given, Mapping) else given
        check_names(estimator, branches)
        check_names(estimator, enqueued)
        drawn = isinstance(branches, Sequence) and any(
            hasattr(values, "rvs")
            for branch in branches
            if isinstance(branch, Mapping)
            for values in branch.values()
        )
        if drawn:
            found = _from_distributions(estimator, branches, options.n_iter, rng)
        else:
            found = _from_grid(estimator, given, options.n_iter, rng)
    if found.size is not None:
        outside = {point_key(own) for own in enqueued if not found.holds(own)}
        found = replace(found, size=found.size + len(outside))
    n_iter = _choose_n_iter(options.n_iter, found, options.timed)
    if enqueued and n_iter is not None:
        n_iter = max(n_iter, len(enqueued))
    return Choices(
        points=found.points,
        space=found.space,
        make=SetParams(clone(estimator)),
        to_params=found.to_params,
        identity=found.to_params,
        match=partial(_match, estimator, found.to_params, problem),
        defaults=found.defaults,
        n_iter=n_iter,
        enqueued=tuple((point, "enqueued", 0) for point in enqueued),
        estimator=estimator,
        searched=tuple(sorted({name for point in found.points for name in found.to_params(point)})),
        open_ended=found.origin == "distributions" and found.space is not None,
        place=place_of_columns(problem.X, problem.schema),
    )


def _match(estimator, to_params, problem, points):
    params = [to_params(point) for point in points]
    return match_candidates(estimator, params, problem.schema, problem.kind, problem.X, problem.y)


def place_of_columns(X, schema):
    """Give what the predicted performance depends on beside a configuration.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    schema : Schema or None

    Returns
    -------
    dict
        ``n_features`` and the mean ``variance`` of the columns, which the width of a kernel
        without scaling refers to; nothing without a schema.
    """
    if schema is None:
        return {}
    variance = 1.0
    if not (issparse(X) or len(schema.numeric) < schema.n_features):
        if schema.container == "pandas":
            X = X.to_numpy(dtype=float, na_value=np.nan)
        numbers = np.asarray(X, dtype=float)
        variance = float(np.nanvar(numbers[:: max(1, len(numbers) // 2000)])) or 1.0
    return {"n_features": schema.n_features, "variance": variance}


@dataclass(frozen=True)
class _Points:
    """Points of one origin.

    Parameters
    ----------
    points : list of dict
    space : Space or None
    to_params : callable
    size : int or None
        Number of all points, None if there is no end of them.
    defaults : tuple of int
    origin : {"grid", "distributions", "catalogue"}
    branches : tuple of dict
        Of a grid.
    """

    points: list
    space: Space | None
    to_params: Any
    size: int | None
    defaults: tuple
    origin: str
    branches: tuple = ()

    def holds(self, point):
        """Whether a point is one of all, drawn or not."""
        if self.space is not None:
            return self.space.contains(point)
        texts = {name: value_text(value) for name, value in point.items()}
        return any(
            set(branch) == set(texts)
            and all(texts[name] in map(value_text, values) for name, values in branch.items())
            for branch in self.branches
        )


def _same(point):
    return dict(point)


def _choose_n_iter(n_iter, found, timed):
    """Number of evaluations: an int, or None for no limit."""
    size = found.size
    if n_iter == "all":
        if size is None:
            raise ValueError(
                "n_iter='all' needs a finite grid; a parameter here has values without end. Give "
                "a number or a time_budget."
            )
        return size
    if n_iter is not None:
        return n_iter if size is None else min(n_iter, size)
    if timed:
        return size
    if size is None:
        return 10
    if found.origin == "distributions":
        return min(10, size)
    chosen = size if size <= 10 else min(max(10, round(0.1 * size)), MAX_CANDIDATES)
    if chosen < size:
        warn_user(
            f"The grid has {size} points; {chosen} of them will be visited, in the order that "
            f"promises most. Set n_iter to choose their number, n_iter='all' for the whole grid.",
            UserWarning,
        )
    return chosen


def check_names(estimator, branches):
    """Raise ValueError if a grid names a parameter that the estimator does not have."""
    known = estimator.get_params(deep=True)
    for branch in branches if isinstance(branches, Sequence) else ():
        if not isinstance(branch, Mapping):
            continue
        for name in branch:
            parts = str(name).split("__")
            owners = ["__".join(parts[:i]) for i in range(1, len(parts))]
            # What belongs to a part that the grid itself exchanges cannot be known yet.
            if name in known or any(owner in branch for owner in owners):
                continue
            try:
                # Some estimators take more than they list.
                clone(estimator).set_params(**{name: None})
            except (ValueError, AttributeError, TypeError):
                near = difflib.get_close_matches(str(name), known, n=3)
                hint = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {estimator}. {hint}Valid "
                    f"parameters are: {sorted(known)!r}."
                ) from None


def _default_indices(estimator, points):
    """Indices of the points that set nothing but what the estimator already has."""
    known = estimator.get_params(deep=True)
    return tuple(
        i
        for i, point in enumerate(points)
        if all(name in known and same_value(known[name], v) for name, v in point.items())
    )[:1]


def _distinct(points):
    points = list(points)
    return list(dict(zip(point_keys(points), points, strict=True)).values())


def _from_grid(estimator, given, n_iter, rng):
    # ParameterGrid raises scikit-learn's own errors for anything that is no grid.
    grid = ParameterGrid(given)
    size = sum(math.prod(len(v) for v in branch.values()) for branch in grid.param_grid)
    if size == 0:
        raise ValueError(f"The grid has no point; got {plain_value(grid.param_grid)!r}.")
    most = max(MAX_CANDIDATES, n_iter if isinstance(n_iter, Integral) else 0)
    if size <= most or n_iter == "all":
        points = list(grid)
    elif size < _LARGEST_COUNTED:
        chosen = np.sort(sample_without_replacement(size, most, random_state=rng))
        points = _distinct(grid[int(i)] for i in chosen)
    else:
        points = _distinct(_draw(grid.param_grid, rng) for _ in range(most))
    defaults = _default_indices(estimator, points)
    branches = tuple(grid.param_grid)
    return _Points(points, None, _same, size, defaults, "grid", branches)


# scikit-learn counts the points of a grid in 64 bits.
_LARGEST_COUNTED = 2**62


def _draw(branches, rng):
    sizes = np.array([math.prod(len(v) for v in branch.values()) for branch in branches], float)
    branch = branches[int(np.searchsorted(np.cumsum(sizes), rng.random_sample() * sizes.sum()))]
    return {name: values[rng.randint(len(values))] for name, values in sorted(branch.items())}


def _parameter(values):
    """Turn a list or a scipy distribution into a Parameter; None if it has another shape."""
    if not hasattr(values, "rvs"):
        return Categorical(tuple(values))
    family = getattr(getattr(values, "dist", None), "name", "")
    low, high = values.support() if hasattr(values, "support") else (np.nan, np.nan)
    if not (np.isfinite(low) and np.isfinite(high)):
        return None
    if family == "randint" and low == high:
        return Categorical((int(low),))
    if low == high:
        return None
    if family == "uniform":
        return Float(float(low), float(high))
    if family in ("loguniform", "reciprocal"):
        return Float(float(low), float(high), log=True)
    if family == "randint":
        return Integer(int(low), int(high))
    return None


def _size(branches):
    """Number of points of the branches, None if there is no end of them."""
    if any(isinstance(own, Float) for branch in branches for own in branch.values()):
        return None
    return sum(
        math.prod(
            len(own.choices) if isinstance(own, Categorical) else own.high - own.low + 1
            for own in branch.values()
        )
        for branch in branches
    )


def _from_distributions(estimator, branches, n_iter, rng):
    number = max(N_DRAWN, 2 * n_iter if isinstance(n_iter, Integral) else 0)
    with warnings.catch_warnings():
        # A small finite space yields fewer points than asked for.
        warnings.simplefilter("ignore", UserWarning)
        drawn = ParameterSampler(branches, number, random_state=rng)
        points = _distinct(drawn)
    parameters = [{name: _parameter(v) for name, v in branch.items()} for branch in branches]
    space = size = None
    if all(own is not None for branch in parameters for own in branch.values()):
        space = Space([Branch(branch) for branch in parameters])
        size = _size(parameters)
        if size is not None and (size <= MAX_CANDIDATES or n_iter == "all"):
            points = _distinct(all_points(space, size))
            size = len(points)
        current = estimator.get_params(deep=True)
        for branch in space.branches:
            point = {name: current.get(name) for name in branch.parameters}
            if branch.contains(point):
                same = point_key(point)
                points = [point, *(own for own in points if point_key(own) != same)]
                break
    defaults = _default_indices(estimator, points)
    return _Points(points, space, _same, size, defaults, "distributions")


def _catalogue_params(point, family, schema, prefix, model):
    """Parameters that make the user's own model what the catalogue means by a point."""
    built = build_model(family, point, replace(schema, n_outputs=1))
    built = getattr(built, "regressor", built)
    if family.extra:
        # What else is set there is how many threads it has and what it prints.
        return {prefix + name: value for name, value in point.items()}
    fresh, own = type(built)().get_params(deep=False), model.get_params(deep=False)
    params = {}
    for name, value in built.get_params(deep=False).items():
        changed = not same_value(value, fresh[name]) and name != "categorical_features"
        # What the point leaves out must not stay as the model has it.
        left_out = name in family.parameters and not same_value(value, own.get(name))
        if name in own and (name in point or changed or left_out):
            params[prefix + name] = value
    if own.get("oob_score") or own.get("max_samples") is not None:
        # Only a bootstrap has rows out of the bag, and a number of them to draw.
        params[f"{prefix}bootstrap"] = True
    return params


def _from_catalogue(estimator, schema, kind, rng):
    family = find_family(estimator, kind) if kind and schema is not None else None
    if family is None or family.name == "dummy":
        known = (own for own in families(kind or "classification") if own.name != "dummy")
        names = sorted(own.estimator_class.__name__ for own in known)
        raise ValueError(
            f"{type(estimator).__name__} has no search space in the catalogue, which knows "
            f"{', '.join(names)}. Give param_grid or param_distributions."
        )
    parts = unwrap(estimator)
    space = family.space
    generator = np.random.default_rng(rng.randint(2**31))
    points = [space.sample(generator) for _ in range(N_DRAWN)]
    defaults = ()
    try:
        point, remarks = read_model(family, parts.model, parts.model.get_params(deep=False), schema)
    except (Inexpressible, SpaceError, KeyError, TypeError, ValueError):
        # The model as it is lies outside the space of the catalogue.
        remarks = ["inexpressible"]
    if not remarks:
        points.insert(0, point)
        defaults = (0,)
    to_params = partial(
        _catalogue_params,
        family=family,
        schema=schema,
        prefix=parts.prefix,
        model=clone(parts.model),
    )
    return _Points(points, space, to_params, None, defaults, "catalogue")
