"""Numbers and dates that are written as text or as digits."""

import re

import numpy as np

__all__ = [
    "is_date",
    "is_number",
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
    """Dates all written alike and without a zone, as numpy reads them at once."""
    width = len(values[0]) if len(values) else 0
    text = "".join(values)
    if not 10 <= width <= 32 or len(text) != width * len(values) or not text.isascii():
        return None
    letters = np.frombuffer(text.encode(), dtype="S1").reshape(len(values), width)
    hyphens = (letters[:, 4] == b"-") & (letters[:, 7] == b"-")
    if not hyphens.all() or np.isin(letters[:, 11:], [b"Z", b"z", b"+", b"-"]).any():
        return None
    if width > 10 and not (
        np.isin(letters[:, 10], [b"T", b" "]).all() and (letters[:, 13] == b":").all()
    ):
        return None
    try:
        return np.frombuffer(text.encode(), dtype=f"S{width}").astype("M8[us]")
    except ValueError:
        return None


def _date(value):
    found = _ISO.fullmatch(value)
    if not found:
        digits = float(value) if _DIGITS.fullmatch(value) else np.nan
        return whole_dates(np.array([digits]))[0]
    day, time, zone = found.groups()
    try:
        date = np.datetime64(f"{day}T{time}" if time else day, "us")
    except ValueError:
        return np.datetime64("NaT")
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
    dates = np.full(len(values), np.datetime64("NaT"), dtype="M8[us]")
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
