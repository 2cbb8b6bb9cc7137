"""Free text takes long to be read: a time budget bounds the rows."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import log_loss

from sk_metalearn import AutoClassifier
from sk_metalearn.exceptions import FallbackWarning
from sk_metalearn.search._rows_of_text import rows_in_time, seconds_of_text
from sk_metalearn.tables import decide

pd = pytest.importorskip("pandas")


def table(n_rows, n_columns, n_words):
    rng = np.random.default_rng(0)
    words = np.array([f"w{i}" for i in range(900)])
    columns = {
        f"note {j}": [" ".join(rng.choice(words, n_words)) for _ in range(n_rows)]
        for j in range(n_columns)
    }
    return pd.DataFrame(columns)


def options(**changes):
    return SimpleNamespace(**{"timed": True, "time_budget": 60, "checkpoint": None, **changes})


def test_seconds_grow_with_the_characters_of_a_row():
    short, long = table(400, 1, 10), table(400, 2, 20)
    assert seconds_of_text(long, [0, 1]) == pytest.approx(4 * seconds_of_text(short, [0]), rel=0.1)
    assert seconds_of_text(long, [0]) == pytest.approx(seconds_of_text(long, [1]), rel=0.05)


def test_rows_follow_from_text_and_seconds():
    X = table(400, 2, 100)
    layout = decide(X)
    n_rows = rows_in_time(X, layout, options())
    assert 1000 < n_rows < 2500
    assert rows_in_time(X, layout, options(time_budget=120)) == pytest.approx(2 * n_rows, abs=2)
    assert rows_in_time(X, layout, options(time_budget=1)) == 1000
    assert rows_in_time(X, layout, options(timed=False)) is None
    # Whoever takes a search up may have other seconds.
    assert rows_in_time(X, layout, options(checkpoint="here")) is None
    numbers = pd.DataFrame({"a": np.arange(400) % 7 * 0.5})
    assert rows_in_time(numbers, decide(numbers), options()) is None


def test_much_text_leaves_time_for_a_search_and_stays_within_it():
    X = table(20_000, 6, 12)
    y = X["note 0"].str.contains("w1").to_numpy()
    begun = time.monotonic()
    auto = AutoClassifier(time_budget=20, random_state=0).fit(X, y)
    # A bound of time in a test is wide: a busy machine takes twice as long.
    assert time.monotonic() - begun < 40
    assert (auto.cv_results_["status"] == "ok").any()
    assert auto.score(X.iloc[:2000], y[:2000]) > 0.7


@pytest.mark.parametrize(("n_words", "message"), [(5, "a quick one"), (200, "only predicts")])
def test_text_alone_has_a_quick_model_if_enough_rows_are_quick(n_words, message):
    X = table(3000, 2, n_words)
    counts = X["note 0"].str.count("w1")
    y = (counts > counts.median()).to_numpy()
    with pytest.warns(FallbackWarning, match=message):
        auto = AutoClassifier(time_budget=0.01, random_state=0).fit(X, y)
    proba = auto.predict_proba(X[:500]).astype(float)
    # No worse than who knows nothing.
    assert log_loss(y[:500], proba) < np.log(2) + 0.01
