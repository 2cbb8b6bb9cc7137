"""Deciding what the columns of a table are, from their values and their logical type."""

import re
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches

import numpy as np

from ._layout import ROLES, Layout, Plan
from ._parse import (
    is_date,
    is_number,
    is_other_date,
    looks_like,
    parse_dates,
    parse_numbers,
    sample_of,
    whole_dates,
)
from ._read import known_values, read_as, varying_parts
from ._storage import view_of
from ._values import label

__all__ = ["UNREAD_DATES", "decide"]

#: Why such a column is none of dates; an example follows.
UNREAD_DATES = "dates in a form that is not read, such as"

#: Text is read as numbers or dates where at least this share of its values parses,
_PARSED = 0.95
#: and names rows where at least this share of at least so many values is distinct.
_DISTINCT, _FEW = 0.95, 20
#: Free text has at least so many words a value, or two where nearly all values differ,
_WORDS = 3
#: and is no category, of which each level comes again and again.
_TEXT_DISTINCT = 0.3
#: So many digits in every value are a code, not a number.
_CODE_DIGITS = 5
_ID_WORD = re.compile(r"(^|[\W_])(id|ids|uid|uuid|guid|idx|index|rowid|row|key|unnamed: 0)$", re.I)
_CODE_WORD = re.compile(
    r"(^|[\W_])(id|ids|uid|code|zip|zipcode|postcode|postal|plz|phone|isbn|ean|iban|ssn|sku)$", re.I
)
_ADVICE = {
    "date": " Dates are read as 2024-01-31 or 2024-01-31T17:45; pandas.to_datetime reads others."
}
_COUNTS = "whole numbers that only count or name the rows"
_CAMEL_ID = re.compile(r"[a-z](Id|ID)$")


def decide(X, columns=None):
    """Decide what the columns of a table are.

    Parameters
    ----------
    X : array-like, sparse matrix, dataframe, pyarrow.Table, dict or list of dict
    columns : mapping of name to role, optional
        What is known of some columns: "number", "category", "ordered", "date", "duration", "text"
        or "ignore". Columns without a name go by their position.

    Returns
    -------
    Layout

    Raises
    ------
    ValueError
        If a column cannot be read, or `columns` names a column or a role that does not exist.
    """
    view = view_of(X)
    said = _check_said(columns, view)
    if view.storage == "sparse" or (
        view.storage == "array" and view.names is None and view.shape[1] and not said
    ):
        plain = _plain_array(X, view)
        if plain is not None:
            return plain
    plans = []
    for j in range(view.shape[1]):
        name = view.name(j)
        column = view.column(j)
        plans.append(_decide_column(column, name, said.get(j), view))
    if plans and all(plan.role == "ignore" for plan in plans):
        plans = [_keep(plan) if plan.name not in (columns or {}) else plan for plan in plans]
    return Layout(tuple(plans), view.storage, view.shape[0])


def _keep(plan):
    """A column that names rows stays where nothing else would."""
    if plan.why.startswith("holds no value"):
        return plan
    role = "number" if plan.type == "number" else "category"
    why = f"{plan.why}, but is all there is"
    return replace(plan, role=role, why=why)


def _plain_array(X, view):
    """An array of numbers is numbers: nothing is looked at."""
    dtype = getattr(X, "dtype", None)
    if view.storage != "sparse" and (not isinstance(X, np.ndarray) or dtype.kind not in "fiu"):
        return None
    role = ("number", "number", "numbers in an array")
    gaps = np.zeros(view.shape[1], int)
    if view.storage != "sparse" and dtype.kind == "f":
        with np.errstate(over="ignore", invalid="ignore"):
            odd = np.flatnonzero(~np.isfinite(X.sum(axis=0)))
        gaps[odd] = np.isnan(X[:, odd]).sum(axis=0)
    plans = tuple(Plan(j, *role, plain=True, n_missing=int(gaps[j])) for j in range(view.shape[1]))
    return Layout(plans, view.storage, view.shape[0])


def _check_said(columns, view):
    if columns is None:
        return {}
    if not isinstance(columns, Mapping):
        raise ValueError(f"columns must be a dict of name: role; got {type(columns).__name__}.")
    names = list(range(view.shape[1])) if view.names is None else view.names
    said = {}
    for name, role in columns.items():
        if role not in ROLES:
            raise ValueError(f"columns[{name!r}] must be one of {list(ROLES)}; got {role!r}.")
        places = [j for j, own in enumerate(names) if own == name and type(own) is type(name)]
        if not places:
            near = get_close_matches(str(name), [str(own) for own in names], n=1)
            meant = f" (did you mean {near[0]!r}?)" if near else ""
            raise ValueError(
                f"columns names {name!r}, which X does not have{meant}; it has {names}."
            )
        if view.storage == "sparse" and role != "number":
            raise ValueError(
                f"columns[{name!r}] is {role!r}, but X is a sparse matrix, whose columns are "
                "numbers. Drop the column, or give X as a dense table."
            )
        said.update(dict.fromkeys(places, role))
    return said


