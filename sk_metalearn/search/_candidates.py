"""From what a user gives (grid, distributions, nothing) to candidates, a space and their order."""

import difflib
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid, ParameterSampler

from ..exceptions import SpaceError
from ..spaces import (
    Branch,
    Categorical,
    Float,
    Integer,
    Space,
    all_points,
    build_model,
    families,
    point_key,
    point_keys,
)
from ..spaces._inverse import Inexpressible, find_family, read_model, unwrap
from ..spaces._parameters import plain_value, same_value

__all__ = ["Candidates", "choose_n_iter", "make_candidates"]

# Points of a larger grid are drawn, as many as a strategy can rate at once.
MAX_CANDIDATES = 2000
N_DRAWN = 256


@dataclass
class Candidates:
    """What a search chooses from.

    Parameters
    ----------
    points : list of dict
        The finite list.
    space : Space or None
        Where further points lie.
    to_params : callable
        Turns a point into parameters of the estimator.
    size : int or None
        Number of all points, None if there is no end of them.
    defaults : tuple of int
        Points that leave the estimator as it is.
    origin : {"grid", "distributions", "catalogue"}
    """

    points: list
    space: Space | None
    to_params: Callable
    size: int | None
    defaults: tuple
    origin: str


def _same(point):
    return dict(point)


def make_candidates(estimator, param_grid, param_distributions, schema, kind, n_iter, rng):
    """Make the candidates of a search.

    Parameters
    ----------
    estimator : estimator
    param_grid, param_distributions : mapping, sequence of mapping, or None
        At most one of them; None for the catalogue's own space.
    schema : Schema or None
    kind : {"classification", "regression", ""}
    n_iter : int, "all" or None
        More candidates are drawn for a longer search.
    rng : RandomState

    Returns
    -------
    Candidates

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
    if given is None:
        return _from_catalogue(estimator, schema, kind, n_iter, rng)
    branches = [given] if isinstance(given, Mapping) else given
    check_names(estimator, branches)
    drawn = isinstance(branches, Sequence) and any(
        hasattr(values, "rvs")
        for branch in branches
        if isinstance(branch, Mapping)
        for values in branch.values()
    )
    if drawn:
        return _from_distributions(estimator, branches, n_iter, rng)
    return _from_grid(estimator, given, n_iter, rng)


def choose_n_iter(n_iter, candidates, has_other_budget):
    """Give the number of evaluations: an int, or None for no limit.

    Without a number, a grid of at most 10 points is searched whole, of a larger one a tenth but
    at least 10 points and at most `MAX_CANDIDATES`; distributions get 10.
    """
    size = candidates.size
    if n_iter == "all":
        if size is None:
            raise ValueError(
                "n_iter='all' needs a finite grid; a parameter here has values without end. Give "
                "a number or a time_budget."
            )
        return size
    if n_iter is not None:
        return n_iter if size is None else min(n_iter, size)
    if has_other_budget:
        return size
    if size is None:
        return 10
    if candidates.origin == "distributions":
        return min(10, size)
    chosen = size if size <= 10 else min(max(10, round(0.1 * size)), MAX_CANDIDATES)
    if chosen < size:
        warnings.warn(
            f"The grid has {size} points; {chosen} of them will be visited, in the order that "
            f"promises most. Set n_iter to choose their number, n_iter='all' for the whole grid.",
            UserWarning,
            stacklevel=4,
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


def _from_grid(estimator, grid, n_iter, rng):
    # ParameterGrid raises scikit-learn's own errors for anything that is no grid.
    grid = ParameterGrid(grid)
    size = len(grid)
    if size == 0:
        raise ValueError(f"The grid has no point; got {plain_value(grid.param_grid)!r}.")
    most = max(MAX_CANDIDATES, n_iter if isinstance(n_iter, Integral) else 0)
    if size <= most or n_iter == "all":
        points = list(grid)
    else:
        chosen = np.sort(rng.choice(size, size=most, replace=False))
        points = [grid[int(i)] for i in chosen]
    defaults = _default_indices(estimator, points)
    return Candidates(points, None, _same, size, defaults, "grid")


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
    return Candidates(points, space, _same, size, defaults, "distributions")


def _catalogue_params(point, family, schema, prefix, model):
    """Parameters that make the user's own model what the catalogue means by a point."""
    built = build_model(family, point, schema)
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


def _from_catalogue(estimator, schema, kind, n_iter, rng):
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
    return Candidates(points, space, to_params, None, defaults, "catalogue")
