"""Numbers and dates that are written as text or as digits."""

import re

import numpy as np

__all__ = [
    "is_date",
    "is_number",
    "is_other_date",
    "looks_like",
    "parse_dates",
    "parse_numbers",
    "sample_of",
    "whole_dates",
]

#: Of a sample of about this many values at least half must parse for all to be tried.
_SAMPLE = 100
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_AMOUNT = re.compile(
    r"\s*[+-]?\s*[$€£]?\s*[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?\s*[$€£%]?\s*", re.ASCII
)
_ISO = re.compile(
    r"\s*(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s*(Z|[+-]\d\d:?\d\d)?)?\s*",
    re.ASCII | re.IGNORECASE,
)
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
#: As people write dates; which of two numbers is the month, only they know.
_OTHER_DATE = re.compile(
    r"\s*(\d\d?/\d\d?/(\d{4}|\d\d)|\d\d?[.-]\d\d?[.-]\d{4}|\d{4}[/.]\d\d?[/.]\d\d?"
    rf"|(\d\d?[ .-]*)?{_MONTH}[ -]*(\d\d?,? )?\d{{4}})([ T]+\d\d?:\d\d.*)?\s*",
    re.ASCII | re.IGNORECASE,
)
_DIGITS = re.compile(r"\s*\d{8}(\d{4}(\d\d)?)?\s*", re.ASCII)
#: The parts behind the day in whole numbers of so many digits, last first.
_TIMES = {8: "", 12: "mh", 14: "smh"}
_FIRST_YEAR, _LAST_YEAR = 1900, 2100


def is_number(text):
    """Whether text is a number: plain, or with thousands' commas, a currency or a per cent sign."""
    return bool(_NUMBER.fullmatch(text) or _AMOUNT.fullmatch(text))


def is_date(text):
    """Whether text is a date or a time as ISO 8601 writes it, with its hyphens."""
    return bool(_ISO.fullmatch(text))


def is_other_date(text):
    """Whether text is a date in a form that is not read, such as 1/31/2024 or Jan 2024."""
    return bool(_OTHER_DATE.fullmatch(text))


def looks_like(test, values):
    """Whether at least half of a sample of values passes a test.

    Parameters
    ----------
    test : callable
    values : ndarray of str, shape (n,)
    """
    sample = sample_of(values, _SAMPLE)
    return 2 * sum(map(test, sample)) >= len(sample)


def sample_of(values, most):
    """Some values, chosen at random but always the same.

    Parameters
    ----------
    values : ndarray of shape (n,)
    most : int
    """
    if len(values) <= most:
        return values
    return values[np.random.default_rng(0).integers(0, len(values), most)]


def parse_numbers(values):
    """Read numbers from text.

    Parameters
    ----------
    values : ndarray of str, shape (n,)
        Objects; nothing missing.

    Returns
    -------
    ndarray of float, shape (n,)
        NaN where a value is no number.
    """
    try:
        numbers = values.astype(np.float64)
    except (ValueError, OverflowError):
        numbers = None
    # float() also reads "nan", "inf" and "1_000".
    if numbers is not None and np.isfinite(numbers).all() and "_" not in "".join(values):
        return numbers
    known = {value: _number(value) for value in set(values)}
    return np.array([known[value] for value in values], dtype=float)


def _number(value):
    if _NUMBER.fullmatch(value):
        return float(value)
    return float(re.sub(r"[,$€£%\s]", "", value)) if _AMOUNT.fullmatch(value) else np.nan


def parse_dates(values):
    """Read dates and times from ISO 8601 text or digits; those with a zone become UTC.

    Parameters
    ----------
    values : ndarray of str, shape (n,)
        Objects; nothing missing.

    Returns
    -------
    ndarray of datetime64[us], shape (n,)
        NaT where a value is no such date.
    """
    plain = _plain_dates(values)
    if plain is not None:
        return plain
    known = {value: _date(value) for value in set(values)}
    return np.array([known[value] for value in values], dtype="M8[us]")


