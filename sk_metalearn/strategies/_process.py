"""The Gaussian process of the strategies."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize
from scipy.special import log_ndtr

from ._acquisition import log_expected_improvement

__all__ = ["DifferentiableProcess", "GaussianProcessRegression", "SharedProcess", "kernel_matrix"]


def kernel_matrix(first, second, lengths, kernel="matern"):
    """Compute a kernel of variance 1 with a length per column.

    Parameters
    ----------
    first : ndarray of shape (n, n_columns)
        Points, one a row.
    second : ndarray of shape (m, n_columns)
        Points, one a row.
    lengths : ndarray of shape (n_columns,) or float
        Length scales, of each column or of all.
    kernel : {"matern", "rbf", "exponential"}, default="matern"
        Matérn with smoothness 5/2 or 1/2 (exponential), or the squared exponential.

    Returns
    -------
    ndarray of shape (n, m)
        Kernel of each pair of points.
    """
    a, b = first / lengths, second / lengths
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None, :] - 2.0 * a @ b.T
    squares = np.maximum(squares, 0.0)
    if kernel == "rbf":
        return np.exp(-0.5 * squares)
    if kernel == "exponential":
        return np.exp(-np.sqrt(squares))
    distance = np.sqrt(5.0 * squares)
    return (1.0 + distance + distance**2 / 3.0) * np.exp(-distance)


@dataclass(frozen=True)
class SharedProcess:
    """Gaussian processes with one kernel at common points, one for each output.

    Attributes
    ----------
    place : int
        Which of the kernels was chosen.
    noise : float
        Variance of the noise relative to that of the process.
    scale : float
        Variance of the process.
    loss : float
        By which it was chosen.
    weights : ndarray of shape (n, n_outputs)
        Their product with the kernel between new and known points predicts the outputs.
    errors : ndarray of shape (n, n_outputs)
        Errors at each point when it is predicted from the others.
    """

    place: int
    noise: float
    scale: float
    loss: float
    weights: np.ndarray
    errors: np.ndarray

    @classmethod
    def choose(cls, kernels, noises, outputs, criterion="likelihood"):
        """Choose kernel and noise; one decomposition of a kernel serves all noises and outputs.

        Parameters
        ----------
        kernels : iterable of ndarray of shape (n, n)
            To choose from.
        noises : sequence of float
            To choose from.
        outputs : ndarray of shape (n, n_outputs)
            Values with mean 0.
        criterion : {"likelihood", "left_out"}, default="likelihood"
            Largest marginal likelihood, summed over the outputs, or smallest squared error at
            points predicted from the others.

        Returns
        -------
        SharedProcess
            The best of all pairs.
        """
        best = None
        for place, kernel in enumerate(kernels):
            spectrum, vectors = np.linalg.eigh(kernel)
            turned = vectors.T @ outputs
            power = (turned**2).mean(axis=1)
            for noise in noises:
                values = np.maximum(spectrum, 0.0) + noise
                scale = max((power / values).mean(), 1e-6)
                weights = vectors @ (turned / values[:, None])
                errors = weights / ((vectors**2) @ (1.0 / values))[:, None]
                loss = (errors**2).sum()
                if criterion == "likelihood":
                    loss = len(outputs) * np.log(scale) + np.log(values).sum()
                if best is None or loss < best.loss:
                    best = cls(place, noise, scale, loss, weights, errors)
        return best


class GaussianProcessRegression:
    """A Gaussian process whose hyperparameters maximise the marginal likelihood.

    One length scale is shared by all columns; a log-normal prior keeps lengths and noise in
    reasonable ranges when there are few observations. The process variance has a closed form.

    Parameters
    ----------
    kernel : {"matern", "rbf"}
        See `kernel_matrix`.
    """

    def __init__(self, kernel="matern"):
        self.kernel = kernel
        self.log_length, self.log_noise = None, None

    def fit(self, rows, values, optimise=True):
        """Fit to observations.

        Parameters
        ----------
        rows : ndarray of shape (n, n_columns)
            Encoded points.
        values : ndarray of shape (n,)
            Observed there, with mean 0.
        optimise : bool, default=True
            False keeps the length and the noise of the last fit.

        Returns
        -------
        self
            The fitted process.
        """
        typical = np.log(0.5 * np.sqrt(max(rows.shape[1], 1)))
        start = [typical, np.log(0.01)]
        if self.log_length is not None:
            start = [self.log_length, self.log_noise]
        if optimise or self.log_length is None:
            squares = (
                ((rows[:, None, :] - rows[None, :, :]) ** 2).sum(-1)
                if len(rows) <= 64
                else (
                    np.maximum(
                        (rows**2).sum(1)[:, None] + (rows**2).sum(1) - 2.0 * rows @ rows.T, 0.0
                    )
                )
            )
            result = minimize(
                self._loss,
                start,
                args=(squares, values, typical),
                jac=True,
                method="L-BFGS-B",
                bounds=[(typical - 3, typical + 3), (np.log(1e-6), np.log(1.0))],
                options={"maxiter": 20},
            )
            start = result.x
        self.log_length, self.log_noise = start
        covariance = kernel_matrix(rows, rows, np.exp(self.log_length), self.kernel)
        covariance[np.diag_indices_from(covariance)] += np.exp(self.log_noise) + 1e-8
        self._rows = rows
        self._factor = cho_factor(covariance, lower=True, check_finite=False)
        self._weights = cho_solve(self._factor, values, check_finite=False)
        # A weak prior of variance 1 worth two observations.
        self.variance = (values @ self._weights + 2.0) / (len(values) + 2.0)
        return self

    def _loss(self, theta, squares, values, typical):
        """Negative log marginal likelihood with the variance profiled out, plus the prior."""
        n = len(values)
        inverse = np.exp(-2.0 * theta[0])
        if self.kernel == "rbf":
            base = np.exp(-0.5 * squares * inverse)
            slope = base * squares * inverse
        else:
            distance = np.sqrt(5.0 * squares * inverse)
            decay = np.exp(-distance)
            base = (1.0 + distance + distance**2 / 3.0) * decay
            slope = distance**2 * (1.0 + distance) / 3.0 * decay
        noise = np.exp(theta[1])
        covariance = base.copy()
        covariance[np.diag_indices(n)] += noise + 1e-8
        factor = cho_factor(covariance, lower=True, check_finite=False)
        weights = cho_solve(factor, values, check_finite=False)
        inverse_matrix = cho_solve(factor, np.eye(n), check_finite=False)
        total = values @ weights + 2.0
        loss = 0.5 * (n + 2.0) * np.log(total) + np.log(np.diag(factor[0])).sum()
        gradient = np.empty(2)
        for i, change in enumerate((slope, noise * np.eye(n))):
            gradient[i] = 0.5 * (inverse_matrix * change).sum()
            gradient[i] -= 0.5 * (n + 2.0) * (weights @ change @ weights) / total
        offset = theta - np.array([typical, np.log(0.01)])
        width = np.array([1.0, 2.0])
        loss += 0.5 * ((offset / width) ** 2).sum()
        return loss, gradient + offset / width**2

    def predict(self, rows):
        """Mean and standard deviation of the noise-free function.

        Parameters
        ----------
        rows : ndarray of shape (n, n_columns)
            Encoded points.

        Returns
        -------
        mean, deviation : ndarray of shape (n,)
            At each point.
        """
        cross = kernel_matrix(rows, self._rows, np.exp(self.log_length), self.kernel)
        half = solve_triangular(self._factor[0], cross.T, lower=True, check_finite=False)
        left = np.maximum(1.0 - (half**2).sum(axis=0), 1e-10)
        return cross @ self._weights, np.sqrt(self.variance * left)


class DifferentiableProcess(GaussianProcessRegression):
    """A Gaussian process that knows the gradient of its expected improvement."""

    def log_improvement(self, rows, best):
        """Logarithm of the expected improvement over `best`, and its gradient.

        Parameters
        ----------
        rows : ndarray of shape (n, n_columns)
            Encoded points.
        best : float
            The value to improve on.

        Returns
        -------
        value : ndarray of shape (n,)
            At each point.
        gradient : ndarray of shape (n, n_columns)
            By the coordinates of each point.
        """
        length = np.exp(self.log_length)
        cross = kernel_matrix(rows, self._rows, length, self.kernel)
        difference = (rows[:, None, :] - self._rows[None, :, :]) / length
        # The gradient of the kernel is -slope * difference / length.
        slope = cross
        if self.kernel == "matern":
            distance = np.sqrt(5.0 * (difference**2).sum(-1))
            slope = 5.0 / 3.0 * (1.0 + distance) * np.exp(-distance)
        solved = cho_solve(self._factor, cross.T, check_finite=False).T
        mean = cross @ self._weights
        left = np.maximum(1.0 - (cross * solved).sum(axis=1), 1e-10)
        deviation = np.sqrt(self.variance * left)
        d_mean = -np.einsum("ij,ijc->ic", slope * self._weights, difference) / length
        d_left = 2.0 * np.einsum("ij,ijc->ic", slope * solved, difference) / length
        d_deviation = 0.5 * self.variance * d_left / deviation[:, None]
        value = log_expected_improvement(mean, deviation, best)
        # The improvement changes by Phi(u) with the mean and by phi(u) with the deviation.
        u = (mean - best) / deviation
        by_mean = np.exp(np.minimum(log_ndtr(u) - value, 50.0))
        log_density = -0.5 * u**2 - 0.5 * np.log(2 * np.pi)
        by_deviation = np.exp(np.minimum(log_density - value, 50.0))
        return value, by_mean[:, None] * d_mean + by_deviation[:, None] * d_deviation

    def climb(self, rows, movable, best, n_steps):
        """Climb the expected improvement by its gradient inside the unit cube.

        Parameters
        ----------
        rows : ndarray of shape (n, n_columns)
            Where to begin.
        movable : ndarray of shape (n, n_columns), dtype bool
            Columns that may change.
        best : float
            The value to improve on.
        n_steps : int
            A step that does not improve is taken back, and the next one is half as long.

        Returns
        -------
        ndarray of shape (n, n_columns)
            Where the climbs end.
        """
        value, gradient = self.log_improvement(rows, best)
        length = np.full(len(rows), 0.1)
        for _ in range(n_steps):
            way = np.where(movable, gradient, 0.0)
            norm = np.maximum(np.sqrt((way**2).sum(axis=1)), 1e-12)
            tried = rows + np.where(movable, (length / norm)[:, None] * way, 0.0)
            tried = np.where(movable, np.clip(tried, 0.0, 1.0), rows)
            new_value, new_gradient = self.log_improvement(tried, best)
            better = new_value > value
            rows = np.where(better[:, None], tried, rows)
            gradient = np.where(better[:, None], new_gradient, gradient)
            value = np.where(better, new_value, value)
            length = np.where(better, 1.5 * length, 0.5 * length)
        return rows
