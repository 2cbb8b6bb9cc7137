"""What the runs of ``minute.py`` say: ranks, first places, pairs, seconds and memory."""

import csv
import math
from statistics import mean, median

import numpy as np
from scipy.stats import binomtest

#: Scores that differ by no more are equal.
EQUAL = 1e-4
#: A loss of zero has no logarithm.
LEAST_LOSS = 1e-4
LARGE = 10_000
NAMES = {
    "ours": "sk_metalearn",
    "agbest": "AutoGluon, best_quality",
    "agmedium": "AutoGluon, default preset",
    "flaml": "FLAML",
    "autosklearn": "auto-sklearn",
}
#: What is kept of a run, and its type.
COLUMNS = {
    "dataset": str,
    "kind": str,
    "n_classes": int,
    "n_train": int,
    "n_test": int,
    "n_columns": int,
    "system": str,
    "version": str,
    "options": str,
    "budget": float,
    "jobs": int,
    "seed": int,
    "metric": str,
    "score": float,
    "log_loss": float,
    "accuracy": float,
    "fit_seconds": float,
    "predict_seconds": float,
    "peak_mb": float,
    "load": float,
    "error": str,
}


def complete(rows, systems=None):
    """Give the systems, and the rows of each dataset, budget and seed that all of them have run.

    Parameters
    ----------
    rows : list of dict
    systems : list of str, default=None
        Those to compare; None: all that occur, those of `NAMES` first.

    Returns
    -------
    systems : list of str
    groups : list of dict of system to row
    """
    found = dict.fromkeys(row["system"] for row in rows)
    systems = systems or sorted(found, key=[*NAMES, *found].index)
    groups = {}
    for row in rows:
        if row["system"] in systems:
            key = (row["dataset"], row["budget"], row["jobs"], row["seed"])
            groups.setdefault(key, {})[row["system"]] = row
    return systems, [group for group in groups.values() if len(group) == len(systems)]


def score_of(row):
    """Give the score of a row; a system that failed is behind all others."""
    return -math.inf if row.get("error") else row["score"]


def loss_of(row):
    """Give 1 - AUC, log loss or 1 - R2, or None where the system failed."""
    if row.get("error"):
        return None
    loss = -row["score"] if row["metric"] == "log_loss" else 1 - row["score"]
    return max(loss, LEAST_LOSS)


def compare(a, b):
    """Give 1 where a is better than b, -1 where worse, 0 where they are equal."""
    if a == b or abs(a - b) <= EQUAL:
        return 0
    return 1 if a > b else -1


def ranks(scores):
    """Rank systems on one dataset, 1 is best; equal ones share the mean of their ranks."""
    return {
        own: 1
        + sum(
            {1: 1.0, 0: 0.5, -1: 0.0}[compare(other_score, score)]
            for other, other_score in scores.items()
            if other != own
        )
        for own, score in scores.items()
    }


def first_places(scores):
    """Share one first place among those that are equal to the best."""
    best = max(scores.values())
    winners = [own for own, score in scores.items() if compare(score, best) == 0]
    return {own: (own in winners) / len(winners) for own in scores}


def kind_of(row):
    """Tell two classes, several classes and numbers apart."""
    if row["kind"] == "regression":
        return "numbers"
    return "two classes" if row["n_classes"] == 2 else "several classes"


def summary(systems, groups):
    """Give for each system a dict of what the table shows."""
    scores = [{own: score_of(group[own]) for own in systems} for group in groups]
    ranked = [ranks(own) for own in scores]
    first = [first_places(own) for own in scores]
    about = [_about(group) for group in groups]
    table = {}
    for own in systems:
        rows = [group[own] for group in groups]
        good = [row for row in rows if not row.get("error")]
        line = {
            "datasets": len(groups),
            "rank": mean(r[own] for r in ranked),
            "interval": interval([r[own] for r in ranked]),
            "first": sum(f[own] for f in first),
        }
        for kind in ("two classes", "several classes", "numbers"):
            line[kind] = _mean(r[own] for r, (k, _) in zip(ranked, about, strict=True) if k == kind)
        line["large"] = _mean(r[own] for r, (_, n) in zip(ranked, about, strict=True) if n > LARGE)
        line["failed"] = len(rows) - len(good)
        if good:
            used = [row["fit_seconds"] for row in good]
            line["seconds"] = median(used)
            line["overrun"] = max(row["fit_seconds"] - row["budget"] for row in good)
            line["predict"] = median(1000 * row["predict_seconds"] / row["n_test"] for row in good)
            line["peak_mb"] = median(row["peak_mb"] for row in good)
        table[own] = line
    return table


def pairs(systems, groups, against):
    """Compare one system with each of the others.

    ``loss`` is the geometric mean of the quotients of the losses: below 1 where `against` is better.
    """
    table = {}
    for other in systems:
        if other == against:
            continue
        signs, quotients = [], []
        for group in groups:
            signs.append(compare(score_of(group[against]), score_of(group[other])))
            losses = loss_of(group[against]), loss_of(group[other])
            if None not in losses:
                quotients.append(math.log(losses[0] / losses[1]))
        better, worse = signs.count(1), signs.count(-1)
        table[other] = {
            "better": better,
            "worse": worse,
            "equal": signs.count(0),
            "share": (better + signs.count(0) / 2) / len(signs),
            "p": binomtest(better, better + worse).pvalue if better + worse else 1.0,
            "loss": math.exp(mean(quotients)) if quotients else math.nan,
            "loss_interval": tuple(map(math.exp, interval(quotients))),
        }
    return table


