"""Tables, targets and rows to predict of any storage, through a whole search."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import get_scorer_names, log_loss, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sk_metalearn import AutoClassifier, AutoRegressor, MetaSearchCV, recommend
from sk_metalearn.exceptions import FallbackWarning
from sk_metalearn.metafeatures import MetaFeatureExtractor
from sk_metalearn.tables._rows import own_copy

pd = pytest.importorskip("pandas")
N = 120
RNG = np.random.default_rng(0)
SIZE = RNG.normal(size=N)
PLAIN = pd.DataFrame(
    {
        "size": SIZE,
        "city": RNG.choice(["Lima", "Oslo"], N),
        "count": RNG.integers(0, 9, N),
        "flag": RNG.random(N) < 0.5,
    }
)
DATED = PLAIN.assign(when=pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(N) % 90, "D"))
LABELS = np.where(SIZE > 0, "yes", "no")
COLD = {"knowledge": None, "cv": 3, "random_state": 0}
FEW = {**COLD, "n_iter": 2, "families": ["logistic_regression", "decision_tree"]}


@pytest.fixture(scope="module", params=["plain", "read"])
def fitted(request):
    frame = PLAIN if request.param == "plain" else DATED
    return frame, AutoClassifier(**FEW).fit(frame, LABELS)


def in_polars(frame):
    return pytest.importorskip("polars").from_pandas(frame)


def in_arrow(frame):
    return pytest.importorskip("pyarrow").Table.from_pandas(frame)


STORAGES = {
    "nullable": lambda frame: frame.convert_dtypes(),
    "polars": in_polars,
    "arrow": in_arrow,
    "records": lambda frame: frame.to_dict("records"),
    "objects": lambda frame: frame.to_numpy(),
    "other order": lambda frame: frame[frame.columns[::-1]],
    "more columns": lambda frame: frame.assign(more="x"),
}


@pytest.mark.parametrize("storage", STORAGES)
def test_rows_to_predict_of_any_storage(fitted, storage):
    frame, auto = fitted
    rows = STORAGES[storage](frame)
    np.testing.assert_array_equal(auto.predict(rows), auto.predict(frame))
    np.testing.assert_allclose(auto.predict_proba(rows), auto.predict_proba(frame))
    assert auto.score(rows, LABELS) == auto.score(frame, LABELS)


def test_one_row_is_enough(fitted):
    frame, auto = fitted
    first = auto.predict(frame)[:1]
    for row in (frame.iloc[:1], frame.iloc[0].to_dict(), frame.to_numpy()[:1]):
        np.testing.assert_array_equal(auto.predict(row), first)
    # A record need not tell everything.
    assert auto.predict({"size": 3.0}) == ["yes"]


def test_missing_columns_are_named(fitted):
    frame, auto = fitted
    with pytest.raises(ValueError, match=r"lacks the columns \['size', 'flag'\]"):
        auto.predict(frame.drop(columns=["size", "flag"]))
    with pytest.raises(ValueError, match=r"records of \['weight'\]; fit has seen .*'size'"):
        auto.predict({"weight": 1})


def test_gaps_and_categories_that_fit_did_not_see(fitted):
    frame, auto = fitted
    rows = frame.iloc[:4].astype(object)
    rows["city"], rows["flag"] = "Rome", None
    rows.loc[0, "count"] = rows.loc[1, "size"] = None
    assert set(auto.predict(rows)) <= {"yes", "no"}
    assert np.isfinite(auto.predict_proba(rows)).all()


@pytest.mark.parametrize("nothing", [None, np.nan, pd.NA, pd.NaT])
def test_columns_without_any_value_in_the_rows_to_predict(fitted, nothing):
    frame, auto = fitted
    usual = auto.predict_proba([{"size": value} for value in frame["size"][:3]])
    for name in frame.columns[1:]:
        rows = frame.iloc[:3].assign(**{name: nothing})
        assert np.isfinite(auto.predict_proba(rows)).all()
    rows = frame.iloc[:3].assign(**dict.fromkeys(frame.columns[1:], nothing))
    np.testing.assert_allclose(auto.predict_proba(rows), usual)


def test_rows_without_values_for_a_model_of_polars():
    polars = pytest.importorskip("polars")
    frame = polars.from_pandas(PLAIN)
    auto = AutoClassifier(**FEW).fit(frame, LABELS)
    usual = auto.predict_proba([{"size": value} for value in SIZE[:3]])
    rows = frame.head(3).with_columns(city=None, flag=None, count=None)
    np.testing.assert_allclose(auto.predict_proba(rows), usual)


def test_frames_for_a_model_of_arrays():
    X = RNG.normal(size=(N, 3))
    auto = AutoClassifier(**FEW).fit(X, LABELS)
    frame = pd.DataFrame(X, columns=list("abc"), dtype="Float64")
    with pytest.warns(UserWarning, match="fitted without feature names"):
        np.testing.assert_array_equal(auto.predict(frame), auto.predict(X))
    with pytest.raises(ValueError, match="X has 2 features, but AutoClassifier is expecting 3"):
        auto.predict(X[:, :2])


def test_columns_are_what_the_user_says():
    frame = PLAIN.assign(zip=RNG.integers(1, 9, N) * 100, key=np.arange(N), note=SIZE)
    columns = {"zip": "category", "key": "ignore", "note": "ignore"}
    auto = AutoClassifier(columns=columns, **FEW).fit(frame, LABELS)
    table = auto.describe_columns().set_index("column")
    assert list(table.columns) == ["role", "why", "levels", "gaps"]
    assert table["role"].to_dict() == {
        "size": "number",
        "city": "category",
        "count": "number",
        "flag": "category",
        **columns,
    }
    assert table.loc["zip", "levels"] == frame["zip"].nunique()
    # What is left out need not be there.
    rows = frame.drop(columns=["key", "note"])
    np.testing.assert_array_equal(auto.predict(rows), auto.predict(frame.assign(note=0.0)))
    found = recommend(frame, LABELS, n=1, columns=columns)[0].estimator.fit(frame, LABELS)
    np.testing.assert_array_equal(found.predict(frame), found.predict(frame.assign(note=0.0)))


def test_past_tasks_are_compared_with_what_the_user_says(monkeypatch):
    frame = PLAIN.assign(zip=RNG.integers(1, 9, N) * 100, key=RNG.permutation(N))
    columns = {"zip": "category", "key": "ignore"}
    extract, measured = MetaFeatureExtractor.extract, []

    def remember(*args, **options):
        measured.append(extract(*args, **options))
        return measured[-1]

    meant = frame.drop(columns="key").astype({"zip": str})
    meant = MetaFeatureExtractor(random_state=0).extract(meant, LABELS)
    monkeypatch.setattr(MetaFeatureExtractor, "extract", remember)
    recommend(frame, LABELS, n=1, columns=columns)
    AutoClassifier(columns=columns, **{**FEW, "knowledge": "bundled"}).fit(frame, LABELS)
    assert measured == [pytest.approx(meant, nan_ok=True)] * 2


@pytest.mark.parametrize(
    "columns, message",
    [
        ({"weight": "number"}, "columns names 'weight', which X does not have"),
        ({"size": "float"}, r"columns\['size'\] must be one of \['number'.*got 'float'"),
        (dict.fromkeys(PLAIN, "ignore"), "No column of X is left"),
    ],
)
def test_columns_that_cannot_be_so(columns, message):
    with pytest.raises(ValueError, match=message):
        AutoClassifier(columns=columns, **FEW).fit(PLAIN, LABELS)
    with pytest.raises(ValueError, match=message):
        recommend(PLAIN, LABELS, columns=columns)


def test_columns_by_position_and_gaps_of_arrays():
    X = np.c_[SIZE, RNG.integers(0, 4, N)]
    X[:7, 0] = np.nan
    auto = AutoRegressor(columns={1: "category"}, n_iter=1, families=["ridge"], **COLD)
    table = auto.fit(X, SIZE).describe_columns()
    assert list(table["role"]) == ["number", "category"] and list(table["gaps"]) == [7, 0]
    table = AutoRegressor(n_iter=1, families=["ridge"], **COLD).fit(X, SIZE).describe_columns()
    assert list(table["role"]) == ["number", "number"] and list(table["gaps"]) == [7, 0]


def test_one_warning_tells_which_columns_are_left_out():
    frame = PLAIN.assign(row=np.arange(N), fax=None)
    with pytest.warns(FallbackWarning) as caught:
        AutoClassifier(**FEW).fit(frame, LABELS)
    told = [str(w.message) for w in caught if "left out" in str(w.message)]
    assert len(told) == 1 and "['row'] (whole" in told[0] and "['fax'] (holds no" in told[0]


def test_columns_of_many_levels_are_target_encoded_early():
    shops = RNG.integers(0, 60, 600)
    target = RNG.normal(size=60)[shops] + RNG.normal(scale=0.1, size=600)
    frame = pd.DataFrame({"shop": [f"shop {s}" for s in shops], "noise": RNG.normal(size=600)})
    auto = AutoRegressor(n_iter=4, families=["ridge", "decision_tree"], **COLD)
    auto.fit(frame, target)
    first = auto.cv_results_["params"][0]
    assert first["preprocessing__encoder"] == "target"
    assert "many levels" in auto.cv_results_["reason"][0]
    assert auto.best_score_ > 0.9


DIGITS = {
    "text": np.array(["10", "9", "2"]),
    "objects": np.array(["10", "9", "2"], dtype=object),
    "categories": pd.Categorical(["10", "9", "2"], categories=["2", "9", "10", "11"]),
}


@pytest.mark.parametrize("kind", DIGITS)
@pytest.mark.parametrize("ensemble_size", [0, 8])
def test_classes_that_are_digits_as_text(kind, ensemble_size):
    codes = (SIZE > -0.4).astype(int) + (SIZE > 0.4)
    target = pd.Series(DIGITS[kind][codes])
    auto = AutoClassifier(
        families=["decision_tree", "lda"],
        n_iter=6,
        strategy="random",
        racing=False,
        ensemble_size=ensemble_size,
        **COLD,
    ).fit(PLAIN[["size", "count"]], target)
    assert set(auto.cv_results_["status"]) == {"ok"}
    assert list(auto.classes_) == ["10", "2", "9"]
    rows = PLAIN[["size", "count"]]
    for model in (auto, auto.best_estimator_):
        assert np.mean(model.predict(rows) == np.asarray(target)) > 0.8
        assert list(model.classes_) == ["10", "2", "9"]
        np.testing.assert_array_equal(
            model.classes_[model.predict_proba(rows).argmax(axis=1)], model.predict(rows)
        )
    assert auto.score(rows, target) > 0.8


def test_a_budget_that_is_over_leaves_models_that_name_the_classes():
    codes = np.array(["1", "2"])[(SIZE > 0).astype(int)]
    auto = AutoClassifier(time_budget=1e-3, **COLD)
    with pytest.warns(FallbackWarning):
        auto.fit(SIZE[:, None], codes)
    assert np.mean(auto.predict(SIZE[:, None]) == codes) > 0.8


OF_PROBABILITIES = {"neg_log_loss", "neg_brier_score", "d2_log_loss_score"}


# scikit-learn 1.7 has no name for the last.
@pytest.mark.parametrize("scoring", sorted(OF_PROBABILITIES & set(get_scorer_names())))
@pytest.mark.filterwarnings("ignore:The least populated class")
def test_metrics_of_probabilities_know_all_labels(scoring):
    target = np.where(SIZE > 0, "common", "usual").astype(object)
    target[:2] = "rare"
    auto = AutoClassifier(
        scoring=scoring, n_iter=3, families=["logistic_regression", "lda"], racing=False, **COLD
    ).fit(SIZE[:, None], target)
    assert np.isfinite(auto.cv_results_["mean_test_score"]).all()
    assert np.isfinite(auto.best_score_)
    assert auto.predict_proba(SIZE[:5, None]).shape == (5, 3)
    # New rows may lack a class, too.
    some = target != "rare"
    found = auto.score(SIZE[some, None], target[some])
    if scoring == "neg_log_loss":
        own = auto.predict_proba(SIZE[some, None])
        assert found == -log_loss(target[some], own, labels=auto.classes_)
    assert np.isfinite(found)


@pytest.mark.parametrize("labels", [["good", "bad"], ["0", "1"], [0, 1]])
def test_a_metric_of_the_user_sees_the_index_and_the_labels(labels):
    index = pd.Index([f"loan {i}" for i in RNG.permutation(N)])
    worth = pd.Series(RNG.uniform(1, 9, N), index=index)
    target = pd.Series(np.array(labels)[(SIZE > 0.2).astype(int)], index=index)

    def kept(y_true, y_pred):
        assert set(y_true) <= set(labels)
        amounts = worth.loc[y_true.index].to_numpy()
        return amounts[np.asarray(y_true) == y_pred].sum() / amounts.sum()

    rows = PLAIN.set_axis(index)
    auto = AutoClassifier(scoring=make_scorer(kept), max_rows=100, **FEW).fit(rows, target)
    assert auto.best_score_ > 0.8 and auto.score(rows, target) > 0.8


@pytest.mark.parametrize("dtype", ["Int64", "int64[pyarrow]", "boolean", "string", "category"])
def test_targets_of_nullable_and_arrow_types(dtype):
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow")
    plain = pd.Series(SIZE > 0)
    target = plain.astype(str if dtype in ("string", "category") else int).astype(dtype)
    auto = AutoClassifier(**FEW).fit(PLAIN, target)
    assert np.mean(auto.predict(PLAIN) == target.to_numpy()) > 0.8
    assert auto.score(PLAIN, target) > 0.8


def test_a_column_vector_with_an_index():
    target = pd.DataFrame({"loss": SIZE}, index=pd.Index(np.arange(N)[::-1]))

    def error(y_true, y_pred):
        return -np.abs(target.loc[y_true.index, "loss"] - y_pred).mean()

    auto = AutoRegressor(scoring=make_scorer(error), n_iter=2, families=["ridge"], **COLD)
    with pytest.warns(UserWarning, match="column-vector"):
        auto.fit(PLAIN, target)
    assert auto.best_score_ > -0.1


@pytest.mark.parametrize("ensemble_size", [0, 8])
@pytest.mark.parametrize("scoring", ["neg_mean_poisson_deviance", "neg_mean_squared_log_error"])
def test_counts_under_a_metric_of_positive_numbers(scoring, ensemble_size):
    counts = RNG.poisson(np.exp(SIZE - 1))
    auto = AutoRegressor(
        scoring=scoring,
        n_iter=4,
        families=["ridge", "decision_tree"],
        racing=False,
        ensemble_size=ensemble_size,
        **COLD,
    ).fit(PLAIN, counts)
    assert set(auto.cv_results_["status"]) == {"ok"} and np.isfinite(auto.best_score_)
    new = PLAIN.assign(size=np.linspace(-20, 5, N))
    assert auto.predict(new).min() > 0 and auto.best_estimator_.predict(new).min() > 0
    assert np.isfinite(auto.score(new, counts))


def test_amounts_are_never_predicted_below_the_least():
    amounts = np.exp(3 * SIZE)
    auto = AutoRegressor(
        scoring="neg_mean_gamma_deviance", n_iter=3, families=["ridge"], ensemble_size=0, **COLD
    ).fit(PLAIN, amounts)
    # A line leads below 0 at last.
    assert auto.predict(PLAIN.assign(size=-1e4)).max() == amounts.min()


def overwrite(X):
    X[X > 1] = 1
    return X


@pytest.mark.parametrize("options", [{}, {"time_budget": 60}], ids=["here", "in a worker"])
def test_steps_that_write_do_not_change_the_data(options):
    X = RNG.normal(size=(90, 3))
    y = X[:, 0] + RNG.normal(scale=0.1, size=90)
    before = X.copy()
    pipeline = make_pipeline(FunctionTransformer(overwrite), Ridge())
    grid = {"ridge__alpha": [0.1, 1.0]}
    search = MetaSearchCV(pipeline, grid, n_iter="all", cv=3, knowledge=None, **options).fit(X, y)
    np.testing.assert_array_equal(X, before)
    usual = GridSearchCV(pipeline, grid, cv=3).fit(before.copy(), y)
    assert search.refit_on_ == "all rows"
    np.testing.assert_allclose(search.best_estimator_[-1].coef_, usual.best_estimator_[-1].coef_)


def test_data_that_are_read_only_or_in_a_file(tmp_path):
    path = tmp_path / "X.npy"
    np.save(path, RNG.normal(size=(90, 3)))
    mapped = np.load(path, mmap_mode="r")
    frame = pd.DataFrame(mapped, columns=list("abc"))
    for X in (mapped, frame):
        own = own_copy(X)
        np.testing.assert_array_equal(own, X)
        auto = AutoRegressor(n_iter=2, families=["ridge", "decision_tree"], final="refit", **COLD)
        assert auto.fit(X, np.asarray(X)[:, 0]).refit_on_ == "all rows"
    assert own_copy(mapped).flags.writeable and type(own_copy(mapped)) is np.ndarray


def test_further_columns_are_named_in_one_warning(fitted):
    frame, auto = fitted
    rows = frame.iloc[:3]
    for more in (rows.assign(weight=1.0), rows.assign(weight=1.0).to_dict("records")):
        for method in (auto.predict, auto.predict_proba, lambda X: auto.score(X, LABELS[:3])):
            with pytest.warns(FallbackWarning) as caught:
                method(more)
            assert len(caught) == 1 and caught[0].filename == __file__
            assert "not looked at: 'weight'" in str(caught[0].message)
    with pytest.warns(FallbackWarning, match="'c4' and 2 more"):
        auto.predict(rows.assign(**{f"c{i}": 0 for i in range(7)}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        auto.predict(rows[rows.columns[::-1]])


def test_a_column_that_is_spelt_otherwise_is_told(fitted):
    frame, auto = fitted
    with pytest.raises(ValueError, match=r"\['city'\].*Is 'city' meant by 'City'\?"):
        auto.predict(frame.rename(columns={"city": "City"}))
