"""A performance model per family: from the points of the pool to any point of its space.

All past tasks of a family were measured at the same points, so that one Gaussian process, whose
covariance they share, carries each of them from there to other points.
"""

import weakref
from functools import lru_cache

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from scipy.special import ndtri
from scipy.stats import rankdata

from ..spaces import get_family
from ._places import place_points

__all__ = ["FamilyModel", "SharedProcess", "family_model"]

# Tasks are not independent evidence on the length scales: they count for at most this many.
_EVIDENCE = 20.0
_SQRT3 = np.sqrt(3.0)


class SharedProcess:
    """Gaussian processes with a common Matern-3/2 covariance, one per row, at common points.

    Length scales (one per group of columns) and noise maximise the marginal likelihood of all rows
    together, under a prior that keeps them sensible where there are few points.

    Parameters
    ----------
    places : ndarray of shape (n_points, n_columns)
    groups : ndarray of shape (n_columns,), dtype int
    values : ndarray of shape (n_rows, n_points)
        Values with mean 0 in each row; NaN where unknown.

    Attributes
    ----------
    weights : ndarray of shape (n_groups,)
        Inverse squared length scales.
    noise : float
        Variance of the noise relative to that of the process.
    variance : float
        Variance of the process.
    reliability : float
        Share of the variance that is explained at points left out.
    """

    def __init__(self, places, groups, values):
        self.places, self.groups = places, groups
        self.values = np.asarray(values, dtype=float)
        distances = self._distances(places, places)
        varying = distances.reshape(len(distances), -1).max(axis=1, initial=0.0) > 0
        self._fit(distances, varying)
        self._calibrate(distances)

    def _distances(self, a, b):
        """Squared distances, (n_groups, len(a), len(b))."""
        n_groups = int(self.groups.max()) + 1
        out = np.zeros((n_groups, len(a), len(b)))
        for column, group in enumerate(self.groups):
            out[group] += (a[:, column, None] - b[None, :, column]) ** 2
        return out

    def _fit(self, distances, varying):
        known = np.isfinite(self.values)
        full = known.mean(axis=1) >= 0.9 if known.size else np.zeros(0, dtype=bool)
        rows = full if full.sum() >= 20 else known.any(axis=1)
        used = np.where(known[rows], self.values[rows], 0.0)
        n = len(self.places)
        moment = used.T @ used / max(len(used), 1) + 1e-6 * np.eye(n)
        evidence = min(float(len(used)), _EVIDENCE)
        # Unless the values say otherwise: length scales of half the range, and as much
        # correlation between two choices.
        prior = np.log(np.where(distances.max(axis=(1, 2), initial=0.0) > 1.5, 0.15, 3.0))[varying]
        start = np.append(prior, np.log(0.1))
        own = distances[varying]

        def loss(theta):
            weights, noise = np.exp(theta[:-1]), np.exp(theta[-1])
            scaled = weights[:, None, None] * own
            decay = np.exp(-_SQRT3 * np.sqrt(scaled.sum(axis=0)))
            kernel = (1 - np.log(decay)) * decay
            kernel[np.diag_indices(n)] += noise
            factor = cho_factor(kernel, lower=True)
            inverse = cho_solve(factor, np.eye(n))
            solved = inverse @ moment
            variance = max(np.trace(solved) / n, 1e-8)
            value = n * np.log(variance) + 2 * np.log(np.diag(factor[0])).sum()
            slope = inverse - solved @ inverse / variance
            gradient = np.empty(len(theta))
            gradient[:-1] = -1.5 * np.einsum("ij,gij->g", slope * decay, scaled)
            gradient[-1] = noise * np.trace(slope)
            away = (theta - start) / 1.5
            return (
                0.5 * evidence * value + 0.5 * away @ away,
                0.5 * evidence * gradient + away / 1.5,
            )

        bounds = [(np.log(1e-4), np.log(300.0))] * len(prior) + [(np.log(1e-3), np.log(3.0))]
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
        theta = found.x
        self.weights = np.exp(np.log(0.15) * np.ones(len(distances)))
        self.weights[varying] = np.exp(theta[:-1])
        self.noise = float(np.exp(theta[-1]))
        kernel = self._kernel(distances) + self.noise * np.eye(n)
        inverse = np.linalg.inv(kernel)
        self.variance = max(float(np.trace(inverse @ moment)) / n, 1e-8)

    def _kernel(self, distances):
        root = _SQRT3 * np.sqrt(np.tensordot(self.weights, distances, axes=1))
        return (1 + root) * np.exp(-root)

    def _calibrate(self, distances):
        """Compare errors at points left out with what was expected, row by row."""
        self._between = self._kernel(distances)
        factor = np.ones(len(self.values))
        explained = total = 0.0
        for pattern, rows in self._patterns():
            if len(pattern) < 2:
                continue
            inverse = self._inverse(pattern)
            own = self.values[np.ix_(rows, pattern)]
            error = own @ inverse / np.diag(inverse)
            expected = self.variance / np.diag(inverse)
            surplus = (error**2 / expected).sum(axis=1)
            factor[rows] = (surplus + 5.0) / (len(pattern) + 5.0)
            explained += (error**2).sum()
            total += (own**2).sum()
        self.factor = np.sqrt(factor)
        self.reliability = 1.0 - explained / total if total > 0 else 0.0

    def _patterns(self):
        """Rows with the same known points: pairs (points, rows)."""
        known = np.isfinite(self.values)
        patterns, member = np.unique(known, axis=0, return_inverse=True)
        member = np.ravel(member)
        for i, pattern in enumerate(patterns):
            yield np.flatnonzero(pattern), np.flatnonzero(member == i)

    def _inverse(self, pattern):
        kernel = self._between[np.ix_(pattern, pattern)]
        return np.linalg.inv(kernel + self.noise * np.eye(len(pattern)))

    def predict(self, places):
        """Predict all rows at other points.

        Parameters
        ----------
        places : ndarray of shape (n_new, n_columns)

        Returns
        -------
        mean, deviation : ndarray of shape (n_rows, n_new)
            NaN in rows without any value.
        """
        cross = self._kernel(self._distances(self.places, places))
        mean = np.full((len(self.values), len(places)), np.nan)
        deviation = mean.copy()
        for pattern, rows in self._patterns():
            if not len(pattern):
                continue
            coefficients = self._inverse(pattern) @ cross[pattern]
            mean[rows] = self.values[np.ix_(rows, pattern)] @ coefficients
            left = 1 + self.noise - (coefficients * cross[pattern]).sum(axis=0)
            own = np.sqrt(self.variance * np.maximum(left, self.noise))
            deviation[rows] = self.factor[rows, None] * own
        return mean, deviation


