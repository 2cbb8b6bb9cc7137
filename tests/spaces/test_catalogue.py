import hashlib
import json
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_diabetes, load_wine
from sklearn.exceptions import ConvergenceWarning

from sk_metalearn.exceptions import SpaceError
from sk_metalearn.spaces import (
    SLICE,
    Configuration,
    Schema,
    build_estimator,
    catalogue_space,
    families,
    from_point,
    get_family,
    load_pool,
    to_point,
)

pd = pytest.importorskip("pandas")
KINDS = ("classification", "regression")


def _frame(n=90, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "number": rng.normal(size=n),
            "text": rng.choice(["low", "mid", "high"], n),
            "flag": rng.random(n) < 0.5,
            "day": pd.Timestamp("2021-03-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
            "size": rng.lognormal(size=n),
        }
    )
    X.loc[3:9, "number"] = np.nan
    X.loc[5, "day"] = pd.NaT
    X.loc[7, "text"] = None
    return X


@pytest.mark.parametrize("kind", KINDS)
def test_pool_is_as_it_was(kind):
    """The pool is append-only: what stands in it is part of every evaluation measured."""
    pool = load_pool(kind)
    assert pool[0].family == "dummy"
    assert len(pool) % SLICE == 0
    assert len({configuration.id for configuration in pool}) == len(pool)
    first = hashlib.sha256("".join(c.id for c in pool[:64]).encode()).hexdigest()[:12]
    assert first == {"classification": "43249786b65c", "regression": "ff449b6e81e8"}[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_pool_lies_in_the_catalogue_and_holds_every_default(kind):
    space = catalogue_space(kind)
    pool = load_pool(kind)
    for configuration in pool[1:]:
        assert from_point(to_point(configuration)) == configuration
        assert space.contains(to_point(configuration))
    assert len(families(kind)) >= 12
    defaults = {
        Configuration(family.name, family.space.default(), family.preprocessing).id
        for family in families(kind)
    }
    assert defaults <= {configuration.id for configuration in pool}


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_are_those_of_scikit_learn(kind):
    own = {"early_stopping", "class_weight"}  # explicit here, "auto" or depends on version there
    for family in families(kind):
        signature = family.estimator_class().get_params()
        if signature.get("l1_ratio", 0.0) is None:
            signature["l1_ratio"] = 0.0  # as scikit-learn writes it from 1.8 on
        for name, parameter in family.parameters.items():
            if (
                name in signature
                and name not in own
                and family.name
                not in (
                    "qda",
                    "gaussian_process",
                    "kernel_ridge",
                    "dummy",
                )
            ):
                assert parameter.default == signature[name], (family.name, name)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_first_configuration_fits_a_mixed_frame_without_warnings(kind):
    X = _frame()
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, len(X)) if kind == "classification" else rng.normal(size=len(X))
    schema = Schema.from_data(X, y, kind)
    assert (schema.numeric, schema.categorical, schema.datetime) == ((0, 4), (1, 2), (3,))
    for configuration in load_pool(kind)[:SLICE]:
        estimator = build_estimator(configuration, schema, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", ConvergenceWarning)
            estimator.fit(X, y)
            assert np.isfinite(np.asarray(estimator.predict(X), dtype=float)).all()
        check = is_classifier if kind == "classification" else is_regressor
        assert check(estimator)


@pytest.mark.parametrize("family", ["hist_gradient_boosting", "random_forest", "svm"])
def test_text_object_category_and_polars_give_the_same_predictions(family):
    polars = pytest.importorskip("polars")
    X = _frame()
    y = np.random.default_rng(1).integers(0, 2, len(X))
    configuration = next(c for c in load_pool("classification") if c.family == family)
    versions = {
        "object": X.assign(text=X["text"].astype(object)),
        "string": X.assign(text=X["text"].astype("string")),
        "category": X.assign(text=X["text"].astype("category")),
        "polars": polars.from_pandas(X),
    }
    seen = {}
    for name, version in versions.items():
        schema = Schema.from_data(version, y)
        assert schema.categorical == (1, 2), name
        seen[name] = build_estimator(configuration, schema, 0).fit(version, y).predict(version)
    for name in versions:
        np.testing.assert_array_equal(seen[name], seen["object"], err_msg=name)


def test_sparse_matrices_and_mixed_columns_are_served():
    from scipy import sparse

    X, y = load_wine(return_X_y=True)
    matrix = sparse.csr_matrix(X)
    mixed = pd.DataFrame({"a": X[:, 0], "b": [1 if i % 2 else "one" for i in range(len(X))]})
    pool = load_pool("classification")
    one_of_each = {own.family: own for own in reversed(pool)}.values()
    for configuration in one_of_each:
        for data in (matrix, mixed):
            schema = Schema.from_data(data, y)
            build_estimator(configuration, schema, 0).fit(data, y).predict(data)


@pytest.mark.parametrize("dtype", [object, "Float64", "Int64"])
@pytest.mark.parametrize("output", ["default", "pandas", "polars"])
def test_columns_with_the_missing_value_of_pandas(output, dtype):
    if output == "polars":
        pytest.importorskip("polars")
    X = _frame()[["number", "size"]].set_index(np.arange(90)[::-1])
    X["whole"] = X["size"].round().astype(dtype)
    X["words"] = pd.array(["p", "q", None] * 30, dtype="string")
    X.iloc[4, 2] = pd.NA
    y = np.arange(90) % 2
    schema = Schema.from_data(X, y)
    assert (schema.numeric, schema.categorical) == ((0, 1, 2), (3,))
    pool = load_pool("classification")
    for family in ("hist_gradient_boosting", "logistic_regression", "random_forest"):
        model = build_estimator(next(c for c in pool if c.family == family), schema, 0)
        with config_context(transform_output=output):
            wrapped = model.fit(X, y).predict(X)
        bare = X.assign(whole=X["whole"].astype("Float64").to_numpy(float, na_value=np.nan))
        np.testing.assert_array_equal(wrapped, clone(model).fit(bare, y).predict(bare))


def test_rare_classes_turn_early_stopping_off():
    X, y = load_wine(return_X_y=True)
    rare = np.r_[np.flatnonzero(y < 2), np.flatnonzero(y == 2)[:4]]
    configuration = next(
        c for c in load_pool("classification") if c.params.get("early_stopping") is True
    )
    for rows, expected in ((np.arange(len(y)), True), (rare, False)):
        schema = Schema.from_data(X[rows], y[rows])
        estimator = build_estimator(configuration, schema)
        assert estimator[-1].early_stopping is expected
        estimator.fit(X[rows], y[rows])


@pytest.mark.parametrize("container", ["array", "object", "pandas", "polars"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_column_without_known_values_stops_no_model(kind, container):
    """Histogram gradient boosting of scikit-learn 1.9 raises where training rows know no value."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4))
    y = X[:, 0] > 0 if kind == "classification" else X[:, 0]
    X[3:, 1], X[:, 3] = np.nan, np.nan
    X[:2, 1] = np.nan
    if container == "object":
        data = np.where(np.isnan(X), None, X)
        take = data.__getitem__
    elif container == "polars":
        data = pytest.importorskip("polars").DataFrame(X, schema=list("abcd"), nan_to_null=True)
        take = data.__getitem__
    else:
        data = X if container == "array" else pd.DataFrame(X, columns=list("abcd"))
        take = data.__getitem__ if container == "array" else data.iloc.__getitem__
    schema = Schema.from_data(data, y, kind)
    ignored = () if container == "array" else (3,)
    assert (schema.blank, schema.ignored) == ((1,) if ignored else (1, 3), ignored)
    small = Configuration(
        "hist_gradient_boosting", {"max_iter": 9}, load_pool(kind)[1].preprocessing
    )
    model = build_estimator(small, schema, random_state=0).fit(take(slice(10, 80)), y[10:])
    assert model.score(take(slice(0, 10)), y[:10]) > 0.3


@pytest.mark.parametrize("kind", KINDS)
def test_whole_columns_leave_pipelines_as_they_are(kind):
    """A third known value keeps a column; other models impute."""
    X = np.random.default_rng(0).normal(size=(80, 3))
    y = (X[:, 0] > 0).astype(int)
    X[3:, 1] = np.nan
    schema = Schema.from_data(X, y, kind)
    assert schema.blank == ()
    boosting = load_pool(kind)[1]
    assert [name for name, _ in build_estimator(boosting, schema).steps] == ["model"]
    X[2, 1] = np.nan
    blank = Schema.from_data(X, y, kind)
    assert blank.blank == (1,)
    for own in load_pool(kind)[:32]:
        if own.preprocessing["imputer"] != "none":
            assert repr(build_estimator(own, schema)) == repr(build_estimator(own, blank))


@pytest.mark.parametrize("kind", KINDS)
def test_neighbors_are_at_most_the_training_rows_of_three_folds(kind):
    X = np.random.default_rng(0).normal(size=(75, 3))
    y = (X[:, 0] > 0).astype(int)
    schema = Schema.from_data(X, y, kind)
    for asked, built in ((100, 50), (50, 50), (7, 7)):
        family = get_family("k_neighbors", kind)
        own = Configuration("k_neighbors", {"n_neighbors": asked}, family.preprocessing)
        model = build_estimator(own, schema).fit(X[:50], y[:50])
        assert model[-1].n_neighbors == built and np.isfinite(model.predict(X)).all()


def test_pipelines_unpickle_without_the_package(tmp_path):
    X, y = _frame().drop(columns="day"), load_diabetes().target[:90]
    schema = Schema.from_data(X, y, "regression")
    for number in (1, 6, 12):
        estimator = build_estimator(load_pool("regression")[number], schema, 0).fit(X, y)
        (tmp_path / f"{number}.bin").write_bytes(pickle.dumps(estimator))
    X.to_pickle(tmp_path / "X.bin")
    code = (
        "import sys, pickle, pandas\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.startswith('sk_metalearn'): raise ImportError(name)\n"
        "sys.meta_path.insert(0, Block())\n"
        "X = pandas.read_pickle('X.bin')\n"
        "for n in (1, 6, 12): print(pickle.load(open(f'{n}.bin', 'rb')).predict(X)[:2])\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr


def test_configuration_identity_is_its_canonical_text():
    first = Configuration("svm", {"C": 1.0000001, "kernel": "rbf"}, {"scaler": "none"})
    same = Configuration("svm", {"kernel": "rbf", "C": np.float64(1.0)}, {"scaler": "none"})
    other = Configuration("svm", {"kernel": "rbf", "C": True}, {"scaler": "none"})
    assert first.id == same.id and first == same and hash(first) == hash(same)
    assert first.id != other.id
    assert Configuration.from_dict(json.loads(first.text)) == first


@pytest.mark.parametrize(
    "act, message",
    [
        (lambda: Configuration("svm", {"C": float("inf")}), "finite"),
        (lambda: Configuration("svm", {"C": object()}), "holds numbers"),
        (lambda: Configuration.from_dict({"family": "svm"}), "has the keys"),
        (lambda: get_family("nothing", "regression"), "no regression family 'nothing'"),
        (lambda: families("ranking"), "kind must be one of"),
        (lambda: load_pool("ranking"), "kind must be one of"),
        (lambda: Schema.from_data([1, 2, 3]), "two dimensions"),
    ],
)
def test_errors_say_what_was_got_and_what_is_allowed(act, message):
    with pytest.raises(SpaceError, match=message):
        act()


def test_unknown_parameters_are_refused():
    schema = Schema.from_data(np.zeros((20, 2)), np.arange(20) % 2)
    configuration = Configuration(
        "ridge", {"wrong": 1}, get_family("ridge", KINDS[0]).preprocessing
    )
    with pytest.raises(SpaceError, match="wrong"):
        build_estimator(configuration, schema)
