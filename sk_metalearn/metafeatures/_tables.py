"""Reading any table: which columns are numbers, which are categories, and their values."""

import numpy as np
from scipy import sparse

from ..tables import as_text, decide, read_as, read_plan, view_of

#: A table of at most this many numbers is copied whole; a larger one is read in pieces.
_COPY_LIMIT = 4_000_000


class Table:
    """Columns of a dataset as numbers (NaN: missing) and as codes (-1: missing).

    Parameters
    ----------
    numbers : ndarray, sparse matrix or list of 1-D arrays
        The numeric columns: of shape (n_rows, n_numeric), or one array per column.
    codes : ndarray of shape (n_rows, n_categorical)
        Categories as 0 .. levels - 1 in the order of their names.
    levels : ndarray of shape (n_categorical,)
        How many categories occur in each column.
    n_rows : int
        Number of rows.
    n_dates : int
        How many of the numeric columns are dates or durations.
    order : ndarray of shape (n_numeric + n_categorical,)
        Position in the input of each numeric, then of each categorical column.
    """

    def __init__(self, numbers, codes, levels, n_rows, n_dates=0, order=None):
        self.numbers = numbers
        self.codes = codes
        self.levels = np.asarray(levels, dtype=np.int64)
        self.n_rows = n_rows
        self.n_dates = n_dates
        self.n_numeric = len(numbers) if isinstance(numbers, list) else numbers.shape[1]
        self.n_categorical = codes.shape[1]
        self.n_columns = self.n_numeric + self.n_categorical
        self.order = np.arange(self.n_columns) if order is None else np.asarray(order, dtype=int)
        self.is_sparse = sparse.issparse(numbers)

    def rows(self, rows, columns=None):
        """Return the numeric columns of some rows.

        Parameters
        ----------
        rows : slice or ndarray of int
            Which rows.
        columns : ndarray of int, default=None
            Which of the numeric columns; all if None.

        Returns
        -------
        ndarray of shape (n_chosen, n_columns)
            As float64; missing and infinite values are NaN.
        """
        if self.is_sparse:
            block = self.numbers[rows]
            block = (block if columns is None else block[:, columns]).toarray()
        elif isinstance(self.numbers, list):
            chosen = range(self.n_numeric) if columns is None else columns
            parts = [self.numbers[column][rows] for column in chosen]
            block = np.column_stack(parts) if parts else np.empty((self.n_rows, 0))[rows]
        elif columns is None:
            block = self.numbers[rows]
        elif isinstance(rows, slice):
            block = self.numbers[rows, columns]
        else:
            block = self.numbers[np.ix_(rows, columns)]
        block = block.astype(np.float64, copy=False)
        if not np.isfinite(block.sum()) and np.isinf(block).any():
            block = np.where(np.isinf(block), np.nan, block)
        return block

    def chunks(self, size=65_536):
        """Yield the numeric columns in blocks of about ``size`` numbers."""
        step = max(1, size // max(1, self.n_numeric))
        for start in range(0, self.n_rows, step):
            yield self.rows(slice(start, start + step))


def read_table(X, columns=None):
    """Sort the columns of any table into numbers and categories.

    What a column is, `sk_metalearn.tables` decides: numbers, dates (seconds since 1970), durations
    (seconds) and ordered categories are numeric; text, truth values and categories categorical.
    Columns that only name the rows count as what they are stored as, unless the user said so.

    Parameters
    ----------
    X : array-like, sparse matrix, dataframe or pyarrow.Table of shape (n_rows, n_columns)
        The data.
    columns : dict or Layout, default=None
        What is known of some columns, see `TableReader`, or what was decided of all.

    Returns
    -------
    Table
        The columns.

    Raises
    ------
    ValueError
        If ``X`` is not two-dimensional, has no rows or no columns, or a column cannot be read, or
        `columns` names one that does not exist, or leaves none.
    """
    layout = columns if columns is None or hasattr(columns, "plans") else decide(X, columns)
    if sparse.issparse(X):
        _check_shape(X.shape)
        if X.dtype.kind == "c":
            raise ValueError(f"Complex data not supported: X has dtype {X.dtype}.")
        return Table(X.tocsr(), _no_codes(X.shape[0]), [], X.shape[0])
    view = view_of(X)
    _check_shape(view.shape)
    said = layout is not None and any(plan.said for plan in layout.plans)
    numbers = None if said else _only_numbers(X, view)
    if numbers is not None:
        return Table(numbers, _no_codes(len(numbers)), [], len(numbers))
    layout = decide(X) if layout is None else layout
    used = [j for j, own in enumerate(layout.plans) if not (own.said and own.role == "ignore")]
    if not used:
        raise ValueError(f"columns={columns!r} leaves no column to measure.")
    pairs = (_read_column(view.column(j), layout.plans[j]) for j in used)
    table = _read_columns(pairs, view.shape)
    table.order = np.array(used)[table.order]
    return table


def _only_numbers(X, view):
    """The data as one array where they are nothing but numbers of one type."""
    if view.storage == "array" and view.names is None:
        array = np.asarray(X)
        return array if array.dtype.kind in "fiu" and not np.ma.isMaskedArray(X) else None
    if view.storage != "pandas" or view.shape[0] * view.shape[1] > _COPY_LIMIT:
        return None
    kinds = set(X.dtypes)
    dtype = next(iter(kinds))
    plain = len(kinds) == 1 and isinstance(dtype, np.dtype) and dtype.kind == "f"
    return X.to_numpy() if plain else None


def _read_columns(columns, shape):
    """Gather (kind, values) pairs, kind being "number", "date" or "category"."""
    numbers, codes, levels, n_dates, numeric, categorical = [], [], [], 0, [], []
    for position, (kind, values) in enumerate(columns):
        if kind == "category":
            codes.append(values[0])
            levels.append(values[1])
            categorical.append(position)
        else:
            numbers.append(values)
            numeric.append(position)
            n_dates += kind == "date"
    if sum(column.size for column in numbers) <= _COPY_LIMIT:
        numbers = (
            np.column_stack([np.asarray(column, dtype=np.float64) for column in numbers])
            if numbers
            else np.empty((shape[0], 0))
        )
    codes = np.asfortranarray(np.column_stack(codes)) if codes else _no_codes(shape[0])
    return Table(numbers, codes, levels, shape[0], n_dates, numeric + categorical)


def _read_column(column, plan):
    """Give a column as numbers or as codes and their count."""
    if column.type == "empty":
        return "number", column.values
    role = plan.role
    if role == "ignore":
        role = "number" if column.type == "number" else "category"
    if role in ("date", "duration"):
        values = read_as(column, role)[0]
        return "date", _seconds(values) if role == "date" else values * 86_400
    if role == "ordered":
        return "number", read_plan(column, plan)[0]
    if role == "number":
        if column.type == "number":
            return "number", column.values
        return "number", read_as(column, "number")[0]
    return "category", _codes(column)


def _codes(column):
    """Codes of the levels that occur, in the order of their text, and how many there are."""
    if column.type in ("category", "ordered"):
        return _sort_codes(column.values, column.levels)
    if column.type == "boolean":
        codes = np.where(np.isnan(column.values), -1, column.values).astype(np.int32)
        return _sort_codes(codes, ["False", "True"])
    texts = as_text(column)
    unique = {name: code for code, name in enumerate(sorted({t for t in texts if t is not None}))}
    unique[None] = -1
    return np.fromiter(map(unique.__getitem__, texts), np.int32, len(texts)), len(unique) - 1


def _seconds(dates):
    """Seconds since 1970 as float64; NaN where the date is missing."""
    return (dates - np.datetime64(0, "s")) / np.timedelta64(1, "s")


def _sort_codes(codes, names):
    """Renumber codes so that they follow the sorted names of the categories that occur."""
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    present = sorted(np.flatnonzero(counts), key=lambda code: names[code])
    renumber = np.full(len(names) + 1, -1, dtype=np.int32)
    renumber[present] = np.arange(len(present), dtype=np.int32)
    return renumber[codes], len(present)


def _no_codes(n_rows):
    return np.empty((n_rows, 0), dtype=np.int32)


def _check_shape(shape):
    if shape[0] < 1:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={tuple(shape)}) while a minimum of 1 is required."
        )
    if shape[1] < 1:
        raise ValueError(
            f"Found array with 0 feature(s) (shape={tuple(shape)}) while a minimum of 1 is "
            f"required."
        )
