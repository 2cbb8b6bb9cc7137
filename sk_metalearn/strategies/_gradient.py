"""Gradient ascent of a Gaussian process's acquisition."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve
from scipy.special import log_ndtr

from ..spaces import point_key
from ._acquisition import log_expected_improvement
from ._gp import GaussianProcess, GaussianProcessRegression, kernel_matrix

__all__ = ["DifferentiableProcess", "GradientSearch"]


class DifferentiableProcess(GaussianProcessRegression):
    """A Gaussian process that knows the gradient of its expected improvement."""

    def log_improvement(self, rows, best):
        """Logarithm of the expected improvement over `best`, and its gradient.

        Parameters
        ----------
        rows : ndarray of shape (n, n_columns)
        best : float

        Returns
        -------
        value : ndarray of shape (n,)
        gradient : ndarray of shape (n, n_columns)
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
        n_steps : int
            A step that does not improve is taken back, and the next one is half as long.

        Returns
        -------
        ndarray of shape (n, n_columns)
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


@dataclass
class GradientSearch(GaussianProcess):
    """Bayesian optimisation whose acquisition is climbed by gradient in the continuous parameters.

    From the most promising of the random points and neighbours that `GaussianProcess` looks at,
    the logarithm of the expected improvement is climbed by its analytic gradient; steps that do
    not improve are taken back and halved. Categories, and numbers that stand at a named value,
    stay as they are. Without a space there is nothing to climb in, and all candidates are rated.

    Parameters
    ----------
    n_starts : int, default=5
        Points from which is climbed.
    n_steps : int, default=20
        Steps of each climb.

    References
    ----------
    J. Wilson, F. Hutter, M. Deisenroth. Maximizing acquisition functions for Bayesian
    optimization. NeurIPS 2018.
    """

    n_starts: int = 5
    n_steps: int = 20

    def begin(self):
        super().begin()
        self._model = DifferentiableProcess(self.kernel)

    def fit(self, rows, values):
        self._best = values.max()
        return super().fit(rows, values)

    def _points(self):
        points = super()._points()
        space = self.context.space
        # Only a row that the space itself encoded can be read as a point again.
        if not points or self.encoder.space is not space:
            return points
        rows = self.encoder(points)
        value, _ = self._model.log_improvement(rows, self._best)
        starts = np.argsort(-value, kind="stable")[: self.n_starts]
        numbers = [self._numbers(points[i]) for i in starts]
        movable = np.zeros((len(starts), rows.shape[1]), dtype=bool)
        for own, columns in zip(movable, numbers, strict=True):
            own[list(columns.values())] = True
        ends = self._model.climb(rows[starts], movable, self._best, self.n_steps)
        keys = {point_key(point) for point in points} | self.record.keys | self.candidate_keys
        for start, end, columns in zip(starts, ends, numbers, strict=True):
            point = self._read(points[start], end, columns)
            key = point_key(point)
            if key not in keys:
                keys.add(key)
                points.append(point)
        return points

    def _numbers(self, point):
        """Columns of the parameters of a point that are numbers and not at a named value."""
        space = self.context.space
        branch = space.branches[space.branch_of(point)]
        return {
            name: start
            for name, parameter, start in space.columns
            if name in point
            and branch.parameters.get(name) == parameter
            and parameter.is_numeric
            and not parameter.is_special(point[name])
        }

    def _read(self, point, row, columns):
        """Make the point that differs from `point` by the numbers in `row`."""
        space = self.context.space
        parameters = space.branches[space.branch_of(point)].parameters
        moved = {name: parameters[name].from_unit(row[at]) for name, at in columns.items()}
        return {**point, **moved}
