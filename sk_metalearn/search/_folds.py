"""The folds of a search."""

import numpy as np
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

__all__ = ["draw_folds", "group_folds", "in_order_of_time", "latest_rows", "shuffled_folds"]


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
    """Make the splitter of an Auto estimator: shuffled rows, stratified for one output of classes.

    Parameters
    ----------
    n_folds : int or None
        None: 5.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
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
    if kind == "regression" or np.ndim(y) == 2:
        return KFold(n_folds, shuffle=True, random_state=seed)
    counts = np.unique(y, return_counts=True)[1]
    if counts.max() < n_folds:
        raise ValueError(
            f"{n_folds} folds need a class of at least {n_folds} rows; the largest has "
            f"{counts.max()}. Give more rows or a smaller cv."
        )
    return StratifiedKFold(n_folds, shuffle=True, random_state=seed)


def group_folds(n_folds, groups, stratifies):
    """Make the splitter of an Auto estimator where rows come in groups.

    Parameters
    ----------
    n_folds : int or None
        None: 5, or as many as there are groups.
    groups : array-like of shape (n_samples,)
    stratifies : bool
        Whether classes are to be spread evenly.

    Returns
    -------
    splitter

    Raises
    ------
    ValueError
        If there are fewer groups than folds.
    """
    n_groups = len(np.unique(np.asarray(groups)))
    wanted = min(5, n_groups) if n_folds is None else n_folds
    if n_groups < max(2, wanted):
        raise ValueError(
            f"{max(2, wanted)} folds need at least as many groups; groups holds {n_groups}. Give "
            "smaller groups or a smaller cv."
        )
    return StratifiedGroupKFold(wanted) if stratifies else GroupKFold(wanted)


def in_order_of_time(splits):
    """Tell whether every fold trains on rows that come before those that it tests.

    Parameters
    ----------
    splits : list of (ndarray, ndarray)

    Returns
    -------
    bool
    """
    return all(train.max() < test.min() for train, test in splits)


def latest_rows(splits, rows, n_rows):
    """Give the rows from the first of the last fold on.

    Parameters
    ----------
    splits : list of (ndarray, ndarray)
        In order of time.
    rows : ndarray of int or None
        The rows that the folds are about; None: all.
    n_rows : int
        How many rows there are in all.

    Returns
    -------
    ndarray of int
    """
    first = min(part.min() for part in splits[-1])
    return np.arange(first if rows is None else rows[first], n_rows)
