"""Which meta-features predict what will do well on datasets of families never seen?

    python benchmarks/metafeature_selection.py --data DIR --table FILE.csv --kind classification

``DIR`` holds ``corpus/index.csv`` and ``corpus/<slug>.parquet``. ``FILE.csv`` holds losses, a row
per dataset (slug, or OpenML data id) and a column per configuration; ``DIR/tables/oboe`` and
``DIR/tables/tensoroboe`` are understood too (``--table oboe``, ``--table tensoroboe``).

A set of meta-features is judged by what it is for. Every family is left out in turn (in ten folds
of families); the datasets left are weighted by their nearness in the set; a portfolio is built
greedily under these weights; its regret is read off the dataset left out. The selection itself is
made anew inside each fold, from the families left there, so that it has not seen the datasets it is
judged on.
"""

import argparse
import ast
import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.model_selection import GroupKFold

from sk_metalearn.metafeatures import MetaFeatureExtractor, list_meta_features

FLAML = ["n_rows", "n_columns", "n_classes", "fraction_numeric"]
#: The 38 numbers of auto-sklearn 0.15 under our names (Feurer et al. 2015, supplement), as far as
#: they exist: STD of symbols and moments are n - 1 here.
AUTO_SKLEARN = [
    *("class_entropy", "n_levels_sum", "n_levels_sd", "n_levels_mean", "n_levels_max"),
    *("n_levels_min", "class_share_sd", "class_share_mean", "class_share_max", "class_share_min"),
    *("columns_per_row", "rows_per_column", "categorical_to_numeric", "numeric_to_categorical"),
    *("n_categorical", "n_numeric", "n_missing", "n_columns_missing", "n_rows_missing"),
    *("n_columns", "n_classes", "n_rows", "log_columns_per_row", "fraction_missing"),
    *("fraction_columns_missing", "fraction_rows_missing", "log_n_columns", "log_n_rows"),
    *("skewness_mean", "skewness_sd", "kurtosis_mean", "kurtosis_sd", "MinSkewnessOfNumericAtts"),
    *("MaxSkewnessOfNumericAtts", "MinKurtosisOfNumericAtts", "MaxKurtosisOfNumericAtts"),
    *("pca_95", "pca_abs_skewness", "pca_kurtosis"),
]
PICKS = (1, 3, 5, 10)


def measure(folder, slugs, kind, cache):
    """Compute all meta-features of some datasets of the corpus, or read them from the cache."""
    if cache and Path(cache).exists():
        table = pd.read_csv(cache, index_col=0)
        if set(slugs) <= set(table.index):
            return table.loc[slugs]
    extractor, rows = MetaFeatureExtractor(groups="all"), {}
    for slug in slugs:
        frame = pd.read_parquet(Path(folder) / "corpus" / f"{slug}.parquet")
        rows[slug] = extractor.extract(frame.drop(columns="target"), frame["target"], kind)
    table = pd.DataFrame.from_dict(rows, orient="index")
    if cache:
        table.to_csv(cache)
    return table


def losses(folder, name):
    """Read a table of losses: a row per dataset, a column per configuration."""
    tables = Path(folder) / "tables"
    if name == "oboe":
        table = pd.read_csv(tables / "oboe" / "error_matrix.csv.gz", index_col=0)
        table.columns = [json.dumps(ast.literal_eval(column)) for column in table.columns]
        return table
    if name == "tensoroboe":
        tensor = np.load(tables / "tensoroboe" / "tensor.npz")
        error = tensor["error"].astype(float)
        # one preprocessing per estimator: the one that is best on average
        flat = error.reshape(len(error), -1, error.shape[-1])
        best = np.nanmean(flat, axis=0).argmin(axis=0)
        matrix = flat[:, best, np.arange(error.shape[-1])]
        return pd.DataFrame(matrix, index=tensor["dataset_id"])
    return pd.read_csv(name, index_col=0)


def normalised(table):
    """Regret in units of (median - best), cut at 1, and normal scores of the ranks."""
    table = np.where(np.isnan(table), np.nanmax(table, axis=1, keepdims=True), table)
    best = table.min(axis=1, keepdims=True)
    spread = np.maximum(np.median(table, axis=1, keepdims=True) - best, 1e-6)
    ranks = stats.rankdata(table, axis=1)
    return np.clip((table - best) / spread, 0, 1), stats.norm.ppf(ranks / (table.shape[1] + 1))


def scaled(features, train):
    """Ranks among the training datasets as normal scores; what is missing lies in the middle."""
    columns = {}
    for name, column in features.items():
        seen = np.sort(column.iloc[train].dropna().to_numpy())
        if len(seen) < 0.2 * len(train) or seen[0] == seen[-1]:
            continue
        low = np.searchsorted(seen, column.to_numpy(), "left")
        high = np.searchsorted(seen, column.to_numpy(), "right")
        score = stats.norm.ppf(((low + high) / 2 + 0.5) / (len(seen) + 1))
        score[column.isna().to_numpy()] = 0.0
        columns[name] = score
    return pd.DataFrame(columns, index=features.index)


