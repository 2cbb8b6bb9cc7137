"""What a search has found, on new data."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_wine

from sk_metalearn import AutoClassifier, AutoRegressor
from sk_metalearn.exceptions import FallbackWarning

QUICK = ["lda", "gaussian_nb", "logistic_regression"]


def test_new_rows_teach_the_members_that_were_found():
    X, y = load_wine(return_X_y=True, as_frame=True)
    auto = AutoClassifier(n_iter=6, families=QUICK, random_state=0).fit(X[::2], y[::2])
    before = auto.predict_proba(X)
    again = auto.refit(X[1::2], y[1::2])
    # The estimator itself is left as it was.
    assert np.array_equal(auto.predict_proba(X), before)
    assert again.ensemble_ == auto.ensemble_ and again.cv_results_ is auto.cv_results_
    assert not np.array_equal(again.predict_proba(X), before)
    assert again.score(X, y) > 0.9 and again.refit_on_ == "all rows"
    # The same rows give the same model, in whatever storage and order of columns.
    shuffled = X[::2][list(X.columns[::-1])]
    same = auto.refit(shuffled, y[::2].to_numpy())
    assert np.allclose(same.predict_proba(X), before)
    assert np.array_equal(pickle.loads(pickle.dumps(again)).predict(X), again.predict(X))


def test_there_may_be_other_classes():
    X, y = load_wine(return_X_y=True)
    first = np.flatnonzero(y < 2)
    auto = AutoClassifier(n_iter=4, families=QUICK, random_state=0).fit(X[first], y[first])
    again = auto.refit(X, np.array(["10", "9", "8"])[y])
    assert list(again.classes_) == ["10", "8", "9"] and list(auto.classes_) == [0, 1]
    assert again.predict_proba(X).shape == (len(y), 3)
    assert np.mean(again.predict(X) == np.array(["10", "9", "8"])[y]) > 0.9


def test_weights_reach_every_member():
    X, y = load_diabetes(return_X_y=True)
    auto = AutoRegressor(n_iter=4, families=["ridge", "decision_tree"], random_state=0).fit(X, y)
    few = np.arange(len(y)) < 40
    weighted = auto.refit(X, y, sample_weight=few.astype(float))
    assert not np.allclose(weighted.predict(X), auto.predict(X))


def test_counts_stay_above_zero():
    X, y = load_diabetes(return_X_y=True)
    counts = np.maximum(0, y // 40 - 1)
    auto = AutoRegressor(
        n_iter=3, families=["ridge"], scoring="neg_mean_poisson_deviance", random_state=0
    ).fit(X, counts)
    assert auto.refit(X[::2], counts[::2]).predict(X).min() > 0


def test_what_was_not_found_cannot_be_fitted_again(monkeypatch):
    from sk_metalearn.search import _auto_model

    monkeypatch.setattr(_auto_model, "_of_kept_models", lambda *arguments: None)
    monkeypatch.setattr(_auto_model, "_refit", lambda *arguments: arguments[-1])
    X, y = load_diabetes(return_X_y=True)
    with pytest.warns(FallbackWarning, match="final model only predicts"):
        auto = AutoRegressor(n_iter=1, families=["ridge"], random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="nothing that could be fitted again.*dummy"):
        auto.refit(X, y)


def test_columns_that_are_missing_are_named():
    X = pd.DataFrame({"a": np.arange(60.0), "b": np.arange(60.0) % 7})
    auto = AutoRegressor(n_iter=2, families=["ridge"], random_state=0).fit(X, X["a"])
    with pytest.raises(ValueError, match="'b'"):
        auto.refit(X[["a"]], X["a"])
    with pytest.raises(ValueError, match="inconsistent numbers"):
        auto.refit(X, X["a"][:5])
