"""Quasi-random search: points that cover the space more evenly than chance."""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.stats import qmc

from ._base import Strategy
from ._points import Encoder, point_from_unit
from ._random import draw_new

__all__ = ["QuasiRandom"]


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
