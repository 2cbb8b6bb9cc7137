"""Single values: what is missing, and the text by which a level is known."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from numbers import Number

import numpy as np

__all__ = ["as_float", "is_missing", "is_pandas_na", "label", "missing_mask"]


#: Types without a missing value of their own.
_NEVER = (str, int, bool, bytes, np.integer, np.bool_, dt.time)
#: Types of which only a missing value differs from itself.
_COMPARED = (*_NEVER, float, np.floating, dt.date, dt.timedelta, Decimal, np.datetime64)
_COMPARED += (np.timedelta64, Fraction)
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


def missing_mask(values, types=None):
    """Which values of an object array are missing.

    Parameters
    ----------
    values : ndarray of object, shape (n,)
    types : set of type, optional
        Of the values, where they are known.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    types = (set(map(type, values)) if types is None else types) - {type(None)}
    if not all(issubclass(own, _COMPARED) for own in types):
        return np.fromiter(map(is_missing, values), bool, len(values))
    gaps = np.equal(values, None).astype(bool)
    if not all(issubclass(own, _NEVER) for own in types):
        gaps |= (values != values).astype(bool)
    return gaps


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
