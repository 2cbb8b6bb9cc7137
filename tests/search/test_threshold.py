"""A threshold that is chosen on rows which the members have not seen."""

import pickle

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.metrics import balanced_accuracy_score, get_scorer, log_loss, make_scorer
from sklearn.model_selection import FixedThresholdClassifier, cross_val_score

from sk_metalearn import AutoClassifier, KnowledgeBase
from sk_metalearn.search import to_code
from sk_metalearn.search._threshold import (
    ThresholdScorer,
    members_scorer,
    predict_from,
    shifted,
    tune_threshold,
)

FAMILIES = ["logistic_regression", "gaussian_nb", "lda", "decision_tree"]


def cost(y, predicted):
    """A missed case costs 10, a false alarm 1."""
    return 10 * np.mean((y == "yes") & (predicted != "yes")) + np.mean(
        (y != "yes") & (predicted == "yes")
    )


COST = make_scorer(cost, greater_is_better=False)


def data(n=400, seed=0):
    X, y = make_classification(
        n + 2000, 8, weights=[0.85], class_sep=0.7, flip_y=0.05, random_state=seed
    )
    y = np.where(y == 1, "yes", "no")
    return X[:n], y[:n], X[n:], y[n:]


def auto(**changes):
    options = {"n_iter": 4, "cv": 3, "families": FAMILIES, "scoring": COST, "random_state": 0}
    return AutoClassifier(**{**options, "threshold": "tune", **changes})


@pytest.mark.parametrize("threshold", [0.03, 0.4, 0.5, 0.8])
def test_probabilities_are_moved_so_that_the_likelier_class_is_the_predicted_one(threshold):
    p = np.linspace(0, 1, 1001)
    moved = shifted(np.column_stack([1 - p, p]), threshold)
    np.testing.assert_allclose(moved.sum(axis=1), 1)
    away = np.abs(p - threshold) > 1e-6
    assert ((moved[:, 1] > 0.5) == (p > threshold))[away].all()
    assert (np.diff(moved[:, 1]) >= 0).all()


@pytest.mark.parametrize("metric", ["balanced_accuracy", "accuracy"])
def test_the_best_threshold_is_found(metric):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [900, 100])
    p = np.clip(0.1 + 0.15 * y + rng.normal(0, 0.05, 1000), 0.001, 0.999)
    mixture, tests = np.column_stack([1 - p, p]), [np.arange(i, 1000, 4) for i in range(4)]
    scorer = get_scorer(metric)
    found, score = tune_threshold(mixture, y, scorer, tests, np.array([0, 1]))
    function = scorer._score_func
    by_hand = [
        np.mean([function(y[own], (p[own] >= t).astype(int)) for own in tests])
        for t in np.linspace(0.01, 0.5, 400)
    ]
    assert score >= max(by_hand) - 2e-3 and 0.1 < found < 0.3
    assert score == pytest.approx(
        np.mean([function(y[own], (p[own] >= found).astype(int)) for own in tests])
    )


def test_where_no_threshold_is_better_it_is_one_half_and_without_time_too():
    y = np.array([0, 1] * 20)
    mixture = np.eye(2)[y] * 0.6 + 0.2
    given = mixture, y, get_scorer("accuracy"), [np.arange(40)], np.array([0, 1])
    assert tune_threshold(*given) == (0.5, 1.0)
    threshold, score = tune_threshold(*given, deadline=0.0)
    assert threshold == 0.5 and np.isnan(score)


@pytest.mark.parametrize(
    "changes",
    [{}, {"ensemble_size": 0}, {"final": "bag"}, pytest.param({"time_budget": 15}, id="timed")],
)
def test_costs_move_it(changes):
    X, y, X_test, y_test = data()
    found = auto(**changes).fit(X, y)
    assert isinstance(found.best_estimator_, FixedThresholdClassifier)
    assert found.threshold_ < 0.35
    plain = found.best_estimator_.estimator_
    np.testing.assert_array_equal(found.predict_proba(X_test), plain.predict_proba(X_test))
    assert found.score(X_test, y_test) > COST(plain, X_test, y_test)
    positive = found.predict_proba(X_test)[:, 1] >= found.threshold_
    np.testing.assert_array_equal(found.predict(X_test) == "yes", positive)
    for again in (pickle.loads(pickle.dumps(found)), found.refit(X, y)):
        assert again.threshold_ == found.threshold_
    again = clone(found.best_estimator_).fit(X, y)
    assert again.threshold == found.threshold_ and (again.predict(X_test) == "yes").any()


