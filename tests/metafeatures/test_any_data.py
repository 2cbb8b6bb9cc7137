"""Whatever scikit-learn can learn from gets a description, and the order of things is no matter."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scipy import sparse

from sk_metalearn.metafeatures import MetaFeatureExtractor

RELAXED = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
)
#: What is defined by the order of the rows.
BY_ORDER = {"AutoCorrelation"}


def _column(draw, n, rng):
    kind = draw(st.sampled_from(["normal", "integer", "constant", "word", "bool", "date", "heavy"]))
    values = {
        "normal": lambda: rng.normal(size=n),
        "integer": lambda: rng.integers(-3, 4, n).astype(float),
        "constant": lambda: np.full(n, 2.5),
        "word": lambda: rng.choice(["a", "b", "ä", "a long word"], n).astype(object),
        "bool": lambda: (rng.random(n) < 0.3).astype(object),
        "date": lambda: pd.Series(np.datetime64("2020-01-01") + rng.integers(0, 99, n)),
        "heavy": lambda: rng.standard_cauchy(n) * 1e6,
    }[kind]()
    column = pd.Series(values)
    if draw(st.booleans()):
        column = column.mask(rng.random(n) < draw(st.sampled_from([0.1, 0.9, 1.0])))
    if kind == "word" and draw(st.booleans()):
        column = column.astype("category")
    return column


@st.composite
def tasks(draw, kinds=("classification", "regression"), fewest=2):
    n = draw(st.integers(fewest, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    frame = pd.DataFrame({f"c{j}": _column(draw, n, rng) for j in range(draw(st.integers(1, 5)))})
    kind = draw(st.sampled_from(kinds))
    if kind == "regression":
        y = draw(st.sampled_from([rng.normal(size=n), rng.poisson(2, n) * 1.0, np.full(n, 3.0)]))
    else:
        y = rng.integers(0, draw(st.integers(1, max(1, n // 2))), n)
    return frame, y, kind


@RELAXED
@given(tasks(), st.sampled_from(["sampled", "full", "exact"]))
def test_never_an_exception_and_every_nan_has_a_reason(task, fidelity):
    extractor = MetaFeatureExtractor(groups="all", fidelity=fidelity)
    found = extractor.extract(*task)
    assert list(found) == extractor.feature_names(task[2])
    assert {name for name, value in found.items() if np.isnan(value)} == set(extractor.reasons_)
    # a reason is a sentence of ours, not the message of an accident
    assert not [reason for reason in extractor.reasons_.values() if "Error" in reason]


@RELAXED
@given(tasks(), st.sampled_from(["sampled", "full"]), st.integers(0, 2**32 - 1))
def test_order_of_rows_and_columns_is_no_matter(task, fidelity, seed):
    frame, y, kind = task
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(frame))
    moved = frame.iloc[rows, rng.permutation(frame.shape[1])]
    extractor = MetaFeatureExtractor(groups="all", fidelity=fidelity)
    before = extractor.extract(frame, y, kind)
    after = extractor.extract(moved, y[rows], kind)
    for name in BY_ORDER:
        before.pop(name), after.pop(name)
    assert after == pytest.approx(before, rel=1e-6, abs=1e-6, nan_ok=True)


@RELAXED
@given(st.integers(0, 2**32 - 1), st.sampled_from([200, 1500]))
def test_order_is_no_matter_for_a_sample_either(seed, n):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(size=(n, 3)), rng.integers(0, 3, (n, 2))])
    y = rng.integers(0, 3, n)
    rows = rng.permutation(n)
    extractor = MetaFeatureExtractor(groups=["subsampling", "model", "tree_nodes"])
    before = extractor.extract(X, y)
    after = extractor.extract(X[rows][:, rng.permutation(5)], y[rows])
    assert after == pytest.approx(before, rel=1e-9, nan_ok=True)


@RELAXED
@given(tasks(kinds=("classification",)))
def test_ranges_in_the_register_hold(task):
    from sk_metalearn.metafeatures import list_meta_features

    found = MetaFeatureExtractor(groups="all").extract(*task)
    for feature in list_meta_features(task[2]):
        value = found[feature.name]
        if np.isnan(value) or feature.range.startswith("{"):
            continue
        low, high = (float(end) for end in feature.range[1:-1].split(","))
        slack = 1e-6 * max(1.0, abs(value))
        assert low - slack <= value <= high + slack, (feature.name, value, feature.range)


def test_the_same_table_in_every_dress():
    rng = np.random.default_rng(0)
    words = rng.choice(["low", "mid", "high"], 80)
    columns = {"x": rng.normal(size=80), "word": words, "flag": rng.random(80) < 0.5}
    y = rng.integers(0, 2, 80)
    frame = pd.DataFrame(columns)
    order = pd.CategoricalDtype(["mid", "unused", "low", "high"])
    dresses = {
        "str": frame,
        "object": frame.astype(object),
        "category": frame.assign(word=frame["word"].astype(order)),
        "polars": pl.DataFrame({name: list(values) for name, values in columns.items()}),
        "polars categorical": pl.DataFrame(
            {"x": columns["x"], "word": pl.Series(words.tolist(), dtype=pl.Categorical)}
            | {"flag": columns["flag"]}
        ),
        "nullable": frame.convert_dtypes(),
        "array": frame.astype(object).to_numpy(),
        "list": frame.astype(object).to_numpy().tolist(),
    }
    extractor = MetaFeatureExtractor(groups="all")
    expected = extractor.extract(frame, y)
    assert expected["n_categorical"] == 2
    for name, X in dresses.items():
        found = extractor.extract(X, y)
        assert found == pytest.approx(expected, rel=1e-12, nan_ok=True), name


def test_targets_in_every_dress():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(60, 2)), np.array(["a", "b", "c"])[rng.integers(0, 3, 60)]
    extractor = MetaFeatureExtractor(groups=["target", "information"])
    expected = extractor.extract(X, y)
    for dress in (list(y), pd.Series(y), pd.Series(y, dtype="category"), pl.Series(y.tolist())):
        assert extractor.extract(X, dress) == pytest.approx(expected, nan_ok=True)


def test_dates_are_numbers_and_counted():
    days = [datetime.date(2020, 1, day) for day in (1, 2, 4, 8)]
    frame = pd.DataFrame(
        {
            "stamp": pd.to_datetime(days),
            "zoned": pd.to_datetime(days).tz_localize("Europe/Berlin"),
            "length": pd.to_timedelta([1, 2, 3, 5], unit="h"),
            "object": days,
            "x": [1.0, 2.0, np.nan, 4.0],
        }
    )
    frame.loc[1, "stamp"] = pd.NaT
    extractor = MetaFeatureExtractor(groups=["n_dates", "n_numeric", "n_missing", "range_mean"])
    found = extractor.extract(frame)
    assert found["n_dates"] == 4 and found["n_numeric"] == 5 and found["n_missing"] == 2
    polars = pl.DataFrame({"day": days, "x": [1, None, 3, 4]})
    found = extractor.extract(polars)
    assert found["n_dates"] == 1 and found["n_missing"] == 1


def test_dates_are_seconds_since_1970_and_durations_seconds():
    stamps = [datetime.datetime(1970, 1, 2), datetime.datetime(1970, 1, 3), None]
    days = pl.Series([stamp and stamp.date() for stamp in stamps])
    columns = {
        "pandas": pd.to_datetime(stamps),
        "polars": pl.Series(stamps),
        "day": days,
        "zoned": pl.Series(stamps).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"),
        "length": pl.Series([datetime.timedelta(1), datetime.timedelta(2), None]),
        "clock": pl.Series([datetime.time(12), datetime.time(18), None]),
    }
    extractor = MetaFeatureExtractor(groups=["mean_mean"])
    for name, column in columns.items():
        frame = (pd if name == "pandas" else pl).DataFrame({name: column})
        days = 0.625 if name == "clock" else 1.5
        assert extractor.extract(frame) == {"mean_mean": days * 86_400}, name


@pytest.mark.parametrize("X", [np.zeros((5, 3)), np.full((5, 3), np.nan), [["a"]] * 5])
@pytest.mark.parametrize("y", [None, [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]])
def test_nothing_to_see(X, y):
    extractor = MetaFeatureExtractor(groups="all")
    found = extractor.extract(X, y)
    assert found["n_rows"] == 5
    assert not [reason for reason in extractor.reasons_.values() if "Error" in reason]


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_numbers_at_the_ends_of_the_scale(scale):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 3)), rng.integers(0, 2, 50)
    extractor = MetaFeatureExtractor(groups="all")
    plain, scaled = extractor.extract(X, y), extractor.extract(X * scale, y)
    assert not [reason for reason in extractor.reasons_.values() if "Error" in reason]
    for name in ("correlation_mean", "canonical_correlation_mean", "pca_first", "f1_mean"):
        assert scaled[name] == pytest.approx(plain[name], rel=1e-9)


@pytest.mark.parametrize("y", [np.full(30, 0.1), np.arange(30) * 1e250])
def test_targets_at_the_ends_of_the_scale(y):
    X = np.column_stack([np.full(30, np.nan), np.where(np.arange(30) % 3, np.nan, 1.0)])
    extractor = MetaFeatureExtractor(groups="all")
    for table in (X, X[:, :1]):
        found = extractor.extract(table, y, "regression")
        assert not [reason for reason in extractor.reasons_.values() if "Error" in reason]
        assert not found["missing_target_correlation"] > 1 + 1e-12


def test_infinity_is_missing():
    X = np.array([[1.0, np.inf], [2.0, 1.0], [-np.inf, 3.0], [4.0, 5.0]])
    extractor = MetaFeatureExtractor(groups="all")
    found = extractor.extract(X, [0, 1, 0, 1])
    missing = extractor.extract(np.where(np.isinf(X), np.nan, X), [0, 1, 0, 1])
    assert found["n_missing"] == 2
    assert found == pytest.approx(missing, nan_ok=True)
    assert extractor.extract(sparse.csr_matrix(X), [0, 1, 0, 1])["n_missing"] == 2


def test_rare_classes_and_many_classes():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    y = np.r_[np.zeros(250), np.arange(1, 51)]
    extractor = MetaFeatureExtractor(groups="all")
    found = extractor.extract(X, y, "classification")
    assert found["n_classes"] == 51 and found["n_rare_classes"] == 50
    assert not [reason for reason in extractor.reasons_.values() if "Error" in reason]


@pytest.mark.parametrize("fidelity", ["full", "exact"])
def test_every_row_a_class_of_its_own(fidelity):
    X, y = np.random.default_rng(0).normal(size=(400, 3)), np.arange(400)
    extractor = MetaFeatureExtractor(groups="all", fidelity=fidelity)
    extractor.extract(X, y, "classification")
    assert "100 classes" in extractor.reasons_["l1_mean"]
    assert sum(extractor.seconds_.values()) < 60


def test_many_columns():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 10_000)), np.arange(60) % 2
    extractor = MetaFeatureExtractor(groups="all")
    found = extractor.extract(X, y)
    assert found["n_columns"] == 10_000
    assert found["mean_mean"] == pytest.approx(X.mean(), abs=1e-12)
    assert not [reason for reason in extractor.reasons_.values() if "Error" in reason]
