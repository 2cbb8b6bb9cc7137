"""Boosting minimises the pinball loss where the metric asks for a quantile."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.metrics import (
    d2_pinball_score,
    get_scorer,
    make_scorer,
    mean_pinball_loss,
)

from sk_metalearn import AutoRegressor, KnowledgeBase
from sk_metalearn.search._losses import loss_of
from sk_metalearn.spaces import unwrap


def quantile(alpha, **options):
    return make_scorer(mean_pinball_loss, alpha=alpha, greater_is_better=False, **options)


@pytest.mark.parametrize(
    ("scorer", "expected"),
    [
        (get_scorer("r2"), {}),
        (get_scorer("neg_mean_absolute_error"), {}),
        (quantile(0.9), {"loss": "quantile", "quantile": 0.9}),
        (make_scorer(d2_pinball_score), {"loss": "quantile", "quantile": 0.5}),
        (get_scorer("accuracy"), {}),
        (lambda model, X, y: 0.0, {}),
    ],
)
def test_the_loss_of_a_metric(scorer, expected):
    assert loss_of(scorer) == expected


def booster(model):
    return unwrap(model).model


def test_a_quantile_is_predicted():
    X, y = load_diabetes(return_X_y=True)
    options = {"n_iter": 4, "families": ["hist_gradient_boosting"], "random_state": 0}
    high = AutoRegressor(scoring=quantile(0.9), ensemble_size=0, **options).fit(X[:300], y[:300])
    assert booster(high.best_estimator_).loss == "quantile"
    assert 0.75 < np.mean(y[300:] <= high.predict(X[300:])) <= 1
    assert 0.75 < np.mean(y[300:] <= high.refit(X[:300], y[:300]).predict(X[300:])) <= 1


@pytest.mark.parametrize("unit", [1e-10, 1e10])
def test_in_any_unit(unit):
    X, y = load_diabetes(return_X_y=True)
    auto = AutoRegressor(
        n_iter=2,
        families=["hist_gradient_boosting"],
        scoring=quantile(0.8),
        ensemble_size=0,
        random_state=0,
    ).fit(X, y * unit)
    assert 0.6 < np.mean(y * unit <= auto.predict(X)) < 0.98


def test_another_loss_is_not_remembered_as_the_usual_one(tmp_path):
    X, y = load_diabetes(return_X_y=True)
    memory = KnowledgeBase.open(tmp_path / "own.db")
    families = ["hist_gradient_boosting", "ridge"]
    options = {"n_iter": 4, "families": families, "cv": 2, "random_state": 0, "remember": memory}
    AutoRegressor(scoring=quantile(0.9), **options).fit(X[:100], y[:100])
    configurations = memory.table("regression").configurations
    assert {own.family for own in configurations} == {"ridge"}
