import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone, is_regressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_classification
from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_metalearn import KnowledgeBase, recommend
from sk_metalearn.building._tasks import list_tasks
from sk_metalearn.metafeatures import MetaFeatureExtractor, list_meta_features
from sk_metalearn.metafeatures._kind import tell_kind

CHEAP = ["simple", "missing", "target"]
KINDS = ("classification", "regression", None)


@parametrize_with_checks(
    [MetaFeatureExtractor(), MetaFeatureExtractor(groups=["statistical", "information"])]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def _data(kind):
    if kind == "regression":
        return load_diabetes(return_X_y=True)
    X, y = load_iris(return_X_y=True)
    return X, None if kind is None else y


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("groups", ["default", "all", CHEAP, ["n_rows", "complexity"]])
def test_names_are_known_before_any_data(kind, groups):
    extractor = MetaFeatureExtractor(groups=groups)
    names = extractor.feature_names(kind)
    assert len(names) == len(set(names)) > 0
    X, y = _data(kind)
    assert list(extractor.extract(X, y, kind)) == names


def test_numbers_of_meta_features():
    # OpenML's qualities are left out: many say again what another group says
    for kind, least in (("classification", 150), ("regression", 110)):
        features = list_meta_features(kind)
        assert len([f for f in features if f.group != "openml"]) >= least
        assert {f.group for f in features} >= {
            *("simple", "missing", "target", "statistical", "information", "structure", "model"),
            *("landmarking", "subsampling", "complexity", "openml"),
        }


@pytest.mark.parametrize("kind", KINDS)
def test_every_nan_has_a_reason_and_nothing_else_has(kind):
    X, y = _data(kind)
    extractor = MetaFeatureExtractor(groups="all")
    found = extractor.extract(X, y, kind)
    assert all(isinstance(value, float) for value in found.values())
    nan = {name for name, value in found.items() if np.isnan(value)}
    assert nan == set(extractor.reasons_)
    assert all(extractor.reasons_.values())
    assert len(nan) < 0.15 * len(found)


def test_kind_is_inferred_and_can_be_given():
    X, y = load_diabetes(return_X_y=True)
    extractor = MetaFeatureExtractor(groups=["target"])
    assert "target_skewness" in extractor.extract(X, y + 0.5)
    assert "target_skewness" in extractor.extract(X, y)
    assert "n_classes" in extractor.extract(X, y, kind="classification")
    assert "n_classes" in extractor.extract(X, y > 100)
    assert "n_classes" in extractor.extract(X, np.where(y > 100, "yes", "no"))
    assert "target_skewness" in extractor.extract(X, y > 100, kind="regression")
    assert extractor.extract(X) == {}


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (np.arange(400) % 26, "classification"),
        (np.arange(400.0) % 26, "classification"),
        (np.arange(400) % 51, "regression"),
        ([151, 75, 141, 206, 135, 97], "regression"),
        ([1, 2, 3] * 3, "classification"),
        ([0, 1], "classification"),
        ([True, False, True], "classification"),
        ([str(number) for number in range(60)], "classification"),
        ([1, 2.5, 1, 2, 1, 2], "regression"),
        ([1, None, 2, 1, 2, 2], "classification"),
        (pd.Series([1, None, 2, 3, 4], dtype="Int64"), "regression"),
        (pd.Series([True, None, False], dtype="boolean"), "classification"),
        (pd.Series(range(60), dtype="category"), "classification"),
        (pd.Categorical(range(60)), "classification"),
        (pl.Series([str(number) for number in range(60)], dtype=pl.Categorical), "classification"),
        (pl.Series([0.5, None, 1.5]), "regression"),
        (np.array([["a"], ["b"]]), "classification"),
    ],
)
def test_kind_is_told_by_the_values(y, kind):
    assert tell_kind(y) == kind


def test_whole_targets_of_regression_are_regression_everywhere(tmp_path):
    X, y = load_diabetes(return_X_y=True)
    assert is_regressor(recommend(X, y, n=1)[0].estimator)
    near = KnowledgeBase.bundled().neighbors(X, y, n_neighbors=3)
    assert {neighbor.task.kind for neighbor in near} == {"regression"}
    pd.DataFrame(X).assign(target=y).to_csv(tmp_path / "diabetes.csv", index=False)
    assert list_tasks(tmp_path)[0].kind == "regression"


