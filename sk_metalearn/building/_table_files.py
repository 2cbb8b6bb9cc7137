"""The files in which public tables come."""

import csv
import gzip
import json
import lzma
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path

from ..exceptions import KnowledgeError

__all__ = ["errors_name", "open_text", "read_arff", "read_json", "read_value"]


# What reading a damaged file can end in: numbers that are none, columns that are not there, ends
# that come too early.
_DAMAGE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OSError,
    EOFError,
    SyntaxError,
    zlib.error,
    lzma.LZMAError,
    csv.Error,
    tarfile.TarError,
    zipfile.BadZipFile,
)


@contextmanager
def errors_name(path):
    """Let what goes wrong while a file is read name the file.

    Parameters
    ----------
    path : path-like
        The file, or the folder of all files that are read.

    Raises
    ------
    KnowledgeError
        Instead of whatever the damage led to.
    """
    try:
        yield
    except KnowledgeError:
        raise
    except _DAMAGE as error:
        raise KnowledgeError(
            f"{str(path)!r} is damaged, or not what it should be ({type(error).__name__}: "
            f"{error}). Fetch it again."
        ) from error


def open_text(path):
    """Open a text file, compressed with gzip or not.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    file object

    Raises
    ------
    KnowledgeError
        If there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise KnowledgeError(f"There is no file {str(path)!r}; give the folder that holds it.")
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def read_arff(path):
    """Read a simple ARFF table (no quotes, no sparse rows).

    Parameters
    ----------
    path : path-like

    Returns
    -------
    list of dict of str to str
    """
    names, rows, started = [], [], False
    with open_text(path) as file:
        for line in file:
            line = line.strip()
            if not line or line.startswith("%"):
                continue
            if started:
                values = line.split(",")
                if len(values) != len(names):
                    raise KnowledgeError(
                        f"{str(path)!r}: a row has {len(values)} values for {len(names)} columns."
                    )
                rows.append(dict(zip(names, values, strict=True)))
            elif line.lower().startswith("@attribute"):
                names.append(line.split()[1].strip("'\""))
            elif line.lower() == "@data":
                started = True
    return rows


def read_json(path):
    """Read a JSON file, NaN included.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    object
    """
    with open_text(path) as file:
        return json.load(file)


def read_value(text):
    """Read a value as Python writes it: a word, or a number, whole if it is written so.

    Parameters
    ----------
    text : str

    Returns
    -------
    None, bool, int, float or str
    """
    words = {"None": None, "True": True, "False": False}
    if text in words:
        return words[text]
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and "." not in text and "e" not in text else number
