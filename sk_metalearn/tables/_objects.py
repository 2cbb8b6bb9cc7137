"""A column of Python objects: what its values have in common, and their plain form."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from operator import attrgetter

import numpy as np

from ..exceptions import TableError
from ._values import as_float, label, missing_mask

__all__ = ["read_objects"]

_NUMBERS = (int, float, np.integer, np.floating, Decimal, Fraction)
_NESTED = (dict, list, set, frozenset, tuple, np.ndarray)
_TRUTH = (bool, np.bool_)
_UNIX = dt.datetime(1970, 1, 1)
_UNIX_DAY = _UNIX.toordinal()


def read_objects(values, name):
    """Read a column of Python objects.

    Parameters
    ----------
    values : ndarray of object, shape (n_rows,)
    name : object
        Of the column, for messages.

    Returns
    -------
    type : str
        As of `Column`.
    values : ndarray of shape (n_rows,)
    levels : tuple
        Always empty.
    plain : bool
        Whether scikit-learn reads the column as it is stored.

    Raises
    ------
    ValueError
        If a value is complex, a list or a record, or an object without a text of its own.
    """
    types = set(map(type, values))
    if types == {str}:
        return "text", values, (), True
    missing = missing_mask(values, types)
    if missing.all():
        return "empty", np.full(len(values), np.nan), (), False
    known, gaps = values, set()
    if missing.any():
        known, gaps = values[~missing], set(map(type, values[missing]))
        types = set(map(type, known))
    _refuse(types, known, name)
    # NaN is a gap that scikit-learn's encoders know; they take None and NA for a level.
    usual_gaps = all(issubclass(own, float | np.floating) for own in gaps)
    if _all(types, _TRUTH):
        return "boolean", _truth(missing, known), (), usual_gaps
    if _all(types, _NUMBERS) and not types & set(_TRUTH):
        plain = types <= {int, float} and all(own in (float, type(None)) for own in gaps)
        return "number", _numbers(missing, known, types), (), plain
    if _all(types, (str,)):
        return "text", _gaps_to_none(values, missing), (), usual_gaps and types == {str}
    if _all(types, (bytes, str)):
        return "text", _fill(missing, known, label, None, object), (), False
    if _all(types, (dt.date, np.datetime64)):
        return "date", _dates(missing, known, types), (), False
    if _all(types, (dt.timedelta, np.timedelta64)):
        return "duration", _durations(missing, known, types), (), False
    if _all(types, (dt.time,)):
        return "duration", _put(missing, _since_midnight(known), "m8[us]"), (), False
    if all(hasattr(own, "to_timestamp") for own in types):
        dates = np.array([period.to_timestamp() for period in known], dtype=object)
        return "date", _fill(missing, dates, _date, np.datetime64("NaT", "us"), "M8[us]"), (), False
    if all(hasattr(own, "mid") and hasattr(own, "closed") for own in types):
        mids = np.array([as_float(interval.mid) for interval in known])
        return "number", _fill(missing, mids, float, np.nan, float), (), False
    return "mixed", _fill(missing, known, label, None, object), (), False


def _all(types, allowed):
    return all(issubclass(own, allowed) for own in types)


def _numbers(missing, known, types):
    if len(known) == len(missing) and _all(types, (int, np.integer)):
        try:
            return known.astype(np.int64)
        except OverflowError:
            pass
    values = np.full(len(missing), np.nan)
    try:
        values[~missing] = known.astype(float)
    except OverflowError:
        values[~missing] = [as_float(value) for value in known]
    return values


def _truth(missing, known):
    values = np.full(len(missing), np.nan)
    values[~missing] = known.astype(bool)
    return values


def _dates(missing, known, types):
    if types == {dt.date}:
        days = np.fromiter((day.toordinal() for day in known), np.int64, len(known))
        return _put(missing, (days - _UNIX_DAY).astype("M8[D]"), "M8[us]")
    if all(hasattr(own, "asm8") for own in types):
        return _put(missing, np.array([own.asm8 for own in known], "M8[us]"), "M8[us]")
    if types == {dt.datetime}:
        return _put(missing, _moments(known).astype("M8[us]"), "M8[us]")
    return _fill(missing, known, _date, np.datetime64("NaT", "us"), "M8[us]")


def _moments(known):
    """Microseconds since 1970, in UTC, of datetimes with a zone or without."""
    zones = list(map(attrgetter("tzinfo"), known))
    if not any(zones):
        return _microseconds(known - _UNIX)
    if all(zones):
        return _microseconds(known - _UNIX.replace(tzinfo=dt.UTC))
    zoned = np.array([zone is not None for zone in zones])
    found = np.empty(len(known), np.int64)
    found[zoned], found[~zoned] = _moments(known[zoned]), _moments(known[~zoned])
    return found


def _durations(missing, known, types):
    if all(hasattr(own, "asm8") for own in types):
        return _put(missing, np.array([own.asm8 for own in known], "m8[us]"), "m8[us]")
    if types == {dt.timedelta}:
        return _put(missing, _microseconds(known).astype("m8[us]"), "m8[us]")
    return _fill(missing, known, np.timedelta64, np.timedelta64("NaT", "us"), "m8[us]")


def _microseconds(lengths):
    """Whole microseconds of objects of lengths of time."""
    return (lengths // dt.timedelta(microseconds=1)).astype(np.int64)


def _since_midnight(times):
    """Lengths from midnight to objects of times of day."""
    moments = (
        ((own.hour * 60 + own.minute) * 60 + own.second) * 1_000_000 + own.microsecond
        for own in times
    )
    return np.fromiter(moments, np.int64, len(times)).astype("m8[us]")


def _put(missing, known, dtype):
    values = np.full(len(missing), np.array("NaT", dtype))
    values[~missing] = known
    return values


def _fill(missing, known, convert, gap, dtype):
    values = np.full(len(missing), gap, dtype=dtype)
    values[~missing] = [convert(value) for value in known]
    return values


def _gaps_to_none(values, missing):
    if not missing.any():
        return values
    values = values.copy()
    values[missing] = None
    return values


def _refuse(types, known, name):
    if any(issubclass(own, complex | np.complexfloating) for own in types):
        raise ValueError(f"Complex data not supported: column {name!r} holds complex numbers.")
    if any(issubclass(own, _NESTED) or hasattr(own, "to_frame") for own in types):
        example = next(v for v in known if isinstance(v, _NESTED) or hasattr(v, "to_frame"))
        raise TableError(
            f"argument must be a string or a real number, a truth value, a date or a duration in "
            f"every cell of X, got a {type(example).__name__} in column {name!r}: {example!r:.60}. "
            "Spread it over columns of its own, or drop it."
        )
    for own in types:
        if own.__str__ is object.__str__ and own.__repr__ is object.__repr__:
            raise TableError(
                f"Column {name!r} of X holds objects of the class {own.__name__}, which have no "
                "text of their own. Turn them into numbers, text or dates, or drop the column."
            )


def _date(value):
    if hasattr(value, "asm8"):
        return value.asm8.astype("M8[us]")
    if isinstance(value, np.datetime64):
        return value.astype("M8[us]")
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        value = value.astimezone(dt.UTC).replace(tzinfo=None)
    return np.datetime64(value, "us")