def report(rows, systems=None, against="ours", budget=None, csv_path=None, rst_path=None):
    """Print the tables, and write them where asked."""
    if budget is not None:
        rows = [row for row in rows if row["budget"] == budget]
    systems, groups = complete(rows, systems)
    if csv_path:
        write_csv(csv_path, [row for row in rows if row["system"] in systems])
    if not groups:
        raise SystemExit(f"No dataset has been run by all of {systems}.")
    _print_scores(systems, groups)
    lines = []
    for own in sorted({row["budget"] for group in groups for row in group.values()}):
        part = [group for group in groups if _any(group)["budget"] == own]
        overall = summary(systems, part)
        paired = pairs(systems, part, against) if against in systems else {}
        _print_tables(own, overall, paired, against)
        lines += tables_for_guide(own, overall, paired, against)
    if rst_path:
        with open(rst_path, "w", encoding="utf-8", newline="\n") as file:
            file.write("\n".join(lines).rstrip() + "\n")


def write_csv(path, rows):
    """Write a line a run, whether or not the others have run on the dataset."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({k: f"{v:.5g}" if isinstance(v, float) else v for k, v in row.items()})


def read_csv(path):
    """Give the rows that `write_csv` wrote; what a run does not have is left out."""
    with open(path, newline="", encoding="utf-8") as file:
        return [
            {name: COLUMNS[name](value) for name, value in row.items() if value != ""}
            for row in csv.DictReader(file)
        ]


def tables_for_guide(budget, overall, paired, against):
    """Give the lines of two tables."""
    some = next(iter(overall.values()))
    rows = [
        [
            NAMES.get(own, own),
            f"{line['rank']:.2f} ({line['interval'][0]:.2f} to {line['interval'][1]:.2f})",
            f"{line['first']:.3g}",
            *(_number(line[k], ".2f") for k in ("two classes", "several classes", "numbers")),
            _number(line["large"], ".2f"),
            *(
                _number(line.get(k), style)
                for k, style in (
                    ("seconds", ".0f"),
                    ("overrun", ".1f"),
                    ("predict", ".2f"),
                    ("peak_mb", ".0f"),
                )
            ),
            str(line["failed"]),
        ]
        for own, line in overall.items()
    ]
    head = [
        f"{budget:g} s, {some['datasets']} datasets",
        "mean rank (95 %)",
        "first",
        "two classes",
        "several",
        "numbers",
        "over 10,000 rows",
        "seconds",
        "most over",
        "predict 1,000 rows, s",
        "MB",
        "failed",
    ]
    lines = _list_table(head, rows)
    if paired:
        head = [f"{NAMES.get(against, against)} against", "better", "worse", "equal", "p", "loss"]
        rows = [
            [
                NAMES.get(own, own),
                *(str(line[k]) for k in ("better", "worse", "equal")),
                f"{line['p']:.2g}",
                "{:.3f} ({:.3f} to {:.3f})".format(line["loss"], *line["loss_interval"]),
            ]
            for own, line in paired.items()
        ]
        lines += _list_table(head, rows)
    return lines


def _print_scores(systems, groups):
    print("dataset".ljust(34), *(own.rjust(14) for own in systems))
    for group in groups:
        row = _any(group)
        name = f"{row['dataset'][:26]} {row['budget']:g}s"
        print(name.ljust(34), *(f"{score_of(group[own]):14.4f}" for own in systems))


def _print_tables(budget, overall, paired, against):
    print(f"\n{budget:g} seconds")
    for own, line in overall.items():
        low, high = line["interval"]
        print(
            f"{own:16} rank {line['rank']:.2f} [{low:.2f}, {high:.2f}], first {line['first']:.1f} "
            f"of {line['datasets']}; two {line['two classes']:.2f}, "
            f"several {line['several classes']:.2f}, numbers {line['numbers']:.2f}, "
            f"large {line['large']:.2f}; fit {line.get('seconds', math.nan):.1f} s, at most "
            f"{line.get('overrun', math.nan):+.1f} s; predict "
            f"{line.get('predict', math.nan):.2f} s per 1,000; "
            f"{line.get('peak_mb', math.nan):.0f} MB; failed {line['failed']}"
        )
    for own, line in paired.items():
        print(
            f"{against} against {own:16} better {line['better']}, worse {line['worse']}, equal "
            f"{line['equal']}: {line['share']:.0%}, p {line['p']:.2g}; loss times "
            "{:.3f} [{:.3f}, {:.3f}]".format(line["loss"], *line["loss_interval"])
        )


def _list_table(head, rows):
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in [head, *rows]:
        lines += [f"   {'*' if j == 0 else ' '} - {cell}" for j, cell in enumerate(row)]
    return [*lines, ""]


def _about(group):
    """Give kind and size, from a system that came far enough to know them."""
    known = [row for row in group.values() if "kind" in row]
    if not known:
        return "unknown", 0
    return kind_of(known[0]), known[0]["n_train"] + known[0]["n_test"]


def _any(group):
    return next(iter(group.values()))


def interval(values):
    """Bootstrap the mean over datasets."""
    if not values:
        return math.nan, math.nan
    values = np.asarray(values, dtype=float)
    drawn = np.random.default_rng(0).integers(len(values), size=(2000, len(values)))
    return tuple(np.quantile(values[drawn].mean(axis=1), [0.025, 0.975]).tolist())


def _mean(values):
    values = list(values)
    return mean(values) if values else math.nan


def _number(value, style):
    return "" if value is None or math.isnan(value) else format(value, style)
