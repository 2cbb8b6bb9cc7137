"""Judge the strategies on recorded tables: no fit, left-out families.

Oboe's own layout is a row a dataset, a column a configuration, errors as numbers::

    python benchmarks/transfer.py --train errors.csv.gz --folds 10 --groups axes.json
    python benchmarks/transfer.py --train old.csv --test new.csv --strategies auto,portfolio
    python benchmarks/transfer.py --tensoroboe FOLDER
    python benchmarks/transfer.py --bundled classification

With one table its datasets are dealt out in folds, a family (``--groups``) as a whole; a strategy
meets the datasets of a fold with the others as its past. With two, families of the test table are
taken out of the training table. ``--runtime-train`` and ``--runtime-test`` add the wall clock.

Printed are mean normalised regret after 1, 3, 5, 10, 20, 30 and 50 evaluations with bootstrap
intervals over families, mean rank, the share of datasets within 1 % of the best, how many random
evaluations have the same mean regret, how much sooner than random search a mean regret is reached
in seconds, and the strategy's own time per suggestion.

``--shuffled 200 --strategies auto`` checks that a past which says nothing does no harm.
"""

import argparse
import csv
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
from _transfer_tables import read_bundled, read_errors, read_tensoroboe
from joblib import Parallel, delayed

from sk_metalearn.evaluation import Race
from sk_metalearn.strategies import (
    STRATEGIES,
    Context,
    Outcome,
    PastPerformance,
    get_strategy,
)
from sk_metalearn.strategies.meta_training import METHODS

AT = (1, 3, 5, 10, 20, 30, 50)
# What a strategy proposes on a finite list depends on the seed for these alone.
SEEDED = ("random", "neural", "forest", "evolution", "ablr", "copula_prior")
# Those whose wall clock is compared; the others do not take time into account.
CLOCKED = (
    "auto",
    "random",
    "portfolio",
    "average_rank",
    "active_greedy",
    "transfer_mvn",
)
# A choice without a fit for each suggestion: judged on all datasets, others on a sample.
QUICK = (*CLOCKED, "active_testing", "grid", "quasi_random", "low_rank", "nearest", "tst", "taf")
TARGETS = (0.1, 0.05, 0.02)


def past_of(table, columns=slice(None)):
    """What a strategy gets to know of the training datasets."""
    return PastPerformance(
        scores=table.past[:, columns],
        seconds=None if table.seconds is None else table.seconds[:, columns],
        baseline=table.baseline,
        tasks=table.datasets,
        metafeatures=table.metafeatures,
        metafeature_names=table.metafeature_names,
    )


def run(strategy, train, test, row, alternative, seed, n_evaluations, budget=None, racing=False):
    """One search on one dataset.

    It ends early when what it was told contains the best there is.

    Returns
    -------
    order : ndarray
        The configurations in the order in which they were proposed.
    own, started : float
        The strategy's own seconds for a suggestion, and before the first.
    shares : ndarray
        Share of the folds that each was evaluated on: below 1 where a race ended it.
    """
    offered = test.offered(row)
    told = test.told[row, offered, alternative]
    features = None
    if test.metafeatures is not None:
        features = dict(zip(test.metafeature_names, test.metafeatures[row], strict=True))
    times = np.full(len(told), np.nan) if test.seconds is None else test.seconds[row, offered]
    context = Context(
        candidates=[test.candidates[i] for i in offered],
        kind=test.kind,
        past=past_of(train, offered),
        metafeatures=features,
        n_evaluations=n_evaluations if budget is None else None,
        seconds=budget,
        seed=seed,
    )
    begin = time.perf_counter()
    searcher = get_strategy(strategy).start(context)
    started = time.perf_counter() - begin
    order, shares, own, best = [], [], 0.0, np.nanmax(told)
    race = Race(test.folds.shape[2]) if racing else None
    while len(order) < n_evaluations:
        begin = time.perf_counter()
        asked = searcher.ask()
        if not asked:
            break
        order.append(asked[0].candidate)
        score, share = told[order[-1]], 1.0
        if racing:
            score, share = enter_race(race, test.folds[row, offered[order[-1]]], score)
        shares.append(share)
        seconds = float(times[order[-1]]) * share
        searcher.tell([Outcome(asked[0], float(score), seconds=seconds, partial=share < 1)])
        own += time.perf_counter() - begin
        if score >= best and share == 1:
            break
    return offered[order], own / len(order), started, np.array(shares)


