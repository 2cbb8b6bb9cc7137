"""Active testing: past tasks count by how they order the results seen."""

from dataclasses import dataclass

import numpy as np

from ._pairs import PairsOfResults
from ._past_performance import PoolStrategy

__all__ = ["ActiveGreedy", "ActiveTesting", "Concordance"]


class Concordance(PairsOfResults):
    """How far each past task orders the candidates as the task at hand does, in [-1, 1].

    Pairs of results count by the difference of their scores; 1 where a task orders all alike.

    Parameters
    ----------
    past : ndarray of shape (n_tasks, n_candidates)
        Regret on the past tasks, in [0, 1].
    """

    def count(self, difference, past):
        return np.sign(-past) @ difference, np.abs(difference).sum()


@dataclass
class ActiveTesting(PoolStrategy):
    """Try the candidate most likely to beat the incumbent, judged by similar past tasks.

    A past task has the weight exp(temperature * q * sqrt(k)), where q is its concordance with the
    k results seen. The candidate proposed has the largest weighted mean gain over the incumbent.

    Parameters
    ----------
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
    temperature : float, default=1.5
        How sharply a past task that orders the results better counts more.

    References
    ----------
    R. Leite, P. Brazdil, J. Vanschoren. Selecting classification algorithms with active testing.
    MLDM 2012.
    """

    temperature: float = 1.5

    def prepare(self):
        self._concordance = Concordance(self.matrix.regret)

    def weights(self):
        """Weigh the past tasks by how they order the results.

        Returns
        -------
        weights : ndarray of shape (n_tasks,)
            Summing to 1.
        indices : ndarray of shape (n_observed,), dtype int
            Candidates with results.
        scores : ndarray of shape (n_observed,)
            Their scores, higher is better.
        waiting : ndarray of shape (n_waiting,), dtype int
            Candidates whose results are awaited.
        """
        indices, scores, waiting = self.observed()
        q = self._concordance.update(indices, scores)
        logits = self.temperature * q * np.sqrt(len(indices))
        weights = np.exp(logits - logits.max())
        return weights / weights.sum(), indices, scores, waiting

    def _reference(self, indices, scores, waiting):
        """Regret on each past task of what a new candidate is compared with."""
        regret = self.matrix.regret
        current = regret[:, waiting].min(axis=1, initial=1.0)
        if len(indices):
            current = np.minimum(current, regret[:, indices[np.argmax(scores)]])
        return current

    def utility(self):
        weights, *results = self.weights()
        regret = self.matrix.regret
        gain = weights @ np.maximum(self._reference(*results)[:, None] - regret, 0.0)
        utility = (gain + 1e-6 * (1.0 - weights @ regret)) * self.discount
        started = len(results[0]) > 1

        def details(candidate):
            if not started:
                return {"reason": "portfolio"}
            nearest = self.matrix.tasks[int(np.argmax(weights))]
            return {"reason": f"neighbour of {nearest}"}

        return utility, details


@dataclass
class ActiveGreedy(ActiveTesting):
    """Active testing with the gain counted over all results, not over the incumbent alone.

    On each past task a new candidate must beat the best of all candidates tried, so that near
    copies of what was tried gain nothing: a greedy portfolio that adapts to the task.

    Parameters
    ----------
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
    temperature : float, default=1.5
        How sharply a past task that orders the results better counts more.
    """

    def _reference(self, indices, scores, waiting):
        regret = self.matrix.regret
        tried = np.concatenate([indices, waiting])
        return regret[:, tried].min(axis=1, initial=1.0)
