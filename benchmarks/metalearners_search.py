"""Judge the learned strategies on left-out families, meta-trained without them in each fold.

    python benchmarks/metalearners_search.py --bundled classification
    python benchmarks/metalearners_search.py --train errors.csv.gz --groups axes.json \
        --metafeatures qualities.csv.gz

Families are dealt out in folds. In each fold every method is meta-trained, with `--seeds` seeds,
on searches of the datasets of the other folds, and then searches on those of the fold, with the
others as its past. The strategies made by hand meet the same past. Weights that come with the
package are never used. A row of ``metalearners_search.csv`` in `--out` has the mean regret (of the
score that guides the search, as in the tables of transfer.py on public tables) after a number of
evaluations, its difference from that of `--reference`, the p-value of Wilcoxon's signed-rank test
over families and the same after Holm's correction over the methods.
"""

import argparse
import csv
import time
import warnings
from pathlib import Path

import numpy as np
from _transfer_tables import read_bundled, read_errors
from scipy.stats import wilcoxon
from transfer import past_of, random_curve, regret_curve, run, splits

from sk_metalearn.spaces import catalogue_space
from sk_metalearn.strategies import get_strategy
from sk_metalearn.strategies.meta_training import METHODS, PastSearches, meta_train

AT = (1, 2, 3, 5, 10, 20, 30, 50)
BY_HAND = ("portfolio", "active_greedy", "transfer_mvn", "auto")


def guided(table):
    """The table with the choice judged by the mean of all folds, as the search itself sees it."""
    from dataclasses import replace

    return replace(table, told=table.past[:, :, None], judged=table.past[:, :, None])


def curves_on(strategy, train, test, seed, n_evaluations):
    """Regret curves of searches on all datasets of a fold, and seconds per suggestion."""
    curves, seconds, lost = [], [], test.regret
    for row in range(len(test.datasets)):
        order, own, _, _ = run(strategy, train, test, row, 0, seed, n_evaluations)
        told, regret = test.told[row, :, 0], lost[row, :, 0]
        curves.append(regret_curve(order, told, regret, n_evaluations))
        seconds.append(own)
    return np.array(curves), float(np.mean(seconds))


def judge(table, options):
    """Curves of every method: arrays of shape (n_seeds, n_datasets, n_evaluations), by name."""
    n = min(options.evaluations, len(table.candidates))
    space = catalogue_space(table.kind) if options.bundled else None
    shape = len(table.datasets), n
    found = {name: np.full((1, *shape), np.nan) for name in BY_HAND}
    found |= {name: np.full((options.seeds, *shape), np.nan) for name in options.methods}
    seconds = {name: [] for name in found}
    training = {name: [] for name in found}
    for fold, (train, test, _) in enumerate(splits(table, None, options.folds)):
        rows = np.flatnonzero(np.isin(table.datasets, test.datasets))
        searches = PastSearches(past_of(train), train.groups, train.candidates, space, table.kind)
        for name, curves in found.items():
            for seed in range(len(curves)):
                strategy = name
                if name in METHODS:
                    begin = time.process_time()
                    weights = meta_train(name, searches, seed)
                    strategy = get_strategy(name, weights=weights)
                    training[name].append(time.process_time() - begin)
                curves[seed][rows], own = curves_on(strategy, train, test, seed, n)
                seconds[name].append(own)
            print(f"fold {fold}: {name} {curves[:, rows].mean(axis=(0, 1))[[0, 4, 9]]}", flush=True)
    return found, seconds, training


def family_means(values, groups):
    """Mean over the datasets of each family."""
    _, index = np.unique(groups, return_inverse=True)
    return np.bincount(index, values) / np.bincount(index)


def holm(p_values):
    """Holm's correction."""
    order = np.argsort(p_values)
    scaled = np.asarray(p_values)[order] * (len(order) - np.arange(len(order)))
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted


def correct(lines):
    """Enter p-values after Holm's correction over the methods, for each table and number."""
    for key in {(line["table"], str(line["evaluations"])) for line in lines}:
        same = [
            line
            for line in lines
            if (line["table"], str(line["evaluations"])) == key and line["p"] != ""
        ]
        for line, p in zip(same, holm([float(line["p"]) for line in same]), strict=True):
            line["p_holm"] = f"{p:.2g}"


def rows_of(table, found, seconds, training, options):
    """Lines of the table, a line for each method and number of evaluations."""
    n = next(iter(found.values())).shape[-1]
    lost = table.regret
    exact = [random_curve(table, lost, i, 0, n) for i in range(len(table.datasets))]
    means = {name: curves.mean(axis=0) for name, curves in found.items()}
    means["random"] = np.array(exact)
    reference, lines = means[options.reference], []
    for k in (k for k in AT if k <= n):
        p_values = {}
        for name in options.methods:
            gap = family_means(means[name][:, k - 1] - reference[:, k - 1], table.groups)
            p_values[name] = wilcoxon(gap).pvalue if np.any(np.abs(gap) > 1e-12) else 1.0
        for name, curve in means.items():
            seeds = found[name][:, :, k - 1].mean(axis=1) if name in found else np.zeros(1)
            mean = curve[:, k - 1].mean()
            lines.append(
                {
                    "table": table.name,
                    "method": name,
                    "evaluations": k,
                    "regret": f"{mean:.5f}",
                    "over_seeds": f"{seeds.std():.5f}",
                    "difference": f"{mean - reference[:, k - 1].mean():.5f}",
                    "p": f"{p_values[name]:.3g}" if name in p_values else "",
                    "p_holm": "",
                    "seeds": len(found[name]) if name in found else 0,
                    "ms_per_suggestion": f"{1e3 * np.mean(seconds.get(name) or [0]):.2f}",
                    "training_seconds": f"{np.mean(training.get(name) or [0]):.0f}",
                }
            )
    return lines


def main():
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundled", choices=("classification", "regression"))
    parser.add_argument("--train", help="errors of the datasets, in Oboe's layout")
    parser.add_argument("--groups", help="family per dataset: CSV of two columns, or JSON")
    parser.add_argument("--metafeatures", help="OpenML qualities per data id, CSV")
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--reference", default="auto", choices=BY_HAND)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--evaluations", type=int, default=50)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    if options.bundled:
        table = guided(read_bundled(options.bundled))
    elif options.train:
        table = read_errors(options.train, None, options.groups, options.metafeatures)
    else:
        parser.error("give --bundled or --train")
    lines = rows_of(table, *judge(table, options), options)
    path, kept = options.out / "metalearners_search.csv", []
    if path.exists():
        with open(path, newline="") as file:
            ours = {line["method"] for line in lines}
            kept = [
                row
                for row in csv.DictReader(file)
                if row["table"] != table.name or row["method"] not in ours
            ]
    correct(kept + lines)
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(lines[0]))
        writer.writeheader()
        writer.writerows(kept + lines)
    for line in lines:
        print(*line.values())


if __name__ == "__main__":
    main()
