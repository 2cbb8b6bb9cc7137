"""Adaptive Bayesian linear regression on features shared by all tasks."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from ._prior_surrogate import PriorSurrogate

__all__ = ["AdaptiveBayesianLinearRegression", "SharedFeatures"]


class SharedFeatures:
    """A network whose outputs are the features of a Bayesian linear regression per task.

    The network and the prior of the tasks' weights maximise the marginal likelihood of the past
    tasks, which share their inputs, and therefore one covariance matrix.

    Parameters
    ----------
    widths : tuple of int
        Units of each tanh layer.
    max_iter : int
        Steps of L-BFGS.
    """

    def __init__(self, widths, max_iter):
        self.widths, self.max_iter = widths, max_iter

    def fit(self, rows, targets, rng):
        """Learn from past tasks.

        Parameters
        ----------
        rows : ndarray of shape (n, n_columns)
        targets : ndarray of shape (n_tasks, n)
        rng : numpy.random.Generator

        Returns
        -------
        self
        """
        sizes = [rows.shape[1], *self.widths]
        self._shapes = list(zip(sizes[:-1], sizes[1:], strict=True))
        pieces = []
        for fan_in, fan_out in self._shapes:
            pieces.append(rng.normal(0, 1.5 / np.sqrt(fan_in), fan_in * fan_out))
            pieces.append(rng.normal(0, 0.5, fan_out))
        # Mean of the weights over the tasks, precision of the weights, precision of the noise.
        start = np.concatenate([*pieces, np.zeros(sizes[-1]), [np.log(sizes[-1]), np.log(10.0)]])
        # The rest of the targets enters through its second moments alone.
        average = targets.mean(axis=0)
        deviations = targets - average
        result = minimize(
            self._loss,
            start,
            args=(rows, average, deviations),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": self.max_iter},
        )
        self._theta = result.x
        self.weights, self.alpha, self.beta = self._head(result.x)
        return self

    def _head(self, theta):
        width = self.widths[-1]
        alpha, beta = np.exp(np.clip(theta[-2:], -6.0, 12.0))
        return theta[-2 - width : -2], alpha, beta

    def _layers(self, theta, rows):
        outputs, at = [rows], 0
        for fan_in, fan_out in self._shapes:
            matrix = theta[at : at + fan_in * fan_out].reshape(fan_in, fan_out)
            at += fan_in * fan_out
            outputs.append(np.tanh(outputs[-1] @ matrix + theta[at : at + fan_out]))
            at += fan_out
        return outputs

    def __call__(self, rows):
        """Features of encoded points.

        Returns
        -------
        ndarray of shape (n_points, widths[-1])
        """
        return self._layers(self._theta, rows)[-1]

    def _loss(self, theta, rows, average, deviations):
        """Mean negative log marginal likelihood of a target, and its gradient."""
        n, n_tasks = len(rows), len(deviations)
        weights, alpha, beta = self._head(theta)
        outputs = self._layers(theta, rows)
        features = outputs[-1]
        width = features.shape[1]
        # Sigma = features features' / alpha + 1 / beta, inverted in the space of the features.
        ratio = beta / alpha
        inner = np.eye(width) + ratio * features.T @ features
        factor = cho_factor(inner, lower=True, check_finite=False)

        def solve(right):
            return beta * (
                right - ratio * features @ cho_solve(factor, features.T @ right, check_finite=False)
            )

        residual = average - features @ weights
        solved, spread = solve(residual), solve(deviations.T)
        loss = 0.5 * (residual @ solved + (spread * deviations.T).sum() / n_tasks)
        loss += np.log(np.diag(factor[0])).sum() - 0.5 * n * np.log(beta)
        # With S the inverse of Sigma, d loss / d Sigma = (S - S E[t t'] S) / 2.
        inverse_features = solve(features)
        pull = spread @ (spread.T @ features) / n_tasks
        pull += np.outer(solved, solved @ features)
        slope = (inverse_features - pull) / alpha - np.outer(solved, weights)
        trace_features = (features * inverse_features).sum()
        inverse_trace = beta * (n - trace_features / alpha)
        quadratic = solved @ solved + (spread**2).sum() / n_tasks
        d_alpha = -0.5 * (trace_features - (features * pull).sum()) / alpha
        d_beta = -0.5 * (inverse_trace - quadratic) / beta
        pieces = [np.array([d_alpha, d_beta]), -features.T @ solved]
        for output, before, (fan_in, fan_out) in zip(
            outputs[:0:-1], outputs[-2::-1], self._shapes[::-1], strict=True
        ):
            slope = slope * (1.0 - output**2)
            pieces += [slope.sum(axis=0), (before.T @ slope).ravel()]
            if fan_in != rows.shape[1] or before is not rows:
                at = self._matrix_start(before, outputs)
                slope = slope @ theta[at : at + fan_in * fan_out].reshape(fan_in, fan_out).T
        # A weak pull to small weights keeps the network smooth with few tasks.
        gradient = np.concatenate(pieces[::-1])
        n_network = sum(a * b + b for a, b in self._shapes)
        decay = 1e-2 * theta[:n_network]
        loss += 0.5 * decay @ theta[:n_network]
        gradient[:n_network] += decay
        return loss / n, gradient / n
