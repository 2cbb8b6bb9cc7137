"""Boosting that is stopped by the rows of a fold that it does not train on."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    get_scorer,
    log_loss,
    mean_absolute_error,
    mean_pinball_loss,
    mean_squared_error,
    r2_score,
    roc_auc_score,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sk_metalearn import AutoClassifier, AutoRegressor
from sk_metalearn.evaluation import Payload, run_fold
from sk_metalearn.search._stopped_boosting import StoppedPipeline, stops

X, y = load_diabetes(return_X_y=True)
OPTIONS = {"n_iter": 2, "families": ["hist_gradient_boosting"], "cv": 3, "random_state": 0}


def test_it_is_boosting_with_validation_rows():
    train, test = np.arange(300), np.arange(300, len(y))
    steps = [("scale", StandardScaler()), ("model", HistGradientBoostingRegressor(random_state=0))]
    stopped = StoppedPipeline(steps).fit(X[train], y[train], X_val=X[test], y_val=y[test])
    scale = StandardScaler().fit(X[train])
    alone = HistGradientBoostingRegressor(
        random_state=0, max_iter=1000, early_stopping=True, n_iter_no_change=20
    ).fit(scale.transform(X[train]), y[train], X_val=scale.transform(X[test]), y_val=y[test])
    assert stopped.n_iter == alone.n_iter_ < 200
    plain = stopped.plain()
    assert type(plain) is Pipeline
    np.testing.assert_array_equal(plain.predict(X), alone.predict(scale.transform(X)))


def test_only_histogram_boosting_is_stopped():
    assert stops(Pipeline([("model", HistGradientBoostingClassifier())]))
    assert not stops(Pipeline([("model", StandardScaler())]))


def test_a_class_that_is_not_trained_on_does_not_disturb():
    data, target = load_wine(return_X_y=True)
    known, other = np.flatnonzero(target < 2), np.flatnonzero(target == 2)
    test = np.r_[known[::4], other]
    train = np.setdiff1d(known, test)
    stopped = StoppedPipeline([("model", HistGradientBoostingClassifier(random_state=0))])
    stopped.fit(data[train], target[train], X_val=data[test], y_val=target[test])
    assert list(stopped.classes_) == [0, 1]


def _first_still(losses):
    """The number of trees after which the loss has not fallen for twenty."""
    for i in range(20, len(losses)):
        if min(losses[i - 19 : i + 1]) >= losses[i - 20] - 1e-7:
            return i
    return len(losses) - 1


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "quantile", "log_loss"])
def test_rows_are_judged_with_trees_that_other_rows_chose(loss):
    data, target = load_wine(return_X_y=True) if loss == "log_loss" else (X, y)
    train, test = np.arange(0, len(target), 2), np.arange(1, len(target), 2)
    if loss == "log_loss":
        model = HistGradientBoostingClassifier(random_state=0)
    else:
        quantile = 0.8 if loss == "quantile" else None
        model = HistGradientBoostingRegressor(random_state=0, loss=loss, quantile=quantile)
    stopped = StoppedPipeline([("scale", StandardScaler()), ("model", model)])
    X_test, y_test = data[test], target[test]
    stopped.fit(data[train], target[train], X_val=X_test, y_val=y_test)
    scaled = stopped[:-1].transform(X_test)
    order = np.argsort(y_test, kind="stable")
    expected = {}
    for part in range(10):
        judged = order[part::10]
        judges = np.setdiff1d(order, judged)
        if loss == "log_loss":
            stages = list(model.staged_predict_proba(scaled))
            losses = [log_loss(y_test[judges], own[judges]) for own in stages]
        else:
            stages = list(model.staged_predict(scaled))
            measure = {
                "squared_error": mean_squared_error,
                "absolute_error": mean_absolute_error,
                "quantile": lambda a, b: mean_pinball_loss(a, b, alpha=0.8),
            }[loss]
            losses = [measure(y_test[judges], own[judges]) for own in stages]
        stage = stages[_first_still(losses)]
        expected |= {int(row): stage[row] for row in judged}
    expected = np.array([expected[row] for row in range(len(test))])
    on_rows = stopped.judged_on(X_test)
    if loss != "log_loss":
        np.testing.assert_allclose(on_rows.predict(X_test), expected)
        assert not np.array_equal(expected, stopped.predict(X_test))
        return
    np.testing.assert_allclose(on_rows.predict_proba(X_test), expected)
    np.testing.assert_array_equal(on_rows.predict(X_test), expected.argmax(axis=1))
    np.testing.assert_array_equal(
        on_rows.decision_function(X_test).argmax(axis=1), expected.argmax(axis=1)
    )


def test_other_rows_are_judged_with_all_trees():
    stopped = StoppedPipeline([("model", HistGradientBoostingRegressor(random_state=0))])
    stopped.fit(X[:300], y[:300], X_val=X[300:], y_val=y[300:])
    judged = stopped.judged_on(X[300:])
    np.testing.assert_array_equal(judged.predict(X[:300]), stopped.predict(X[:300]))
    # A copy may be rows in another order.
    np.testing.assert_array_equal(judged.predict(X[300:][::-1]), stopped.predict(X[300:][::-1]))


def test_noise_is_not_told_to_be_foreseen():
    rng = np.random.default_rng(0)
    told = []
    for seed in range(30):
        noise, target = rng.normal(size=(120, 5)), rng.normal(size=120)
        model = HistGradientBoostingRegressor(random_state=seed, learning_rate=0.05)
        stopped = StoppedPipeline([("model", model)])
        stopped.fit(noise[:60], target[:60], X_val=noise[60:], y_val=target[60:])
        held, truth = noise[60:], target[60:]
        judged = stopped.judged_on(held).predict(held)
        told.append([r2_score(truth, own) for own in (stopped.predict(held), judged)])
    as_stopped, judged = np.mean(told, axis=0)
    assert judged < as_stopped and judged < 0


def _by_rows(estimator, X, y):
    """A scorer of one's own, which looks at some of the rows by themselves."""
    some = X[X[:, 2] > 0]
    assert len(estimator.predict(some)) == len(some) < len(X)
    return -mean_squared_error(y, estimator.predict(X))


