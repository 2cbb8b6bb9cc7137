"""Classification or regression: what a target is, told from its values."""

import numpy as np

from ..tables import target_column
from ._registry import KINDS

__all__ = ["check_kind", "tell_kind"]

#: Whole numbers are classes unless there are more different ones than this,
MAX_CLASSES = 50
#: or, beyond two, fewer rows than this for each.
MIN_CLASS_ROWS = 3


def tell_kind(y):
    """Tell classification from regression.

    Text, categories and truth values are classes; numbers with fractions are not. Whole numbers
    are classes, unless there are more than 50 different ones, or more than two with fewer than
    three rows for each on average. Missing values do not count.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        The target.

    Returns
    -------
    {"classification", "regression"}

    Raises
    ------
    ValueError
        If the target is not a single column of classes or numbers.
    """
    if hasattr(getattr(y, "dtype", None), "categories"):
        return "classification"
    column = target_column(y)
    if column.type in ("date", "duration"):
        raise ValueError(
            f"Unknown label type: y must hold one class or one number per row, got {column.type}s. "
            "Turn them into numbers, such as days since the first."
        )
    if column.type not in ("number", "empty"):
        return "classification"
    values = column.values.astype(float)
    known = values[np.isfinite(values)]
    if (known != np.floor(known)).any():
        return "regression"
    n_values = len(np.unique(known))
    few_rows = n_values > 2 and len(known) < MIN_CLASS_ROWS * n_values
    return "regression" if n_values > MAX_CLASSES or few_rows else "classification"


def check_kind(y, kind):
    """Find the kind of a task.

    Parameters
    ----------
    y : array-like or None
        The target.
    kind : {"classification", "regression"} or None
        What the caller says it is.

    Returns
    -------
    str or None
        None if there is no target.

    Raises
    ------
    ValueError
        If ``kind`` is unknown or the target is not a single column of classes or numbers.
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"kind must be one of {KINDS} or None, got {kind!r}.")
    if y is None:
        return None
    return kind or tell_kind(y)
