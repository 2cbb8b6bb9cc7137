"""What an estimator of one's own is worth beside all families: searches with it and without it.

    python benchmarks/own_families.py run --data DIR --out own.jsonl
    python benchmarks/own_families.py score own.jsonl --out benchmarks/results/own_families.csv

An Auto estimator tries 20 configurations on 1,500 rows at most of datasets of fewer than 2,000
rows, without what is known of their families, and is judged on the others. The estimator is one
that the catalogue lacks: an additive model, splines of each number before a linear model. With it,
five of the 20 configurations are its own.
"""

import numpy as np
from pieces import loss_on, mean_and_error, read_rows, run_or_score, search, split, write_table
from scipy.stats import loguniform
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer, StandardScaler

MOST_ROWS = 2000


def additive(n_classes):
    """Splines before a linear model, and what is drawn of it."""
    numbers = make_pipeline(
        SimpleImputer(strategy="median"),
        StandardScaler(),
        SplineTransformer(extrapolation="linear"),
    )
    others = make_pipeline(
        SimpleImputer(strategy="most_frequent"),
        OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5),
    )
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (others, make_column_selector(dtype_exclude="number")),
    )
    model = LogisticRegression(max_iter=1000) if n_classes else Ridge()
    strength = {"model__C" if n_classes else "model__alpha": loguniform(1e-3, 1e3)}
    knots = {"columns__pipeline-1__splinetransformer__n_knots": [3, 5, 8, 13]}
    return Pipeline([("columns", columns), ("model", model)]), {**knots, **strength}


def measure(source, knowledge):
    """Search with the estimator and without it."""
    X, y, X_test, y_test, n_classes = split(source)
    row = {"dataset": source.name, "n_rows": len(y), "n_classes": n_classes}
    for way, families in (("plain", None), ("own", ["all", additive(n_classes)])):
        model = search(X, y, n_classes, knowledge, n_iter=20, families=families)
        row[way] = loss_on(model, X_test, y_test, n_classes)
    names = [configuration.family for configuration in model.configurations_]
    row["tried"] = sum(name.startswith("own_") for name in names)
    row["weight"] = sum(
        weight for number, weight in model.ensemble_.items() if names[number].startswith("own_")
    ) / sum(model.ensemble_.values())
    yield row


def is_small(source):
    """Whether there are few rows."""
    return source.n_rows < MOST_ROWS


def score(options):
    """Write the mean logarithm of the ratio of the losses, and the share in the ensembles."""
    rows = read_rows(options.rows)
    table = [("datasets", "log ratio of losses", "error", "better", "worse", "weight")]
    # A loss of nothing is as good as one of a millionth.
    ratios = np.log([max(row["own"], 1e-6) / max(row["plain"], 1e-6) for row in rows])
    better, worse = int((ratios < -0.001).sum()), int((ratios > 0.001).sum())
    weight = f"{np.mean([row['weight'] for row in rows]):.2f}"
    table.append((len(rows), *mean_and_error(ratios), better, worse, weight))
    write_table(options.out, table)


if __name__ == "__main__":
    run_or_score(__doc__, measure, score, first=12, seed=4, serves=is_small)
