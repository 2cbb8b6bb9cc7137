"""What can be wrong inside a knowledge base whose file is sound."""

import numpy as np

from ._records import Status

__all__ = ["check_tables"]

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
        values = table.cells().values
        status = values["status"]
        if not np.isin(status, list(Status)).all():
            problems.append(f"{where}: cells with an unknown status.")
        known = [np.isfinite(values["mean:" + metric]) for metric in table.metrics]
        scored = np.any(known, axis=0) if known else np.zeros(len(status), dtype=bool)
        count = int((scored & (status != Status.ok)).sum())
        if count:
            problems.append(f"{where}: {count} cells have scores but are not ok.")
        count = int((~scored & (status == Status.ok)).sum())
        if count:
            problems.append(f"{where}: {count} cells are ok but have no score.")
        for metric in table.metrics:
            low, high = _BOUNDS.get(metric, (-np.inf, np.inf))
            scores = values["mean:" + metric]
            count = int(((scores < low - _SLACK) | (scores > high + _SLACK)).sum())
            if count:
                problems.append(f"{where}: {count} values of {metric} outside [{low}, {high}].")
            problems += _folds_against_mean(where, metric, values)
        if (values["seconds"] < 0).any():
            problems.append(f"{where}: negative seconds.")
        codes = values["origin"]
        used = {table.sources[k] for k in np.unique(codes)}
        if described and used - described:
            problems.append(f"{where}: sources without a description: {sorted(used - described)}.")
    return problems


def _folds_against_mean(where, metric, values):
    """Say where the mean kept is not that of the folds kept."""
    folds = values.get("folds:" + metric)
    if folds is None or not folds.shape[1]:
        return []
    mean, count = values["mean:" + metric], np.isfinite(folds).sum(axis=1)
    some = np.flatnonzero(np.isfinite(mean) & (count > 0))
    expected = np.nansum(np.where(np.isfinite(folds), folds, 0.0), axis=1)[some] / count[some]
    # Both are rounded, to a share of the largest of their task, and a diverged fold is cut.
    usual = np.abs(mean[some]) < 100
    away = np.abs(expected - mean[some]) > 0.02 * (1 + np.abs(mean[some]))
    number = int((usual & away).sum())
    return [f"{where}: {number} means of {metric} are not those of the folds."] if number else []
