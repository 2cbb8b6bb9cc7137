"""Points as lists and as numbers."""

import sys
from collections.abc import Mapping

import numpy as np

from ..exceptions import SpaceError
from ._identity import point_key, value_text
from ._parameters import Categorical, Float, Integer
from ._space import Branch, Space

__all__ = [
    "Encoder",
    "all_points",
    "fresh_point",
    "grid_points",
    "infer_space",
    "point_from_unit",
]

_LARGEST = sys.float_info.max


def _named(space, branch, point):
    """Give a branch's point the name of the branch, where the space asks for it."""
    return point if space.root is None else {space.root: branch.name, **point}


def _values(parameter, levels):
    """All values of a parameter if there are at most `levels`, else None."""
    if isinstance(parameter, Categorical):
        values = list(parameter.choices)
    elif isinstance(parameter, Integer):
        if parameter.high - parameter.low > levels:
            return None
        values = [*parameter.specials, *range(int(parameter.low), int(parameter.high) + 1)]
    else:
        return None
    return values if len(values) <= levels else None


def _products(space, values_of, limit):
    """Points of every branch over the values of each active parameter, None beyond `limit`."""
    points = []
    for branch in space.branches:
        partial = [_named(space, branch, {})]
        for name, parameter in branch.parameters.items():
            values = values_of(parameter)
            if values is None:
                return None
            grown = []
            for point in partial:
                if branch.is_active(name, point):
                    grown.extend({**point, name: value} for value in values)
                else:
                    grown.append(point)
                if len(points) + len(grown) > limit:
                    return None
            partial = grown
        points.extend(partial)
    return points


def all_points(space, limit=4096):
    """List every point of a small finite space, or None if there are more than `limit`."""
    return _products(space, lambda parameter: _values(parameter, limit), limit)


def grid_points(space, levels, limit=4096):
    """List the points of a grid with at most `levels` values per numeric parameter.

    Returns
    -------
    list of dict or None
        None if the grid has more than `limit` points.
    """

    def values_of(parameter):
        if isinstance(parameter, Categorical):
            return list(parameter.choices)
        return parameter.grid(levels)

    return _products(space, values_of, limit)


def fresh_point(draw, seen, attempts=64):
    """Draw until a point comes whose key is not in `seen`; None after `attempts` draws."""
    for _ in range(attempts):
        point = draw()
        if point is not None and point_key(point) not in seen:
            return point
    return None


def point_from_unit(space, unit):
    """Map a place in the unit cube to a point: first coordinate the branch, then its parameters.

    Parameters
    ----------
    space : Space
    unit : ndarray of shape (1 + largest number of parameters in a branch,)

    Returns
    -------
    dict
    """
    branch = space.branches[min(int(unit[0] * len(space.branches)), len(space.branches) - 1)]
    place = {name: u for name, u in zip(branch.parameters, unit[1:], strict=False)}

    def choose(name, parameter):
        u = float(place[name])
        if isinstance(parameter, Categorical):
            return parameter.choices[
                min(int(u * len(parameter.choices)), len(parameter.choices) - 1)
            ]
        n = len(parameter.specials)
        share = n / (2 * n + 2)
        if u < share:
            return parameter.specials[min(int(u / share * n), n - 1)]
        return parameter.from_unit((u - share) / (1 - share))

    return _named(space, branch, branch.fill(choose))


def _flat(point, prefix=""):
    flat = {}
    for name, value in point.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _is_finite_number(value):
    if not isinstance(value, int | float | np.number) or isinstance(value, bool):
        return False
    return -_LARGEST <= value <= _LARGEST


class _Unifier:
    """Lets values that are the same be one object, such as NaN or an estimator made twice."""

    def __init__(self):
        self._by_text, self._by_id = {}, {}

    def __call__(self, point):
        return {name: self._unified(value) for name, value in _flat(point).items()}

    def _unified(self, value):
        if _is_finite_number(value):
            return value
        if id(value) not in self._by_id:
            first = self._by_text.setdefault(value_text(value), value)
            # What is kept here keeps its address.
            self._by_id[id(value)] = value, first
        return self._by_id[id(value)][1]


def _infer_parameter(values):
    distinct = {value for value in values if _is_finite_number(value)}
    others = {id(value): value for value in values if not _is_finite_number(value)}.values()
    specials = tuple({value_text(value): value for value in others}.values())
    if len(distinct) < 2:
        return Categorical(specials + tuple(distinct))
    low, high = min(distinct), max(distinct)
    return Float(float(low), float(high), log=low > 0 and high / low >= 10, specials=specials)


def infer_space(points):
    """Make the space that a list of points spans: a branch per set of parameter names.

    Numbers become a range, whatever else a parameter takes (NaN and infinity too) a choice.
    """
    groups = {}
    for point in points:
        groups.setdefault(tuple(sorted(point)), []).append(point)
    shared = {}
    for point in points:
        for name, value in point.items():
            shared.setdefault(name, []).append(value)
    shared = {name: _infer_parameter(values) for name, values in shared.items()}
    return Space([Branch({name: shared[name] for name in names}) for names in groups])


class Encoder:
    """Gives points as rows of numbers in [0, 1], inactive and unknown columns as 0.

    Parameters
    ----------
    candidates : sequence of dict
    space : Space, optional
        If it is missing or does not hold the candidates, one is inferred from the candidates.
    """

    def __init__(self, candidates, space=None):
        self.space, self._unify = space, None
        if space is not None:
            try:
                self.candidates = self._rows(candidates)
                return
            except SpaceError:
                pass
        self._unify = _Unifier()
        self.space = infer_space([self._unify(point) for point in candidates])
        self.candidates = self._rows(candidates)

    def _rows(self, points):
        if self._unify is not None:
            points = [self._unify(point) for point in points]
        values, active = self.space.encode(points)
        # Beside each number that may be absent stands whether it is there: 0 is not absent.
        optional = (
            [start for _, parameter, start in self.space.columns if parameter.is_numeric]
            if self._has_conditions
            else []
        )
        return np.hstack([values, active[:, optional].astype(float)])

    @property
    def _has_conditions(self):
        return len(self.space.branches) > 1 or any(b.conditions for b in self.space.branches)

    def __call__(self, points):
        """Encode points.

        Returns
        -------
        ndarray of shape (n_points, n_columns)

        Raises
        ------
        SpaceError
            If a point does not lie in the space.
        """
        return self._rows(points)

    def holds(self, point):
        """Whether a point can be encoded."""
        try:
            self._rows([point])
        except SpaceError:
            return False
        return True
