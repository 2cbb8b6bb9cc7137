"""Intermediate results on columns that several groups share."""

from dataclasses import dataclass

import numpy as np

from ._moments import table_moments
from ._registry import NotComputable, intermediate


@intermediate
def moments(task):
    """Moments of the numeric columns, over all rows."""
    return table_moments(task.table, task.check_time)


@intermediate
def numeric_moments(task):
    """Moments of the numeric columns, if there are any with a value."""
    if not task.table.n_numeric:
        raise NotComputable("there is no numeric column")
    return moments(task)


@intermediate
def level_counts(task):
    """For each categorical column: how often each level occurs (missing left out)."""
    table = task.table
    counts = []
    for column, levels in zip(table.codes.T, table.levels, strict=True):
        counts.append(np.bincount(column[column >= 0], minlength=levels))
    return counts


@dataclass(frozen=True)
class Sorted:
    """Numeric columns of the sampled rows, each sorted.

    Attributes
    ----------
    values : ndarray of shape (n_columns, n_rows)
        Ascending, missing values (NaN) last.
    count : ndarray of shape (n_columns,)
        Values present.
    """

    values: np.ndarray
    count: np.ndarray

    def quantile(self, q):
        """Quantiles by linear interpolation.

        Parameters
        ----------
        q : float or array-like of shape (n_q,)
            Probabilities.

        Returns
        -------
        ndarray of shape (n_columns,) or (n_columns, n_q)
            NaN for a column without values.
        """
        place = np.multiply.outer(np.maximum(self.count - 1, 0), q)
        below = np.floor(place).astype(np.int64)
        above = np.minimum(below + 1, np.maximum(self.count - 1, 0).reshape(-1, *[1] * np.ndim(q)))
        column = np.arange(len(self.count)).reshape(-1, *[1] * np.ndim(q))
        low, high = self.values[column, below], self.values[column, above]
        # as numpy does it, to the last bit: values on the edge of a bin depend on that
        step, share = high - low, place - below
        return np.where(share < 0.5, low + step * share, high - step * (1 - share))

    def median_deviation(self):
        """Median of the absolute deviations from the median, column by column."""
        center = self.quantile(0.5)
        lower = self._deviation(center, (self.count + 1) // 2)
        return (lower + self._deviation(center, self.count // 2 + 1)) / 2

    def _deviation(self, center, rank):
        # the `rank` values nearest to the center stand side by side: search where they begin
        column = np.arange(len(center))
        low, high = np.zeros(len(center), dtype=np.int64), np.maximum(self.count - rank, 0)
        while (low < high).any():
            middle = (low + high) // 2
            after = self.values[column, np.minimum(middle + rank, self.count - 1)]
            right = (center - self.values[column, middle] > after - center) & (low < high)
            low = np.where(right, middle + 1, low)
            high = np.where(right, high, middle)
        last = np.maximum(low + rank - 1, 0)
        return np.maximum(center - self.values[column, low], self.values[column, last] - center)

    def distinct(self):
        """Number of different values in each column."""
        different = self.values[:, 1:] > self.values[:, :-1]
        return different.sum(axis=1) + (self.count > 0)


@intermediate
def sorted_columns(task):
    """Numeric columns of the rows of cost class "order", sorted."""
    if not task.table.n_numeric:
        raise NotComputable("there is no numeric column")
    block = task.table.rows(task.rows("order"))
    task.check_time()
    values = np.sort(np.ascontiguousarray(block.T), axis=1)
    return Sorted(values, len(block) - np.isnan(block).sum(axis=0))


@intermediate
def distinct_counts(task):
    """Number of different values of every column: numeric (sampled rows), then categorical."""
    parts = [task.table.levels.astype(float)]
    if task.table.n_numeric:
        parts.insert(0, sorted_columns(task).distinct().astype(float))
    return np.concatenate(parts)
