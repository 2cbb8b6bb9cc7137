"""Bayesian optimisation with a neural network."""

from dataclasses import dataclass

from ._network import BayesianHead, Network
from ._surrogate import SurrogateStrategy

__all__ = ["NeuralNetwork"]


@dataclass
class NeuralNetwork(SurrogateStrategy):
    """A network from hyperparameters to score, and expected improvement.

    The network is trained on the squared error; Bayesian linear regression on its last hidden
    layer gives the spread. The hidden layers are trained again when there is a tenth more to learn
    from, the last layer with every result.

    Parameters
    ----------
    hidden : tuple of int, default=(32, 32)
        Units of the hidden layers.
    penalty : float, default=1e-3
        Weight of the squared weights in the training loss.
    n_steps : int, default=60
        Steps of each training.

    References
    ----------
    J. Snoek et al. Scalable Bayesian optimization using deep neural networks. ICML 2015.
    """

    hidden: tuple = (32, 32)
    penalty: float = 1e-3
    n_steps: int = 60

    def begin(self):
        super().begin()
        self._network, self._next_fit = None, 0

    def fit(self, rows, values):
        if self._network is None:
            self._network = Network((rows.shape[1], *self.hidden, 1), self.rng, linear=True)
        if len(values) >= self._next_fit:
            self._next_fit = len(values) + max(1, len(values) // 10)
            self._network.fit(rows, values[:, None], penalty=self.penalty, n_steps=self.n_steps)
        return self.refit(rows, values)

    def refit(self, rows, values):
        head = BayesianHead(self._network.forward(rows)[-2], values)
        return lambda new: head.predict(self._network.forward(new)[-2])
