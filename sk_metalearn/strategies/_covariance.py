"""What past tasks say about how candidates vary together: a normal, or a few factors."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from ._acquisition import expected_improvement
from ._past_performance import PoolStrategy, TransferStrategy, put_on_scale

__all__ = ["LowRank", "Posterior", "TransferMVN"]

# A score further below the best than this many times the median's distance tells no more.
_OUTLYING = 3.0


class Posterior:
    """Posterior of a multivariate normal that grows by one observation at a time.

    Parameters
    ----------
    mean : ndarray of shape (n,)
        Prior mean.
    covariance : ndarray of shape (n, n)
        Prior covariance.
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
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
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
        """Condition the normal on the results so far.

        Returns
        -------
        mean, deviation : ndarray of shape (n_candidates,)
            On the scale of the normal scores; what is waiting narrows the deviation.
        best : float
            The best value told on that scale; -inf before the first result.
        """
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
            Their scores, higher is better.

        Returns
        -------
        values : ndarray of shape (n_observed,)
            Scores on the scale of the normal scores.
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
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
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
