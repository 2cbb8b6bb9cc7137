"""Pipelines on columns that are not plain numbers of a usual size."""

import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.model_selection import cross_val_score

from sk_metalearn.spaces import (
    Configuration,
    Schema,
    build_estimator,
    catalogue_space,
    early_configurations,
    families,
    get_family,
    load_pool,
)
from sk_metalearn.tables import TableReader

pd = pytest.importorskip("pandas")
KINDS = ("classification", "regression")
N = 240


def _default(name, kind, **steps):
    family = get_family(name, kind)
    params = {"max_iter": 20} if name == "hist_gradient_boosting" else {}
    return Configuration(name, params, {**family.preprocessing, **steps})


def _score(own, X, y, kind, **known):
    schema = Schema.from_data(X, y, kind, **known)
    return cross_val_score(build_estimator(own, schema, 0), X, y, cv=3, error_score="raise").mean()


@pytest.mark.parametrize("family", ["decision_tree", "hist_gradient_boosting", "bayesian_ridge"])
@pytest.mark.parametrize("factor", [1e-12, 1e-9, 1e12])
def test_another_unit_is_no_matter(family, factor):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, 3))
    y = np.abs(X[:, 0]) + X[:, 1] + rng.normal(scale=0.1, size=N)
    own = _default(family, "regression")
    usual = _score(own, X, y, "regression")
    assert _score(own, X, factor * y, "regression") > usual - 0.05
    assert _score(own, np.c_[factor * X[:, :2], X[:, 2]], y, "regression") > usual - 0.02


def test_numbers_beyond_float32_and_points_in_time():
    rng = np.random.default_rng(1)
    hours = rng.integers(0, 24, N)
    stamps = pd.Timestamp("2024-01-01") + pd.to_timedelta(24 * rng.integers(0, 300, N) + hours, "h")
    y = (hours > 11).astype(int)
    tree = _default("decision_tree", "classification")
    for X in (
        pd.DataFrame({"when": stamps.strftime("%Y%m%d%H%M").astype(np.int64)}),
        pd.DataFrame({"large": 1e40 * (hours + rng.random(N))}),
    ):
        assert _score(tree, X, y, "classification") > 0.9


def test_the_base_was_measured_without_changes_of_units():
    X, y = np.random.default_rng(0).normal(size=(50, 2)) * 1e-9, np.arange(50.0) * 1e-9
    schema = Schema.from_data(X, y, "regression", units=False)
    assert schema.extreme == () and not schema.extreme_target
    schema = Schema.from_data(X, y, "regression")
    assert schema.extreme == (0, 1) and schema.extreme_target


@pytest.mark.parametrize("kind", KINDS)
def test_columns_of_many_levels_are_target_encoded_early(kind):
    rng = np.random.default_rng(2)
    worth, shop = rng.normal(size=200), rng.integers(0, 200, 2000)
    X = pd.DataFrame({"shop": [f"shop {s}" for s in shop], "size": rng.normal(size=2000)})
    y = worth[shop] + 0.2 * X["size"].to_numpy()
    y = y if kind == "regression" else (y > 0).astype(int)
    schema = Schema.from_data(X, y, kind)
    assert schema.many == (0,)
    early = early_configurations(kind, schema)
    assert len(early) == 3
    usual = {"regression": "ridge", "classification": "logistic_regression"}[kind]
    assert _score(early[0], X, y, kind) > _score(_default(usual, kind), X, y, kind) + 0.15
    assert early_configurations(kind, Schema.from_data(X[["size"]], y, kind)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_target_encoding_is_a_choice_of_every_family_where_levels_are_many(kind):
    space = catalogue_space(kind, many_levels=True)
    for branch in space.branches:
        assert "target" in branch.parameters["preprocessing__encoder"].choices, branch.name
    assert {branch.name for branch in space.branches} == {f.name for f in families(kind)[1:]}


def test_whole_numbers_as_a_target_are_no_classes():
    """One column of a code for each, not one for each price."""
    rng = np.random.default_rng(0)
    shop = rng.integers(0, 60, 600)
    X = pd.DataFrame({"shop": [f"shop {s}" for s in shop], "size": rng.normal(size=600)})
    y = rng.permutation(60)[shop] * 1000 + rng.integers(0, 50, 600)
    schema = Schema.from_data(X, y, "regression")
    for early in early_configurations("regression", schema):
        model = build_estimator(early, schema, 0).fit(X, y)
        assert model[:-1].transform(X).shape == (600, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_half_of_one_column_is_that_column(kind):
    X = np.random.default_rng(0).normal(size=(60, 1))
    y = X[:, 0] if kind == "regression" else (X[:, 0] > 0).astype(int)
    for own in load_pool(kind):
        if own.preprocessing["reducer"] == "select":
            steps = build_estimator(own, Schema.from_data(X, y, kind), 0)
            assert "SelectPercentile" not in repr(steps)


def test_sentences_are_read_by_their_words():
    rng = np.random.default_rng(0)
    words = ["film", "plot", "actor", "good", "awful", "long", "scene", "music"]
    notes = [" ".join(rng.choice(words, 6)) for _ in range(N)]
    y = np.array(["awful" in note for note in notes]).astype(int)
    X = pd.DataFrame({"note": notes})
    own = _default("logistic_regression", "classification")
    assert _score(own, X, y, "classification") > 0.9
    as_category = _score(own, X, y, "classification", columns={"note": "category"})
    assert as_category < 0.8


def test_a_column_without_values_in_one_fold():
    X = np.random.default_rng(0).normal(size=(90, 3))
    y = (X[:, 0] > 0).astype(int)
    X[30:, 1] = np.nan
    folds = [(np.arange(30, 90), np.arange(30)), (np.arange(60), np.arange(60, 90))]
    schema = Schema.from_data(X, y, folds=folds)
    assert schema.blank == (1,) and Schema.from_data(X, y).blank == ()
    own = _default("hist_gradient_boosting", "classification")
    for train, test in folds:
        model = build_estimator(own, schema, 0).fit(X[train], y[train])
        assert model.score(X[test], y[test]) > 0.7


@pytest.mark.parametrize("output", ["pandas", "polars"])
@pytest.mark.parametrize("container", ["frame", "array"])
def test_global_output_is_no_matter(output, container):
    pytest.importorskip(output)
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "city": rng.choice(["Lima", "Oslo"], N),
            "size": rng.normal(size=N),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 99, N), "D"),
            "price": [f"{v:.2f}" for v in rng.normal(size=N)],
        }
    )
    X = frame if container == "frame" else frame.to_numpy(dtype=object)
    y = (frame["size"] > 0).to_numpy().astype(int)
    for name in ("ridge", "hist_gradient_boosting"):
        model = build_estimator(_default(name, "classification"), Schema.from_data(X, y), 0)
        usual = model.fit(X, y).predict(X)
        with config_context(transform_output=output), warnings.catch_warnings():
            warnings.simplefilter("error")
            np.testing.assert_array_equal(model.fit(X, y).predict(X), usual)
        readers = [s for s in model[0].named_steps.values() if isinstance(s, TableReader)]
        assert len(readers) == 1
