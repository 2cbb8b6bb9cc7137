"""What each storage makes of each type: the table of docs/guide/tables.rst.

python benchmarks/tables.py > docs/guide/_tables_by_storage.txt
"""

import datetime as dt
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from sk_metalearn.spaces import Configuration, Schema, build_estimator, get_family
from sk_metalearn.tables._decide import decide

N = 80
STORAGES = (
    "pandas",
    "pandas, nullable",
    "pandas, Arrow",
    "pandas, object",
    "polars",
    "Arrow",
    "array",
)


def values():
    """Python values of each type."""
    rng = np.random.default_rng(0)
    numbers, days = rng.normal(size=N).round(3), rng.integers(0, 700, N)
    start = dt.datetime(2021, 3, 1)
    words = rng.choice(["Lima", "Oslo"], N).tolist()
    return {
        "floats": numbers.tolist(),
        "integers": rng.integers(0, 99, N).tolist(),
        "booleans": (numbers > 0).tolist(),
        "Decimal": [Decimal(f"{v:.3f}") for v in numbers],
        "text": words,
        "dates": [(start + dt.timedelta(days=int(d))).date() for d in days],
        "timestamps": [start + dt.timedelta(hours=int(d)) for d in days],
        "durations": [dt.timedelta(minutes=int(d)) for d in days],
        "ISO dates as text": [(start + dt.timedelta(days=int(d))).date().isoformat() for d in days],
        "numbers as text": [f"{v:.2f}" for v in numbers],
        "codes as text": [f"{d % 9:05d}" for d in days],
        "sentences": [
            " ".join(rng.choice(["good", "bad", "so", "film"], 6)) + f" {i}" for i in days
        ],
    }


def stored(column, storage):
    """A table of that column, with every ninth value missing."""
    column = [None if i % 9 == 4 else value for i, value in enumerate(column)]
    if storage == "array":
        return np.array(column, dtype=object).reshape(-1, 1)
    if storage in ("pandas", "pandas, nullable"):
        frame = pd.DataFrame({"c": column})
        return frame if storage == "pandas" else frame.convert_dtypes()
    if storage == "pandas, object":
        return pd.DataFrame({"c": pd.Series(column, dtype=object)})
    if storage == "polars":
        return pl.DataFrame({"c": column})
    table = pa.table({"c": pa.array(column)})
    return table if storage == "Arrow" else table.to_pandas(types_mapper=pd.ArrowDtype)


def cell(X):
    """The role, with a star where the model needs the reader; or the error."""
    y = np.arange(N) % 2
    family = get_family("ridge", "classification")
    try:
        layout = decide(X)
        own = Configuration("ridge", family.space.default(), family.preprocessing)
        build_estimator(own, Schema.from_data(X, y), 0).fit(X, y).predict(X)
    except ValueError as error:
        return f"error: {error}"
    return layout.plans[0].role + ("" if layout.plain else " \\*")


def main():
    """Print the table."""
    warnings.simplefilter("ignore")
    print(".. list-table::\n   :header-rows: 1\n")
    for i, name in enumerate(("type", *STORAGES)):
        print(f"   {'* -' if not i else '  -'} {name}")
    for kind, column in values().items():
        print(f"   * - {kind}")
        for storage in STORAGES:
            print(f"     - {cell(stored(column, storage))}")


if __name__ == "__main__":
    main()
