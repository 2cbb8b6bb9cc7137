"""Greedy portfolio: candidates that complement each other over the past tasks."""

from dataclasses import dataclass

import numpy as np

from ._likeness import task_weights
from ._pool import PoolStrategy

__all__ = ["Portfolio"]


@dataclass
class Portfolio(PoolStrategy):
    """Walk down a list built greedily: each next candidate is the one that adds most.

    The gain of a candidate is the mean over past tasks of how far it lowers the regret of the best
    candidate tried so far; it is monotone and submodular, so the greedy list is within 1 - 1/e of
    the best list of each length. With a budget in seconds the gain per second decides. A candidate
    that failed on the task at hand does not count as tried.

    Parameters
    ----------
    likeness : float, default=0.0
        How much more past tasks with similar meta-features count: their weight in the mean is
        exp(-likeness * d^2), where d is the distance in a linear map of the meta-features
        regressed on loss profiles, scaled so that the mean of d^2 is 1.

    References
    ----------
    F. Pfisterer, J. van Rijn, P. Probst, A. Müller, B. Bischl. Learning multiple defaults for
    machine learning algorithms. GECCO companion, 2021.
    D. Salinas, N. Erickson. TabRepo. AutoML conference, 2024.
    """

    likeness: float = 0.0

    def prepare(self):
        context = self.context
        self._weights = task_weights(self.matrix, context.past, context.metafeatures, self.likeness)
        self._mean = self._weights @ self.matrix.regret

    def utility(self):
        regret = self.matrix.regret
        counted = self.record.tried.copy()
        for outcome in self.record.results.values():
            if outcome.failed and outcome.proposal.candidate is not None:
                counted &= self.record.first != self.record.first[outcome.proposal.candidate]
        current = regret[:, counted].min(axis=1, initial=1.0)
        gain = self._weights @ np.maximum(current[:, None] - regret, 0.0)
        # Where nothing more can be gained, the better candidate comes first.
        utility = (gain + 1e-6 * (1.0 - self._mean)) * self.discount
        return utility, lambda candidate: {"reason": "portfolio"}
