"""Bayesian optimisation with a forest of randomised trees."""

from dataclasses import dataclass

import numpy as np

from ._random import Random
from ._surrogate import SurrogateStrategy

__all__ = ["Forest"]


@dataclass
class Forest(SurrogateStrategy):
    """A forest surrogate, at home in conditional spaces, and expected improvement.

    An inactive hyperparameter is told to the trees by a column of its own. The spread is that of
    the trees. Every few proposals one is random, because a forest knows nothing of the places
    between its leaves.

    Parameters
    ----------
    n_trees : int, default=30
    min_samples_leaf : int, default=1
    random_every : int, default=5
        Each proposal of this rank is random; 0 for none.

    References
    ----------
    F. Hutter, H. Hoos, K. Leyton-Brown. Sequential model-based optimization for general algorithm
    configuration. LION 2011.
    """

    n_trees: int = 30
    min_samples_leaf: int = 1
    random_every: int = 5

    def begin(self):
        super().begin()
        self._random = Random().join(self)

    def propose(self):
        due = self.random_every and self.record.asked % self.random_every == self.random_every - 1
        if due and self.record.asked > self.n_initial:
            return self._random.propose()
        return super().propose()

    def fit(self, rows, values):
        from sklearn.ensemble import ExtraTreesRegressor

        forest = ExtraTreesRegressor(
            n_estimators=self.n_trees,
            min_samples_leaf=self.min_samples_leaf,
            max_features=max(1, int(0.8 * rows.shape[1])),
            random_state=int(self.rng.integers(2**31)),
        ).fit(rows, values)

        def predict(new):
            new = new.astype(np.float32)
            each = np.array([tree.tree_.predict(new)[:, 0] for tree in forest.estimators_])
            return each.mean(axis=0), np.sqrt(each.var(axis=0) + 1e-4)

        return predict
