"""Models that read their table go to skops and back."""

import numpy as np
import pytest

from sk_metalearn.spaces import Configuration, Schema, build_estimator, get_family
from sk_metalearn.tables import TableReader
from sk_metalearn.tables._decide import decide

pd = pytest.importorskip("pandas")
skops = pytest.importorskip("skops.io", reason="skops is not installed (extra 'skops')")

#: What docs/guide/tables.rst says is to be trusted; all else is numpy's and scikit-learn's.
OURS = [
    "sk_metalearn.tables._layout.Layout",
    "sk_metalearn.tables._layout.Plan",
    "sk_metalearn.tables._reader.TableReader",
]
N = 120
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "shop": RNG.choice([f"shop {i}" for i in range(50)], N),
        "at": pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.integers(0, 900, N), "D"),
        "price": [f"{v:.2f}" for v in RNG.normal(size=N)],
        "size": RNG.normal(size=N),
        "grade": pd.Categorical(RNG.choice(["good", "bad"], N), ["bad", "good"], ordered=True),
        "note": [" ".join(RNG.choice(["good", "bad", "so"], 6)) + f" {i}" for i in range(N)],
    }
)
LABELS = np.where(TABLE["size"] > 0, "yes", "no")


def _there_and_back(model):
    stored = skops.dumps(model)
    unknown = skops.get_untrusted_types(data=stored)
    others = [own for own in unknown if not own.startswith(("sklearn.", "numpy."))]
    assert others == OURS
    return skops.loads(stored, trusted=unknown)


@pytest.mark.parametrize("family", ["ridge", "hist_gradient_boosting", "random_forest", "svm"])
def test_a_model_with_a_reader_and_target_encoding(family):
    own = get_family(family, "classification")
    preprocessing = {**own.preprocessing, "encoder": "target"}
    schema = Schema.from_data(TABLE, LABELS)
    model = build_estimator(Configuration(family, {}, preprocessing), schema, 0)
    model.fit(TABLE, LABELS)
    again = _there_and_back(model)
    for rows in (TABLE, TABLE.astype(object), TABLE.iloc[:1].to_dict("records")):
        np.testing.assert_array_equal(again.predict(rows), model.predict(rows))


@pytest.mark.parametrize("names", [["a", "b"], [0, 1], [("a", 1), ("a", 2)]])
def test_a_reader_of_columns_with_any_names(names):
    frame = TABLE[["price", "grade"]].set_axis(names, axis=1)
    reader = TableReader(layout=decide(frame, {names[0]: "category"})).fit(frame)
    again = _there_and_back(reader)
    assert again.layout_ == reader.layout_ == again.layout
    np.testing.assert_array_equal(again.transform(frame), reader.transform(frame))
