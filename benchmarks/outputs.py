"""What a search of several outputs is worth: `AutoRegressor` against two models as they are.

    python benchmarks/outputs.py run --data DIR --out outputs.jsonl
    python benchmarks/outputs.py score outputs.jsonl --out benchmarks/results/outputs.csv

Of each dataset of numbers with at most 3,000 rows the outputs are its target and its first two
columns of at least 20 different numbers; what is left are the columns to tell them by. An
`AutoRegressor` tries 10 configurations on at most 1,500 rows, without what is known of the dataset's
family, and is judged on the others by the mean R2 of the outputs.
"""

import warnings

import numpy as np
from pieces import read_rows, run_or_score, split, write_table
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.metrics import r2_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from sk_metalearn import AutoRegressor

MOST_ROWS, LEAST_VALUES, FURTHER = 3000, 20, 2
AUTO, BOOSTING, FOREST = "AutoRegressor", "boosting for each output", "random forest"


def several_outputs(source):
    """Give columns and outputs, for training and for the test; None where there are too few."""
    X, y, X_test, y_test, _ = split(source)
    numbers = X.select_dtypes("number")
    usable = numbers.columns[(numbers.nunique() >= LEAST_VALUES) & numbers.notna().all()]
    further = [name for name in usable if X_test[name].notna().all()][:FURTHER]
    if len(further) < FURTHER or X.shape[1] < FURTHER + 3:
        return None
    return (
        X.drop(columns=further),
        np.column_stack([y, X[further]]).astype(float),
        X_test.drop(columns=further),
        np.column_stack([y_test, X_test[further]]).astype(float),
    )


def encoded(model):
    """A model as it is, after what lets it read the columns."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    numbers = make_column_selector(dtype_include="number")
    texts = make_column_selector(dtype_exclude="number")
    steps = make_column_transformer((encoder, texts), (SimpleImputer(), numbers))
    return make_pipeline(steps, model)


def measure(source, knowledge):
    """Fit the three, and score them."""
    parts = several_outputs(source)
    if parts is None:
        return
    X, Y, X_test, Y_test = parts
    models = {
        AUTO: AutoRegressor(n_iter=10, knowledge=knowledge, random_state=0),
        BOOSTING: encoded(MultiOutputRegressor(HistGradientBoostingRegressor(random_state=0))),
        FOREST: encoded(RandomForestRegressor(random_state=0)),
    }
    row = {"dataset": source.name, "n_rows": len(Y), "n_columns": X.shape[1]}
    for name, model in models.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            row[name] = float(r2_score(Y_test, model.fit(X, Y).predict(X_test)))
    yield row


def is_small(source):
    """Whether the target is one of numbers, and there are few rows."""
    return source.kind == "regression" and source.n_rows <= MOST_ROWS


def score(options):
    """Write the R2 of each dataset, and the median difference to each of the others."""
    rows = sorted(read_rows(options.rows), key=lambda row: row["dataset"])
    names = (AUTO, BOOSTING, FOREST)
    table = [("dataset", "rows", "columns", *names)]
    for row in rows:
        scores = [f"{row[name]:.3f}" for name in names]
        table.append((row["dataset"], row["n_rows"], row["n_columns"], *scores))
    for name in names[1:]:
        gains = np.array([row[AUTO] - row[name] for row in rows])
        better = f"better on {(gains > 0).sum()} of {len(gains)}"
        table.append((f"median gain over {name}", "", "", f"{np.median(gains):.3f}", better, ""))
    write_table(options.out, table)


if __name__ == "__main__":
    run_or_score(__doc__, measure, score, first=8, seed=5, serves=is_small)
