"""What the past says of a search on many rows: measured there, or moved as families gain by rows.

References
----------
T. Viering, M. Loog. The shape of learning curves: a review. IEEE TPAMI 45(6), 2023: the order of
models changes with the rows.
"""

from dataclasses import replace

import numpy as np

__all__ = ["MANY_ROWS", "on_many_rows"]

# From so many rows on a search asks what was measured on many rows.
MANY_ROWS = 4000
# So few tasks say nothing of what families gain.
_LEAST_TASKS = 10
# Tasks that guide a search; those not measured on many rows make up what is lacking, largest first.
_N_TASKS = 100


def on_many_rows(past, configurations, metric, table, large):
    """Give the past as it would be on many rows.

    Parameters
    ----------
    past : PastPerformance
        Rows are the table's tasks, columns the configurations.
    configurations : sequence of Configuration or None
        None where nothing is known.
    metric : str
        Of both tables.
    table : PerformanceTable
        Measured on few rows.
    large : PerformanceTable
        Some of its tasks and configurations, measured on many rows.

    Returns
    -------
    past : PastPerformance
        Of the largest tasks. Scores not measured on many rows are moved as the family gained
        there, on tasks not measured so by its median gain as a share of the way from the dummy
        estimator to the best.
    kept : ndarray of int
        Their rows in `table`.
    None
        Instead of both, where too few tasks were measured on many rows.
    """
    columns = table.columns_of(large.configurations)
    large, columns = large.take(columns=columns >= 0), columns[columns >= 0]
    places = {task.id: i for i, task in enumerate(table.tasks)}
    rows = [i for i, task in enumerate(large.tasks) if task.id in places]
    if len(rows) < _LEAST_TASKS or metric not in large.metrics:
        return None
    home = np.array([places[large.tasks[i].id] for i in rows])
    measured = large.scores(metric, failures="dummy")[rows]
    before = table.scores(metric, failures="dummy")[home]
    gains = measured - before[:, columns]
    way = _way(past)
    of_family = _by_family(large.configurations, gains)
    moved = np.stack(
        [
            of_family.get(None if own is None else own.family, of_family[None])
            for own in configurations
        ],
        axis=1,
    )
    scores = past.scores + np.median(moved / way[home], axis=0) * way
    scores[home] = past.scores[home] + moved
    known = [i for i, own in enumerate(configurations) if own is not None]
    columns = large.columns_of([configurations[i] for i in known])
    for i, j in zip(known, columns, strict=True):
        if j >= 0:
            there = np.isfinite(measured[:, j])
            scores[home[there], i] = measured[there, j]
    n_rows = np.array([task.n_rows for task in table.tasks], dtype=float)
    n_rows[home] = np.inf
    kept = np.sort(np.argsort(-n_rows, kind="stable")[: max(_N_TASKS, len(home))])
    cut = {
        name: None if getattr(past, name) is None else getattr(past, name)[kept]
        for name in ("seconds", "spread", "baseline", "metafeatures")
    }
    tasks = tuple(past.tasks[i] for i in kept)
    return replace(past, scores=scores[kept], tasks=tasks, **cut), kept


def _way(past):
    """How far the best of each task is from the dummy estimator; 1 where it is no better."""
    best = np.where(np.isfinite(past.scores), past.scores, -np.inf).max(axis=1, keepdims=True)
    way = best - past.baseline[:, None]
    return np.where(np.isfinite(way) & (way > 0), way, 1.0)


def _by_family(configurations, gains):
    """Mean gain of each family's configurations on each task; of all models under None."""
    members = {None: []}
    for i, own in enumerate(configurations):
        if own.family != "dummy":
            members[None].append(i)
        members.setdefault(own.family, []).append(i)
    found = {}
    for family, own in members.items():
        known = np.isfinite(gains[:, own])
        total = np.where(known, gains[:, own], 0.0).sum(axis=1)
        found[family] = total / np.maximum(known.sum(axis=1), 1)
    return found
