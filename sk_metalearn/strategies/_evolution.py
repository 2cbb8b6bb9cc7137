"""Evolutionary search: selection, crossover, mutation."""

from dataclasses import dataclass

import numpy as np

from ..exceptions import SpaceError
from ._base import Strategy
from ._points import Encoder
from ._random import Random, draw_new

__all__ = ["Evolution"]


@dataclass
class Evolution(Strategy):
    """Steady-state evolution of the configurations tried.

    Parents win tournaments among the results; a child takes each hyperparameter from one of two
    parents and then changes one or two of them a little. Among candidates the child is the untried
    candidate nearest to it.

    Parameters
    ----------
    population : int, default=10
        Evaluations, at random, before the first child; parents are among this many best ones.
    tournament : int, default=3
        Results among which a parent is the best.
    crossover : float, default=0.5
        Probability of a second parent.
    mutation_scale : float, default=0.2
        Size of a mutation on the unit interval.

    References
    ----------
    A. E. Eiben, J. E. Smith. Introduction to evolutionary computing. Springer, 2015.
    E. Real et al. Regularized evolution for image classifier architecture search. AAAI 2019.
    """

    population: int = 10
    tournament: int = 3
    crossover: float = 0.5
    mutation_scale: float = 0.2

    def begin(self):
        self._random, self._encoder = Random().join(self), None

    def propose(self):
        for default in self.context.defaults:
            if not self.record.tried[default]:
                return self.make(candidate=default, reason="default")
        alive = [o for o in self.record.results.values() if not o.failed]
        n_seen = len(self.record.results) + len(self.record.waiting)
        if n_seen < self.population or len(alive) < 2:
            return self._random.propose()
        alive = sorted(alive, key=lambda outcome: -outcome.score)[: max(self.population, 2)]
        if len(self.untried):
            return self.make(candidate=self._nearest_child(alive), reason="evolution")
        point = draw_new(self, lambda: self._child(alive))
        return None if point is None else self.make(point=point, reason="evolution")

    def _parent(self, alive):
        size = min(self.tournament, len(alive))
        return alive[int(self.rng.choice(len(alive), size=size, replace=False).min())].proposal

    def _child(self, alive):
        space, point = self.context.space, dict(self._parent(alive).point)
        try:
            if self.rng.random() < self.crossover:
                point = space.crossover(point, dict(self._parent(alive).point), self.rng)
            changes = 1 + int(self.rng.integers(2))
            return space.neighbor(point, self.rng, self.mutation_scale, changes)
        except SpaceError:  # a parent from outside the space
            return space.sample(self.rng)

    def _nearest_child(self, alive):
        if self._encoder is None:
            self._encoder = Encoder(self.context.candidates, self.context.space)
        rows = self._encoder.candidates
        parents = [self._parent(alive).candidate for _ in range(2)]
        parents = [p for p in parents if p is not None] or [int(self.untried[0])]
        child = rows[parents[0]].copy()
        if len(parents) > 1 and self.rng.random() < self.crossover:
            take = self.rng.random(len(child)) < 0.5
            child[take] = rows[parents[1]][take]
        width = len(child)
        changed = self.rng.choice(width, size=min(2, width), replace=False)
        child[changed] += self.rng.normal(0.0, self.mutation_scale, len(changed))
        untried = self.untried
        return untried[int(np.argmin(((rows[untried] - child) ** 2).sum(axis=1)))]
