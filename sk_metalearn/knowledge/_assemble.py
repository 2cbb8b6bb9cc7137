"""Evaluations, one after the other, become tables."""

from collections.abc import Mapping

import numpy as np

from ..exceptions import KnowledgeError
from ._metrics import FOLD_METRICS
from ._records import KINDS, Status, supersedes
from ._table import PerformanceTable, code_type

__all__ = ["assemble"]


class _Cells:
    """The growing arrays of one kind and fidelity."""

    def __init__(self, n_tasks, n_columns):
        self.shape = (n_tasks, n_columns)
        self.arrays = {
            "seconds": np.full(self.shape, np.nan),
            "status": np.zeros(self.shape, dtype=np.uint8),
            "origin": np.zeros(self.shape, dtype=np.uint32),
            "machine": np.zeros(self.shape, dtype=np.uint32),
            "seed": np.zeros(self.shape, dtype=np.int64),
        }

    def add(self, i, j, evaluation, source, machine):
        arrays = self.arrays
        before = arrays["status"][i, j]
        if not supersedes(evaluation.status, before):
            return
        arrays["status"][i, j] = evaluation.status
        arrays["seconds"][i, j] = evaluation.seconds
        arrays["origin"][i, j], arrays["machine"][i, j] = source, machine
        arrays["seed"][i, j] = evaluation.seed
        if evaluation.status != Status.ok:
            return
        for metric, values in evaluation.metrics.items():
            self._own("mean:" + metric)[i, j] = _mean(values)
            if metric in FOLD_METRICS:
                self._own("folds:" + metric, len(values))[i, j, : len(values)] = values
        for metric, values in evaluation.outer.items():
            self._own("outer:" + metric)[i, j] = _mean(values)

    def _own(self, name, depth=None):
        shape = self.shape if depth is None else (*self.shape, depth)
        values = self.arrays.get(name)
        if values is None:
            values = self.arrays[name] = np.full(shape, np.nan)
        elif depth is not None and values.shape[2] < depth:
            wider = np.full(shape, np.nan)
            wider[:, :, : values.shape[2]] = values
            values = self.arrays[name] = wider
        return values


def assemble(tasks, configurations, evaluations, metafeatures):
    """Fill tables from evaluations.

    A cell evaluated twice keeps the first, unless only the second went well.

    Parameters
    ----------
    tasks : iterable of Task
    configurations : iterable of Configuration, or mapping of kind to such
        From a mapping each kind keeps all its columns; else those that were evaluated.
    evaluations : iterable of Evaluation
    metafeatures : mapping of str to mapping of str to float
        By task id.

    Returns
    -------
    dict of (kind, fidelity) to PerformanceTable

    Raises
    ------
    KnowledgeError
        If an evaluation speaks of a task or configuration that is not given.
    """
    tasks = tuple({task.id: task for task in tasks}.values())
    rows = {kind: [task for task in tasks if task.kind == kind] for kind in KINDS}
    given = isinstance(configurations, Mapping)
    if given:
        columns = {kind: _unique(configurations.get(kind, ())) for kind in KINDS}
    else:
        columns = dict.fromkeys(KINDS, _unique(configurations))
    kind_of = {task.id: task.kind for task in tasks}
    row = {task.id: i for kind in KINDS for i, task in enumerate(rows[kind])}
    column = {kind: {c.id: j for j, c in enumerate(columns[kind])} for kind in KINDS}
    cells, sources, machines = {}, {}, {}
    for evaluation in evaluations:
        kind = kind_of.get(evaluation.task)
        j = column.get(kind, {}).get(evaluation.configuration)
        if kind is None or j is None:
            what = "task" if kind is None else "configuration"
            raise KnowledgeError(
                f"An evaluation speaks of the {what} {getattr(evaluation, what)!r}, which is not "
                f"among the {what}s given. Add it to them."
            )
        key = kind, evaluation.fidelity
        if key not in cells:
            cells[key] = _Cells(len(rows[kind]), len(columns[kind]))
        source = sources.setdefault(evaluation.source, len(sources))
        machine = machines.setdefault(evaluation.machine, len(machines))
        cells[key].add(row[evaluation.task], j, evaluation, source, machine)
    for kind in KINDS:
        if rows[kind] and kind not in {own for own, _ in cells}:
            cells[kind, "main"] = _Cells(len(rows[kind]), len(columns[kind]))
    tables = {}
    for (kind, fidelity), own in sorted(cells.items()):
        names = _feature_names(metafeatures, rows[kind])
        own.arrays["origin"] = own.arrays["origin"].astype(code_type(sources))
        own.arrays["machine"] = own.arrays["machine"].astype(code_type(machines))
        if not own.arrays["seed"].any():
            del own.arrays["seed"]
        table = PerformanceTable(
            kind,
            rows[kind],
            columns[kind],
            {**own.arrays, "metafeatures": _feature_matrix(metafeatures, rows[kind], names)},
            names,
            fidelity,
            sources or ("",),
            machines or ("",),
        )
        measured = table.status != Status.missing
        keep_rows = None if fidelity == "main" else measured.any(axis=1)
        keep_columns = measured.any(axis=0) if fidelity != "main" or not given else None
        if keep_rows is not None or keep_columns is not None:
            table = table.take(keep_rows, keep_columns)
        tables[kind, fidelity] = table
    return tables


def _mean(values):
    return sum(values) / len(values) if values else np.nan


def _unique(configurations):
    return tuple({own.id: own for own in configurations}.values())


def _feature_names(metafeatures, tasks):
    return tuple(dict.fromkeys(name for task in tasks for name in metafeatures.get(task.id, ())))


def _feature_matrix(metafeatures, tasks, names):
    values = [[metafeatures.get(task.id, {}).get(name, np.nan) for name in names] for task in tasks]
    return np.array(values, dtype=float).reshape(len(tasks), len(names))
