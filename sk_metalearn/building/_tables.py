"""Public tables of evaluations, imported with their provenance and licence.

Scores of others were measured on all rows of a dataset, with other folds: they go to a table of
their own, at fidelity ``"full"``, and never mix with what the package measured itself.
"""

import csv
import gzip
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..exceptions import KnowledgeError
from ..knowledge import (
    FamilyTable,
    KnowledgeBase,
    PerformanceTable,
    Source,
    Status,
    Task,
    exclusion,
    task_id,
)

__all__ = ["FIDELITY", "Datasets", "Imported", "TABLES", "import_table", "openml_aliases"]

FIDELITY = "full"


@dataclass(frozen=True)
class Imported:
    """What an import gave, and what it left behind.

    Parameters
    ----------
    base : KnowledgeBase
    dropped : mapping of str to int
        Settings (or evaluations) without a counterpart in the catalogue, by reason.
    excluded : mapping of str to str
        Datasets left out because they are copies of scikit-learn's own, by name.
    """

    base: KnowledgeBase
    dropped: dict = field(default_factory=Counter)
    excluded: dict = field(default_factory=dict)

    def __str__(self):
        lines = [str(self.base)]
        if self.excluded:
            lines.append(f"excluded as copies of scikit-learn's own datasets: {self.excluded}")
        lines += [f"dropped {n:,}: {why}" for why, n in Counter(self.dropped).most_common()]
        return "\n".join(lines)


class Datasets:
    """OpenML's description of its datasets, from a table of qualities.

    Parameters
    ----------
    path : path-like
        ``openml_qualities.csv.gz``: a row per dataset with ``Id``, ``Name`` and the qualities.
    """

    def __init__(self, path):
        self.rows = {}
        with open_text(path) as file:
            for row in csv.DictReader(file):
                self.rows[int(row["Id"])] = row

    def qualities(self, data_id):
        """Give the qualities of a dataset.

        Parameters
        ----------
        data_id : int

        Returns
        -------
        dict of str to float
            Those missing are left out.
        """
        row = self.rows.get(int(data_id), {})
        return {
            name: float(value)
            for name, value in row.items()
            if value not in ("", None) and name not in ("Id", "Name", "Runs")
        }

    def task(self, data_id, kind="classification", source="OpenML"):
        """Describe the task of a dataset.

        Parameters
        ----------
        data_id : int
        kind : {"classification", "regression"}, default="classification"
        source : str, default="OpenML"

        Returns
        -------
        Task

        Raises
        ------
        KnowledgeError
            If the table has no such dataset.
        """
        if int(data_id) not in self.rows:
            raise KnowledgeError(f"The table of qualities has no dataset {data_id}.")
        qualities = self.qualities(data_id)
        classification = kind == "classification"
        return Task(
            task_id("openml", int(data_id), kind),
            self.rows[int(data_id)]["Name"],
            kind,
            "",
            qualities.get("NumberOfInstances", 0),
            max(qualities.get("NumberOfFeatures", 1) - 1, 0),
            qualities.get("NumberOfClasses", 0) if classification else 0,
            openml_id=int(data_id),
            source=source,
        )

    def metafeatures(self, data_id):
        """Give the meta-features that follow from a dataset's qualities.

        Parameters
        ----------
        data_id : int

        Returns
        -------
        dict of str to float
            See `meta_features`.
        """
        return meta_features(self.qualities(data_id))

    def find(self, qualities):
        """Find the dataset with the given qualities, None if there is none.

        Counts must agree; of several datasets that one is taken whose moments agree best, then
        the oldest.

        Parameters
        ----------
        qualities : mapping of str to float

        Returns
        -------
        int or None
            Its data id.
        """
        numbers = {name: value for name, value in qualities.items() if np.isfinite(value or 0.0)}
        found = []
        for data_id, row in self.rows.items():
            if all(_agree(row.get(name), numbers.get(name)) for name in _COUNTS):
                moments = sum(_agree(row.get(name), numbers.get(name)) for name in _MOMENTS)
                found.append((-moments, data_id))
        return min(found)[1] if found else None


