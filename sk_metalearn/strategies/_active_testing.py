"""Active testing: past tasks count by how they order the results seen."""

from dataclasses import dataclass

import numpy as np

from ._past_performance import PoolStrategy

__all__ = ["ActiveGreedy", "ActiveTesting", "Concordance"]


class Concordance:
    """How far each past task orders the candidates as the task at hand does.

    Pairs of results count by the difference of their scores. Results are taken in one by one, so
    that an update costs as much as there are earlier results.

    Parameters
    ----------
    regret : ndarray of shape (n_tasks, n_candidates)
        Of the past tasks, in [0, 1].
    """

    def __init__(self, regret):
        self.regret = regret
        self._forget()

    def _forget(self):
        self._known = {}
        self._agreement, self._weight = np.zeros(len(self.regret)), 0.0

    def update(self, indices, scores):
        """Return the concordance with each task, in [-1, 1]; 0 with less than two results.

        Parameters
        ----------
        indices : ndarray of shape (n_observed,), dtype int
            Candidates with results.
        scores : ndarray of shape (n_observed,)
            Their scores, higher is better.

        Returns
        -------
        ndarray of shape (n_tasks,)
            1 where a task orders all pairs of results alike.
        """
        results = dict(zip(indices.tolist(), scores.tolist(), strict=True))
        if any(results.get(index) != score for index, score in self._known.items()):
            self._forget()  # a result was corrected
        for index, score in results.items():
            if index not in self._known:
                self._add(index, score)
        return self._agreement / self._weight if self._weight > 0 else self._agreement

    def _add(self, index, score):
        if self._known:
            earlier = np.fromiter(self._known, dtype=int)
            difference = score - np.fromiter(self._known.values(), dtype=float)
            past = self.regret[:, earlier] - self.regret[:, [index]]
            self._agreement = self._agreement + np.sign(past) @ difference
            self._weight += np.abs(difference).sum()
        self._known[index] = score


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