@pytest.mark.parametrize(
    ("X", "y", "kind", "error", "words"),
    [
        ([[1.0], [2.0]], [0, 1], "ranking", ValueError, "classification.*'ranking'"),
        ([[1.0], [2.0]], [0, 1, 1], None, ValueError, "inconsistent.*2 and 3"),
        ([[1.0]], [0], None, ValueError, r"1 sample\(s\).*minimum of 2"),
        (np.empty((3, 0)), [0, 1, 1], None, ValueError, r"0 feature\(s\)"),
        ([1.0, 2.0], [0, 1], None, ValueError, "Reshape"),
        (np.ones((4, 1)), np.ones((4, 2)) * [[0, 1]], None, ValueError, "Unknown label type"),
        (np.ones((2, 1)) * 1j, [0, 1], None, ValueError, "Complex"),
        ([[{"a": 1}], [{"b": 2}]], [0, 1], None, TypeError, "string or a real number.*dict"),
        ([[1.0], [2.0], [3.0]], [0.5, np.nan, 1.5], "regression", ValueError, "NaN"),
        ([[1.0], [2.0]], ["a", None], "classification", ValueError, "missing"),
        ([[1.0], [2.0], [3.0]], ["a", None, "b"], None, ValueError, "missing"),
        ([[1.0], [2.0], [3.0]], [1, None, 2], "regression", ValueError, "missing"),
        ([[1.0], [2.0], [3.0]], [1, np.inf, 2], "classification", ValueError, "infinity"),
        ([[1.0], [2.0]], np.array(["2020", "2021"], "M8[D]"), None, ValueError, "dates"),
    ],
)
def test_bad_input_is_named(X, y, kind, error, words):
    with pytest.raises(error, match=words):
        MetaFeatureExtractor(groups=CHEAP).extract(X, y, kind)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"groups": ["simple", "nonsense"]}, "unknown.*nonsense"),
        ({"groups": "simple"}, "groups"),
        ({"fidelity": "high"}, "fidelity"),
        ({"time_limit": 0}, "time_limit"),
    ],
)
def test_bad_parameters_are_named(params, words):
    with pytest.raises(ValueError, match=words):
        MetaFeatureExtractor(**params).extract([[1.0], [2.0]], [0, 1])


def test_list_of_datasets_becomes_a_frame():
    datasets = [
        (*load_iris(return_X_y=True), "classification"),
        (*load_diabetes(return_X_y=True), "regression"),
        load_breast_cancer(return_X_y=True),
    ]
    extractor = MetaFeatureExtractor(groups=["simple", "target"])
    frame = extractor.fit_transform(datasets)
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == list(extractor.get_feature_names_out())
    assert set(frame.columns) == set(extractor.feature_names("classification")) | set(
        extractor.feature_names("regression")
    )
    assert frame["n_rows"].tolist() == [150, 442, 569]
    assert np.isnan(frame.loc[1, "n_classes"]) and np.isnan(frame.loc[0, "target_mean"])
    assert len(extractor.reasons_) == 3
    for row, dataset in enumerate(datasets):
        for name, value in extractor.extract(*dataset).items():
            np.testing.assert_equal(frame.loc[row, name], value)


@pytest.mark.parametrize("random_state", [int, np.random.RandomState])
def test_result_does_not_depend_on_n_jobs(random_state):
    datasets = [make_classification(300, 30, random_state=seed) for seed in range(4)]
    groups = ["statistical", "structure", "subsampling", "landmarking"]
    frames = [
        MetaFeatureExtractor(
            groups=groups, n_jobs=n_jobs, random_state=random_state(0)
        ).fit_transform(datasets)
        for n_jobs in (None, 2)
    ]
    pd.testing.assert_frame_equal(*frames, check_exact=True)


def test_table_is_described_by_fit_and_the_description_goes_to_its_rows():
    X, y = load_iris(return_X_y=True, as_frame=True)
    extractor = MetaFeatureExtractor(groups=CHEAP).fit(X, y)
    assert extractor.kind_ == "classification"
    assert extractor.n_features_in_ == 4
    assert list(extractor.feature_names_in_) == list(X.columns)
    assert extractor.meta_features_ == pytest.approx(
        MetaFeatureExtractor(groups=CHEAP).extract(X, y), nan_ok=True
    )
    rows = extractor.set_output(transform="pandas").transform(X[:5])
    assert rows.shape == (5, len(extractor.meta_features_))
    assert rows["n_rows"].tolist() == [150.0] * 5
    with pytest.raises(ValueError, match="features"):
        extractor.transform(X.iloc[:, :2].to_numpy())


def test_fit_on_a_list_forgets_the_table():
    X, y = load_iris(return_X_y=True)
    extractor = MetaFeatureExtractor(groups=CHEAP).fit(X, y).fit([(X, y)])
    assert not hasattr(extractor, "meta_features_")
    with pytest.raises(ValueError, match="not fitted"):
        extractor.transform(X)


def test_clone_and_refit_give_the_same():
    X, y = load_breast_cancer(return_X_y=True)
    extractor = MetaFeatureExtractor(groups=["landmarking", "complexity"], random_state=3)
    first = extractor.extract(X, y)
    assert clone(extractor).extract(X, y) == pytest.approx(first, rel=0, nan_ok=True)
    other = clone(extractor).set_params(random_state=4).extract(X, y)
    assert other != pytest.approx(first, nan_ok=True)


