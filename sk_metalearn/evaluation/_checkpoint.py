"""A journal in a file.

The file is data: what is read has a name and a type that is checked, and nothing in it is run,
unpickled or taken for a path. What cannot be written is kept in memory and tried again.
"""

import contextlib
import io
import json
import os
import sqlite3

import numpy as np

from ..exceptions import CheckpointError, FallbackWarning, warn_user
from ._fold import FoldResult
from ._journal import Journal, StoredTrial, check_fingerprint

__all__ = ["CheckpointFile", "open_journal"]

_APPLICATION = int.from_bytes(b"skmc", "big")
_VERSION = 2
_TABLES = (
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {_VERSION}",
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT)",
    "CREATE TABLE splits (fold INTEGER PRIMARY KEY, train BLOB, test BLOB)",
    "CREATE TABLE trials (number INTEGER PRIMARY KEY, key TEXT, content TEXT)",
    "CREATE TABLE folds (key TEXT, fold INTEGER, content TEXT, predictions BLOB, classes BLOB, "
    "PRIMARY KEY (key, fold))",
)
_INTO = {
    "meta": "INSERT OR REPLACE INTO meta VALUES (?, ?)",
    "splits": "INSERT OR REPLACE INTO splits VALUES (?, ?, ?)",
    "trials": "INSERT OR REPLACE INTO trials VALUES (?, ?, ?)",
    "folds": "INSERT OR REPLACE INTO folds VALUES (?, ?, ?, ?, ?)",
}
_STATUSES = ("ok", "crashed", "timeout", "memory", "died", "invalid")


