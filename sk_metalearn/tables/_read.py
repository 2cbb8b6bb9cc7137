"""Reading a column as what it was decided to be."""

from dataclasses import dataclass

import numpy as np

from ._parse import parse_dates, parse_numbers, sample_of, whole_dates
from ._values import label

__all__ = ["Coded", "known_values", "read_as", "read_plan", "varying_parts"]

#: Stands for free text that is missing; a vocabulary must hold something.
NO_TEXT = "(none)"
PARTS = ("weekday", "month", "hour")
_DAY = np.timedelta64(1, "D")
_ORIGIN = np.datetime64("2000-01-01")
_HOUR = 3_600_000_000
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEKDAYS = tuple(f"{i} {day}" for i, day in enumerate(_DAYS, 1))
#: Dates whose parts are looked at, if the first few do not tell.
_SAMPLE, _FEW = 5000, 100


@dataclass(frozen=True)
class Coded:
    """Text of few values as it was stored: by codes.

    Parameters
    ----------
    codes : ndarray of int, shape (n_rows,)
        Missing: -1.
    levels : tuple of str
    """

    codes: np.ndarray
    levels: tuple

    def text(self):
        """The text: ndarray of object, shape (n_rows,); missing: NaN."""
        return np.array([*self.levels, np.nan], dtype=object)[self.codes]


def known_values(column):
    """The values of a column that are not missing; of a category their levels.

    Parameters
    ----------
    column : Column

    Returns
    -------
    ndarray
    """
    values = column.values[~column.missing]
    if column.type in ("category", "ordered"):
        return np.array(column.levels, dtype=object)[values]
    return values


def _counted(dates, part):
    """Of known dates weekday and month from 0, or microseconds since midnight: ndarray of int."""
    microseconds = dates.astype("M8[us]", copy=False).view(np.int64)
    days = microseconds // (24 * _HOUR)
    if part == "hour":
        return microseconds - days * (24 * _HOUR)
    # 1970-01-01 was a Thursday.
    return (days + 3) % 7 if part == "weekday" else _months(days)


def _months(days):
    if not len(days):
        return days
    first, last = days.min(), days.max()
    # A calendar of few days is read sooner than many rows.
    few = last - first < len(days)
    calendar = np.arange(first, last + 1) if few else days
    months = calendar.view("M8[D]").astype("M8[M]").view(np.int64) % 12
    return months[days - first] if few else months


def varying_parts(dates):
    """Parts of known dates that take more than one value: tuple of str."""
    found = _varying(dates[:_FEW], PARTS)
    if len(found) < len(PARTS):
        found += _varying(sample_of(dates, _SAMPLE), [own for own in PARTS if own not in found])
    return tuple(part for part in PARTS if part in found)


def _varying(dates, parts):
    counted = {part: _counted(dates, part) for part in parts if len(dates)}
    return [part for part, values in counted.items() if (values != values[0]).any()]


def read_as(column, role):
    """Read a column as numbers, dates or durations.

    Parameters
    ----------
    column : Column
    role : {"number", "date", "duration"}

    Returns
    -------
    values : ndarray of shape (n_rows,)
        float64, or datetime64[us] for dates; durations are in days.
    unread : ndarray of bool, shape (n_rows,)
        Values that are there, but could not be read so.
    """
    nothing = np.zeros(len(column.values), bool)
    if column.type == "empty":
        gap = np.datetime64("NaT", "us") if role == "date" else np.nan
        return np.full(len(nothing), gap), nothing
    if role == "date":
        return _as_dates(column, nothing)
    if column.type in ("number", "boolean"):
        return column.values.astype(np.float64, copy=False), nothing
    if column.type == "duration":
        return column.values / _DAY, nothing
    if column.type == "date":
        return _days(column.values), nothing
    return _parsed(column, parse_numbers, np.full(len(nothing), np.nan))


def _as_dates(column, nothing):
    if column.type == "date":
        return column.values.astype("M8[us]"), nothing
    if column.type == "number":
        dates = whole_dates(column.values)
        return dates, np.isnat(dates) & ~column.missing
    empty = np.full(len(nothing), np.datetime64("NaT", "us"), dtype="M8[us]")
    return _parsed(column, parse_dates, empty)


