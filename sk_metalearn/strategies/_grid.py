"""Grid search."""

from dataclasses import dataclass

from ..exceptions import StrategyError
from ..spaces import point_key
from ._base import Strategy
from ._points import all_points, grid_points

__all__ = ["Grid"]


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
