"""Which meta-features tell how configurations will do on a new dataset?

    python benchmarks/metafeature_selection.py --data DIR --out selection.csv

``DIR`` holds ``corpus/index.csv``, ``corpus/<slug>.parquet`` and ``tables/oboe``,
``tables/tensoroboe``. The tables of scores are those of the bundled knowledge (``classification``
by accuracy, ``regression`` by R2) and the public ones of Oboe and TensorOboe (``oboe``,
``tensoroboe``: balanced error), as far as the datasets are in the corpus.

A set of meta-features is judged by what it is for. Every family is left out in turn (in ten folds
of families); from the datasets left, weighted by their nearness in the set, follow the expected
rank of each configuration and a greedily built portfolio; the one is compared with the ranks on
the dataset left out, the regret of the other is read off there. How fast weights fall with the
distance is tuned for each set on the families left. The selection itself (``chosen``) is made anew
inside each fold, among the meta-features cheap enough for the default set, so that it has not seen
the datasets it is judged on.
"""

import argparse
import ast
import csv
import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.model_selection import GroupKFold

from sk_metalearn.knowledge import KnowledgeBase
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
#: What the selections added to the default set. Found by looking at them: a little optimistic.
GAINS = ["probe_tree_gain", "probe_one_nn_gain"]
CHEAP = ("scan", "order", "probe")
PICKS = (1, 3, 5, 10)
WIDTHS = (0.5, 0.7, 1.0, 1.4, 2.0)
TABLES = ("classification", "regression", "oboe", "tensoroboe")
METRICS = {"classification": "accuracy", "regression": "r2"}


def measure(folder, slugs, kind, cache):
    """Compute all meta-features of some datasets of the corpus, or read them from the cache."""
    cache = Path(cache) / f"{kind}.csv" if cache else None
    if cache and cache.exists():
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
    """Read a table of losses: a row per dataset (slug or data id), a column per configuration."""
    if name in METRICS:
        base = KnowledgeBase.bundled()
        table = base.table(name)
        scores = table.scores(METRICS[name], failures="dummy")
        return pd.DataFrame(-scores, index=[task.name for task in table.tasks])
    tables = Path(folder) / "tables"
    if name == "oboe":
        table = pd.read_csv(tables / "oboe" / "error_matrix.csv.gz", index_col=0)
        table.columns = [json.dumps(ast.literal_eval(column)) for column in table.columns]
        return table
    tensor = np.load(tables / "tensoroboe" / "tensor.npz")
    error = tensor["error"].astype(float)
    # one preprocessing per estimator: the one that is best on average
    flat = error.reshape(len(error), -1, error.shape[-1])
    best = np.nanmean(flat, axis=0).argmin(axis=0)
    matrix = flat[:, best, np.arange(error.shape[-1])]
    return pd.DataFrame(matrix, index=tensor["dataset_id"])


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
    nearest = np.partition(square, 9, axis=1)[:, :10]
    unit = np.median(nearest[np.isfinite(nearest)]) + 1e-12
    found = np.exp(-0.5 * square / (unit * width**2)) + 1e-3
    found[~np.isfinite(square)] = 0.0
    return found / found.sum(axis=1, keepdims=True)


def squares(a, b):
    """Squared distances between rows, summed over meta-features."""
    return ((a[:, None] - b) ** 2).sum(axis=2)


def prediction_error(square, same, scores, width):
    """Error of the scores predicted by the datasets of other families."""
    near = np.where(same, np.inf, square)
    return np.mean((weights(near, width) @ scores - scores) ** 2)


def choose(features, scores, groups, most, width=1.0):
    """Add features one by one while they lower the error of the scores predicted by neighbours."""
    same = groups[:, None] == groups
    found = {
        name: np.subtract.outer(c, c) ** 2
        for name, c in zip(features, features.to_numpy().T, strict=True)
    }
    total, chosen = np.zeros(same.shape), []
    error = prediction_error(total, same, scores, width)
    while len(chosen) < most:
        errors = {
            name: prediction_error(total + square, same, scores, width)
            for name, square in found.items()
            if name not in chosen
        }
        best = min(errors, key=errors.get)
        if errors[best] > error - 1e-4:
            break
        error, total = errors[best], total + found[best]
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