class CheckpointFile(Journal):
    """A journal whose every entry is in an SQLite file before the search goes on.

    Nothing is written before `begin`. Where the file cannot be written, a warning says so once,
    the search goes on in memory, and each later entry tries to write what is missing.

    Parameters
    ----------
    path : path-like
        Made readable for its owner only, if there is none.

    Raises
    ------
    CheckpointError
        If it is no checkpoint, is damaged, in use, or cannot be opened.
    """

    def __init__(self, path):
        super().__init__()
        self.path = os.path.abspath(os.fspath(path))
        self._unwritten, self._warned = [], False
        self.connection = None
        try:
            self._open()
            if not self._is_new:
                self._read()
        except BaseException as error:
            self.close()
            if isinstance(error, sqlite3.OperationalError | OSError):
                raise CheckpointError(
                    f"The checkpoint {self.path!r} cannot be opened: {_printable(error)}. Another "
                    "search may be using it, or its folder does not exist or cannot be written."
                ) from error
            # SQLite's own message may quote bytes of the file that are no text.
            if isinstance(error, sqlite3.DatabaseError | UnicodeError):
                raise self._damaged(error) from error
            raise

    def _damaged(self, problem, place=""):
        place = place and f" in {place}"
        return CheckpointError(
            f"{self.path!r} is no checkpoint of a search, or it is damaged{place}: "
            f"{_printable(problem)}. "
            "Give another path, or delete the file to start again."
        )

    def _open(self):
        self._made = not os.path.exists(self.path)
        if self._made:
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        self._file = _identity(self.path)
        self._is_new = os.path.getsize(self.path) == 0
        self.connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=0.0
        )
        # One search at a time; the lock goes with the process that holds it.
        self.connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        self.connection.execute("PRAGMA synchronous=NORMAL")
        self.connection.execute("BEGIN IMMEDIATE")
        if not self._is_new:
            # An empty file would get its first page.
            self.connection.execute("COMMIT")

    # Reading.

    def _read(self):
        kinds = {
            name: self.connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        }
        if kinds["application_id"] != _APPLICATION:
            raise self._damaged("it has not the mark of a checkpoint")
        if kinds["user_version"] != _VERSION:
            raise self._damaged(
                f"its version is {kinds['user_version']}, this sk_metalearn reads {_VERSION}"
            )
        self.meta = dict(self._rows("SELECT name, value FROM meta", "meta", _meta_of))
        rows = "SELECT fold, train, test FROM splits ORDER BY fold"
        splits = list(self._rows(rows, "splits", _split_of))
        if [fold for fold, _ in splits] != list(range(len(splits))):
            raise self._damaged("folds are missing", "splits")
        self.splits = [split for _, split in splits] or None
        if self.splits is not None and not self.meta.get("seed", "").isdecimal():
            raise self._damaged(f"the seed is {self.meta.get('seed')!r}", "meta")
        for trial in self._rows("SELECT number, key, content FROM trials", "trials", _trial_of):
            self.trials[trial.number] = trial
        rows = "SELECT key, fold, content, predictions, classes FROM folds"
        for key, fold, result in self._rows(rows, "folds", self._fold_of):
            self.folds[key, fold] = result

    def _rows(self, query, table, make):
        number = 0
        try:
            for row in self.connection.execute(query):
                number += 1
                yield make(*row)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            raise self._damaged(problem, f"{table}, at row {number}") from error

    def _fold_of(self, key, fold, content, predictions, classes):
        _expect(isinstance(key, str), "the key", key)
        n_folds = len(self.splits or ())
        _expect(isinstance(fold, int) and 0 <= fold < n_folds, "the fold", fold)
        content = json.loads(content)
        _expect(isinstance(content, dict), "the content", content)
        _expect(content.get("status") in _STATUSES, "status", content.get("status"))
        result = FoldResult(
            content["status"],
            _scores_of(content, "scores"),
            _scores_of(content, "train_scores"),
            _number_of(content, "fit_seconds"),
            _number_of(content, "score_seconds"),
            _text_of(content, "failure"),
            _array(predictions, "biufcUS", (1, 2, 3)),
            _array(classes, "biufUSMm", (1, 2)),
            excess=_text_of(content, "excess"),
            shares=_shares_of(content),
            n_iter=_count_of(content, "n_iter"),
        )
        _, test = self.splits[fold]
        if result.predictions is not None and result.predictions.ndim < 3:
            n_test = int(test.sum()) if test.dtype == bool else len(test)
            n_rows = len(result.predictions)
            _expect(n_rows == n_test, "the number of predictions", n_rows)
        return key, fold, result

    # Writing.

    def _write_head(self):
        self._put("meta", *self.meta.items())
        rows = ((i, _bytes(train), _bytes(test)) for i, (train, test) in enumerate(self.splits))
        self._put("splits", *rows)
        self._flush()

    def _write_trial(self, trial):
        self._put("trials", (trial.number, trial.key, _json(trial.content)))
        self._flush()

    def _write_fold(self, key, fold, result):
        names = "status scores train_scores fit_seconds score_seconds failure".split()
        names += ["excess", "shares", "n_iter"]
        try:
            content = _json({name: getattr(result, name) for name in names})
            row = key, fold, content, _bytes(result.predictions), _bytes(result.classes)
        except (TypeError, ValueError) as error:
            self._complain(error)
            return
        self._put("folds", row)
        self._flush()

    def _put(self, table, *rows):
        self._unwritten += [(_INTO[table], row) for row in rows]

    def _flush(self):
        try:
            self._find_again()
            if not self.connection.in_transaction:
                self.connection.execute("BEGIN")
            if self._is_new:
                for statement in _TABLES:
                    self.connection.execute(statement)
            for statement, row in self._unwritten:
                self.connection.execute(statement, row)
            self.connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            with contextlib.suppress(sqlite3.Error):
                if self.connection is not None:
                    self.connection.execute("ROLLBACK")
            self._complain(error)
        else:
            self._unwritten, self._is_new = [], False

    def _find_again(self):
        """See that the file is still the one that was opened; make it anew where it is gone."""
        if self.connection is not None:
            try:
                if _identity(self.path) == self._file:
                    return
                raise OSError("another file has taken its place")
            except FileNotFoundError:
                self._disconnect()
        self._open()
        if not self._is_new:
            self._disconnect()
            raise OSError("another file has taken its place")
        self._unwritten = []
        self._put("meta", *self.meta.items())
        rows = ((i, _bytes(train), _bytes(test)) for i, (train, test) in enumerate(self.splits))
        self._put("splits", *rows)
        for trial in self.trials.values():
            self._put("trials", (trial.number, trial.key, _json(trial.content)))
        flush, self._flush = self._flush, lambda: None
        try:
            for (key, fold), result in self.folds.items():
                self._write_fold(key, fold, result)
        finally:
            self._flush = flush

    def _complain(self, error):
        if not self._warned:
            self._warned = True
            warn_user(
                f"The checkpoint {self.path!r} cannot be written ({error}). The search goes on "
                "in memory, and tries again with each result.",
                FallbackWarning,
            )

    def _disconnect(self):
        connection, self.connection = self.connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def close(self):
        """Release the file, and remove it if nothing was written."""
        if self.connection is None:
            return
        if self._unwritten:
            self._flush()
        self._disconnect()
        if self._made and self._is_new:
            with contextlib.suppress(OSError):
                if os.path.getsize(self.path) == 0:
                    os.remove(self.path)


