"""Which columns a final model needs."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.linear_model import Ridge

from sk_metalearn import AutoClassifier, AutoRegressor, MetaSearchCV
from sk_metalearn.inspection import ColumnImportanceDisplay

RNG = np.random.default_rng(0)
N = 300
SIZE, NOISE = RNG.normal(size=N), RNG.normal(size=N)
PLACE = RNG.choice(["Lima", "Oslo", "Pune"], N)
FRAME = pd.DataFrame({"size": SIZE, "noise": NOISE, "twin": 3 * SIZE + 1, "place": PLACE})
TARGET = SIZE + (PLACE == "Oslo") * 2.0


@pytest.fixture(scope="module")
def auto():
    return AutoRegressor(n_iter=3, families=["ridge"], random_state=0).fit(FRAME, TARGET)


def test_columns_that_tell_the_same_are_shuffled_together(auto):
    display = ColumnImportanceDisplay.from_estimator(auto, FRAME, TARGET, random_state=0)
    rows = {row["column"]: row for row in display.rows()}
    assert set(rows) == {"size, twin", "noise", "place"}
    assert rows["size, twin"]["lost"] > 0.5 and rows["place"]["lost"] > 0.3
    assert abs(rows["noise"]["lost"]) < 0.01
    for row in rows.values():
        assert row["low"] <= row["lost"] <= row["high"]
    assert display.importances.shape == (3, 10)
    apart = ColumnImportanceDisplay.from_estimator(
        auto, FRAME, TARGET, together=1.1, n_repeats=2, random_state=0
    )
    assert len(apart.names) == 4
    assert "size, twin" in display._repr_html_()


def test_on_folds_each_model_is_judged_on_rows_it_has_not_seen():
    X = np.random.default_rng(1).normal(size=(80, 2))
    y = np.arange(80) % 2
    forest = AutoClassifier(
        n_iter=1, families=["random_forest"], scoring="accuracy", ensemble_size=0, random_state=0
    ).fit(X, y)
    known = ColumnImportanceDisplay.from_estimator(forest, X, y, n_repeats=3, random_state=0)
    unseen = ColumnImportanceDisplay.from_estimator(forest, X, y, cv=4, n_repeats=3, random_state=0)
    # It knows these rows by heart; of others it knows nothing.
    assert max(row["lost"] for row in known.rows()) > 0.2
    assert max(row["lost"] for row in unseen.rows()) < 0.15
    assert unseen.importances.shape == (2, 12) and unseen.n_folds == 4


@pytest.mark.parametrize("storage", ["array", "sparse", "polars", "shuffled index"])
def test_any_storage_gives_the_same(storage):
    numbers = FRAME[["size", "noise"]].to_numpy()
    auto = AutoRegressor(n_iter=2, families=["ridge"], random_state=0)
    if storage == "sparse":
        auto.fit(csr_array(numbers), TARGET)
        X = csr_array(numbers)
    elif storage == "polars":
        X = pytest.importorskip("polars").DataFrame({"size": SIZE, "noise": NOISE})
        auto.fit(X, TARGET)
    elif storage == "array":
        X = numbers
        auto.fit(X, TARGET)
    else:
        X = FRAME[["size", "noise"]].set_axis(np.arange(N)[::-1])
        auto.fit(X, TARGET)
    rows = ColumnImportanceDisplay.from_estimator(auto, X, TARGET, random_state=0).rows()
    assert rows[0]["lost"] > 0.3 and abs(rows[1]["lost"]) < 0.02
    assert np.array_equal(FRAME["size"], SIZE)


def test_gaps_have_the_middle_rank():
    from sk_metalearn.inspection._importance import _groups

    X = FRAME[["size", "twin"]].copy()
    X.iloc[:5, 0] = np.nan
    assert _groups(X, 0.9) == [[0, 1]]
    assert _groups(X.assign(none=np.nan), 0.9) == [[0, 1], [2]]


def test_it_is_drawn(auto):
    pytest.importorskip("matplotlib")
    display = ColumnImportanceDisplay.from_estimator(auto, FRAME, TARGET, n_repeats=2)
    axes = display.plot().ax_
    assert len(axes.get_yticks()) == 3 and "lost" in axes.get_xlabel()


def test_a_search_over_an_estimator_of_ones_own_is_judged_by_its_metric():
    X = FRAME[["size", "noise", "twin"]]
    search = MetaSearchCV(Ridge(), {"alpha": [0.1, 10.0]}, scoring="neg_mean_absolute_error")
    search.fit(X, TARGET)
    for cv in (None, 3):
        display = ColumnImportanceDisplay.from_estimator(search, X, TARGET, cv=cv, random_state=0)
        assert display.rows()[0]["column"] == "size, twin"
        assert display.metric == "neg_mean_absolute_error"
