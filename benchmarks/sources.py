"""Does knowledge from public tables improve the default strategy on families it never saw?

For each source the default strategy searches the pool on datasets whose families are left out of
everything: of the package's own measurements and of the source. It is run twice on each, with the
own measurements alone and with the source's added, and the regrets are compared in pairs.

A source's configurations are carried to the pool's by the nearest ones of the same family
(preprocessing that a family is blind to does not count), so the source's rows have gaps.

    python benchmarks/sources.py --base KNOWLEDGE.npz --tables FOLDER [--own N] [--output FILE.csv]
"""

import argparse
import csv
import time
from dataclasses import replace

import numpy as np

from sk_metalearn.building import TABLES, import_table
from sk_metalearn.building._imported import FIDELITY
from sk_metalearn.knowledge import FamilyTable, KnowledgeBase
from sk_metalearn.knowledge._places import place_points
from sk_metalearn.spaces import get_family
from sk_metalearn.strategies import Context, Outcome, PastPerformance, get_strategy

STEPS = (1, 3, 5, 10, 20)
# On the scale of a hyperparameter's range: how far a score is carried, and how it fades.
REACH, WIDTH = 0.30, 0.10
TREES = ("random_forest", "extra_trees", "decision_tree", "adaboost")


def blind(configuration):
    """Give the configuration with the preprocessing that hardly changes its scores set alike."""
    steps = {**configuration.preprocessing}
    if steps["imputer"] == "mean":
        steps["imputer"] = "median"
    if configuration.family in TREES:
        steps.update(scaler="none", encoder="ordinal")
    return replace(configuration, preprocessing=steps)


def carry(table, pool, metric):
    """Carry a source's scores to the pool: (n_tasks, n_pool) with NaN, and how sure they are."""
    scores = table.scores(metric)
    out = np.full((len(scores), len(pool)), np.nan)
    spread = np.zeros_like(out)
    for name in {own.family for own in pool}:
        here = [j for j, own in enumerate(pool) if own.family == name]
        there = [j for j, own in enumerate(table.configurations) if own.family == name]
        if not there or name == "dummy":
            continue
        points = [blind(pool[j]) for j in here]
        points += [blind(table.configurations[j]) for j in there]
        places, _ = place_points(get_family(name, table.kind), points)
        mine, theirs = places[: len(here)], places[len(here) :]
        for i, row in enumerate(scores[:, there]):
            known = np.flatnonzero(np.isfinite(row))
            if not len(known):
                continue
            gap = np.sqrt(((mine[:, None] - theirs[None, known]) ** 2).sum(axis=2))
            weight = np.exp(-0.5 * (gap / WIDTH) ** 2) + 1e-12
            weight[gap > REACH] = 0.0
            near = weight.sum(axis=1)
            told = near > 0
            mean = (weight @ row[known])[told] / near[told]
            out[i, np.array(here)[told]] = mean
            spread[i, np.array(here)[told]] = gap.min(axis=1)[told] * np.nanstd(row) * 2
    return out, spread


def search(past, truth, baseline, n_steps, seed):
    """Run the default strategy on one task; give the regret after each evaluation."""
    candidates = [{"candidate": j} for j in range(len(truth))]
    context = Context(candidates=candidates, past=past, n_evaluations=n_steps, seed=seed)
    strategy = get_strategy("auto").start(context)
    best, regret = -np.inf, []
    top = np.nanmax(truth)
    for _ in range(n_steps):
        (proposal,) = strategy.ask(1)
        score = truth[proposal.candidate]
        strategy.tell([Outcome(proposal, float(score))])
        if np.isfinite(score):
            best = max(best, score)
        shown = best if np.isfinite(best) else baseline
        regret.append(np.clip((top - shown) / max(top - baseline, 1e-12), 0, 1))
    return regret


