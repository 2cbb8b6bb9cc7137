"""How far the score that a search tells is from the score on rows that it has never seen.

    python benchmarks/honest_score.py run --data DIR --out honest.jsonl
    python benchmarks/honest_score.py score honest.jsonl --out benchmarks/results/honest_score.csv

As in ``pieces.py`` an Auto estimator tries 16 configurations on at most 1,500 rows of each dataset,
without what is known of its family, and is judged on the others. Compared are ``best_score_``, the
score of the ensemble on the folds that chose it, and ``score_estimate_``, in which each fold is
judged by an ensemble that the others chose. The metric is the area under the ROC curve for two
classes, accuracy for more, R2 for numbers. Of numbers also the share of targets that are within
intervals for nine of ten.
"""

import warnings

import numpy as np
from pieces import mean_and_error, read_rows, run_or_score, split, write_table

from sk_metalearn import AutoClassifier, AutoRegressor

SCORING = {0: "r2", 2: "roc_auc"}
COVERAGE = 0.9


def measure(source, knowledge):
    """Search, and compare what is told with what is found on further rows."""
    X, y, X_test, y_test, n_classes = split(source)
    auto = AutoClassifier if n_classes else AutoRegressor
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scoring = SCORING.get(n_classes, "accuracy")
        model = auto(n_iter=16, scoring=scoring, knowledge=knowledge, random_state=0).fit(X, y)
        test = model.score(X_test, y_test)
        within = None
        if not n_classes:
            low, high = model.predict_interval(X_test, COVERAGE).T
            within = float(np.mean((low <= y_test) & (y_test <= high)))
    estimate = model.score_estimate_
    yield {
        "dataset": source.name,
        "n_rows": len(y),
        "n_classes": n_classes,
        "test": float(test),
        "best_score": float(model.best_score_),
        "estimate": estimate.score,
        "standard_error": estimate.standard_error,
        "members": len(model.ensemble_),
        "within": within,
    }


def score(options):
    """Print the mean differences to the score on the test rows."""
    rows = read_rows(options.rows)
    table = [("told", "datasets", "mean told - test", "error", "median", "told more than test")]
    for name in ("best_score", "estimate"):
        differences = np.array([row[name] - row["test"] for row in rows])
        table.append(
            (
                name,
                len(rows),
                *mean_and_error(differences),
                f"{np.median(differences):.4f}",
                int((differences > 0).sum()),
            )
        )
    within = [abs(row["estimate"] - row["test"]) <= 2 * row["standard_error"] for row in rows]
    covered = [("dataset", "rows", f"share within intervals for {COVERAGE:.0%}")]
    covered += [
        (row["dataset"], row["n_rows"], f"{row['within']:.3f}")
        for row in rows
        if row["within"] is not None
    ]
    mean = np.mean([row["within"] for row in rows if row["within"] is not None])
    covered.append(("mean", "", f"{mean:.3f}"))
    write_table(options.out, table)
    write_table(options.out.with_name("intervals.csv"), covered)
    print(f"test score within two standard errors of the estimate: {np.mean(within):.0%}")


if __name__ == "__main__":
    run_or_score(__doc__, measure, score, first=24, seed=1)
