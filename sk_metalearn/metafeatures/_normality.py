"""The Shapiro-Wilk test of many columns at once."""

import numpy as np
from scipy import special

from ._encode import encode
from ._registry import NotComputable

MOST_ROWS = 5_000


def shapiro_p_values(task):
    """Test every encoded column for normality.

    Parameters
    ----------
    task : Task
        The task; the first 5,000 rows of cost class "order" are read.

    Returns
    -------
    ndarray of shape (n_columns,)
        p-values; 1 for a constant column.
    """
    rows = task.rows("order")
    rows = np.arange(task.n_rows) if isinstance(rows, slice) else rows
    if len(rows) > MOST_ROWS and not task.exact:
        rows = task.arranged("order")
    if len(rows) < 3:
        raise NotComputable("fewer than three rows")
    values = np.sort(encode(task, rows[:MOST_ROWS], ordered=False).T, axis=1)
    return shapiro_wilk(values)


def shapiro_wilk(values):
    """Shapiro-Wilk test by Royston's approximation.

    Parameters
    ----------
    values : ndarray of shape (n_columns, n_rows)
        Sorted samples of 3 to 5,000 values.

    Returns
    -------
    ndarray of shape (n_columns,)
        p-values.

    References
    ----------
    .. [1] Royston (1995), "Remark AS R94: a remark on algorithm AS 181: the W-test for
       normality", Applied Statistics 44(4).
    """
    n = values.shape[1]
    weights = _weights(n)
    centred = values - values.mean(axis=1, keepdims=True)
    total = np.einsum("ij,ij->i", centred, centred)
    constant = values[:, 0] == values[:, -1]
    w = (centred @ weights) ** 2 / np.where(constant, np.nan, total)
    w = np.clip(w, None, 1.0)
    return np.where(constant, 1.0, _p_value(w, n))


def _weights(n):
    if n == 3:
        return np.array([-np.sqrt(0.5), 0.0, np.sqrt(0.5)])
    m = special.ndtri((np.arange(1, n + 1) - 0.375) / (n + 0.25))
    size, u = m @ m, 1 / np.sqrt(n)
    last = np.polyval([-2.706056, 4.434685, -2.071190, -0.147981, 0.221157, 0], u)
    last += m[-1] / np.sqrt(size)
    weights = np.empty(n)
    if n <= 5:
        weights[1:-1] = m[1:-1] / np.sqrt((size - 2 * m[-1] ** 2) / (1 - 2 * last**2))
    else:
        second = np.polyval([-3.582633, 5.682633, -1.752461, -0.293762, 0.042981, 0], u)
        second += m[-2] / np.sqrt(size)
        rest = size - 2 * m[-1] ** 2 - 2 * m[-2] ** 2
        weights[2:-2] = m[2:-2] / np.sqrt(rest / (1 - 2 * last**2 - 2 * second**2))
        weights[1], weights[-2] = -second, second
    weights[0], weights[-1] = -last, last
    return weights


def _p_value(w, n):
    if n == 3:
        return np.clip(6 / np.pi * (np.arcsin(np.sqrt(w)) - np.arcsin(np.sqrt(0.75))), 0, 1)
    y, log_n = np.log1p(-w), np.log(n)
    if n <= 11:
        gamma = 0.459 * n - 2.273
        y = np.where(y < gamma, -np.log(np.maximum(gamma - y, 1e-300)), np.inf)
        mean = np.polyval([-0.0006714, 0.025054, -0.39978, 0.5440], n)
        sd = np.exp(np.polyval([-0.0020322, 0.062767, -0.77857, 1.3822], n))
    else:
        mean = np.polyval([0.0038915, -0.083751, -0.31082, -1.5861], log_n)
        sd = np.exp(np.polyval([0.0030302, -0.082676, -0.4803], log_n))
    return special.ndtr(-(y - mean) / sd)
