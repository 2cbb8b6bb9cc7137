"""Search spaces: trees of conditional hyperparameters."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..exceptions import SpaceError
from ._parameters import Categorical, Parameter, same_value, shown

__all__ = ["Branch", "Condition", "Space"]


@dataclass(frozen=True)
class Condition:
    """The parameter `child` exists only while `parent` has one of `values`.

    Parameters
    ----------
    child, parent : str
        Names of two parameters of one branch.
    values : tuple
        Values of the parent under which the child is there.
    """

    child: str
    parent: str
    values: tuple

    def __post_init__(self):
        names = self.child, self.parent
        if not all(isinstance(name, str) for name in names):
            raise SpaceError(f"A condition is between two names; got {shown(names)}.")
        if not isinstance(self.values, list | tuple):
            raise SpaceError(f"A condition lists the parent's values; got {shown(self.values)}.")


@dataclass(frozen=True)
class Branch:
    """One alternative of a space: parameters with conditions among them.

    Parameters
    ----------
    parameters : mapping of str to Parameter
        In an order where a parent comes before its children.
    conditions : tuple of Condition, default=()
        At most one condition per child.
    name : str, default=""
        Label of the branch, for instance a model family.
    """

    parameters: Mapping[str, Parameter]
    conditions: tuple = ()
    name: str = ""
    _by_child: dict = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        _check_parts(self.parameters, self.conditions, self.name)
        seen = set()
        by_child = {condition.child: condition for condition in self.conditions}
        for name in self.parameters:
            condition = by_child.get(name)
            if condition is not None and condition.parent not in seen:
                raise SpaceError(
                    f"The condition on {name!r} refers to {condition.parent!r}, which must be a "
                    f"parameter listed before it; parameters: {list(self.parameters)}."
                )
            seen.add(name)
        unknown = set(by_child) - seen
        if unknown:
            raise SpaceError(f"Conditions name unknown parameters {sorted(unknown)}.")
        object.__setattr__(self, "_by_child", by_child)

    def is_active(self, name, point):
        """Tell whether the parameter `name` exists, given its parents' values in `point`.

        Parameters
        ----------
        name : str
            One of the branch's parameters.
        point : dict
            Values by name; those of the parents must be among them.

        Returns
        -------
        bool
            Whether all its conditions hold.
        """
        condition = self._by_child.get(name)
        if condition is None:
            return True
        return (
            condition.parent in point
            and self.is_active(condition.parent, point)
            and any(same_value(value, point[condition.parent]) for value in condition.values)
        )

    def fill(self, choose):
        """Make a point: `choose(name, parameter)` gives the value of each active parameter.

        Parameters
        ----------
        choose : callable
            Called for each parameter that is active, parents first.

        Returns
        -------
        dict
            Values of the active parameters by name.
        """
        point = {}
        for name, parameter in self.parameters.items():
            if self.is_active(name, point):
                point[name] = choose(name, parameter)
        return point

    def contains(self, point):
        """Tell whether `point` gives exactly the active parameters, each within its range.

        Parameters
        ----------
        point : dict
            Values by name, without the name of the branch.

        Returns
        -------
        bool
            Whether the point lies in the branch.
        """
        active = [name for name in self.parameters if self.is_active(name, point)]
        return set(active) == set(point) and all(
            self.parameters[name].contains(point[name]) for name in active
        )


def _check_parts(parameters, conditions, name):
    if not isinstance(parameters, Mapping):
        raise SpaceError(f"A branch maps names to parameters; got {shown(parameters)}.")
    for key, parameter in parameters.items():
        if not isinstance(key, str) or not isinstance(parameter, Parameter):
            raise SpaceError(
                "A branch maps names to Float, Integer or Categorical; got "
                f"{shown(key)}: {shown(parameter)}."
            )
    listed = isinstance(conditions, list | tuple)
    if not listed or not all(isinstance(own, Condition) for own in conditions):
        raise SpaceError(f"The conditions of a branch are Conditions; got {shown(conditions)}.")
    if not isinstance(name, str):
        raise SpaceError(f"The name of a branch is text; got {shown(name)}.")


class Space:
    """A search space: one or several branches of conditional hyperparameters.

    A *point* is a dict of the active parameters' values; an inactive parameter is absent. Where
    the branches have names to tell apart, `root` is the key under which a point carries its
    branch's name.

    Parameters
    ----------
    branches : Branch, mapping of str to Parameter, or sequence of Branch
        A mapping is a single branch without conditions.
    root : str, optional
        Key of the branch's name in points. Without it, a point belongs to the first branch that
        has just its parameters.

    Attributes
    ----------
    branches : tuple of Branch
    columns : list of (str, Parameter, int)
        Name, parameter and first column of each encoded parameter.
    n_columns : int
        Width of the encoding.
    """

    def __init__(self, branches, root=None):
        if isinstance(branches, Mapping):
            branches = Branch(dict(branches))
        if isinstance(branches, Branch):
            branches = (branches,)
        if not isinstance(branches, list | tuple) or not all(
            isinstance(branch, Branch) for branch in branches
        ):
            raise SpaceError(f"A space is made of Branches; got {shown(branches)}.")
        if not isinstance(root, str | None):
            raise SpaceError(f"The root of a space is a name; got {shown(root)}.")
        self.branches, self.root = tuple(branches), root
        if not self.branches:
            raise SpaceError("A space needs at least one branch; got none.")
        self.columns, self._column_of = [], []
        width = len(self.branches) if len(self.branches) > 1 else 0
        for branch in self.branches:
            own = {}
            for name, parameter in branch.parameters.items():
                for other, known, start in self.columns:
                    if other == name and known == parameter:
                        own[name] = start
                        break
                else:
                    own[name] = width
                    self.columns.append((name, parameter, width))
                    width += parameter.width
            self._column_of.append(own)
        self.n_columns = width

    def __repr__(self):
        names = list(dict.fromkeys(name for name, _, _ in self.columns))
        return f"Space({len(self.branches)} branches; {', '.join(names)})"

    @property
    def is_continuous(self):
        """Whether any parameter has more than finitely many values."""
        return any(not isinstance(parameter, Categorical) for _, parameter, _ in self.columns)

    def branch_of(self, point):
        """Index of the branch that `point` belongs to.

        Parameters
        ----------
        point : dict
            Values by name.

        Returns
        -------
        int
            Position in `branches`.

        Raises
        ------
        SpaceError
            If no branch holds the point.
        """
        if not isinstance(point, Mapping):
            raise SpaceError(f"A point maps names to values; got {shown(point)}.")
        if self.root is not None:
            for i, branch in enumerate(self.branches):
                if branch.name == point.get(self.root):
                    return i
            raise SpaceError(
                f"{self.root}={shown(point.get(self.root))} names no branch of the space; "
                f"it has {[branch.name for branch in self.branches]}."
            )
        names = set(point)
        near = None
        for i, branch in enumerate(self.branches):
            if names <= set(branch.parameters):
                if branch.contains(point):
                    return i
                active = {name for name in branch.parameters if branch.is_active(name, point)}
                if near is None and active == names:
                    near = i
        # A value outside its range (a user's own candidate) still belongs to its branch.
        if near is not None:
            return near
        raise SpaceError(
            f"The point {shown(point)} belongs to no branch of the space; its branches "
            f"have the parameters {[sorted(branch.parameters) for branch in self.branches]}."
        )

    def contains(self, point):
        """Tell whether `point` lies in the space.

        Parameters
        ----------
        point : dict
            Values by name.

        Returns
        -------
        bool
            Whether one of the branches holds it.
        """
        if not isinstance(point, Mapping):
            return False
        if self.root is None:
            return any(branch.contains(point) for branch in self.branches)
        return any(
            branch.name == point.get(self.root) and branch.contains(self._bare(point))
            for branch in self.branches
        )

    def _bare(self, point):
        return {name: value for name, value in point.items() if name != self.root}

    def _fill(self, branch, choose):
        point = self.branches[branch].fill(choose)
        return point if self.root is None else {self.root: self.branches[branch].name, **point}

    def default(self, branch=0):
        """Give the point of the defaults of one branch.

        Parameters
        ----------
        branch : int, default=0
            Position in `branches`.

        Returns
        -------
        dict
            Values by name.
        """
        return self._fill(branch, lambda name, parameter: parameter.default)

    def sample(self, rng, branch=None):
        """Draw one point, branches with equal chance.

        Parameters
        ----------
        rng : numpy.random.Generator
            Draws the branch and the values.
        branch : int, optional
            Draw from this branch only.

        Returns
        -------
        dict
            Values by name.
        """
        if branch is None:
            branch = int(rng.integers(len(self.branches)))
        return self._fill(branch, lambda name, parameter: parameter.sample(rng))

    def neighbor(self, point, rng, scale=0.2, n_changes=1):
        """Draw a point near `point` in its own branch: `n_changes` active parameters move.

        Parameters that become active through the change take a random value.

        Parameters
        ----------
        point : dict
            Where the step starts.
        rng : numpy.random.Generator
            Draws which parameters move, and how far.
        scale : float, default=0.2
            Standard deviation of the step on the unit interval.
        n_changes : int, default=1
            How many of the active parameters move, if there are as many.

        Returns
        -------
        dict
            A point of the same branch.
        """
        number = self.branch_of(point)
        branch = self.branches[number]
        movable = [
            name
            for name in self._bare(point)
            if not (isinstance(branch.parameters[name], Categorical) and not self._width(name))
        ]
        if not movable:
            return dict(point)
        chosen = rng.choice(len(movable), size=min(n_changes, len(movable)), replace=False)
        moved = {movable[int(i)] for i in chosen}

        def choose(name, parameter):
            if name in moved:
                return parameter.neighbor(point[name], rng, scale)
            return point[name] if name in point else parameter.sample(rng)

        return self._fill(number, choose)

    def _width(self, name):
        return max(parameter.width for other, parameter, _ in self.columns if other == name)

    def crossover(self, first, second, rng):
        """Mix two points of one branch parameter by parameter.

        Points of different branches do not mix: the result is a copy of `first`.

        Parameters
        ----------
        first, second : dict
            The two points.
        rng : numpy.random.Generator
            Chooses which of the two gives each value.

        Returns
        -------
        dict
            A point of the branch of `first`.
        """
        i = self.branch_of(first)
        if self.branch_of(second) != i:
            return dict(first)
        parents = (first, second)

        def choose(name, parameter):
            values = [p[name] for p in parents if name in p]
            return values[int(rng.integers(len(values)))] if values else parameter.sample(rng)

        return self._fill(i, choose)

    def encode(self, points):
        """Give points as rows of numbers in [0, 1].

        Parameters
        ----------
        points : sequence of dict
            Points of the space; a number may lie outside its range.

        Returns
        -------
        values : ndarray of shape (n_points, n_columns)
            One-hot columns for the branch and for choices, a column on the parameter's own scale
            for numbers; 0 where inactive.
        active : ndarray of shape (n_points, n_columns), dtype bool
            Which columns say something about the point; inactive is a mask, never a value.

        Raises
        ------
        SpaceError
            If a point belongs to no branch, or a value has no place on its parameter's scale.
        """
        values = np.zeros((len(points), self.n_columns))
        active = np.zeros((len(points), self.n_columns), dtype=bool)
        n_branches = len(self.branches) if len(self.branches) > 1 else 0
        for row, point in enumerate(points):
            b = self.branch_of(point)
            if n_branches:
                values[row, b] = 1.0
                active[row, :n_branches] = True
            for name, value in self._bare(point).items():
                parameter = self.branches[b].parameters[name]
                start = self._column_of[b][name]
                stop = start + parameter.width
                if isinstance(parameter, Categorical) and not parameter.contains(value):
                    continue
                try:
                    encoded = parameter.encode(value)
                except (TypeError, ValueError, OverflowError):
                    raise SpaceError(
                        f"{name} is a number or one of its named values; got {shown(value)}."
                    ) from None
                known = ~np.isnan(encoded)
                values[row, start:stop] = np.where(known, encoded, 0.0)
                active[row, start:stop] = known
        return values, active

    def to_dict(self):
        """Describe the space in JSON types (values that JSON lacks by their `repr`).

        Returns
        -------
        dict
            The branches with their parameters and conditions.
        """
        return {
            "root": self.root,
            "branches": [
                {
                    "name": branch.name,
                    "parameters": {
                        name: {"type": type(parameter).__name__, **_plain(vars(parameter))}
                        for name, parameter in branch.parameters.items()
                    },
                    "conditions": [_plain(vars(c)) for c in branch.conditions],
                }
                for branch in self.branches
            ],
        }

    @property
    def fingerprint(self):
        """Hash of the space's description, 16 hexadecimal digits."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value):
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    return repr(value)
