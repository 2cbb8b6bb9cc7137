"""The table as one matrix of numbers, for everything that needs geometry or a model."""

import numpy as np

from ._columns import Sorted, level_counts, moments, sorted_columns
from ._moments import Moments
from ._registry import NotComputable, intermediate
from ._task import column_hashes

#: Limits of the matrix when ``fidelity="sampled"``.
MOST_LEVELS = 50
MOST_COLUMNS = 500


def encode(task, rows, ordered=True):
    """Encode some rows as numbers without missing values.

    Missing numbers become the mean of their column; a missing category is a level of its own.
    Levels become indicator columns, see `indicator_levels`.

    Parameters
    ----------
    task : Task
        The task.
    rows : slice or ndarray of int
        Which rows.
    ordered : bool
        Whether the order of the columns matters, and so must not depend on that of the input.

    Returns
    -------
    ndarray of shape (n_chosen, n_encoded), in Fortran order
        The matrix.
    """
    table = task.table
    kept = np.flatnonzero(moments(task).count > 0) if table.n_numeric else np.arange(0)
    if task.fidelity == "sampled" and len(kept) > MOST_COLUMNS:
        kept, ordered = kept[_content_argsort(task, kept)][:MOST_COLUMNS], False
    if ordered and not task.exact:
        kept = kept[_content_argsort(task, kept)]
    block = table.rows(rows, None if np.array_equal(kept, range(table.n_numeric)) else kept)
    matrix = np.empty((len(block), len(kept) + indicator_count(task)), order="F")
    matrix[:, : len(kept)] = block
    if len(kept) and not np.isfinite(matrix[:, : len(kept)].sum()):
        numbers = matrix[:, : len(kept)]
        hole = np.isnan(numbers)
        numbers[hole] = np.broadcast_to(moments(task).mean[kept], numbers.shape)[hole]
    place = len(kept)
    for column, levels in indicator_levels(task):
        codes = table.codes[rows, column]
        matrix[:, place : place + len(levels)] = codes[:, None] == levels
        place += len(levels)
        task.check_time()
    if not matrix.shape[1]:
        raise NotComputable("no column has a value")
    return matrix


def _content_argsort(task, numeric):
    return np.argsort(column_hashes(task)[numeric], kind="stable")


@intermediate
def indicator_levels(task):
    """The levels of each categorical column that get an indicator: list of (column, levels).

    All levels do, one of two if there are two. With ``fidelity="sampled"`` the 50 most frequent
    levels of a column, and at most 500 encoded columns in all. With ``fidelity="exact"`` as patsy
    codes them (which pymfe uses): all levels of the first column, all but the first of the others.
    """
    table = task.table
    columns = np.arange(table.n_categorical)
    if len(columns) and not task.exact:
        columns = np.argsort(column_hashes(task)[table.n_numeric :], kind="stable")
    room = MOST_COLUMNS - min(table.n_numeric, MOST_COLUMNS)
    found = []
    for place, column in enumerate(columns):
        counts = level_counts(task)[column]
        levels = np.arange(len(counts))
        if counts.sum() < task.n_rows:
            levels = np.r_[levels, -1]
            counts = np.r_[counts, task.n_rows - counts.sum()]
        if task.exact:
            levels = levels if place == 0 else levels[1:]
        elif len(levels) == 2:
            levels = levels[1:]
        elif task.fidelity == "sampled":
            levels = levels[np.argsort(-counts, kind="stable")[:MOST_LEVELS]]
        if task.fidelity == "sampled":
            levels = levels[:room]
            room -= len(levels)
        if len(levels):
            found.append((column, levels))
    return found


def indicator_count(task):
    """Number of indicator columns.

    Parameters
    ----------
    task : Task
        The task.

    Returns
    -------
    int
        How many columns `encode` adds for the categorical columns.
    """
    return sum(len(levels) for _, levels in indicator_levels(task))


@intermediate
def encoded_moments(task):
    """Moments of the numeric columns (missing values left out) and of the indicators: all rows."""
    parts = [moments(task)] if task.table.n_numeric else []
    if task.table.n_categorical:
        counts = np.concatenate(
            [
                np.r_[level_counts(task)[column], task.n_rows - level_counts(task)[column].sum()][
                    levels
                ]
                for column, levels in indicator_levels(task)
            ]
            or [np.empty(0)]
        )
        n, q = float(task.n_rows), counts / task.n_rows
        m2 = n * q * (1 - q)
        m4 = m2 * (1 - 3 * q * (1 - q))
        low, high = (counts == n).astype(float), (counts > 0).astype(float)
        parts.append(Moments(np.full(len(q), n), q, m2, m2 * (1 - 2 * q), m4, low, high))
    fields = ("count", "mean", "m2", "m3", "m4", "min", "max")
    return Moments(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))


@intermediate
def encoded_sorted(task):
    """Numeric columns and indicators of the rows of cost class "order", each sorted."""
    parts = [sorted_columns(task)] if task.table.n_numeric else []
    if task.table.n_categorical:
        rows = task.rows("order")
        blocks = [
            np.sort(task.table.codes[rows, column] == levels[:, None], axis=1).astype(float)
            for column, levels in indicator_levels(task)
        ]
        if blocks:
            block = np.vstack(blocks)
            parts.append(Sorted(block, np.full(len(block), block.shape[1])))
    return Sorted(
        np.vstack([part.values for part in parts]), np.concatenate([part.count for part in parts])
    )


@intermediate
def pairs_matrix(task):
    """Encoded rows of cost class "pairs", as they are."""
    return encode(task, task.rows("pairs"), ordered=False)


@intermediate
def probe_data(task):
    """Encoded rows (standardised) and target of cost class "probe", in order of content."""
    rows = task.arranged("probe")
    return standardise(encode(task, rows)), task.y[rows]


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
    magnitude = np.abs(matrix).max(axis=0)
    matrix = matrix - matrix.mean(axis=0)
    scale = np.sqrt(np.einsum("ij,ij->j", matrix, matrix) / len(matrix))
    matrix /= np.where(scale > 1e-12 * magnitude, scale, np.inf)
    return matrix
