"""Bayesian optimisation with a Gaussian process."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..spaces import point_key
from ._process import DifferentiableProcess, GaussianProcessRegression
from ._surrogate import SurrogateStrategy

__all__ = ["GaussianProcess", "GradientSearch"]


@dataclass
class GaussianProcess(SurrogateStrategy):
    """Bayesian optimisation: a Gaussian process and expected improvement.

    Parameters
    ----------
    n_initial : int, default=5
        Evaluations before the surrogate is used.
    n_draws : int, default=200
        Random points of the space among which the acquisition is maximised.
    n_incumbents : int, default=5
        Best points found whose neighbours are looked at.
    n_neighbors : int, default=20
        Neighbours looked at for each of them.
    kernel : {"matern", "rbf"}, default="matern"
        Matérn 5/2 or squared exponential.

    References
    ----------
    J. Snoek, H. Larochelle, R. Adams. Practical Bayesian optimization of machine learning
    algorithms. NeurIPS 2012.
    """

    kernel: Literal["matern", "rbf"] = "matern"

    def begin(self):
        super().begin()
        self._model, self._next_fit = GaussianProcessRegression(self.kernel), 0

    def fit(self, rows, values):
        # The hyperparameters change slowly: fit them again when there is a tenth more to fit to.
        optimise = len(values) >= self._next_fit
        if optimise:
            self._next_fit = len(values) + max(1, len(values) // 10)
        return self._model.fit(rows, values, optimise).predict

    def refit(self, rows, values):
        return self._model.fit(rows, values, optimise=False).predict


@dataclass
class GradientSearch(GaussianProcess):
    """Bayesian optimisation whose acquisition is climbed by gradient in the continuous parameters.

    From the most promising of the random points and neighbours that `GaussianProcess` looks at,
    the logarithm of the expected improvement is climbed by its analytic gradient; steps that do
    not improve are taken back and halved. Categories, and numbers that stand at a named value,
    stay as they are. Without a space there is nothing to climb in, and all candidates are rated.

    Parameters
    ----------
    n_initial : int, default=5
        Evaluations before the surrogate is used.
    n_draws : int, default=200
        Random points of the space among which the acquisition is maximised.
    n_incumbents : int, default=5
        Best points found whose neighbours are looked at.
    n_neighbors : int, default=20
        Neighbours looked at for each of them.
    kernel : {"matern", "rbf"}, default="matern"
        Matérn 5/2 or squared exponential.
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
