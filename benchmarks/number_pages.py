"""Turn measured results into the tables of the documentation's pages of numbers::

    python benchmarks/number_pages.py benchmarks/results docs/numbers/tables

Reads the CSV files of a folder of results and writes a CSV per table, rounded and with headings for
people. Building the documentation runs it, so that a page never shows other numbers than the results.
"""

import argparse
import csv
import shutil
import textwrap
from collections import Counter
from pathlib import Path
from statistics import mean, stdev

from _minute_score import NAMES

AT = (1, 3, 5, 10, 20, 30, 50)
GRIDS = {
    "svc": "SVC",
    "knn": "nearest neighbours",
    "mlp": "MLP",
    "forest": "random forest",
    "boosting": "gradient boosting",
    "logistic": "logistic regression",
}
KNOWLEDGE = {
    "none": "none",
    "bundled": "bundled",
    "own": 'your own (knowledge="user")',
    "both": "your own beside the bundled (remember=True)",
}


def read(path):
    """Rows of a CSV, as dicts of text."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def rounded(value, digits):
    """A number as text with so many decimals; empty stays empty."""
    return "" if value in ("", None) else f"{float(value):.{digits}f}"


def plus_minus(value, interval, digits):
    """A value with half the width of its interval."""
    return f"{rounded(value, digits)} ± {rounded(interval, digits)}"


def grouped(rows, *names):
    """Rows by their values of some columns, in the order of the file."""
    found = {}
    for row in rows:
        key = tuple(row[name] for name in names)
        found.setdefault(key if len(names) > 1 else key[0], []).append(row)
    return found


def wide(rows, by, across, cell):
    """A row per value of `by`, a column per value of `across`; gives columns and rows."""
    columns = list(dict.fromkeys(row[across] for row in rows))
    body = []
    for key, own in grouped(rows, by).items():
        cells = {row[across]: cell(row) for row in own}
        body.append([key, *(cells.get(column, "") for column in columns)])
    return columns, body


def searches(rows):
    """Mean normalised test score of real searches, and seconds."""
    head = ["search", "mean test score (0: dummy, 1: best seen)", "datasets at least random_100"]
    body = []
    labels = {
        "auto_10": "AutoClassifier, AutoRegressor: 10 evaluations",
        "auto_10_single": "the same, its best single configuration",
        "random_10": "random search: 10",
        "random_50": "random search: 50",
        "random_100": "random search: 100",
    }
    by_dataset = grouped(rows, "dataset").values()
    for name, label in labels.items():
        own = [mean(float(row[name]) for row in part) for part in by_dataset]
        rival = [mean(float(row["random_100"]) for row in part) for part in by_dataset]
        share = mean(a >= b for a, b in zip(own, rival, strict=True))
        body.append([label, f"{mean(own):.3f}", f"{share:.0%}"])
    return head, body


def searches_by_dataset(rows):
    """The same by dataset."""
    names = ["auto_10", "random_10", "random_100"]
    head = ["dataset", "kind", "10 evaluations", "random: 10", "random: 100", "seconds"]
    body = []
    for dataset, own in sorted(grouped(rows, "dataset").items()):
        scores = [f"{mean(float(row[name]) for row in own):.3f}" for name in names]
        seconds = f"{mean(float(row['auto_seconds']) for row in own):.0f}"
        body.append([dataset, own[0]["kind"], *scores, seconds])
    return head, body


def grids(rows):
    """What ten evaluations are worth in random ones, by grid."""
    head = ["grid", "datasets", "of families", "points", "10 of ours = random", "95 % interval"]
    body = [
        [
            GRIDS.get(row["grid"], row["grid"]),
            row["datasets"],
            row["families"],
            row["points"],
            rounded(row["worth"], 0),
            f"{rounded(row['worth_low'], 0)} to {rounded(row['worth_high'], 0)}",
        ]
        for row in rows
    ]
    return head, body


def regrets(rows):
    """Regret after so many evaluations, by strategy."""
    found = grouped(rows, "strategy")
    ordered = sorted(found, key=lambda s: (s != "random (exact)", -int(found[s][0]["datasets"]), s))
    body = []
    for strategy in ordered:
        own = found[strategy]
        regret = {int(row["evaluations"]): rounded(row["regret"], 4) for row in own}
        milliseconds = f"{1e3 * float(own[0]['seconds']):.1f}"
        cells = [regret.get(k, "") for k in AT]
        body.append([strategy, *cells, milliseconds, own[0]["datasets"]])
    return ["strategy", *(f"after {k}" for k in AT), "ms", "datasets"], body


def clock(rows):
    """Time until a regret, by strategy."""
    head = ["strategy"]
    columns, times = wide(rows, "strategy", "regret", lambda row: rounded(row["time"], 1))
    _, sooner = wide(rows, "strategy", "regret", lambda row: rounded(row["sooner"], 1))
    head += [f"time to {c}" for c in columns] + [f"times sooner at {c}" for c in columns]
    return head, [[*a, *b[1:]] for a, b in zip(times, sooner, strict=True)]


def shuffled(rows):
    """What a past that says nothing costs."""
    head = ["evaluations", "regret", "of random search", "at most times random", "at most more"]
    names = ["evaluations", "regret", "random", "ratio", "more"]
    return head, [[row[name] for name in names] for row in rows]


def cost(rows):
    """Milliseconds of a suggestion."""
    head = ["strategy", "first suggestion, ms", "after 50 results, ms", "after 500 results, ms"]
    return head, [list(row.values()) for row in rows]


def few_shot(rows):
    """Accuracy by method, a column per dataset and number of shots."""
    for row in rows:
        row["column"] = f"{row['dataset']}, {row['n_shots']}-shot"
    shots = sorted({row["n_shots"] for row in rows}, key=int)
    rows = [row for shot in shots for row in rows if row["n_shots"] == shot]
    columns, body = wide(
        rows, "method", "column", lambda row: plus_minus(row["accuracy"], row["interval"], 3)
    )
    return ["method", *columns], body


def few_shot_of(n_shots):
    """`few_shot` of one number of shots."""

    def table(rows):
        head, body = few_shot([row for row in rows if row["n_shots"] == n_shots])
        return [name.removesuffix(f", {n_shots}-shot") for name in head], body

    return table


def sine(rows):
    """Error on waves after so many steps."""
    for row in rows:
        row["name"] = f"{row['method']}, {row['n_shots']} examples, step {row['step_size']}"
    rows = [row for row in rows if row["n_steps"] in ("0", "1", "5", "10")]

    def error(row):
        diverges = row["mse"] in ("", "inf", "nan") or float(row["mse"]) > 1e3
        return "diverges" if diverges else plus_minus(row["mse"], row["interval"], 2)

    columns, body = wide(rows, "name", "n_steps", error)
    return ["method", *(f"{c} steps" for c in columns)], body


def defaults(rows):
    """Learners by default settings."""
    head = ["learner", "kind", "reached", "updates", "seconds"]
    return head, [
        [
            row["method"],
            row["kind"],
            plus_minus(row["reached"], row["interval"], 3),
            row["updates"],
            row["seconds"],
        ]
        for row in rows
    ]


def retrieval(rows):
    """Metrics of meta-features."""
    head = ["kind", "metric", "profile of the nearest", "profiles of 5", "rank of own family"]
    keys = ("profile_of_nearest", "profile_of_5", "reciprocal_rank")
    return head, [
        [
            row["kind"],
            row["metric"],
            *(
                f"{rounded(row[k], 3)} ({float(row[k + '_more']):+.3f} "
                f"± {rounded(row[k + '_interval'], 3)})"
                for k in keys
            ),
        ]
        for row in rows
    ]


def copies(rows):
    """The copy task, best of the seeds by validation loss."""
    best = min(rows, key=lambda row: float(row["validation_loss"]))["seed"]
    head = ["length", "bits right", "sequences right"]
    return head, [
        [row["length"], f"{float(row['bits_right']):.1%}", f"{float(row['sequences_right']):.0%}"]
        for row in rows
        if row["seed"] == best
    ]


def sequences(rows):
    """Accuracy on the k-th example of a class."""
    ks = (2, 3, 5, 10)
    head = ["method", *(f"example {k}" for k in ks), "2 to 10"]
    return head, [
        [row["method"], *(row[f"instance_{k}"] for k in ks), row["instances_2_to_10"]]
        for row in rows
    ]


def optimisers(rows):
    """Training losses of optimisers."""
    at = (0, 10, 30, 50)
    head = ["problem", "optimiser", *(f"{k} steps" for k in at), "as low as Adam after 50"]
    return head, [
        [
            row["problem"],
            row["method"],
            *(row[f"loss_{k}"] for k in at),
            "never" if row["steps_to_adam_at_50"] == "-1" else row["steps_to_adam_at_50"],
        ]
        for row in rows
    ]


def control(rows):
    """Error of trained networks."""
    head = ["method", "mean squared error", "more than learned"]
    return head, [
        [
            row["method"],
            plus_minus(row["query_mse"], row["interval"], 2),
            plus_minus(row["more_than_learned"], row["difference_interval"], 2),
        ]
        for row in rows
    ]


def learned_strategies(rows):
    """Regret of learned strategies, and the corrected p-value against "auto"."""

    def cell(row):
        p = f" ({float(row['p_holm']):.2g})" if row["p_holm"] else ""
        return rounded(row["regret"], 4) + p

    body, columns = [], []
    for table, own in grouped(rows, "table").items():
        columns, part = wide(own, "method", "evaluations", cell)
        body += [[table, *line] for line in part]
    return ["table", "strategy", *(f"after {c}" for c in columns)], body


def meta_feature_sets(rows):
    """What sets of meta-features explain, and the regret after three picks."""
    explained = [row for row in rows if row["measure"] == "explained"]
    regret = [row for row in rows if row["measure"] == "regret@3"]
    head, body = ["set"], {}
    for part, percent, what in ((explained, True, "explained"), (regret, False, "regret after 3")):

        def cell(row, percent=percent):
            factor, digits = (100, 1) if percent else (1, 3)
            value, error = (factor * float(row[k]) for k in ("value", "standard_error"))
            return plus_minus(value, error, digits) + (" %" if percent else "")

        columns, lines = wide(part, "set", "table", cell)
        head += [f"{what}, {column}" for column in columns]
        for name, *cells in lines:
            body.setdefault(name, []).extend(cells)
    return head, [[name, *cells] for name, cells in body.items()]


def speed(rows):
    """Seconds to describe a dataset."""
    head = ["dataset", "features", "library", "CPU seconds"]
    return head, [
        [row["dataset"], row["features"], row["library"], rounded(row["seconds"], 3)]
        for row in rows
    ]


def agreement(rows):
    """Pairs that agree, in all and the features that do not."""
    pairs = sum(int(row["pairs"]) for row in rows)
    agree = sum(int(row["agree"]) for row in rows)
    body = [["all", len(rows), pairs, agree]]
    body += [
        [row["feature"], 1, row["pairs"], row["agree"]]
        for row in rows
        if row["pairs"] != row["agree"]
    ]
    return ["meta-feature", "features", "pairs", "agree"], body


def reasons(rows):
    """Why values differ."""
    counted = Counter(row["reason"] for row in rows)
    return ["reason", "pairs"], [[reason, count] for reason, count in counted.most_common()]


def own_knowledge(rows):
    """Evaluations needed, by knowledge; what is saved against none."""
    head = ["search", "knowledge", "series", "evaluations", "saved", "better in", "worse in"]
    body = []
    for search, knowledge in grouped(rows, "search", "knowledge"):
        needed, cold = (_by_series(rows, search, name) for name in (knowledge, "none"))
        saved = [cold[series] - needed[series] for series in needed if series in cold]
        spread = f" ({stdev(saved):.1f})" if len(saved) > 1 and knowledge != "none" else ""
        body.append(
            [
                search,
                KNOWLEDGE.get(knowledge, knowledge),
                len(needed),
                f"{mean(needed.values()):.1f}",
                f"{mean(saved):.1f}{spread}",
                sum(number > 0 for number in saved),
                sum(number < 0 for number in saved),
            ]
        )
    return head, body


def _by_series(rows, search, knowledge):
    """Mean evaluations needed in each series."""
    own = [row for row in rows if (row["search"], row["knowledge"]) == (search, knowledge)]
    return {
        series: mean(float(row["evaluations"]) for row in part)
        for series, part in grouped(own, "series").items()
    }


def sources(rows):
    """Whether public tables help."""
    head = ["source", "datasets judged", "alone after 5, 10", "with it after 5, 10", "change"]
    return head, [
        [
            row["source"],
            row["n_judged"],
            f"{rounded(row['own@5'], 3)}, {rounded(row['own@10'], 3)}",
            f"{rounded(row['with@5'], 3)}, {rounded(row['with@10'], 3)}",
            f"{float(row['change']):+.3f} ({float(row['low']):+.3f} to {float(row['high']):+.3f}), "
            + row["verdict"]
            if row["change"]
            else row["verdict"],
        ]
        for row in rows
    ]


def scaling(rows):
    """Efficiency of workers."""
    names = ["where", "workers", "proposals", "candidates", "seconds", "efficiency", "same_results"]
    head = [*names[:-1], "same results"]
    return head, [[row[name] for name in names] for row in rows]


def minutes(rows):
    """Single runs of ``minute.py``."""
    head = ["dataset", "system", "budget, s", "took, s", "MB", "score"]
    return head, [
        [
            row["dataset"],
            NAMES.get(row["system"], row["system"]),
            row["budget"],
            rounded(row["fit_seconds"], 1),
            rounded(row["peak_mb"], 0),
            rounded(row["score"], 4),
        ]
        for row in rows
    ]


def faults(rows):
    """How each fault was met."""
    head = ["fault", "n_jobs", "limit", "times", "lost", "status of the row", "seconds"]
    return head, [list(row.values()) for row in rows]


def parity(rows):
    """scikit-learn's own tests."""
    head = ["test of scikit-learn", "passed", "failed", "skipped", "why"]
    names = ["test", "passed", "failed", "skipped", "why"]
    return head, [[row[name] for name in names] for row in rows]


