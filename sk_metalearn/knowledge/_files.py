"""Files that are written whole or not at all, for their owner alone."""

import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

from ..exceptions import KnowledgeError
from ._text import printable

__all__ = [
    "application_of",
    "is_database",
    "is_ours",
    "note_application",
    "private_folder",
    "replace_file",
]

_SQLITE = b"SQLite format 3\0"
_ZIP = b"PK\x03\x04"
# Of an SQLite file: its head, and where in it the program's number stands.
_HEAD, _PLACE = 100, 68
_APPLICATIONS = {}


@contextmanager
def replace_file(path):
    """Write a file beside its place, then put it there at once.

    A new one can be read by its owner alone; one that takes the place of another keeps the rights
    that somebody gave that.

    Parameters
    ----------
    path : path-like

    Yields
    ------
    binary file

    Raises
    ------
    KnowledgeError
        If there is a file that is no knowledge base.
    """
    path = Path(path)
    if not is_ours(path):
        raise KnowledgeError(
            f"{printable(str(path))!r} is there and holds no knowledge base: it is not replaced. "
            "Give another name, or remove it first."
        )
    try:
        number, part = tempfile.mkstemp(".part", f".{path.name[:100]}.", path.parent)
    except OSError as error:
        reason = error.strerror or error
        raise KnowledgeError(f"{printable(str(path))!r} cannot be written: {reason}.") from error
    try:
        with os.fdopen(number, "wb") as file:
            yield file
        with suppress(FileNotFoundError):
            os.chmod(part, path.stat().st_mode & 0o777)
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def is_ours(path):
    """Tell whether a file may be replaced: it is not there, empty, or a knowledge base's.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    bool
        Also for a knowledge base in a damaged archive or in damaged lines; False for a database,
        which is added to and never replaced.
    """
    path = Path(path)
    if not path.exists():
        return True
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(_ZIP):
        # Our archives begin with the header.
        return head[30:40] == b"header.npy"
    return not head or head.startswith(b'{"record":"format","format":"sk_metalearn knowledge')


def is_database(path):
    """Tell whether a file is an SQLite database.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    bool
    """
    return application_of(path) is not None


def application_of(path):
    """Tell which program an SQLite file says it belongs to, without opening the database.

    A file is looked into once: to close a file is to lose, in this process, the locks that SQLite
    holds on it, and another process may then take away the log in which records stand.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    int or None
        0 if it does not say; None if it is no SQLite file.
    """
    key = _key_of(path)
    if key not in _APPLICATIONS:
        with Path(path).open("rb") as file:
            head = file.read(_HEAD)
        if not head.startswith(_SQLITE):
            return None
        _APPLICATIONS[key] = int.from_bytes(head[_PLACE : _PLACE + 4], "big")
    return _APPLICATIONS[key]


def note_application(path, number):
    """Note which program an SQLite file belongs to, so that it need not be looked into.

    Parameters
    ----------
    path : path-like
    number : int
    """
    _APPLICATIONS[_key_of(path)] = number


def _key_of(path):
    """What tells a file apart, also from one that was there before under the same number."""
    status = Path(path).stat()
    return os.path.realpath(path), status.st_dev, status.st_ino


def private_folder(folder):
    """Make a folder, and those above it that are missing, for its owner alone.

    Parameters
    ----------
    folder : path-like
    """
    folder = Path(folder)
    missing = [own for own in (folder, *folder.parents) if not own.exists()]
    for own in reversed(missing):
        own.mkdir(mode=0o700, exist_ok=True)
