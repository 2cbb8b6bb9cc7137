"""A user's own grid: how many random evaluations are ten of ours worth?

Six typical grids of at least 100 points on datasets of as many left-out families; on every second
numeric dataset the estimator is bare, on the others it comes after preparing the columns. Every
point of a grid is fitted on two random halves of a dataset (at most 400 rows) and scored on other
rows (at most 500), by which a search chooses, and on rows that no search sees (a quarter of the
dataset, at most 2,000), by which the choice is judged; that is kept in ``--cache``. Strategies are
then run on what was measured, with the knowledge of other families and the meta-features of the
rows of one split, since to a search the dataset is no larger. Each dataset is searched five times,
each time with nineteen of twenty of the other families, drawn at random::

    python benchmarks/grids.py measure --data DIR --cache DIR
    python benchmarks/grids.py judge --data DIR --cache DIR --out benchmarks/results/grids.csv

``judge`` prints, per grid, the mean normalised regret of what ten evaluations choose, of random
search's ten and thirty (its exact expectation), and how many random evaluations have the same mean
regret; on all datasets, and on the *clear* ones, where some point of the grid beats the dummy
estimator by more than three standard errors (on the others the regret is noise). With ``--exact``
the past is not the knowledge but what was measured of the same grid on the other datasets, as if
each point had a past of its own: what more knowledge could give.
"""

import argparse
import contextlib
import csv
import functools
import hashlib
import json
import os
import time
import warnings
from pathlib import Path

import numpy as np
from _grid_models import GRIDS, SCALED, make_estimator
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.metrics import get_scorer
from sklearn.model_selection import ParameterGrid, StratifiedShuffleSplit
from threadpoolctl import threadpool_limits

N_MIXED = 16
MIN_ROWS, N_SPLITS, MAX_TRAIN, MAX_TEST = 500, 2, 400, 500
N_EVALUATIONS = 10
# A search repeats itself, and a past that differs a little may send it elsewhere: each dataset is
# searched with several pasts, which lack this share of the families.
DRAWN = 0.05


def choose_tasks(folder):
    """One dataset per family, all numeric and complete ones first, in an order drawn by hash."""
    from sk_metalearn.building._tasks import list_tasks, prepare

    found = {"numeric": {}, "mixed": {}}
    sources = [s for s in list_tasks(folder) if s.kind == "classification" and s.n_rows >= MIN_ROWS]
    order = sorted(sources, key=lambda s: hashlib.sha256(s.name.encode()).hexdigest())
    for source in order:
        if source.family in found["numeric"] or source.family in found["mixed"]:
            continue
        task = prepare(source)
        if task.X.shape[1] > 60 or task.n_classes > 10:
            continue
        complete = len(task.schema.numeric) == task.X.shape[1] and not task.X.isna().any().any()
        if complete:
            found["numeric"][source.family] = source
        elif len(found["mixed"]) < N_MIXED:
            found["mixed"][source.family] = source
    return [*found["numeric"].values(), *found["mixed"].values()], set(found["numeric"])


def split(task):
    """Rows to fit to and rows to score on."""
    rows, labels = task.development, task.y[task.development]
    n = len(rows) // 2
    sizes = {"train_size": min(MAX_TRAIN, n), "test_size": min(MAX_TEST, n)}
    splitter = StratifiedShuffleSplit(N_SPLITS, random_state=0, **sizes)
    return [(rows[train], rows[test]) for train, test in splitter.split(rows, labels)]


def fit_and_score(estimator, task, splits):
    """Mean accuracies over the splits: on rows to choose by, and on rows to judge by."""
    scores = []
    for train, test in splits:
        model = clone(estimator)
        seeds = {name: 0 for name in model.get_params() if name.split("__")[-1] == "random_state"}
        model.set_params(**seeds).fit(task.X.iloc[train], task.y[train])
        hits = [model.predict(task.X.iloc[rows]) == task.y[rows] for rows in (test, task.outer)]
        scores.append([float(own.mean()) for own in hits])
    return np.round(np.mean(scores, axis=0), 6).tolist()