def _decide_column(column, name, said, view):
    if column.type == "empty" or (len(column.values) and column.missing.all()):
        n = len(column.values)
        said = said == "ignore"
        return Plan(name, column.type, "ignore", "holds no value at all", n_missing=n, said=said)
    decide_type = _DECIDE[column.type]
    plan = decide_type(column, name, view)
    if said is None:
        return plan
    plan = replace(plan, said=True, why="said by columns")
    return plan if said == plan.role else _as_said(column, plan, said)


def _as_said(column, plan, said):
    """A role that the user gave, where the values can be read so."""
    changes = {"role": said, "parts": (), "mark": False, "levels": ()}
    if said == "ignore":
        return replace(plan, **changes)
    plan = replace(plan, plain=plan.plain and _is_plain_as(column.type, said), **changes)
    known = known_values(column)
    if said in ("number", "date", "duration"):
        values, unread = read_as(column, said)
        if unread.all():
            raise ValueError(
                f"columns[{plan.name!r}] is {said!r}, but none of its values can be read so, such "
                f"as {known[0]!r}.{_ADVICE.get(said, '')}"
            )
        parts = varying_parts(values[~np.isnat(values)]) if said == "date" else ()
        return replace(plan, mark=bool(unread.any()), parts=parts)
    if said == "ordered":
        levels = column.levels or tuple(sorted({label(value) for value in known}))
        return replace(plan, levels=levels)
    return replace(plan, n_levels=len({label(value) for value in known}))


def _is_plain_as(kind, role):
    return (kind, role) in {("number", "number"), ("text", "category"), ("category", "category")}


def _number(column, name, view):
    values, missing = column.values, 0
    if values.dtype.kind == "f":
        missing = int(np.isnan(values).sum())
    plan = Plan(name, "number", "number", "numbers", column.plain, n_missing=missing)
    whole = values.dtype.kind in "iu"
    if view.names is None or not len(values):
        return plan
    if values[0] >= 1e7 or missing:
        dates = _all_dates(values[~np.isnan(values)] if missing else values)
        if dates is not None:
            why = "whole numbers that are points in time, such as 20240115 or 202401151745"
            parts = varying_parts(dates)
            return replace(plan, role="date", why=why, plain=False, parts=parts)
    if (whole or _is_nullable_whole(column, values, missing)) and _counts_rows(values, name):
        return replace(plan, role="ignore", why=_COUNTS)
    return plan


def _is_nullable_whole(column, values, missing):
    return not column.plain and not missing and bool((values == np.floor(values)).all())


def _is_id_name(name):
    return isinstance(name, str) and bool(_ID_WORD.search(name) or _CAMEL_ID.search(name))


def _counts_rows(values, name):
    """Whether whole numbers count the rows from 0 or 1, or all differ in a column named as ids."""
    if len(values) < _FEW:
        return False
    if values[0] in (0, 1) and values[-1] - values[0] == len(values) - 1:
        return bool((np.diff(values) == 1).all())
    return _is_id_name(name) and len(np.unique(values)) == len(values)


def _boolean(column, name, view):
    missing = int(column.missing.sum())
    plain = column.plain
    return Plan(name, "boolean", "category", "truth values", plain, n_levels=2, n_missing=missing)


def _category(column, name, view):
    used = np.unique(column.values[column.values >= 0])
    counts = {"n_levels": len(used), "n_missing": int((column.values < 0).sum())}
    if column.type == "ordered":
        return Plan(
            name, "ordered", "ordered", "an ordered category", False, column.levels, **counts
        )
    return Plan(name, "category", "category", "a category", column.plain, **counts)


def _date(column, name, view):
    missing = column.missing
    parts = varying_parts(column.values[~missing])
    n = int(missing.sum())
    return Plan(name, "date", "date", "dates", parts=parts, n_missing=n)


def _duration(column, name, view):
    n = int(column.missing.sum())
    return Plan(name, "duration", "duration", "lengths of time", n_missing=n)


