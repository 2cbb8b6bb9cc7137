"""Judge metrics of meta-features by the datasets they retrieve from the bundled knowledge.

    python benchmarks/metalearners_retrieval.py

Families are dealt out in 5 folds; the metrics are learned without the families of the datasets that
ask. Each dataset asks for the nearest others. ``metalearners_retrieval.csv`` in `--out` has the
correlation of its loss profile with those of the nearest and of the five nearest, the reciprocal rank
of the first dataset of its own family (for datasets that have relatives), and how much more that is
than by Euclidean distance, with half the width of the 95 % confidence interval.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from transfer import deal

from sk_metalearn.metalearners import OuterLoop, namespace, value_and_grad
from sk_metalearn.strategies._alike import metafeature_table, profile_embedding
from sk_metalearn.strategies.meta_training import bundled_searches

MARGIN = 1.0
SCALES = (0.03, 0.1, 0.3, 1.0)
N_HARD = 16  # of so many pairs that are not alike, the nearest is trained on
OUTER = OuterLoop(max_iter=200, batch_size=64, learning_rate=0.01, validation_interval=20)


def saturating(params, gaps):
    """Squared distance: weighted columns, each beyond some scale as far as it gets.

    It is the Euclidean distance of twin embeddings by Gaussian kernels of single columns.
    """
    xp = namespace(gaps)
    parts = [1 - xp.exp(-(gaps**2) / (2 * scale**2)) for scale in SCALES]
    return (xp.concatenate(parts, -1) * xp.exp(params["log_weights"])).sum(-1)


def contrastive_loss(params, alike, different):
    """Pull pairs that are alike together, push others at least the margin apart."""
    near = saturating(params, alike)
    far = namespace(different).sqrt(saturating(params, different) + 1e-8)
    return 0.5 * (near.mean() + (namespace(far).clip(MARGIN - far, 0.0, None) ** 2).mean())


def learn_contrastive(table, alike, groups):
    """Siamese network on single columns, with hard negatives.

    It stops early where a third of the families, held out, retrieves its own kind best.
    """
    rng = np.random.RandomState(0)
    gaps = differences(table)
    families = rng.permutation(np.unique(groups))
    held = np.isin(groups, families[: len(families) // 3])
    inside = np.triu(~held[:, None] & ~held, 1)
    near, far = np.argwhere(inside & alike), np.argwhere(inside & ~alike)
    asking = np.flatnonzero(held & alike.any(axis=1))

    def draw(pairs, n):
        return gaps[tuple(pairs[rng.choice(len(pairs), n)].T)]

    def gradient(params):
        different = draw(far, N_HARD * OUTER.batch_size)
        hardest = np.argsort(saturating(params, different))[: OUTER.batch_size]
        pairs = draw(near, OUTER.batch_size), different[hardest]
        return value_and_grad(contrastive_loss, params, *pairs)

    def validate(params):
        distance = saturating(params, gaps[asking])
        distance[np.arange(len(asking)), asking] = np.inf
        nearest = np.where(alike[asking], distance, np.inf).min(axis=1)
        return -np.mean(1 / (1 + (distance < nearest[:, None]).sum(axis=1)))

    n_weights = len(SCALES) * table.shape[1]
    start = {"log_weights": np.full(n_weights, -np.log(n_weights), dtype=np.float32)}
    return OUTER.run(start, gradient, validate, "siamese metric")[0]


def differences(table):
    """Differences of all pairs of datasets, column by column."""
    return (table[:, None] - table).astype(np.float32)


def like_profiles(likeness):
    """The tenth of all pairs with the highest correlation of profiles."""
    near = likeness >= np.quantile(likeness[np.triu_indices(len(likeness), 1)], 0.9)
    return near & ~np.eye(len(near), dtype=bool)


def distances(table, normal, groups, train):
    """Squared distances of all datasets by each metric, learned on the rows `train`."""
    gaps = differences(table)
    points = table @ profile_embedding(table[train], normal[train])
    families = (groups[train][:, None] == groups[train]) & ~np.eye(len(train), dtype=bool)
    likeness = np.corrcoef(normal[train])
    n_weights = len(SCALES) * table.shape[1]
    found = {
        "Euclidean": (gaps**2).sum(-1),
        "saturating, not learned": saturating({"log_weights": np.zeros(n_weights, "f")}, gaps),
        "twin maps regressed on profiles": ((points[:, None] - points) ** 2).sum(-1),
    }
    for name, alike in (("profiles", like_profiles(likeness)), ("families", families)):
        params = learn_contrastive(table[train], alike, groups[train])
        found[f"siamese, pairs of like {name}"] = saturating(params, gaps)
    return found


def judge(kind):
    """Yield the rows of the table."""
    searches = bundled_searches(kind, n_searches=1)
    rows, normal = searches.matrix.rows, searches.matrix.normal
    own = searches.context(0).metafeatures
    table, groups = metafeature_table(searches.past, own, rows)[0], searches.groups[rows]
    folds, likeness = deal(groups, 5), np.corrcoef(normal)
    related = (groups[:, None] == groups) & ~np.eye(len(groups), dtype=bool)
    found = {}
    for fold in range(5):
        for name, distance in distances(
            table, normal, groups, np.flatnonzero(folds != fold)
        ).items():
            for i in np.flatnonzero(folds == fold):
                distance[i, i] = np.inf
                order = np.argsort(distance[i], kind="stable")[:-1]
                rank = np.argmax(related[i, order]) + 1 if related[i].any() else np.nan
                answer = likeness[i, order[0]], likeness[i, order[:5]].mean(), 1 / rank
                found.setdefault(name, []).append(answer)
    euclidean = np.array(found["Euclidean"])
    for name, answers in found.items():
        row = {"kind": kind, "metric": name, "datasets": len(answers)}
        columns = ("profile_of_nearest", "profile_of_5", "reciprocal_rank")
        for column, values, before in zip(columns, np.array(answers).T, euclidean.T, strict=True):
            asked = np.isfinite(values)
            more = (values - before)[asked]
            row |= {
                column: round(values[asked].mean(), 3),
                f"{column}_more": round(more.mean(), 3),
                f"{column}_interval": round(1.96 * more.std(ddof=1) / np.sqrt(len(more)), 3),
            }
        yield row | {"with_relatives": int(asked.sum())}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows = [row for kind in ("classification", "regression") for row in judge(kind)]
    with open(options.out / "metalearners_retrieval.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=rows[0])
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(*row.values(), sep="\t")


if __name__ == "__main__":
    main()