def measure(arguments):
    """Fit every point of every grid once; what is in the cache is not fitted again."""
    cache = Path(arguments.cache)
    cache.mkdir(parents=True, exist_ok=True)
    sources, numeric = choose_tasks(arguments.data)
    bare = set([source.family for source in sources if source.family in numeric][::2])
    print(f"{len(sources)} datasets, {len(bare)} of them for bare estimators", flush=True)
    todo = [
        (grid, "bare" if grid in SCALED and source.family in bare else "pipeline", source)
        for source in sources
        for grid in arguments.grids.split(",")
    ]
    for grid, variant, source in todo:
        path = cache / f"{grid}-{variant}-{source.name}.json"
        if not path.exists():
            start, record = time.time(), measure_grid(grid, variant, source)
            part = path.with_suffix(".part")
            part.write_text(json.dumps(record), encoding="utf-8")
            os.replace(part, path)
            print(f"{path.stem}: {time.time() - start:.0f} s", flush=True)


def measure_grid(grid, variant, source):
    """Fit every point of one grid on one dataset."""
    from sklearn.dummy import DummyClassifier

    from sk_metalearn.building._tasks import prepare

    task = prepare(source)
    estimator, prefix = make_estimator(grid, variant, task.schema)
    cells, splits = [], split(task)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        baseline = fit_and_score(DummyClassifier(), task, splits)
        for candidate in ParameterGrid(GRIDS[grid]):
            own = clone(estimator).set_params(**{prefix + k: v for k, v in candidate.items()})
            try:
                cells.append(fit_and_score(own, task, splits))
            except ValueError:
                cells.append([None, None])
    return {
        "task": task.id,
        "name": source.name,
        "family": source.family,
        "grid": grid,
        "variant": variant,
        "n_judges": len(task.outer),
        "baseline": baseline,
        "cells": cells,
    }


def regrets(scores, baseline):
    """Share of the way from the grid's best to the dummy estimator that each point loses."""
    scores = np.where(np.isfinite(scores), scores, -np.inf)
    best = scores.max()
    return np.clip((best - scores) / max(best - baseline, 1e-9), 0.0, 1.0)


def expected_choice(scores, lost):
    """Exact expectation of what the best-scored of k random points loses, k = 1..n."""
    tied = scores[:, None] == scores
    lost = (tied * lost).sum(axis=1) / tied.sum(axis=1)
    values, n = lost[np.argsort(-scores, kind="stable")], len(scores)
    left = np.arange(n, 0, -1)
    curve, weights = [], np.ones(n)
    for k in range(1, n + 1):
        # Probability that k draws without replacement hold values[i] and nothing better.
        weights = weights * np.maximum(left - k + 1, 0) / (n - k + 1)
        curve.append((weights * k / np.maximum(left, 1) * values).sum())
    return np.array(curve)


def random_evaluations(ours, curve):
    """Number of random evaluations with the same mean regret, between the curve's points."""
    if ours >= curve[0]:
        return 1.0
    if ours < curve.min():
        return float(len(curve))
    k = int(np.argmax(curve <= ours))
    return k + (curve[k - 1] - ours) / (curve[k - 1] - curve[k])


def simulate(strategy, context, scores, n):
    """Indices of the candidates that a strategy visits."""
    from sk_metalearn.strategies import Outcome, get_strategy

    strategy, visited = get_strategy(strategy), []
    strategy.start(context)
    while len(visited) < n:
        proposals = strategy.ask(1)
        if not proposals:
            break
        (proposal,) = proposals
        visited.append(proposal.candidate)
        strategy.tell([Outcome(proposal, scores[proposal.candidate])])
    return visited