def _days(dates):
    return (dates - _ORIGIN) / _DAY


def _parsed(column, parse, values):
    texts = as_text(column)
    known = np.flatnonzero(~blank(texts))
    if len(known):
        values[known] = parse(texts[known])
    unread = np.zeros(len(values), bool)
    unread[known] = (
        np.isnat(values[known]) if values.dtype.kind == "M" else values[known] != values[known]
    )
    return values, unread


def blank(texts):
    """Which texts are missing or hold nothing but blanks: ndarray of bool."""
    return np.fromiter(
        (text is None or not text or text.isspace() for text in texts), bool, len(texts)
    )


def as_text(column):
    """The text of every value of a column, None where it is missing.

    Parameters
    ----------
    column : Column

    Returns
    -------
    ndarray of object, shape (n_rows,)
    """
    values = column.values
    if column.type == "empty":
        return np.full(len(values), None, dtype=object)
    if column.type in ("text", "mixed"):
        return values
    if column.type in ("category", "ordered"):
        return np.array([*column.levels, None], dtype=object)[values]
    found = np.full(len(values), None, dtype=object)
    known = np.flatnonzero(~column.missing)
    if column.type == "boolean":
        found[known] = np.array(["False", "True"], dtype=object)[values[known].astype(int)]
        return found
    if column.type == "date":
        values = values.astype("M8[us]")
    found[known] = [label(value) for value in values[known]]
    return found


def read_plan(column, plan):
    """Read a column by its plan.

    Parameters
    ----------
    column : Column
    plan : Plan

    Returns
    -------
    list of ndarray of shape (n_rows,), or Coded
        One for each of ``plan.outputs()``: float64, or text as objects with NaN where it is
        missing; free text is ``"(none)"`` there.
    """
    if plan.role == "ignore":
        return []
    if plan.role == "category":
        return [_levels(column, plan)]
    if plan.role == "text":
        texts = as_text(column)
        gaps = blank(texts)
        return [np.where(gaps, NO_TEXT, texts) if gaps.any() else texts]
    if plan.role == "ordered":
        return [_ranks(column, plan.levels)]
    values, unread = read_as(column, plan.role)
    found = [*_of_dates(values, plan.parts)] if plan.role == "date" else [values]
    return [*found, unread.astype(float)] if plan.mark else found


def _of_dates(dates, parts):
    """Yield days and parts of dates: weekday, month from 1, hour with its minutes."""
    yield _days(dates)
    known = np.flatnonzero(~np.isnat(dates))
    if len(known) < len(dates):
        dates, n_rows = dates[known], len(dates)
    else:
        known, n_rows = slice(None), len(dates)
    for part in parts:
        values = _counted(dates, part)
        if part == "weekday":
            codes = np.full(n_rows, -1, np.int8)
            codes[known] = values
            yield Coded(codes, _WEEKDAYS)
            continue
        whole = np.full(n_rows, np.nan)
        whole[known] = values / _HOUR if part == "hour" else values + 1
        yield whole


def _levels(column, plan):
    if plan.type == "boolean" and column.type in ("number", "boolean"):
        codes = np.where(np.isnan(column.values), -1, column.values != 0).astype(np.int8)
        return Coded(codes, ("False", "True"))
    if column.type in ("category", "ordered"):
        return Coded(column.values, column.levels)
    texts = as_text(column)
    if set(map(type, texts)) == {str}:
        return texts
    gaps = np.fromiter((text is None for text in texts), bool, len(texts))
    return np.where(gaps, np.nan, texts)


def _ranks(column, levels):
    rank = {level: float(i) for i, level in enumerate(levels)}
    if column.type in ("category", "ordered"):
        codes = np.array([*(rank.get(level, np.nan) for level in column.levels), np.nan])
        return codes[column.values]
    return np.array([rank.get(text, np.nan) for text in as_text(column)], dtype=float)
