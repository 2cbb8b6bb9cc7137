"""Between which values a target will be."""

import numpy as np
import pytest
from sklearn.datasets import make_regression

from sk_metalearn import AutoRegressor
from sk_metalearn.search._intervals import interval_offsets

QUICK = {"n_iter": 4, "families": ["ridge", "decision_tree", "extra_trees"], "random_state": 0}
X, Y = make_regression(4300, 5, noise=30.0, random_state=0)


@pytest.fixture(scope="module")
def auto():
    return AutoRegressor(**QUICK).fit(X[:300], Y[:300])


def test_the_ends_are_order_statistics():
    errors = np.arange(99.0)
    assert interval_offsets(errors, 0.9) == (4.0, 94.0)
    # 91 of 99 errors lie between the ends, these included: of 100 the one to come is in 90.
    assert interval_offsets(errors, 0.98) == (0.0, 98.0)
    with pytest.raises(ValueError, match="at least 199 rows; there are 99"):
        interval_offsets(errors, 0.99)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
def test_new_rows_are_within(auto, coverage):
    low, high = auto.predict_interval(X[300:], coverage).T
    inside = np.mean((low <= Y[300:]) & (Y[300:] <= high))
    # 300 rows know a share to some 2 %.
    assert abs(inside - coverage) < 0.06
    assert np.all(low < high)


def test_they_stay_with_what_was_found(auto):
    again = auto.refit(X[300:600], Y[300:600])
    width = np.diff(again.predict_interval(X[:5]), axis=1)
    assert np.allclose(width, np.diff(auto.predict_interval(X[:5]), axis=1))


def test_counts_have_no_negative_end():
    counts = np.random.default_rng(0).poisson(1.0, 300)
    auto = AutoRegressor(**QUICK, scoring="neg_mean_poisson_deviance").fit(X[:300], counts)
    assert auto.predict_interval(X[:300], 0.95)[:, 0].min() > 0


def test_under_a_budget():
    auto = AutoRegressor(**{**QUICK, "n_iter": None}, time_budget=120, patience=3)
    low, high = auto.fit(X[:300], Y[:300]).predict_interval(X[300:]).T
    assert 0.8 < np.mean((low <= Y[300:]) & (Y[300:] <= high)) < 0.97


def test_what_cannot_be_is_said(auto):
    for wrong in (0, 1, 90):
        with pytest.raises(ValueError, match=f"between 0 and 1; got {wrong}"):
            auto.predict_interval(X[:1], wrong)
    for size in (0, 1):
        single = AutoRegressor(n_iter=1, families=["ridge"], ensemble_size=size)
        with pytest.raises(ValueError, match="ensemble_size of 2 or more"):
            single.fit(X[:100], Y[:100]).predict_interval(X[:1])
    single.set_params(ensemble_size=2).fit(X[:100], Y[:100]).predict_interval(X[:1])


def test_rows_that_were_shuffled_again_count_once():
    auto = AutoRegressor(**{**QUICK, "n_iter": None}, time_budget=120, patience=2)
    assert len(auto.fit(X[:100], Y[:100])._errors) == 100
