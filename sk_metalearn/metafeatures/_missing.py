"""Meta-features of what is not there."""

import numpy as np

from ._columns import moments
from ._registry import NotComputable, intermediate, quantity

FEURER = "Feurer et al. 2015"


@intermediate
def missing_per_column(task):
    """How many values of each column are missing: numeric, then categorical."""
    parts = [(task.table.codes < 0).sum(axis=0).astype(float)]
    if task.table.n_numeric:
        parts.insert(0, task.n_rows - moments(task).count)
    return np.concatenate(parts)


@intermediate
def missing_rows(task):
    """For each row, how many values are missing."""
    missing = (task.table.codes < 0).sum(axis=1)
    if task.table.n_numeric and missing_per_column(task)[: task.table.n_numeric].any():
        if task.table.is_sparse:
            matrix = task.table.numbers
            bad = ~np.isfinite(matrix.data)
            row = np.repeat(np.arange(task.n_rows), np.diff(matrix.indptr))
            return missing + np.bincount(row[bad], minlength=task.n_rows)
        start = 0
        for block in task.table.chunks():
            missing[start : start + len(block)] += np.isnan(block).sum(axis=1)
            start += len(block)
    return missing


def _missing(name, definition, range="[0, 1]", source=FEURER, **more):
    return quantity(
        name, group="missing", definition=definition, range=range, source=source, **more
    )


@_missing("n_missing", "Number of missing values.", "[0, inf)", unit="values")
def n_missing(task):
    return missing_per_column(task).sum()


@_missing("fraction_missing", "Share of all values that are missing.")
def fraction_missing(task):
    return missing_per_column(task).sum() / (task.n_rows * task.n_columns)


@_missing("n_rows_missing", "Number of rows with a missing value.", "[0, inf)", unit="rows")
def n_rows_missing(task):
    return np.count_nonzero(missing_rows(task))


@_missing("fraction_rows_missing", "Share of the rows with a missing value.")
def fraction_rows_missing(task):
    return np.count_nonzero(missing_rows(task)) / task.n_rows


@_missing(
    "n_columns_missing", "Number of columns with a missing value.", "[0, inf)", unit="columns"
)
def n_columns_missing(task):
    return np.count_nonzero(missing_per_column(task))


@_missing("fraction_columns_missing", "Share of the columns with a missing value.")
def fraction_columns_missing(task):
    return np.count_nonzero(missing_per_column(task)) / task.n_columns


@_missing(
    "column_missing",
    "Share of a column's values that are missing.",
    source="this package",
    summaries=("sd", "max"),
)
def column_missing(task):
    return missing_per_column(task) / task.n_rows


@_missing(
    "row_missing_max",
    "Largest share of a row's values that is missing.",
    source="this package",
)
def row_missing_max(task):
    return missing_rows(task).max() / task.n_columns


@_missing(
    "missing_target_correlation",
    "Largest absolute correlation, over the columns with missing values, between being missing and "
    "the target (a class at a time for classification).",
    source="this package",
    cost="order",
    target=True,
)
def missing_target_correlation(task):
    if not missing_per_column(task).any():
        raise NotComputable("nothing is missing")
    rows = task.rows("order")
    absent = np.hstack([np.isnan(task.table.rows(rows)), task.table.codes[rows] < 0]).astype(float)
    y = task.y[rows]
    target = y[:, None] if task.kind == "regression" else y[:, None] == np.unique(y)
    size = np.abs(y).max()
    absent, target = absent - absent.mean(axis=0), target - target.mean(axis=0)
    # in units of its reach, lest squares overflow; a constant leaves nothing but rounding
    reach = np.abs(target).max(axis=0)
    target = target / np.where(reach > 1e-12 * size, reach, np.inf)
    norms = np.sqrt(np.outer((absent**2).sum(axis=0), (target**2).sum(axis=0)))
    if not (norms > 1e-9).any():
        raise NotComputable("nothing is missing in the sampled rows, or the target is constant")
    return np.max(np.abs(absent.T @ target)[norms > 1e-9] / norms[norms > 1e-9])
