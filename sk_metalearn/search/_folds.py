"""The folds of a search, and the rows of a large table that it searches."""

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

__all__ = ["choose_rows", "cut_folds", "draw_folds", "shuffled_folds"]


def draw_folds(cv, X, y, split_params):
    """Draw the folds once, so that every candidate meets the same ones.

    Parameters
    ----------
    cv : splitter
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or None
    split_params : dict
        For its `split`, such as groups.

    Returns
    -------
    list of (ndarray, ndarray)
        Training and test rows of each fold.

    Raises
    ------
    ValueError
        If there are no folds, or not as many as the splitter said.
    """
    promised = cv.get_n_splits(X, y, **split_params)
    splits = [
        (np.asarray(train), np.asarray(test)) for train, test in cv.split(X, y, **split_params)
    ]
    if not splits:
        raise ValueError(
            "No fits were performed. Was the CV iterator empty? Were there no candidates?"
        )
    if len(splits) != promised:
        raise ValueError(
            "cv.split and cv.get_n_splits return inconsistent results. Expected "
            f"{promised} splits, got {len(splits)}"
        )
    return splits


def shuffled_folds(n_folds, y, kind, seed):
    """Make the splitter of an Auto estimator: shuffled rows, stratified for classes.

    Parameters
    ----------
    n_folds : int or None
        None: 5.
    y : ndarray of shape (n_samples,)
    kind : {"classification", "regression"}
    seed : int

    Returns
    -------
    splitter

    Raises
    ------
    ValueError
        If there are fewer rows, or rows of every class, than folds.
    """
    n_folds = 5 if n_folds is None else n_folds
    if len(y) < n_folds:
        raise ValueError(
            f"{n_folds} folds need at least {n_folds} rows; n_samples={len(y)}. Give more "
            "rows or a smaller cv."
        )
    if kind == "regression":
        return KFold(n_folds, shuffle=True, random_state=seed)
    counts = np.unique(y, return_counts=True)[1]
    if counts.max() < n_folds:
        raise ValueError(
            f"{n_folds} folds need a class of at least {n_folds} rows; the largest has "
            f"{counts.max()}. Give more rows or a smaller cv."
        )
    return StratifiedKFold(n_folds, shuffle=True, random_state=seed)


def choose_rows(y, n_rows, kind, rng):
    """Choose rows of a large table so that its target is spread as in the whole.

    Parameters
    ----------
    y : ndarray of shape (n,)
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
    if kind == "regression":
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
