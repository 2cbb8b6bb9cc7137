"""Boosting that is stopped by the rows of a fold that it does not train on."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sk_metalearn import AutoClassifier, AutoRegressor
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
