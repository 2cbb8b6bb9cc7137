"""What a search on many rows gains by asking what past tasks scored on many rows.

    python benchmarks/many_rows.py [--base KNOWLEDGE.npz] --out benchmarks/results/many_rows.csv

Each task measured on up to 10,000 rows is searched once: among the configurations measured so, by
``strategy="auto"``, without what is known of the task's family. The past is what the other tasks
scored on 2,000 rows, or that of `on_many_rows`. Families named in ``--used`` are not judged: on
them the rule was chosen. Printed is the regret on 10,000 rows of the best of
the first so many, 0 for the best configuration and 1 for the dummy estimator, and the paired
difference.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from _replay import replay, without

from sk_metalearn import KnowledgeBase
from sk_metalearn.search._many_rows import on_many_rows
from sk_metalearn.search._past_lookup import performance_of

METRICS = {
    "classification": ("roc_auc_ovr", "neg_log_loss", "accuracy"),
    "regression": ("r2", "neg_mean_absolute_error"),
}
AT = (1, 2, 3, 5, 8, 12)
USED = Path(__file__).parent / "many_rows_used.txt"


def compare(base, kind, metric, used=()):
    """Give the regrets with the past of few rows and with that of many, a row a task."""
    large, main = base.table(kind, "large"), base.table(kind)
    models = [own for own in large.configurations if own.family != "dummy"]
    columns = large.columns_of(models)
    found = []
    for row, task in enumerate(large.tasks):
        scores = large.scores(metric, failures="dummy")[row, columns]
        best, dummy = np.nanmax(scores), large.baseline(metric)[row]
        if task.family in used or not best > dummy:
            continue
        others = without(main, task.family)
        past = performance_of(models, metric, others)
        features = main.metafeatures[main.row(task.id)]
        features = dict(zip(main.metafeature_names, features, strict=True))
        moved, _ = on_many_rows(past, models, metric, others, without(large, task.family))
        orders = [replay(models, scores, kind, own, features, max(AT)) for own in (past, moved)]
        curves = np.maximum.accumulate(np.nan_to_num(scores[orders], nan=-np.inf), axis=1)
        found.append(np.clip((best - curves) / (best - dummy), 0, 1))
    return np.array(found)


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--used", type=Path, default=USED)
    options = parser.parse_args()
    used = {*options.used.read_text(encoding="utf-8").splitlines()}
    base = KnowledgeBase.bundled() if options.base is None else KnowledgeBase.open(options.base)
    table = [("metric", "tasks", "evaluations", "2,000 rows", "10,000 rows", "difference", "error")]
    for kind, metrics in METRICS.items():
        for metric in metrics:
            regrets = compare(base, kind, metric, used)
            for k in AT:
                few, many = regrets[:, 0, k - 1], regrets[:, 1, k - 1]
                error = (many - few).std(ddof=1) / len(few) ** 0.5
                numbers = few.mean(), many.mean(), (many - few).mean(), error
                table.append((metric, len(few), k, *(f"{number:.4f}" for number in numbers)))
    with options.out.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(table)
    for row in table:
        print(*row, sep="\t")


if __name__ == "__main__":
    main()
