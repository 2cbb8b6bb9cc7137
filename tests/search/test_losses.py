"""Boosting minimises what the metric measures."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.metrics import (
    d2_pinball_score,
    get_scorer,
    make_scorer,
    mean_pinball_loss,
    mean_tweedie_deviance,
)

from sk_metalearn import AutoRegressor, KnowledgeBase
from sk_metalearn.search._losses import loss_of
from sk_metalearn.spaces import unwrap

COUNTS = np.array([0, 1, 5])


def quantile(alpha, **options):
    return make_scorer(mean_pinball_loss, alpha=alpha, greater_is_better=False, **options)


@pytest.mark.parametrize(
    ("scorer", "y", "expected"),
    [
        (get_scorer("r2"), COUNTS, {}),
        (get_scorer("neg_mean_absolute_error"), COUNTS, {"loss": "absolute_error"}),
        (quantile(0.9), COUNTS, {"loss": "quantile", "quantile": 0.9}),
        (make_scorer(d2_pinball_score), COUNTS, {"loss": "quantile", "quantile": 0.5}),
        (get_scorer("neg_mean_poisson_deviance"), COUNTS, {"loss": "poisson"}),
        (get_scorer("neg_mean_poisson_deviance"), COUNTS - 1, {}),
        (get_scorer("neg_mean_gamma_deviance"), COUNTS + 1, {"loss": "gamma"}),
        (get_scorer("neg_mean_gamma_deviance"), COUNTS, {}),
        (make_scorer(mean_tweedie_deviance, power=1.5), COUNTS, {"loss": "poisson"}),
        (make_scorer(mean_tweedie_deviance, power=0), COUNTS, {}),
        (get_scorer("accuracy"), np.array(["a", "b"]), {}),
        (lambda model, X, y: 0.0, COUNTS, {}),
    ],
)
def test_the_loss_of_a_metric(scorer, y, expected):
    assert loss_of(scorer, y) == expected


def booster(model):
    return unwrap(model).model


def test_a_quantile_is_predicted():
    X, y = load_diabetes(return_X_y=True)
    options = {"n_iter": 4, "families": ["hist_gradient_boosting"], "random_state": 0}
    high = AutoRegressor(scoring=quantile(0.9), ensemble_size=0, **options).fit(X[:300], y[:300])
    assert booster(high.best_estimator_).loss == "quantile"
    assert 0.75 < np.mean(y[300:] <= high.predict(X[300:])) <= 1
    assert 0.75 < np.mean(y[300:] <= high.refit(X[:300], y[:300]).predict(X[300:])) <= 1


def test_counts_are_predicted_above_0():
    X, _ = load_diabetes(return_X_y=True)
    y = np.random.default_rng(0).poisson(np.exp(20 * X[:, 2]))
    families = ["hist_gradient_boosting"]
    auto = AutoRegressor(
        n_iter=3,
        families=families,
        scoring="neg_mean_poisson_deviance",
        ensemble_size=0,
        random_state=0,
    ).fit(X, y)
    assert booster(auto.best_estimator_).loss == "poisson" and (auto.predict(X) > 0).all()
    assert auto.best_score_ > auto.score_estimate_.dummy


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
    AutoRegressor(scoring="neg_mean_absolute_error", **options).fit(X[:100], y[:100])
    configurations = memory.table("regression").configurations
    assert {own.family for own in configurations} == {"ridge"}
