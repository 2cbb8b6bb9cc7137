"""Random search."""

from dataclasses import dataclass

import numpy as np

from ..exceptions import SpaceError
from ..spaces import point_key
from ._base import Strategy
from ._points import all_points, fresh_point

__all__ = ["Random"]


@dataclass
class Random(Strategy):
    """Random search: candidates in random order, then points drawn from the space.

    Of a list of dicts with distributions each next candidate's dict is drawn first, all with equal
    chance, as `sklearn.model_selection.ParameterSampler` does; nothing is proposed twice.

    References
    ----------
    J. Bergstra, Y. Bengio. Random search for hyper-parameter optimization. JMLR 13, 2012.
    """

    def begin(self):
        self._branch = _branches(self.context)

    def propose(self):
        untried = self.untried
        if len(untried):
            if self._branch is not None:
                left = np.unique(self._branch[untried])
                untried = untried[self._branch[untried] == self.rng.choice(left)]
            return self.make(candidate=untried[self.rng.integers(len(untried))], reason="random")
        point = draw_new(self)
        return None if point is None else self.make(point=point, reason="random")


def _branches(context):
    """Number of the dict that each candidate was drawn from; None where there are not several.

    The branches of the catalogue, which have names, are no such list: its pool says by itself how
    many candidates a family has.
    """
    space = context.space
    if space is None or space.root is not None or len(space.branches) < 2:
        return None
    try:
        return np.array([space.branch_of(point) for point in context.candidates], dtype=int)
    except SpaceError:
        return None


def draw_new(strategy, draw=None):
    """Draw a point of the space that the search has not seen.

    Parameters
    ----------
    strategy : Strategy
    draw : callable, optional
        Gives a point; the default draws at random from the whole space.

    Returns
    -------
    dict or None
        None without a space or when a finite space is exhausted.
    """
    space, keys = strategy.context.space, strategy.record.keys
    if space is None:
        return None
    uniform = lambda: space.sample(strategy.rng)  # noqa: E731
    point = fresh_point(draw or uniform, keys)
    if point is None:
        rest = [point for point in all_points(space) or [] if point_key(point) not in keys]
        if rest:
            return rest[strategy.rng.integers(len(rest))]
        point = fresh_point(uniform, keys)
    return point
