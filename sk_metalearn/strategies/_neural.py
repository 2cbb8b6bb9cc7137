"""Neural-network surrogate of the performance."""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from ._surrogate import SurrogateStrategy

__all__ = ["NeuralNetwork"]


@dataclass
class NeuralNetwork(SurrogateStrategy):
    """Expected improvement under an ensemble of networks from hyperparameters to performance.

    The networks minimise the squared error of the scores seen. They begin at different weights;
    their disagreement is the spread of the prediction. They are fitted from new weights when
    there is a tenth more to fit to, and adapted from the weights they have otherwise.

    Parameters
    ----------
    n_networks : int, default=3
    hidden_layer_sizes : tuple of int, default=(32, 32)
    alpha : float, default=0.001
        Penalty on the squared weights.
    max_iter : int, default=80
        Iterations of L-BFGS in which a network is fitted.

    References
    ----------
    J. Snoek et al. Scalable Bayesian optimization using deep neural networks. ICML 2015.
    B. Lakshminarayanan, A. Pritzel, C. Blundell. Simple and scalable predictive uncertainty
    estimation using deep ensembles. NeurIPS 2017.
    """

    n_networks: int = 3
    hidden_layer_sizes: tuple[int, ...] = (32, 32)
    alpha: float = 0.001
    max_iter: int = 80

    def begin(self):
        super().begin()
        self._networks, self._next_fit = [], 0

    def fit(self, rows, values):
        if len(values) >= self._next_fit:
            self._next_fit = len(values) + max(1, len(values) // 10)
            self._networks = [self._network() for _ in range(self.n_networks)]
            return self._train(rows, values, self.max_iter)
        return self.refit(rows, values)

    def refit(self, rows, values):
        return self._train(rows, values, self.max_iter // 12)

    def _network(self):
        return MLPRegressor(
            hidden_layer_sizes=self.hidden_layer_sizes,
            activation="tanh",
            solver="lbfgs",
            alpha=self.alpha,
            warm_start=True,
            random_state=int(self.rng.integers(2**31)),
        )

    def _train(self, rows, values, max_iter):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for network in self._networks:
                network.set_params(max_iter=max(max_iter, 1)).fit(rows, values)

        def predict(rows):
            means = np.array([network.predict(rows) for network in self._networks])
            return means.mean(axis=0), np.sqrt(means.var(axis=0) + 1e-4)

        return predict