def _plain_dates(values):
    """Dates all written alike, as numpy reads them at once; None where they are not."""
    width = len(values[0]) if len(values) else 0
    text = "".join(values)
    if not (width == 10 or 16 <= width <= 38) or len(text) != width * len(values):
        return None
    if not text.isascii():
        return None
    letters = np.frombuffer(text.encode(), dtype="S1").reshape(len(values), width)
    marks = {4: b"-", 7: b"-", **({13: b":"} if width > 10 else {})}
    if not all((letters[:, place] == mark).all() for place, mark in marks.items()):
        return None
    end, offsets = _zones(letters)
    inner = letters[:, 10:end]
    if width > 10 and not np.isin(inner[:, 0], [b"T", b" "]).all():
        return None
    if np.isin(inner[:, 1:], [b"Z", b"z", b"+", b"-", b" "]).any():
        return None
    try:
        plain = np.ascontiguousarray(letters[:, :end]).view(f"S{end}").ravel().astype("M8[us]")
    except ValueError:
        return None
    return plain - offsets


def _zones(letters):
    """Where the zone begins that all dates have behind their time, and what they are before UTC."""
    width, none = letters.shape[1], np.timedelta64(0, "m")
    if (letters[:, -1] == b"Z").all():
        return width - 1, none
    for length in (6, 5):
        end = width - length
        if end < 16 or not np.isin(letters[:, end], [b"+", b"-"]).all():
            continue
        digits = letters[:, [end + 1, end + 2, -2, -1]].view(np.uint8).astype(np.int64) - ord("0")
        if (length == 6 and (letters[:, -3] != b":").any()) or digits.min() < 0 or digits.max() > 9:
            continue
        minutes = digits @ [600, 60, 10, 1]
        return end, np.where(letters[:, end] == b"+", minutes, -minutes).astype("m8[m]")
    return width, none


def _date(value):
    found = _ISO.fullmatch(value)
    if not found:
        digits = float(value) if _DIGITS.fullmatch(value) else np.nan
        return whole_dates(np.array([digits]))[0]
    day, time, zone = found.groups()
    try:
        date = np.datetime64(f"{day}T{time}" if time else day, "us")
    except ValueError:
        return np.datetime64("NaT", "us")
    if zone and zone not in "Zz":
        minutes = 60 * int(zone[1:3]) + int(zone[-2:])
        date -= np.timedelta64(minutes if zone[0] == "+" else -minutes, "m")
    return date


def whole_dates(values):
    """Read whole numbers such as 20240115, 202401151745 and 20240115174530 as dates.

    Parameters
    ----------
    values : ndarray of float or int, shape (n,)

    Returns
    -------
    ndarray of datetime64[us], shape (n,)
        NaT where a number is no date of the years 1900 to 2100.
    """
    dates = np.full(len(values), np.datetime64("NaT", "us"), dtype="M8[us]")
    known = np.isfinite(values) & (np.abs(values) < 1e15)
    for digits, units in _TIMES.items():
        chosen = np.flatnonzero(
            known & (values >= 10 ** (digits - 1)) & (values < 10**digits) & (values % 1 == 0)
        )
        if len(chosen):
            dates[chosen] = _whole_dates(values[chosen].astype(np.int64), units)
    return dates


def _whole_dates(whole, units):
    time, right = np.zeros(len(whole), dtype="m8[us]"), np.ones(len(whole), bool)
    for unit in units:
        whole, part = np.divmod(whole, 100)
        right &= part < (24 if unit == "h" else 60)
        time += part.astype(f"m8[{unit}]")
    rest, day = np.divmod(whole, 100)
    year, month = np.divmod(rest, 100)
    right &= (year >= _FIRST_YEAR) & (year <= _LAST_YEAR) & (month >= 1) & (month <= 12)
    right &= (day >= 1) & (day <= 31)
    months = (np.where(right, year, 1970) - 1970).astype("M8[Y]").astype("M8[M]")
    months += np.where(right, month - 1, 0).astype("m8[M]")
    days = months.astype("M8[D]") + np.where(right, day - 1, 0).astype("m8[D]")
    right &= days.astype("M8[M]") == months
    return np.where(right, days.astype("M8[us]") + time, np.datetime64("NaT", "us"))
