"""What the past says of boosters of other packages where a search is to choose among their settings.

    python benchmarks/named_boosters.py --out benchmarks/results/named_boosters.csv

The configurations of LightGBM, XGBoost and CatBoost in the bundled base are searched, each package
alone, on each dataset that was measured with all of them: without a past, by the strategy that then
stands in (a Gaussian process), and by ``strategy="auto"`` with what is known of other families of
datasets. Printed is the regret after so many evaluations, 0 for the best of the package and 1 for the
dummy estimator, and the paired difference with its standard error.
"""

import argparse
from pathlib import Path

import numpy as np
from _replay import replay, without
from joblib import Parallel, delayed
from wider_pool import BOOSTERS, write

from sk_metalearn import KnowledgeBase
from sk_metalearn.search._past_lookup import performance_of

JUDGED = (
    ("classification", "roc_auc_ovr"),
    ("classification", "neg_log_loss"),
    ("regression", "r2"),
)
AT = (1, 2, 3, 5, 8)


def compare_task(table, row, metric, pool):
    """Give the regrets of both searches: (past, time)."""
    scores = table.scores(metric)[row, table.columns_of(pool)]
    features = dict(zip(table.metafeature_names, table.metafeatures[row], strict=True))
    way = scores.max() - table.baseline(metric)[row]
    regret = np.clip((scores.max() - scores) / (way if way > 0 else np.nan), 0, 1)
    found = []
    for past in (None, performance_of(pool, metric, without(table, table.tasks[row].family))):
        order = replay(pool, scores, table.kind, past, features, max(AT))
        found.append([regret[order[:n]].min() for n in AT])
    return found


def compare(table, family, metric, n_jobs):
    """Give the regrets of all datasets measured with every configuration of a family."""
    pool = [own for own in table.configurations if own.family == family]
    measured = np.isfinite(table.scores(metric)[:, table.columns_of(pool)]).all(axis=1)
    work = (delayed(compare_task)(table, row, metric, pool) for row in np.flatnonzero(measured))
    regrets = np.array(Parallel(n_jobs)(work))
    return regrets[np.isfinite(regrets).all(axis=(1, 2))]


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    base, table = KnowledgeBase.bundled(), []
    for kind, metric in JUDGED:
        for family in BOOSTERS:
            regrets = compare(base.table(kind), family, metric, options.jobs)
            gain = regrets[:, 1] - regrets[:, 0]
            error = gain.std(axis=0, ddof=1) / len(gain) ** 0.5
            columns = *regrets.mean(axis=0), gain.mean(axis=0), error
            for n, *numbers in zip(AT, *columns, strict=True):
                told = (f"{own:.4f}" for own in numbers)
                table.append((family, metric, len(gain), n, *told))
    head = "family", "metric", "datasets", "evaluations", "no past", "past", "difference", "error"
    write(options.out, [head, *table])
    for row in (head, *table):
        print(*row, sep="\t")


if __name__ == "__main__":
    main()
