"""What a choice of own steps before the search is worth: searches with it and without it.

    python benchmarks/own_steps.py run --data DIR --out steps.jsonl
    python benchmarks/own_steps.py score steps.jsonl --out benchmarks/results/own_steps.csv

An Auto estimator tries 15 configurations on 600 rows at most of tables of numbers, without what is
known of their families, and is judged on the others. Beside the table as it is stand, in one
search, the products of each two columns, which may help; in another a single direction of it,
which cannot.
"""

import numpy as np
from pieces import loss_on, mean_and_error, read_rows, run_or_score, search, split, write_table
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

ROWS, N_ITER = 600, 15
MOST_COLUMNS = 20


def alternatives():
    """The choices, by name; None stands for the table alone."""
    filled = SimpleImputer(keep_empty_features=True), StandardScaler()
    products = PolynomialFeatures(2, interaction_only=True, include_bias=False)
    return {
        "plain": None,
        "products": {"plain": "passthrough", "products": make_pipeline(*filled, products)},
        "useless": {"plain": "passthrough", "useless": make_pipeline(*filled, PCA(1))},
    }


def measure(source, knowledge):
    """Search with each choice."""
    X, y, X_test, y_test, n_classes = split(source, ROWS)
    row = {"dataset": source.name, "n_rows": len(y), "n_classes": n_classes}
    for way, before in alternatives().items():
        model = search(X, y, n_classes, knowledge, n_iter=N_ITER, before=before)
        row[way] = loss_on(model, X_test, y_test, n_classes)
        if before is not None:
            named = [params["before"] == way for params in model.cv_results_["params"]]
            row[f"tried {way}"] = sum(named)
            weights = model.ensemble_
            own = sum(weight for number, weight in weights.items() if named[number])
            row[f"weight of {way}"] = own / sum(weights.values())
    yield row


def holds_numbers(source):
    """Whether there is nothing but numbers, in few columns."""
    X = split(source, ROWS)[0]
    return X.shape[1] <= MOST_COLUMNS and all(X.dtypes.map(lambda own: own.kind in "iuf"))


def score(options):
    """Write the mean logarithm of the ratio of the losses, and how much the choice was used."""
    rows = read_rows(options.rows)
    table = [
        ("choice", "datasets", "log ratio of losses", "error", "better", "worse", "tried", "weight")
    ]
    for way in ("products", "useless"):
        # A loss of nothing is as good as one of a millionth.
        ratios = np.log([max(row[way], 1e-6) / max(row["plain"], 1e-6) for row in rows])
        better, worse = int((ratios < -0.001).sum()), int((ratios > 0.001).sum())
        used = [
            f"{np.mean([row[f'{what} {way}'] for row in rows]):.2f}"
            for what in ("tried", "weight of")
        ]
        table.append((way, len(rows), *mean_and_error(ratios), better, worse, *used))
    write_table(options.out, table)


if __name__ == "__main__":
    run_or_score(__doc__, measure, score, first=12, seed=9, serves=holds_numbers)
