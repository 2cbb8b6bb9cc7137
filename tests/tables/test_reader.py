"""What single columns are, and how they are read."""

import datetime as dt
import pickle
import warnings
from decimal import Decimal

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_metalearn.exceptions import FallbackWarning
from sk_metalearn.tables import TableReader, describe_columns
from sk_metalearn.tables._check_table import check_columns, check_new_rows, check_table, conform
from sk_metalearn.tables._decide import decide
from sk_metalearn.tables._hash_of_data import hash_of_data
from sk_metalearn.tables._objects import read_objects
from sk_metalearn.tables._parse import is_other_date, parse_dates
from sk_metalearn.tables._target_column import check_target

pd = pytest.importorskip("pandas")
N = 60
RNG = np.random.default_rng(0)
DAYS = pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.integers(0, 900, N), "D")


def _role(values, name="c", **columns):
    return decide(pd.DataFrame({name: values, "other": RNG.normal(size=N)}), columns or None).plans[
        0
    ]


@pytest.mark.parametrize(
    "values, role",
    [
        ([f"{v:.2f}" for v in RNG.normal(size=N)], "number"),
        ([f"${v:,}" for v in RNG.integers(500, 90_000, N)], "number"),
        (["n/a"] + [f"{v:.2f}" for v in RNG.normal(size=N - 1)], "number"),
        (["n/a"] * 20 + ["7"] * 40, "category"),
        (DAYS.strftime("%Y-%m-%d"), "date"),
        (DAYS.strftime("%Y-%m-%dT%H:%M:%S+02:00"), "date"),
        (DAYS.strftime("%Y%m%d"), "date"),
        (DAYS.strftime("%Y%m%d%H%M").astype(np.int64), "date"),
        (list(DAYS.date), "date"),
        (pd.period_range("2020-01", periods=N, freq="M"), "date"),
        (DAYS - DAYS[0], "duration"),
        ([dt.time(i % 24) for i in range(N)], "duration"),
        ([Decimal(i) / 7 for i in range(N)], "number"),
        ([f"{v:05d}" for v in RNG.integers(0, 9, N)], "category"),
        ([str(v) for v in RNG.choice([10115, 20095, 80331], N)], "category"),
        ([str(v) for v in RNG.integers(30_000, 90_000, N)], "number"),
        ([f"{v:x}-{v:o}" for v in RNG.integers(2**40, 2**60, N)], "ignore"),
        (np.arange(N), "ignore"),
        (np.arange(N) * 1.0, "number"),
        (np.arange(1950, 1950 + N), "number"),
        (RNG.permutation(N), "number"),
        ([f"a good film of the year {i}" for i in range(N)], "text"),
        (["これはとても良い映画でした" + str(i) for i in range(N)], "text"),
        ([f"{a} street" for a in RNG.choice(["high", "low"], N)], "category"),
        (pd.Categorical(RNG.choice(["low", "high"], N), ["low", "high"], ordered=True), "ordered"),
        (pd.cut(RNG.normal(size=N), 4), "ordered"),
        (pd.Categorical([1 if i % 2 else "one" for i in range(N)]), "category"),
        ([1 if i % 2 else "one" for i in range(N)], "category"),
        ([" ", None] * (N // 2), "ignore"),
        (pd.Series(pd.NaT, index=range(N)), "ignore"),
        ([10**20 + i for i in range(N)], "number"),
    ],
)
def test_a_column_is_what_its_values_say(values, role):
    plan = _role(values)
    assert plan.role == role, plan


@pytest.mark.parametrize("name", ["customer_id", "ID", "rowId", "user id"])
def test_distinct_whole_numbers_named_as_ids_are_left_out(name):
    values = RNG.choice(10**6, N, replace=False)
    assert _role(values, name).role == "ignore"
    assert _role(values, "paid").role == "number"


def test_what_is_said_of_columns_holds():
    digits = [str(v) for v in RNG.integers(0, 9, N)]
    assert _role(digits, c="category").role == "category"
    assert _role(np.arange(N), c="number").role == "number"
    assert _role(np.arange(N), c="ignore").role == "ignore"
    with pytest.raises(ValueError, match="none of its values can be read so, such as 'x'"):
        _role(["x"] * N, c="date")
    with pytest.raises(ValueError, match="must be one of .* got 'zip'"):
        _role(digits, c="zip")
    with pytest.raises(ValueError, match="names 'd', which X does not have"):
        _role(digits, d="text")


def test_a_mark_tells_what_could_not_be_read():
    values = ["?", "", None, *[str(i / 4) for i in range(57)]]
    reader = TableReader().fit(pd.DataFrame({"a": values}))
    assert reader.get_feature_names_out().tolist() == ["a", "a_unread"]
    found = reader.transform(pd.DataFrame({"a": ["?", None, "2.5"]}))
    np.testing.assert_array_equal(found, [[np.nan, 1], [np.nan, 0], [2.5, 0]])


def test_dates_are_days_since_2000_and_lengths_are_days():
    stamps = [dt.datetime(2000, 1, 2, 12), dt.datetime(1999, 12, 31), None]
    frame = pd.DataFrame(
        {
            "naive": pd.to_datetime(stamps),
            "zoned": pd.to_datetime(stamps).tz_localize("UTC").tz_convert("Asia/Tokyo"),
            "length": pd.to_timedelta([dt.timedelta(hours=36), dt.timedelta(days=-1), None]),
            "clock": [dt.time(6), None, dt.time(18)],
        }
    )
    found = TableReader().set_output(transform="pandas").fit_transform(frame)
    for name, days in {
        "naive": [1.5, -1, np.nan],
        "zoned": [1.5, -1, np.nan],
        "length": [1.5, -1, np.nan],
        "clock": [0.25, np.nan, 0.75],
    }.items():
        np.testing.assert_array_equal(found[name], days)
    assert found["naive_weekday"].tolist()[:2] == ["7 Sunday", "5 Friday"]
    assert found["naive_month"].tolist()[:2] == [1, 12]
    assert found["naive_hour"].tolist()[:2] == [12, 0]


def test_rows_in_any_other_form_are_read_alike():
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    frame = pd.DataFrame(
        {
            "day": DAYS.strftime("%Y-%m-%d"),
            "size": RNG.normal(size=N),
            "city": RNG.choice(["Lima", "Oslo"], N),
        }
    )
    reader = TableReader().fit(frame)
    expected = reader.transform(frame).tolist()
    forms = {
        "polars": polars.from_pandas(frame),
        "arrow": pyarrow.Table.from_pandas(frame),
        "array": frame.to_numpy(dtype=object),
        "records": frame.to_dict("records"),
        "order": frame[["city", "day", "size"]],
        "more": frame.assign(further=1),
    }
    for name, form in forms.items():
        assert reader.transform(form).tolist() == expected, name
    assert reader.transform(frame.iloc[0].to_dict()).tolist() == expected[:1]
    assert pickle.loads(pickle.dumps(reader)).transform(frame).tolist() == expected
    with pytest.raises(ValueError, match=r"lacks the columns \['day'\]"):
        reader.transform(frame.drop(columns="day"))
    with pytest.raises(ValueError, match="has 2 features, but TableReader is expecting 3"):
        reader.transform(frame.to_numpy(dtype=object)[:, :2])


@pytest.mark.parametrize("output", ["default", "pandas", "polars"])
def test_set_output_and_a_pipeline(output):
    if output == "polars":
        pytest.importorskip("polars")
    frame = pd.DataFrame({"a": [str(i) for i in range(N)], "b": DAYS - DAYS[0]}, index=range(5, 65))
    pipeline = make_pipeline(TableReader(columns={"a": "number"}), StandardScaler())
    pipeline = clone(pipeline).set_output(transform=output).fit(frame)
    found = pipeline.transform(frame)
    assert pipeline.get_feature_names_out().tolist() == ["a", "b"]
    np.testing.assert_allclose(np.asarray(found).mean(axis=0), 0, atol=1e-12)
    if output == "pandas":
        assert found.index.equals(frame.index)


def test_infinity_is_named_and_nested_values_are_refused():
    for values in (np.r_[np.inf, np.zeros(N - 1)], pd.array([np.inf] + [0.0] * (N - 1), "Float64")):
        frame = pd.DataFrame({"ratio": values, "other": 1.0})
        with pytest.raises(ValueError, match="infinity in the columns .*ratio"):
            check_table(frame, TableReader())
        with pytest.raises(ValueError, match="infinity in column 'ratio'"):
            TableReader().fit_transform(frame)
    with pytest.raises(ValueError, match=r"got a list in column 'tags': \[1\]"):
        TableReader().fit(pd.DataFrame({"tags": [[1], [2]]}))
    with pytest.raises(ValueError, match="objects of the class object"):
        TableReader().fit(pd.DataFrame({"tags": [object(), object()]}))


def test_empty_columns_are_left_out_with_a_word():
    frame = pd.DataFrame({"fax": [None] * N, "size": 1.0})
    with pytest.warns(FallbackWarning, match=r"left out: \['fax'\] \(holds no value at all\)"):
        check_columns(check_table(frame, TableReader()))
    with pytest.raises(ValueError, match="hold no value at all"):
        check_table(frame[["fax"]], TableReader())


def test_equal_data_have_one_identity():
    X = RNG.normal(size=(N, 4))
    block = pd.DataFrame(X, columns=list("abcd"))
    apart = pd.DataFrame({name: X[:, j].copy() for j, name in enumerate("abcd")})
    readonly = X.copy()
    readonly.setflags(write=False)
    for same in (np.asfortranarray(X), np.hstack([X, X])[:, :4], readonly):
        assert hash_of_data(same, [1]) == hash_of_data(X, [1])
    for same in (apart, block.set_index(np.arange(N)[::-1]), pd.concat([block[:9], block[9:]])):
        assert hash_of_data(same) == hash_of_data(block)
    words = pd.DataFrame({"w": ["a", None, "b"]})
    assert hash_of_data(words) == hash_of_data(words.astype("category").astype(object))
    matrix = sparse.random(20, 5, random_state=0, format="csr")
    assert hash_of_data(matrix.tocsc()) == hash_of_data(matrix)
    other = X.copy()
    other[3, 2] += 1e-9
    assert hash_of_data(other) != hash_of_data(X)
    assert hash_of_data(block.rename(columns={"a": "z"})) != hash_of_data(block)
    assert hash_of_data({"sample_weight": X[:, 0]}) != hash_of_data({"sample_weight": X[:, 1]})


@pytest.mark.parametrize("classes", [["no", "yes"], ["1", "2"], [3, 7], [False, True]])
def test_equal_classes_have_one_identity(classes):
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    X, y = RNG.normal(size=(N, 2)), [classes[i % 3 // 2] for i in range(N)]
    storages = [
        y,
        np.array(y),
        np.array(y, dtype=object),
        np.array(y).reshape(-1, 1),
        pd.Series(y, dtype=object),
        pd.Series(y, index=np.arange(N)[::-1]).convert_dtypes(),
        pd.Series(y, dtype="category"),
        pd.Series(pd.Categorical(y, classes[::-1], ordered=True)),
        pd.Series(pa.array(y), dtype=pd.ArrowDtype(pa.array(y).type)),
        pl.Series(y),
        pa.array(y),
        pa.chunked_array([y[:9], y[9:]]),
    ]
    assert len({hash_of_data(X, own) for own in storages}) == 1
    coded, known = np.searchsorted(classes, y), np.array(classes)
    if known.dtype.kind != "i":
        assert hash_of_data(X, coded, known) == hash_of_data(X, y)
    others = [["no", "Yes"], ["1", "3"], [3, 8], [0, 1], ["False", "True"], ["3", "7"]]
    others = [[other[i % 3 // 2] for i in range(N)] for other in others]
    others += [y[::-1], [classes[1 - i % 3 // 2] for i in range(N)]]
    assert hash_of_data(X, y) not in {hash_of_data(X, own) for own in others}


@pytest.mark.parametrize("zone", ["", "Z", "z", "+02:00", "-0330", "-02"])
@pytest.mark.parametrize(
    "form", ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S.25", "%Y-%m-%dT%H"]
)
def test_dates_written_alike_are_read_as_each_by_itself(form, zone):
    times = pd.Series(DAYS) + pd.to_timedelta(RNG.integers(0, 10**5, N), "s")
    texts = (times.dt.strftime(form) + zone).to_numpy(dtype=object)
    each = np.array([parse_dates(np.array([text, "x"], dtype=object))[0] for text in texts])
    np.testing.assert_array_equal(parse_dates(texts), each)


def test_moments_and_lengths_of_any_class_are_read_exactly():
    zone = dt.timezone(dt.timedelta(hours=3))
    early, late = dt.datetime(1, 1, 1, 0, 0, 0, 7), dt.datetime(9999, 12, 31, 23, 59)
    first = np.datetime64(early)
    for values, expected in (
        ([early, late, None], [first, np.datetime64(late), "NaT"]),
        ([late.replace(year=2020, tzinfo=zone), early], ["2020-12-31T20:59", first]),
        (
            [pd.Timestamp("5000-01-01"), pd.Timestamp(0), pd.NaT],
            ["5000-01-01", "1970-01-01", "NaT"],
        ),
        ([pd.Timestamp("2020-01-01", tz="Asia/Tokyo"), early], ["2019-12-31T15:00", first]),
        ([dt.date(2020, 2, 29), early], ["2020-02-29", first]),
    ):
        kind, found, _, _ = read_objects(np.array(values, dtype=object), "c")
        assert kind == "date"
        np.testing.assert_array_equal(found, np.array(expected, dtype="M8[us]"))
    day = dt.timedelta(days=-1, microseconds=3)
    for values, expected in (
        ([day, None], [-86_399_999_997, "NaT"]),
        ([pd.Timedelta("1h"), np.timedelta64(3, "s")], [3_600_000_000, 3_000_000]),
        ([dt.time(1, 2, 3, 4), None], [3_723_000_004, "NaT"]),
    ):
        kind, found, _, _ = read_objects(np.array(values, dtype=object), "c")
        assert kind == "duration"
        np.testing.assert_array_equal(found, np.array(expected, dtype="m8[us]"))


def test_parts_of_dates_are_those_of_pandas():
    spread = pd.to_timedelta(RNG.integers(0, 10**9, N), "s")
    moments = pd.Series(DAYS + spread)
    for own in (moments, moments.mask(RNG.random(N) < 0.3), moments.dt.tz_localize("UTC")):
        found = TableReader().set_output(transform="pandas").fit_transform(own.to_frame("at"))
        np.testing.assert_array_equal(found["at_month"], own.dt.month)
        weekdays = found["at_weekday"].astype(object).str[0].astype(float)
        np.testing.assert_array_equal(weekdays, own.dt.day_of_week + 1)
        hours = (own - own.dt.normalize()) / pd.Timedelta("1h")
        np.testing.assert_allclose(found["at_hour"], hours, rtol=1e-12)


def test_a_frame_read_may_be_written_into():
    frame = pd.DataFrame({"size": RNG.normal(size=N), "city": RNG.choice(["a", "b"], N)})
    frame["at"] = DAYS
    frame["kind"] = frame["city"].astype("category")
    frame["flag"] = frame["size"] > 0
    before = frame.copy(deep=True)
    found = TableReader().set_output(transform="pandas").fit_transform(frame)
    # Text of few values needs a byte or so in a frame, not an object.
    texts = [name for name, dtype in found.dtypes.items() if dtype == "category"]
    assert texts == ["city", "at_weekday", "kind", "flag"]
    assert {str(dtype) for dtype in found.drop(columns=texts).dtypes} == {"float64"}
    found.iloc[:, 0] = 0.0
    found.loc[3, "size"] = 9.0
    pd.testing.assert_frame_equal(frame, before)


def test_rows_for_a_model_without_a_reader_come_in_the_storage_of_fit():
    frame = pd.DataFrame(
        {"size": RNG.normal(size=N), "city": RNG.choice(["a", "b"], N), "flag": RNG.random(N) < 0.5}
    )
    layout = decide(frame)
    assert layout.plain and conform(frame, layout) is frame
    for rows in (
        frame[["flag", "city", "size"]],
        frame.astype(object).to_numpy(),
        frame.convert_dtypes(),
    ):
        found = conform(rows, layout)
        assert list(found.columns) == list(frame.columns)
        np.testing.assert_array_equal(found.to_numpy(dtype=object), frame.to_numpy(dtype=object))


@pytest.mark.parametrize(
    "y, dtype",
    [
        (np.array([0, 1] * 30, dtype=object), "i"),
        (np.array([True, False] * 30, dtype=object), "b"),
        (np.array(["1", "2"] * 30, dtype=object), "O"),
        (pd.Series([0, 1] * 30, dtype="Int64"), "i"),
        (pd.Categorical(["a", "b"] * 30, ["a", "b", "c"]), "O"),
        (pd.DataFrame({"y": [0, 1] * 30}), "i"),
    ],
)
def test_targets_of_every_kind(y, dtype):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = check_target(y, np.zeros((60, 1)), "classification", TableReader())
    assert found.shape == (60,) and found.dtype.kind == dtype and len(set(found)) == 2


def test_a_target_of_several_types_is_refused_with_advice():
    y = np.array([1, "1"] * 30, dtype=object)
    with pytest.raises(ValueError, match=r"object array of several types.*y.astype\(str\)"):
        check_target(y, np.zeros((60, 1)), "classification", TableReader())


@parametrize_with_checks([TableReader()])
def test_the_reader_is_an_estimator_of_scikit_learn(estimator, check):
    check(estimator)


def test_the_table_of_what_was_decided():
    frame = pd.DataFrame({"id": range(N), "size": [None] + [1.5] * (N - 1)})
    table = describe_columns(frame)
    assert table.columns.tolist() == ["column", "role", "why", "levels", "gaps"]
    assert table["role"].tolist() == ["ignore", "number"] and table["gaps"].tolist() == [0, 1]


MONEY = [f"${1000 + 7 * k:,}" for k in range(N)]


@pytest.mark.parametrize("kind", ["classification", "regression"])
@pytest.mark.filterwarnings("ignore:The number of unique classes")
def test_a_target_of_money_is_refused_with_a_line_that_mends_it(kind):
    with pytest.raises(ValueError, match=r"'\$1,000'.*astype\(float\)") as caught:
        check_target(pd.Series(MONEY), np.zeros(N), kind, TableReader())
    line = str(caught.value).partition("for example with ")[2].partition("astype(float)")
    made = eval(line[0] + line[1], {"pandas": pd}, {"y": MONEY})
    assert list(check_target(made, np.zeros(N), "regression", TableReader())[:2]) == [1000, 1007]


def test_numbers_as_text_are_classes_where_they_come_again():
    zips = [f"{10000 + k % 25}" for k in range(N)]
    assert len(check_target(zips, np.zeros(N), "classification", TableReader())) == N


def test_a_name_of_a_record_that_is_misspelt_is_no_gap():
    frame = pd.DataFrame({"size": RNG.normal(size=N), "grade": RNG.normal(size=N)})
    layout = check_columns(frame)
    for wrong in ("Grade", "grades"):
        with pytest.raises(ValueError, match=f"'{wrong}'.*no 'grade'"):
            check_new_rows({"size": 1.0, wrong: 2.0}, layout, TableReader())
    for fine in ({"size": 1.0}, {"size": 1.0, "grade1": 3}, {"size": 1.0, "grade": 2, "Grade": 3}):
        assert check_new_rows(fine, layout, TableReader()).shape[0] == 1


@pytest.mark.parametrize(
    "form, read",
    [
        ("%m/%d/%Y", False),
        ("%d.%m.%Y %H:%M", False),
        ("%m/%d/%y", False),
        ("%Y/%m/%d", False),
        ("%d %B %Y", False),
        ("%b-%Y", False),
        ("%b %d, %Y", False),
        ("%Y-%m-%d", True),
        ("%Y-%m-%dT%H:%M", True),
    ],
)
def test_dates_that_are_not_read_are_told(form, read):
    frame = pd.DataFrame({"when": DAYS.strftime(form), "size": RNG.normal(size=N)})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        plan = check_columns(frame).plans[0]
    told = [own for own in caught if "['when'] of X hold dates in a form" in str(own.message)]
    assert (plan.role == "date") == read and len(told) == (not read)
    if read:
        return
    assert f"such as {frame['when'].iloc[0]!r}" in plan.why
    with pytest.raises(ValueError, match="pandas.to_datetime reads others"):
        check_columns(frame, {"when": "date"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_columns(frame, {"when": "category"})


def test_what_is_no_date_is_not_called_one():
    for text in ("1/2", "10.11.12", "3/4/5/6", "May be late 2019", "v1.2.2019", "Marching 12"):
        assert "dates" not in _role([text, "other"] * (N // 2)).why
        assert not is_other_date(text), text