class FamilyModel:
    """Predicts the score and the seconds of any point of a family on each past task.

    Parameters
    ----------
    family : Family
    configurations : sequence of Configuration
        Those measured, all of the family.
    scores : ndarray of shape (n_tasks, n_configurations)
        NaN where unknown.
    seconds : ndarray of shape (n_tasks, n_configurations)
    n_features : int, default=20
        Typical number of columns of the tasks.

    Attributes
    ----------
    n_points : int
    reliability : float
        Share of the variance of the normal scores within a task that is explained at points left
        out; 0 where there are fewer than three points.
    """

    def __init__(self, family, configurations, scores, seconds, n_features=20):
        self.family, self.n_features = family, n_features
        self.n_points = len(configurations)
        self.scores = np.asarray(scores, dtype=float)
        self._places, self._groups = place_points(family, configurations, n_features)
        self._process = SharedProcess(self._places, self._groups, _normal_scores(self.scores))
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(np.where(seconds > 0, seconds, np.nan))
        self.level = _row_mean(logs)
        self._times = SharedProcess(self._places, self._groups, logs - self.level[:, None])

    @property
    def reliability(self):
        return self._process.reliability if self.n_points > 2 else 0.0

    def predict(self, configurations):
        """Predict scores.

        Parameters
        ----------
        configurations : sequence of Configuration

        Returns
        -------
        scores, spread : ndarray of shape (n_tasks, n_configurations)
            In the units of the metric; NaN on tasks where the family was not measured.
        """
        places, _ = place_points(self.family, configurations, self.n_features)
        mean, deviation = self._process.predict(places)
        scores, spread = np.full(mean.shape, np.nan), np.full(mean.shape, np.nan)
        for row, own in enumerate(self.scores):
            known = np.sort(own[np.isfinite(own)])
            if not len(known):
                continue
            scores[row] = _from_normal(mean[row], known)
            upper = _from_normal(mean[row] + deviation[row], known)
            lower = _from_normal(mean[row] - deviation[row], known)
            spread[row] = (upper - lower) / 2
        return scores, spread

    def predict_seconds(self, configurations):
        """Predict the CPU seconds of one fold.

        Parameters
        ----------
        configurations : sequence of Configuration

        Returns
        -------
        ndarray of shape (n_tasks, n_configurations)
        """
        places, _ = place_points(self.family, configurations, self.n_features)
        mean, _ = self._times.predict(places)
        return np.exp(mean + self.level[:, None])

    def predict_effect(self, configurations):
        """Predict the logarithm of the seconds relative to the family's mean, (n_configurations,).

        The median over past tasks.
        """
        places, _ = place_points(self.family, configurations, self.n_features)
        mean, _ = self._times.predict(places)
        return np.nanmedian(mean[np.isfinite(self.level)], axis=0)