def compare(own, source, metric, n_own, n_targets, n_folds=5, seed=0):
    """Regrets with and without a source: lists of (family, without, with_source)."""
    table = own.table("classification")
    theirs = source.table("classification", FIDELITY)
    scores = table.scores(metric, failures="dummy")
    baseline = table.baseline(metric)
    carried, spread = carry(theirs, table.configurations, metric)
    usable = np.isfinite(carried).sum(axis=1) >= 3
    carried, spread = carried[usable], spread[usable]
    tasks = [task for task, use in zip(theirs.tasks, usable, strict=True) if use]
    families = FamilyTable([*table.tasks, *tasks]).family_of
    mine = np.array([families[task.id] for task in table.tasks])
    others = np.array([families[task.id] for task in tasks])
    rng = np.random.default_rng(seed)
    names = rng.permutation(np.unique(mine))
    fold = {name: k % n_folds for k, name in enumerate(names)}
    complete = np.isfinite(scores).mean(axis=1) > 0.8
    spans = np.where(np.isfinite(scores), scores, -np.inf).max(axis=1) > baseline + 0.01
    results = []
    for k in range(n_folds):
        held = np.array([fold[name] == k for name in mine])
        train = np.flatnonzero(~held & complete)
        if n_own is not None and len(train) > n_own:
            train = np.sort(rng.choice(train, n_own, replace=False))
        away = {name for name in names if fold[name] == k}
        extra = np.array([name not in away for name in others], dtype=bool)
        known = np.isfinite(carried[extra])
        past = {
            "without": PastPerformance(scores[train], baseline=baseline[train]),
            "with": PastPerformance(
                np.vstack([scores[train], carried[extra]]),
                spread=np.vstack([np.zeros((len(train), known.shape[1])), spread[extra]]),
                baseline=np.concatenate([baseline[train], np.full(extra.sum(), np.nan)]),
            ),
        }
        targets = np.flatnonzero(held & complete & spans)
        for i in targets[: max(1, n_targets // n_folds)]:
            runs = {
                name: search(own_past, scores[i], baseline[i], max(STEPS), seed=int(i))
                for name, own_past in past.items()
            }
            results.append((mine[i], runs["without"], runs["with"]))
    return results, len(tasks), float(np.isfinite(carried).mean()) if len(tasks) else 0.0


def summarize(results, rng):
    """Mean regrets, and the paired difference with a bootstrap interval over families."""
    families = np.array([family for family, _, _ in results])
    without = np.array([own for _, own, _ in results])[:, np.array(STEPS) - 1]
    added = np.array([own for _, _, own in results])[:, np.array(STEPS) - 1]
    change = (added - without).mean(axis=1)
    names = np.unique(families)
    draws = []
    for _ in range(2000):
        chosen = rng.choice(names, len(names))
        weights = np.array([(chosen == family).sum() for family in families])
        draws.append((weights @ change) / weights.sum())
    low, high = np.quantile(draws, [0.025, 0.975])
    return without.mean(axis=0), added.mean(axis=0), change.mean(), low, high


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", default="bundled", help="the package's own knowledge")
    parser.add_argument("--tables", required=True, help="folder of the public tables")
    parser.add_argument("--sources", nargs="+", default=list(TABLES), choices=list(TABLES))
    parser.add_argument("--own", type=int, help="use so many own datasets only")
    parser.add_argument("--targets", type=int, default=1000, help="at most so many datasets")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", help="CSV file")
    options = parser.parse_args()
    own = KnowledgeBase.open(options.base)
    rows = []
    for name in options.sources:
        start = time.process_time()
        source = import_table(name, options.tables).base
        metric = source.table("classification", FIDELITY).metrics[0]
        results, n_tasks, share = compare(
            own, source, metric, options.own, options.targets, seed=options.seed
        )
        rng = np.random.default_rng(options.seed)
        without, added, change, low, high = summarize(results, rng)
        verdict = "helps" if high < 0 else "harms" if low > 0 else "no difference shown"
        print(
            f"{name}: {n_tasks} of its datasets carried ({share:.0%} of the pool's cells), "
            f"{len(results)} datasets judged by {metric}, {time.process_time() - start:.0f} CPU s"
        )
        for label, regrets in (("own alone", without), ("with source", added)):
            text = "  ".join(f"@{k} {r:.4f}" for k, r in zip(STEPS, regrets, strict=True))
            print(f"  {label:12} {text}")
        print(f"  change {change:+.4f} [{low:+.4f}, {high:+.4f}]: {verdict}", flush=True)
        rows.append(
            [name, metric, n_tasks, len(results), *without, *added, change, low, high, verdict]
        )
    if options.output:
        with open(options.output, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            regrets = [f"{label}@{k}" for label in ("own", "with") for k in STEPS]
            writer.writerow(
                ["source", "metric", "n_source", "n_judged", *regrets, "change", "low", "high"]
                + ["verdict"]
            )
            writer.writerows(rows)


if __name__ == "__main__":
    main()
