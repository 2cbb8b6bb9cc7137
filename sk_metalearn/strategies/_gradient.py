"""Bayesian optimisation with gradient steps on the acquisition."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import ndtr

from ..exceptions import SpaceError
from ._acquisition import log_expected_improvement
from ._gp import GaussianProcess
from ._points import numeric_columns, point_key

__all__ = ["Gradient"]


@dataclass
class Gradient(GaussianProcess):
    """A Gaussian process whose expected improvement is climbed along its gradient.

    From the best points found by drawing, the numeric hyperparameters follow the gradient of the
    logarithm of the expected improvement within their ranges; choices stay as they are. Without a
    space there is nothing to climb, and the best candidate is taken.

    Parameters
    ----------
    n_starts : int, default=3
        Points to climb from.
    n_steps : int, default=15
        Steps of each climb.

    References
    ----------
    J. Wilson, F. Hutter, M. Deisenroth. Maximizing acquisition functions for Bayesian
    optimization. NeurIPS 2018.
    """

    n_starts: int = 3
    n_steps: int = 15

    def improve(self, points, rows, utility, best):
        if self.context.space is None:
            return []
        found = []
        for i in np.argsort(-utility, kind="stable")[: self.n_starts]:
            point = self._climb(points[i], rows[i], best)
            if point is not None and point_key(point) not in self.record.keys:
                found.append(point)
        return found

    def _climb(self, point, row, best):
        try:
            columns = numeric_columns(self.context.space, point)
        except SpaceError:
            return None
        if not columns:
            return None
        places = [column for _, _, column in columns]

        def objective(x):
            moved = row.copy()
            moved[places] = x
            mean, deviation, mean_slope, deviation_slope = self._model.slopes(moved)
            u = (mean - best) / deviation
            # d log EI = (Phi(u) d mean + phi(u) d deviation) / EI
            log_ei = float(log_expected_improvement(mean, deviation, best))
            density = np.exp(-0.5 * u**2 - log_ei) / np.sqrt(2 * np.pi)
            share = ndtr(u) * np.exp(-log_ei)
            slope = share * mean_slope + density * deviation_slope
            return -log_ei, -slope[places]

        with np.errstate(over="ignore", invalid="ignore"):
            end = minimize(
                objective,
                row[places],
                jac=True,
                method="L-BFGS-B",
                bounds=[(0.0, 1.0)] * len(places),
                options={"maxiter": self.n_steps},
            )
        if not np.isfinite(end.x).all():
            return None
        moved = dict(point)
        for (name, parameter, _), unit in zip(columns, end.x, strict=True):
            moved[name] = parameter.from_unit(unit)
        return moved
