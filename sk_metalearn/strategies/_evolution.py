"""Evolutionary search: selection, crossover, mutation."""

from dataclasses import dataclass

import numpy as np

from ..exceptions import SpaceError
from ..spaces import Encoder, fresh_point, infer_space
from ._sampling import QuasiRandom, Random
from ._strategy import Strategy

__all__ = ["Evolution"]


@dataclass
class Evolution(Strategy):
    """Let the best of the recent results have children: regularised evolution.

    The population is the latest results. A parent wins a tournament among some of them; with
    a chance a second winner of the same branch of the space is crossed with it, and one or two
    of the active parameters mutate; now and then the child starts afresh in another branch.
    Ageing lets points that were good by luck die out. With candidates but no space the child is
    the untried candidate nearest to it.

    Parameters
    ----------
    n_initial : int, default=10
        Evaluations that fill the space before the first child.
    population_size : int, default=60
        Latest results that may become parents; the best one always may.
    tournament_size : int, default=10
        Members of the population among which the best becomes a parent.
    crossover_rate : float, default=0.3
        Chance of a second parent.
    branch_rate : float, default=0.1
        Chance that the child is a random point of another branch of the space.
    step : float, default=0.3
        Standard deviation of the mutation of a number, on its scale from 0 to 1; each mutation
        takes this, a half or a quarter of it.
    n_failures : int, default=10
        Children in a row that were all known before a random point is tried.

    References
    ----------
    E. Real, A. Aggarwal, Y. Huang, Q. Le. Regularized evolution for image classifier architecture
    search. AAAI 2019.
    """

    n_initial: int = 10
    population_size: int = 60
    tournament_size: int = 10
    crossover_rate: float = 0.3
    branch_rate: float = 0.1
    step: float = 0.3
    n_failures: int = 10

    def begin(self):
        self._design, self._random = QuasiRandom().join(self), Random().join(self)
        self._space, self._encoder = self.context.space, None

    @property
    def space(self):
        """Where children are made: the space, or the one that the candidates span."""
        if self._space is None:
            self._space = infer_space(self.context.candidates)
        return self._space

    def propose(self):
        for default in self.context.defaults:
            if not self.record.tried[default]:
                return self.make(candidate=default, reason="default")
        population = self._population()
        n_seen = len(self.record.results) + len(self.record.waiting)
        if n_seen < self.n_initial or not population:
            return self._design.propose()
        if self.context.space is None:
            return self._nearest_candidate(population)
        child = fresh_point(lambda: self._child(population), self.record.keys, self.n_failures)
        if child is None:
            return self._random.propose()
        return self.make(point=child, reason="evolution")

    def _population(self):
        """Points and scores of the latest results, the best one always among them."""
        results = [outcome for outcome in self.record.results.values() if not outcome.failed]
        population = results[-self.population_size :]
        if results:
            best = max(results, key=lambda outcome: outcome.score)
            if all(outcome is not best for outcome in population):
                population.append(best)
        return [(dict(outcome.proposal.point), outcome.score) for outcome in population]

    def _select(self, population):
        """Winner of a tournament."""
        size = min(self.tournament_size, len(population))
        rivals = self.rng.choice(len(population), size=size, replace=False)
        return population[max(rivals, key=lambda i: population[i][1])][0]

    def _child(self, population):
        """Make a child; None if its parent does not lie in the space."""
        n_branches = len(self.space.branches)
        try:
            child = self._select(population)
            if n_branches > 1 and self.rng.random() < self.branch_rate:
                other = 1 + int(self.rng.integers(n_branches - 1))
                branch = (self.space.branch_of(child) + other) % n_branches
                return self.space.sample(self.rng, branch)
            if self.rng.random() < self.crossover_rate:
                child = self.space.crossover(child, self._select(population), self.rng)
            step = self.step * 0.5 ** int(self.rng.integers(3))
            return self.space.neighbor(child, self.rng, step, 1 + int(self.rng.integers(2)))
        except SpaceError:
            return None

    def _nearest_candidate(self, population):
        untried = self.untried
        if not len(untried):
            return None
        if self._encoder is None:
            self._encoder = Encoder(self.context.candidates, self.space)
        for _ in range(self.n_failures):
            child = self._child(population)
            if child is not None:
                rows = self._encoder.candidates[untried]
                distance = ((rows - self._encoder([child])) ** 2).sum(axis=1)
                near = np.flatnonzero(distance <= distance.min() + 1e-12)
                pick = untried[near[self.rng.integers(len(near))]]
                return self.make(candidate=pick, reason="evolution")
        return self._random.propose()
