"""What can be done with a search: each use beside its absence, on rows that nobody has seen.

    python benchmarks/uses.py run --data DIR --out uses.jsonl
    python benchmarks/uses.py score uses.jsonl --out benchmarks/results/uses.csv

Auto estimators try 6 configurations on 600 rows at most, without what is known of the dataset's
family.

- *refit*: what was found on half of the rows is fitted on all of them, beside the model of the
  half, and beside a new search on all.
- *importance*: a search on the half of the columns that `ColumnImportanceDisplay` calls more
  important, beside one on a half drawn by chance.
- *limit*: the final model held to a quarter of its size.
"""

import pickle
import time
import warnings

import numpy as np
from pieces import SCORING, mean_and_error, read_rows, run_or_score, split, test_loss, write_table

from sk_metalearn import AutoClassifier, AutoRegressor
from sk_metalearn.inspection import ColumnImportanceDisplay
from sk_metalearn.search import CandidateLimits

ROWS, N_ITER = 600, 6
# Rows of each class in the first half.
LEAST_OF_CLASS = 10


def measure(source, knowledge):
    """Measure all uses on one dataset."""
    X, y, X_test, y_test, n_classes = split(source, ROWS)
    kind = AutoClassifier if n_classes else AutoRegressor
    scoring = SCORING.get(n_classes, "neg_log_loss")
    options = {"n_iter": N_ITER, "scoring": scoring, "knowledge": knowledge, "random_state": 0}

    def search(X, y, **changes):
        return kind(**options, **changes).fit(X, y)

    def loss(model, X_test=X_test):
        found = model.predict_proba(X_test) if n_classes else model.predict(X_test)
        return test_loss(found, y_test, n_classes)

    row = {"dataset": source.name, "n_rows": len(y), "n_classes": n_classes}
    warnings.simplefilter("ignore")
    half = len(y) // 2
    old = search(X.iloc[:half], y[:half])
    begun = time.process_time()
    again = old.refit(X, y)
    refitted = time.process_time()
    new = search(X, y)
    row["refit_seconds"] = refitted - begun
    row["search_seconds"] = time.process_time() - refitted
    row |= {"old": loss(old), "refit": loss(again), "new": loss(new)}

    if X.shape[1] >= 6:
        shown = ColumnImportanceDisplay.from_estimator(
            old, X.iloc[half:], y[half:], together=2.0, n_repeats=3, random_state=0
        )
        ranked = [own["column"] for own in shown.rows()]
        by_name = {str(name): name for name in X}
        n_kept = X.shape[1] // 2
        kept = [by_name[name] for name in ranked[:n_kept]]
        drawn = list(np.random.default_rng(0).permutation(X.columns)[:n_kept])
        for name, columns in (("important", kept), ("drawn", drawn)):
            row[name] = loss(search(X[columns], y), X_test[columns])

    size = len(pickle.dumps(new.best_estimator_))
    small = search(X, y, limits=CandidateLimits(model_bytes=size // 4))
    row["share_of_limit"] = len(pickle.dumps(small.best_estimator_)) / (size // 4)
    row["small"] = loss(small)
    yield row


def has_enough_of_each_class(source):
    """Whether the first half of the rows has some of each class."""
    _, y, _, _, n_classes = split(source, ROWS)
    counts = np.unique(y[: len(y) // 2], return_counts=True)[1]
    return not n_classes or counts.min() >= LEAST_OF_CLASS


def score(options):
    """Write a row for each use."""
    rows = read_rows(options.rows)
    table = [("use", "datasets", "figure", "error", "better", "worse")]

    def log_ratio(ours, other):
        # A loss of nothing is as good as one of a millionth.
        pairs = [(row[ours], row[other]) for row in rows if ours in row]
        return np.diff(np.log(np.maximum(pairs, 1e-6)[:, ::-1]), axis=1).ravel()

    for use, found in (
        ("refit, beside the model of half of the rows", log_ratio("refit", "old")),
        ("refit, beside a new search", log_ratio("refit", "new")),
        ("refit, seconds beside a new search", log_ratio("refit_seconds", "search_seconds")),
        ("importance", log_ratio("important", "drawn")),
        ("limit", log_ratio("small", "new")),
        ("limit, bytes beside those allowed", np.log([row["share_of_limit"] for row in rows])),
    ):
        better, worse = int((found < -0.001).sum()), int((found > 0.001).sum())
        table.append((use, len(found), *mean_and_error(found), better, worse))
    write_table(options.out, table)


if __name__ == "__main__":
    run_or_score(__doc__, measure, score, first=10, seed=6, serves=has_enough_of_each_class)
