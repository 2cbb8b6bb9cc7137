"""The files in which public tables come."""

import gzip
import json
from pathlib import Path

from ..exceptions import KnowledgeError

__all__ = ["open_text", "read_arff", "read_json"]


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