# Of `pieces.py`, by what is left out: the option, and its absence.
PIECES = {
    "single": ("``ensemble_size=12``", "the best pipeline alone"),
    "bagged": ('``final="auto"``', '``final="bag"``'),
    "raced": ("``racing=False``", "``racing=True``"),
}
LOSSES, TOLD = "log ratio of test losses", "score told less score found"
# Of `order_and_groups.py`: the option, and the rows that it is for.
FOLLOWED = {"groups": ("``groups``", "new groups"), "time": ("``TimeSeriesSplit``", "later rows")}
# Of `own_steps.py`: what stands beside the table as it is.
STEPS = {"products": "with products of columns", "useless": "one direction of it"}
# Of `uses.py`: the option, what it is measured against, and what the figure is of.
USES = {
    "refit, beside the model of half of the rows": ("``refit``", "the model of fewer rows", LOSSES),
    "refit, beside a new search": ("``refit``", "a new search", LOSSES),
    "refit, seconds beside a new search": ("``refit``", "a new search", "log ratio of seconds"),
    "importance": ("columns by importance, half", "half of them by chance", LOSSES),
    "limit": ("a quarter of the bytes", "no limit", LOSSES),
    "limit, bytes beside those allowed": ("``model_bytes``", "the limit", "log ratio of bytes"),
}


