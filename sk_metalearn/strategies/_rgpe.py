"""Ranking-weighted Gaussian process ensemble."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from ._acquisition import expected_improvement
from ._task_models import TaskEnsemble

__all__ = ["RankingEnsemble"]


@dataclass
class RankingEnsemble(TaskEnsemble):
    """Expected improvement on an ensemble weighted by how well each model ranks (RGPE).

    A Gaussian process is fitted to each past task. The results seen are drawn with replacement
    many times; the weight of a model is the share of draws in which it mis-orders the fewest
    pairs, the model of the task at hand being judged with each result left out in turn. Against
    dilution by many past tasks, a model is dropped by chance with a probability that grows with
    how rarely it beats the model of the task at hand and with the evaluations made.

    Parameters
    ----------
    n_samples : int, default=200
        Draws of the results.
    n_models : int, default=64
        Past tasks that enter the draws: those that mis-order the fewest pairs of the results.
    max_results : int, default=64
        Results that are ranked; beyond it they are a sample that always holds the best one.
    horizon : int, default=50
        Evaluations after which only the task at hand counts, unless the budget says how many
        there will be.

    References
    ----------
    M. Feurer, B. Letham, F. Hutter, E. Bakshy. Practical transfer learning for Bayesian
    optimization. arXiv:1802.02219, 2018.
    """

    n_samples: int = 200
    n_models: int = 64
    max_results: int = 64
    horizon: int = 50

    def utility(self):
        target = self.target()
        models = self.models
        weights, own = self.weights(target)
        chosen = np.flatnonzero(weights)
        mean = weights[chosen] @ models.means[chosen] + own * target["mean"]
        variance = (weights**2).sum() * models.deviation**2 + (own * target["deviation"]) ** 2
        deviation = np.sqrt(variance)
        if len(target["values"]):
            best = mean[target["indices"]].max()
            utility = expected_improvement(mean, deviation, best)
        else:
            utility = mean - mean.min()
        return utility * self.discount, self.describe(target, mean, deviation)

    def weights(self, target):
        """Weights of the past tasks and of the task at hand, summing to 1.

        Parameters
        ----------
        target : dict
            The model of the task at hand, as the method `target` gives it.
        """
        n_told = len(target["indices"])
        indices, values = self._ranked(target["indices"], target["values"])
        n_tasks, n = len(self.models.means), len(indices)
        if n < 3 or values.std() == 0:
            return np.full(n_tasks, 1.0 / (n_tasks + 1)), 1.0 / (n_tasks + 1)
        first, second = np.triu_indices(n, 1)
        order = values[first] > values[second]
        counts = (values[first] != values[second]).astype(np.float32)
        seen = self.models.means[:, indices]
        wrong = ((seen[:, first] > seen[:, second]) != order) * counts
        nearest = np.argsort(wrong.sum(axis=1), kind="stable")[: self.n_models]
        wrong = np.vstack(
            [wrong[nearest], self._own_errors(indices, values, first, second) * counts]
        )
        draws = self.rng.multinomial(n, np.full(n, 1.0 / n), size=self.n_samples)
        draws = draws.astype(np.float32)
        loss = wrong.astype(np.float32) @ (draws[:, first] * draws[:, second]).T
        loss = loss[self._kept(loss, n_told)]
        lowest = loss <= loss.min(axis=0) + 1e-6
        # Ties with the model of the task at hand are its own; others are split.
        lowest[:-1] &= ~lowest[-1]
        share = (lowest / lowest.sum(axis=0)).mean(axis=1)
        weights = np.zeros(n_tasks)
        weights[nearest[self._survivors]] = share[:-1]
        return weights, float(share[-1])

    def _ranked(self, indices, values):
        """Results that are ranked, and their values."""
        if len(indices) <= self.max_results:
            return indices, values
        kept = self.rng.choice(len(indices), size=self.max_results, replace=False)
        kept[0] = values.argmax() if values.argmax() not in kept else kept[0]
        return indices[kept], values[kept]

    def _kept(self, loss, n):
        """Which models survive the guard against dilution; the last one always does."""
        horizon = self.context.n_evaluations or self.horizon
        beats = (loss[:-1] < loss[-1]).mean(axis=1) * max(0.0, 1.0 - n / horizon)
        self._survivors = np.flatnonzero(self.rng.random(len(beats)) < beats)
        return [*self._survivors.tolist(), len(loss) - 1]

    def _own_errors(self, indices, values, first, second):
        """Pairs that the model of the task at hand mis-orders, half for each end left out."""
        covariance = self.models.kernel[np.ix_(indices, indices)].copy()
        covariance[np.diag_indices(len(indices))] += self.models.noise
        inverse = cho_solve(cho_factor(covariance, lower=True), np.eye(len(indices)))
        without = values - (inverse @ values) / np.diag(inverse)
        order = values[first] > values[second]
        one = (without[first] > values[second]) != order
        other = (values[first] > without[second]) != order
        return 0.5 * (one.astype(float) + other)
