"""What ten related datasets of one's own save on the eleventh.

A series is one real dataset split by a column (a year, a state, a district), or datasets with the
same parent. For each of a few parts of a series the other ten are searched first, one after the
other, and recorded in a base of one's own. Then the part itself is searched

- ``none``: with no knowledge at all,
- ``bundled``: with the bundled base, without all kin of the series,
- ``own``: with the own base alone (``knowledge=base``),
- ``both``: with the own base beside the bundled one (``remember=base``).

The searches are over a grid of a pipeline that the catalogue knows (a scaled SVM) and of one that
it does not (Nystroem's features and a ridge model). Reported is the number of evaluations until
80, 90 and 95 % of the way from the grid's median score to its best, and the mean of the three; one
more than there were where a search did not get there. At 5 evaluations: the share of that way.

    python benchmarks/own_knowledge.py --data DIR --out benchmarks/results/own_knowledge.csv

DIR is a folder of datasets with an ``index.csv`` (columns slug, name, task, group). Series that are in
``--out`` are not measured again. ``--table`` prints the means only.
"""

import argparse
import csv
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from sk_metalearn import KnowledgeBase, MetaSearchCV

SPLIT = {
    "kings_county": "zipcode",
    "fars": "CASE_STATE",
    "wind": "year",
    "hotel_reservations": "arrival_month",
    "hotel_rates": "country",
    "adult": "occupation",
    "pc-prices": "trend",
    "nassCDS": "yearVeh",
    "miami_housing": "month_sold",
}
GROUPS = ("nasa",)
N_PARTS, N_HELD, N_PAST, N_ITER, N_ROWS = 11, 2, 12, 20, 250
ARMS = ("none", "bundled", "own", "both")
WAYS = (0.8, 0.9, 0.95)


def read_series(data, name):
    """Give the kind, the names of the kin, and the parts of a series by name."""
    index = pd.read_csv(data / "index.csv")
    rng = np.random.default_rng(0)
    if name in SPLIT:
        row = index[index.slug == name].iloc[0]
        frame, column = pd.read_parquet(data / f"{name}.parquet"), SPLIT[name]
        frames = {str(level): part.drop(columns=column) for level, part in _levels(frame, column)}
        kind, kin = row.task, [row["name"]]
    else:
        rows = index[index.group == name]
        kind = rows.task.mode()[0]
        rows = rows[rows.task == kind]
        frames = {
            row.slug: pd.read_parquet(data / f"{row.slug}.parquet") for row in rows.itertuples()
        }
        kin = list(rows["name"])
    parts = {}
    for part, frame in frames.items():
        numbers = frame.apply(lambda own: own.cat.codes if own.dtype == "category" else own)
        target = numbers.pop("target")
        if kind == "classification":
            target = frame["target"].astype(str).astype("category").cat.codes
            target = target.where(target.map(target.value_counts()) >= 10)
        keep = np.flatnonzero(target.notna())
        keep = np.sort(rng.choice(keep, min(N_ROWS, len(keep)), replace=False))
        y = target.to_numpy(dtype=float)[keep]
        X = numbers.astype(float).iloc[keep]
        X = X.fillna(X.median()).fillna(0.0).to_numpy()
        y = y.astype(int) if kind == "classification" else (y - y.mean()) / y.std()
        parts[part] = X[:, X.std(axis=0) > 0], y
    return kind, kin, dict(list(parts.items())[:N_PARTS])


def _levels(frame, column):
    """Parts of at least 150 rows, of classes at least 25 rows of the second."""
    counts = frame[column].value_counts()
    for level in counts.index:
        part = frame[frame[column] == level]
        target = part["target"]
        classes = target.value_counts()
        enough = target.dtype != "category" or (len(classes) > 1 and classes.iloc[1] >= 25)
        if len(part) >= 150 and enough:
            yield level, part


