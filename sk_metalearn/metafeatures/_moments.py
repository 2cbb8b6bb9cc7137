"""Counts, extremes and moments of all columns, in one pass over the data."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Moments:
    """What one pass tells of each column; missing values are left out.

    Attributes
    ----------
    count : ndarray of shape (n_columns,)
        Values present.
    mean : ndarray of shape (n_columns,)
        Mean, NaN if nothing is present.
    m2, m3, m4 : ndarray of shape (n_columns,)
        Sums of the second, third and fourth powers of the deviations from the mean.
    min, max : ndarray of shape (n_columns,)
        Extremes, NaN if nothing is present.
    """

    count: np.ndarray
    mean: np.ndarray
    m2: np.ndarray
    m3: np.ndarray
    m4: np.ndarray
    min: np.ndarray
    max: np.ndarray

    @property
    def constant(self):
        """Whether a column has no two different values."""
        return ~(self.max > self.min)

    @property
    def variance(self):
        """Sample variance (divisor n - 1); NaN with fewer than two values."""
        return np.where(self.count > 1, self.m2 / np.maximum(self.count - 1, 1), np.nan)

    @property
    def sd(self):
        """Sample standard deviation (divisor n - 1)."""
        return np.sqrt(self.variance)

    @property
    def skewness(self):
        """Third moment over the cubed standard deviation (divisor n); NaN if constant."""
        m2 = np.where(self.constant, np.nan, self.m2)
        return np.sqrt(self.count) * self.m3 / m2**1.5

    @property
    def kurtosis(self):
        """Fourth moment over the squared variance (divisor n), minus 3; NaN if constant."""
        m2 = np.where(self.constant, np.nan, self.m2)
        return self.count * self.m4 / m2**2 - 3.0


def block_moments(block):
    """Compute the moments of one block of rows.

    Parameters
    ----------
    block : ndarray of shape (n_rows, n_columns)
        float64 with NaN for missing values.

    Returns
    -------
    Moments
        Per column.
    """
    total = block.sum(axis=0)
    if np.isfinite(total).all():
        count = np.full(block.shape[1], float(len(block)))
        mean = total / len(block)
        low, high = block.min(axis=0), block.max(axis=0)
        deviation = block - mean
    else:
        present = ~np.isnan(block)
        count = present.sum(axis=0).astype(float)
        filled = np.where(present, block, 0.0)
        mean = filled.sum(axis=0) / np.where(count, count, np.nan)
        deviation = np.where(present, filled - mean, 0.0)
        low = np.where(count, np.where(present, block, np.inf).min(axis=0), np.nan)
        high = np.where(count, np.where(present, block, -np.inf).max(axis=0), np.nan)
    square = deviation * deviation
    m2 = square.sum(axis=0)
    deviation *= square
    m3 = deviation.sum(axis=0)
    square *= square
    return Moments(count, mean, m2, m3, square.sum(axis=0), low, high)


def merge(a, b):
    """Join the moments of two disjoint sets of rows.

    Parameters
    ----------
    a, b : Moments
        Of the same columns.

    Returns
    -------
    Moments
        Of all rows together.

    References
    ----------
    .. [1] Pébay (2008), "Formulas for robust, one-pass parallel computation of covariances and
       arbitrary-order statistical moments", Sandia report SAND2008-6212.
    """
    n = a.count + b.count
    safe = np.where(n, n, 1.0)
    mean_a, mean_b = np.where(a.count, a.mean, 0.0), np.where(b.count, b.mean, 0.0)
    delta = np.where((a.count > 0) & (b.count > 0), mean_b - mean_a, 0.0)
    weight = a.count * b.count / safe
    part = delta / safe
    mean = np.where(n, (a.count * mean_a + b.count * mean_b) / safe, np.nan)
    mean = np.where((a.count > 0) & (b.count > 0), mean_a + b.count * part, mean)
    m2 = a.m2 + b.m2 + delta**2 * weight
    m3 = (
        a.m3
        + b.m3
        + delta**3 * weight * (a.count - b.count) / safe
        + 3.0 * part * (a.count * b.m2 - b.count * a.m2)
    )
    m4 = (
        a.m4
        + b.m4
        + delta**4 * weight * (a.count**2 - a.count * b.count + b.count**2) / safe**2
        + 6.0 * part**2 * (a.count**2 * b.m2 + b.count**2 * a.m2)
        + 4.0 * part * (a.count * b.m3 - b.count * a.m3)
    )
    return Moments(n, mean, m2, m3, m4, np.fmin(a.min, b.min), np.fmax(a.max, b.max))


def table_moments(table, check_time):
    """Compute the moments of the numeric columns of a table, reading it in blocks.

    Parameters
    ----------
    table : Table
        The data.
    check_time : callable
        Called between blocks; may raise.

    Returns
    -------
    Moments
        Per numeric column.
    """
    if table.is_sparse:
        return _sparse_moments(table.numbers)
    result = None
    for block in table.chunks():
        part = block_moments(block)
        result = part if result is None else merge(result, part)
        check_time()
    return result


def _sparse_moments(matrix):
    """Moments of the columns of a sparse matrix, from its stored values and the zeros' share."""
    matrix = matrix.tocsc(copy=True)
    matrix.sum_duplicates()
    values = matrix.data.astype(np.float64)
    column = np.repeat(np.arange(matrix.shape[1]), np.diff(matrix.indptr))
    present = np.isfinite(values)
    width = matrix.shape[1]

    def total(terms):
        return np.bincount(column[present], weights=terms, minlength=width)

    missing = np.bincount(column[~present], minlength=width)
    values, count = values[present], float(matrix.shape[0]) - missing
    zeros = count - total(np.ones_like(values))
    mean = total(values) / np.where(count, count, np.nan)
    deviation = values - mean[column[present]]
    powers = [total(deviation**k) + zeros * np.where(zeros, -mean, 0.0) ** k for k in (2, 3, 4)]
    low, high = np.full(width, np.inf), np.full(width, -np.inf)
    np.minimum.at(low, column[present], values)
    np.maximum.at(high, column[present], values)
    low, high = np.where(zeros, np.minimum(low, 0), low), np.where(zeros, np.maximum(high, 0), high)
    empty = count == 0
    low[empty], high[empty] = np.nan, np.nan
    return Moments(count, mean, *powers, low, high)
