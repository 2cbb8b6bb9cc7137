"""Real fits on datasets whose families the knowledge base has not seen.

For each dataset and seed a quarter of the rows is set aside as a test set. On the rest,

- ``auto``: AutoClassifier or AutoRegressor with 10 evaluations, with its ensemble and as the best
  single configuration,
- ``random``: 100 configurations drawn from the same catalogue, each evaluated once; reported is
  the exact expectation of the test score of the best of k by cross-validation, k = 10, 50, 100,

on the same folds. Scores are normalised per dataset and seed: 0 is the dummy estimator, 1 the best
test score seen in the run.

    python benchmarks/live.py --data DIR --out benchmarks/results/live.csv

DIR is a folder of datasets with an ``index.csv`` (columns slug, name, task, group, n_rows). What
was measured is kept in ``--cache`` and not measured again.
"""

import argparse
import contextlib
import csv
import json
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.metrics import get_scorer
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split

from sk_metalearn import AutoClassifier, AutoRegressor, KnowledgeBase
from sk_metalearn.building._tasks import list_tasks, read_table
from sk_metalearn.evaluation import WorkerPool
from sk_metalearn.exceptions import KnowledgeError
from sk_metalearn.spaces import (
    Schema,
    build_estimator,
    catalogue_space,
    from_point,
    get_family,
    load_pool,
)

METRIC = {"classification": "accuracy", "regression": "r2"}
BUDGETS = (10, 50, 100)
MAX_ROWS = 1000
MAX_COLUMNS = 40
# A configuration that needs longer for its four fits counts as failed.
CPU_LIMIT = 20.0
N_FOLDS = 3


def choose(data, n_datasets, max_rows):
    """Pick datasets of different families at random, both kinds in turn."""
    chosen, families = [], set()
    rng = np.random.default_rng(0)
    sources = list_tasks(data)
    by_kind = {
        kind: [s for s in sources if s.kind == kind and 150 <= s.n_rows <= max_rows]
        for kind in METRIC
    }
    for own in by_kind.values():
        rng.shuffle(own)
    while len(chosen) < n_datasets and any(by_kind.values()):
        for own in by_kind.values():
            while own:
                source = own.pop()
                narrow = read_table(source.path)[0].shape[1] <= MAX_COLUMNS
                if narrow and source.family not in families:
                    families.add(source.family)
                    chosen.append(source)
                    break
    return chosen[:n_datasets]


def split(source, seed):
    """Give train and test parts and the folds; the same for everyone compared."""
    X, y = read_table(source.path)
    known = y.notna().to_numpy()
    X, y = X[known].reset_index(drop=True), y[known].to_numpy()
    stratify = None
    if source.kind == "classification":
        y = np.unique(y.astype(str), return_inverse=True)[1]
        counts = np.bincount(y)
        kept = counts[y] >= 8
        X, y = X[kept].reset_index(drop=True), np.unique(y[kept], return_inverse=True)[1]
        stratify = y
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.25, random_state=seed, stratify=stratify
    )
    if len(y_train) > MAX_ROWS:
        X_train, y_train = X_train.iloc[:MAX_ROWS], y_train[:MAX_ROWS]
    folds = (StratifiedKFold if stratify is not None else KFold)(
        N_FOLDS, shuffle=True, random_state=seed
    )
    return X_train, X_test, y_train, y_test, list(folds.split(X_train, y_train))


def evaluate(configuration, schema, parts, metric, seed):
    """Cross-validate a configuration, fit it on all training rows, score it on the test rows."""
    X_train, X_test, y_train, y_test, folds = parts
    scorer = get_scorer(metric)
    estimator = build_estimator(configuration, schema, random_state=seed)
    started = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scores = []
            for train, test in folds:
                model = clone(estimator).fit(X_train.iloc[train], y_train[train])
                scores.append(scorer(model, X_train.iloc[test], y_train[test]))
            seconds = time.perf_counter() - started
            held_out = scorer(estimator.fit(X_train, y_train), X_test, y_test)
    except Exception as error:  # a configuration that fails is a configuration that loses
        return {"cv": None, "test": None, "seconds": None, "error": repr(error)[:200]}
    return {"cv": float(np.mean(scores)), "test": float(held_out), "seconds": seconds}


def random_arm(source, parts, metric, seed, n_jobs):
    """Evaluate 100 configurations drawn from the catalogue, and the dummy."""
    X_train, _, y_train, _, _ = parts
    schema = Schema.from_data(X_train, y_train, source.kind)
    space = catalogue_space(source.kind)
    rng = np.random.default_rng(1000 + seed)
    drawn = []
    while len(drawn) < max(BUDGETS):
        configuration = from_point(space.sample(rng))
        family = get_family(configuration.family, source.kind)
        if not family.not_applicable(schema, configuration.preprocessing):
            drawn.append(configuration)
    jobs = [load_pool(source.kind)[0], *drawn]
    lost = {"cv": None, "test": None, "seconds": CPU_LIMIT, "error": "over the limit"}
    results = [lost] * len(jobs)
    with WorkerPool(n_jobs) as pool:
        arguments = (schema, parts, metric, seed)
        for number, configuration in enumerate(jobs):
            pool.submit(evaluate, configuration, *arguments, key=number, cpu_seconds=CPU_LIMIT)
        for _ in jobs:
            done = pool.next()
            if done.status == "ok":
                results[done.key] = done.value
    return results


