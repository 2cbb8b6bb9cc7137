"""Rows and columns in an order that depends on what they hold, not on where they stand."""

import numpy as np

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(32)


def _mix(bits):
    """Scramble 64-bit integers; sums of the results do not depend on the order of the terms."""
    bits = bits * _MULTIPLIER
    bits ^= bits >> _SHIFT
    bits *= _MULTIPLIER
    bits ^= bits >> _SHIFT
    return bits


def _bits(block):
    """View numbers as integers, with one zero and one missing value."""
    block = block + 0.0
    block[np.isnan(block)] = np.nan
    return block.view(np.uint64)


def fingerprints(numbers, codes, y, seed):
    """Hash every row and every column of a table by content.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows, n_numeric)
        Numeric columns.
    codes : ndarray of shape (n_rows, n_categorical)
        Codes of the categorical columns.
    y : ndarray of shape (n_rows,)
        Target as numbers; zeros if there is none.
    seed : int
        Another seed gives other hashes.

    Returns
    -------
    rows : ndarray of uint64, shape (n_rows,)
        Does not depend on the order of rows or columns; equal for equal rows.
    columns : ndarray of uint64, shape (n_numeric + n_categorical,)
        Likewise for columns.
    """
    parts = [_bits(np.ascontiguousarray(numbers, dtype=np.float64)), codes.astype(np.uint64)]
    target = _mix(_bits(np.asarray(y, dtype=np.float64)) + _mix(np.uint64(seed) + _MULTIPLIER))
    rows = target
    # a column is first known by its values against y, a row by its values in known columns,
    # and the column again by its values in known rows
    for last in (False, True):
        columns = [_mix(part ^ rows[:, None]).sum(axis=0) for part in parts]
        if last:
            break
        rows = target.copy()
        for part, names in zip(parts, columns, strict=True):
            rows += _mix(part ^ names).sum(axis=1)
        rows = _mix(rows)
    return rows, np.concatenate(columns)


def spread_sample(y, n_chosen, priority):
    """Choose rows that follow the distribution of the target.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Target as numbers.
    n_chosen : int
        How many rows to choose.
    priority : ndarray of shape (n_rows,)
        Order among the rows with the same target.

    Returns
    -------
    ndarray of int, shape (n_chosen,)
        Every (n_rows / n_chosen)-th row along the sorted target, in the order of priority.
    """
    along = np.lexsort((priority, y))
    places = ((np.arange(n_chosen) + 0.5) * (len(y) / n_chosen)).astype(np.int64)
    chosen = along[places]
    return chosen[np.argsort(priority[chosen], kind="stable")]


def priorities(hashes):
    """Turn row hashes into priorities that differ for rows with equal hashes.

    Parameters
    ----------
    hashes : ndarray of uint64
        One hash per row.

    Returns
    -------
    ndarray of uint64
        The n-th of several equal rows has the same priority whichever of them it is.
    """
    order = np.argsort(hashes, kind="stable")
    ranked = hashes[order]
    new = np.r_[True, ranked[1:] != ranked[:-1]]
    start = np.maximum.accumulate(np.where(new, np.arange(len(ranked)), 0))
    turn = np.empty(len(ranked), dtype=np.uint64)
    turn[order] = (np.arange(len(ranked)) - start).astype(np.uint64)
    return _mix(hashes + turn * _MULTIPLIER)
