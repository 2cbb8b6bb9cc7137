"""Recorded performance tables on which strategies are judged without a fit."""

import ast
import csv
import gzip
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

# Meta-features of OpenML that describe size and target; logarithms where they span decades.
QUALITIES = (
    ("NumberOfInstances", np.log),
    ("NumberOfFeatures", np.log),
    ("NumberOfClasses", np.log),
    ("MajorityClassPercentage", None),
    ("NumberOfSymbolicFeatures", np.log1p),
    ("NumberOfMissingValues", np.log1p),
)


@dataclass(frozen=True)
class Table:
    """Scores, higher is better, of configurations (columns) on datasets (rows).

    `told` has a third axis of alternatives of what a strategy sees; `judged`, of the same shape,
    is what its choice is judged by. `worst` is the score of regret 1 on each dataset. Where
    `applies` is false a search would not offer the configuration: its family cannot serve the
    dataset. `folds` has the scores of single folds, for races.
    """

    name: str
    datasets: tuple
    groups: np.ndarray
    candidates: list
    told: np.ndarray
    judged: np.ndarray
    past: np.ndarray
    worst: np.ndarray
    seconds: np.ndarray | None = None
    baseline: np.ndarray | None = None
    metafeatures: np.ndarray | None = None
    metafeature_names: tuple = ()
    applies: np.ndarray | None = None
    kind: str = "classification"
    folds: np.ndarray | None = None

    def rows(self, index):
        """Give the table of some datasets."""
        index = np.asarray(index)
        cut = {
            name: getattr(self, name)[index]
            for name in ("groups", "told", "judged", "past", "worst", "seconds", "baseline")
            + ("metafeatures", "applies", "folds")
            if getattr(self, name) is not None
        }
        return replace(self, datasets=tuple(np.array(self.datasets)[index]), **cut)

    def offered(self, row):
        """Give the columns that a search on a dataset can choose from."""
        if self.applies is None:
            return np.arange(len(self.candidates))
        return np.flatnonzero(self.applies[row])

    @property
    def regret(self):
        """Regret of each configuration by what is judged: of shape (rows, columns, alternatives)."""
        best = np.nanmax(self.judged, axis=1, keepdims=True)
        worst = self.worst[:, None, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            regret = (best - self.judged) / (best - worst)
        regret = np.where(best > worst, regret, 0.0)
        return np.clip(np.where(np.isnan(self.judged), 1.0, regret), 0.0, 1.0)


def _open(path):
    path = Path(path)
    return gzip.open(path, "rt") if path.suffix == ".gz" else open(path)


def _matrix(path):
    with _open(path) as file:
        head, *rows = csv.reader(file)
    ids = tuple(row[0] for row in rows)
    values = [[float(cell) if cell else np.nan for cell in row[1:]] for row in rows]
    return head[1:], ids, np.array(values)


def read_groups(path):
    """Read the family of each dataset: a CSV of two columns, or JSON with a ``family`` mapping."""
    if Path(path).suffix == ".json":
        with open(path) as file:
            return json.load(file)["family"]
    with _open(path) as file:
        return {row[0]: row[1] for row in csv.reader(file)}


def read_qualities(path, datasets):
    """Read meta-features of OpenML datasets from a CSV with a row per data id."""
    with _open(path) as file:
        head, *rows = csv.reader(file)
    by_id = {str(int(float(row[0]))): row for row in rows}
    columns = []
    for name, change in QUALITIES:
        place = head.index(name)
        cells = [by_id[d][place] if d in by_id else "" for d in datasets]
        values = np.array([float(cell) if cell not in ("", "nan") else np.nan for cell in cells])
        columns.append(
            values if change is None else change(np.maximum(values, 0 + (change is np.log)))
        )
    return np.column_stack(columns), tuple(name for name, _ in QUALITIES)


def _families(datasets, groups):
    return np.array([groups.get(str(dataset), f"dataset {dataset}") for dataset in datasets])


def _point(text):
    try:
        point = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"configuration": text}
    return point if isinstance(point, dict) else {"configuration": text}


def read_errors(errors, runtimes=None, groups=None, qualities=None):
    """Read a table in Oboe's layout: a row a dataset, a column a configuration, errors."""
    names, datasets, values = _matrix(errors)
    seconds = None
    if runtimes is not None:
        columns, rows, times = _matrix(runtimes)
        if (columns, rows) != (names, datasets):
            raise SystemExit(f"{runtimes} does not have the rows and columns of {errors}.")
        seconds = times
    features, feature_names = (
        (None, ()) if qualities is None else read_qualities(qualities, datasets)
    )
    scores = -values
    return Table(
        name=Path(errors).name,
        datasets=datasets,
        groups=_families(datasets, read_groups(groups) if groups else {}),
        candidates=[_point(name) for name in names],
        told=scores[:, :, None],
        judged=scores[:, :, None],
        past=scores,
        worst=np.nanmin(scores, axis=1),
        seconds=seconds,
        metafeatures=features,
        metafeature_names=feature_names,
    )


