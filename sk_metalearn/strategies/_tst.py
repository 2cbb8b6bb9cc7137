"""Two-stage transfer surrogate with ranking weights, and the acquisition made from it."""

from dataclasses import dataclass

import numpy as np

from ._acquisition import expected_improvement
from ._task_models import TaskEnsemble

__all__ = ["RankingWeights", "TransferSurrogateRanking"]


class RankingWeights:
    """Weights of past tasks by the share of pairs of results that they order otherwise.

    Results are taken in one by one, so that an update costs as much as there are earlier ones.

    Parameters
    ----------
    means : ndarray of shape (n_tasks, n_candidates)
        What the model of each past task expects.
    """

    def __init__(self, means):
        self.means = means
        self._forget()

    def _forget(self):
        self._known, self._pairs = {}, 0
        self._discordant = np.zeros(len(self.means))

    def discordance(self, indices, values):
        """Share of discordant pairs with each task; 0 with less than two results.

        Parameters
        ----------
        indices : ndarray of shape (n_observed,), dtype int
        values : ndarray of shape (n_observed,)

        Returns
        -------
        ndarray of shape (n_tasks,)
        """
        results = dict(zip(indices.tolist(), values.tolist(), strict=True))
        if any(results.get(index) != value for index, value in self._known.items()):
            self._forget()
        for index, value in results.items():
            if index not in self._known:
                self._add(index, value)
        return self._discordant / max(self._pairs, 1)

    def _add(self, index, value):
        if self._known:
            earlier = np.fromiter(self._known, dtype=int)
            difference = value - np.fromiter(self._known.values(), dtype=float)
            expected = self.means[:, [index]] - self.means[:, earlier]
            self._discordant += ((expected > 0) != (difference > 0)) @ (difference != 0)
            self._pairs += int((difference != 0).sum())
        self._known[index] = value


@dataclass
class TransferSurrogateRanking(TaskEnsemble):
    """Expected improvement on a weighted mean of past and present models (TST-R).

    A Gaussian process is fitted to each past task. A past task has the Epanechnikov weight
    3/4 (1 - (q / bandwidth)^2) of its share q of discordant pairs with the results seen, and none
    beyond the bandwidth; the model of the task at hand has the weight 3/4. The mean is the
    weighted mean of all models, the spread that of the model of the task at hand.

    Parameters
    ----------
    bandwidth : float, default=0.3
        Share of discordant pairs from which a past task no longer counts.

    References
    ----------
    M. Wistuba, N. Schilling, L. Schmidt-Thieme. Two-stage transfer surrogate model for automatic
    hyperparameter optimization. ECML PKDD 2016.
    """

    bandwidth: float = 0.3

    def prepare(self):
        super().prepare()
        self._ranking = RankingWeights(self.models.means)

    def weights(self, target):
        """Weights of the past tasks; that of the task at hand is 3/4.

        Parameters
        ----------
        target : dict
            The model of the task at hand, as the method `target` gives it.
        """
        indices, scores, _ = self.observed()
        share = self._ranking.discordance(indices, scores)
        return 0.75 * np.maximum(1.0 - (share / self.bandwidth) ** 2, 0.0)

    def utility(self):
        target = self.target()
        weights = self.weights(target)
        mean = weights @ self.models.means + 0.75 * target["mean"]
        mean /= weights.sum() + 0.75
        if len(target["values"]):
            best = mean[target["indices"]].max()
            utility = expected_improvement(mean, target["deviation"], best)
        else:
            utility = mean - mean.min()
        return utility * self.discount, self.describe(target, mean, target["deviation"])