def test_candidates_are_compared_by_what_a_threshold_can_make_of_them():
    X, y, _, _ = data()
    tuned, plain = auto().fit(X, y), auto(threshold=None).fit(X, y)
    assert plain.threshold_ is None
    at_their_best, at_half = (own.cv_results_["mean_test_score"] for own in (tuned, plain))
    assert (at_their_best[:3] >= at_half[:3]).all()
    assert (at_their_best[:3] > at_half[:3] + 0.3).sum() == 2


def test_a_model_that_does_not_look_predicts_the_cheaper_class():
    y = np.array(["no"] * 85 + ["yes"] * 15)
    mixture = np.tile([0.85, 0.15], (100, 1))
    given = mixture, y, COST, [np.arange(100)], np.array(["no", "yes"])
    threshold, score = tune_threshold(*given)
    assert threshold < 0.15 and score == pytest.approx(-0.85)


def test_the_estimate_chooses_it_without_the_rows_that_judge():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 4)), rng.integers(0, 2, 120)
    found = auto(scoring="balanced_accuracy").fit(X, y)
    # There is nothing to find: only what is chosen by luck is above one half.
    assert found.best_score_ > found.score_estimate_.score
    assert abs(found.score_estimate_.score - 0.5) < 0.15


def test_its_code_is_its_model(tmp_path):
    X, y, X_test, _ = data()
    found = auto().fit(X, y)
    names = {}
    exec(to_code(found), names)
    np.testing.assert_array_equal(names["model"].fit(X, y).predict(X_test), found.predict(X_test))


def test_labels_that_models_do_not_take():
    X, y, X_test, y_test = data()
    found = auto(scoring="balanced_accuracy").fit(X, np.where(y == "yes", "1", "0"))
    assert set(found.predict(X_test)) == {"0", "1"}
    positive = found.predict_proba(X_test)[:, 1] >= found.threshold_
    np.testing.assert_array_equal(found.predict(X_test) == "1", positive)
    assert balanced_accuracy_score(y_test == "yes", found.predict(X_test) == "1") > 0.6


def test_a_profit_of_each_row():
    X, y, _, _ = data()
    amount = np.random.default_rng(0).lognormal(3, 1, len(y))

    def profit(y, predicted, amount):
        return np.mean((predicted == "yes") * ((y == "yes") * amount - 3))

    with config_context(enable_metadata_routing=True):
        scoring = make_scorer(profit).set_score_request(amount=True)
        found = auto(scoring=scoring).fit(X, y, amount=amount)
    assert found.threshold_ < 0.5 and found.best_score_ > 0


def test_nothing_is_remembered_under_the_name_of_the_metric(tmp_path):
    X, y, _, _ = data(100)
    memory = KnowledgeBase.open(tmp_path / "own.db")
    auto(scoring="balanced_accuracy", remember=memory).fit(X, y)
    assert memory.kinds == ()


def test_of_two_classes_that_are_equally_likely_the_first_is_predicted():
    X, y = np.zeros((40, 1)), np.repeat(["a", "b"], 20)
    plain = DummyClassifier().fit(X, y)
    assert (plain.predict_proba(X)[:, 1] == 0.5).all()
    assert set(predict_from(plain, 0.5).predict(X)) == {"a"} == set(plain.predict(X))


def test_weights_count_when_members_are_chosen():
    scorer, params = members_scorer(ThresholdScorer(COST), {"sample_weight": [1], "amount": [2]})
    assert scorer._score_func is log_loss and params == {"sample_weight": [1]}


def test_in_cross_validation():
    X, y, _, _ = data(240)
    scores = cross_val_score(auto(n_iter=2, families=["lda"]), X, y, cv=2)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scoring": "roc_auc"}, "scoring='roc_auc', which no threshold changes"),
        ({"scoring": "neg_log_loss"}, "needs a metric of predicted classes"),
        ({"scoring": lambda model, X, y: 0.5}, "make_scorer"),
        ({"threshold": 0.3}, "'threshold' parameter of AutoClassifier must be"),
    ],
)
def test_what_cannot_be_is_said(changes, message):
    X, y, _, _ = data(60)
    with pytest.raises(ValueError, match=message):
        auto(**changes).fit(X, y)


def test_several_classes_are_refused():
    X, _, _, _ = data(60)
    with pytest.raises(ValueError, match="for two classes; y holds 3"):
        auto(scoring="accuracy").fit(X, np.arange(60) % 3)


def test_tuned_scores_are_not_remembered_and_that_is_said():
    X, y, _, _ = data()
    base = KnowledgeBase()
    report = auto(n_iter=2, remember=base).fit(X, y).knowledge_report_
    assert not len(base.tasks)
    assert f"Not recorded for later searches: {report['not_remembered']}" in str(report)