def searches(kind):
    """Give estimator and grid of each kind of search."""
    classes = kind == "classification"
    gammas = np.logspace(-4, 2, 7).tolist()
    return {
        "svm": (
            make_pipeline(StandardScaler(), SVC() if classes else SVR()),
            _named("svc" if classes else "svr", C=np.logspace(-2, 2, 7).tolist(), gamma=gammas),
        ),
        "nystroem": (
            make_pipeline(
                StandardScaler(),
                Nystroem(random_state=0),
                RidgeClassifier() if classes else Ridge(),
            ),
            {
                **_named("nystroem", n_components=[10, 40], gamma=gammas),
                **_named(
                    "ridgeclassifier" if classes else "ridge", alpha=np.logspace(-3, 3, 5).tolist()
                ),
            },
        ),
    }


def _named(step, **values):
    return {f"{step}__{name}": own for name, own in values.items()}


def measure(data, name):
    """Measure a series; give a row per search."""
    kind, kin, parts = read_series(data, name)
    bundled = KnowledgeBase.bundled().without(tasks=kin)
    names, rng = list(parts), np.random.default_rng(1)
    for what, (estimator, grid) in searches(kind).items():
        for seed, held in enumerate(rng.choice(names, N_HELD, replace=False)):
            base = KnowledgeBase()
            options = {"cv": 3, "refit": False, "random_state": seed}
            for part in (own for own in names if own != held):
                search = MetaSearchCV(estimator, grid, n_iter=N_PAST, knowledge=None, **options)
                search.set_params(remember=base).fit(*parts[part])
            whole = MetaSearchCV(
                estimator, grid, n_iter="all", strategy="grid", knowledge=None, **options
            ).fit(*parts[held])
            scores = whole.cv_results_["mean_test_score"]
            low, high = np.nanmedian(scores), np.nanmax(scores)
            if not high > low:
                continue
            for arm, known in (
                ("none", {"knowledge": None}),
                ("bundled", {"knowledge": bundled}),
                ("own", {"knowledge": base}),
                # Last: it records what it finds.
                ("both", {"knowledge": bundled, "remember": base}),
            ):
                search = MetaSearchCV(estimator, grid, n_iter=N_ITER, **known, **options)
                found = search.fit(*parts[held]).cv_results_["mean_test_score"]
                way = np.maximum.accumulate(np.nan_to_num((found - low) / (high - low), nan=-1))
                needed = {
                    f"to_{round(100 * share)}": _first(np.flatnonzero(way >= share))
                    for share in WAYS
                }
                yield {
                    "series": name,
                    "parts": len(parts),
                    "kind": kind,
                    "search": what,
                    "part": held,
                    "knowledge": arm,
                    **needed,
                    "evaluations": round(float(np.mean(list(needed.values()))), 3),
                    "way_at_5": round(float(way[4]), 3),
                }


def _first(reached):
    return int(reached[0]) + 1 if len(reached) else N_ITER + 1


def show(rows):
    """Print the mean over series, and its spread over them."""
    table = pd.DataFrame(rows)
    for what, part in table.groupby("search"):
        means = part.groupby(["series", "knowledge"]).evaluations.mean().unstack()[list(ARMS)]
        ways = part.groupby(["series", "knowledge"]).way_at_5.mean().unstack()[list(ARMS)]
        print(f"{what}: {len(means)} series")
        for arm in ARMS:
            saved = means["none"] - means[arm]
            print(
                f"  {arm:8} evaluations {means[arm].mean():5.1f}, saved {saved.mean():5.1f} "
                f"(standard deviation over series {saved.std():.1f}; better in {(saved > 0).sum()}, "
                f"worse in {(saved < 0).sum()}); way at 5 evaluations {ways[arm].mean():.2f}"
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/own_knowledge.csv"))
    parser.add_argument("--series", nargs="*", default=[*SPLIT, *GROUPS])
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    rows = list(csv.DictReader(options.out.open())) if options.out.exists() else []
    warnings.simplefilter("ignore")
    for name in () if options.table else options.series:
        if name in {row["series"] for row in rows}:
            continue
        rows += measure(options.data, name)
        pd.DataFrame(rows).to_csv(options.out, index=False, lineterminator="\n")
        print(name, flush=True)
    show(pd.read_csv(options.out))


if __name__ == "__main__":
    main()