_COUNTS = (
    "NumberOfInstances",
    "NumberOfFeatures",
    "NumberOfClasses",
    "MajorityClassSize",
    "MinorityClassSize",
    "NumberOfMissingValues",
    "NumberOfNumericFeatures",
)
_MOMENTS = ("ClassEntropy", "MeanMeansOfNumericAtts", "MeanStdDevOfNumericAtts", "AutoCorrelation")


def _agree(text, number):
    if text in ("", None) or number is None:
        return False
    return abs(float(text) - number) <= 1e-6 * max(1.0, abs(number))


def meta_features(qualities):
    """Translate OpenML's qualities into meta-features.

    Parameters
    ----------
    qualities : mapping of str to float

    Returns
    -------
    dict of str to float
        The qualities under their own names, which the package shares, and those of its default
        meta-features that follow from them.
    """
    known = {name: float(value) for name, value in qualities.items() if np.isfinite(value)}
    get = known.get
    rows, columns = get("NumberOfInstances"), get("NumberOfFeatures", 1) - 1
    classes, entropy = get("NumberOfClasses", 0), get("ClassEntropy")
    derived = {}
    if rows and columns > 0:
        derived["log_n_rows"] = np.log(rows)
        derived["log_n_columns"] = np.log(columns)
        derived["log_columns_per_row"] = np.log(columns / rows)
        if "NumberOfNumericFeatures" in known:
            derived["fraction_numeric"] = min(known["NumberOfNumericFeatures"] / columns, 1.0)
        if "NumberOfMissingValues" in known:
            derived["fraction_missing"] = known["NumberOfMissingValues"] / (rows * columns)
        if "NumberOfInstancesWithMissingValues" in known:
            derived["fraction_rows_missing"] = known["NumberOfInstancesWithMissingValues"] / rows
        if classes > 1:
            derived["log_n_classes"] = np.log(classes)
            if entropy is not None:
                derived["class_entropy_normalised"] = entropy / np.log2(classes)
            if get("MajorityClassSize", -1) > 0:
                derived["class_share_max"] = known["MajorityClassSize"] / rows
            if get("MinorityClassSize", -1) > 0:
                derived["class_share_min"] = known["MinorityClassSize"] / rows
                derived["log_smallest_class"] = np.log(known["MinorityClassSize"])
    return {**known, **{name: float(value) for name, value in derived.items()}}


def openml_aliases(tasks, path):
    """Find the OpenML datasets that are kin of a base's tasks.

    Given to a base as its aliases they let ``without(openml_ids=...)`` understand the ids of other
    versions, subsets and simulated copies.

    Parameters
    ----------
    tasks : sequence of Task
    path : path-like
        ``openml_qualities.csv.gz``.

    Returns
    -------
    list of Task
        Without those that are among the tasks already.
    """
    datasets, families = Datasets(path), FamilyTable(tasks)
    known = {task.openml_id for task in tasks}
    found = []
    for data_id in datasets.rows:
        kinds = ("regression", "classification")
        kind = kinds[datasets.qualities(data_id).get("NumberOfClasses", 0) > 0]
        task = datasets.task(data_id, kind)
        if data_id not in known and families.kin_of(task):
            found.append(task)
    return found


