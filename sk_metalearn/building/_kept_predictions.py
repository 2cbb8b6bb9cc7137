"""What the configurations predicted, kept outside the shards: endings can then be tried anew."""

import io
import sqlite3
import zlib

import numpy as np

__all__ = ["KeptPredictions"]

_TABLES = """
CREATE TABLE IF NOT EXISTS tasks (
    task TEXT, fidelity TEXT, truth BLOB, PRIMARY KEY (task, fidelity)
);
CREATE TABLE IF NOT EXISTS predictions (
    task TEXT, configuration TEXT, fidelity TEXT, folds BLOB, outer BLOB,
    PRIMARY KEY (task, configuration, fidelity)
);
"""


class KeptPredictions:
    """Predictions by task and configuration, in one file.

    Each configuration has those of the rows of its folds, and of the outer rows the mean over the
    models of the folds: probabilities, decision values of classifiers that give no probabilities,
    or numbers in units of the target's deviation, all in half precision.

    Parameters
    ----------
    path : path-like
        The file; it is made if it is not there.
    """

    def __init__(self, path):
        self._file = sqlite3.connect(path)
        self._file.executescript(_TABLES)

    def held(self):
        """List what is kept.

        Returns
        -------
        set of (str, str, str)
            Task, configuration, fidelity.
        """
        return set(self._file.execute("SELECT task, configuration, fidelity FROM predictions"))

    def add(self, task, fidelity, configuration, kept):
        """Keep the predictions of a configuration.

        Parameters
        ----------
        task : PreparedTask
        fidelity : str
        configuration : str
            Its id.
        kept : list of (ndarray, ndarray)
            Of each fold: of its rows, and of the outer ones.
        """
        scale = 1.0 if task.n_classes else task.scale
        held = [task.fold(number)[1] for number in range(len(kept))]
        of_folds = np.concatenate([own for own, _ in kept])[np.argsort(np.concatenate(held))]
        outer = np.mean([own for _, own in kept], axis=0)
        truth = np.concatenate([task.y[task.development], task.y[task.outer]]) / scale
        with self._file:
            self._file.execute(
                "INSERT OR REPLACE INTO tasks VALUES (?, ?, ?)",
                (task.id, fidelity, _packed(truth.astype(np.float32))),
            )
            self._file.execute(
                "INSERT OR REPLACE INTO predictions VALUES (?, ?, ?, ?, ?)",
                (task.id, configuration, fidelity, _packed(of_folds, scale), _packed(outer, scale)),
            )

    def of_task(self, task, fidelity="main"):
        """Read all that is kept of a task.

        Parameters
        ----------
        task : str
        fidelity : str, default="main"

        Returns
        -------
        truth : ndarray of shape (n_rows + n_outer,)
            The rows of the folds, then the outer ones.
        predictions : dict of str to (ndarray, ndarray)
            By configuration.
        """
        key = task, fidelity
        (truth,) = self._file.execute(
            "SELECT truth FROM tasks WHERE task = ? AND fidelity = ?", key
        ).fetchone()
        rows = self._file.execute(
            "SELECT configuration, folds, outer FROM predictions WHERE task = ? AND fidelity = ?",
            key,
        )
        return _unpacked(truth), {
            configuration: (_unpacked(folds), _unpacked(outer))
            for configuration, folds, outer in rows
        }

    def close(self):
        """Close the file."""
        self._file.close()


def _packed(values, scale=None):
    if scale is not None:
        largest = np.finfo(np.float16).max
        values = np.clip(np.asarray(values, dtype=float) / scale, -largest, largest)
        values = values.astype(np.float16)
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return zlib.compress(buffer.getvalue())


def _unpacked(blob):
    return np.load(io.BytesIO(zlib.decompress(blob)), allow_pickle=False)
