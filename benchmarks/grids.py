"""A user's own grid: how many random evaluations are ten of ours worth?

Six typical grids of at least 100 points, bare and in a pipeline, on datasets of left-out families.
Every point of a grid is fitted once per dataset on three folds and kept in ``--cache``; strategies
are then run on what was measured, with the knowledge of all other families::

    python benchmarks/grids.py measure --data DIR --cache DIR
    python benchmarks/grids.py judge --cache DIR --out benchmarks/results/grids.csv

``judge`` prints, per grid, the mean normalised regret of ten evaluations, of random search's ten
and thirty (its exact expectation), and how many random evaluations have the same mean regret.
"""

import argparse
import csv
import hashlib
import json
import os
import time
import warnings
from pathlib import Path

import numpy as np
from _grid_models import GRIDS, VARIANTS, make_estimator
from scipy.special import softmax
from sklearn.base import clone
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import ParameterGrid
from threadpoolctl import threadpool_limits

METRICS = ("accuracy", "balanced_accuracy", "roc_auc_ovr")
N_NUMERIC, N_MIXED = 36, 12


def choose_tasks(folder):
    """One dataset per family, numeric and complete ones first, in an order drawn by hash."""
    from sk_metalearn.building._tasks import list_tasks, prepare

    found = {"numeric": {}, "mixed": {}}
    sources = [s for s in list_tasks(folder) if s.kind == "classification" and s.n_rows >= 150]
    order = sorted(sources, key=lambda s: hashlib.sha256(s.name.encode()).hexdigest())
    for source in order:
        if source.family in found["numeric"] or source.family in found["mixed"]:
            continue
        task = prepare(source, "small")
        if task.X.shape[1] > 60 or task.n_classes > 10:
            continue
        complete = len(task.schema.numeric) == task.X.shape[1] and not task.X.isna().any().any()
        group, limit = ("numeric", N_NUMERIC) if complete else ("mixed", N_MIXED)
        if len(found[group]) < limit:
            found[group][source.family] = source
        if len(found["numeric"]) == N_NUMERIC and len(found["mixed"]) == N_MIXED:
            break
    return [*found["numeric"].values(), *found["mixed"].values()], set(found["numeric"])


def fit_and_score(estimator, task):
    """Mean score over the folds per metric, and the CPU seconds of a fold."""
    scores, start = {metric: [] for metric in METRICS}, time.process_time()
    for fold in range(3):
        train, test = task.fold(fold)
        model = clone(estimator)
        seeds = {name: 0 for name in model.get_params() if name.split("__")[-1] == "random_state"}
        model.set_params(**seeds).fit(task.X.iloc[train], task.y[train])
        rows, truth = task.X.iloc[test], task.y[test]
        if hasattr(model, "predict_proba"):
            values = model.predict_proba(rows)
            predicted = model.classes_[values.argmax(axis=1)]
            values = values[:, 1] if values.shape[1] == 2 else values
        else:
            values, predicted = model.decision_function(rows), model.predict(rows)
            if values.ndim == 2:
                values = softmax(values, axis=1)
        scores["accuracy"].append(accuracy_score(truth, predicted))
        scores["balanced_accuracy"].append(balanced_accuracy_score(truth, predicted))
        try:
            area = roc_auc_score(truth, values, multi_class="ovr")
        except ValueError:
            area = np.nan
        scores["roc_auc_ovr"].append(area)
    seconds = (time.process_time() - start) / 3
    means = {metric: round(float(np.mean(own)), 6) for metric, own in scores.items()}
    return {name: own if np.isfinite(own) else None for name, own in means.items()}, seconds


def measure(arguments):
    """Fit every point of every grid once; what is in the cache is not fitted again."""
    from sklearn.dummy import DummyClassifier

    from sk_metalearn.building._tasks import prepare

    cache = Path(arguments.cache)
    cache.mkdir(parents=True, exist_ok=True)
    sources, numeric = choose_tasks(arguments.data)
    print(f"{len(sources)} datasets, {len(numeric)} of them numeric and complete", flush=True)
    for grid in arguments.grids.split(","):
        candidates = list(ParameterGrid(GRIDS[grid]))
        for variant in VARIANTS[grid]:
            for source in sources:
                if variant == "bare" and source.family not in numeric:
                    continue
                path = cache / f"{grid}-{variant}-{source.name}.json"
                if path.exists():
                    continue
                start, task = time.time(), prepare(source, "small")
                estimator, prefix = make_estimator(grid, variant, task.schema)
                cells = []
                with threadpool_limits(1), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    baseline, _ = fit_and_score(DummyClassifier(), task)
                    for candidate in candidates:
                        named = {prefix + name: value for name, value in candidate.items()}
                        own = clone(estimator).set_params(**named)
                        try:
                            scores, seconds = fit_and_score(own, task)
                        except ValueError as error:
                            scores, seconds = {"error": str(error)[:200]}, None
                        cells.append({"scores": scores, "seconds": seconds})
                record = {
                    "task": task.id,
                    "name": source.name,
                    "family": source.family,
                    "grid": grid,
                    "variant": variant,
                    "candidates": hashlib.sha256(repr(candidates).encode()).hexdigest()[:12],
                    "baseline": baseline,
                    "cells": cells,
                }
                part = path.with_suffix(".part")
                part.write_text(json.dumps(record), encoding="utf-8")
                os.replace(part, path)
                print(f"{path.stem}: {time.time() - start:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("measure", help="fit the grids")
    one.add_argument("--data", required=True, help="folder of datasets")
    one.add_argument("--cache", required=True, help="folder of what was measured")
    one.add_argument("--grids", default=",".join(GRIDS))
    arguments = parser.parse_args()
    {"measure": measure}[arguments.command](arguments)


if __name__ == "__main__":
    main()