def dense_base(tasks, configurations, scores, seconds, metafeatures, source, dropped, metric):
    """Make a base of one dense table.

    Parameters
    ----------
    tasks : sequence of Task
    configurations : sequence of Configuration
    scores, seconds : ndarray of shape (n_tasks, n_configurations)
        NaN where not measured.
    metafeatures : mapping of str to mapping of str to float
        By task id.
    source : Source
    dropped : Counter
    metric : str

    Returns
    -------
    Imported
        Without the datasets that scikit-learn ships.
    """
    excluded, keep = {}, []
    for i, task in enumerate(tasks):
        shape = (task.n_rows, task.n_features, task.n_classes)
        name = exclusion(task.name, task.openml_id, shape, task.kind)
        if name:
            excluded[task.name] = name
        elif np.isfinite(scores[i]).any():
            keep.append(i)
    # Two settings may mean the same configuration: the better measured one stays.
    columns = {}
    for j in np.argsort(-np.isfinite(scores).sum(axis=0), kind="stable"):
        columns.setdefault(configurations[j].id, j)
    chosen = sorted(columns.values())
    tasks = [tasks[i] for i in keep]
    scores = scores[np.ix_(keep, chosen)].astype(float)
    seconds = seconds[np.ix_(keep, chosen)].astype(float)
    names = tuple(dict.fromkeys(name for t in tasks for name in metafeatures.get(t.id, ())))
    features = [[metafeatures.get(t.id, {}).get(name, np.nan) for name in names] for t in tasks]
    status = np.where(np.isfinite(scores), Status.ok, Status.missing).astype(np.uint8)
    kind = tasks[0].kind if tasks else "classification"
    arrays = {
        "status": status,
        "origin": np.zeros_like(status),
        "machine": np.zeros_like(status),
        "seconds": np.where(status == Status.ok, seconds, np.nan),
        "mean:" + metric: scores,
        "metafeatures": np.array(features, dtype=float).reshape(len(tasks), len(names)),
    }
    table = PerformanceTable(
        kind,
        tasks,
        [configurations[j] for j in chosen],
        arrays,
        names,
        FIDELITY,
        (source.name,),
    )
    base = KnowledgeBase({(kind, FIDELITY): table}, sources=[source])
    return Imported(base._with_families(), dropped, excluded)


def open_text(path):
    """Open a text file, compressed with gzip or not.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    file object

    Raises
    ------
    KnowledgeError
        If there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise KnowledgeError(f"There is no file {str(path)!r}; give the folder that holds it.")
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def read_arff(path):
    """Read a simple ARFF table (no quotes, no sparse rows).

    Parameters
    ----------
    path : path-like

    Returns
    -------
    list of dict of str to str
    """
    names, rows, started = [], [], False
    with open_text(path) as file:
        for line in file:
            line = line.strip()
            if not line or line.startswith("%"):
                continue
            if started:
                values = line.split(",")
                if len(values) != len(names):
                    raise KnowledgeError(
                        f"{str(path)!r}: a row has {len(values)} values for {len(names)} columns."
                    )
                rows.append(dict(zip(names, values, strict=True)))
            elif line.lower().startswith("@attribute"):
                names.append(line.split()[1].strip("'\""))
            elif line.lower() == "@data":
                started = True
    return rows


def read_json(path):
    """Read a JSON file, NaN included.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    object
    """
    with open_text(path) as file:
        return json.load(file)


def _oboe(folder):
    from ._tables_oboe import read_oboe

    return read_oboe(folder)


def _tensoroboe(folder):
    from ._tables_oboe import read_tensoroboe

    return read_tensoroboe(folder)


def _lcdb(folder):
    from ._tables_runs import read_lcdb

    return read_lcdb(folder)


def _pimp(folder):
    from ._tables_runs import read_pimp

    return read_pimp(folder)


def _multitask(folder):
    from ._tables_runs import read_multitask

    return read_multitask(folder)


def _autosklearn(folder):
    from ._tables_autosklearn import read_autosklearn

    return read_autosklearn(folder)


#: Name of each table and what reads it from a folder of all tables.
TABLES = {
    "oboe": _oboe,
    "tensoroboe": _tensoroboe,
    "lcdb": _lcdb,
    "pimp": _pimp,
    "multitask": _multitask,
    "autosklearn": _autosklearn,
}


def import_table(name, folder):
    """Import a public table.

    Parameters
    ----------
    name : str
        One of `TABLES`.
    folder : path-like
        Holds a folder per table, and ``openml_qualities.csv.gz``.

    Returns
    -------
    Imported

    Raises
    ------
    KnowledgeError
        If there is no such table or its files are missing.
    """
    if name not in TABLES:
        raise KnowledgeError(f"The tables are {sorted(TABLES)}; got {name!r}.")
    return TABLES[name](Path(folder))


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
AUTOSKLEARN = Source(
    "auto-sklearn",
    "BSD-3-Clause",
    "https://github.com/automl/auto-sklearn",
    "the best configuration found per dataset, on a held-out third (Feurer et al., NeurIPS 2015)",
)
