"""Random search."""

from dataclasses import dataclass

from ._base import Strategy
from ._points import all_points, fresh_point, point_key

__all__ = ["Random"]


@dataclass
class Random(Strategy):
    """Random search: candidates in random order, then points drawn from the space.

    References
    ----------
    J. Bergstra, Y. Bengio. Random search for hyper-parameter optimization. JMLR 13, 2012.
    """

    def propose(self):
        untried = self.untried
        if len(untried):
            return self.make(candidate=untried[self.rng.integers(len(untried))], reason="random")
        point = draw_new(self)
        return None if point is None else self.make(point=point, reason="random")


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
