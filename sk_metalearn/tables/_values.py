"""Single values: what is missing, and the text by which a level is known."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from numbers import Number

import numpy as np

__all__ = ["as_float", "is_missing", "is_pandas_na", "label", "missing_mask"]


_NEVER = (str, int, bool, bytes)
_SCALARS = (Number, np.generic, dt.date, dt.timedelta)


def is_pandas_na(value):
    """Whether a value is pandas' own missing value."""
    return type(value).__name__ == "NAType"


def is_missing(value):
    """Whether a value is None, NaN, NaT or pandas' NA."""
    # NaN and NaT differ from themselves; pandas' NA refuses to be compared as a boolean.
    if value is None or is_pandas_na(value):
        return True
    return not isinstance(value, _NEVER) and isinstance(value, _SCALARS) and bool(value != value)


def missing_mask(values):
    """Which values of an object array are missing.

    Parameters
    ----------
    values : ndarray of object, shape (n,)

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    types = set(map(type, values))
    if types <= {*_NEVER, dt.date, dt.datetime, dt.time, dt.timedelta}:
        return np.zeros(len(values), bool)
    if types <= {*_NEVER, type(None), float, dt.date, dt.datetime, Decimal}:
        return np.fromiter((v is None or v != v for v in values), bool, len(values))
    return np.fromiter(map(is_missing, values), bool, len(values))


def label(value):
    """Give the text by which a level of a category is known, whatever stores it.

    A whole number is written without a fraction, so that 1 and 1.0 are one level.
    """
    if type(value) is str:
        return value
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float | Decimal | Fraction) and value == value and value % 1 == 0:
        return str(int(value))
    if isinstance(value, dt.datetime) and value.tzinfo is None:
        midnight = (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
        return value.date().isoformat() if midnight else value.isoformat(" ")
    return str(value)


def as_float(value):
    """Give a number as a float; one too large for a float becomes infinity."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