@functools.cache
def rows_seen(source):
    """The rows of one split, their schema and their meta-features."""
    from sk_metalearn.building._tasks import prepare
    from sk_metalearn.metafeatures import MetaFeatureExtractor

    task = prepare(source)
    rows = np.concatenate(split(task)[0])
    X, y = task.X.iloc[rows], task.y[rows]
    found = MetaFeatureExtractor(random_state=0).extract(X, y, kind="classification")
    return X, y, task.schema, found


def measured_elsewhere(record, records, sources):
    """The same grid on datasets of other families, as a past."""
    from sk_metalearn.strategies import PastPerformance

    others = [own for own in records if own["family"] != record["family"]]
    found = [rows_seen(sources[own["name"]])[3] for own in others]
    names = tuple(found[0])
    return PastPerformance(
        scores=np.array([own["cells"] for own in others], dtype=float).mean(axis=2),
        baseline=np.array([own["baseline"] for own in others]).mean(axis=1),
        tasks=tuple(own["name"] for own in others),
        metafeatures=np.array([[own[name] for name in names] for own in found], dtype=float),
        metafeature_names=names,
    )


def without_some(knowledge, record, draw):
    """The knowledge without a dataset's family, and without some that are drawn."""
    families = sorted({task.family for task in knowledge.tasks})
    n_drawn = round(DRAWN * len(families))
    drawn = np.random.default_rng(draw).choice(families, n_drawn, replace=False)
    return knowledge.without(families={*drawn} | ({*families} & {record["family"]}))


def search_again(record, records, knowledge, sources, arguments):
    """Run a strategy on one dataset's measured grid; what it chooses is judged by regret."""
    scores, judged = np.array(record["cells"], dtype=float).T
    baseline = record["baseline"][0 if arguments.seen else 1]
    lost = regrets(scores if arguments.seen else judged, baseline)
    known, ours = np.where(np.isfinite(scores), scores, -np.inf), []
    for draw in range(arguments.draws):
        past = without_some(knowledge, record, draw)
        visited = visit(record, records, past, scores, sources, arguments)
        chosen = [visited[int(np.argmax(known[visited[: k + 1]]))] for k in range(len(visited))]
        ours.append(lost[chosen + chosen[-1:] * (N_EVALUATIONS - len(chosen))])
    return np.mean(ours, axis=0), expected_choice(known, lost)


def visit(record, records, knowledge, scores, sources, arguments):
    """Give the points of a dataset's grid that a strategy visits with what is known."""
    from sklearn.utils import Bunch

    from sk_metalearn.search._grid_choices import choose_from_grid
    from sk_metalearn.search._options import SearchOptions
    from sk_metalearn.search._past import ask_the_past
    from sk_metalearn.search._problem import pose_problem
    from sk_metalearn.strategies import Context

    X, y, schema, metafeatures = rows_seen(sources[record["name"]])
    estimator, prefix = make_estimator(record["grid"], record["variant"], schema)
    grid = GRIDS[record["grid"]]
    grid = [
        {prefix + name: values for name, values in part.items()}
        for part in (grid if isinstance(grid, list) else [grid])
    ]
    options = SearchOptions(
        n_iter=N_EVALUATIONS, knowledge=knowledge, scoring="accuracy", random_state=0
    )
    routed = Bunch(estimator=Bunch(fit={}), scorer=Bunch(score={}), splitter=Bunch(split={}))
    with contextlib.ExitStack() as stack:
        problem = pose_problem(
            X, y, routed, get_scorer("accuracy"), "score", options, stack, estimator=estimator
        )
    choices = choose_from_grid(estimator, grid, None, problem, options)
    found = ask_the_past(problem, choices, options)
    context = Context(
        candidates=choices.points,
        kind="classification",
        metric="accuracy",
        past=measured_elsewhere(record, records, sources) if arguments.exact else found.performance,
        metafeatures=metafeatures,
        predicted_seconds=found.seconds,
        defaults=choices.defaults,
        n_evaluations=N_EVALUATIONS,
    )
    return simulate(arguments.strategy, context, scores, N_EVALUATIONS)


