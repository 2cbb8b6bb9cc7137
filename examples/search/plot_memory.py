"""
A search that remembers
=======================

A search with ``remember=`` records what it found, and the next one on a similar dataset starts
from it. That works for estimators that nobody else has ever evaluated: here a classifier of one's
own on six related datasets.
"""

# %%
# The estimator is a ridge classifier on powers of clipped columns. On these data it is the sign
# of a value that matters, so that a power near zero is best; nothing tells the search so.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GridSearchCV

from sk_metalearn import KnowledgeBase, MetaSearchCV


class PowerClassifier(ClassifierMixin, BaseEstimator):
    """Ridge regression on signed powers of the scaled columns."""

    def __init__(self, power=1.0, alpha=1.0, clip=3.0, centre="mean", sign=True):
        self.power = power
        self.alpha = alpha
        self.clip = clip
        self.centre = centre
        self.sign = sign

    def _transform(self, X):
        Z = np.clip((X - self.centre_) / self.scale_, -self.clip, self.clip)
        powers = np.abs(Z) ** self.power
        return np.column_stack([np.sign(Z) * powers if self.sign else powers, np.ones(len(X))])

    def fit(self, X, y):
        self.centre_ = getattr(np, self.centre)(X, axis=0)
        self.scale_ = X.std(axis=0) + 1e-9
        self.classes_, codes = np.unique(y, return_inverse=True)
        Z, target = self._transform(X), 2.0 * np.eye(len(self.classes_))[codes] - 1
        self.weights_ = np.linalg.solve(Z.T @ Z + self.alpha * np.eye(Z.shape[1]), Z.T @ target)
        return self

    def predict(self, X):
        return self.classes_[(self._transform(X) @ self.weights_).argmax(axis=1)]


def make_dataset(seed):
    """One of the related datasets: many noisy columns with heavy tails."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=300)
    pattern = rng.choice([-1, 1], size=(2, 20))
    flipped = rng.random((300, 20)) < 0.38
    X = pattern[y] * np.where(flipped, -1, 1) * np.exp(rng.normal(0, 2.0, (300, 20)))
    return X + rng.normal(0, 0.01, X.shape), y


# %%
# 180 settings. Each dataset is searched with and without a memory; counted are the evaluations
# until 98 % of the best score of the whole grid is reached.
grid = {
    "power": [0.02, 0.2, 1.0, 3.0, 6.0],
    "alpha": [1e-3, 1e5],
    "clip": [0.05, 0.5, 3.0],
    "centre": ["mean", "median", "max"],
    "sign": [True, False],
}


def evaluations_needed(search, best):
    """Evaluations until 98 % of the best score."""
    reached = np.nan_to_num(search.cv_results_["mean_test_score"]) >= 0.98 * best
    return int(np.argmax(reached)) + 1 if reached.any() else len(reached) + 1


memory = KnowledgeBase()
needed = {"with a memory": [], "without": []}
for seed in range(6):
    X, y = make_dataset(seed)
    options = {"cv": 3, "knowledge": None, "random_state": seed, "refit": False}
    best = GridSearchCV(PowerClassifier(), grid, cv=3, refit=False).fit(X, y).best_score_
    for name, remember in (("with a memory", memory), ("without", False)):
        search = MetaSearchCV(PowerClassifier(), grid, n_iter=25, remember=remember, **options)
        needed[name].append(evaluations_needed(search.fit(X, y), best))

for name, counts in needed.items():
    print(f"{name:14s}", counts)

# %%
# What was found on the first datasets is tried first on the later ones.
figure, axes = plt.subplots(figsize=(7, 3.5))
for name, counts in needed.items():
    axes.plot(range(1, 7), counts, marker="o", label=name)
axes.set(xlabel="dataset", ylabel="evaluations needed", ylim=(0, None))
axes.legend()
figure.tight_layout()
