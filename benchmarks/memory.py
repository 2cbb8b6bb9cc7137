"""Memory of a search on a large table: this process and its workers together.

    python benchmarks/memory.py --kind classification --storage float32 --out memory.csv

A row per call is added: the table, what the process takes before the fit (the table included), the
most that it takes meanwhile, and the most that a worker takes. Pages that several processes share
count once (``Pss`` of Linux, read ten times a second). The last column is what is expected
beforehand, and compared with what is free.
"""

import argparse
import csv
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import psutil

from sk_metalearn import AutoClassifier, AutoRegressor
from sk_metalearn.search._memory_needed import _need_of
from sk_metalearn.search._options import SearchOptions
from sk_metalearn.tables import check_columns

FIELDS = (
    "kind",
    "storage",
    "rows",
    "columns",
    "table_mb",
    "before_mb",
    "process_mb",
    "worker_mb",
    "together_mb",
    "expected_mb",
    "seconds",
    "fitted_on",
)


def make_data(kind, storage, n_rows, n_columns):
    """Generate a table whose target depends on four of its columns."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, n_columns), dtype=np.float32)
    y = X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + X[:, 3]
    y = (y + 0.5 * rng.standard_normal(n_rows, dtype=np.float32)).astype(float)
    if kind == "classification":
        y = (y > 0).astype(int)
    if storage == "float64":
        X = X.astype(float)
    if storage == "frame":
        import pandas as pd

        X = pd.DataFrame(X.astype(float), columns=[f"number_{i}" for i in range(n_columns)])
        levels = [f"level {i}" for i in range(20)]
        X["category"] = pd.Categorical.from_codes(rng.integers(0, 20, n_rows), levels)
    return X, y


def taken(process):
    """Megabytes of a process, shared pages by halves, thirds and so on."""
    try:
        with open(f"/proc/{process.pid}/smaps_rollup") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


class Watch:
    """Reads what this process and those it started take, until it is stopped."""

    def __init__(self):
        self.process = self.worker = self.together = 0.0
        self.stopped, self.thread = False, threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        me = psutil.Process()
        while not self.stopped:
            own = taken(me)
            others = [taken(child) for child in me.children(recursive=True)]
            self.process = max(self.process, own)
            self.worker = max([self.worker, *others])
            self.together = max(self.together, own + sum(others))
            time.sleep(0.1)

    def stop(self):
        self.stopped = True
        self.thread.join()


def measure(options):
    """Search, and give the row of the table."""
    X, y = make_data(options.kind, options.storage, options.rows, options.columns)
    size = X.nbytes if isinstance(X, np.ndarray) else X.memory_usage().sum()
    auto = AutoClassifier if options.kind == "classification" else AutoRegressor
    auto = auto(time_budget=options.budget, n_jobs=options.jobs, random_state=0)
    need = _need_of(X, check_columns(X), SearchOptions.of(auto))
    before, watch = taken(psutil.Process()), Watch()
    begun = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        auto.fit(X, y)
    seconds = time.monotonic() - begun
    watch.stop()
    return (
        options.kind,
        options.storage,
        options.rows,
        X.shape[1],
        round(size / 2**20),
        round(before),
        round(watch.process),
        round(watch.worker),
        round(watch.together),
        round(before + need.together(options.jobs) / 2**20),
        round(seconds),
        auto.refit_on_,
    )


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", choices=("classification", "regression"), required=True)
    parser.add_argument("--storage", choices=("float32", "float64", "frame"), required=True)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--budget", type=float, default=60.0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    row = measure(options)
    new = not options.out.exists()
    with options.out.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([FIELDS, row] if new else [row])
    print(*row, sep=" | ")


if __name__ == "__main__":
    main()
