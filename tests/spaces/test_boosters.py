"""Families of optional packages: LightGBM, XGBoost, CatBoost."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.datasets import load_diabetes, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer, get_scorer_names, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_metalearn import AutoClassifier, MetaSearchCV
from sk_metalearn.exceptions import MissingDependencyError
from sk_metalearn.knowledge import Evaluation, KnowledgeBase, Task
from sk_metalearn.spaces import (
    Configuration,
    Schema,
    build_estimator,
    families,
    get_family,
    load_pool,
)
from sk_metalearn.spaces._inverse import find_family, read_model, unwrap
from sk_metalearn.spaces._match import match_candidates
from sk_metalearn.tables._labels import Labels

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
    model = unwrap(fitted).model
    family = find_family(fitted, kind)
    assert family is get_family(name, kind)
    point, _ = read_model(family, model, model.get_params(), schema)
    assert point == configuration.params


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_columns_may_have_any_names(name, kind):
    _needs(name)
    X, y = _data(kind)
    # Some of these a booster refuses, and two are one to it.
    names = ["a[b]", '{"c": 1}', "d<e", "f,g", "h i", "h_i", "\u00e4:\u2028", "", "\u540d"]
    frame = pd.DataFrame(X).set_axis([*names, *map(str, range(X.shape[1] - len(names)))], axis=1)
    frame.iloc[::7, 1] = np.nan
    schema = Schema.from_data(frame, y, kind)
    configuration = next(c for c in load_pool(kind, optional=True) if c.family == name)
    made = build_estimator(configuration, schema, random_state=0)
    assert np.isfinite(made.fit(frame, y).predict(frame)).all()
    with config_context(transform_output="pandas"):
        np.testing.assert_array_equal(made.fit(frame, y).predict(frame), made.predict(frame))


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
    with pytest.raises(MissingDependencyError, match=r'pip install .*"xgboost'):
        _ = get_family("xgboost", "regression").estimator_class
    X, y = load_wine(return_X_y=True)
    with pytest.raises(MissingDependencyError, match=r'pip install .*"xgboost'):
        AutoClassifier(n_iter=2, families=["xgboost"]).fit(X, y)


def test_several_classes_are_predicted_as_one_label_a_row():
    _needs("catboost")
    X, y = load_wine(return_X_y=True)
    auto = AutoClassifier(families=["catboost"], n_iter=1, random_state=0).fit(X[::3], y[::3])
    assert auto.predict(X).shape == y.shape
    assert auto.score(X, y) > 0.8


def _with_a_rare_class():
    """Four classes, of which the last stands in the first thirty rows only."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 4))
    y = np.array(["few", "many", "more"])[np.digitize(X[:, 0], [-0.4, 0.4])].astype(object)
    y[:30:3] = "rare"
    return X, y, np.arange(30, 120), np.arange(30)


def _scorers_of_classes(X, y):
    """Names of the metrics that are defined for several classes."""
    model = LogisticRegression().fit(X, y)
    for name in get_scorer_names():
        try:
            if np.isfinite(get_scorer(name)(model, X, y)):
                yield name
        except (AttributeError, TypeError, ValueError):
            pass


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.parametrize("name", [*NAMES, "logistic_regression", "svm"])
def test_every_metric_of_a_fold_that_lacks_a_class(name):
    if name in NAMES:
        _needs(name)
    X, y, train, test = _with_a_rare_class()
    params = {"n_estimators": 20} if name in NAMES else {}
    family = get_family(name, "classification")
    configuration = Configuration(name, params, family.preprocessing)
    model = build_estimator(configuration, Schema.from_data(X, y), 0).fit(X[train], y[train])
    assert model.classes_.tolist() == ["few", "many", "more"]
    labels, found = Labels.of(y), {}
    names = list(_scorers_of_classes(X, y))
    assert {"neg_log_loss", "roc_auc_ovr", "roc_auc_ovo", "f1_macro", "top_k_accuracy"} <= {*names}
    for metric in names:
        scorer = get_scorer(metric)
        if hasattr(model, "predict_proba") or scorer._response_method != "predict_proba":
            found[metric] = labels.judge(scorer)(model, X[test], y[test])
    assert np.isfinite(list(found.values())).all(), found
    if hasattr(model, "predict_proba"):
        whole = np.column_stack([model.predict_proba(X[test]).astype(float), np.zeros(len(test))])
        whole /= whole.sum(axis=1, keepdims=True)
        assert found["neg_log_loss"] == pytest.approx(-log_loss(y[test], whole))
        area = roc_auc_score(y[test], whole, multi_class="ovr")
        assert found["roc_auc_ovr"] == pytest.approx(area)


@pytest.mark.parametrize("scoring", ["accuracy", "neg_log_loss"])
@pytest.mark.parametrize("name", NAMES)
def test_a_search_in_which_folds_lack_a_class(name, scoring):
    _needs(name)
    X, y, train, test = _with_a_rare_class()
    few = X[:, :2].round(1)
    folds = [(train, test), (test, train), (np.arange(60), np.arange(60, 120))]
    auto = AutoClassifier(
        families=[name], n_iter=1, cv=folds, scoring=scoring, knowledge=None, random_state=0
    ).fit(few, y)
    assert list(auto.cv_results_["status"]) == ["ok"]
    assert auto.classes_.tolist() == ["few", "many", "more", "rare"]
    assert auto.predict_proba(few).shape == (120, 4) and set(auto.predict(few)) <= set(y)


@pytest.mark.parametrize("name", NAMES)
def test_truth_values_are_predicted_as_such(name):
    _needs(name)
    X, y = load_wine(return_X_y=True)
    configuration = Configuration(
        name, {"n_estimators": 20}, get_family(name, "classification").preprocessing
    )
    found = build_estimator(configuration, Schema.from_data(X, y > 0), 0).fit(X, y > 0).predict(X)
    assert found.dtype == bool and found.shape == y.shape


def test_weights_reach_a_family_that_counts_its_classes():
    _needs("xgboost")
    X, y, _, _ = _with_a_rare_class()
    weight = np.where(y == "rare", 0.0, 1.0)
    auto = AutoClassifier(families=["xgboost"], n_iter=1, cv=2, knowledge=None, random_state=0)
    assert "rare" not in auto.fit(X, y, sample_weight=weight).predict(X)
    assert "rare" in auto.fit(X, y).predict(X)


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