def judge(features, regret, scores, groups, sets, cheap, most):
    """Dataset by dataset: squared error of the predicted ranks, and regret after some picks."""
    found = {
        name: np.full((len(regret), 1 + len(PICKS)), np.nan) for name in ("none", *sets, "chosen")
    }
    selections = []
    for train, test in GroupKFold(min(10, len(set(groups)))).split(regret, groups=groups):
        ranked = scaled(features, train)
        same = groups[train][:, None] == groups[train]
        candidates = ranked[[name for name in ranked if name in cheap]].iloc[train]
        chosen = choose(candidates, scores[train], groups[train], most)
        selections.append(chosen)
        for name, members in {"none": [], **sets, "chosen": chosen}.items():
            matrix = ranked[[m for m in members if m in ranked]].to_numpy()
            if members:
                inside = squares(matrix[train], matrix[train])
                errors = [prediction_error(inside, same, scores[train], w) for w in WIDTHS]
                width = WIDTHS[int(np.argmin(errors))]
                weight = weights(squares(matrix[test], matrix[train]), width)
            else:
                weight = np.full((len(test), len(train)), 1 / len(train))
            error = np.mean((weight @ scores[train] - scores[test]) ** 2, axis=1)
            for row, w, e in zip(test, weight, error, strict=True):
                picks = portfolio(regret[train], w, max(PICKS))
                best = np.minimum.accumulate(regret[row, picks])
                found[name][row] = e, *best[[p - 1 for p in PICKS]]
    return found, selections


def report(name, found, sizes, families):
    """Yield the rows of the result, and print them."""
    none = found["none"]
    print(f"{'':20s}{'ranks explained':>18s}" + "".join(f"{f'regret @{k}':>18s}" for k in PICKS))
    for words, values in found.items():
        difference = values - none
        error = difference.std(axis=0, ddof=1) / np.sqrt(len(values))
        explained = 1 - values[:, 0].mean() / none[:, 0].mean()
        cells = [(explained, error[0] / none[:, 0].mean())]
        cells += list(zip(values.mean(axis=0)[1:], error[1:], strict=True))
        print(f"{words:20s}" + "".join(f"{v:10.3f} ±{e:.3f} " for v, e in cells))
        measures = ["explained", *(f"regret@{k}" for k in PICKS)]
        for measured, (value, e) in zip(measures, cells, strict=True):
            yield name, len(values), families, words, sizes[words], measured, value, e


def study(arguments, name):
    """Judge the sets on one table, and yield the rows of the result."""
    kind = "regression" if name == "regression" else "classification"
    index = pd.read_csv(Path(arguments.data) / "corpus" / "index.csv")
    index = index[index["task"] == kind]
    table = losses(arguments.data, name)
    key = "slug" if name in METRICS else "openml_id"
    index = index[index[key].isin(table.index)].drop_duplicates(key)
    table = table.loc[index[key]]
    # a dataset on which little was measured judges nothing
    enough = table.notna().mean(axis=1).to_numpy() >= 0.5
    index, table = index[enough], table[enough]
    features = measure(arguments.data, index["slug"].tolist(), kind, arguments.cache)
    regret, scores = normalised(table.to_numpy(float))
    groups = pd.factorize(index["group"])[0]
    # OpenML's names say again what others say
    known = [f for f in list_meta_features(kind) if f.group != "openml"]
    default = [f.name for f in list_meta_features(kind, "default")]
    sets = {
        "FLAML's 4": FLAML,
        "auto-sklearn's 38": AUTO_SKLEARN,
        "all": [f.name for f in known],
        "default": default,
        "default without gains": [name for name in default if name not in GAINS],
    }
    cheap = {f.name for f in known if f.cost in CHEAP}
    found, selections = judge(features, regret, scores, groups, sets, cheap, arguments.most)
    sizes = {"none": 0, "chosen": round(np.mean([len(s) for s in selections]))}
    sizes |= {words: sum(m in features for m in members) for words, members in sets.items()}
    families = len(set(groups))
    print(
        f"\n{name}: {len(table)} datasets of {families} families, {table.shape[1]} configurations"
    )
    yield from report(name, found, sizes, families)
    times = pd.Series([m for chosen in selections for m in chosen]).value_counts()
    print("chosen in at least half of the folds:", list(times.index[times >= len(selections) / 2]))
    whole = scaled(features[[m for m in features if m in cheap]], np.arange(len(features)))
    print("chosen from all datasets:", choose(whole, scores, groups, arguments.most), flush=True)


def main():
    """Select, judge, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with corpus/ and tables/")
    parser.add_argument("--out", required=True, help="where the table goes")
    parser.add_argument("--table", nargs="+", choices=TABLES, default=TABLES)
    parser.add_argument("--most", type=int, default=25, help="most meta-features to choose")
    parser.add_argument("--cache", help="folder in which computed meta-features are kept")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    head = "table", "datasets", "families", "set", "size", "measure", "value", "standard_error"
    with open(arguments.out, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for name in arguments.table:
            for row in study(arguments, name):
                writer.writerow((*row[:6], f"{row[6]:.4f}", f"{row[7]:.4f}"))


if __name__ == "__main__":
    main()