def options(thresholds, losses, families, steps, pieces, uses, order, honest, intervals):
    """What each option is worth beside its absence."""
    body = []

    def add(benchmark, option, against, row, figure, of_what):
        told = f"{float(row[figure]):+.3f} ± {float(row['error']):.3f}"
        counts = f"{row['better']} : {row['worse']}" if row.get("better") else ""
        command = f"``{benchmark}.py``"
        body.append([option, against, row["datasets"], told, of_what, counts, command])

    for row in thresholds:
        gain = "cost saved on a row" if row["metric"] == "cost" else f"gain in {row['metric']}"
        tuned = '``threshold="tune"``'
        add("threshold", tuned, "the likelier class", row, "difference", gain)
    for row in losses:
        squared = "boosting of the squared error"
        add("losses", "scoring by a quantile", squared, row, "log ratio of losses", LOSSES)
    for row in families:
        others = "all families without it"
        own = "an estimator of one's own"
        add("own_families", own, others, row, "log ratio of losses", LOSSES)
    for row in steps:
        option = f"``before``: the table, or {STEPS[row['choice']]}"
        add("own_steps", option, "the table alone", row, "log ratio of losses", LOSSES)
    for row in pieces:
        if row["without"] in PIECES:
            add("pieces", *PIECES[row["without"]], row, "log ratio", LOSSES)
    for row in uses:
        option, against, of_what = USES[row["use"]]
        add("uses", option, against, row, "figure", of_what)
    for row in order:
        option, unseen = FOLLOWED[row["by"]]
        way = row["figure of"].rpartition(" ")[2]
        if way == "losses":
            add("order_and_groups", option, "shuffled folds", row, "figure", LOSSES)
        else:
            folds = option if way == "followed" else "shuffled folds"
            add("order_and_groups", folds, unseen, row, "figure", TOLD)
    for row in honest:
        name = {"estimate": "score_estimate_"}.get(row["told"], row["told"] + "_")
        add("honest_score", f"``{name}``", "unseen rows", row, "mean told - test", TOLD)
    shares = [float(row["share within intervals for 90%"]) for row in intervals if row["rows"]]
    error = stdev(shares) / len(shares) ** 0.5
    row = {"datasets": len(shares), "share": mean(shares) - 0.9, "error": error}
    interval = "``predict_interval(coverage=0.9)``"
    add("honest_score", interval, "unseen rows", row, "share", "share within, less 0.9")
    head = ["option", "measured against", "datasets", "figure", "of what", "better : worse", "by"]
    return head, body


