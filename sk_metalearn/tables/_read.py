"""Reading a column as what it was decided to be."""

import numpy as np

from ._parse import parse_dates, parse_numbers, sample_of, whole_dates
from ._values import label

__all__ = ["date_part", "known_values", "read_as", "read_plan", "varying_parts"]

#: Stands for free text that is missing; a vocabulary must hold something.
NO_TEXT = "(none)"
PARTS = ("weekday", "month", "hour")
_DAY = np.timedelta64(1, "D")
_ORIGIN = np.datetime64("2000-01-01")
_WEEKDAYS = np.array(
    ["1 Monday", "2 Tuesday", "3 Wednesday", "4 Thursday", "5 Friday", "6 Saturday", "7 Sunday"],
    dtype=object,
)
#: Dates whose parts are looked at.
_SAMPLE = 5000


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


def date_part(dates, part):
    """Weekday as text, month as a number from 1, hour as a number with its minutes.

    Parameters
    ----------
    dates : ndarray of datetime64, shape (n,)
    part : {"weekday", "month", "hour"}

    Returns
    -------
    ndarray of shape (n,)
        Missing: NaN.
    """
    missing = np.isnat(dates)
    if part == "weekday":
        # 1970-01-01 was a Thursday.
        days = (np.where(missing, 0, dates.astype("M8[D]").astype(np.int64)) + 3) % 7
        weekdays = _WEEKDAYS[days]
        weekdays[missing] = np.nan
        return weekdays
    if part == "month":
        values = dates.astype("M8[M]").astype(np.int64) % 12 + 1.0
    else:
        values = (dates - dates.astype("M8[D]")) / np.timedelta64(1, "h")
    return np.where(missing, np.nan, values)


def varying_parts(dates):
    """Parts of known dates that take more than one value: tuple of str."""
    dates = sample_of(dates, _SAMPLE).astype("M8[us]")
    found = []
    for part in PARTS:
        values = date_part(dates, part)
        if len(values) and (values != values[0]).any():
            found.append(part)
    return tuple(found)


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
    empty = np.full(len(nothing), np.datetime64("NaT"), dtype="M8[us]")
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
    list of ndarray of shape (n_rows,)
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
    found = [_days(values) if plan.role == "date" else values]
    found += [date_part(values, part) for part in plan.parts]
    return [*found, unread.astype(float)] if plan.mark else found


def _levels(column, plan):
    if plan.type == "boolean" and column.type in ("number", "boolean"):
        codes = np.where(np.isnan(column.values), 2, column.values != 0).astype(np.int8)
        return np.array(["False", "True", np.nan], dtype=object)[codes]
    if column.type in ("category", "ordered"):
        return np.array([*column.levels, np.nan], dtype=object)[column.values]
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
