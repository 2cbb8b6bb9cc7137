"""The measured cells of a table, one after the other: memory grows with what was measured."""

import numpy as np

from ._limits import require_room
from ._records import Status, supersedes

__all__ = ["CellWriter", "Cells", "unite"]

_EMPTY = {"status": np.uint8, "origin": np.uint32, "machine": np.uint32, "seed": np.int64}


class Cells:
    """Cells of a table by row and column.

    Parameters
    ----------
    shape : tuple of (int, int)
        Of the table.
    rows, columns : ndarray of shape (n_cells,), dtype int
        Where each cell stands; no place twice.
    values : dict of str to ndarray of shape (n_cells,) or (n_cells, n_folds)
        Always with ``"status"``.
    """

    def __init__(self, shape, rows, columns, values):
        self.shape, self.rows, self.columns, self.values = shape, rows, columns, values

    def __len__(self):
        return len(self.rows)

    @classmethod
    def of_arrays(cls, shape, names, read):
        """Take the measured cells out of whole arrays.

        Parameters
        ----------
        shape : tuple of (int, int)
        names : iterable of str
        read : callable
            Gives the array of a name.

        Returns
        -------
        Cells
        """
        rows, columns = np.nonzero(read("status") != Status.missing)
        values = {name: read(name)[rows, columns] for name in names if name != "metafeatures"}
        return cls(shape, rows, columns, values)

    def whole(self, name):
        """Give one of the values as an array of the whole table.

        Parameters
        ----------
        name : str

        Returns
        -------
        ndarray of shape (n_rows, n_columns) or (n_rows, n_columns, n_folds)

        Raises
        ------
        KnowledgeError
            If it is too large to be held.
        """
        values = self.values[name]
        shape = (*self.shape, *values.shape[1:])
        require_room(shape, f"The table of {name!r}")
        whole = np.full(shape, np.nan if values.dtype.kind == "f" else 0, dtype=values.dtype)
        whole[self.rows, self.columns] = values
        return whole

    def take(self, rows, columns):
        """Give the cells of some rows and columns, each at most once.

        Parameters
        ----------
        rows, columns : ndarray of int
            Positions kept, in their new order.

        Returns
        -------
        Cells
        """
        row, column = (np.full(n, -1) for n in self.shape)
        row[rows], column[columns] = np.arange(len(rows)), np.arange(len(columns))
        row, column = row[self.rows], column[self.columns]
        kept = np.flatnonzero((row >= 0) & (column >= 0))
        values = {name: own[kept] for name, own in self.values.items()}
        return Cells((len(rows), len(columns)), row[kept], column[kept], values)

    def counts(self):
        """Count the cells of each column.

        Returns
        -------
        ndarray of shape (n_columns,)
        """
        return np.bincount(self.columns, minlength=self.shape[1])


class CellWriter:
    """Gathers evaluations, one after the other, as `Cells`.

    A place written twice keeps the first evaluation, unless only a later one went well.
    """

    def __init__(self):
        self._number = {}
        self._basic = {name: [] for name in (*_EMPTY, "seconds")}
        self._scores = {}

    def add(self, place, evaluation, source, machine, fold_metrics):
        """Enter an evaluation.

        Parameters
        ----------
        place : tuple of (int, int)
        evaluation : Evaluation
        source, machine : int
            Codes of who measured, and where.
        fold_metrics : collection of str
            Metrics kept fold by fold.
        """
        basic = self._basic
        number = self._number.get(place)
        if number is None:
            number = self._number[place] = len(self._number)
            for values in basic.values():
                values.append(0)
        elif not supersedes(evaluation.status, basic["status"][number]):
            return
        basic["status"][number] = int(evaluation.status)
        basic["seconds"][number] = evaluation.seconds
        basic["origin"][number], basic["machine"][number] = source, machine
        basic["seed"][number] = evaluation.seed
        if evaluation.status != Status.ok:
            return
        for metric, values in evaluation.metrics.items():
            self._enter("mean:" + metric, number, _mean(values))
            if metric in fold_metrics:
                self._enter("folds:" + metric, number, values)
        for metric, values in evaluation.outer.items():
            self._enter("outer:" + metric, number, _mean(values))

    def _enter(self, name, number, value):
        numbers, values = self._scores.setdefault(name, ([], []))
        numbers.append(number)
        values.append(value)

    def cells(self, shape):
        """Give what was gathered.

        Parameters
        ----------
        shape : tuple of (int, int)

        Returns
        -------
        Cells
            Ordered by row and column.
        """
        n = len(self._number)
        places = np.array(list(self._number), dtype=np.int64).reshape(n, 2)
        order = np.lexsort((places[:, 1], places[:, 0]))
        values = {"seconds": np.array(self._basic["seconds"], dtype=float)}
        for name, dtype in _EMPTY.items():
            values[name] = np.array(self._basic[name], dtype=dtype)
        for name, (numbers, entries) in self._scores.items():
            if name.startswith("folds:"):
                depth = max(map(len, entries))
                own = np.full((n, depth), np.nan)
                for number, folds in zip(numbers, entries, strict=True):
                    own[number, : len(folds)] = folds
            else:
                own = np.full(n, np.nan)
                own[numbers] = entries
            values[name] = own
        values = {name: own[order] for name, own in values.items()}
        return Cells(shape, places[order, 0], places[order, 1], values)


def unite(shape, first, second):
    """Put the cells of two tables into one; of a place in both the first's is kept.

    Unless only the second's went well.

    Parameters
    ----------
    shape : tuple of (int, int)
    first, second : Cells
        With rows and columns, and codes, of the united table.

    Returns
    -------
    Cells
    """
    parts = [first, second]
    keys = [own.rows.astype(np.int64) * shape[1] + own.columns for own in parts]
    _, here, there = np.intersect1d(*keys, assume_unique=True, return_indices=True)
    wins = supersedes(second.values["status"][there], first.values["status"][here])
    keep = [np.ones(len(own), dtype=bool) for own in parts]
    keep[0][here[wins]] = False
    keep[1][there[~wins]] = False
    order = np.argsort(np.concatenate([k[m] for k, m in zip(keys, keep, strict=True)]))
    values = {}
    for name in dict.fromkeys((*first.values, *second.values)):
        known = [own.values[name] for own in parts if name in own.values]
        depth = max(own.shape[1:] for own in known)
        dtype = np.result_type(*known)
        blank = np.nan if dtype.kind == "f" else 0
        pieces = []
        for own, mask in zip(parts, keep, strict=True):
            piece = np.full((int(mask.sum()), *depth), blank, dtype=dtype)
            if name in own.values:
                found = own.values[name][mask]
                piece[(slice(None), *(slice(n) for n in found.shape[1:]))] = found
            pieces.append(piece)
        values[name] = np.concatenate(pieces)[order]
    rows, columns = (
        np.concatenate([getattr(own, axis)[mask] for own, mask in zip(parts, keep, strict=True)])
        for axis in ("rows", "columns")
    )
    return Cells(shape, rows[order], columns[order], values)


def _mean(values):
    return sum(values) / len(values) if values else np.nan
