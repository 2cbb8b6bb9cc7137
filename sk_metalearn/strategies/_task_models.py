"""Gaussian processes of the past tasks, and the strategies that combine them."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from ..spaces import Encoder
from ._acquisition import expected_improvement
from ._covariance import Posterior
from ._pairs import PairsOfResults
from ._past_performance import TransferStrategy, put_on_scale
from ._process import SharedProcess, kernel_matrix

__all__ = [
    "Discordance",
    "RankingEnsemble",
    "TaskEnsemble",
    "TaskModels",
    "TransferAcquisition",
    "TransferSurrogateRanking",
]

# Lengths relative to half the square root of the number of columns, and variances of the noise.
_LENGTHS = (0.25, 0.5, 1.0, 2.0, 4.0)


_NOISES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


class TaskModels:
    """A Gaussian process over the hyperparameters for each past task, all with one kernel.

    The tasks share their inputs, so that one decomposition of the kernel matrix serves all of
    them. Length and noise maximise the marginal likelihood summed over the tasks.

    Parameters
    ----------
    rows : ndarray of shape (n_candidates, n_columns)
        Encoded candidates.
    normal : ndarray of shape (n_tasks, n_candidates)
        Normal scores of the past tasks.
    known : ndarray of shape (n_candidates,), dtype bool
        Candidates with a past.
    max_selection : int, default=256
        Candidates from which length and noise are found.

    Attributes
    ----------
    kernel : ndarray of shape (n_candidates, n_candidates)
        Prior covariance of the candidates.
    noise : float
        Variance of the noise.
    means : ndarray of shape (n_tasks, n_candidates)
        Posterior mean of each past task.
    deviation : ndarray of shape (n_candidates,)
        Posterior standard deviation, the same for all tasks.
    """

    def __init__(self, rows, normal, known, max_selection=256):
        places = np.flatnonzero(known)
        chosen = places
        if len(places) > max_selection:
            chosen = places[np.linspace(0, len(places) - 1, max_selection).astype(int)]
        typical = 0.5 * np.sqrt(rows.shape[1])
        lengths = [factor * typical for factor in _LENGTHS]
        kernels = (kernel_matrix(rows[chosen], rows[chosen], length) for length in lengths)
        best = SharedProcess.choose(kernels, _NOISES, normal[:, chosen].T)
        self.length, noise, self.scale = lengths[best.place], best.noise, best.scale
        kernel = kernel_matrix(rows, rows, self.length)
        inner = kernel[np.ix_(places, places)].copy()
        inner[np.diag_indices(len(places))] += noise
        factor = cho_factor(inner, lower=True, check_finite=False)
        weights = cho_solve(factor, kernel[places], check_finite=False)
        self.means = normal[:, places] @ weights
        left = np.maximum(1.0 - (kernel[places] * weights).sum(axis=0), 1e-9)
        self.kernel, self.noise = self.scale * kernel, self.scale * noise
        self.deviation = np.sqrt(self.scale * left)


@dataclass
class TaskEnsemble(TransferStrategy):
    """Base of the strategies that combine a model of each past task with one of the task at hand.

    A subclass implements `utility` with the models of the past tasks, `self.models`, and
    `target`.
    """

    def prepare(self):
        rows = Encoder(self.context.candidates, self.context.space).candidates
        matrix = self.matrix
        self.models = TaskModels(rows, matrix.normal, matrix.known)
        self._mean = matrix.normal.mean(axis=0)
        self._deviation = np.sqrt(matrix.normal.var(axis=0) + self.models.noise)
        self._posterior = Posterior(np.zeros(len(rows)), self.models.kernel, self.models.noise)

    def target(self):
        """Fit the model of the task at hand.

        Returns
        -------
        dict
            ``indices`` of the candidates with results, their ``values`` on the scale of the
            normal scores with its ``centre`` and ``scale``, indices of those ``waiting``, and
            ``mean`` and ``deviation`` of all candidates. What is waiting narrows the deviation.
        """
        indices, scores, waiting = self.observed()
        values, centre, scale = put_on_scale(scores, self._mean[indices], self._deviation[indices])
        posterior = self._posterior.follow([*indices.tolist(), *waiting.tolist()])
        return {
            "indices": indices,
            "values": values,
            "centre": centre,
            "scale": scale,
            "waiting": waiting,
            "mean": posterior.given(values),
            "deviation": np.sqrt(posterior.variance),
        }

    def describe(self, target, mean, deviation):
        """Make the function that gives the details of a proposal."""

        def details(candidate):
            return {
                "reason": "surrogate",
                "expected": float(target["centre"] + target["scale"] * mean[candidate]),
                "spread": float(target["scale"] * deviation[candidate]),
            }

        return details


class Discordance(PairsOfResults):
    """Share of the pairs of results that each past task orders otherwise; ties do not count.

    Parameters
    ----------
    past : ndarray of shape (n_tasks, n_candidates)
        What the model of each past task expects.
    """

    def count(self, difference, past):
        differ = (difference != 0).astype(float)
        return ((past > 0) != (difference > 0)) @ differ, differ.sum()


@dataclass
class TransferSurrogateRanking(TaskEnsemble):
    """Expected improvement on a weighted mean of past and present models (TST-R).

    A Gaussian process is fitted to each past task. A past task has the Epanechnikov weight
    3/4 (1 - (q / bandwidth)^2) of its share q of discordant pairs with the results seen, and none
    beyond the bandwidth; the model of the task at hand has the weight 3/4. The mean is the
    weighted mean of all models, the spread that of the model of the task at hand.

    Parameters
    ----------
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
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
        self._discordance = Discordance(self.models.means)

    def weights(self, target):
        """Weights of the past tasks; that of the task at hand is 3/4.

        Parameters
        ----------
        target : dict
            The model of the task at hand, as the method `target` gives it.

        Returns
        -------
        ndarray of shape (n_tasks,)
            Between 0 and 3/4.
        """
        indices, scores, _ = self.observed()
        share = self._discordance.update(indices, scores)
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


@dataclass
class TransferAcquisition(TransferSurrogateRanking):
    """Weighted mean of the improvement promised by past and present models (TAF-R).

    The model of the task at hand promises its expected improvement; the model of a past task
    promises how far its mean lies above the best candidate tried, judged on that task. Weights
    are those of the two-stage transfer surrogate, so that the task at hand decides once the past
    ones order its results otherwise.

    Parameters
    ----------
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
    bandwidth : float, default=0.3
        Share of discordant pairs from which a past task no longer counts.

    References
    ----------
    M. Wistuba, N. Schilling, L. Schmidt-Thieme. Scalable Gaussian process-based transfer surrogates
    for hyperparameter optimization. Machine Learning 107, 2018.
    """

    def utility(self):
        target = self.target()
        weights, means = self.weights(target), self.models.means
        tried = np.concatenate([target["indices"], target["waiting"]])
        # Before the first evaluation everything improves on the worst.
        worst = means.min(axis=1, keepdims=True)
        reached = means[:, tried].max(axis=1, keepdims=True) if len(tried) else worst
        utility = weights @ np.maximum(means - reached, 0.0)
        if len(target["values"]):
            own = expected_improvement(target["mean"], target["deviation"], target["values"].max())
            utility += 0.75 * own
        return utility * self.discount, self.describe(target, target["mean"], target["deviation"])


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
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
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

        Returns
        -------
        weights : ndarray of shape (n_tasks,)
            Of the past tasks.
        own : float
            Of the task at hand; all sum to 1.
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
