"""What a search has done so far, in memory or on disk, so that it can go on where it was."""

import io
import json
import os
import sqlite3
from dataclasses import asdict, dataclass

import numpy as np

from ..exceptions import CheckpointError
from ._fold import FoldResult

__all__ = ["Journal", "StoredTrial", "check_fingerprint", "open_journal"]

_VERSION = 1
_TABLES = """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT);
    CREATE TABLE splits (fold INTEGER PRIMARY KEY, train BLOB, test BLOB);
    CREATE TABLE trials (number INTEGER PRIMARY KEY, key TEXT, content TEXT);
    CREATE TABLE folds (
        key TEXT, fold INTEGER, content TEXT, predictions BLOB, classes BLOB,
        PRIMARY KEY (key, fold)
    );
"""
_PLAIN = ("status", "scores", "train_scores", "fit_seconds", "score_seconds", "failure", "excess")


@dataclass
class StoredTrial:
    """A candidate that a search began.

    Parameters
    ----------
    number : int
        Its place in the order of proposals.
    key : str
        Text that identifies the candidate.
    content : dict
        What the search needs to take it up again, in JSON types.
    """

    number: int
    key: str
    content: dict


class Journal:
    """Results of folds and the order of candidates, kept in memory.

    Attributes
    ----------
    folds : dict of (str, int) to FoldResult
    trials : dict of int to StoredTrial
    meta : dict of str to str
    splits : list of (ndarray, ndarray) or None
    """

    def __init__(self):
        self.folds, self.trials, self.meta, self.splits = {}, {}, {}, None

    def __repr__(self):
        return f"<{type(self).__name__}: {len(self.trials)} candidates, {len(self.folds)} folds>"

    def begin(self, meta, splits):
        """Note what the search is about; later calls keep the first notes.

        Parameters
        ----------
        meta : dict of str to str
        splits : list of (ndarray, ndarray)
        """
        if self.splits is None:
            self.meta, self.splits = dict(meta), splits
            self._write_head()

    def add_trial(self, trial):
        """Note a candidate that begins.

        Parameters
        ----------
        trial : StoredTrial
        """
        known = self.trials.get(trial.number)
        if known is None or known.key != trial.key:
            self.trials[trial.number] = trial
            self._write_trial(trial)

    def add_fold(self, key, fold, result):
        """Note the result of a fold.

        Parameters
        ----------
        key : str
            Key of the candidate.
        fold : int
        result : FoldResult
        """
        if (key, fold) not in self.folds:
            self.folds[key, fold] = result
            self._write_fold(key, fold, result)

    def close(self):
        """Release the file."""

    def in_memory(self):
        """Give a copy that holds no file."""
        copy = Journal()
        copy.folds, copy.trials = dict(self.folds), dict(self.trials)
        copy.meta, copy.splits = dict(self.meta), self.splits
        return copy

    def _write_head(self):
        pass

    def _write_trial(self, trial):
        pass

    def _write_fold(self, key, fold, result):
        pass


class _FileJournal(Journal):
    """A journal whose every entry is in an SQLite file before the search goes on."""

    def __init__(self, path):
        super().__init__()
        self.path = os.fspath(path)
        try:
            self.connection = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, timeout=0.0
            )
            # One search at a time; the lock goes with the process that holds it.
            self.connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            self.connection.execute("PRAGMA synchronous=NORMAL")
            self.connection.execute("BEGIN IMMEDIATE")
            new = not self.connection.execute("SELECT name FROM sqlite_master").fetchall()
            if new:
                for statement in _TABLES.split(";"):
                    self.connection.execute(statement)
                self._put_meta("journal version", str(_VERSION))
            self.connection.execute("COMMIT")
            self._read()
        except sqlite3.OperationalError as error:
            raise CheckpointError(
                f"The checkpoint {self.path!r} cannot be opened: {error}. Another search may be "
                "using it, or its folder does not exist or cannot be written."
            ) from error
        except (sqlite3.DatabaseError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"{self.path!r} is no checkpoint of a search, or it is damaged: {error}. Give "
                "another path, or delete the file to start again."
            ) from error

    def _read(self):
        execute = self.connection.execute
        self.meta = dict(execute("SELECT name, value FROM meta"))
        if self.meta.get("journal version") != str(_VERSION):
            raise ValueError(f"its version is {self.meta.get('journal version')!r}")
        rows = execute("SELECT train, test FROM splits ORDER BY fold").fetchall()
        self.splits = [tuple(map(_array, row)) for row in rows] or None
        for number, key, content in execute("SELECT * FROM trials"):
            self.trials[number] = StoredTrial(number, key, json.loads(content))
        for key, fold, content, predictions, classes in execute("SELECT * FROM folds"):
            self.folds[key, fold] = FoldResult(
                **json.loads(content),
                predictions=_array(predictions),
                classes=_array(classes),
            )

    def _put_meta(self, name, value):
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def _write_head(self):
        self.connection.execute("BEGIN")
        for name, value in self.meta.items():
            self._put_meta(name, value)
        for fold, (train, test) in enumerate(self.splits):
            row = fold, _bytes(train), _bytes(test)
            self.connection.execute("INSERT INTO splits VALUES (?, ?, ?)", row)
        self.connection.execute("COMMIT")

    def _write_trial(self, trial):
        row = trial.number, trial.key, json.dumps(trial.content)
        self.connection.execute("INSERT OR REPLACE INTO trials VALUES (?, ?, ?)", row)

    def _write_fold(self, key, fold, result):
        content = {name: value for name, value in asdict(result).items() if name in _PLAIN}
        row = (key, fold, json.dumps(content), _bytes(result.predictions), _bytes(result.classes))
        self.connection.execute("INSERT OR REPLACE INTO folds VALUES (?, ?, ?, ?, ?)", row)

    def close(self):
        self.connection.close()


def _bytes(array):
    if array is None:
        return None
    array = np.asarray(array)
    if array.dtype == object:
        array = array.astype(str)
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _array(content):
    return None if content is None else np.load(io.BytesIO(content), allow_pickle=False)


def open_journal(path, fingerprint):
    """Open a checkpoint, or make it.

    Parameters
    ----------
    path : path-like or None
        None keeps the journal in memory.
    fingerprint : dict of str to str
        What a search must share with the one that wrote the checkpoint.

    Returns
    -------
    Journal

    Raises
    ------
    CheckpointError
        If the file is no checkpoint, is in use, or belongs to another search.
    """
    if path is None:
        return Journal()
    journal = _FileJournal(path)
    if journal.splits is not None:
        try:
            check_fingerprint(journal, fingerprint, f"The checkpoint {journal.path!r}")
        except CheckpointError:
            journal.close()
            raise
    return journal


def check_fingerprint(journal, fingerprint, what):
    """Raise CheckpointError if a journal was written by another search.

    Parameters
    ----------
    journal : Journal
    fingerprint : dict
        Data and settings of the search at hand.
    what : str
        What the message calls the journal.
    """
    other = [name for name, value in fingerprint.items() if journal.meta.get(name) != value]
    if other:
        raise CheckpointError(
            f"{what} belongs to another search: it differs in {', '.join(other)}. Continue with "
            "the same data and settings, or start again with another path or without "
            "warm_start."
        )
