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


def row_fingerprints(numbers, codes, y, seed):
    """Hash every row of a table by content.

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
    ndarray of uint64, shape (n_rows,)
        Does not depend on the order of rows or columns; equal for equal rows.
    """
    target = _mix(_bits(np.asarray(y, dtype=np.float64)) + _mix(np.uint64(seed) + _MULTIPLIER))
    rows = target.copy()
    # a column is known by its values against y, a row by its values in known columns
    for part in _parts(numbers, codes):
        rows += _sums(part, _sums(part, target[:, None], axis=0), axis=1)
    return _mix(rows)


def column_fingerprints(numbers, codes, rows):
    """Hash every column of a table by content.

    Parameters
    ----------
    numbers, codes
        As in `row_fingerprints`.
    rows : ndarray of uint64, shape (n_rows,)
        Hashes of the rows.

    Returns
    -------
    ndarray of uint64, shape (n_numeric + n_categorical,)
        Does not depend on the order of rows or columns; equal for equal columns.
    """
    parts = _parts(numbers, codes)
    return _mix(np.concatenate([_sums(part, rows[:, None], axis=0) for part in parts]))


def _parts(numbers, codes):
    numbers = _bits(np.ascontiguousarray(numbers, dtype=np.float64))
    return numbers, np.ascontiguousarray(codes).astype(np.uint64)


def _sums(part, names, axis):
    mixed = part ^ names
    mixed *= _MULTIPLIER
    mixed ^= mixed >> _SHIFT
    return mixed.sum(axis=axis)


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
