"""Low-rank collaborative filtering: informative first probes, then the best predicted."""

from dataclasses import dataclass

import numpy as np

from ._transfer import TransferStrategy, put_on_scale

__all__ = ["LowRank"]


@dataclass
class LowRank(TransferStrategy):
    """Factor the past performance, probe for information, then try the best predicted (Oboe).

    The singular value decomposition of the tasks' normal scores gives each candidate a few
    factors. The first probes are chosen by D-optimality: each next one adds most to the
    determinant of the information about the task at hand (with a budget in seconds, per
    second). Then the task's own factors are fitted to the results by ridge regression, more of
    them as results come in, and the untried candidate with the best prediction is tried.

    Parameters
    ----------
    n_factors : int, default=8
        Largest number of factors.
    n_probes : int, default=5
        Evaluations chosen by D-optimality.
    noise : float, default=0.1
        Variance of what the factors leave unexplained, on the scale of the normal scores.

    References
    ----------
    C. Yang, Y. Akimoto, D. W. Kim, M. Udell. OBOE: collaborative filtering for AutoML model
    selection. KDD 2019.
    """

    n_factors: int = 8
    n_probes: int = 5
    noise: float = 0.1

    def prepare(self):
        normal = self.matrix.normal
        self._mean = normal.mean(axis=0)
        _, values, axes = np.linalg.svd(normal - self._mean, full_matrices=False)
        rank = max(1, min(self.n_factors, int((values > 1e-9 * max(values[0], 1e-300)).sum())))
        # Scaled so that the factors of a past task have unit variance.
        self._factors = axes[:rank] * (values[:rank, None] / np.sqrt(max(len(normal) - 1, 1)))
        self._deviation = np.sqrt((self._factors**2).sum(axis=0) + self.noise)

    def utility(self):
        indices, scores, waiting = self.observed()
        n_tried = len(indices) + len(waiting)
        if n_tried < min(self.n_probes, self.matrix.known.sum()) or len(scores) < 2:
            information = self._information(np.concatenate([indices, waiting]))
            # Of equally informative candidates the better one on average comes first.
            information += 1e-9 * (self._mean - self._mean.min())
            return information * self.discount, lambda candidate: {"reason": "probe"}
        mean, deviation = self._mean[indices], self._deviation[indices]
        values, centre, scale = put_on_scale(scores, mean, deviation)
        factors = self._factors[: max(1, min(len(self._factors), len(values) // 2 + 1))]
        seen = factors[:, indices]
        gram = seen @ seen.T + self.noise * np.eye(len(factors))
        predicted = self._mean + np.linalg.solve(gram, seen @ (values - mean)) @ factors
        utility = (predicted - predicted.min() + 1e-9) * self.discount

        def details(candidate):
            return {"reason": "low rank", "expected": float(centre + scale * predicted[candidate])}

        return utility, details

    def _information(self, tried):
        """How much a result of each candidate adds to the determinant of the information."""
        seen = self._factors[:, tried]
        gram = seen @ seen.T + self.noise * np.eye(len(self._factors))
        return (self._factors * np.linalg.solve(gram, self._factors)).sum(axis=0)
