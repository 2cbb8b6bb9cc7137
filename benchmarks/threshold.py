"""What a tuned threshold is worth: searches with it and without it.

    python benchmarks/threshold.py run --data DIR --out threshold.jsonl
    python benchmarks/threshold.py score threshold.jsonl --out benchmarks/results/threshold.csv

An `AutoClassifier` tries 16 configurations on at most 1,500 rows of each dataset of two classes,
without what is known of its family, and is judged on the others: by balanced accuracy, by F1 of the
rarer class, and by costs where to miss the rarer class costs ten times as much as a false alarm.
"""

import warnings

import numpy as np
from pieces import mean_and_error, read_rows, run_or_score, split, write_table
from sklearn.metrics import balanced_accuracy_score, f1_score, make_scorer

from sk_metalearn import AutoClassifier

MISSED = 10


def cost(y, predicted, rare):
    """Mean cost of a row."""
    missed = np.mean((y == rare) & (predicted != rare))
    return MISSED * missed + np.mean((y != rare) & (predicted == rare))


def scorers(rare):
    """By name, the metrics."""
    return {
        "balanced accuracy": make_scorer(balanced_accuracy_score),
        "F1": make_scorer(f1_score, pos_label=rare, zero_division=0),
        "cost": make_scorer(cost, greater_is_better=False, rare=rare),
    }


def measure(source, knowledge):
    """Search by each metric, and judge the final model with the threshold and without it."""
    X, y, X_test, y_test, _ = split(source)
    classes, counts = np.unique(y, return_counts=True)
    for name, scorer in scorers(classes[np.argmin(counts)]).items():
        options = {"n_iter": 16, "scoring": scorer, "knowledge": knowledge, "random_state": 0}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tuned = AutoClassifier(threshold="tune", **options).fit(X, y)
            plain = AutoClassifier(**options).fit(X, y)
        yield {
            "dataset": source.name,
            "metric": name,
            "n_rows": len(y),
            "rare": float(counts.min() / counts.sum()),
            "threshold": tuned.threshold_,
            "estimate": tuned.score_estimate_.score,
            "tuned": float(scorer(tuned, X_test, y_test)),
            "plain": float(scorer(plain, X_test, y_test)),
        }


def has_two_classes(source):
    """Whether the target is one of two classes."""
    return split(source)[-1] == 2


def score(options):
    """Write the mean of each metric with the threshold and without it."""
    rows = read_rows(options.rows)
    table = [("metric", "datasets", "plain", "tuned", "difference", "error", "better", "worse")]
    for name in dict.fromkeys(row["metric"] for row in rows):
        own = [row for row in rows if row["metric"] == name]
        plain, tuned = (np.array([row[key] for row in own]) for key in ("plain", "tuned"))
        table.append(
            (
                name,
                len(own),
                f"{plain.mean():.4f}",
                f"{tuned.mean():.4f}",
                *mean_and_error(tuned - plain),
                int((tuned > plain + 1e-9).sum()),
                int((tuned < plain - 1e-9).sum()),
            )
        )
    write_table(options.out, table)


if __name__ == "__main__":
    run_or_score(__doc__, measure, score, first=8, seed=2, serves=has_two_classes)
