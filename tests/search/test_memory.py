"""A search that remembers: also for estimators that nobody else has ever evaluated."""

import numpy as np
import pytest
from _faulty import Faulty
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris

from sk_metalearn import AutoClassifier, KnowledgeBase, MetaSearchCV
from sk_metalearn.exceptions import FallbackWarning

X, y = load_iris(return_X_y=True)


class Own(ClassifierMixin, BaseEstimator):
    """A classifier of one's own with five parameters, of which two matter much."""

    def __init__(self, power=1.0, alpha=1.0, clip=3.0, centre="mean", sign=True):
        self.power = power
        self.alpha = alpha
        self.clip = clip
        self.centre = centre
        self.sign = sign

    def _transform(self, X):
        Z = np.clip((X - self.centre_) / self.scale_, -self.clip, self.clip)
        return np.sign(Z) * np.abs(Z) ** self.power if self.sign else np.abs(Z) ** self.power

    def fit(self, X, y):
        self.centre_ = getattr(np, self.centre)(X, axis=0)
        self.scale_ = X.std(axis=0) + 1e-9
        Z = np.column_stack([self._transform(X), np.ones(len(X))])
        self.classes_, codes = np.unique(y, return_inverse=True)
        target = 2.0 * np.eye(len(self.classes_))[codes] - 1
        penalty = self.alpha * np.eye(Z.shape[1])
        self.weights_ = np.linalg.solve(Z.T @ Z + penalty, Z.T @ target)
        return self

    def predict(self, X):
        Z = np.column_stack([self._transform(X), np.ones(len(X))])
        return self.classes_[(Z @ self.weights_).argmax(axis=1)]


GRID = {
    "power": [0.02, 0.2, 1.0, 3.0, 6.0],
    "alpha": [1e-3, 1.0, 1e3, 1e5],
    "clip": [0.05, 0.5, 3.0],
    "centre": ["mean", "median", "max"],
    "sign": [True, False],
}


def related(seed):
    """Datasets of one family: what matters is the sign of many columns with heavy tails."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=300)
    pattern = rng.choice([-1, 1], size=(2, 20))
    flipped = rng.random((300, 20)) < 0.38
    X = pattern[y] * np.where(flipped, -1, 1) * np.exp(rng.normal(0, 2.0, (300, 20)))
    return X + rng.normal(0, 0.01, X.shape), y


def evaluations_needed(search, best, share=0.98):
    reached = np.nan_to_num(search.cv_results_["mean_test_score"]) >= share * best
    return int(np.argmax(reached)) + 1 if reached.any() else len(reached) + 1


def test_the_tenth_related_dataset_needs_a_third_of_the_evaluations_of_the_first():
    base = KnowledgeBase()
    needed = []
    for seed in range(10):
        X, y = related(seed)
        options = {"cv": 3, "knowledge": None, "random_state": seed, "refit": False}
        best = MetaSearchCV(Own(), GRID, n_iter="all", strategy="grid", **options).fit(X, y)
        search = MetaSearchCV(Own(), GRID, n_iter=30, remember=base, **options).fit(X, y)
        needed.append(evaluations_needed(search, best.best_score_))
    assert needed[-1] <= needed[0] / 3, needed
    assert np.mean(needed[-3:]) <= needed[0] / 3, needed
    assert len(base.tasks) == 10


def test_what_was_drawn_before_is_a_candidate_again():
    base = KnowledgeBase()
    space = {"alpha": loguniform(1e-4, 1e4)}
    options = {"cv": 3, "knowledge": None, "remember": base, "refit": False, "n_iter": 6}
    first = MetaSearchCV(Own(), space, random_state=0, **options).fit(X, y)
    second = MetaSearchCV(Own(), space, random_state=1, **options).fit(*related(1))
    assert second.knowledge_report_["own_tasks"] == 1 and second.knowledge_report_["used"]
    seen = {f"{p['alpha']:.6g}" for p in first.cv_results_["params"]}
    assert f"{second.cv_results_['params'][0]['alpha']:.6g}" in seen
    assert "1 of your own" in str(second.knowledge_report_)


def test_failures_are_remembered_too():
    base = KnowledgeBase()
    grid = {"fault": ["", "raise"], "shrink": [0.0, 0.5, 0.9]}
    options = {"cv": 3, "knowledge": None, "remember": base, "refit": False}
    with pytest.warns(UserWarning):
        MetaSearchCV(Faulty(), grid, strategy="grid", **options).fit(X, y)
    search = MetaSearchCV(Faulty(), grid, n_iter=3, random_state=0, **options).fit(*related(0))
    assert all(params["fault"] == "" for params in search.cv_results_["params"])


def test_another_estimator_is_not_mixed_up():
    base = KnowledgeBase()
    options = {"cv": 3, "knowledge": None, "remember": base, "refit": False}
    MetaSearchCV(Own(clip=1.0), {"alpha": [0.1, 1.0]}, **options).fit(X, y)
    search = MetaSearchCV(Own(clip=2.0), {"alpha": [0.1, 1.0]}, **options).fit(X, y)
    assert search.knowledge_report_["own_tasks"] == 0


def test_the_users_own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("SK_METALEARN_HOME", str(tmp_path))
    options = {"cv": 3, "knowledge": None, "remember": True, "refit": False}
    MetaSearchCV(Own(), {"alpha": [0.1, 1.0, 10.0]}, **options).fit(X, y)
    search = MetaSearchCV(Own(), {"alpha": [0.1, 1.0, 10.0]}, **options).fit(*related(0))
    assert search.knowledge_report_["own_tasks"] == 1
    base = KnowledgeBase.open("user")
    assert len(base.tasks) == 2 and not base.check()


def test_auto_remembers():
    base = KnowledgeBase()
    options = {"families": ["lda", "gaussian_nb", "ridge"], "knowledge": None, "random_state": 0}
    AutoClassifier(n_iter=6, remember=base, **options).fit(X, y)
    auto = AutoClassifier(n_iter=4, remember=base, **options).fit(*related(0))
    assert auto.knowledge_report_["own_tasks"] == 1
    assert len(base.tasks) == 2


def test_what_cannot_be_remembered_is_said():
    with pytest.warns(FallbackWarning, match="Only searches over classifiers"):
        MetaSearchCV(
            KMeans(n_init=1), {"n_clusters": [2, 3]}, knowledge=None, remember=KnowledgeBase()
        ).fit(X)