def weights(square, width):
    """Weights from squared distances: Gaussian, in units of the median nearest distance."""
    square = np.maximum(square, 0)
    finite = np.where(np.isfinite(square), square, np.nan)
    unit = np.nanmedian(np.sort(finite, axis=1)[:, :10]) + 1e-12
    found = np.exp(-0.5 * square / (unit * width**2)) + 1e-3
    found[~np.isfinite(square)] = 0.0
    return found / found.sum(axis=1, keepdims=True)


def choose(features, scores, groups, most, width=1.0):
    """Add features one by one while they lower the error of the scores predicted by neighbours."""
    same = groups[:, None] == groups
    squares = {name: (c[:, None] - c) ** 2 for name, c in features.items()}
    total, chosen = np.zeros(same.shape), []
    mean = (~same).astype(float)
    mean /= mean.sum(axis=1, keepdims=True)
    error = np.mean((mean @ scores - scores) ** 2)
    while len(chosen) < most:
        found = {}
        for name, square in squares.items():
            if name not in chosen:
                near = np.where(same, np.inf, total + square)
                found[name] = np.mean((weights(near, width) @ scores - scores) ** 2)
        best = min(found, key=found.get)
        if found[best] > error - 1e-4:
            break
        error, total = found[best], total + squares[best]
        chosen.append(best)
    return chosen


def portfolio(regret, weight, size):
    """Pick configurations greedily for the least weighted mean of the best regret so far."""
    now, picks = np.ones(len(regret)), []
    for _ in range(size):
        gain = weight @ np.maximum(now[:, None] - regret, 0)
        gain[picks] = -1
        picks.append(int(gain.argmax()))
        now = np.minimum(now, regret[:, picks[-1]])
    return picks


def judge(features, regret, scores, groups, sets, most):
    """Regret of the portfolios after some picks, for each set, dataset by dataset."""
    found = {name: np.full((len(regret), len(PICKS)), np.nan) for name in ("none", *sets, "chosen")}
    selections = []
    for train, test in GroupKFold(min(10, len(set(groups)))).split(regret, groups=groups):
        ranked = scaled(features, train)
        chosen = choose(ranked.iloc[train], scores[train], groups[train], most)
        selections.append(chosen)
        for name, members in {"none": [], **sets, "chosen": chosen}.items():
            matrix = ranked[[m for m in members if m in ranked]].to_numpy()
            square = ((matrix[test][:, None] - matrix[train]) ** 2).sum(axis=2)
            weight = weights(square, 1.0) if members else np.full(square.shape, 1 / len(train))
            for row, w in zip(test, weight, strict=True):
                picks = portfolio(regret[train], w, max(PICKS))
                best = np.minimum.accumulate(regret[row, picks])
                found[name][row] = best[[p - 1 for p in PICKS]]
    return found, selections


def main():
    """Select, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with corpus/ and tables/")
    parser.add_argument("--table", required=True, help="oboe, tensoroboe or a CSV of losses")
    parser.add_argument("--kind", default="classification")
    parser.add_argument("--most", type=int, default=25, help="most meta-features to choose")
    parser.add_argument("--cache", help="CSV in which computed meta-features are kept")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    index = pd.read_csv(Path(arguments.data) / "corpus" / "index.csv")
    index = index[index["task"] == arguments.kind]
    table = losses(arguments.data, arguments.table)
    key = "slug" if table.index.isin(index["slug"]).any() else "openml_id"
    index = index[index[key].isin(table.index)].drop_duplicates(key)
    table = table.loc[index[key]]
    slugs = index["slug"].tolist()
    features = measure(arguments.data, slugs, arguments.kind, arguments.cache)
    regret, scores = normalised(table.to_numpy(float))
    groups = pd.factorize(index["group"])[0]
    default = [f.name for f in list_meta_features(arguments.kind, "default")]
    sets = {"FLAML's 4": FLAML, "auto-sklearn's 38": AUTO_SKLEARN, "default": default}
    found, selections = judge(features, regret, scores, groups, sets, arguments.most)
    print(f"{len(table)} datasets of {len(set(groups))} families, {table.shape[1]} configurations")
    print("mean regret in units of (median - best) after k picks (standard error of the difference")
    print("to no meta-features in brackets):")
    for name, values in found.items():
        difference = values - found["none"]
        error = difference.std(axis=0, ddof=1) / np.sqrt(len(difference))
        cells = (
            f"@{k} {v:.3f} ({e:.3f})"
            for k, v, e in zip(PICKS, values.mean(axis=0), error, strict=True)
        )
        print(f"  {name:18s}", "  ".join(cells))
    times = pd.Series([name for chosen in selections for name in chosen]).value_counts()
    print("chosen in at least half of the folds:", list(times.index[times >= len(selections) / 2]))
    whole = scaled(features, np.arange(len(features)))
    print("chosen from all datasets:", choose(whole, scores, groups, arguments.most))


if __name__ == "__main__":
    main()
