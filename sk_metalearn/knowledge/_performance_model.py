"""A performance model per family: from the points of the pool to any point of its space.

All past tasks of a family were measured at the same points, so that one Gaussian process, whose
covariance they share, carries each of them from there to other points.
"""

import weakref

import numpy as np
from scipy.optimize import minimize
from scipy.spatial.distance import cdist
from scipy.special import ndtri
from scipy.stats import rankdata

from ..spaces import get_family
from ._places import depends_on_columns, place_points

__all__ = ["FamilyModel", "SharedProcess", "family_model", "normal_scores"]

# Tasks are not independent evidence on the length scales: they count for at most this many.
_EVIDENCE = 20.0
_SQRT3 = np.sqrt(3.0)
# What the process takes for noise varies over length scales this many times shorter than its own.
_DETAIL = 5.0
# The process takes time with the third power of the points.
_MOST_POINTS = 256


class SharedProcess:
    """Gaussian processes with a common Matern-3/2 covariance, one per row, at common points.

    Length scales (one per group of columns) and noise maximise the marginal likelihood of all rows
    together, under a prior that keeps them sensible where there are few points.

    Parameters
    ----------
    places : ndarray of shape (n_layouts, n_points, n_columns)
        The points; rows may differ in where they stand.
    layout : ndarray of shape (n_rows,), dtype int
        Which of the layouts is that of a row.
    groups : ndarray of shape (n_columns,), dtype int
        Columns of one group share a length scale.
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

    def __init__(self, places, layout, groups, values):
        self.places, self.layout, self.groups = places, layout, groups
        self.values = np.asarray(values, dtype=float)
        self._fit(np.stack([self._distances(own) for own in places]))
        self._between = np.stack([self._kernel(own, own) for own in places])
        self._calibrate()

    def _distances(self, points):
        """Squared distances within the groups, (n_groups, len(points), len(points))."""
        out = np.zeros((int(self.groups.max()) + 1, len(points), len(points)))
        for column, group in enumerate(self.groups):
            out[group] += (points[:, column, None] - points[None, :, column]) ** 2
        return out

    def _kernel(self, a, b, sharper=1.0):
        scales = sharper * _SQRT3 * np.sqrt(self.weights[self.groups])
        root = cdist(a * scales, b * scales)
        return (1 + root) * np.exp(-root)

    def _moments(self):
        """Second moments of the values by layout, and how many rows each stands for."""
        known = np.isfinite(self.values)
        full = known.mean(axis=1) >= 0.9
        rows = full if full.sum() >= 20 else known.any(axis=1)
        filled = np.where(known, self.values, 0.0)
        moments, shares = [], []
        for own in range(len(self.places)):
            used = filled[rows & (self.layout == own)]
            moments.append(used.T @ used)
            shares.append(len(used))
        count = max(sum(shares), 1)
        return np.stack(moments) / count, np.array(shares) / count, count

    def _fit(self, distances):
        n = distances.shape[-1]
        moments, shares, count = self._moments()
        moments += 1e-6 * shares[:, None, None] * np.eye(n)
        # Where no value is known at all, as of seconds in some sources, the prior stands.
        kept = np.flatnonzero((shares > 0) | (shares.sum() == 0))
        moments, shares, own = moments[kept], shares[kept], distances[kept]
        widest = distances.max(axis=(0, 2, 3), initial=0.0)
        varying = widest > 0
        own = own[:, varying]
        evidence = min(float(count), _EVIDENCE)
        # Unless the values say otherwise: length scales of half the range, and as much
        # correlation between two choices.
        prior = np.log(np.where(widest > 1.5, 0.15, 3.0))
        start = np.append(prior[varying], np.log(0.1))
        eye = np.eye(n)

        def loss(theta):
            weights, noise = np.exp(theta[:-1]), np.exp(theta[-1])
            scaled = weights[:, None, None] * own
            root = _SQRT3 * np.sqrt(scaled.sum(axis=1))
            decay = np.exp(-root)
            factor = np.linalg.cholesky((1 + root) * decay + noise * eye)
            half = np.linalg.inv(factor)
            inverse = half.transpose(0, 2, 1) @ half
            solved = inverse @ moments
            variance = max(np.trace(solved, axis1=1, axis2=2).sum() / n, 1e-8)
            logs = np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
            value = n * np.log(variance) + 2 * shares @ logs
            slope = shares[:, None, None] * inverse - solved @ inverse / variance
            gradient = np.empty(len(theta))
            gradient[:-1] = -1.5 * np.einsum("lij,lgij->g", slope * decay, scaled)
            gradient[-1] = noise * np.trace(slope, axis1=1, axis2=2).sum()
            away = (theta - start) / 1.5
            return (
                0.5 * evidence * value + 0.5 * away @ away,
                0.5 * evidence * gradient + away / 1.5,
            )

        bounds = [(np.log(1e-4), np.log(300.0))] * int(varying.sum())
        bounds.append((np.log(1e-3), np.log(3.0)))
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
        self.weights = np.exp(prior)
        self.weights[varying] = np.exp(found.x[:-1])
        self.noise = float(np.exp(found.x[-1]))
        kernels = np.stack([self._kernel(own, own) for own in self.places[kept]]) + self.noise * eye
        total = np.trace(np.linalg.solve(kernels, moments), axis1=1, axis2=2).sum()
        self.variance = max(float(total) / n, 1e-8)

    def _calibrate(self):
        """Compare errors at points left out with what was expected, row by row."""
        factor = np.ones(len(self.values))
        explained = total = 0.0
        for own, pattern, rows in self._patterns():
            if len(pattern) < 2:
                continue
            inverse = self._inverse(own, pattern)
            values = self.values[np.ix_(rows, pattern)]
            error = values @ inverse / np.diag(inverse)
            expected = self.variance / np.diag(inverse)
            surplus = (error**2 / expected).sum(axis=1)
            factor[rows] = (surplus + 5.0) / (len(pattern) + 5.0)
            explained += (error**2).sum()
            total += (values**2).sum()
        self.factor = np.sqrt(factor)
        self.reliability = float(1.0 - explained / total) if total > 0 else 0.0

    def _patterns(self):
        """Rows of one layout with the same known points: triples (layout, points, rows)."""
        known = np.isfinite(self.values)
        keys = np.column_stack([known, self.layout])
        patterns, member = np.unique(keys, axis=0, return_inverse=True)
        member = np.ravel(member)
        for i, pattern in enumerate(patterns):
            points = np.flatnonzero(pattern[:-1])
            if len(points):
                yield int(pattern[-1]), points, np.flatnonzero(member == i)

    def _inverse(self, layout, points):
        kernel = self._between[layout][np.ix_(points, points)]
        return np.linalg.inv(kernel + self.noise * np.eye(len(points)))

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
        mean = np.full((len(self.values), len(places)), np.nan)
        deviation = mean.copy()
        crosses = [self._kernel(own, places) for own in self.places]
        for own, points, rows in self._patterns():
            cross = crosses[own][points]
            coefficients = self._inverse(own, points) @ cross
            mean[rows] = self.values[np.ix_(rows, points)] @ coefficients
            left = 1 + self.noise - (coefficients * cross).sum(axis=0)
            expected = np.sqrt(self.variance * np.maximum(left, self.noise))
            deviation[rows] = self.factor[rows, None] * expected
        return mean, deviation

    def correlation(self, places):
        """Correlation of the errors of predictions at other points, where most points are known.

        Parameters
        ----------
        places : ndarray of shape (n_new, n_columns)

        Returns
        -------
        ndarray of shape (n_new, n_new)
        """
        own, points, _ = max(self._patterns(), key=lambda found: (len(found[1]), len(found[2])))
        cross = self._kernel(self.places[own][points], places)
        left = self._kernel(places, places)
        left -= cross.T @ self._inverse(own, points) @ cross
        np.fill_diagonal(left, np.maximum(np.diag(left), 0.0))
        # What counts as noise is finer detail, which close neighbours share.
        left += self.noise * self._kernel(places, places, _DETAIL)
        deviation = np.sqrt(np.diag(left))
        return left / deviation / deviation[:, None]


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
    n_features : ndarray of shape (n_tasks,)
        Columns of each task.

    Attributes
    ----------
    n_points : int
    reliability : float
        Share of the variance of the normal scores within a task that is explained at points left
        out; 0 where there are fewer than three points.
    level : ndarray of shape (n_tasks,)
        Mean logarithm of the seconds on each task.
    """

    def __init__(self, family, configurations, scores, seconds, n_features):
        self.family = family
        self.n_points = len(configurations)
        self.scores = np.asarray(scores, dtype=float)
        octaves = np.round(np.log2(np.maximum(n_features, 1)))
        self._typical = 2 ** float(np.median(octaves)) if len(octaves) else 16.0
        if not depends_on_columns(family):
            octaves = np.full(len(octaves), np.log2(self._typical))
        distinct, layout = np.unique(octaves, return_inverse=True)
        placed = [place_points(family, configurations, 2**own) for own in distinct]
        groups = placed[0][1]
        places = np.stack([own for own, _ in placed])
        self._process = SharedProcess(places, layout, groups, normal_scores(self.scores))
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(np.where(seconds > 0, seconds, np.nan))
        self.level = _row_mean(logs)
        self._times = SharedProcess(places, layout, groups, logs - self.level[:, None])

    @property
    def reliability(self):
        return self._process.reliability if self.n_points > 2 else 0.0

    def place(self, configurations, n_features=None, variance=1.0):
        """Places of configurations, which the other methods take.

        Parameters
        ----------
        configurations : sequence of Configuration
        n_features : int, optional
            Columns of the task that they are meant for; a typical number if not given.
        variance : float, default=1.0
            Mean variance of its columns.

        Returns
        -------
        ndarray of shape (n_configurations, n_columns)
        """
        if n_features is None or not depends_on_columns(self.family):
            n_features = self._typical
        return place_points(self.family, configurations, n_features, variance)[0]

    def predict(self, places):
        """Predict scores.

        Parameters
        ----------
        places : ndarray of shape (n_configurations, n_columns)

        Returns
        -------
        scores, spread : ndarray of shape (n_tasks, n_configurations)
            In the units of the metric; NaN on tasks where the family was not measured.
        """
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

    def correlation(self, places):
        """Correlation of the errors of the predicted scores between configurations.

        Parameters
        ----------
        places : ndarray of shape (n_configurations, n_columns)

        Returns
        -------
        ndarray of shape (n_configurations, n_configurations)
        """
        return self._process.correlation(places)

    def predict_seconds(self, places):
        """Predict the CPU seconds of one fold.

        Parameters
        ----------
        places : ndarray of shape (n_configurations, n_columns)

        Returns
        -------
        ndarray of shape (n_tasks, n_configurations)
        """
        mean, _ = self._times.predict(places)
        return np.exp(mean + self.level[:, None])