def enter_race(race, folds, score):
    """Score of a candidate and share of its folds, as the search would evaluate it."""
    standard = race.standard()
    for done in range(1, len(folds)):
        if np.isfinite(score) and race.lost(standard, folds[:done]):
            return race.estimate(standard, folds[:done]), done / len(folds)
    if np.isfinite(score):
        race.add(folds)
    return score, 1.0


def regret_curve(order, told, regret, n_evaluations):
    """Regret, as judged, of the best seen so far as told, after each evaluation."""
    seen = np.where(np.isfinite(told[order]), told[order], -np.inf)
    best = np.full(len(order), 0)
    for k in range(1, len(order)):
        best[k] = k if seen[k] > seen[best[k - 1]] else best[k - 1]
    curve = np.where(np.isfinite(seen[best]), regret[order[best]], 1.0)
    return np.concatenate([curve, np.full(n_evaluations - len(curve), curve[-1])])


def random_curve(table, regret, row, alternative, n_evaluations):
    """Exact expectation of the regret curve of random search without repetition."""
    offered = table.offered(row)
    told, regret = table.told[row, offered, alternative], regret[row, offered, alternative]
    n = len(told)
    order = np.argsort(-np.where(np.isfinite(told), told, -np.inf), kind="stable")
    values = np.where(np.isfinite(told), regret, 1.0)[order]
    chance, curve = np.zeros(n), []
    chance[:] = 1.0 / n  # that the best of k is the one at each place
    for k in range(1, min(n, n_evaluations) + 1):
        if k > 1:
            places = np.arange(n)
            # P(best of k at i) = C(n-1-i, k-1) / C(n, k), by its ratio to that of k - 1.
            chance = chance * np.maximum(n - 1 - places - (k - 2), 0) / (k - 1)
            chance = chance * k / (n - k + 1)
        curve.append(chance @ values)
    return np.array(curve + curve[-1:] * (n_evaluations - n))


def deal(groups, n_folds, seed=0):
    """Deal families out to folds of about equal size."""
    names, sizes = np.unique(groups, return_counts=True)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    load, fold_of = np.zeros(n_folds), {}
    for i in sorted(shuffled, key=lambda i: -sizes[i]):
        fold_of[names[i]] = int(np.argmin(load))
        load[fold_of[names[i]]] += sizes[i]
    return np.array([fold_of[group] for group in groups])


def splits(table, test, n_folds):
    """Pairs of a training table and a test table without common families."""
    if test is not None:
        apart = ~np.isin(table.groups, test.groups)
        return [(table.rows(np.flatnonzero(apart)), test, np.arange(len(test.datasets)))]
    folds = deal(table.groups, n_folds)
    return [
        (
            table.rows(np.flatnonzero(folds != i)),
            table.rows(np.flatnonzero(folds == i)),
            np.flatnonzero(folds == i),
        )
        for i in range(n_folds)
    ]


def sampled(table, n_datasets):
    """Mark one dataset of each of `n_datasets` families, drawn by chance but always the same."""
    names = np.random.default_rng(1).permutation(np.unique(table.groups))[:n_datasets]
    chosen = np.zeros(len(table.groups), dtype=bool)
    for name in names:
        chosen[np.flatnonzero(table.groups == name)[0]] = True
    return chosen


