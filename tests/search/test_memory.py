"""A search that remembers: also for estimators that nobody else has ever evaluated."""

from dataclasses import replace

import numpy as np
import pytest
from _faulty import Faulty
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.svm import SVC

from sk_metalearn import AutoClassifier, KnowledgeBase, MetaSearchCV, recommend
from sk_metalearn.exceptions import FallbackWarning
from sk_metalearn.search._memory import memory_of, stack_past

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


@pytest.mark.slow
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


QUIET = {"cv": 3, "refit": False, "random_state": 0}
ASK = {**QUIET, "n_iter": 3}
SVM_GRID = {"C": [0.1, 1, 10], "class_weight": [None, {0: 2, 1: 1}]}


def searched(base, seeds=range(4)):
    """A base that knows a grid, distributions, a model of the catalogue and whole pipelines."""
    options = {**QUIET, "knowledge": None, "remember": base}
    for seed in seeds:
        data = related(seed)
        MetaSearchCV(Own(), GRID, n_iter=6, **options).fit(*data)
        MetaSearchCV(SVC(), SVM_GRID, n_iter="all", **options).fit(*data)
        MetaSearchCV(Own(), {"alpha": loguniform(1e-3, 1e3)}, n_iter=3, **options).fit(*data)
        auto = {"families": ["lda", "svm"], "knowledge": None, "remember": base}
        AutoClassifier(n_iter=2, random_state=seed, **auto).fit(*data)
    return base


@pytest.fixture(scope="module")
def own_base():
    return searched(KnowledgeBase())


@pytest.fixture
def users(tmp_path, monkeypatch, own_base):
    """The user's store, with the same records and the key of their hashes."""
    monkeypatch.setenv("SK_METALEARN_HOME", str(tmp_path))
    return searched(True, range(3))


@pytest.mark.parametrize(
    "search",
    [
        MetaSearchCV(Own(), GRID, **ASK),
        MetaSearchCV(Own(), {"alpha": loguniform(1e-3, 1e3)}, **ASK),
        MetaSearchCV(SVC(), SVM_GRID, **ASK),
        MetaSearchCV(SVC(), {"C": loguniform(0.1, 10)}, **ASK),
        AutoClassifier(n_iter=2, random_state=0, families=["lda", "svm"]),
    ],
    ids=["grid", "distributions", "catalogue grid", "catalogue distributions", "auto"],
)
def test_the_own_base_alone_guides_every_kind_of_search(own_base, search):
    before = len(list(own_base.table("classification").evaluations()))
    search.set_params(knowledge=own_base).fit(*related(9))
    report = search.knowledge_report_
    assert report["used"] and report.get("tasks", 0) + report.get("own_tasks", 0) == 4, report
    assert search.cv_results_["reason"][0] == "portfolio"
    # To ask is not to record.
    assert len(list(own_base.table("classification").evaluations())) == before


def test_the_users_store_by_its_name(users):
    for search in (
        MetaSearchCV(Own(), GRID, knowledge="user", **ASK),
        MetaSearchCV(SVC(), SVM_GRID, knowledge="user", remember=True, **ASK),
    ):
        report = search.fit(*related(9)).knowledge_report_
        # Asked twice, as what is known and as what is remembered, it counts once.
        assert report.get("tasks", 0) + report.get("own_tasks", 0) == 3, report
    found = recommend(*related(8), knowledge="user", n=2)
    assert len(found) == 2 and np.isfinite(found[0].expected_score)


def test_remembered_tasks_stand_beside_the_bundled_ones(own_base):
    data, space = related(9), {"C": [0.1, 1, 10]}
    plain = MetaSearchCV(SVC(), space, **ASK).fit(*data)
    both = MetaSearchCV(SVC(), space, remember=own_base.without(), **ASK).fit(*data)
    report = both.knowledge_report_
    assert report["tasks"] == plain.knowledge_report_["tasks"] > 100
    assert report["own_tasks"] == 4
    assert plain.knowledge_report_.get("own_tasks", 0) == 0


def test_what_the_catalogue_only_comes_near_to_gives_way(own_base):
    # The catalogue has support vector machines, but none with these weights of classes.
    grid = {"C": [0.1, 1, 10], "class_weight": [{0: 2, 1: 1}]}
    options = {**ASK, "remember": own_base.without()}
    report = MetaSearchCV(SVC(), grid, **options).fit(*related(9)).knowledge_report_
    assert report["matches"]["exact"] + report["matches"]["same"] == 0
    assert (report["tasks"], report["own_tasks"]) == (0, 4)


def test_measured_scores_take_the_place_of_predicted_ones(own_base):
    memory = memory_of(own_base, "classification", "accuracy", SVC(), tuple(SVM_GRID))
    candidates = [{"C": C, "class_weight": None} for C in (0.1, 1, 10)]
    measured = memory.past(candidates)
    shape = measured.scores.shape
    guessed = replace(measured, scores=np.full(shape, 0.25), spread=np.full(shape, 0.1))
    both = stack_past(guessed, measured)
    assert np.array_equal(both.scores, measured.scores) and not both.spread.any()
    other_metric = stack_past(guessed, measured, alike=False)
    assert (other_metric.scores == 0.25).all() and len(other_metric.tasks) == 4
