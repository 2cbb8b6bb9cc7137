"""Rows of a table, chosen so that the target is spread as in the whole."""

import numpy as np
from scipy.sparse import issparse

__all__ = ["choose_rows", "cut_folds", "own_copy"]


def choose_rows(y, n_rows, kind, rng):
    """Choose rows of a large table so that its target is spread as in the whole.

    Parameters
    ----------
    y : ndarray of shape (n,) or (n, n_outputs)
        Rows of several outputs are drawn by chance.
    n_rows : int
        How many to keep.
    kind : {"classification", "regression"}
    rng : numpy.random.RandomState

    Returns
    -------
    ndarray of int
        Sorted; all rows where there are not more than `n_rows`.
    """
    if len(y) <= n_rows:
        return np.arange(len(y))
    if kind == "regression" or np.ndim(y) == 2:
        return np.sort(rng.choice(len(y), n_rows, replace=False))
    codes = np.unique(y, return_inverse=True)[1]
    counts = np.bincount(codes)
    # Rare classes keep some rows; the rest is shared out in proportion.
    share = np.maximum(np.minimum(counts, 10), np.floor(counts * n_rows / len(y)).astype(int))
    chosen = [
        rng.choice(np.flatnonzero(codes == code), int(n), replace=False)
        for code, n in enumerate(share)
    ]
    return np.sort(np.concatenate(chosen))


def cut_folds(splits, rows, n_rows):
    """Keep of folds over all rows those rows that were chosen, by their place among these.

    Parameters
    ----------
    splits : list of (ndarray, ndarray)
        Training and test rows of each fold.
    rows : ndarray of int
        The rows chosen.
    n_rows : int
        How many rows there are in all.

    Returns
    -------
    list of (ndarray, ndarray)

    Raises
    ------
    ValueError
        If nothing is left of a part.
    """
    if len(rows) == n_rows:
        return splits
    place = np.full(n_rows, -1)
    place[rows] = np.arange(len(rows))
    cut = [tuple(part[part >= 0] for part in (place[train], place[test])) for train, test in splits]
    for fold, (train, test) in enumerate(cut):
        if not len(train) or not len(test):
            raise ValueError(
                f"Of fold {fold} of cv the sample of {len(rows)} rows has {len(train)} training "
                f"and {len(test)} test rows. Give max_rows={n_rows}, or a cv with larger parts."
            )
    return cut


def own_copy(X):
    """Give a model data of its own, as its steps may write into them.

    Parameters
    ----------
    X : object
        Arrays and sparse matrices, also read-only ones and those that lie in a file, frames, or
        anything else.

    Returns
    -------
    object
        A writable copy in the same layout of memory; what cannot be written into, or is no table,
        as it is.
    """
    if isinstance(X, np.ndarray):
        return np.array(X, order="K", subok=not isinstance(X, np.memmap))
    if issparse(X):
        return X.copy()
    # Frames of polars are never written into.
    return X.copy(deep=True) if hasattr(X, "iloc") and hasattr(X, "copy") else X
