"""What reading a table costs: milliseconds a column of 10,000 rows, and memory of a large table.

    python benchmarks/tables_cost.py > benchmarks/results/tables_cost.csv
    python benchmarks/tables_cost.py memory > benchmarks/results/tables_memory.csv

Of every kind the least of several repeats of deciding (``fit``) and of reading (``transform``), in CPU
time. Their sum is to be at most 1 ms, for text and objects twice what ``pandas.to_numeric`` and
``pandas.to_datetime`` take together, both with ``errors="coerce"``. For memory a process of its own holds
a table of 1,000,000 rows and 20 columns and reads it; given is the most memory beyond the table.
"""

import datetime as dt
import subprocess
import sys
import time
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd

from sk_metalearn.tables import TableReader

N = 10_000
REPEATS = 30


def typed(rng):
    """Columns of a logical type, as pandas stores them."""
    numbers = rng.normal(size=N)
    seconds = rng.integers(0, 10**8, N).astype("m8[s]")
    dates = pd.Series(np.datetime64("2019-01-01") + seconds)
    words = rng.choice(["Lima", "Oslo", "Pune"], N)
    arrow = {
        "timestamp[us][pyarrow]": dates,
        "date32[pyarrow]": dates.dt.date,
        "double[pyarrow]": numbers,
        "bool[pyarrow]": numbers > 0,
    }
    return {
        "float64": pd.Series(numbers),
        "int64": pd.Series(rng.integers(0, 99, N)),
        "bool": pd.Series(numbers > 0),
        "Float64": pd.Series(numbers).convert_dtypes(),
        "Int64": pd.Series(rng.integers(0, 99, N), dtype="Int64"),
        "boolean": pd.Series(numbers > 0, dtype="boolean"),
        "category": pd.Series(pd.Categorical(words)),
        "ordered category": pd.Series(pd.Categorical(words, ordered=True)),
        "datetime64": dates,
        "datetime64 with gaps": dates.mask(numbers > 1),
        "datetime64 with a zone": dates.dt.tz_localize(
            "Europe/Oslo", nonexistent="NaT", ambiguous="NaT"
        ),
        "timedelta64": pd.Series(seconds),
        "period": dates.dt.to_period("D"),
        **{name: pd.Series(values, dtype=name) for name, values in arrow.items()},
    }


def untyped(rng):
    """Columns of text and of Python objects."""
    numbers = rng.normal(size=N)
    dates = pd.Series(np.datetime64("2019-01-01") + rng.integers(0, 10**8, N).astype("m8[s]"))
    words = ["good", "bad", "so", "very", "film", "plot"]
    return {
        "words": rng.choice(["Lima", "Oslo", "Pune"], N),
        "words of 400 levels": np.char.add("shop ", rng.integers(0, 400, N).astype(str)).astype(
            object
        ),
        "numbers as text": [f"{v:.3f}" for v in numbers],
        "amounts as text": [f"${abs(v) * 1e4:,.2f}" for v in numbers],
        "ISO dates as text": dates.dt.strftime("%Y-%m-%d"),
        "ISO times as text": dates.dt.strftime("%Y-%m-%dT%H:%M:%S"),
        "ISO times with zones": dates.dt.strftime("%Y-%m-%dT%H:%M:%S+02:00"),
        "codes as text": [f"{v:05d}" for v in rng.integers(0, 999, N)],
        "sentences": [" ".join(own) for own in rng.choice(words, (N, 8))],
        "names of rows": [f"u-{i:x}-{j}" for i, j in enumerate(rng.integers(0, 99, N))],
        "date objects": pd.Series(dates.dt.date, dtype=object),
        "datetime objects": pd.Series(list(dates.dt.to_pydatetime()), dtype=object),
        "Decimal": [Decimal(f"{v:.3f}") for v in numbers],
        "truth values with gaps": [None if v > 1 else v > 0 for v in numbers],
        "numbers and text": [f"{v:.2f}" if v > 0 else v for v in numbers],
        "time objects": [dt.time(int(v)) for v in rng.integers(0, 24, N)],
        "timedelta objects": pd.Series(
            [dt.timedelta(seconds=int(v)) for v in rng.integers(0, 10**6, N)], dtype=object
        ),
        "zoned datetime objects": pd.Series(
            [v.replace(tzinfo=dt.UTC) for v in dates.dt.to_pydatetime()], dtype=object
        ),
        "Timestamp objects": pd.Series(list(dates), dtype=object),
        "whole numbers as objects": pd.Series(rng.integers(0, 99, N).tolist(), dtype=object),
        "floats and None": pd.Series([None if v > 1 else v for v in numbers], dtype=object),
        "words and None": pd.Series([None if v > 1 else str(v > 0) for v in numbers], dtype=object),
        "string[pyarrow]": pd.Series(rng.choice(["Lima", "Oslo"], N), dtype="string[pyarrow]"),
        "bytes": pd.Series(rng.choice([b"Lima", b"Oslo"], N).tolist(), dtype=object),
        "category of numbers": pd.Series(pd.Categorical(rng.integers(0, 99, N))),
    }


