"""Tables with a row per run: LCDB's learning curves, the random searches of pimp and multitask."""

import csv
from collections import defaultdict
from dataclasses import replace

import numpy as np

from ..knowledge import Evaluation, KnowledgeBase, Source, exclusion
from ._imported import FIDELITY, Imported
from ._openml_qualities import Datasets
from ._table_files import open_text, read_arff, read_json, read_value
from ._tables_mapping import Mapper

__all__ = ["read_lcdb", "read_multitask", "read_pimp"]

LCDB = Source(
    "LCDB",
    "MIT",
    "https://github.com/fmohr/lcdb",
    "accuracy of default hyperparameters at growing training sizes, unscaled features "
    "(Mohr et al., ECML-PKDD 2022)",
)
PIMP = Source(
    "sklearn-bot",
    "BSD-3-Clause",
    "https://github.com/janvanrijn/openml-pimp",
    "random search on OpenML-100 tasks, accuracy over 10 folds (van Rijn and Hutter, KDD 2018)",
)
MULTITASK = Source(
    "multitask SVM",
    "BSD-3-Clause",
    "https://github.com/janvanrijn/openml-multitask",
    "random search of an RBF, polynomial or sigmoid SVM, accuracy over 10 folds",
)
# Of the learning curves' half-octave steps every fourth is kept as a fidelity.
_SIZES = (16, 64, 256, 1024, 4096, 16384, 65536)
_UNSCALED = {"imputer": "median", "encoder": "onehot", "scaler": "none", "reducer": "none"}


def read_lcdb(folder):
    """Import LCDB's learning curves: a fidelity for each of some training sizes.

    Parameters
    ----------
    folder : path-like
        Holds ``lcdb/accuracy_by_anchor.csv.gz`` and ``openml_qualities.csv.gz``.

    Returns
    -------
    Imported
        The largest training size of each dataset is also at fidelity ``"full"``.
    """
    datasets = Datasets(folder / "openml_qualities.csv.gz")
    runs = _Runs(datasets, LCDB)
    with open_text(folder / "lcdb" / "accuracy_by_anchor.csv.gz") as file:
        rows = list(csv.DictReader(file))
    largest = defaultdict(int)
    for row in rows:
        key = row["openmlid"], row["learner"]
        largest[key] = max(largest[key], int(row["size_train"]))
    for row in rows:
        name, _, kernel = row["learner"].partition("SVC_")
        name, params = ("SVC", {"kernel": kernel}) if kernel else (name, {})
        size = int(row["size_train"])
        accuracy, seconds = float(row["score_test"]), float(row["traintime"])
        data_id = int(row["openmlid"])
        fidelities = [f"{size} rows"] if size in _SIZES else []
        if size == largest[row["openmlid"], row["learner"]]:
            fidelities.append(FIDELITY)
        for fidelity in fidelities:
            runs.add(data_id, name, params, _UNSCALED, accuracy, seconds, fidelity, size)
    return runs.imported()


def read_pimp(folder):
    """Import the random searches over random forest and AdaBoost.

    Parameters
    ----------
    folder : path-like
        Holds ``pimp/random_forest.arff.gz``, ``pimp/adaboost.arff.gz``,
        ``pimp/task_qualities.json`` and ``openml_qualities.csv.gz``.

    Returns
    -------
    Imported
    """
    runs = _Runs(Datasets(folder / "openml_qualities.csv.gz"), PIMP)
    tasks = _data_of_tasks(folder, runs.datasets)
    for file, name in (
        ("random_forest.arff.gz", "RandomForestClassifier"),
        ("adaboost.arff.gz", "AdaBoostClassifier"),
    ):
        prefix = name.lower() + "__"
        for row in read_arff(folder / "pimp" / file):
            strategy = row["columntransformer__numeric__imputer__strategy"]
            params = {
                key.removeprefix(prefix): read_value(value)
                for key, value in row.items()
                if key.startswith(prefix)
            }
            task = int(float(row["task_id"]))
            accuracy = float(row["predictive_accuracy"])
            if strategy not in ("mean", "median"):
                runs.mapper.drop(f"imputer {strategy!r} is not in the catalogue")
                continue
            steps = {"imputer": strategy, "encoder": "onehot"}
            runs.add(tasks.get(task), name, params, steps, accuracy, task=task)
    return runs.imported()


def read_multitask(folder):
    """Import the random search over kernels of an SVM.

    Parameters
    ----------
    folder : path-like
        Holds ``multitask/svm-offgrid.arff.gz``, ``pimp/task_qualities.json`` and
        ``openml_qualities.csv.gz``.

    Returns
    -------
    Imported
    """
    runs = _Runs(Datasets(folder / "openml_qualities.csv.gz"), MULTITASK)
    tasks = _data_of_tasks(folder, runs.datasets)
    for row in read_arff(folder / "multitask" / "svm-offgrid.arff.gz"):
        params = {name: read_value(row[name]) for name in ("C", "gamma", "kernel", "tol")}
        if params["kernel"] != "rbf":
            params["coef0"] = float(row["coef0"])
        task = int(float(row["task_id"]))
        steps = {"imputer": "mean"}
        runs.add(tasks.get(task), "SVC", params, steps, float(row["y"]), task=task)
    return runs.imported()


class _Runs:
    """Gather runs into evaluations."""

    def __init__(self, datasets, source: Source):
        self.datasets, self.source = datasets, source
        self.mapper = Mapper("classification")
        self.tasks, self.configurations, self.evaluations, self.excluded = {}, {}, [], {}

    def add(
        self,
        data_id,
        name,
        params,
        steps,
        accuracy,
        seconds=None,
        fidelity=FIDELITY,
        n_train=0,
        task=None,
    ):
        """Enter one run, or count why it cannot be."""
        if data_id is None or data_id not in self.datasets.rows:
            self.mapper.drop("dataset without qualities")
            return
        if data_id not in self.tasks:
            own = self.datasets.task(data_id)
            self.tasks[data_id] = replace(own, openml_task_id=task)
        own = self.tasks[data_id]
        shape = (own.n_rows, own.n_features, own.n_classes)
        copied = exclusion(own.name, own.openml_id, shape, own.kind)
        if copied:
            self.excluded[own.name] = copied
            return
        if not np.isfinite(accuracy):
            self.mapper.drop("no score")
            return
        configuration = self.mapper.map(name, params, steps, max(own.n_rows, 2), own.n_features)
        if configuration is None:
            return
        self.configurations[configuration.id] = configuration
        self.evaluations.append(
            Evaluation(
                own.id,
                configuration.id,
                "ok",
                {"accuracy": (accuracy,)},
                fit_seconds=() if seconds is None or not np.isfinite(seconds) else (seconds,),
                fidelity=fidelity,
                source=self.source.name,
                n_train=n_train,
            )
        )

    def imported(self):
        """Give the base of what was gathered."""
        measured = {own.task for own in self.evaluations}
        tasks = {i: own for i, own in self.tasks.items() if own.id in measured}
        base = KnowledgeBase.from_evaluations(
            tasks.values(),
            self.configurations.values(),
            self.evaluations,
            {own.id: self.datasets.metafeatures(i) for i, own in tasks.items()},
            sources=[self.source],
        )
        return Imported(base, self.mapper.dropped, self.excluded)


def _data_of_tasks(folder, datasets):
    """Find the data id of each OpenML task by its qualities."""
    found = {}
    for task, qualities in read_json(folder / "pimp" / "task_qualities.json").items():
        data_id = datasets.find(qualities)
        if data_id is not None:
            found[int(task)] = data_id
    return found