def auto_arm(source, parts, metric, seed, n_jobs, knowledge):
    """Search with 10 evaluations and the knowledge of other families."""
    X_train, X_test, y_train, y_test, folds = parts
    make = AutoClassifier if source.kind == "classification" else AutoRegressor
    with contextlib.suppress(KnowledgeError):  # a family that the base does not hold
        knowledge = knowledge.without(families=[source.family])
    started = time.perf_counter()
    search = make(
        n_iter=10,
        cv=folds,
        scoring=metric,
        knowledge=knowledge,
        random_state=seed,
        n_jobs=n_jobs,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X_train, y_train)
    seconds = time.perf_counter() - started
    scorer = get_scorer(metric)
    schema = Schema.from_data(X_train, y_train, source.kind)
    single = build_estimator(search.configurations_[search.best_index_], schema, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        single.fit(X_train, y_train)
    return {
        "test": float(scorer(search, X_test, y_test)),
        "single": float(scorer(single, X_test, y_test)),
        "seconds": seconds,
    }


def expected_best(cv, test, k):
    """Exact expectation of the test score of the best of k by cross-validation, without
    replacement."""
    order = np.argsort(-cv, kind="stable")
    n = len(cv)
    # The r-th best (from 0) is the best of k if it is drawn and the r better ones are not.
    chances = np.empty(n)
    left = 1.0
    for r in range(n):
        draw = k / (n - r) if n - r >= k else 1.0
        chances[r] = left * draw
        left *= 1 - draw
        if left <= 0:
            chances[r + 1 :] = 0
            break
    return float(np.sum(chances * test[order]) / chances.sum())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--datasets", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--max-rows", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cache", default="live-cache")
    parser.add_argument("--knowledge", default="bundled")
    parser.add_argument("--out", default="live.csv")
    options = parser.parse_args()
    cache = Path(options.cache)
    cache.mkdir(parents=True, exist_ok=True)
    knowledge = KnowledgeBase.open(options.knowledge)
    rows = []
    sources = choose(options.data, options.datasets, options.max_rows)
    for seed in range(options.seeds):
        for source in sources:
            metric = METRIC[source.kind]
            parts = split(source, seed)
            measured = {}
            for arm, work in (
                ("random", partial(random_arm, source, parts, metric, seed, options.jobs)),
                ("auto", partial(auto_arm, source, parts, metric, seed, options.jobs, knowledge)),
            ):
                path = cache / f"{Path(source.path).stem}-{seed}-{arm}.json"
                if not path.exists():
                    path.write_text(json.dumps(work()))
                measured[arm] = json.loads(path.read_text())
            rows.append(summarise(source, seed, measured))
            print(
                " ".join(
                    f"{k}={v:.3f}" if isinstance(v, float) else str(v) for k, v in rows[-1].items()
                ),
                flush=True,
            )
    with open(options.out, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    report(rows)


def summarise(source, seed, measured):
    """Normalise the scores of one dataset and seed."""
    dummy, *drawn = measured["random"]
    good = [d for d in drawn if d["cv"] is not None and np.isfinite([d["cv"], d["test"]]).all()]
    cv, test = np.array([[d["cv"], d["test"]] for d in good]).T
    auto = measured["auto"]
    best = max(test.max(), auto["test"], auto["single"])
    scale = max(best - dummy["test"], 1e-12)

    def normal(score):
        return float(np.clip((score - dummy["test"]) / scale, 0, 1))

    row = {"dataset": source.name, "kind": source.kind, "family": source.family, "seed": seed}
    row["auto_10"] = normal(auto["test"])
    row["auto_10_single"] = normal(auto["single"])
    for k in BUDGETS:
        row[f"random_{k}"] = expected_best(cv, np.array([normal(t) for t in test]), k)
    row["auto_seconds"] = auto["seconds"]
    row["random_10_seconds"] = float(10 * np.mean([d["seconds"] for d in good]))
    row["random_failed"] = len(drawn) - len(good)
    return row


def report(rows):
    """Print means with bootstrap intervals over families."""
    families = sorted({row["family"] for row in rows})
    arms = ["auto_10", "auto_10_single", *(f"random_{k}" for k in BUDGETS)]
    table = np.array(
        [[np.mean([r[a] for r in rows if r["family"] == f]) for a in arms] for f in families]
    )
    rng = np.random.default_rng(0)
    draws = table[rng.integers(len(table), size=(2000, len(table)))].mean(1)
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    n_seeds = len({row["seed"] for row in rows})
    print(
        f"\nmean normalised test score, {len(families)} datasets of as many families, "
        f"{n_seeds} seeds"
    )
    for i, arm in enumerate(arms):
        print(f"{arm:16s} {table[:, i].mean():.3f}  [{low[i]:.3f}, {high[i]:.3f}]")
    for k in BUDGETS:
        wins = np.mean(table[:, 0] >= table[:, arms.index(f"random_{k}")])
        print(f"auto_10 at least random_{k} on {wins:.0%} of the datasets")


if __name__ == "__main__":
    main()
