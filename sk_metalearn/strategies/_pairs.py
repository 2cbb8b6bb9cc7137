"""Pairs of results, beside what past tasks say of the same two candidates."""

import numpy as np

__all__ = ["PairsOfResults"]


class PairsOfResults:
    """Compare the order of the results with that of each past task.

    Results are taken in one by one, so that an update costs as much as there are earlier results.

    Parameters
    ----------
    past : ndarray of shape (n_tasks, n_candidates)
        What each past task says of the candidates.
    """

    def __init__(self, past):
        self.past = past
        self._forget()

    def _forget(self):
        self._known = {}
        self._counted, self._weight = np.zeros(len(self.past)), 0.0

    def update(self, indices, scores):
        """Take in results, and give the mean over all pairs of them.

        Parameters
        ----------
        indices : ndarray of shape (n_observed,), dtype int
            Candidates with results.
        scores : ndarray of shape (n_observed,)
            Their scores, higher is better.

        Returns
        -------
        ndarray of shape (n_tasks,)
            What `count` gives, per weight; 0 without a pair that counts.
        """
        results = dict(zip(indices.tolist(), scores.tolist(), strict=True))
        if any(results.get(index) != score for index, score in self._known.items()):
            self._forget()  # a result was corrected
        for index, score in results.items():
            if index in self._known:
                continue
            if self._known:
                earlier = np.fromiter(self._known, dtype=int)
                difference = score - np.fromiter(self._known.values(), dtype=float)
                past = self.past[:, [index]] - self.past[:, earlier]
                counted, weight = self.count(difference, past)
                self._counted, self._weight = self._counted + counted, self._weight + weight
            self._known[index] = score
        return self._counted / self._weight if self._weight > 0 else self._counted

    def count(self, difference, past):
        """Count the pairs of a new result with each of the earlier ones.

        Parameters
        ----------
        difference : ndarray of shape (n_earlier,)
            By how much its score is above theirs.
        past : ndarray of shape (n_tasks, n_earlier)
            By how much the past tasks put it above them.

        Returns
        -------
        counted : ndarray of shape (n_tasks,)
            Sum over the pairs.
        weight : float
            What the pairs weigh together.
        """
        raise NotImplementedError
