"""What folds that follow groups or time are worth, on new groups and on later rows.

    python benchmarks/order_and_groups.py run --data DIR --out order.jsonl
    python benchmarks/order_and_groups.py score order.jsonl --out benchmarks/results/order_and_groups.csv

Datasets whose rows belong to speakers, patients, countries, teams and the like: of these three
tenths are set aside, three times, and the column that names them is taken away. Datasets with a
date or year: the latest three tenths of the rows are set aside. An Auto estimator tries 6
configurations on 1,000 rows at most, without what is known of the dataset's family, once on folds
that follow the groups or the time and once on shuffled ones. Compared are the score that it tells
(``score_estimate_``: area under the ROC curve for two classes, accuracy for more, R2 for numbers)
with that on the rows set aside, and the losses there. Nothing about order and groups was chosen on
any dataset, so ``--used`` named an empty file.
"""

import warnings

import numpy as np
from pieces import mean_and_error, read_rows, run_or_score, write_table
from sklearn.model_selection import GroupShuffleSplit, TimeSeriesSplit

from sk_metalearn import AutoClassifier, AutoRegressor
from sk_metalearn.building._tasks import read_table

SCORING = {0: "r2", 2: "roc_auc"}
ROWS, N_ITER, TEST, DRAWS = 1000, 6, 0.3, 3
WAYS = ("followed", "shuffled")
# A score that is told is too good by more than this.
TOO_GOOD = 0.02
# Columns that say together to which group a row belongs.
GROUPS = {
    "Moneyball": ["team"],
    "analcatdata_apnea1": ["Subject"],
    "analcatdata_vineyard": ["Group"],
    "audit-risk": ["LOCATION_ID"],
    "caschool": ["county"],
    "colleges_aaup": ["State"],
    "colleges_usnews": ["State"],
    "orange-juice": ["StoreID"],
    "parkinsons-telemonitoring": ["age", "sex"],
    "strikes": ["country"],
    "vowel": ["Speaker Number"],
}
# Columns that say when a row was seen, the longest time first.
TIMES = {
    "Moneyball": ["year"],
    "analcatdata_supreme": ["Year_of_decision"],
    "csgo": ["year", "month", "day"],
    "gss-happiness": ["year"],
    "hotel_reservations": ["arrival_year", "arrival_month", "arrival_date"],
    "isl-wage": ["year"],
    "isl-weekly": ["Year"],
    "kings_county": ["date_year", "date_month", "date_day"],
    "life-expectancy": ["Year"],
    "profb": ["Year"],
    "real-estate-valuation": ["X1 transaction date"],
    "toronto-arrests": ["year"],
    "wind": ["year", "month", "day"],
}


def measure(source, knowledge):
    """Compare both kinds of folds, by groups, by time or by both."""
    X, y = read_table(source.path)
    y = np.asarray(y)
    if source.name in GROUPS:
        names = GROUPS[source.name]
        groups = X.groupby(names, observed=True).ngroup().to_numpy()
        splits = GroupShuffleSplit(DRAWS, test_size=TEST, random_state=0).split(X, y, groups)
        others = X.drop(columns=names)
        draws = [_compare(others, y, train, test, groups, knowledge) for train, test in splits]
        yield _mean_row(source, "groups", draws)
    if source.name in TIMES:
        order = X.astype({name: float for name in TIMES[source.name]})
        rows = X.index.get_indexer(order.sort_values(TIMES[source.name], kind="stable").index)
        cut = round((1 - TEST) * len(rows))
        draws = [_compare(X, y, rows[:cut], rows[cut:], None, knowledge)]
        yield _mean_row(source, "time", draws)


def _compare(X, y, train, test, groups, knowledge):
    """Scores told and found with folds that follow groups or time, and with others."""
    kind = "classification" if y.dtype.kind in "OUSbi" else "regression"
    n_classes = len(np.unique(y[train])) if kind == "classification" else 0
    if n_classes:
        test = test[np.isin(y[test], np.unique(y[train]))]
    if groups is None:
        train = train[-ROWS:]
    elif len(train) > ROWS:
        train = np.sort(np.random.default_rng(0).choice(train, ROWS, replace=False))
    auto = AutoClassifier if n_classes else AutoRegressor
    ways = {
        "shuffled": ({}, {}),
        "followed": ({"cv": TimeSeriesSplit(5)}, {})
        if groups is None
        else ({}, {"groups": groups[train]}),
    }
    found = {}
    for way, (options, params) in ways.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = auto(
                n_iter=N_ITER,
                scoring=SCORING.get(n_classes, "accuracy"),
                knowledge=knowledge,
                random_state=0,
                **options,
            ).fit(X.iloc[train], y[train], **params)
            found[f"found {way}"] = float(model.score(X.iloc[test], y[test]))
        found[f"told {way}"] = model.score_estimate_.score
    return found


def _mean_row(source, what, draws):
    means = {name: float(np.mean([draw[name] for draw in draws])) for name in draws[0]}
    return {"dataset": source.name, "by": what, **means}


def is_in_order_or_groups(source):
    """Whether the rows of a dataset are known to belong to groups, or to times."""
    return source.name in GROUPS or source.name in TIMES


def score(options):
    """Write how far what was told is from what was found, and the ratio of the losses."""
    table = [("by", "figure of", "datasets", "figure", "error", "better", "worse", "too good")]
    for what in ("groups", "time"):
        rows = [row for row in read_rows(options.rows) if row["by"] == what]
        # Below 0 an R2 says no more than that a mean does better.
        known = {
            name: np.maximum([row[name] for row in rows], 0.0)
            for name in rows[0]
            if name.startswith(("told", "found"))
        }
        gaps = {way: known[f"told {way}"] - known[f"found {way}"] for way in WAYS}
        nearer = np.abs(gaps["shuffled"]) - np.abs(gaps["followed"])
        counts = int((nearer > 0.001).sum()), int((nearer < -0.001).sum())
        for way, own in gaps.items():
            told = f"told less found, {way}"
            too_good = int((own > TOO_GOOD).sum())
            table.append((what, told, len(rows), *mean_and_error(own), *counts, too_good))
            counts = "", ""
        losses = [np.maximum(1 - known[f"found {way}"], 1e-6) for way in WAYS]
        ratios = np.log(losses[0] / losses[1])
        counts = int((ratios < -0.001).sum()), int((ratios > 0.001).sum())
        table.append((what, "log ratio of losses", len(rows), *mean_and_error(ratios), *counts, ""))
    write_table(options.out, table)


if __name__ == "__main__":
    run_or_score(__doc__, measure, score, first=40, seed=0, serves=is_in_order_or_groups)