def _row_mean(values):
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan)


def normal_scores(scores):
    """Turn each row into normal scores of its ranks; NaN stays NaN.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_columns)
        Higher is better.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        Quantiles of the standard normal, the same for all rows with as many known values.
    """
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


def _has_place(configuration):
    """Without scaling, the width of a kernel refers to variances that tables do not hold."""
    gamma = configuration.params.get("gamma")
    return configuration.preprocessing.get("scaler") != "none" or not isinstance(gamma, float)


def _fit(table, name, metric):
    members = [
        j for j, own in enumerate(table.configurations) if own.family == name and _has_place(own)
    ]
    if not members:
        return None
    scores = table.scores(metric, "dummy", members)
    known = np.isfinite(scores)
    measured, n_tasks = known.sum(axis=0), int(known.any(axis=1).sum())
    # A point that few tasks know tells little beside those that many know; where searches tried
    # other points on every task, there are no others.
    enough = max(1, min(3, n_tasks), int(0.02 * n_tasks))
    chosen = np.flatnonzero(measured >= min(enough, measured.max(initial=0)))
    chosen = chosen[measured[chosen] > 0]
    if len(chosen) > _MOST_POINTS:
        chosen = np.sort(chosen[np.argsort(-measured[chosen], kind="stable")[:_MOST_POINTS]])
    if not len(chosen):
        return None
    part = table.take(columns=[members[k] for k in chosen])
    return FamilyModel(
        get_family(name, table.kind),
        list(part.configurations),
        scores[:, chosen],
        part.seconds,
        np.array([task.n_features for task in table.tasks]),
    )