def _printable(problem):
    """A cause in words that steer no terminal: it may quote the file."""
    text = str(problem)[:300]
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _identity(path):
    found = os.stat(path)
    return found.st_dev, found.st_ino


def _expect(right, what, value):
    if not right:
        raise ValueError(f"{what} is {str(value)[:100]!r}")


def _meta_of(name, value):
    _expect(isinstance(name, str), "a name", name)
    _expect(isinstance(value, str), name, value)
    return name, value


def _split_of(fold, train, test):
    parts = [_array(part, "biu", (1,)) for part in (train, test)]
    _expect(None not in (train, test), "a part of the fold", None)
    return fold, tuple(parts)


def _trial_of(number, key, content):
    _expect(isinstance(number, int) and number >= 0, "the number", number)
    _expect(isinstance(key, str), "the key", key)
    content = json.loads(content)
    _expect(isinstance(content, dict), "the content", content)
    return StoredTrial(number, key, content)


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def _scores_of(content, name):
    scores = content.get(name)
    if isinstance(scores, dict):
        _expect(len(scores) <= 1000, f"the number of {name}", len(scores))
        _expect(all(map(_is_number, scores.values())), name, scores)
    else:
        _expect(scores is None or _is_number(scores), name, scores)
    return scores


def _number_of(content, name):
    value = content.get(name, 0.0)
    _expect(_is_number(value) and value >= 0, name, value)
    return float(value)


def _count_of(content, name):
    value = content.get(name)
    _expect(value is None or (isinstance(value, int) and value > 0), name, value)
    return value


def _shares_of(content):
    value = content.get("shares", [])
    known = isinstance(value, list) and all(isinstance(own, (int, float)) for own in value)
    _expect(known, "shares", value)
    return tuple(map(float, value))


def _text_of(content, name):
    value = content.get(name, "")
    _expect(isinstance(value, str), name, value)
    return value


def _json(content):
    return json.dumps(content, default=float)


def _bytes(array):
    if array is None:
        return None
    array = np.asarray(array)
    if array.dtype == object:
        array = array.astype(str)
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _array(content, kinds, dimensions):
    """Read an array whose size is that of its content, whatever its head says."""
    if content is None:
        return None
    _expect(isinstance(content, bytes), "an array", content)
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    _expect(version == (1, 0), "the version of an array", version)
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    _expect(dtype.kind in kinds and not dtype.hasobject, "the type of an array", dtype)
    _expect(len(shape) in dimensions and min(shape) >= 0, "the shape of an array", shape)
    n_bytes = dtype.itemsize
    for size in shape:
        n_bytes *= size
    _expect(n_bytes == len(content) - file.tell(), "the shape of an array", shape)
    values = np.frombuffer(content, dtype=dtype, offset=file.tell())
    return values.reshape(shape, order="F" if fortran else "C").copy()


def open_journal(path, fingerprint, n_rows=None):
    """Open a checkpoint, or prepare one; nothing is written before `Journal.begin`.

    Parameters
    ----------
    path : path-like or None
        None keeps the journal in memory.
    fingerprint : dict of str to str
        What a search must share with the one that wrote the checkpoint.
    n_rows : int, default=None
        Rows of the data; folds of a checkpoint that refer to others are refused.

    Returns
    -------
    Journal
        Of the file, with what an earlier search left there; or one in memory.

    Raises
    ------
    CheckpointError
        If the file is no checkpoint, is damaged or in use, or belongs to another search.
    """
    if path is None:
        return Journal()
    journal = CheckpointFile(path)
    if journal.splits is not None:
        try:
            check_fingerprint(journal, fingerprint, f"The checkpoint {journal.path!r}")
            for fold, split in enumerate(journal.splits if n_rows is not None else ()):
                for part in split:
                    if not _fits(part, n_rows):
                        raise journal._damaged(f"it has no {n_rows} rows", f"fold {fold}")
        except CheckpointError:
            journal.close()
            raise
    return journal


def _fits(part, n_rows):
    if part.dtype == bool:
        return len(part) == n_rows
    return len(part) == 0 or (part.min() >= -n_rows and part.max() < n_rows)
