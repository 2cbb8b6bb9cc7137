"""How many directions of free text serve each family, on real text.

    python benchmarks/tables_text.py > benchmarks/results/tables_text.csv

The text: first paragraphs of docstrings; the class: the package they are from. The baseline takes the
same column as a category, and the share of the largest class is what knows nothing.
"""

import importlib
import inspect
import warnings

import numpy as np
import pandas as pd
from sklearn.model_selection import cross_val_score

from sk_metalearn.spaces import Configuration, Schema, _build, build_estimator, get_family

PACKAGES = ("numpy", "scipy.stats", "scipy.signal", "pandas", "sklearn", "matplotlib.axes", "sympy")
FAMILIES = ("logistic_regression", "ridge", "linear_svc", "svm", "extra_trees", "random_forest")
FAMILIES += ("k_neighbors", "hist_gradient_boosting")


def paragraphs(thing, deep=True):
    """First paragraphs of the docstrings of what a module or class holds."""
    for name, value in list(vars(thing).items()):
        if name.startswith("_") or not callable(value):
            continue
        text = " ".join((value.__doc__ or "").strip().split("\n\n")[0].split())
        if 4 <= len(text.split()) <= 60:
            yield text
        if inspect.isclass(value) and deep:
            yield from paragraphs(value, False)


def main():
    """Print the accuracy of each family."""
    warnings.simplefilter("ignore")
    found = {t: p for p in PACKAGES for t in paragraphs(importlib.import_module(p))}
    table = pd.DataFrame({"note": list(found), "y": list(found.values())})
    table = table.groupby("y").head(100).sample(frac=1, random_state=0)
    X = table[["note"]].assign(size=np.random.default_rng(0).normal(size=len(table)))
    y = table["y"].to_numpy()
    text, category = Schema.from_data(X, y), Schema.from_data(X, y, columns={"note": "category"})
    largest = np.unique(y, return_counts=True)[1].max() / len(y)
    print("family,rows,classes,largest class,as a category,30 directions,100 directions")
    for name in FAMILIES:
        family = get_family(name, "classification")
        own = Configuration(name, family.space.default(), family.preprocessing)
        scores = []
        for directions in (15, 50):
            _build._TEXT_DIRECTIONS = directions
            model = build_estimator(own, text, 0)
            scores.append(cross_val_score(model, X, y, cv=3).mean())
        base = cross_val_score(build_estimator(own, category, 0), X, y, cv=3).mean()
        row = [f"{score:.3f}" for score in (largest, base, *scores)]
        print(name, len(X), len(set(y)), *row, sep=",", flush=True)


if __name__ == "__main__":
    main()
