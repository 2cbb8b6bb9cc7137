"""A small multilayer perceptron whose weights are one vector, for losses of any kind."""

import numpy as np
from scipy.optimize import minimize

__all__ = ["BayesianHead", "Network"]


class Network:
    """Layers of tanh units; the last layer's units are the features or, if linear, the outputs.

    Parameters
    ----------
    sizes : tuple of int
        Number of inputs, then the units of each layer.
    rng : numpy.random.Generator
        Draws the first weights.
    linear : bool, default=False
        Whether the last layer has no tanh.
    """

    def __init__(self, sizes, rng, linear=False):
        self.linear = linear
        self.shapes = [(a + 1, b) for a, b in zip(sizes[:-1], sizes[1:], strict=True)]
        self.weights = np.concatenate(
            [
                np.vstack([np.zeros((1, b)), rng.normal(0, (1 / max(a - 1, 1)) ** 0.5, (a - 1, b))])
                for a, b in self.shapes
            ],
            axis=None,
        )

    def _layers(self, weights):
        start = 0
        for a, b in self.shapes:
            yield weights[start : start + a * b].reshape(a, b)
            start += a * b

    def forward(self, rows, weights=None):
        """Give the values of every layer, the inputs first."""
        values = [rows]
        layers = list(self._layers(self.weights if weights is None else weights))
        for i, layer in enumerate(layers):
            out = values[-1] @ layer[1:] + layer[0]
            values.append(out if self.linear and i == len(layers) - 1 else np.tanh(out))
        return values

    def __call__(self, rows):
        return self.forward(rows)[-1]

    def backward(self, values, slope, weights):
        """Gradient of a loss in the weights, from its slope in the last layer's values."""
        layers = list(self._layers(weights))
        pieces = []
        for i in range(len(layers) - 1, -1, -1):
            if not (self.linear and i == len(layers) - 1):
                slope = slope * (1 - values[i + 1] ** 2)
            pieces.append(np.vstack([slope.sum(axis=0, keepdims=True), values[i].T @ slope]))
            slope = slope @ layers[i][1:].T
        return np.concatenate(pieces[::-1], axis=None)

    def train(self, rows, loss, penalty=1e-3, n_steps=100):
        """Minimise a loss of the last layer's values, with L-BFGS.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_inputs)
        loss : callable
            ``loss(values)`` gives the loss and its gradient, of the shape of `values`.
        penalty : float, default=1e-3
            Weight of the squared weights.
        n_steps : int, default=100

        Returns
        -------
        self
        """

        def objective(weights):
            values = self.forward(rows, weights)
            value, slope = loss(values[-1])
            gradient = self.backward(values, slope, weights)
            return value + 0.5 * penalty * weights @ weights, gradient + penalty * weights

        found = minimize(
            objective, self.weights, jac=True, method="L-BFGS-B", options={"maxiter": n_steps}
        )
        self.weights = found.x
        return self

    def fit(self, rows, targets, weights=None, penalty=1e-3, n_steps=100):
        """Minimise the weighted mean squared error.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_inputs)
        targets : ndarray of shape (n_rows, n_outputs)
        weights : ndarray of shape (n_rows,), optional

        Returns
        -------
        self
        """
        shares = np.full((len(rows), 1), 1 / len(rows))
        if weights is not None:
            shares = (weights / weights.sum())[:, None]

        def loss(values):
            error = values - targets
            return 0.5 * (shares * error**2).sum(), shares * error

        return self.train(rows, loss, penalty, n_steps)


class BayesianHead:
    """Bayesian linear regression on features; precisions by a few steps of evidence maximisation.

    Parameters
    ----------
    features : ndarray of shape (n, n_features)
    values : ndarray of shape (n,)
    """

    def __init__(self, features, values, n_steps=10):
        features = self._with_constant(features)
        n, width = features.shape
        gram, cross = features.T @ features, features.T @ values
        eigenvalues = np.maximum(np.linalg.eigvalsh(gram), 0.0)
        alpha, beta = 1.0, 10.0
        for _ in range(n_steps):
            precision = beta * gram + alpha * np.eye(width)
            weights = beta * np.linalg.solve(precision, cross)
            used = (beta * eigenvalues / (beta * eigenvalues + alpha)).sum()
            error = ((values - features @ weights) ** 2).sum()
            # Gamma priors worth one observation keep both precisions finite.
            alpha = (used + 1.0) / (weights @ weights + 1.0)
            beta = (max(n - used, 0.0) + 1.0) / (error + 0.1)
        self.weights, self.beta = weights, beta
        self.covariance = np.linalg.inv(beta * gram + alpha * np.eye(width))

    @staticmethod
    def _with_constant(features):
        return np.hstack([features, np.ones((len(features), 1))])

    def predict(self, features):
        """Mean and standard deviation of the noise-free function."""
        features = self._with_constant(features)
        variance = ((features @ self.covariance) * features).sum(axis=1)
        return features @ self.weights, np.sqrt(np.maximum(variance, 1e-12))
