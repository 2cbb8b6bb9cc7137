"""Groups, weights, splitters of every kind and metadata routing in the Auto estimators."""

import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.metrics import get_scorer, make_scorer
from sklearn.model_selection import (
    GroupKFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_validate,
)

from sk_metalearn import AutoClassifier, AutoRegressor
from sk_metalearn.exceptions import FallbackWarning

X, y = (part[::2] for part in load_breast_cancer(return_X_y=True))
X_diabetes, y_diabetes = load_diabetes(return_X_y=True)
GROUPS = np.arange(len(y)) // 40
# What an Auto estimator makes of random_state=0.
SEED = int(np.random.RandomState(0).randint(2**31 - 1))
WEIGHTS = np.random.default_rng(0).uniform(0.1, 3, len(y))
COLD = {"knowledge": None, "random_state": 0, "n_iter": 3}
QUICK = ["logistic_regression", "gaussian_nb", "decision_tree"]


class Seen:
    """A scorer that keeps what it was given."""

    def __init__(self):
        self.tests, self.weights = [], []

    def __call__(self, estimator, X, y, sample_weight=None):
        self.tests.append(np.asarray(X)[:, 0])
        self.weights.append(sample_weight)
        return estimator.score(X, y)


@pytest.mark.parametrize("cv", [GroupKFold(3), LeaveOneGroupOut()])
def test_groups_stay_together(cv):
    seen = Seen()
    auto = AutoClassifier(cv=cv, families=["lda"], scoring=seen, **{**COLD, "n_iter": 1})
    auto.fit(X, y, groups=GROUPS)
    rows = [np.flatnonzero(np.isin(X[:, 0], test)) for test in seen.tests]
    if isinstance(cv, LeaveOneGroupOut):
        assert auto.n_splits_ == len(np.unique(GROUPS)) and min(map(len, rows)) > 0
    for train, test in cv.split(X, y, GROUPS):
        assert not set(GROUPS[train]) & set(GROUPS[test])
        assert any(np.array_equal(X[test, 0], own) for own in seen.tests)


def test_groups_are_cut_to_the_sample():
    options = {**COLD, "max_rows": 200, "families": ["lda"], "cv": GroupKFold(3), "n_iter": 1}
    auto = AutoClassifier(**options).fit(X, y, groups=GROUPS, sample_weight=None)
    assert auto.n_splits_ == 3 and np.isfinite(auto.best_score_)


def test_weights_reach_fits_scores_and_the_final_model():
    wrong = np.random.default_rng(1).random(len(y)) < 0.45
    labels, weights = np.where(wrong, 1 - y, y), np.where(wrong, 1e-9, 1.0)
    auto = AutoClassifier(cv=3, families=["decision_tree"], ensemble_size=0, **COLD)
    auto.fit(X, labels, sample_weight=weights)
    # Wrong labels that weigh nothing teach nothing, and are no errors of a score.
    assert auto.best_score_ > 0.85 and auto.score(X, labels, sample_weight=weights) > 0.95
    assert np.mean(auto.predict(X)[~wrong] == y[~wrong]) > 0.95
    assert auto.fit(X, labels).best_score_ < 0.7


def test_weights_reach_every_member_of_an_ensemble():
    options = {**COLD, "n_iter": 8, "scoring": "neg_log_loss", "cv": 3, "final": "refit"}
    auto = AutoClassifier(families=QUICK, **options).fit(X, y, sample_weight=WEIGHTS)
    assert len(auto.ensemble_) > 1
    for name, member in auto.best_estimator_.named_estimators_.items():
        row = int(name.rpartition("_")[2])
        alone = clone(dict(auto.best_estimator_.estimators)[name])
        alone.fit(X, auto.best_estimator_.le_.transform(y), model__sample_weight=WEIGHTS)
        np.testing.assert_allclose(member.predict_proba(X), alone.predict_proba(X))
        assert auto.ensemble_[row] >= 1
    bagged = AutoClassifier(families=QUICK, **{**options, "final": "bag"})
    bagged.fit(X, y, sample_weight=WEIGHTS)
    for name, member in bagged.best_estimator_.named_estimators_.items():
        train, _ = next(StratifiedKFold(3, shuffle=True, random_state=SEED).split(X, y))
        alone = clone(dict(bagged.best_estimator_.estimators)[name])
        alone.fit(X[train], y[train], model__sample_weight=WEIGHTS[train])
        first = member.estimators_[0]
        np.testing.assert_allclose(first.predict_proba(X), alone.predict_proba(X))
    again = clone(auto.best_estimator_)
    assert not hasattr(again, "estimators_") and again.fit(X, y).score(X, y) > 0.9


