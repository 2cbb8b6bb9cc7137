"""Union and difference of tables."""

import numpy as np

from ._cells import Cells, unite
from ._records import Task
from ._table import PerformanceTable, code_type

__all__ = ["diff_tables", "merge_tables"]

_CODES = {"origin": "sources", "machine": "machines"}


def merge_tables(first, second):
    """Unite two sets of tables.

    Where both measured a cell the first's is kept, unless only the second's went well.

    Parameters
    ----------
    first, second : mapping of (kind, fidelity) to PerformanceTable

    Returns
    -------
    dict of (kind, fidelity) to PerformanceTable
    """
    merged = dict(second)
    for key, table in first.items():
        merged[key] = _merge(table, second[key]) if key in second else table
    return merged


def _merge(first, second):
    tasks = _union(first.tasks, second.tasks)
    configurations = _union(first.configurations, second.configurations)
    names = tuple(dict.fromkeys(first.metafeature_names + second.metafeature_names))
    shape = len(tasks), len(configurations)
    places = [_places(table, tasks, configurations) for table in (first, second)]
    lists = {
        own: tuple(dict.fromkeys(getattr(first, own) + getattr(second, own)))
        for own in _CODES.values()
    }
    parts = []
    for table, (rows, columns) in zip((first, second), places, strict=True):
        cells = table.cells()
        values = dict(cells.values)
        for name, entries in _CODES.items():
            position = {entry: k for k, entry in enumerate(lists[entries])}
            codes = [position[entry] for entry in getattr(table, entries)]
            values[name] = np.array(codes, dtype=code_type(position))[values[name]]
        rows, columns = np.array(rows, dtype=int), np.array(columns, dtype=int)
        parts.append(Cells(shape, rows[cells.rows], columns[cells.columns], values))
    return PerformanceTable(
        first.kind,
        tasks,
        configurations,
        {"metafeatures": _merge_features(first, second, places, (shape[0], len(names)), names)},
        names,
        first.fidelity,
        lists["sources"],
        lists["machines"],
        unite(shape, *parts),
    )


def _union(first, second):
    known = {own.id: own for own in (*second, *first)}
    for own in second:
        # A name that somebody gave stands before none.
        if isinstance(own, Task) and own.named and not known[own.id].named:
            known[own.id] = own
    return tuple(known[key] for key in _ids(first, second))


def _ids(first, second):
    return dict.fromkeys(own.id for own in (*first, *second))


def _places(table, tasks, configurations):
    rows = {own.id: i for i, own in enumerate(tasks)}
    columns = {own.id: j for j, own in enumerate(configurations)}
    return (
        [rows[own.id] for own in table.tasks],
        [columns[own.id] for own in table.configurations],
    )


def _merge_features(first, second, places, shape, names):
    position = {name: k for k, name in enumerate(names)}
    result = np.full(shape, np.nan)
    for table, (rows, _) in zip((second, first), places[::-1], strict=True):
        block = np.ix_(rows, [position[name] for name in table.metafeature_names])
        result[block] = np.where(np.isnan(table.metafeatures), result[block], table.metafeatures)
    return result


def diff_tables(first, second, tolerance=1e-3):
    """Compare two sets of tables.

    Parameters
    ----------
    first, second : mapping of (kind, fidelity) to PerformanceTable
    tolerance : float, default=1e-3
        Scores that differ by less count as equal.

    Returns
    -------
    dict of str to dict
        By ``"<kind>/<fidelity>"``.
    """
    report = {}
    for key in sorted(set(first) | set(second)):
        here, there = first.get(key), second.get(key)
        tasks = [_names(own, "tasks") for own in (here, there)]
        columns = [_names(own, "configurations") for own in (here, there)]
        measured = [_measured(own) for own in (here, there)]
        report["/".join(key)] = {
            "tasks_only_here": sorted(tasks[0] - tasks[1]),
            "tasks_only_there": sorted(tasks[1] - tasks[0]),
            "configurations_only_here": sorted(columns[0] - columns[1]),
            "configurations_only_there": sorted(columns[1] - columns[0]),
            "cells_only_here": len(measured[0] - measured[1]),
            "cells_only_there": len(measured[1] - measured[0]),
            "cells_changed": _changed(here, there, tolerance) if here and there else 0,
        }
    return report


def _names(table, attribute):
    return {own.id for own in getattr(table, attribute)} if table is not None else set()


def _measured(table):
    if table is None:
        return set()
    cells = table.cells()
    return {
        (table.tasks[i].id, table.configurations[j].id)
        for i, j in zip(cells.rows.tolist(), cells.columns.tolist(), strict=True)
    }


def _changed(first, second, tolerance):
    """Count the cells measured in both whose status or scores differ."""
    rows = {own.id: i for i, own in enumerate(second.tasks)}
    row = np.array([rows.get(own.id, -1) for own in first.tasks], dtype=np.int64)
    column = second.columns_of(first.configurations)
    here, there = first.cells(), second.cells()
    width = len(second.configurations)
    mapped = [row[here.rows], column[here.columns]]
    keys = np.where(np.minimum(*mapped) < 0, -1, mapped[0] * width + mapped[1])
    known = np.flatnonzero(keys >= 0)
    others = there.rows.astype(np.int64) * width + there.columns
    _, a, b = np.intersect1d(keys[known], others, assume_unique=True, return_indices=True)
    a = known[a]
    differs = here.values["status"][a] != there.values["status"][b]
    for metric in set(first.metrics) & set(second.metrics):
        x, y = (own.values["mean:" + metric][k] for own, k in ((here, a), (there, b)))
        differs |= ~np.isclose(x, y, rtol=tolerance, atol=tolerance, equal_nan=True)
    return int(differs.sum())
