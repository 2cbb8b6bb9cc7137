"""Rows that come in groups, or one after the other, are kept apart in every step."""

import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.datasets import make_classification
from sklearn.model_selection import GroupKFold, KFold, TimeSeriesSplit

from sk_metalearn import AutoClassifier, AutoRegressor
from sk_metalearn.search import _auto_search

FAMILIES = {AutoClassifier: ["lda", "gaussian_nb"], AutoRegressor: ["ridge", "decision_tree"]}


@pytest.fixture
def seen(monkeypatch):
    """What the last step of a search is given."""
    given = []
    last_step = _auto_search.fit_auto_model

    def spy(run, problem, options, *others):
        given.append((run, problem))
        return last_step(run, problem, options, *others)

    monkeypatch.setattr(_auto_search, "fit_auto_model", spy)
    return given


def fitted(Auto, X, y, groups=None, **options):
    params = {} if groups is None else {"groups": groups}
    options = {"n_iter": 3, "families": FAMILIES[Auto], "random_state": 0, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Auto(**options).fit(X, y, **params)


def data(Auto, n=240):
    X, y = make_classification(n, 6, random_state=0)
    return X, y if Auto is AutoClassifier else X[:, 0] + 0.1 * y


@pytest.mark.parametrize("Auto", [AutoClassifier, AutoRegressor])
@pytest.mark.parametrize("cv", [None, 3, GroupKFold(4)])
@pytest.mark.parametrize(
    "options", [{}, {"time_budget": 20}, {"max_rows": 120}, {"max_rows": 120, "time_budget": 20}]
)
def test_no_group_is_on_both_sides(seen, Auto, cv, options):
    X, y = data(Auto)
    groups = np.random.default_rng(0).permutation(np.repeat(np.arange(24), 10))
    fitted(Auto, X, y, groups, cv=cv, **options)
    run, problem = seen[0]
    rows = np.arange(len(y)) if problem.rows is None else problem.rows
    assert len(problem.splits) == (5 if cv is None else cv if cv == 3 else 4)
    for train, test in problem.splits:
        assert not set(groups[rows[train]]) & set(groups[rows[test]])
    # Neither shuffled again nor held out by chance.
    assert not run.confirms and run.ending != "holdout"


def test_few_groups_are_as_many_folds_and_fewer_are_refused(seen):
    X, y = data(AutoClassifier)
    fitted(AutoClassifier, X, y, np.arange(240) % 3)
    assert len(seen[0][1].splits) == 3
    with pytest.raises(ValueError, match="groups holds 3"):
        fitted(AutoClassifier, X, y, np.arange(240) % 3, cv=4)
    with pytest.raises(ValueError, match="groups holds 1"):
        fitted(AutoClassifier, X, y, np.zeros(240))


def test_groups_reach_the_folds_where_metadata_are_routed(seen):
    X, y = data(AutoClassifier)
    groups = np.arange(240) % 24
    with config_context(enable_metadata_routing=True):
        fitted(AutoClassifier, X, y, groups)
    for train, test in seen[0][1].splits:
        assert not set(groups[train]) & set(groups[test])


@pytest.mark.parametrize("options", [{}, {"time_budget": 20}, {"max_rows": 120}])
def test_nothing_is_trained_on_what_comes_later(seen, options):
    X, y = data(AutoRegressor)
    fitted(AutoRegressor, X, y, cv=TimeSeriesSplit(4), **options)
    run, problem = seen[0]
    rows = np.arange(len(y)) if problem.rows is None else problem.rows
    assert all(rows[train].max() < rows[test].min() for train, test in problem.splits)
    assert not run.confirms and run.ending == "refit"


@pytest.mark.parametrize("Auto", [AutoClassifier, AutoRegressor])
def test_the_final_model_is_of_the_latest_rows(Auto):
    X, y = data(Auto)
    cv = TimeSeriesSplit(4, max_train_size=60)
    options = {"cv": cv, "final": "latest", "knowledge": None, "ensemble_size": 0}
    found = fitted(Auto, X, y, **options)
    first = min(part.min() for part in list(cv.split(X))[-1])
    assert found.refit_on_ == f"the latest {len(y) - first} rows"
    again = fitted(Auto, X, y, **{**options, "final": "refit"})
    assert again.refit_on_ == "all rows" and again.best_params_ == found.best_params_
    part = found.refit(X[first:], y[first:])
    np.testing.assert_allclose(found.predict(X), part.predict(X))


def test_what_latest_cannot_do_is_said():
    X, y = data(AutoClassifier)
    with pytest.raises(ValueError, match="needs folds in order of time"):
        fitted(AutoClassifier, X, y, final="latest")
    for cv, params in ((GroupKFold(3), {"groups": np.arange(240) % 6}), (KFold(3), {})):
        with pytest.raises(ValueError, match="trains on rows that come after"):
            fitted(AutoClassifier, X, y, cv=cv, final="latest", **params)
    ordered = np.where(np.arange(240) < 100, "old", np.where(y == 1, "a", "b"))
    with pytest.raises(ValueError, match=r"none of the classes \['old'\]"):
        cv = TimeSeriesSplit(4, max_train_size=60)
        fitted(AutoClassifier, X, ordered, final="latest", cv=cv)
