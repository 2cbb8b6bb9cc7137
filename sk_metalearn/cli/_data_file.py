"""Tables from files: text of any separator and encoding, parquet, feather, JSON lines."""

import bz2
import codecs
import csv
import gzip
import json
import lzma
from collections import Counter
from difflib import get_close_matches
from pathlib import Path

from ..exceptions import TableError, import_optional
from ._said import aside

__all__ = ["read_data", "read_task", "require_columns"]

_OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_SEPARATORS = ",;\t|"
_READ_BY = {
    ".parquet": "read_parquet",
    ".pq": "read_parquet",
    ".feather": "read_feather",
    ".arrow": "read_feather",
    ".jsonl": "lines",
    ".ndjson": "lines",
}
# Bytes of a text that tell its encoding and separator.
_BEGIN = 1 << 16
# Rows of it that tell which columns are codes.
_N_LOOKED_AT = 10_000
_DECIMAL_COMMA = r"\s*[-+]?\d*,\d+\s*"


def read_task(path, target):
    """Read a table and take the target out of it; rows without one are left out.

    Parameters
    ----------
    path : str
    target : str
        Name of the target's column.

    Returns
    -------
    X : pandas.DataFrame
    y : pandas.Series

    Raises
    ------
    TableError
        If the file cannot be read or has no such column.
    """
    table = read_data(path)
    require_columns(table, [target])
    gaps = table[target].isna()
    if gaps.all():
        raise TableError(f"The column {target!r} has no value in any row: nothing to learn from.")
    if gaps.any():
        aside(f"note: {int(gaps.sum()):,} rows without a value of {target!r} are left out")
        table = table[~gaps]
    return table.drop(columns=target), _amounts(table[target])


def require_columns(table, names):
    """Raise TableError if a table lacks columns.

    Parameters
    ----------
    table : pandas.DataFrame
    names : list of str
    """
    known = [str(name) for name in table.columns]
    gone = [name for name in names if name not in table.columns]
    if gone:
        near = [own for name in gone for own in get_close_matches(name, known, n=1)]
        meant = f" (did you mean {', '.join(map(repr, near))}?)" if near else ""
        what = ", ".join(map(repr, gone))
        raise TableError(f"No column {what}{meant}; the table has {known}.")


def _amounts(target):
    """A target of amounts such as ``$1,200`` as numbers."""
    from ..tables import numbers_of_text

    numbers = numbers_of_text(target.to_numpy())
    if numbers is None or _codes(target.to_frame()):
        return target
    aside(
        f"note: the text in {target.name!r} is read as numbers, such as {target.iloc[0]!r} as "
        f"{numbers[0]:g}"
    )
    return type(target)(numbers, index=target.index, name=target.name)


def read_data(path, as_text=()):
    """Read a table.

    Parameters
    ----------
    path : str
        ``*.csv``, ``*.tsv`` or other text (also ``.gz``, ``.bz2``, ``.xz``), ``*.parquet``,
        ``*.feather`` or ``*.jsonl``.
    as_text : sequence of str, default=()
        Columns of a text file that are kept as they are written, such as ids with leading zeros.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    TableError
        If it cannot be read.
    """
    pandas = import_optional("pandas", "pandas", "Reading a table")
    reader = _READ_BY.get(Path(path).suffix.lower())
    if reader in ("read_parquet", "read_feather"):
        import_optional("pyarrow", "build", f"Reading {path}")
    try:
        if reader == "lines":
            with open(path, encoding="utf-8-sig") as file:
                table = pandas.DataFrame([json.loads(line) for line in file if line.strip()])
        elif reader is not None:
            table = getattr(pandas, reader)(path)
        else:
            table = _read_text(pandas, path, dict.fromkeys(as_text, str))
    except Exception as error:
        # Readers of tables raise errors of their own, and of the libraries below them.
        told = {FileNotFoundError: "there is no such file", IsADirectoryError: "it is a folder"}
        told[pandas.errors.EmptyDataError] = "it is empty"
        why = told.get(type(error), error)
        raise TableError(f"The table {path!r} cannot be read: {why}") from error
    if not len(table):
        raise TableError(f"The table {path!r} has no rows.")
    return table


def _read_text(pandas, path, dtype):
    begin = _begin_of(path)
    encoding = _encoding_of(path, begin)
    separator = _separator_of(begin.decode(encoding, errors="ignore"))
    options = {"sep": separator, "encoding": encoding}
    dtype = {**_codes(pandas.read_csv(path, dtype=str, nrows=_N_LOOKED_AT, **options)), **dtype}
    options["dtype"] = dtype
    table = pandas.read_csv(path, **options)
    if separator == ",":
        return table
    for name in table.columns:
        texts = table[name].dropna()
        if texts.dtype.kind in "OU" or str(texts.dtype) == "str":
            if name not in dtype and texts.astype(str).str.fullmatch(_DECIMAL_COMMA).all():
                # Of numbers that are written as in much of Europe.
                return pandas.read_csv(path, decimal=",", **options)
    return table


def _codes(begin):
    """Columns of digits of which some begin with zero; as numbers they would lose it."""
    texts = {name: begin[name].dropna().astype(str).str for name in begin}
    return {
        name: str
        for name, own in texts.items()
        if own.fullmatch(r"0\d+").any() and own.fullmatch(r"\d+").all()
    }


def _begin_of(path):
    with _OPENERS.get(Path(path).suffix.lower(), open)(path, "rb") as file:
        return file.read(_BEGIN)


def _encoding_of(path, begin):
    if begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    opener = _OPENERS.get(Path(path).suffix.lower(), open)
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            while file.read(1 << 20):
                pass
    except UnicodeDecodeError:
        # What Windows writes; every byte of it means something in the second.
        try:
            begin.decode("cp1252")
        except UnicodeDecodeError:
            return "latin-1"
        return "cp1252"
    return "utf-8-sig"


def _separator_of(text):
    """The separator by which the first lines have equally many fields, more than one."""
    lines = text.splitlines()[:50]
    # The last one may have been cut.
    lines = lines[:-1] if len(lines) > 2 else lines
    best, most = ",", (0.0, 1)
    for separator in _SEPARATORS:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=separator) if row)
        for width, count in widths.most_common(1):
            if width > 1 and (count / len(lines), width) > most:
                best, most = separator, (count / len(lines), width)
    return best
