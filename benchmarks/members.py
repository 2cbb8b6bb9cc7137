"""What a member of the final model is best made of: models of the folds, of all rows, or both.

    python benchmarks/members.py run --data DIR --rows 1500 --n-iter 12 --out members_1500.jsonl
    python benchmarks/members.py run --data DIR --rows 6000 --n-iter 8 --out members_6000.jsonl
    python benchmarks/members.py score members_1500.jsonl members_6000.jsonl \\
        --out benchmarks/results/members.csv

One search for each dataset, without what is known of its family, and several final models of it: the
models of the five folds, a fit on all rows, three such fits that start from other random numbers, and
means of these. Printed is the mean logarithm of the ratio of the test losses to that of the models of
the folds, its standard error, and on how many datasets it is better and worse by more than .1 %. The
form of the final model was chosen by this table.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
from pieces import (
    LEAST_ROWS,
    SCORING,
    add_row,
    mean_and_error,
    read_rows,
    sources_for,
    split,
    test_loss,
    write_table,
)
from sklearn.base import clone

from sk_metalearn import AutoClassifier, AutoRegressor, KnowledgeBase
from sk_metalearn.building._tasks import list_tasks

STARTS = 3


def predictions(model, X, n_classes):
    """Probabilities, or values."""
    return model.predict_proba(X) if n_classes else model.predict(X)


def from_another_start(ensemble, seed):
    """An unfitted ensemble whose models draw other random numbers."""
    fresh = clone(ensemble)
    names = [
        name
        for name in fresh.get_params()
        if name.endswith("random_state") and "__cv__" not in name and "category" not in name
    ]
    return fresh.set_params(**dict.fromkeys(names, seed)) if seed else fresh


def measure(source, options, knowledge):
    """Search once, and judge the forms of its final model."""
    X, y, X_test, y_test, n_classes = split(source, options.rows)
    auto = AutoClassifier if n_classes else AutoRegressor
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = auto(
            n_iter=options.n_iter,
            scoring=SCORING.get(n_classes, "neg_log_loss"),
            final="bag",
            knowledge=knowledge,
            random_state=0,
        ).fit(X, y)
        folds = predictions(model, X_test, n_classes)
        whole = [
            predictions(
                from_another_start(model.best_estimator_, seed).fit(X, y), X_test, n_classes
            )
            for seed in range(STARTS)
        ]
    several = np.mean(whole, axis=0)
    forms = {
        "folds": folds,
        "all rows": whole[0],
        "folds and all rows": (folds + whole[0]) / 2,
        "all rows, three starts": several,
        "folds, and all rows from three starts": (folds + several) / 2,
    }
    losses = {name: test_loss(own, y_test, n_classes) for name, own in forms.items()}
    return {"dataset": source.name, "n_rows": len(y), "n_classes": n_classes, "losses": losses}


def run(options):
    """Measure what is left."""
    done = {row["dataset"] for row in read_rows(options.out)}
    base, tasks = KnowledgeBase.bundled(), list_tasks(options.data)
    # Not many fewer rows than are asked for.
    least = max(LEAST_ROWS, int(1.5 * options.rows)) if options.rows > 1500 else LEAST_ROWS
    sources = [s for s in sources_for(options.data, None, 0) if s.n_rows >= least]
    for source in sources[: options.first]:
        if source.name in done:
            continue
        relatives = [own.name for own in tasks if own.family == source.family]
        add_row(options.out, measure(source, options, base.without(tasks=relatives)))


def score(options):
    """Compare the forms with the models of the folds."""
    table = [("rows", "form", "datasets", "log ratio", "error", "median", "better", "worse")]
    for path in options.rows:
        # A loss of nearly nothing has no ratio.
        rows = [row for row in read_rows(path) if row["losses"]["folds"] > 1e-4]
        most = max(row["n_rows"] for row in rows)
        for name in list(rows[0]["losses"])[1:]:
            pairs = [(row["losses"][name], row["losses"]["folds"]) for row in rows]
            ratios = np.diff(np.log(pairs)[:, ::-1], axis=1).ravel()
            table.append(
                (
                    f"at most {most}",
                    name,
                    len(ratios),
                    *mean_and_error(ratios),
                    f"{np.median(ratios):.4f}",
                    int((ratios < -0.001).sum()),
                    int((ratios > 0.001).sum()),
                )
            )
    write_table(options.out, table)


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    own = commands.add_parser("run")
    own.add_argument("--data", type=Path, required=True)
    own.add_argument("--out", type=Path, required=True)
    own.add_argument("--rows", type=int, default=1500)
    own.add_argument("--n-iter", type=int, default=12)
    own.add_argument("--first", type=int, default=32)
    own.set_defaults(function=run)
    own = commands.add_parser("score")
    own.add_argument("rows", type=Path, nargs="+")
    own.add_argument("--out", type=Path, required=True)
    own.set_defaults(function=score)
    options = parser.parse_args()
    options.function(options)


if __name__ == "__main__":
    main()
