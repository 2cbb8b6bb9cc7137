"""The table as one matrix of numbers, for everything that needs geometry or a model."""

import numpy as np

from ._columns import moments
from ._registry import NotComputable, intermediate
from ._task import content_hashes

#: Limits of the matrix when ``fidelity="sampled"``.
MOST_LEVELS = 50
MOST_COLUMNS = 500


def encode(task, rows):
    """Encode some rows as numbers without missing values.

    Missing numbers become the mean of their column; a missing category is a level of its own.
    Levels become indicator columns, one column for two levels. With ``fidelity="sampled"`` only
    the 50 most frequent levels of a column and at most 500 columns are used. With
    ``fidelity="exact"`` columns keep their order and the coding of patsy (as pymfe uses it) is
    followed: all levels of the first categorical column, all but the first of the others.

    Parameters
    ----------
    task : Task
        The task.
    rows : slice or ndarray of int
        Which rows.

    Returns
    -------
    ndarray of shape (n_chosen, n_encoded), in Fortran order
        The matrix.
    """
    table = task.table
    numeric = np.arange(table.n_numeric)
    if table.n_numeric:
        numeric = numeric[moments(task).count > 0]
    categorical = np.arange(table.n_categorical)
    if not task.exact:
        _, hashes = content_hashes(task)
        numeric = numeric[np.argsort(hashes[numeric], kind="stable")]
        code_hashes = hashes[table.n_numeric :]
        categorical = categorical[np.argsort(code_hashes, kind="stable")]
    if task.fidelity == "sampled":
        numeric = numeric[:MOST_COLUMNS]
    block = table.rows(rows)
    block = block if len(numeric) == block.shape[1] and task.exact else block[:, numeric]
    if len(numeric) and not np.isfinite(block.sum()):
        block = np.where(np.isnan(block), moments(task).mean[numeric], block)
    parts = [block]
    width = block.shape[1]
    for place, column in enumerate(categorical):
        if task.fidelity == "sampled" and width >= MOST_COLUMNS:
            break
        parts.append(_indicators(task, table.codes[rows, column], column, first=place == 0))
        width += parts[-1].shape[1]
        task.check_time()
    matrix = np.hstack(parts) if len(parts) > 1 else block
    if task.fidelity == "sampled":
        matrix = matrix[:, :MOST_COLUMNS]
    if not matrix.shape[1]:
        raise NotComputable("no column has a value")
    return np.asfortranarray(matrix)


def _indicators(task, codes, column, first):
    levels = np.arange(task.table.levels[column])
    if (task.table.codes[:, column] < 0).any():
        levels = np.r_[levels, -1]
    if task.exact:
        levels = levels if first else levels[1:]
    elif len(levels) == 2:
        levels = levels[1:]
    if task.fidelity == "sampled" and len(levels) > MOST_LEVELS:
        counts = np.bincount(task.table.codes[:, column] + 1, minlength=levels.max() + 2)
        levels = levels[np.argsort(-counts[levels + 1], kind="stable")[:MOST_LEVELS]]
    return (codes[:, None] == levels).astype(np.float64)


@intermediate
def probe_data(task):
    """Encoded rows (standardised) and target of cost class "probe", in order of content."""
    rows = task.arranged("probe")
    matrix = encode(task, rows)
    return standardise(matrix), task.y[rows]


def standardise(matrix):
    """Centre columns and divide by their standard deviation; constant columns become zero.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_columns)
        Numbers.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        A new matrix.
    """
    matrix = matrix - matrix.mean(axis=0)
    scale = matrix.std(axis=0)
    magnitude = np.abs(matrix).max(axis=0)
    return matrix / np.where(scale > 1e-12 * magnitude, scale, np.inf)