def run_fold(strategy, train, test, rows, chosen, seeds, n_evaluations, budgets, racing):
    """Curves of all searches of one strategy on one fold."""
    regret, found = test.regret, []
    for i, row in enumerate(rows):
        if not chosen[row]:
            continue
        curves, own, first, clocks = [], [], [], []
        for alternative in range(test.told.shape[2]):
            told, own_regret = test.told[i, :, alternative], regret[i, :, alternative]
            for seed in seeds:
                order, step, start, _ = run(
                    strategy, train, test, i, alternative, seed, n_evaluations
                )
                curves.append(regret_curve(order, told, own_regret, n_evaluations))
                own.append(step)
                first.append(start)
                if budgets is not None:
                    clocks.append(
                        run_clock(strategy, train, test, i, alternative, seed, budgets, racing)
                    )
        clock = np.mean(clocks, axis=0) if clocks else None
        found.append((row, np.mean(curves, axis=0), np.mean(own), np.mean(first), clock))
    return found


def run_clock(strategy, train, test, row, alternative, seed, grid, racing):
    """Regret at times given in units of the dataset's median evaluation; 1 before the first ends."""
    seconds = test.seconds[row]
    unit = np.nanmedian(seconds)
    seconds = np.where(np.isfinite(seconds), seconds, unit)
    n = len(seconds)
    budget = grid[-1] * unit
    order, _, _, shares = run(strategy, train, test, row, alternative, seed, n, budget, racing)
    told, regret = test.told[row, :, alternative].copy(), test.regret[row, :, alternative]
    told[order[shares < 1]] = np.nan
    curve = regret_curve(order, told, regret, len(order))
    ends = np.cumsum(seconds[order] * shares) / unit
    done = np.searchsorted(ends, grid, side="right")
    return np.concatenate([[1.0], curve])[done]


def bootstrap(values, groups, n_draws=1000):
    """Ends of the 95 % interval of a mean over datasets, resampling families."""
    names, index = np.unique(groups, return_inverse=True)
    draws = np.random.default_rng(0).multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=n_draws
    )
    weights = draws[:, index]
    means = (weights @ values) / weights.sum(axis=1, keepdims=values.ndim > 1)
    return np.quantile(means, (0.025, 0.975), axis=0)


def saved(curve, random, at):
    """How many times more evaluations random search needs for the same mean regret."""
    reached = np.flatnonzero(random <= curve[at - 1])
    return (reached[0] + 1) / at if len(reached) else np.inf


def evaluate(table, test, options):
    """Judge all strategies; gives their results by name."""
    judged = test if test is not None else table
    everything = np.ones(len(judged.datasets), dtype=bool)
    part = sampled(judged, options.datasets or options.slow_datasets)
    budgets = None
    if judged.seconds is not None and not options.no_clock:
        budgets = np.geomspace(0.01, 1000, 241)
    results = {}
    for name in options.strategies:
        begin = time.perf_counter()
        chosen = everything if name in QUICK and not options.datasets else part
        seeds = range(options.seeds) if name in SEEDED else range(1)
        clock = budgets if name in CLOCKED else None
        found = Parallel(n_jobs=options.jobs)(
            delayed(run_fold)(
                name,
                *fold,
                chosen,
                seeds,
                options.evaluations,
                clock,
                options.racing and name != "random",
            )
            for fold in splits(table, test, options.folds)
        )
        found = sorted((item for fold in found for item in fold), key=lambda item: item[0])
        results[name] = {
            "rows": np.array([item[0] for item in found]),
            "curves": np.array([item[1] for item in found]),
            "own": float(np.mean([item[2] for item in found])),
            "first": float(np.mean([item[3] for item in found])),
            "clock": None if clock is None else np.array([item[4] for item in found]),
        }
        print(f"  {name}: {time.perf_counter() - begin:.0f} s", flush=True)
    return results, budgets


