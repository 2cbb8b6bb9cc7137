"""benchmarks/grids.py: from two tables to what ten evaluations of a grid are worth."""

import csv
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

from sk_metalearn.spaces import Schema

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def mixed_table():
    """Numbers with gaps, and columns of categories, ordered and not, and of truth values."""
    table = load_breast_cancer(as_frame=True).frame.iloc[:, [0, 1, 2, 3, 4, -1]].copy()
    sizes = ["small", "middle", "large"]
    table["mean area"] = pd.qcut(table["mean area"], 3, labels=sizes)
    table["mean texture"] = pd.qcut(table["mean texture"], 3, labels=sizes).astype("object")
    table["mean smoothness"] = table["mean smoothness"] > 0.1
    table.loc[::7, ["mean radius", "mean texture"]] = np.nan
    return table


@pytest.fixture
def models(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import _grid_models

    yield _grid_models
    sys.modules.pop("_grid_models", None)


@pytest.mark.parametrize("grid", ["svc", "logistic", "knn", "forest", "boosting", "mlp"])
def test_each_grid_is_searched_on_all_columns_of_a_mixed_table(models, grid):
    table = mixed_table()
    X, y = table.drop(columns="target"), table["target"]
    schema = Schema.from_data(X, y)
    assert schema.ordered and len(schema.categorical) == 2
    estimator, prefix = models.make_estimator(grid, "pipeline", schema)
    grids = models.GRIDS[grid]
    first = {k: v[0] for k, v in (grids if isinstance(grids, list) else [grids])[0].items()}
    estimator.set_params(**{prefix + name: value for name, value in first.items()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert set(estimator.fit(X, y).predict(X)) <= {0, 1}
    read = [own for *_, columns in estimator["prepare"].transformers_[:2] for own in columns]
    assert sorted(read) == list(range(X.shape[1]))


def test_the_two_commands_of_the_page_measure_and_judge(tmp_path):
    data, cache, out = tmp_path / "data", tmp_path / "cache", tmp_path / "grids.csv"
    data.mkdir()
    numbers = load_breast_cancer(as_frame=True).frame.iloc[:, [0, 1, 2, -1]]
    index = []
    for slug, table in (("numbers", numbers), ("mixed", mixed_table())):
        table.to_parquet(data / f"{slug}.parquet")
        index.append({"slug": slug, "name": slug, "task": "classification", "n_rows": len(table)})
    pd.DataFrame(index).to_csv(data / "index.csv", index=False)
    command = [sys.executable, "-W", "error::FutureWarning", str(BENCHMARKS / "grids.py")]
    common = ["--data", data, "--cache", cache, "--grids", "knn"]
    subprocess.run([*command, "measure", *common], check=True)
    assert {path.name for path in cache.iterdir()} == {
        "knn-bare-numbers.json",
        "knn-pipeline-mixed.json",
    }
    subprocess.run([*command, "judge", *common, "--seen", "--out", out], check=True)
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["datasets"] == "all" and rows[0]["families"] == "2"
    assert 0 <= float(rows[0]["ours_10"]) <= float(rows[0]["ours_1"]) <= 1
    assert 1 <= float(rows[0]["worth"]) <= 100
