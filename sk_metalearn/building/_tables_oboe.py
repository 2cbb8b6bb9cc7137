"""The tables of Oboe and TensorOboe: many pipelines on a few hundred OpenML datasets."""

import ast
import csv
from dataclasses import replace
from itertools import product

import numpy as np

from ..exceptions import KnowledgeError
from ..knowledge import Source
from ._imported import dense_base
from ._openml_qualities import Datasets
from ._table_files import open_text, read_json
from ._tables_mapping import Mapper

__all__ = ["read_oboe", "read_tensoroboe"]

OBOE = Source(
    "Oboe",
    "BSD-3-Clause",
    "https://github.com/udellgroup/oboe",
    "balanced accuracy from 5-fold cross-validation on all rows (Yang et al., KDD 2019)",
)
TENSOROBOE = Source(
    "TensorOboe",
    "BSD-3-Clause",
    "https://github.com/udellgroup/oboe",
    "balanced accuracy from 5-fold cross-validation on all rows (Yang et al., KDD 2020)",
)
_CLASSES = {
    "AB": "AdaBoostClassifier",
    "DT": "DecisionTreeClassifier",
    "ExtraTrees": "ExtraTreesClassifier",
    "GBT": "GradientBoostingClassifier",
    "GNB": "GaussianNB",
    "KNN": "KNeighborsClassifier",
    "Logit": "LogisticRegression",
    "MLP": "MLPClassifier",
    "Perceptron": "Perceptron",
    "RF": "RandomForestClassifier",
    "kSVM": "SVC",
    "lSVM": "LinearSVC",
}
# What the makers did to every dataset before the models of Oboe's own table.
_OBOE_STEPS = {"imputer": "mean", "encoder": "onehot", "scaler": "standard", "reducer": "none"}
_IMPUTERS = {"mean": "mean", "median": "median"}


def _model(mapper, setting, steps, count, task_shape=(1000, 10)):
    """Map one estimator; AdaBoost was run with the algorithm that scikit-learn has dropped."""
    name, params = setting["algorithm"], dict(setting.get("hyperparameters") or {})
    if name == "AB":
        params["algorithm"] = "SAMME.R"
    return mapper.map(_CLASSES.get(name, name), params, steps, *task_shape, count=count)


def read_oboe(folder):
    """Import Oboe's error and runtime matrices.

    Parameters
    ----------
    folder : path-like
        Holds ``oboe/error_matrix.csv.gz``, ``oboe/runtime_matrix.csv.gz`` and
        ``openml_qualities.csv.gz``.

    Returns
    -------
    Imported
    """
    datasets = Datasets(folder / "openml_qualities.csv.gz")
    settings, errors = _read_matrix(folder / "oboe" / "error_matrix.csv.gz")
    again, runtimes = _read_matrix(folder / "oboe" / "runtime_matrix.csv.gz")
    ids = [own for own in errors if own in datasets.rows]
    columns = {setting: j for j, setting in enumerate(again)}
    mapper = Mapper("classification")
    mapper.drop("dataset without qualities", len(errors) - len(ids))
    configurations, kept = [], []
    for j, text in enumerate(settings):
        configuration = _model(mapper, ast.literal_eval(text), _OBOE_STEPS, len(ids))
        if configuration is not None:
            configurations.append(configuration)
            kept.append(j)
    scores = 1 - np.array([errors[own] for own in ids])[:, kept]
    same = [columns[settings[j]] for j in kept]
    seconds = np.array([runtimes.get(own, [np.nan] * len(again)) for own in ids])[:, same]
    return dense_base(
        [datasets.task(own) for own in ids],
        configurations,
        scores,
        seconds,
        {datasets.task(own).id: datasets.metafeatures(own) for own in ids},
        OBOE,
        mapper.dropped,
        "balanced_accuracy",
    )


def _read_matrix(path):
    with open_text(path) as file:
        reader = csv.reader(file)
        settings = next(reader, [])[1:]
        rows = {
            int(row[0]): [float(value) if value else np.nan for value in row[1:]] for row in reader
        }
    return settings, rows


def read_tensoroboe(folder):
    """Import the part of TensorOboe's tensor that the catalogue has words for.

    Parameters
    ----------
    folder : path-like
        Holds ``tensoroboe/tensor.npz``, ``tensoroboe/axes.json`` and
        ``openml_qualities.csv.gz``.

    Returns
    -------
    Imported
    """
    datasets = Datasets(folder / "openml_qualities.csv.gz")
    path = folder / "tensoroboe" / "tensor.npz"
    if not path.is_file():
        raise KnowledgeError(f"There is no file {str(path)!r}; give the folder that holds it.")
    axes = read_json(folder / "tensoroboe" / "axes.json")
    with np.load(path, allow_pickle=False) as archive:
        ids, errors, runtimes = (archive[name] for name in ("dataset_id", "error", "runtime"))
    mapper = Mapper("classification")
    known = [i for i, own in enumerate(ids) if int(own) in datasets.rows]
    mapper.drop("dataset without qualities", len(ids) - len(known))
    configurations, cells = [], []
    sizes = [range(len(axes["settings"][axis])) for axis in axes["axes"]]
    for place in product(*sizes):
        parts = {
            axis: axes["settings"][axis][k] for axis, k in zip(axes["axes"], place, strict=True)
        }
        steps = _steps(parts)
        if isinstance(steps, str):
            mapper.drop(steps, len(known))
            continue
        configuration = _model(mapper, parts["estimator"], steps, len(known))
        if configuration is not None:
            configurations.append(configuration)
            cells.append(place)
    index = tuple(np.array(cells).T)
    errors, runtimes = errors[known], runtimes[known]
    kin = axes.get("family", {})
    return dense_base(
        [replace(datasets.task(ids[i]), family=kin.get(str(ids[i]), "")) for i in known],
        configurations,
        1 - errors[(slice(None), *index)].astype(float),
        runtimes[(slice(None), *index)].astype(float),
        {datasets.task(ids[i]).id: datasets.metafeatures(ids[i]) for i in known},
        TENSOROBOE,
        mapper.dropped,
        "balanced_accuracy",
    )


def _steps(parts):
    """Give the preprocessing in the catalogue's words, or why it has none."""
    strategy = parts["imputer"]["hyperparameters"]["strategy"]
    if strategy not in _IMPUTERS:
        return f"imputer {strategy!r} is not in the catalogue"
    reducer = parts["dim_reducer"]["algorithm"]
    share = (parts["dim_reducer"].get("hyperparameters") or {}).get("k")
    if reducer == "SelectKBest" and share == "50%":
        reducer = "select"
    elif reducer is None:
        reducer = "none"
    else:
        return f"reducer {reducer} is not in the catalogue"
    return {
        "imputer": _IMPUTERS[strategy],
        "encoder": "ordinal" if parts["encoder"]["algorithm"] is None else "onehot",
        "scaler": "none" if parts["standardizer"]["algorithm"] is None else "standard",
        "reducer": reducer,
    }