def read_tensoroboe(folder, qualities=None, coverage=0.9):
    """Cut a dense table out of TensorOboe: pipelines without reducers, by what was measured.

    All estimators after imputing the mean and one-hot encoding, with and without standardising and
    without a reducer of dimensions; of these, pipelines measured on at least `coverage` of the
    datasets and then datasets with at least `coverage` of them.
    """
    folder = Path(folder)
    with open(folder / "axes.json") as file:
        axes = json.load(file)
    settings = axes["settings"]

    def find(axis, algorithm):
        return [i for i, s in enumerate(settings[axis]) if s["algorithm"] == algorithm]

    imputer = next(
        i
        for i, s in enumerate(settings["imputer"])
        if s["hyperparameters"].get("strategy") == "mean"
    )
    encoder = find("encoder", "OneHotEncoder")[0]
    reducer = find("dim_reducer", None)[0]
    with np.load(folder / "tensor.npz") as arrays:
        datasets = tuple(str(i) for i in arrays["dataset_id"])
        pieces = [
            arrays[name][:, imputer, encoder, :, reducer].astype(float).reshape(len(datasets), -1)
            for name in ("error", "runtime")
        ]
    candidates = [
        {"standardizer": str(s["algorithm"]), **e}
        for s in settings["standardizer"]
        for e in settings["estimator"]
    ]
    errors, seconds = pieces
    measured = np.isfinite(errors)
    columns = np.flatnonzero(measured.mean(axis=0) >= coverage)
    rows = np.flatnonzero(measured[:, columns].mean(axis=1) >= coverage)
    scores, seconds = -errors[np.ix_(rows, columns)], seconds[np.ix_(rows, columns)]
    datasets = tuple(datasets[i] for i in rows)
    features, names = (None, ()) if qualities is None else read_qualities(qualities, datasets)
    return Table(
        name="TensorOboe",
        datasets=datasets,
        groups=_families(datasets, axes["family"]),
        candidates=[candidates[i] for i in columns],
        told=scores[:, :, None],
        judged=scores[:, :, None],
        past=scores,
        worst=np.nanmin(scores, axis=1),
        seconds=np.where(seconds > 0, seconds, np.nan),
        metafeatures=features,
        metafeature_names=names,
    )


def read_bundled(kind, metric=None, all_folds=False):
    """Read the knowledge that the package brings; choices are made on some folds, judged on one.

    The configurations are those that a search chooses from, without the dummy estimators. With F
    folds there are F alternatives: each in turn judges the choice made on the mean of the others.
    With `all_folds` the mean of all folds is told and judged, which leaves out the noise of a fold.
    The score of regret 1 is the dummy's.
    """
    from sk_metalearn.knowledge import KnowledgeBase, Status
    from sk_metalearn.spaces import load_pool, to_point

    table = KnowledgeBase.bundled().table(kind, configurations=load_pool(kind))
    metric = metric or ("accuracy" if kind == "classification" else "r2")
    real = [i for i, own in enumerate(table.configurations) if own.family != "dummy"]
    folds = np.asarray(table.fold_scores(metric), dtype=float)[:, real]
    scores = np.asarray(table.scores(metric), dtype=float)[:, real]
    baseline = np.asarray(table.baseline(metric), dtype=float)
    good = np.isfinite(scores).sum(axis=1) > 1
    folds, scores, baseline = folds[good], scores[good], baseline[good]
    n_folds = folds.shape[2]
    told = np.stack([np.delete(folds, i, axis=2).mean(axis=2) for i in range(n_folds)], axis=2)
    judged = folds
    if all_folds:
        told = judged = scores[:, :, None]
    tasks = [task for task, kept in zip(table.tasks, good, strict=True) if kept]
    return Table(
        name=f"bundled {kind} ({metric})",
        datasets=tuple(task.id for task in tasks),
        groups=np.array([task.family for task in tasks]),
        candidates=[to_point(table.configurations[i]) for i in real],
        told=told,
        judged=judged,
        past=np.asarray(table.scores(metric, failures="dummy"), dtype=float)[good][:, real],
        worst=baseline,
        seconds=np.asarray(table.seconds, dtype=float)[good][:, real],
        baseline=baseline,
        metafeatures=np.asarray(table.metafeatures, dtype=float)[good],
        metafeature_names=table.metafeature_names,
        applies=table.status[good][:, real] != Status.not_applicable,
        kind=kind,
        folds=folds,
    )
