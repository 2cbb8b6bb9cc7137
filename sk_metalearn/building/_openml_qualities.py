"""OpenML's description of its datasets, from a table of qualities."""

import csv

import numpy as np

from ..exceptions import KnowledgeError
from ..knowledge import FamilyTable, Task, task_id
from ._table_files import errors_name, open_text

__all__ = ["Datasets", "meta_features", "openml_aliases"]


class Datasets:
    """OpenML's description of its datasets, from a table of qualities.

    Parameters
    ----------
    path : path-like
        ``openml_qualities.csv.gz``: a row per dataset with ``Id``, ``Name`` and the qualities.

    Raises
    ------
    KnowledgeError
        If the file is missing or damaged.
    """

    def __init__(self, path):
        self.rows = {}
        with open_text(path) as file, errors_name(path):
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
