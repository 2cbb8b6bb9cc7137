"""Search without a model: at random, evenly spread, over a grid."""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.stats import qmc

from ..exceptions import SpaceError, StrategyError
from ..spaces import Encoder, all_points, fresh_point, grid_points, point_from_unit, point_key
from ._strategy import Strategy

__all__ = ["Grid", "QuasiRandom", "Random"]


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
        One that was started.
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


@dataclass
class QuasiRandom(Strategy):
    """Space-filling search with a randomly shifted Sobol sequence.

    Among candidates each next one is the untried one farthest from all that were tried, beginning
    with the most central; in a space the points of the sequence are followed.

    References
    ----------
    I. M. Sobol. On the distribution of points in a cube and the approximate evaluation of
    integrals. USSR Computational Mathematics and Mathematical Physics 7, 1967.
    R. Cranley, T. Patterson. Randomization of number theoretic methods for multiple integration.
    SIAM Journal on Numerical Analysis 13, 1976.
    """

    def begin(self):
        self._sequence, self._near, self._entered = None, None, 0

    def propose(self):
        untried = self.untried
        if len(untried):
            return self.make(candidate=self._farthest(untried), reason="quasi-random")
        if self.context.space is None:
            return None
        if self._sequence is None:
            width = 1 + max(len(branch.parameters) for branch in self.context.space.branches)
            self._sequence = qmc.Sobol(width, scramble=False)
            self._shift = self.rng.random(width)
        point = draw_new(self, self._draw)
        return None if point is None else self.make(point=point, reason="quasi-random")

    def _draw(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the sequence need not be a power of 2
            unit = self._sequence.random(1)[0]
        return point_from_unit(self.context.space, (unit + self._shift) % 1.0)

    def _farthest(self, untried):
        if self._near is None:
            self._rows = Encoder(self.context.candidates, self.context.space).candidates
            self._near = np.full(len(self._rows), np.inf)
            self._seen = np.zeros(len(self._rows), dtype=bool)
        for i in np.flatnonzero(self.record.tried & ~self._seen):
            self._seen[i] = True
            np.minimum(self._near, ((self._rows - self._rows[i]) ** 2).sum(1), out=self._near)
        if not self._seen.any():
            return untried[np.argmin(((self._rows - self._rows.mean(0)) ** 2).sum(1)[untried])]
        return untried[np.argmax(self._near[untried])]


@dataclass
class Grid(Strategy):
    """Exhaustive search in the order of the candidates, then over grids of the space.

    Parameters
    ----------
    levels : int, optional
        Values per numeric parameter. By default as many as fit the budget; when a grid is used
        up, the next finer one follows.
    limit : int, default=20000
        Largest number of points of one grid.
    """

    levels: int | None = None
    limit: int = 20000

    def begin(self):
        self._level, self._points, self._last, self._first = 0, iter(()), False, True
        space = self.context.space
        if space is None:
            return
        if self.levels is not None:
            self._level = self.levels - 1
        else:
            budget = self.context.n_evaluations or 100
            while grid_points(space, self._level + 2, budget) is not None and self._level < budget:
                self._level += 1

    def propose(self):
        untried = self.untried
        if len(untried):
            return self.make(candidate=untried[0], reason="grid")
        if self.context.space is None:
            return None
        while True:
            for point in self._points:
                if point_key(point) not in self.record.keys:
                    return self.make(point=point, reason="grid")
            if not self._next_grid():
                return None

    def _next_grid(self):
        if self._last:
            return False
        self._level += 1
        points = None if self._first else all_points(self.context.space, self.limit)
        # A finite space has an end; finer and finer grids of it have none.
        self._last, self._first = points is not None or self.levels is not None, False
        if points is None:
            points = grid_points(self.context.space, self._level, self.limit)
        if points is None:
            if self._level == 1 or self.levels is not None:
                raise StrategyError(
                    f"A grid of {self._level} values per parameter has more than "
                    f"limit={self.limit} points. Use fewer levels, strategy='random', or a "
                    "higher limit."
                )
            return False
        self._points = iter(points)
        return True
