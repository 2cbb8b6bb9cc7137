"""What can be wrong inside a knowledge base whose file is sound."""

import numpy as np

from ._exclusions import exclusion
from ._records import Status

__all__ = ["check_tables", "excluded_tasks"]

_BOUNDS = {
    "accuracy": (0, 1),
    "balanced_accuracy": (0, 1),
    "f1_macro": (0, 1),
    "f1_weighted": (0, 1),
    "matthews_corrcoef": (-1, 1),
    "roc_auc_ovr": (0, 1),
    "roc_auc_ovr_weighted": (0, 1),
    "average_precision": (0, 1),
    "neg_log_loss": (-np.inf, 0),
    "r2": (-np.inf, 1),
    "neg_root_mean_squared_error": (-np.inf, 0),
    "neg_mean_absolute_error": (-np.inf, 0),
    "spearman": (-1, 1),
}
_SLACK = 1e-4


def check_tables(tables, sources=()):
    """Look for contradictions within tables.

    Parameters
    ----------
    tables : mapping of (kind, fidelity) to PerformanceTable
    sources : sequence of Source

    Returns
    -------
    list of str
        A line per problem.
    """
    problems = []
    described = {own.name for own in sources}
    for (kind, fidelity), table in sorted(tables.items()):
        where = f"{kind}/{fidelity}"
        for what in ("tasks", "configurations"):
            ids = [own.id for own in getattr(table, what)]
            if len(set(ids)) < len(ids):
                problems.append(f"{where}: {what} with the same id.")
        wrong = [task.name for task in table.tasks if task.kind != kind]
        if wrong:
            problems.append(f"{where}: tasks of another kind: {wrong[:3]}.")
        if not np.isin(table.status, list(Status)).all():
            problems.append(f"{where}: cells with an unknown status.")
        known = [np.isfinite(table.scores(metric)) for metric in table.metrics]
        scored = np.any(known, axis=0) if known else np.zeros(table.status.shape, dtype=bool)
        count = int((scored & (table.status != Status.ok)).sum())
        if count:
            problems.append(f"{where}: {count} cells have scores but are not ok.")
        count = int((~scored & (table.status == Status.ok)).sum())
        if count:
            problems.append(f"{where}: {count} cells are ok but have no score.")
        for metric in table.metrics:
            low, high = _BOUNDS.get(metric, (-np.inf, np.inf))
            scores = table.scores(metric)
            count = int(((scores < low - _SLACK) | (scores > high + _SLACK)).sum())
            if count:
                problems.append(f"{where}: {count} values of {metric} outside [{low}, {high}].")
        if (table.seconds < 0).any():
            problems.append(f"{where}: negative seconds.")
        used = {table.sources[k] for k in np.unique(table.origin[table.status > 0])}
        if described and used - described:
            problems.append(f"{where}: sources without a description: {sorted(used - described)}.")
    return problems


def excluded_tasks(tasks):
    """List the tasks that are copies of scikit-learn's own datasets.

    A user's own base may hold them; knowledge that is shipped or judged must not.

    Parameters
    ----------
    tasks : iterable of Task

    Returns
    -------
    list of (Task, str)
        Each with the name of the dataset it copies.
    """
    found = []
    for task in tasks:
        shape = (task.n_rows, task.n_features, task.n_classes)
        name = exclusion(task.name, task.openml_id, shape, task.kind)
        if name:
            found.append((task, name))
    return found
