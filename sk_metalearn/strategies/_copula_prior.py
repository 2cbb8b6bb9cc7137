"""Gaussian copula process with a prior learned from past tasks."""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from ._gp import GaussianProcessRegression
from ._prior_surrogate import PriorSurrogate

__all__ = ["CopulaPrior"]


@dataclass
class CopulaPrior(PriorSurrogate):
    """Expected improvement under a process around a mean and a spread learned from the past.

    The scores of each past task become normal scores of their ranks, a scale that all tasks
    share. A network learns their mean at each point of the hyperparameters, a second one the
    logarithm of their spread around it. On the task at hand a Gaussian process models what the
    prior leaves over, in units of that spread (GCP + prior).

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(32, 32)
        Units of the layers of both networks.
    max_iter : int, default=200
        Iterations in which each is learned when a search begins.
    sampling : bool, default=False
        Thompson sampling from the prior alone (CTS) in place of the process: the results seen are
        then not learned from.

    References
    ----------
    D. Salinas, H. Shen, V. Perrone. A quantile-based approach for hyperparameter transfer
    learning. ICML 2020.
    """

    hidden_layer_sizes: tuple[int, ...] = (32, 32)
    max_iter: int = 200
    sampling: bool = False

    def learn_prior(self, rows, normal):
        mean = normal.mean(axis=0)
        spread = np.sqrt(((normal - mean) ** 2).mean(axis=0) + 1e-2)
        self._mean_model = self._learn(rows, mean)
        # What the mean's network misses is part of the spread.
        missed = (mean - self._mean_model.predict(rows)) ** 2
        self._spread_model = self._learn(rows, np.log(np.sqrt(spread**2 + missed)))
        self._process, self._next_fit = GaussianProcessRegression(), 0

    def _learn(self, rows, targets):
        """Fit a network; squared error over all tasks has its minimum at the means over them."""
        model = MLPRegressor(
            hidden_layer_sizes=self.hidden_layer_sizes,
            solver="lbfgs",
            alpha=1e-2,
            max_iter=self.max_iter,
            random_state=int(self.rng.integers(2**31)),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return model.fit(rows, targets)

    def expect(self, rows):
        return self._mean_model.predict(rows), np.exp(self._spread_model.predict(rows))

    def posterior(self, rows, values):
        if self.sampling:
            return self.expect
        mean, spread = self.expect(rows)
        optimise = len(values) >= self._next_fit
        if optimise:
            self._next_fit = len(values) + max(1, len(values) // 10)
        process = self._process.fit(rows, (values - mean) / spread, optimise)

        def predict(rows):
            mean, spread = self.expect(rows)
            residual, deviation = process.predict(rows)
            return mean + spread * residual, spread * deviation

        return predict

    def acquire(self, mean, deviation, best, n_candidates):
        if self.sampling:
            return self.rng.normal(mean, deviation)
        return super().acquire(mean, deviation, best, n_candidates)
