"""Evaluations, one after the other, become tables."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from ..exceptions import KnowledgeError
from ._cells import CellWriter
from ._limits import MAX_METRICS, require_room
from ._metrics import FOLD_METRICS
from ._records import KINDS, show_value
from ._table import PerformanceTable, code_type

__all__ = ["assemble", "counted", "unite_records"]

_MAX_FIDELITIES = 50


def assemble(tasks, configurations, evaluations, metafeatures, on_problem=None):
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
    on_problem : callable, optional
        Is told what is wrong with an evaluation, which is then left out. Default: an error.

    Returns
    -------
    dict of (kind, fidelity) to PerformanceTable

    Raises
    ------
    KnowledgeError
        If an evaluation speaks of a task or configuration that is not given, or brings more
        metrics or fidelities than there can be.
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
    writers, sources, machines, metrics = {}, {}, {}, set()
    for evaluation in evaluations:
        kind = kind_of.get(evaluation.task)
        j = column.get(kind, {}).get(evaluation.configuration)
        problem, key = "", (kind, evaluation.fidelity)
        if kind is None or j is None:
            what = "task" if kind is None else "configuration"
            problem = (
                f"An evaluation speaks of the {what} {getattr(evaluation, what)!r}, which is not "
                f"among the {what}s given. Add it to them."
            )
        else:
            new = {*evaluation.metrics, *evaluation.outer} - metrics
            if len(metrics) + len(new) > MAX_METRICS:
                problem = (
                    f"The evaluations have more than {MAX_METRICS} metrics; one more brings "
                    f"{show_value(sorted(new))}."
                )
            else:
                metrics |= new
        if not problem and key not in writers and len(writers) >= _MAX_FIDELITIES:
            problem = f"More than {_MAX_FIDELITIES} fidelities; one more is {key[1]!r}."
        if problem:
            if on_problem is None:
                raise KnowledgeError(problem)
            on_problem(problem)
            continue
        if key not in writers:
            writers[key] = CellWriter()
        source = sources.setdefault(evaluation.source, len(sources))
        machine = machines.setdefault(evaluation.machine, len(machines))
        writers[key].add((row[evaluation.task], j), evaluation, source, machine, FOLD_METRICS)
    for kind in KINDS:
        if rows[kind] and kind not in {own for own, _ in writers}:
            writers[kind, "main"] = CellWriter()
    tables = {}
    for (kind, fidelity), writer in sorted(writers.items()):
        cells = writer.cells((len(rows[kind]), len(columns[kind])))
        names = _feature_names(metafeatures, rows[kind])
        for name, codes in (("origin", sources), ("machine", machines)):
            cells.values[name] = cells.values[name].astype(code_type(codes))
        if not cells.values["seed"].any():
            del cells.values["seed"]
        table = PerformanceTable(
            kind,
            rows[kind],
            columns[kind],
            {"metafeatures": _feature_matrix(metafeatures, rows[kind], names)},
            names,
            fidelity,
            sources or ("",),
            machines or ("",),
            cells,
        )
        keep_rows = None if fidelity == "main" else np.unique(cells.rows)
        keep_columns = np.unique(cells.columns) if fidelity != "main" or not given else None
        if keep_rows is not None or keep_columns is not None:
            table = table.take(keep_rows, keep_columns)
        tables[kind, fidelity] = table
    return tables


def _unique(configurations):
    return tuple({own.id: own for own in configurations}.values())


def counted(problems):
    """Say each problem once, and how often it was met.

    Parameters
    ----------
    problems : list of str

    Returns
    -------
    list of str
    """
    return [
        problem if number == 1 else f"{problem} ({number} times)"
        for problem, number in Counter(problems).items()
    ]


def _feature_names(metafeatures, tasks):
    return tuple(dict.fromkeys(name for task in tasks for name in metafeatures.get(task.id, ())))


def _feature_matrix(metafeatures, tasks, names):
    require_room((len(tasks), len(names)), "The table of meta-features")
    values = [[metafeatures.get(task.id, {}).get(name, np.nan) for name in names] for task in tasks]
    return np.array(values, dtype=float).reshape(len(tasks), len(names))


def unite_records(pending):
    """Make tables of what was recorded, in one piece: one merge serves any number of records.

    Parameters
    ----------
    pending : list of (tasks, configurations, evaluations, metafeatures)
        In the order in which they came.

    Returns
    -------
    dict of (kind, fidelity) to PerformanceTable
    """
    tasks, configurations, evaluations, metafeatures = {}, {}, [], {}
    for own_tasks, own_configurations, own_evaluations, own_features in pending:
        for task in own_tasks:
            if task.id not in tasks or task.named:
                tasks[task.id] = task
        configurations.update((own.id, own) for own in own_configurations)
        evaluations += own_evaluations
        for key, values in own_features.items():
            known = {n: v for n, v in metafeatures.get(key, {}).items() if v == v}
            metafeatures[key] = {**metafeatures.get(key, {}), **values, **known}
    return assemble(tasks.values(), configurations.values(), evaluations, metafeatures)
