"""Union and difference of tables."""

import numpy as np

from ._records import Status, supersedes
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
    prefer = np.ones((2, *shape), dtype=bool)
    status = np.zeros((2, *shape), dtype=np.uint8)
    for number, (table, (rows, columns)) in enumerate(zip((first, second), places, strict=True)):
        status[number][np.ix_(rows, columns)] = table.status
    prefer[1] = supersedes(status[1], status[0])
    prefer[0] = ~prefer[1]
    lists = {
        own: tuple(dict.fromkeys(getattr(first, own) + getattr(second, own)))
        for own in _CODES.values()
    }
    arrays = {}
    for name in dict.fromkeys(first.array_names() + second.array_names()):
        if name == "metafeatures":
            arrays[name] = _merge_features(first, second, places, (shape[0], len(names)), names)
            continue
        parts = []
        for table in (first, second):
            values = table.array(name) if name in table.array_names() else None
            if values is not None and name in _CODES:
                own = lists[_CODES[name]]
                codes = [own.index(entry) for entry in getattr(table, _CODES[name])]
                values = np.array(codes, dtype=code_type(own))[values]
            parts.append(values)
        some = next(values for values in parts if values is not None)
        depth = max((v.shape[2] for v in parts if v is not None and v.ndim == 3), default=None)
        full = shape if depth is None else (*shape, depth)
        result = np.full(full, np.nan if some.dtype.kind == "f" else 0, dtype=some.dtype)
        for values, (rows, columns), mask in zip(parts, places, prefer, strict=True):
            if values is None:
                continue
            wide = np.full(full, np.nan if some.dtype.kind == "f" else 0, dtype=some.dtype)
            block = np.ix_(rows, columns)
            if depth is None:
                wide[block] = values
            else:
                wide[(*block, slice(values.shape[2]))] = values
            result[mask] = wide[mask]
        arrays[name] = result
    return PerformanceTable(
        first.kind,
        tasks,
        configurations,
        arrays,
        names,
        first.fidelity,
        lists["sources"],
        lists["machines"],
    )


def _union(first, second):
    return tuple({own.id: own for own in (*second, *first)}[key] for key in _ids(first, second))


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
    cells = zip(*np.nonzero(table.status != Status.missing), strict=True)
    return {(table.tasks[i].id, table.configurations[j].id) for i, j in cells}


def _changed(first, second, tolerance):
    """Count the cells measured in both whose status or scores differ."""
    rows = {own.id: i for i, own in enumerate(second.tasks)}
    shared = [(i, rows[own.id]) for i, own in enumerate(first.tasks) if own.id in rows]
    there = second.columns_of(first.configurations)
    columns = np.flatnonzero(there >= 0)
    if not shared or not len(columns):
        return 0
    here_rows, there_rows = (list(own) for own in zip(*shared, strict=True))
    a, b = first.take(here_rows, columns), second.take(there_rows, there[columns])
    both = (a.status != Status.missing) & (b.status != Status.missing)
    differs = a.status != b.status
    for metric in set(a.metrics) & set(b.metrics):
        x, y = a.scores(metric), b.scores(metric)
        close = np.isclose(x, y, rtol=tolerance, atol=tolerance, equal_nan=True)
        differs |= ~close
    return int((differs & both).sum())
