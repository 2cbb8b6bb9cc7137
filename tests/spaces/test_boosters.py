"""Families of optional packages: LightGBM, XGBoost, CatBoost."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_metalearn import AutoClassifier, MetaSearchCV
from sk_metalearn.exceptions import MissingDependencyError
from sk_metalearn.knowledge import Evaluation, KnowledgeBase, Task
from sk_metalearn.spaces import Schema, build_estimator, families, get_family, load_pool
from sk_metalearn.spaces._inverse import find_family, read_model
from sk_metalearn.spaces._match import match_candidates

KINDS = ("classification", "regression")
NAMES = ("lightgbm", "xgboost", "catboost")


def _data(kind):
    load = load_wine if kind == "classification" else load_diabetes
    return load(return_X_y=True)


def _needs(name):
    pytest.importorskip(name, reason=f"{name} is not installed (extra 'boosting')")


@pytest.mark.parametrize("kind", KINDS)
def test_each_has_its_default_and_fifteen_more_in_a_pool_of_its_own(kind):
    pool = load_pool(kind, optional=True)
    assert len({own.id for own in pool}) == len(pool) == 48
    for family in families(kind, optional=True):
        own = [c for c in pool if c.family == family.name]
        assert len(own) == 16
        assert own[0].params == family.space.default()
        assert all(family.space.contains(c.params) for c in own)
    assert not {c.family for c in load_pool(kind)} & set(NAMES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_pool_members_fit_and_are_read_back(name, kind):
    _needs(name)
    X, y = _data(kind)
    schema = Schema.from_data(X, y, kind)
    configuration = [c for c in load_pool(kind, optional=True) if c.family == name][2]
    fitted = build_estimator(configuration, schema, random_state=0).fit(X, y)
    dummy = max(np.bincount(y)) / len(y) if kind == "classification" else 0.0
    assert fitted.score(X, y) > dummy + 0.2
    again = build_estimator(configuration, schema, random_state=0).fit(X, y)
    np.testing.assert_array_equal(fitted.predict(X), again.predict(X))
    model = fitted[-1]
    family = find_family(fitted, kind)
    assert family is get_family(name, kind)
    point, _ = read_model(family, model, model.get_params(), schema)
    assert point == configuration.params


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_a_bare_estimator_is_searched_without_a_grid(name, kind):
    _needs(name)
    X, y = _data(kind)
    cls = get_family(name, kind).estimator_class
    quiet = {"lightgbm": {"verbosity": -1}, "catboost": {"verbose": False}}.get(name, {})
    if name == "catboost":
        quiet = {**quiet, "allow_writing_files": False, "n_estimators": 20}
    model = make_pipeline(StandardScaler(), cls(random_state=0, **quiet))
    search = MetaSearchCV(model, n_iter=2, cv=2, random_state=0).fit(X, y)
    assert (np.asarray(search.cv_results_["status"]) == "ok").all()
    assert search.best_score_ > 0.2


def test_auto_uses_them_only_when_asked():
    _needs("lightgbm")
    X, y = load_wine(return_X_y=True)
    asked = AutoClassifier(n_iter=3, families=["lightgbm"], random_state=0).fit(X, y)
    assert {own.family for own in asked.configurations_} == {"lightgbm"}
    assert asked.score(X, y) > 0.9


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "xgboost", None)
    with pytest.raises(MissingDependencyError, match=r"sk-metalearn\[boosting\]"):
        _ = get_family("xgboost", "regression").estimator_class
    X, y = load_wine(return_X_y=True)
    with pytest.raises(MissingDependencyError, match=r"sk-metalearn\[boosting\]"):
        AutoClassifier(n_iter=2, families=["xgboost"]).fit(X, y)


def test_several_classes_are_predicted_as_one_label_a_row():
    _needs("catboost")
    X, y = load_wine(return_X_y=True)
    auto = AutoClassifier(families=["catboost"], n_iter=1, random_state=0).fit(X[::3], y[::3])
    assert auto.predict(X).shape == y.shape
    assert auto.score(X, y) > 0.8


def test_a_grid_meets_the_measured_pool_of_its_family():
    _needs("lightgbm")
    from lightgbm import LGBMClassifier

    X, y = load_wine(return_X_y=True)
    X, y = X[::2], y[::2]
    boosters = [c for c in load_pool("classification", optional=True) if c.family == "lightgbm"]
    tasks = [Task(f"{i:012x}", f"t{i}", "classification", f"f{i}", 200 + i, 4, 2) for i in range(4)]
    # Few leaves did better on every past task.
    evaluations = [
        Evaluation(task.id, own.id, "ok", {"accuracy": [0.9 - 0.003 * own.params["num_leaves"]]})
        for task in tasks
        for own in boosters
    ]
    base = KnowledgeBase.from_evaluations(tasks, {"classification": boosters}, evaluations, {})
    model = LGBMClassifier(verbosity=-1, n_jobs=1, n_estimators=30, min_child_samples=5)
    grid = {"num_leaves": [31, 20, 4, 60, 127]}
    search = MetaSearchCV(model, grid, n_iter=2, cv=2, knowledge=base, random_state=0).fit(X, y)
    report = search.knowledge_report_
    assert report["used"] and report["families"] == {"lightgbm": 5} and report["tasks"] == 4
    assert {"num_leaves": 4} in search.cv_results_["params"]
    auto = AutoClassifier(families=["lightgbm"], n_iter=1, cv=2, knowledge=base, random_state=0)
    assert auto.fit(X, y).knowledge_report_["used"]
    default = match_candidates(LGBMClassifier(), [{}], Schema.from_data(X, y), "classification", X)
    assert default[0].kind == "exact" and default[0].configuration == boosters[0]
