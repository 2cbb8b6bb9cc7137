"""One dataset under measurement: its columns, its target, and which rows are read for what."""

import time

import numpy as np

from ..tables import is_missing, target_values
from ._kind import check_kind
from ._registry import COSTS, NotComputable, intermediate
from ._sample import column_fingerprints, priorities, row_fingerprints, spread_sample
from ._tables import read_table

#: About how many numbers a sample of all columns may hold, but at least some rows are read.
_SAMPLE_NUMBERS = 4_000_000
_FEWEST_ROWS = 200
#: Above this many rows (and numbers) rows are thinned by position before their content is read.
_CONTENT_ROWS = 100_000


class Task:
    """A table and its target, with everything computed from them so far.

    Parameters
    ----------
    X : array-like, sparse matrix or dataframe of shape (n_rows, n_columns)
        The data.
    y : array-like of shape (n_rows,) or None
        The target.
    kind : {"classification", "regression"} or None
        Kind of task; None to tell it from ``y``, see `tell_kind`.
    fidelity : {"sampled", "full", "exact"}
        Which rows are read, see `MetaFeatureExtractor`.
    seed : int
        Seed of everything that is random.
    deadline : float
        Value of ``time.perf_counter()`` after which nothing is begun.
    limit : str
        The time limit in words, for the reasons.
    columns : dict or Layout, default=None
        What is known of some columns, see `read_table`.
    """

    def __init__(self, X, y, kind, fidelity, seed, deadline=np.inf, limit="", columns=None):
        self.table = read_table(X, columns)
        self.kind = check_kind(y, kind)
        self.fidelity = fidelity
        self.seed = seed
        self.deadline = deadline
        self.limit = limit
        self.memo = {}
        self.n_rows = self.table.n_rows
        self.n_columns = self.table.n_columns
        if self.n_rows < 2:
            raise ValueError(
                f"Found array with {self.n_rows} sample(s) (shape=({self.n_rows}, "
                f"{self.n_columns})) while a minimum of 2 is required."
            )
        self.y, self.n_classes = _read_target(y, self.kind, self.n_rows)

    @property
    def exact(self):
        """Whether published procedures are followed to the letter."""
        return self.fidelity == "exact"

    def check_time(self):
        """Raise `NotComputable` once the time is up."""
        if time.perf_counter() > self.deadline:
            raise NotComputable(f"the time limit of {self.limit} was reached")

    def rows(self, cost):
        """Return the rows that a cost class reads, as positions or as a slice.

        Parameters
        ----------
        cost : str
            A key of ``COSTS``.

        Returns
        -------
        slice or ndarray of int
            A slice if all rows are read, in the order of the data.
        """
        if self.fidelity != "sampled" or self.n_rows <= self._most_rows(cost):
            return slice(None)
        return self.arranged(cost)

    def arranged(self, cost):
        """Return the rows that a cost class reads, in an order set by their content.

        With ``fidelity="exact"`` it is the order of the data. The cost class "probe" reads few
        rows whatever the fidelity.

        Parameters
        ----------
        cost : str
            A key of ``COSTS``.

        Returns
        -------
        ndarray of int
            Positions of rows.
        """
        if self.exact and cost != "probe":
            return np.arange(self.n_rows)
        rows, priority = content_order(self)
        most = self._most_rows(cost)
        if self.fidelity == "full" and cost != "probe":
            most = self.n_rows
            if len(rows) < self.n_rows:
                return np.random.default_rng(self.seed).permutation(self.n_rows)
        if len(rows) <= most:
            return rows[np.argsort(priority, kind="stable")]
        target = np.zeros(len(rows)) if self.y is None else self.y[rows]
        return rows[spread_sample(target, most, priority)]

    def _most_rows(self, cost):
        most = COSTS[cost]
        if cost == "order":
            return min(most, max(_FEWEST_ROWS, _SAMPLE_NUMBERS // self.n_columns))
        return self.n_rows if most is None else most


@intermediate
def content_order(task):
    """Rows whose content was read, and the priority that the content gives them."""
    return content_rows(task), priorities(row_hashes(task))


@intermediate
def row_hashes(task):
    """Hashes of the rows in `content_rows`."""
    y = np.zeros(task.n_rows) if task.y is None else task.y
    return row_fingerprints(*_content(task), y[content_rows(task)], task.seed)


@intermediate
def column_hashes(task):
    """Hashes of all columns: numeric, then categorical."""
    return column_fingerprints(*_content(task), row_hashes(task))


def _content(task):
    rows = content_rows(task)
    if len(rows) == task.n_rows:
        rows = slice(None)
    return task.table.rows(rows), task.table.codes[rows]


@intermediate
def content_rows(task):
    """Positions of the rows whose content is read; all of them unless there are very many."""
    fewest = min(5 * _FEWEST_ROWS, 10_000_000 // task.n_columns)
    most = min(_CONTENT_ROWS, max(fewest, _FEWEST_ROWS, _SAMPLE_NUMBERS // task.n_columns))
    if task.n_rows <= most:
        return np.arange(task.n_rows)
    rng = np.random.default_rng(task.seed)
    return np.sort(rng.choice(task.n_rows, most, replace=False, shuffle=False))


def _read_target(y, kind, n_rows):
    """Return the target as numbers (codes of the classes in sorted order) and the class count."""
    if y is None:
        return None, 0
    values = target_values(y)
    if len(values) != n_rows:
        raise ValueError(f"X and y have inconsistent numbers of rows: {n_rows} and {len(values)}.")
    missing = values.dtype.kind == "O" and any(map(is_missing, values))
    if kind == "regression" and not missing:
        values = values.astype(np.float64)
    if missing or (values.dtype.kind == "f" and not np.isfinite(values).all()):
        raise ValueError(
            "Input y contains NaN, infinity or other missing values; drop these rows first."
        )
    if kind == "regression":
        return values, 0
    if values.dtype.kind == "O" and len({type(value) for value in values}) > 1:
        values = values.astype(str)
    classes, codes = np.unique(values, return_inverse=True)
    return codes.astype(np.float64), len(classes)
