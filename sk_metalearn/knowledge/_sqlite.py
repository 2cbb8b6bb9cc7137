"""SQLite files: opened to be read or to be written, made for their owner alone."""

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from ..exceptions import KnowledgeError
from ._files import application_of, note_application, private_folder
from ._text import printable

__all__ = ["engines", "foreign_content", "is_there", "make_file", "mark"]

# "skmk": tells our files from other programs'.
APPLICATION = 0x736B6D6B
# While others write, a writer waits for them, but not longer than so often its patience.
_MOST_WAITS = 12


def engines(sql, path, patience):
    """Make the engines that read and write a file.

    Parameters
    ----------
    sql : module
        ``sqlalchemy``.
    path : str or None
        None: a database in memory, which both share.
    patience : float
        Seconds to wait for another writer; they begin anew whenever one has written.

    Returns
    -------
    reader, writer : sqlalchemy.Engine
    """
    if path is None:
        engine = sql.create_engine(
            "sqlite://", poolclass=sql.pool.StaticPool, connect_args={"check_same_thread": False}
        )
        sql.event.listen(engine, "connect", _take_over)
        sql.event.listen(engine, "begin", _begin)
        return engine, engine
    reader = sql.create_engine(
        "sqlite://",
        creator=lambda: _open_to_read(path, patience),
        poolclass=sql.pool.NullPool,
        hide_parameters=True,
    )
    writer = sql.create_engine(
        "sqlite://",
        creator=lambda: _open_to_write(path, patience),
        poolclass=sql.pool.QueuePool,
        hide_parameters=True,
    )
    sql.event.listen(reader, "begin", _begin)
    sql.event.listen(writer, "begin", lambda connection: _begin_writing(connection, patience))
    return reader, writer


def _open_to_read(path, patience):
    """Open a file so that nothing in it changes, and nothing is left beside it."""
    place, log = Path(path).as_uri(), Path(path + "-wal")
    logged = log.exists() and log.stat().st_size > 0
    ours = application_of(path) == APPLICATION
    if ours and os.access(path, os.W_OK) and os.access(Path(path).parent, os.W_OK):
        # Only who may write can tidy up the log that readers need.
        connection = _open(place + "?mode=rw", patience)
        connection.execute("PRAGMA query_only = ON")
        return connection
    if not ours and not logged:
        return _open(place + "?immutable=1", patience)
    connection = _open(place + "?mode=ro", patience)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        return connection
    except sqlite3.OperationalError as error:
        connection.close()
        # Where nothing may be written, SQLite cannot note that it reads. A file without a log of
        # changes, which is then the whole store, can be read all the same.
        if logged or "locked" in str(error):
            raise
    return _open(place + "?immutable=1", patience)


def _open_to_write(path, patience):
    connection = _open(Path(path).as_uri() + "?mode=rw", patience)
    _execute_patiently(connection, "PRAGMA journal_mode = WAL", patience)
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _open(uri, patience):
    connection = sqlite3.connect(uri, timeout=patience, uri=True, check_same_thread=False)
    _take_over(connection)
    return connection


def _take_over(connection, record=None):
    # Python's own handling of transactions starts them too late for a write lock.
    connection.isolation_level = None
    # A damaged row is told apart from the others only if it does not end the reading.
    connection.text_factory = _text


def _text(content):
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


def _begin(connection):
    connection.exec_driver_sql("BEGIN")


def _begin_writing(connection, patience):
    _execute_patiently(connection.connection.driver_connection, "BEGIN IMMEDIATE", patience)


def _execute_patiently(connection, statement, patience):
    """Execute what only one may at a time; the wait begins anew whenever another has written."""
    begun = started = time.monotonic()
    version = _version(connection)
    while True:
        try:
            connection.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            now, seen = time.monotonic(), _version(connection)
            if seen not in (None, version):
                version, started = seen, now
            if now - started >= patience or now - begun >= _MOST_WAITS * patience:
                raise
        # SQLite does not wait by itself where it sees that two would wait for each other.
        time.sleep(min(0.01, patience))


def _version(connection):
    """A number that changes when another connection has written; None if it cannot be read."""
    try:
        return connection.execute("PRAGMA data_version").fetchone()[0]
    except sqlite3.OperationalError:
        return None


def is_there(path):
    """Tell whether a file holds anything."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False
    except OSError as error:
        raise KnowledgeError(
            f"The store {printable(str(path))!r} cannot be read: {error}"
        ) from error


def make_file(path):
    """Make an empty file for its owner alone, and its folder; what is there stays as it is."""
    try:
        private_folder(path.parent)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        if not path.stat().st_size:
            # Before the log is kept, so that the mark stands in the file itself.
            connection = _open(path.as_uri() + "?mode=rw", 5.0)
            _execute_patiently(connection, f"PRAGMA application_id = {APPLICATION}", 5.0)
            connection.close()
            note_application(path, APPLICATION)
    except (OSError, sqlite3.Error) as error:
        raise KnowledgeError(
            f"The store {printable(str(path))!r} cannot be made: {error}. Name a "
            "place where you may write."
        ) from error


def foreign_content(connection):
    """Say what a file without our tables holds; empty if nothing."""
    number = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    if number not in (0, APPLICATION):
        return f"data of another program (application_id {number})"
    rows = connection.exec_driver_sql("SELECT name FROM sqlite_master ORDER BY name LIMIT 3")
    names = [printable(str(name)) for (name,) in rows]
    return f"other tables ({', '.join(names)})" if names else ""


def mark(connection, path):
    """Write into the file that it is ours."""
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")
    if path is not None:
        note_application(path, APPLICATION)