def test_families_that_take_no_weights_are_left_out_with_a_word():
    auto = AutoClassifier(families=["k_neighbors", "gaussian_nb"], cv=3, **COLD)
    with pytest.warns(FallbackWarning, match=r"\['k_neighbors'\] take no sample_weight") as caught:
        auto.fit(X, y, sample_weight=WEIGHTS)
    assert caught[0].filename == __file__
    assert {own.family for own in auto.configurations_} == {"gaussian_nb"}
    with pytest.raises(ValueError, match="k_neighbors takes no sample_weight"):
        auto.set_params(families=["k_neighbors"]).fit(X, y, sample_weight=WEIGHTS)


@pytest.mark.parametrize(
    "cv, n_splits",
    [
        (TimeSeriesSplit(3), 3),
        (PredefinedSplit(np.where(np.arange(len(y)) < 180, -1, 0)), 1),
        (RepeatedKFold(n_splits=3, n_repeats=2, random_state=0), 6),
        (ShuffleSplit(4, test_size=0.3, random_state=0), 4),
    ],
)
@pytest.mark.filterwarnings("ignore::sk_metalearn.exceptions.KnowledgeWarning")
def test_folds_that_overlap_or_test_a_part_of_the_rows_have_ensembles_too(cv, n_splits):
    options = {**COLD, "n_iter": 8, "racing": False, "scoring": "neg_log_loss"}
    auto = AutoClassifier(cv=cv, families=QUICK, **options).fit(X, y)
    assert auto.n_splits_ == n_splits
    assert len(auto.ensemble_) > 1
    assert auto.best_score_ > np.nanmax(auto.cv_results_["mean_test_score"])


@pytest.mark.parametrize("scoring", ["neg_mean_absolute_error", "r2", None])
def test_score_is_what_was_maximised(scoring):
    auto = AutoRegressor(families=["ridge"], scoring=scoring, cv=3, **COLD)
    auto.fit(X_diabetes, y_diabetes)
    expected = get_scorer(scoring or "r2")(auto.best_estimator_, X_diabetes, y_diabetes)
    assert auto.score(X_diabetes, y_diabetes) == expected
    assert auto.best_params_ == auto.cv_results_["params"][auto.best_index_]


def test_what_nobody_takes_is_refused():
    with pytest.raises(TypeError, match="takes sample_weight and groups beside X and y; got price"):
        AutoClassifier(families=["lda"], **COLD).fit(X, y, price=WEIGHTS)


def test_metadata_routing_as_in_scikit_learn():
    def profit(y_true, y_pred, amount=None):
        return float(np.sum((y_true == y_pred) * amount))

    with config_context(enable_metadata_routing=True):
        scoring = make_scorer(profit).set_score_request(amount=True)
        auto = AutoClassifier(cv=GroupKFold(3), scoring=scoring, families=QUICK, **COLD)
        auto.fit(X, y, groups=GROUPS, amount=WEIGHTS, sample_weight=WEIGHTS)
        assert auto.score(X, y, amount=WEIGHTS) <= WEIGHTS.sum()
        folds = [WEIGHTS[test].sum() for _, test in GroupKFold(3).split(X, y, GROUPS)]
        assert 0.8 * np.mean(folds) < auto.best_score_ <= np.mean(folds)
        inner = AutoClassifier(families=["lda", "gaussian_nb"], **COLD)
        inner.set_fit_request(sample_weight=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FallbackWarning)
            found = cross_validate(inner, X, y, params={"sample_weight": WEIGHTS}, cv=3)
        assert found["test_score"].min() > 0.8
        with pytest.raises(TypeError, match="price"):
            auto.fit(X, y, price=WEIGHTS)


class Listening:
    """Counts the tasks of a fit, and asks to stop after some."""

    def __init__(self, most=10**9):
        self.most, self.tasks = most, []

    def setup(self, estimator, context):
        self.tasks.clear()

    def teardown(self, estimator, context):
        self.tasks.append("teardown")

    def on_fit_task_begin(self, estimator, context, **told):
        pass

    def on_fit_task_end(self, estimator, context, **told):
        self.tasks.append(context.task_name)
        return self.tasks.count("candidate-split-evaluation") >= self.most


def test_callbacks_hear_of_every_fold_and_may_stop():
    pytest.importorskip("sklearn.callback")
    listening = Listening()
    auto = AutoClassifier(families=["lda"], cv=2, racing=False, **COLD)
    auto.set_callbacks(listening).fit(X, y)
    assert listening.tasks.count("candidate-split-evaluation") == 2 * 3
    assert listening.tasks[-1] == "teardown" and "search" in listening.tasks
    auto.set_callbacks(Listening(most=3)).fit(X, y)
    assert auto.stop_reason_ == "callback" and auto.score(X, y) > 0.9
