"""Transfer multivariate normal: the covariance between candidates, learned from past tasks."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from ._acquisition import expected_improvement
from ._pool import PoolStrategy

__all__ = ["Posterior", "TransferMVN"]

# A score further below the best than this many times the median's distance tells no more.
_OUTLYING = 3.0


class Posterior:
    """Posterior of a multivariate normal that grows by one observation at a time.

    Parameters
    ----------
    mean : ndarray of shape (n,)
    covariance : ndarray of shape (n, n)
    noise : float
        Variance of an observation's error.
    """

    def __init__(self, mean, covariance, noise):
        self.mean, self.covariance, self.noise = mean, covariance, noise
        self.indices = []
        n = len(mean)
        self._factor, self._cross = np.zeros((16, 16)), np.zeros((16, n))
        self.variance = np.diag(covariance).copy()

    def follow(self, wanted):
        """Make `wanted` the list of observed variables, keeping the common beginning."""
        same = 0
        for ours, theirs in zip(self.indices, wanted, strict=False):
            if ours != theirs:
                break
            same += 1
        if same < len(self.indices):
            del self.indices[same:]
            self.variance = np.diag(self.covariance) - (self._cross[:same] ** 2).sum(axis=0)
        for index in wanted[same:]:
            self.add(index)
        return self

    def add(self, index):
        """Take in that `index` will be observed."""
        k = len(self.indices)
        if k == len(self._factor):
            self._factor = np.pad(self._factor, (0, k))
            self._cross = np.pad(self._cross, ((0, k), (0, 0)))
        row = self._cross[:k, index]
        pivot = np.sqrt(max(self.covariance[index, index] + self.noise - row @ row, 1e-10))
        self._factor[k, :k], self._factor[k, k] = row, pivot
        self._cross[k] = (self.covariance[index] - row @ self._cross[:k]) / pivot
        self.variance = np.maximum(self.variance - self._cross[k] ** 2, 1e-10)
        self.indices.append(index)

    def given(self, values):
        """Mean of all variables given the values of the first ``len(values)`` observed.

        Later observations, whose values are not known, take their expected values.
        """
        k = len(values)
        if k == 0:
            return self.mean
        observed = self.indices[:k]
        coefficients = solve_triangular(
            self._factor[:k, :k], values - self.mean[observed], lower=True, check_finite=False
        )
        return self.mean + coefficients @ self._cross[:k]


@dataclass
class TransferMVN(PoolStrategy):
    """Expected improvement under a multivariate normal over the candidates.

    The scores of each past task are turned into normal scores of their ranks; their mean and
    shrunk covariance over the tasks are the prior of the task at hand, whose own scores are put on
    that scale by their mean and spread.

    Parameters
    ----------
    shrinkage : float, default=5.0
        The covariance is shrunk towards its diagonal by this number over the number of tasks.
    noise : float, default=0.01
        Variance of the error of an observed score, on the scale of the normal scores.

    References
    ----------
    Z. Wang et al. Pre-trained Gaussian processes for Bayesian optimization. JMLR 25, 2024.
    D. Salinas, H. Shen, V. Perrone. A quantile-based approach for hyperparameter transfer
    learning. ICML 2020.
    """

    shrinkage: float = 5.0
    noise: float = 0.01

    def prepare(self):
        self._moments = self.matrix.moments(self.shrinkage)
        self._posterior = Posterior(*self._moments, self.noise)

    def posterior(self):
        """Mean and standard deviation of all candidates, and the best value, on normal scores."""
        indices, scores, waiting = self.observed()
        posterior = self._posterior.follow([*indices.tolist(), *waiting.tolist()])
        values, _, _ = self.to_normal(indices, scores)
        best = values.max() if len(values) else -np.inf
        return posterior.given(values), np.sqrt(posterior.variance), best

    def to_normal(self, indices, scores):
        """Put scores on the scale of the normal scores.

        Parameters
        ----------
        indices : ndarray of shape (n_observed,)
            Candidates tried.
        scores : ndarray of shape (n_observed,)

        Returns
        -------
        values : ndarray of shape (n_observed,)
        centre, scale : float
            ``scores = centre + scale * values``.
        """
        mean, covariance = self._moments
        if len(indices) == 0:
            return scores, np.nan, np.nan
        prior = mean[indices]
        # Ranks know no outliers; one very poor score would make all good ones look alike.
        best, middle = scores.max(), np.median(scores)
        if best > middle:
            scores = np.maximum(scores, best - _OUTLYING * (best - middle))
        spread = scores.std()
        if len(indices) == 1 or spread == 0:
            return prior.copy(), np.nan, np.nan
        expected = np.sqrt(covariance[indices, indices].mean() + prior.var())
        scale = spread / expected
        centre = scores.mean() - scale * prior.mean()
        return (scores - centre) / scale, centre, scale

    def utility(self):
        mean, deviation, best = self.posterior()
        if not np.isfinite(best):
            utility = mean - mean.min()
        else:
            utility = expected_improvement(mean, deviation, best)
        utility = utility * self.discount
        indices, scores, _ = self.observed()
        _, centre, scale = self.to_normal(indices, scores)

        def details(candidate):
            return {
                "reason": "surrogate",
                "expected": float(centre + scale * mean[candidate]),
                "spread": float(scale * deviation[candidate]),
            }

        return utility, details