def milliseconds(call, repeats=REPEATS):
    """The least CPU time of several repeats."""
    found = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        found.append(time.process_time() - start)
    return 1e3 * min(found)


def parse(series):
    """Read a column as numbers and as dates by pandas."""
    for read in (pd.to_numeric, pd.to_datetime):
        try:
            read(series, errors="coerce")
        except (TypeError, ValueError):
            # Decimal and times of day are refused by one of them.
            pass


def cost(values):
    """Milliseconds of fit, of transform and of pandas."""
    frame = pd.DataFrame({"c": values})
    reader = TableReader().fit(frame).set_output(transform="pandas")
    return (
        milliseconds(lambda: TableReader().fit(frame)),
        milliseconds(lambda: reader.transform(frame)),
        milliseconds(lambda: parse(frame["c"]), repeats=5),
    )


TABLES = {
    "floats": lambda rng: pd.DataFrame(rng.normal(size=(1_000_000, 20))).add_prefix("c"),
    "half dates": lambda rng: pd.DataFrame(
        {
            f"c{j}": rng.normal(size=1_000_000)
            if j % 2
            else np.datetime64("2019-01-01") + rng.integers(0, 10**8, 1_000_000).astype("m8[s]")
            for j in range(20)
        }
    ),
    "nullable": lambda rng: (
        pd.DataFrame(rng.normal(size=(1_000_000, 20))).add_prefix("c").convert_dtypes()
    ),
    "words": lambda rng: pd.DataFrame(
        {f"c{j}": pd.Series(rng.choice(["Lima", "Oslo", "Pune"], 1_000_000)) for j in range(20)}
    ),
    "ISO dates as text": lambda rng: pd.DataFrame(
        {
            f"c{j}": pd.Series(
                (np.datetime64("2019-01-01") + rng.integers(0, 3000, 1_000_000)).astype(str)
            )
            for j in range(20)
        }
    ),
}


def memory(name):
    """Print the size of a table, and the most memory while it is read, in megabytes."""
    table = TABLES[name](np.random.default_rng(0))
    size = table.memory_usage(deep=True).sum() / 1e6
    before = _now()
    _forget_peak()
    TableReader().set_output(transform="pandas").fit_transform(table)
    print(size, _peak() - before)


def _status(field):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field)) / 1e3


def _now():
    return _status("VmRSS")


def _peak():
    return _status("VmHWM")


def _forget_peak():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def print_times():
    """Print what each kind of column takes."""
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    print("column,fit (ms),transform (ms),both (ms),at most (ms)")
    for kind in (typed, untyped):
        for name, values in kind(rng).items():
            fit, transform, pandas = cost(values)
            allowed = 2 * pandas if kind is untyped else 1
            row = [f"{value:.2f}" for value in (fit, transform, fit + transform, allowed)]
            print(name, *row, sep=",", flush=True)


def print_memory():
    """Print what each table takes, measured in a process of its own."""
    print("columns,table (MB),more while it is read (MB),in tables")
    for name in TABLES:
        command = [sys.executable, __file__, "memory", name]
        out = subprocess.run(command, capture_output=True, text=True, check=True)
        size, most = map(float, out.stdout.split())
        print(name, f"{size:.0f}", f"{most:.0f}", f"{most / size:.2f}", sep=",", flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            print_times()
        case ["memory"]:
            print_memory()
        case ["memory", name]:
            memory(name)