def report(results, budgets, judged, options):
    """Print the tables; give the lines of the CSV."""
    at = [k for k in AT if k <= options.evaluations]
    regret = judged.regret
    exact = np.array(
        [
            np.mean(
                [
                    random_curve(judged, regret, i, a, judged.told.shape[1])
                    for a in range(judged.told.shape[2])
                ],
                axis=0,
            )
            for i in range(len(judged.datasets))
        ]
    )
    lines, reference_rows = [], np.arange(len(judged.datasets))
    if options.datasets:
        reference_rows = np.flatnonzero(sampled(judged, options.datasets))
    floors = zip(regret, np.where(np.isfinite(judged.told), judged.told, -np.inf), strict=True)
    print(
        f"\n{judged.name}: {len(judged.datasets)} datasets of {len(set(judged.groups))} families, "
        f"{len(judged.candidates)} configurations"
    )
    floor = np.mean([own[told.argmax(axis=0), range(told.shape[1])].mean() for own, told in floors])
    print(f"regret of the one that is best by what is told: {floor:.4f}")
    print(
        f"{'strategy':>15s} "
        + " ".join(f"{'@' + str(k):>21s}" for k in at)
        + "   within 1 %   saved @5 @10 @20   rank@10   ms"
    )
    whole = {n: r for n, r in results.items() if len(r["rows"]) == len(judged.datasets)}
    if 10 <= options.evaluations and whole:
        stack = np.array([r["curves"][:, 9] for r in whole.values()])
        ranks = dict(zip(whole, _ranks(stack), strict=True))
    for name, result in {"random (exact)": None, **results}.items():
        rows = reference_rows if result is None else result["rows"]
        curves = exact[rows, : options.evaluations] if result is None else result["curves"]
        low, high = bootstrap(curves, judged.groups[rows])
        mean, reference = curves.mean(axis=0), exact[rows].mean(axis=0)
        within = "/".join(
            f"{100 * (curves[:, k - 1] <= 0.01).mean():.0f}" for k in at if k in (10, 30, 50)
        )
        gained = " ".join(f"{saved(mean, reference, k):4.1f}" for k in (5, 10, 20) if k in at)
        own = 0.0 if result is None else result["own"]
        rank = (
            f"{ranks[name]:6.2f}" if result is not None and name in whole and 10 in at else "     -"
        )
        note = "" if len(rows) == len(judged.datasets) else f"  ({len(rows)} datasets)"
        print(
            f"{name:>15s} "
            + " ".join(f"{mean[k - 1]:.4f} [{low[k - 1]:.4f},{high[k - 1]:.4f}]" for k in at)
            + f"   {within:>10s}   {gained:>16s}   {rank}   {1e3 * own:.2f}{note}"
        )
        for k in at:
            lines.append(
                [
                    name,
                    k,
                    *(f"{v:.5f}" for v in (mean[k - 1], low[k - 1], high[k - 1], own)),
                    len(rows),
                ]
            )
    if "auto" in results and not options.datasets:
        compare(results, judged, at)
    return lines


def _ranks(stack):
    from scipy.stats import rankdata

    return rankdata(stack, axis=0).mean(axis=1)


def compare(results, judged, at):
    """Print auto's regret over that of the best single other strategy, paired over families."""
    rows = results["auto"]["rows"]
    others = {
        name: r["curves"]
        for name, r in results.items()
        if name != "auto" and len(r["rows"]) == len(rows)
    }
    names, index = np.unique(judged.groups[rows], return_inverse=True)
    draws = np.random.default_rng(0).multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=2000
    )[:, index]
    print("\nauto over the best other strategy")
    for k in at:
        if not others:
            break
        best = min(others, key=lambda name: others[name][:, k - 1].mean())
        own, other = results["auto"]["curves"][:, k - 1], others[best][:, k - 1]
        ratios = (draws @ own) / np.maximum(draws @ other, 1e-12)
        low, high = np.quantile(ratios, (0.025, 0.975))
        print(
            f"  @{k}: {own.mean() / max(other.mean(), 1e-12):.3f} [{low:.3f}, {high:.3f}] of {best}"
        )


