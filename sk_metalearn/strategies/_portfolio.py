"""Greedy portfolio: candidates that complement each other over the past tasks."""

from dataclasses import dataclass

import numpy as np

from ._pool import PoolStrategy

__all__ = ["Portfolio"]


@dataclass
class Portfolio(PoolStrategy):
    """Walk down a list built greedily: each next candidate is the one that adds most.

    The gain of a candidate is the mean over past tasks of how far it lowers the regret of the best
    candidate tried so far; it is monotone and submodular, so the greedy list is within 1 - 1/e of
    the best list of each length. With a budget in seconds the gain per second decides. A candidate
    that failed on the task at hand does not count as tried.

    References
    ----------
    F. Pfisterer, J. van Rijn, P. Probst, A. Müller, B. Bischl. Learning multiple defaults for
    machine learning algorithms. GECCO companion, 2021.
    D. Salinas, N. Erickson. TabRepo. AutoML conference, 2024.
    """

    def prepare(self):
        self._mean = self.matrix.regret.mean(axis=0)

    def utility(self):
        regret = self.matrix.regret
        counted = self.record.tried.copy()
        for outcome in self.record.results.values():
            if outcome.failed and outcome.proposal.candidate is not None:
                counted[outcome.proposal.candidate] = False
        current = regret[:, counted].min(axis=1, initial=1.0)
        gain = np.maximum(current[:, None] - regret, 0.0).mean(axis=0)
        # Where nothing more can be gained, the better candidate comes first.
        utility = (gain + 1e-6 * (1.0 - self._mean)) * self.discount
        return utility, lambda candidate: {"reason": "portfolio"}