def test_extraction_changes_no_input():
    X, y = load_iris(return_X_y=True, as_frame=True)
    X["word"] = np.where(y > 0, "a", "b")
    X.iloc[3:9, 0] = np.nan
    before, y_before = X.copy(), y.copy()
    MetaFeatureExtractor(groups="all").extract(X, y)
    pd.testing.assert_frame_equal(X, before)
    pd.testing.assert_series_equal(y, y_before)


def test_read_only_data():
    X, y = load_iris(return_X_y=True)
    X.setflags(write=False), y.setflags(write=False)
    found = MetaFeatureExtractor(groups="all").extract(X, y)
    assert found["n_rows"] == 150


def test_time_limit_is_kept_and_said():
    X, y = make_classification(4000, 40, n_classes=4, n_informative=8, random_state=0)
    extractor = MetaFeatureExtractor(groups="all", fidelity="full", time_limit=0.5)
    found = extractor.extract(X, y)
    late = [name for name, reason in extractor.reasons_.items() if "time limit of 0.5 s" in reason]
    assert late and all(np.isnan(found[name]) for name in late)
    assert found["n_rows"] == 4000 and found["skewness_mean"] == found["skewness_mean"]


def test_sparse_equals_dense():
    rng = np.random.default_rng(0)
    dense = np.where(rng.random((200, 12)) < 0.2, rng.normal(size=(200, 12)), 0.0)
    dense[:, 5] = 0.0
    dense[3, 2] = np.nan
    y = rng.integers(0, 3, 200)
    extractor = MetaFeatureExtractor(groups="all")
    expected = extractor.extract(dense, y)
    for make in (sparse.csr_matrix, sparse.csc_array, sparse.coo_array):
        found = extractor.extract(make(dense), y)
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)


def test_wide_sparse_is_not_made_dense():
    rng = np.random.default_rng(0)
    places = rng.integers(0, 3000, 15_000), rng.integers(0, 50_000, 15_000)
    matrix = sparse.csr_matrix((rng.random(15_000) + 1, places), shape=(3000, 50_000))
    y = np.arange(3000) % 2
    extractor = MetaFeatureExtractor(groups=["simple", "missing", "target"])
    found = extractor.extract(matrix, y)
    assert found["n_columns"] == 50_000
    counts = np.diff(matrix.tocsc().indptr)
    assert found["n_constant"] == np.sum(counts == 0)


def test_many_rows_are_read_in_pieces():
    rng = np.random.default_rng(0)
    X = rng.gamma(2.0, size=(120_000, 5))
    X[::7, 1] = np.nan
    y = (X[:, 0] > 2).astype(int)
    found = MetaFeatureExtractor(groups="all", time_limit=60).extract(X, y)
    # exact from all rows
    assert found["mean_mean"] == pytest.approx(np.nanmean(X, axis=0).mean(), rel=1e-12)
    assert found["sd_mean"] == pytest.approx(np.nanstd(X, axis=0, ddof=1).mean(), rel=1e-12)
    # estimated from a sample
    assert found["median_mean"] == pytest.approx(np.nanmedian(X, axis=0).mean(), rel=0.02)
    assert found["class_share_max"] == pytest.approx(np.bincount(y).max() / len(y), rel=1e-12)


def test_columns_as_views_of_a_large_frame():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"a": rng.normal(size=900_000), "b": rng.integers(0, 5, 900_000), "c": rng.random(900_000)}
        | {f"d{i}": rng.random(900_000).astype(np.float32) for i in range(3)}
    )
    extractor = MetaFeatureExtractor(groups=["mean_mean", "max_mean"])
    found = extractor.extract(frame)
    assert found["mean_mean"] == pytest.approx(frame.mean().mean(), rel=1e-6)
    assert found["max_mean"] == pytest.approx(frame.max().mean(), rel=1e-9)


def test_what_is_said_of_columns_is_measured():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"size": rng.normal(size=90), "key": rng.permutation(90)})
    table["zip"] = rng.integers(1, 9, 90) * 1000
    y = np.arange(90) % 3
    extractor = MetaFeatureExtractor(groups="all")
    said = extractor.extract(table, y, columns={"zip": "category", "key": "ignore"})
    meant = extractor.extract(table.drop(columns="key").astype({"zip": str}), y)
    assert said == pytest.approx(meant, nan_ok=True)
    assert said != pytest.approx(extractor.extract(table, y), nan_ok=True)
    by_place = extractor.extract(table.to_numpy(), y, columns={2: "category", 1: "ignore"})
    assert by_place == pytest.approx(said, nan_ok=True)
    with pytest.raises(ValueError, match="columns names 'city', which X does not have"):
        extractor.extract(table, y, columns={"city": "category"})
    with pytest.raises(ValueError, match="leaves no column to measure"):
        extractor.extract(table, y, columns=dict.fromkeys(table, "ignore"))
