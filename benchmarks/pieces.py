"""What each piece of the end of a search is worth: the same searches with it and without it.

For each dataset three tenths of the rows, at most 5,000, are set aside; an Auto estimator tries 16
configurations on at most 1,500 of the others, without what is known of the dataset's family. Every
variant has the same seed. Printed is, for each piece, the mean of the logarithm of the test loss
with it over that without it (1 - AUC for two classes, log loss for more, 1 - R2 for numbers), its
standard error over datasets, on how many it is better and worse by more than .1 %, and the ratio
of processor seconds.

    python benchmarks/pieces.py run --data DIR --out pieces.jsonl
    python benchmarks/pieces.py score pieces.jsonl --out benchmarks/results/pieces.csv

DIR is a folder of datasets with an ``index.csv``. What stands in the first file is not measured
again. ``--used`` names a file of dataset families on which these pieces were chosen; they are left
out, and so are those that ``minute.py`` judges on.
"""

import argparse
import csv
import json
import time
import warnings
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest import mock

import numpy as np
from sklearn.metrics import log_loss, r2_score, roc_auc_score
from sklearn.model_selection import train_test_split

from sk_metalearn import AutoClassifier, AutoRegressor, KnowledgeBase
from sk_metalearn.building._tasks import list_tasks, read_table
from sk_metalearn.search import StoppedPipeline, _auto_model, _catalogue_choices

SCORING = {0: "r2", 2: "roc_auc"}
ROWS, TEST_ROWS, LEAST_ROWS, MOST_COLUMNS = 1500, 5000, 400, 60
USED = Path(__file__).parent / "minute_used.txt"
DRAWN = Path(__file__).parent / "results" / "minute_datasets.csv"


@contextmanager
def whole():
    """Everything as it is."""
    yield {}


@contextmanager
def bagged():
    """Members are the models of the folds."""
    yield {"final": "bag"}


@contextmanager
def eight_folds():
    """The same time for fewer candidates: models of eight folds, each of an eighth more rows."""
    yield {"final": "bag", "cv": 8, "n_iter": 9}


@contextmanager
def one_start():
    """A network is fitted from one random start."""
    with mock.patch.object(_auto_model, "_STARTS", 1):
        yield {}


@contextmanager
def raced():
    """Candidates that can hardly win are stopped, and cannot join."""
    yield {"racing": True}


@contextmanager
def single():
    """The best pipeline alone."""
    yield {"ensemble_size": 0}


@contextmanager
def unstopped():
    """Boosting grows as many trees as its configuration says."""
    with mock.patch.object(_catalogue_choices, "stops", lambda pipeline: False):
        yield {}


@contextmanager
def told_by_stoppers():
    """Boosting is scored on the rows that stopped it as it predicts them itself."""
    with mock.patch.object(StoppedPipeline, "judged_on", lambda self, X: self):
        yield {}


VARIANTS = {
    own.__name__: own
    for own in (
        whole,
        bagged,
        eight_folds,
        one_start,
        raced,
        single,
        unstopped,
        told_by_stoppers,
    )
}


def split(source, most=ROWS):
    """Give training rows, at most so many, and test rows, and the number of classes (0: numbers)."""
    X, y = read_table(source.path)
    known = y.notna().to_numpy()
    X, y = X[known].dropna(axis=1, how="all").reset_index(drop=True), y[known].to_numpy()
    n_classes = 0
    if source.kind == "classification":
        y = np.unique(y.astype(str), return_inverse=True)[1]
        kept = np.bincount(y)[y] >= 12
        X, y = X[kept].reset_index(drop=True), np.unique(y[kept], return_inverse=True)[1]
        n_classes = len(np.unique(y))
    rows = np.arange(len(y))
    train, test = train_test_split(
        rows, test_size=0.3, random_state=0, stratify=y if n_classes else None
    )
    train, test = train[:most], test[:TEST_ROWS]
    return X.iloc[train], y[train], X.iloc[test], y[test], n_classes


def test_loss(found, y, n_classes):
    """1 - AUC for two classes, log loss for more, 1 - R2 for numbers."""
    if n_classes == 2:
        return float(1 - roc_auc_score(y, found[:, 1]))
    if n_classes:
        return float(log_loss(y, found, labels=range(n_classes)))
    return float(1 - r2_score(y, found))


def search(X, y, n_classes, knowledge, **options):
    """Fit an Auto estimator by the usual metric, without its warnings."""
    auto = AutoClassifier if n_classes else AutoRegressor
    scoring = SCORING.get(n_classes, "neg_log_loss")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return auto(scoring=scoring, knowledge=knowledge, random_state=0, **options).fit(X, y)


