"""What it is worth that boosting minimises a quantile: searches with it and without it.

    python benchmarks/losses.py run --data DIR --out losses.jsonl
    python benchmarks/losses.py score losses.jsonl --out benchmarks/results/losses.csv

An `AutoRegressor` tries 16 configurations on at most 1,500 rows of each dataset of numbers, without
what is known of its family, and is judged on the others by the pinball loss of the quantile .9.
"""

import warnings
from unittest import mock

import numpy as np
from pieces import mean_and_error, read_rows, run_or_score, split, write_table
from sklearn.metrics import make_scorer, mean_pinball_loss

from sk_metalearn import AutoRegressor
from sk_metalearn.search import _catalogue_choices

SCORERS = {"quantile .9": make_scorer(mean_pinball_loss, alpha=0.9, greater_is_better=False)}


def measure(source, knowledge):
    """Search by each metric, with its loss and with the squared error."""
    X, y, X_test, y_test, _ = split(source)
    for name, scorer in SCORERS.items():
        losses = {}
        for way in ("squared", "own"):
            auto = AutoRegressor(n_iter=16, scoring=scorer, knowledge=knowledge, random_state=0)
            with (
                warnings.catch_warnings(),
                mock.patch.object(
                    _catalogue_choices,
                    "loss_of",
                    _catalogue_choices.loss_of if way == "own" else lambda scorer: {},
                ),
            ):
                warnings.simplefilter("ignore")
                losses[way] = -float(scorer(auto.fit(X, y), X_test, y_test))
        yield {"dataset": source.name, "metric": name, "n_rows": len(y), **losses}


def has_numbers(source):
    """Whether the target is one of numbers."""
    return source.kind == "regression"


def score(options):
    """Write the mean logarithm of the ratio of the losses."""
    rows = read_rows(options.rows)
    table = [("metric", "datasets", "log ratio of losses", "error", "better", "worse")]
    for name in SCORERS:
        own = [row for row in rows if row["metric"] == name]
        ratios = np.log([row["own"] / row["squared"] for row in own])
        better, worse = int((ratios < -1e-6).sum()), int((ratios > 1e-6).sum())
        table.append((name, len(own), *mean_and_error(ratios), better, worse))
    write_table(options.out, table)


if __name__ == "__main__":
    run_or_score(__doc__, measure, score, first=10, seed=3, serves=has_numbers)
