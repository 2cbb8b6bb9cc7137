"""What a search gains by its last slice, by margin classifiers, and by boosters of other packages.

    sk-metalearn kb build merge shards KNOWLEDGE.npz --beyond-pool
    python benchmarks/wider_pool.py --base KNOWLEDGE.npz --out benchmarks/results/wider_pool.csv

The last slice is measured for regression, and no part of the pool that a search chooses from.
Each dataset measured with the part is searched twice by ``strategy="auto"``, without what is
known of its family: among all configurations without the part, and with it. The margin
classifiers are judged where they need probabilities, which they have since they are measured. The
boosters (LightGBM, XGBoost, CatBoost) are added to the pool that a search without them chooses from.
Printed is the regret after so many evaluations, 0 for the best of both and 1 for the dummy
estimator, by the mean of the folds, which the search is told, and on the split outside the folds,
which has stopped no boosting; and the paired difference with its standard error.

``--boosters NAME ...`` adds some of the boosters only.

``--order FILE`` also writes which of the last slice a greedy portfolio of all that were measured
with it picks, and at which place; it goes on until nothing lowers its mean regret.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from _replay import replay, without
from joblib import Parallel, delayed
from transfer import regret_curve

from sk_metalearn import KnowledgeBase
from sk_metalearn.building._pool_further import design_further
from sk_metalearn.search._past_lookup import performance_of
from sk_metalearn.spaces import Configuration, is_stopped_by_folds

MARGINS = ("svm", "linear_svc", "ridge")
BOOSTERS = ("lightgbm", "xgboost", "catboost")
PARTS = (
    ("last slice", "regression", "r2"),
    ("last slice", "regression", "neg_mean_absolute_error"),
    ("margins", "classification", "neg_log_loss"),
    ("margins", "classification", "neg_brier_score"),
    ("boosters", "classification", "roc_auc_ovr"),
    ("boosters", "classification", "neg_log_loss"),
    ("boosters", "regression", "r2"),
    ("boosters", "regression", "neg_mean_absolute_error"),
)
ORDERED = (("regression", "r2"), ("regression", "neg_mean_absolute_error"))
AT = (1, 2, 3, 5, 10, 20, 30, 50)
# A mean regret that is no lower by more than this is as good.
LEAST = 1e-4


def without_twins(configurations):
    """Leave out boosting that differs from another in its trees only, which the folds decide.

    A search would grow the same trees twice; of twins stays what was measured so.
    """
    grown = {but_for_trees(own) for own in configurations if is_stopped_by_folds(own)}
    return [
        own for own in configurations if is_stopped_by_folds(own) or but_for_trees(own) not in grown
    ]


def but_for_trees(own):
    """Give a configuration without its number of trees."""
    params = {**own.params, "max_iter": None, "early_stopping": None}
    return Configuration(own.family, params, own.preprocessing)


def compare_task(table, row, metric, pools):
    """Give the regrets of both searches, as told and on the split outside the folds."""
    kind, task = table.kind, table.tasks[row]
    others = without(table, task.family)
    features = dict(zip(table.metafeature_names, table.metafeatures[row], strict=True))
    judged = [table.scores(name, failures="dummy")[row] for name in (metric, f"outer:{metric}")]
    dummy = table.columns_of([own for own in table.configurations if own.family == "dummy"])[0]
    every = table.columns_of(pools[-1])
    found = []
    for pool in pools:
        columns = table.columns_of(pool)
        told = judged[0][columns]
        past = performance_of(pool, metric, others)
        order = replay(pool, told, kind, past, features, max(AT))
        for scores in judged:
            best = np.nanmax(scores[every])
            way = best - scores[dummy]
            regret = (best - scores[columns]) / (way if way > 0 else np.nan)
            curve = regret_curve(order, told, np.clip(regret, 0, 1), max(AT))
            found.append(curve[np.array(AT) - 1])
    return np.reshape(found, (2, 2, len(AT)))


def judged_pool(table, families=()):
    """Give what is measured and could be chosen, boosters of other packages if they are named."""
    left_out = {"dummy", *BOOSTERS} - set(families)
    return [own for own in table.configurations if own.family not in left_out]


def compare(base, part, kind, metric, boosters, n_jobs):
    """Give the regrets of all datasets measured with the part: (task, pool, judge, time)."""
    table = base.table(kind)
    families = {"margins": MARGINS, "boosters": boosters}.get(part, ())
    pool, last = judged_pool(table, families), design_further(kind)
    if part != "last slice":
        pool = [own for own in pool if own not in last]
    added = [own for own in pool if (own.family in families if families else own in last)]
    pools = [own for own in pool if own not in added], pool
    known = table.scores(metric, failures="dummy")[:, table.columns_of(added)]
    rows = np.flatnonzero(np.isfinite(known).mean(axis=1) > 0.8)
    pools = [without_twins(own) for own in pools]
    work = (delayed(compare_task)(table, row, metric, pools) for row in rows)
    return np.array(Parallel(n_jobs)(work))


def greedy(regret):
    """Give columns, each the one that lowers the mean regret of the best so far most."""
    best, order = np.ones(len(regret)), []
    while True:
        means = np.minimum(best[:, None], regret).mean(axis=0)
        if means.min() > best.mean() - LEAST:
            return order
        order.append(int(means.argmin()))
        best = np.minimum(best, regret[:, order[-1]])


def order_of(base, kind, metric):
    """Give the last slice with the place in a greedy portfolio; no place where it is not in it."""
    table, last = base.table(kind), design_further(kind)
    pool = without_twins(judged_pool(table))
    scores = table.scores(metric, failures="dummy")[:, table.columns_of(pool)]
    new = [i for i, own in enumerate(pool) if own in last]
    rows = np.isfinite(scores[:, new]).mean(axis=1) > 0.8
    scores, dummy = scores[rows], table.baseline(metric)[rows, None]
    best = np.nanmax(scores, axis=1, keepdims=True)
    regret = np.clip((best - scores) / np.where(best > dummy, best - dummy, np.nan), 0, 1)
    places = {pool[i]: k for k, i in enumerate(greedy(np.nan_to_num(regret, nan=1.0)), 1)}
    return [(kind, metric, len(places), places.get(own, ""), str(own)) for own in last]


def write(path, table):
    """Write a table, its head first."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(table)


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--order", type=Path)
    parser.add_argument("--parts", nargs="+", choices=sorted({own[0] for own in PARTS}))
    parser.add_argument("--boosters", nargs="+", choices=BOOSTERS, default=BOOSTERS)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    base = KnowledgeBase.open(options.base)
    judged = ["without", "with it", "difference", "error"]
    head = ["part", "metric", "datasets", "evaluations", *judged]
    table = [head + [f"{name}, outside" for name in judged]]
    for part, kind, metric in PARTS:
        if options.parts and part not in options.parts:
            continue
        regrets = compare(base, part, kind, metric, options.boosters, options.jobs)
        regrets = regrets[np.isfinite(regrets).all(axis=(1, 2, 3))]
        for k, of_time in zip(AT, np.moveaxis(regrets, 3, 0), strict=True):
            gain = of_time[:, 1] - of_time[:, 0]
            error = gain.std(axis=0, ddof=1) / len(gain) ** 0.5
            # As told, then outside the folds.
            numbers = np.vstack([of_time.mean(axis=0), gain.mean(axis=0), error]).T.ravel()
            table.append((part, metric, len(gain), k, *(f"{own:.4f}" for own in numbers)))
    write(options.out, table)
    for row in table:
        print(*row, sep="\t")
    if options.order is not None:
        rows = [order_of(base, kind, metric) for kind, metric in ORDERED]
        write(
            options.order, [("kind", "metric", "members", "place", "configuration"), *sum(rows, [])]
        )


if __name__ == "__main__":
    main()