def loss_on(model, X_test, y_test, n_classes):
    """The loss of a model on rows set aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = model.predict_proba(X_test) if n_classes else model.predict(X_test)
    return test_loss(found, y_test, n_classes)


def measure(source, name, knowledge):
    """Search with one variant."""
    X, y, X_test, y_test, n_classes = split(source)
    auto = AutoClassifier if n_classes else AutoRegressor
    with warnings.catch_warnings(), VARIANTS[name]() as options:
        warnings.simplefilter("ignore")
        begun = time.process_time()
        model = auto(
            scoring=SCORING.get(n_classes, "neg_log_loss"),
            knowledge=knowledge,
            random_state=0,
            **{"n_iter": 16, **options},
        ).fit(X, y)
        seconds = time.process_time() - begun
        begun = time.process_time()
        if n_classes:
            found = model.predict_proba(X_test)
        else:
            found = model.predict(X_test)
        predict_seconds = time.process_time() - begun
    return {
        "dataset": source.name,
        "variant": name,
        "n_rows": len(y),
        "n_classes": n_classes,
        "loss": test_loss(found, y_test, n_classes),
        "seconds": seconds,
        "predict_seconds": predict_seconds,
        "members": len(model.ensemble_),
    }


def sources_for(data, used, seed):
    """Datasets in an order drawn by a seed, without families on which something was chosen."""
    lines = [] if used is None else used.read_text(encoding="utf-8").splitlines()
    left_out = {line for line in lines if not line.startswith("#")}
    with DRAWN.open(newline="", encoding="utf-8") as file:
        left_out |= {row["family"] for row in csv.DictReader(file)}
    sources = [
        own
        for own in list_tasks(data)
        if own.family not in left_out
        and own.n_rows >= LEAST_ROWS
        and read_table(own.path)[0].shape[1] <= MOST_COLUMNS
    ]
    np.random.default_rng(seed).shuffle(sources)
    return sources


def read_rows(path):
    """What was measured so far, a line of JSON each."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def add_row(path, row):
    """Add what was measured."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    print(row, flush=True)


def measure_each(options, measure, serves=None):
    """Measure what is left, dataset by dataset, without what is known of the dataset's family.

    `measure` yields the rows of a dataset; one without any does not count. `serves` says which
    datasets are measured.
    """
    done = {row["dataset"] for row in read_rows(options.out)}
    base, tasks = KnowledgeBase.bundled(), list_tasks(options.data)
    for source in sources_for(options.data, options.used, options.seed):
        if len(done) >= options.first:
            break
        if source.name in done or not (serves is None or serves(source)):
            continue
        relatives = [own.name for own in tasks if own.family == source.family]
        # A dataset that was begun only is measured again.
        for row in list(measure(source, base.without(tasks=relatives))):
            add_row(options.out, row)
            done.add(source.name)


def run_or_score(doc, measure, score, first, seed, serves=None):
    """Read the command line of a benchmark that measures dataset by dataset, and do what it says."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    own = commands.add_parser("run")
    own.add_argument("--data", type=Path, required=True)
    own.add_argument("--out", type=Path, required=True)
    own.add_argument("--used", type=Path, default=USED)
    own.add_argument("--first", type=int, default=first)
    own.add_argument("--seed", type=int, default=seed)
    own.set_defaults(function=partial(measure_each, measure=measure, serves=serves))
    own = commands.add_parser("score")
    own.add_argument("rows", type=Path)
    own.add_argument("--out", type=Path, required=True)
    own.set_defaults(function=score)
    options = parser.parse_args()
    options.function(options)


def write_table(path, table):
    """Write a table, and print it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(table)
    for row in table:
        print(*row, sep="\t")


def mean_and_error(values):
    """A mean and its standard error, as text."""
    return f"{values.mean():.4f}", f"{values.std(ddof=1) / len(values) ** 0.5:.4f}"


def run(options):
    """Measure what is left."""
    done = {(row["dataset"], row["variant"]) for row in read_rows(options.out)}
    base, tasks = KnowledgeBase.bundled(), list_tasks(options.data)
    for source in sources_for(options.data, options.used, options.seed)[: options.first]:
        relatives = [own.name for own in tasks if own.family == source.family]
        for name in options.variants.split(","):
            if (source.name, name) in done:
                continue
            add_row(options.out, measure(source, name, base.without(tasks=relatives)))


def score(options):
    """Compare each variant with the whole, or with another."""
    rows = read_rows(options.rows)
    by = {(row["dataset"], row["variant"]): row for row in rows}
    datasets = sorted({row["dataset"] for row in rows})
    table = [("without", "datasets", "log ratio", "error", "better", "worse", "time", "predict")]
    for name in VARIANTS:
        pairs = [
            (by[d, options.whole], by[d, name])
            for d in datasets
            if (d, options.whole) in by and (d, name) in by and name != options.whole
        ]
        if not pairs:
            continue
        losses = np.array([[ours["loss"], other["loss"]] for ours, other in pairs])
        # A loss of nothing is as good as one of a millionth.
        ratios = np.diff(np.log(np.maximum(losses, 1e-6)[:, ::-1]), axis=1).ravel()
        seconds, predict = (
            np.exp(np.mean(np.log([ours[key] / other[key] for ours, other in pairs])))
            for key in ("seconds", "predict_seconds")
        )
        table.append(
            (
                name,
                len(pairs),
                *mean_and_error(ratios),
                int((ratios < -0.001).sum()),
                int((ratios > 0.001).sum()),
                f"{seconds:.2f}",
                f"{predict:.1f}",
            )
        )
    write_table(options.out, table)


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    own = commands.add_parser("run")
    own.add_argument("--data", type=Path, required=True)
    own.add_argument("--out", type=Path, required=True)
    own.add_argument("--used", type=Path, default=USED)
    own.add_argument("--first", type=int, default=24)
    own.add_argument("--seed", type=int, default=0)
    own.add_argument("--variants", default=",".join(VARIANTS))
    own.set_defaults(function=run)
    own = commands.add_parser("score")
    own.add_argument("rows", type=Path)
    own.add_argument("--out", type=Path, required=True)
    own.add_argument("--whole", choices=list(VARIANTS), default="whole")
    own.set_defaults(function=score)
    options = parser.parse_args()
    options.function(options)


if __name__ == "__main__":
    main()