def is_clear(record):
    """Whether a point of the grid beats the dummy estimator by more than three standard errors."""
    base = record["baseline"][1]
    best = np.nanmax(np.array(record["cells"], dtype=float)[:, 1])
    return best - base > 3 * np.sqrt(base * (1 - base) / record["n_judges"])


def judge(arguments):
    """Run the strategies on the measured grids and write a row per grid and variant."""
    from sk_metalearn import KnowledgeBase
    from sk_metalearn.building._tasks import list_tasks

    sources = {own.name: own for own in list_tasks(arguments.data)}
    knowledge = KnowledgeBase.open(arguments.knowledge)
    print(knowledge)
    rows, rng = [], np.random.default_rng(0)
    for grid in arguments.grids.split(","):
        paths = sorted(Path(arguments.cache).glob(f"{grid}-*.json"))
        records = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        work = (
            delayed(search_again)(own, records, knowledge, sources, arguments) for own in records
        )
        found = Parallel(arguments.jobs, backend="multiprocessing")(work)
        clear = [own for own in range(len(records)) if is_clear(records[own])]
        parts = {"all": range(len(records)), "clear": clear} | {
            f"clear, {variant}": [i for i in clear if records[i]["variant"] == variant]
            for variant in ("pipeline", "bare")
        }
        for part, kept in parts.items():
            if not len(kept):
                continue
            ours = np.array([found[i][0] for i in kept])
            chance = np.array([found[i][1] for i in kept])
            families = [records[i]["family"] for i in kept]
            row = {"grid": grid, "datasets": part, **_summary(ours, chance, families, rng)}
            rows.append(row)
            print(
                "  ".join(
                    f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()
                ),
                flush=True,
            )
    if arguments.out and rows:
        with Path(arguments.out).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(
                {k: round(v, 5) if isinstance(v, float) else v for k, v in row.items()}
                for row in rows
            )


def _summary(ours, chance, families, rng):
    names = sorted(set(families))
    members = [[i for i, own in enumerate(families) if own == name] for name in names]
    worth, means = [], []
    for draw in rng.integers(len(names), size=(2000, len(names))):
        rows = [i for k in draw for i in members[k]]
        means.append(ours[rows, -1].mean())
        worth.append(random_evaluations(means[-1], chance[rows].mean(axis=0)))
    random, n = chance.mean(axis=0), N_EVALUATIONS
    return {
        "families": len(names),
        "points": chance.shape[1],
        "ours_1": float(ours[:, 0].mean()),
        "ours_5": float(ours[:, 4].mean()),
        "ours_10": float(ours[:, n - 1].mean()),
        "low": float(np.quantile(means, 0.025)),
        "high": float(np.quantile(means, 0.975)),
        "random_10": float(random[n - 1]),
        "random_30": float(random[29]),
        "worth": float(random_evaluations(ours[:, -1].mean(), random)),
        "worth_low": float(np.quantile(worth, 0.025)),
        "worth_high": float(np.quantile(worth, 0.975)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("measure", help="fit the grids")
    one.add_argument("--data", required=True, help="folder of datasets")
    one.add_argument("--cache", required=True, help="folder of what was measured")
    one.add_argument("--grids", default=",".join(GRIDS))
    one.set_defaults(run=measure)
    two = commands.add_parser("judge", help="run strategies on what was measured")
    two.add_argument("--data", required=True, help="folder of datasets")
    two.add_argument("--cache", required=True, help="folder of what was measured")
    two.add_argument("--knowledge", default="bundled")
    two.add_argument("--grids", default=",".join(GRIDS))
    two.add_argument("--strategy", default="auto")
    two.add_argument("--draws", type=int, default=5, help="searches of each dataset")
    two.add_argument("--jobs", type=int, default=2)
    two.add_argument("--seen", action="store_true", help="judge by the scores that a search sees")
    two.add_argument("--exact", action="store_true", help="with a past of exactly these points")
    two.add_argument("--out", help="CSV file to write")
    two.set_defaults(run=judge)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