def clocks(results, grid):
    """Print when each strategy's mean regret falls to the targets; give the lines of the CSV."""
    means = {n: r["clock"].mean(axis=0) for n, r in results.items() if r["clock"] is not None}
    print("\ntime to a mean regret, in median evaluations of a dataset (times sooner than random)")

    def reach(curve, target):
        below = np.flatnonzero(curve <= target)
        return grid[below[0]] if len(below) else np.inf

    lines = []
    for name, curve in means.items():
        for target in TARGETS:
            when = reach(curve, target)
            sooner = reach(means["random"], target) / when if "random" in means else np.nan
            lines.append([name, target, f"{when:.3f}", f"{sooner:.2f}"])
        cells = [
            f"{line[1]}: {float(line[2]):8.2f} ({float(line[3]):5.1f}x)" for line in lines[-3:]
        ]
        print(f"{name:>15s} " + "  ".join(cells))
    return lines


def shuffled(table, options):
    """Check a strategy with a past that says nothing: each row of it permuted on its own.

    Prints mean regret over that of random search; the upper end is of a 95 % interval over the
    permutations. Every permutation meets some datasets of one fold.
    """
    name, rng = options.strategies[0], np.random.default_rng(0)
    folds = splits(table, None, options.folds)
    own, chance, regret = [], [], table.regret
    n_alternatives = table.told.shape[2]
    for number in range(options.shuffled):
        train, test, rows = folds[number % len(folds)]
        order = np.argsort(rng.random(train.past.shape), axis=1)
        train = replace(train, past=np.take_along_axis(train.past, order, axis=1))
        curves, expected = [], []
        for i in rng.choice(len(rows), size=min(options.per_shuffle, len(rows)), replace=False):
            a = int(rng.integers(n_alternatives))
            told, lost = test.told[i, :, a], regret[rows[i], :, a]
            visited = run(name, train, test, i, a, number, options.evaluations)[0]
            curves.append(regret_curve(visited, told, lost, options.evaluations))
            expected.append(random_curve(table, regret, rows[i], a, options.evaluations))
        own.append(np.mean(curves, axis=0))
        chance.append(np.mean(expected, axis=0))
    own, chance = np.array(own), np.array(chance)
    draws = np.random.default_rng(0).multinomial(len(own), np.full(len(own), 1 / len(own)), 2000)
    print(
        f"\n{table.name}: {name} with {len(own)} shuffled pasts, regret over that of random search"
    )
    lines = []
    for k in (k for k in AT if k <= options.evaluations):
        ratio = (draws @ own[:, k - 1]) / (draws @ chance[:, k - 1])
        surplus = (draws @ (own - chance)[:, k - 1]) / len(own)
        line = [own[:, k - 1].mean(), chance[:, k - 1].mean(), np.quantile(ratio, 0.95)]
        line.append(np.quantile(surplus, 0.95))
        lines.append([name, k, *(f"{v:.5f}" for v in line)])
        print(
            f"  @{k}: {line[0]:.4f} / {line[1]:.4f} = {line[0] / line[1]:.3f}, upper 95 % "
            f"{line[2]:.3f}, difference at most {line[3]:+.4f}"
        )
    return lines


