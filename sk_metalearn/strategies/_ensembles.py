"""Bayesian optimisation with ensembles: of randomised trees, of neural networks."""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from ..exceptions import SpaceError
from ..spaces import point_key
from ._acquisition import log_expected_improvement
from ._sampling import Random
from ._surrogate import SurrogateStrategy

__all__ = ["Forest", "NeuralNetwork"]


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
    n_initial : int, default=5
        Evaluations before the surrogate is used.
    n_draws : int, default=200
        Random points of the space among which the acquisition is maximised.
    n_incumbents : int, default=5
        Best points found whose neighbours are looked at.
    n_neighbors : int, default=20
        Neighbours looked at for each of them.
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


@dataclass
class NeuralNetwork(SurrogateStrategy):
    """Expected improvement under an ensemble of networks from hyperparameters to performance.

    The networks minimise the squared error of the scores seen. They begin at different weights;
    their disagreement is the spread of the prediction. They are fitted from new weights when
    there is a tenth more to fit to, and adapted from the weights they have otherwise.

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
    n_networks : int, default=3
        Networks of the ensemble.
    hidden_layer_sizes : tuple of int, default=(32, 32)
        Units of the hidden layers of each.
    alpha : float, default=0.001
        Penalty on the squared weights.
    max_iter : int, default=80
        Iterations of L-BFGS in which a network is fitted.

    References
    ----------
    J. Snoek et al. Scalable Bayesian optimization using deep neural networks. ICML 2015.
    B. Lakshminarayanan, A. Pritzel, C. Blundell. Simple and scalable predictive uncertainty
    estimation using deep ensembles. NeurIPS 2017.
    """

    n_networks: int = 3
    hidden_layer_sizes: tuple[int, ...] = (32, 32)
    alpha: float = 0.001
    max_iter: int = 80

    def begin(self):
        super().begin()
        self._networks, self._next_fit = [], 0

    def fit(self, rows, values):
        if len(values) >= self._next_fit:
            self._next_fit = len(values) + max(1, len(values) // 10)
            self._networks = [self._network() for _ in range(self.n_networks)]
            return self._train(rows, values, self.max_iter)
        return self.refit(rows, values)

    def refit(self, rows, values):
        return self._train(rows, values, self.max_iter // 12)

    def _network(self):
        return MLPRegressor(
            hidden_layer_sizes=self.hidden_layer_sizes,
            activation="tanh",
            solver="lbfgs",
            alpha=self.alpha,
            warm_start=True,
            random_state=int(self.rng.integers(2**31)),
        )

    def _train(self, rows, values, max_iter):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for network in self._networks:
                network.set_params(max_iter=max(max_iter, 1)).fit(rows, values)

        def predict(rows):
            means = np.array([network.predict(rows) for network in self._networks])
            return means.mean(axis=0), np.sqrt(means.var(axis=0) + 1e-4)

        return predict