def _text(column, name, view):
    """Text, and columns of several types at once by the text of their values."""
    missing = column.missing
    known = column.values[~missing]
    levels = set(known)
    blank = {level for level in levels if not level.strip()}
    n_missing = int(missing.sum())
    if blank:
        n_missing += sum(value in blank for value in known)
        levels -= blank
        known = known[[value not in blank for value in known]]
    plan = Plan(
        name, column.type, "category", "text of few values", column.plain, n_missing=n_missing
    )
    if not len(known):
        return replace(plan, role="ignore", why="holds no value at all")
    plan = replace(plan, n_levels=len(levels))
    if column.type == "mixed":
        plan = replace(plan, why="values of several types, by their text")
    plan = _read_text(known, levels, plan) or _kind_of_text(known, levels, plan)
    if plan.role != "date" and looks_like(is_other_date, known):
        if np.mean([is_other_date(value) for value in known]) >= _PARSED:
            return replace(plan, why=f"{UNREAD_DATES} {known[0]!r}")
    return plan


def _read_text(known, levels, plan):
    """Numbers and dates written as text; None where the text is neither."""
    if looks_like(is_number, known):
        return _read_numbers(known, levels, plan)
    if not looks_like(is_date, known):
        return None
    dates = parse_dates(known)
    read = ~np.isnat(dates)
    if read.mean() < _PARSED:
        return None
    why, parts = _parsed_why("ISO dates", read), varying_parts(dates[read])
    return replace(plan, role="date", why=why, plain=False, mark=not read.all(), parts=parts)


def _read_numbers(known, levels, plan):
    numbers = parse_numbers(known)
    read = ~np.isnan(numbers)
    if read.mean() < _PARSED or _are_codes(known[read], levels, plan):
        return None
    mark = not read.all()
    dates = _all_dates(numbers[read])
    if dates is not None:
        why, parts = "dates written as digits", varying_parts(dates)
        return replace(plan, role="date", why=why, plain=False, mark=mark, parts=parts)
    if not mark and (numbers % 1 == 0).all() and _counts_rows(numbers, plan.name):
        return replace(plan, role="ignore", why=_COUNTS)
    why = _parsed_why("numbers", read)
    return replace(plan, role="number", why=why, plain=False, mark=mark)


def _all_dates(numbers):
    """Whole numbers as dates, if all of several are; else None."""
    if len(numbers) < 3 or not 1e7 <= numbers[0] < 1e14:
        return None
    dates = whole_dates(numbers)
    return None if np.isnat(dates).any() else dates


def _parsed_why(what, read):
    unread = int((~read).sum())
    return f"{what} written as text" + (f", all but {unread} of {len(read)}" if unread else "")


def _are_codes(values, levels, plan):
    """Digits that name something: a leading zero, one width throughout, or a name that says so."""
    digits = [level for level in levels if level.isdigit()]
    if len(digits) < _PARSED * len(levels):
        return False
    if any(len(level) > 1 and level[0] == "0" for level in digits):
        return True
    if isinstance(plan.name, str) and (_CODE_WORD.search(plan.name) or _CAMEL_ID.search(plan.name)):
        return True
    widths = {len(level) for level in digits}
    fixed = len(widths) == 1 and widths.pop() >= _CODE_DIGITS
    return fixed and len(levels) <= len(values) / 2 and not _are_digit_dates(digits)


def _are_digit_dates(digits):
    numbers = np.array([int(level) for level in digits if len(level) <= 14], dtype=float)
    return len(numbers) == len(digits) and _all_dates(numbers) is not None


def _kind_of_text(known, levels, plan):
    n, distinct = len(known), len(levels)
    if n < _FEW or distinct < _FEW:
        return plan
    sample = sample_of(known, 1000)
    words = sum(len(value.split()) for value in sample) / len(sample)
    unique = distinct >= _DISTINCT * n
    free = (words >= _WORDS and distinct >= _TEXT_DISTINCT * n) or (
        unique and (words >= 2 or _is_unspaced_text(sample))
    )
    if free and plan.type == "text":
        if plan.n_missing > n:
            # A fold may miss it altogether.
            return replace(plan, why="free text that is mostly missing")
        why = f"free text, {words:.1f} words on average"
        return replace(plan, role="text", why=why, plain=False)
    if unique:
        why = f"{distinct} different values in {n} rows: names of the rows"
        return replace(plan, role="ignore", why=why)
    return replace(plan, why=f"text of {distinct} values") if plan.type == "text" else plan


def _is_unspaced_text(sample):
    """Scripts without blanks between words: letters beyond Latin, and several of them."""
    letters = [sum(c.isalpha() and ord(c) > 0x2E80 for c in value) for value in sample]
    return sum(letters) >= 5 * len(sample)


_DECIDE = {
    "number": _number,
    "boolean": _boolean,
    "category": _category,
    "ordered": _category,
    "date": _date,
    "duration": _duration,
    "text": _text,
    "mixed": _text,
}