def test_what_is_told_and_kept_comes_of_rows_that_did_not_stop_it():
    train, test = np.arange(300), np.arange(300, len(y))

    def make(candidate):
        return StoppedPipeline([("model", HistGradientBoostingRegressor(random_state=0))]), None

    payload = Payload(X, y, [(train, test)], make, _by_rows, keep_predictions=True, validates=True)
    found = run_fold(payload, {}, 0)
    assert found.status == "ok", found.failure
    held = X[test]
    own = make({})[0].fit(X[train], y[train], X_val=held, y_val=y[test]).judged_on(held)
    np.testing.assert_array_equal(found.predictions, own.predict(held))
    assert found.scores == -mean_squared_error(y[test], own.predict(held))


OF_CLASSES = {
    "roc_auc": lambda y, p: roc_auc_score(y, p[:, 1]),
    "average_precision": lambda y, p: average_precision_score(y, p[:, 1]),
    "neg_log_loss": lambda y, p: -log_loss(y, p),
    "f1": lambda y, p: f1_score(y, p.argmax(axis=1)),
}


@pytest.mark.parametrize("scoring", OF_CLASSES)
def test_every_kind_of_metric_is_told_so(scoring):
    data, target = load_breast_cancer(return_X_y=True)
    rows = np.arange(len(target))
    splits = [(rows[::2], rows[1::2])]

    def make(candidate):
        model = HistGradientBoostingClassifier(random_state=0)
        return StoppedPipeline([("model", model)]), None

    scorer = get_scorer(scoring)
    payload = Payload(data, target, splits, make, scorer, keep_predictions=True, validates=True)
    found = run_fold(payload, {}, 0)
    assert found.status == "ok", found.failure
    assert found.scores == pytest.approx(OF_CLASSES[scoring](target[1::2], found.predictions))


def test_weights_reach_the_model():
    weights = np.where(np.arange(len(y)) < 200, 1.0, 1e-3)
    model = HistGradientBoostingRegressor(random_state=0)
    fits = [
        StoppedPipeline([("model", clone(model))]).fit(X, y, X_val=X, y_val=y, **params).predict(X)
        for params in ({}, {"model__sample_weight": weights})
    ]
    assert not np.allclose(*fits)


@pytest.mark.parametrize("final", ["bag", "refit"])
def test_the_number_that_was_found_is_told_and_used(final, tmp_path):
    auto = AutoRegressor(**OPTIONS, final=final, checkpoint=tmp_path / "search").fit(X, y)
    for params, configuration in zip(auto.cv_results_["params"], auto.configurations_, strict=True):
        assert configuration.params["max_iter"] == params["max_iter"] > 20
        assert params["early_stopping"] is False
    model = auto.best_estimator_
    members = dict(model.estimators) if hasattr(model, "estimators") else {"candidate": model}
    numbers = {own["max_iter"] for own in auto.cv_results_["params"]}
    for own in members.values():
        assert type(own) is Pipeline
        assert own[-1].max_iter in numbers and not own[-1].early_stopping
    again = clone(auto).fit(X, y)
    assert again.cv_results_["params"] == auto.cv_results_["params"]
    np.testing.assert_array_equal(again.predict(X), auto.predict(X))


def test_fewer_rows_of_a_class_than_folds_do_not_stop_the_search():
    data, target = load_wine(return_X_y=True)
    keep = np.flatnonzero((target < 2) | (np.arange(len(target)) == len(target) - 1))
    auto = AutoClassifier(**OPTIONS).fit(data[keep], target[keep])
    assert set(auto.cv_results_["status"]) == {"ok"}