LATER = "No runs are published yet.\n"

# Table: results it is made of, one file or several, and how.
TABLES = {
    "searches": ("live", searches),
    "searches_by_dataset": ("live", searches_by_dataset),
    "grids": ("grids", grids),
    "grids_seen": ("grids_seen", grids),
    "oboe": ("transfer_oboe", regrets),
    "tensoroboe": ("transfer_tensoroboe", regrets),
    "own_classification": ("transfer_own_classification", regrets),
    "own_regression": ("transfer_own_regression", regrets),
    "oboe_unmeasured": ("transfer_oboe_unmeasured", regrets),
    "tensoroboe_unmeasured": ("transfer_tensoroboe_unmeasured", regrets),
    "oboe_clock": ("transfer_oboe_clock", clock),
    "own_classification_clock": ("transfer_own_classification_clock", clock),
    "shuffled": ("transfer_shuffled_oboe", shuffled),
    "cost": ("transfer_cost", cost),
    "defaults": ("metalearners_defaults", defaults),
    "sine": ("metalearners_sine", sine),
    "digits": ("metalearners_digits", few_shot),
    "corpus_1": ("metalearners_corpus", few_shot_of("1")),
    "corpus_5": ("metalearners_corpus", few_shot_of("5")),
    "retrieval": ("metalearners_retrieval", retrieval),
    "copy": ("metalearners_copy", copies),
    "sequences": ("metalearners_sequences", sequences),
    "optimizer": ("metalearners_optimizer", optimisers),
    "control": ("metalearners_control", control),
    "learned_strategies": ("metalearners_search", learned_strategies),
    "meta_feature_sets": ("metafeatures_selection", meta_feature_sets),
    "speed": ("metafeatures_speed", speed),
    "openml": ("metafeatures_openml", agreement),
    "openml_reasons": ("metafeatures_openml_differences", reasons),
    "pymfe": ("metafeatures_pymfe", agreement),
    "own_knowledge": ("own_knowledge", own_knowledge),
    "sources": ("sources", sources),
    "scaling": ("scaling", scaling),
    "minute_generated": ("minute_generated", minutes),
    "minute_300": ("minute_300", minutes),
    "faults": ("faults", faults),
    "options": (
        (
            "threshold",
            "losses",
            "own_families",
            "own_steps",
            "pieces",
            "uses",
            "order_and_groups",
            "honest_score",
            "intervals",
        ),
        options,
    ),
    "parity": ("parity-1.9.1", parity),
}


def write_tables(results, pages):
    """Write every table; tables of an earlier run go."""
    shutil.rmtree(pages, ignore_errors=True)
    Path(pages).mkdir(parents=True)
    for name, (source, make) in TABLES.items():
        sources = (source,) if isinstance(source, str) else source
        head, body = make(*(read(Path(results) / f"{own}.csv") for own in sources))
        with open(Path(pages) / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([head, *body])
    # Long runs, whose results may not be there yet; `minute.py` writes its tables itself.
    pieces = Path(results) / "pieces.csv"
    for name in ("minute.txt", "minute_10.txt"):
        minute = Path(results) / name
        text = minute.read_text(encoding="utf-8") if minute.exists() else LATER
        (Path(pages) / name).write_text(text, encoding="utf-8")
    text = LATER
    if pieces.exists():
        rows = textwrap.indent(pieces.read_text(encoding="utf-8"), "   ")
        text = f".. csv-table::\n   :header-rows: 1\n\n{rows}"
    (Path(pages) / "pieces.txt").write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("pages", type=Path)
    options = parser.parse_args()
    write_tables(options.results, options.pages)


if __name__ == "__main__":
    main()