def _row_mean(values):
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan)


def _normal_scores(scores):
    ranks = rankdata(scores, axis=1, nan_policy="omit")
    known = np.isfinite(scores).sum(axis=1, keepdims=True)
    return ndtri((ranks - 0.5) / np.maximum(known, 1))


def _from_normal(values, known):
    """Scores that have given normal scores among `known`, which are sorted."""
    if len(known) == 1:
        return np.full(len(values), known[0])
    places = ndtri((np.arange(len(known)) + 0.5) / len(known))
    inside = np.interp(values, places, known)
    # Beyond the best known point the gain shrinks: half the slope of the last step.
    third = max(2, len(known) // 3)
    top = (known[-1] - known[-third]) / (places[-1] - places[-third])
    return inside + 0.5 * top * np.maximum(values - places[-1], 0.0)


_MODELS = weakref.WeakKeyDictionary()


def family_model(table, name, metric):
    """Give the model of a family, fitted when it is first asked for.

    Parameters
    ----------
    table : PerformanceTable
    name : str
        The family's name.
    metric : str
        One of the table's metrics.

    Returns
    -------
    FamilyModel or None
        None if the family was not measured under the metric.
    """
    models = _MODELS.setdefault(table, {})
    if (name, metric) not in models:
        models[name, metric] = _fit(table, name, metric)
    return models[name, metric]


def _fit(table, name, metric):
    scores = table.scores(metric, failures="dummy")
    measured = np.isfinite(scores).sum(axis=0)
    enough = max(1, min(3, len(scores)), int(0.02 * len(scores)))
    columns = [
        j
        for j, own in enumerate(table.configurations)
        if own.family == name and measured[j] >= enough
    ]
    if not columns:
        return None
    return FamilyModel(
        get_family(name, table.kind),
        [table.configurations[j] for j in columns],
        scores[:, columns],
        table.seconds[:, columns],
        _typical_columns(table.tasks),
    )


@lru_cache(maxsize=8)
def _typical_columns(tasks):
    return max(2, int(np.median([task.n_features for task in tasks]))) if tasks else 20
