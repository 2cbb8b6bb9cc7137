"""Bayesian optimisation with a forest of randomised trees."""

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

from ..exceptions import SpaceError
from ..spaces import point_key
from ._acquisition import log_expected_improvement
from ._random import Random
from ._surrogate import SurrogateStrategy

__all__ = ["Forest"]


@dataclass
class Forest(SurrogateStrategy):
    """Expected improvement under a forest, with local search: for conditional spaces (SMAC).

    Trees split on whether a parameter is there at all, so that they need no distance between
    points of different models. The mean of the trees is the prediction; its variance is that of
    the trees' means plus the mean variance inside the leaves. The expected improvement is climbed
    by steps to better neighbours, from the best points found and from random ones, and now and
    then a random point is tried.

    Parameters
    ----------
    n_estimators : int, default=25
        Trees.
    n_rounds : int, default=2
        Steps of the local search.
    random_every : int, default=5
        One in this many proposals is random; 0 for none.

    References
    ----------
    F. Hutter, H. Hoos, K. Leyton-Brown. Sequential model-based optimization for general algorithm
    configuration. LION 2011.
    """

    n_estimators: int = 25
    n_rounds: int = 2
    random_every: int = 5

    def begin(self):
        super().begin()
        self._random, self._n_modelled = Random().join(self), 0

    def fit(self, rows, values):
        model = ExtraTreesRegressor(
            self.n_estimators,
            max_features=5 / 6,
            min_samples_split=3,
            bootstrap=False,
            random_state=int(self.rng.integers(2**31)),
        ).fit(rows, values)
        trees = [tree.tree_ for tree in model.estimators_]
        # The leaves of a few results are pure: they are no more certain than the noise.
        floor = 0.01

        def predict(rows):
            rows = np.asarray(rows, dtype=np.float32)
            leaves = [tree.apply(rows) for tree in trees]
            means = np.array(
                [t.value[:, 0, 0][leaf] for t, leaf in zip(trees, leaves, strict=True)]
            )
            inside = np.array([t.impurity[leaf] for t, leaf in zip(trees, leaves, strict=True)])
            return means.mean(axis=0), np.sqrt(means.var(axis=0) + inside.mean(axis=0) + floor)

        self._predict, self._best = predict, values.max()
        return predict

    def _maximise(self, rows, scores):
        self._n_modelled += 1
        if self.random_every and self._n_modelled % self.random_every == 0:
            return self._random.propose()
        return super()._maximise(rows, scores)

    def _points(self):
        points = super()._points()
        if not points or self.context.space is None:
            return points
        keys = {point_key(point) for point in points} | self.record.keys | self.candidate_keys
        rated = self._rate(points)
        for step in range(self.n_rounds):
            best = np.argsort(-rated, kind="stable")[: self.n_incumbents]
            near = self._neighbours([points[i] for i in best], 0.2 * 0.5**step, keys)
            if not near:
                break
            points, rated = points + near, np.concatenate([rated, self._rate(near)])
        return points

    def _rate(self, points):
        mean, deviation = self._predict(self.encoder(points))
        return log_expected_improvement(mean, deviation, self._best)

    def _neighbours(self, points, scale, keys):
        near = []
        for point in points:
            for _ in range(self.n_neighbors // 2):
                try:
                    other = self.context.space.neighbor(point, self.rng, scale)
                except SpaceError:
                    break
                key = point_key(other)
                if key not in keys:
                    keys.add(key)
                    near.append(other)
        return near