def draw(lines, title, path):
    """Save a picture of the strategies that were judged on all datasets."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 5))
    curves = {}
    for name, k, regret, *_, n_datasets in lines:
        if int(n_datasets) == max(int(line[-1]) for line in lines):
            curves.setdefault(name, []).append((int(k), float(regret)))
    colours = plt.get_cmap("tab20").colors
    for number, (name, curve) in enumerate(curves.items()):
        width = 3.0 if name == "auto" else 1.3
        dashes = "--" if name == "random (exact)" else "-"
        colour = "black" if name in ("auto", "random (exact)") else colours[number % len(colours)]
        axes.plot(*zip(*curve, strict=True), dashes, label=name, linewidth=width, color=colour)
    ticks = [k for k, _ in curve]
    axes.set(xscale="log", yscale="log", xlabel="evaluations", ylabel="mean normalised regret")
    axes.set_xticks(ticks, labels=ticks)
    axes.set_title(title)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(path, dpi=100, bbox_inches="tight")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--train", help="errors of the past datasets")
    parser.add_argument("--test", help="errors of the datasets to judge on")
    parser.add_argument("--runtime-train")
    parser.add_argument("--runtime-test")
    parser.add_argument("--groups", help="family per dataset: CSV of two columns, or JSON")
    parser.add_argument("--metafeatures", help="OpenML qualities per data id, CSV")
    parser.add_argument("--tensoroboe", help="folder with tensor.npz and axes.json")
    parser.add_argument("--bundled", choices=("classification", "regression"))
    parser.add_argument("--metric", help="metric of --bundled")
    parser.add_argument(
        "--all-folds", action="store_true", help="with --bundled: judge by what was told"
    )
    parser.add_argument("--folds", type=int, default=10)
    # The learned ones would come with weights of the very data that judges them here:
    # `metalearners_search.py` trains them without it.
    unlearned = [name for name in STRATEGIES if name not in METHODS]
    parser.add_argument("--strategies", default=",".join(unlearned))
    parser.add_argument("--evaluations", type=int, default=50)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--slow-datasets", type=int, default=20)
    parser.add_argument("--datasets", type=int, help="judge all strategies on a sample")
    parser.add_argument("--no-clock", action="store_true", help="leave out the wall clock")
    parser.add_argument(
        "--racing",
        action="store_true",
        help="with --bundled: race candidates on folds against the clock, but for random search",
    )
    parser.add_argument("--shuffled", type=int, help="check with this number of shuffled pasts")
    parser.add_argument("--per-shuffle", type=int, default=8, help="datasets that each one meets")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", help="CSV to write; the picture goes beside it")
    options = parser.parse_args()
    options.strategies = options.strategies.split(",")
    if options.racing and not options.bundled:
        parser.error("--racing needs the scores of single folds, which only --bundled has.")
    return options, parser


def main():
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    options, parser = parse()
    test = None
    if options.bundled:
        table = read_bundled(options.bundled, options.metric, options.all_folds)
    elif options.tensoroboe:
        table = read_tensoroboe(options.tensoroboe, options.metafeatures)
    elif options.train:
        more = (options.groups, options.metafeatures)
        table = read_errors(options.train, options.runtime_train, *more)
        if options.test:
            test = read_errors(options.test, options.runtime_test, *more)
    else:
        parser.error("give --train, --tensoroboe or --bundled")
    options.evaluations = min(options.evaluations, len((test or table).candidates))
    if options.shuffled:
        lines = shuffled(table, options)
        write(options.out, ("strategy", "evaluations", "regret", "random", "ratio", "more"), lines)
        return
    results, budgets = evaluate(table, test, options)
    judged = test if test is not None else table
    lines = report(results, budgets, judged, options)
    head = ("strategy", "evaluations", "regret", "low", "high", "seconds", "datasets")
    write(options.out, head, lines)
    if budgets is not None:
        times = clocks(results, budgets)
        write(_beside(options.out, "_clock"), ("strategy", "regret", "time", "sooner"), times)
    if options.out:
        draw(lines, judged.name, Path(options.out).with_suffix(".png"))


def _beside(path, end):
    return path and Path(path).with_name(Path(path).stem + end + ".csv")


def write(path, head, lines):
    """Write a CSV, if there is a path."""
    if path:
        with open(path, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(head)
            writer.writerows(lines)


if __name__ == "__main__":
    main()
