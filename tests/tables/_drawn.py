"""Tables drawn over storage, type, gap, name and target."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from hypothesis import strategies as st

STORAGES = ("pandas", "nullable", "arrow dtypes", "object", "polars", "arrow", "array", "records")
TYPES = (
    "float",
    "whole",
    "boolean",
    "word",
    "category",
    "number as text",
    "date",
    "timestamp",
    "ISO text",
    "duration",
    "decimal",
    "sentence",
    "mixed",
    "constant",
    "count",
)
NAMES = ("plain", "same", "number", "odd", "tuple", "date")
_DAY = dt.datetime(2021, 3, 1)


def values_of(kind, n, rng):
    """Python values of a type, a list of length n."""
    numbers = rng.normal(size=n).round(3)
    days = rng.integers(0, 700, n)
    words = rng.choice(["Lima", "Oslo", "ä b", "True"], n)
    return {
        "float": lambda: numbers.tolist(),
        "whole": lambda: rng.integers(-5, 900, n).tolist(),
        "boolean": lambda: (numbers > 0).tolist(),
        "word": lambda: words.tolist(),
        "category": lambda: words.tolist(),
        "number as text": lambda: [f"{value:.2f}" for value in numbers],
        "date": lambda: [(_DAY + dt.timedelta(days=int(d))).date() for d in days],
        "timestamp": lambda: [_DAY + dt.timedelta(hours=int(d)) for d in days],
        "ISO text": lambda: [(_DAY + dt.timedelta(days=int(d))).date().isoformat() for d in days],
        "duration": lambda: [dt.timedelta(minutes=int(d)) for d in days],
        "decimal": lambda: [Decimal(f"{value:.3f}") for value in numbers],
        "sentence": lambda: [
            " ".join(rng.choice(["good", "bad", "so", "very", "film", "plot"], 7)) for _ in range(n)
        ],
        "mixed": lambda: [int(d) if d % 2 else f"v{d % 5}" for d in days],
        "constant": lambda: [2.5] * n,
        "count": lambda: list(range(n)),
    }[kind]()


def names_of(kind, k):
    """Names for k columns."""
    return {
        "plain": [f"c{j}" for j in range(k)],
        "same": ["c"] * k,
        "number": list(range(k)),
        "odd": [f'{{"a{j}": [1, __]}}\n' for j in range(k)],
        "tuple": [("a", j) for j in range(k)],
        "date": [dt.date(2024, 1, 1 + j) for j in range(k)],
    }[kind]


@dataclass(frozen=True)
class Drawn:
    """Columns of Python values (None: missing), told by what they are drawn from."""

    kinds: tuple
    gaps: tuple
    seed: int

    def columns(self, n=60):
        """The columns: a list of lists."""
        rng = np.random.default_rng(self.seed)
        found = []
        for kind, share in zip(self.kinds, self.gaps, strict=True):
            values = values_of(kind, n, rng)
            found.append([None if rng.random() < share else value for value in values])
        return found


@st.composite
def drawn(draw):
    """A strategy for tables."""
    kinds = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=5))
    gaps = [draw(st.sampled_from([0, 0, 0.1, 0.9, 1.0])) for _ in kinds]
    return Drawn(tuple(kinds), tuple(gaps), draw(st.integers(0, 2**32 - 1)))


def store(columns, kinds, names, storage):
    """Put columns into a storage; None where it cannot hold them."""
    text = all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
    if storage in ("array", "object"):
        if storage == "array":
            table = np.empty((len(columns[0]), len(columns)), dtype=object)
            for j, values in enumerate(columns):
                table[:, j] = values
            return table
        series = [pd.Series(values, dtype=object) for values in columns]
        return pd.concat(series, axis=1).set_axis(names, axis=1)
    if storage == "records":
        rows = zip(*columns, strict=True)
        return (
            [dict(zip(names, row, strict=True)) for row in rows]
            if len(set(names)) == len(names)
            else None
        )
    if storage in ("polars", "arrow", "arrow dtypes"):
        if not text or "mixed" in kinds:
            return None
        table = pa.table(
            {name: pa.array(values) for name, values in zip(names, columns, strict=True)}
        )
        if "category" in kinds:
            for j, kind in enumerate(kinds):
                if kind == "category":
                    table = table.set_column(
                        j, names[j], table.column(j).cast("string").dictionary_encode()
                    )
        if storage == "arrow":
            return table
        return (
            pl.from_arrow(table)
            if storage == "polars"
            else table.to_pandas(types_mapper=pd.ArrowDtype)
        )
    frame = pd.concat([_series(v, k) for v, k in zip(columns, kinds, strict=True)], axis=1)
    frame = frame.set_axis(names, axis=1)
    return (
        frame.convert_dtypes() if storage == "nullable" and len(set(names)) == len(names) else frame
    )


def _series(values, kind):
    if kind == "category":
        return pd.Series(pd.Categorical(values))
    if kind in ("date", "decimal", "mixed", "boolean"):
        return pd.Series(values, dtype=object)
    if all(value is None for value in values):
        return pd.Series(values, dtype=float)
    return pd.Series(values)
