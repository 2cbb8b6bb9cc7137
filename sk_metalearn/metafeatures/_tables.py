"""Reading any table: which columns are numbers, which are categories, and their values."""

import numpy as np
from scipy import sparse

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


def read_table(X):
    """Sort the columns of any table into numbers and categories.

    Parameters
    ----------
    X : array-like, sparse matrix or dataframe of shape (n_rows, n_columns)
        pandas and polars frames keep their dtypes: booleans, strings and categories are
        categorical; numbers, dates (seconds since 1970) and durations (seconds) are numeric. A
        column of an object array is numeric if every value is a number.

    Returns
    -------
    Table
        The columns.

    Raises
    ------
    ValueError
        If ``X`` is not two-dimensional, is complex, or has no rows or no columns.
    TypeError
        If a column holds values that are neither numbers nor categories.
    """
    if sparse.issparse(X):
        _check_shape(X)
        if X.dtype.kind == "c":
            raise ValueError(f"Complex data not supported: X has dtype {X.dtype}.")
        numbers = X.tocsr()
        return Table(numbers, _no_codes(X.shape[0]), [], X.shape[0])
    if hasattr(X, "iloc") and hasattr(X, "dtypes"):
        return _read_pandas(X)
    if hasattr(X, "get_columns") and hasattr(X, "schema"):
        _check_shape(X)
        return _read_columns(map(_polars_column, X.get_columns()), X.shape)
    return _read_array(X)


def _read_array(X):
    try:
        array = np.asarray(X)
    except ValueError as error:
        raise ValueError(f"X cannot be read as a table with equal rows: {error}") from error
    if array.dtype.kind in "US" and isinstance(X, list | tuple):
        array = np.array(X, dtype=object)
    _check_shape(array)
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: X has dtype {array.dtype}.")
    if array.dtype.kind in "fiu":
        return Table(array, _no_codes(len(array)), [], len(array))
    return _read_columns((read_column(array[:, j]) for j in range(array.shape[1])), array.shape)


def _read_pandas(X):
    _check_shape(X)
    kinds = set(X.dtypes)
    plain = [dtype for dtype in kinds if isinstance(dtype, np.dtype) and dtype.kind in "fiu"]
    if len(plain) == len(kinds) == 1 and X.shape[0] * X.shape[1] <= _COPY_LIMIT:
        numbers = X.to_numpy()
        return Table(numbers, _no_codes(len(numbers)), [], len(numbers))
    columns = (_pandas_column(X.iloc[:, j]) for j in range(X.shape[1]))
    return _read_columns(columns, X.shape)


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


def _pandas_column(series):
    dtype = series.dtype
    kind = getattr(dtype, "kind", "O")
    if hasattr(series, "cat") and hasattr(dtype, "categories"):
        codes = np.asarray(series.cat.codes)
        return "category", _sort_codes(codes, [str(name) for name in dtype.categories])
    if kind in "fiu":
        if isinstance(dtype, np.dtype):
            return "number", series.to_numpy()
        return "number", series.to_numpy(np.float64, na_value=np.nan)
    if kind == "b":
        missing = np.asarray(series.isna())
        values = np.asarray(series.astype(object))
        codes = np.where(
            missing, -1, np.where(missing, False, values).astype(bool).astype(np.int32)
        )
        return "category", _sort_codes(codes, ["False", "True"])
    if kind in "mM":
        return "date", _dates(np.asarray(series.to_numpy(f"{kind}8[ns]")))
    if kind == "c":
        raise ValueError(f"Complex data not supported: column {series.name!r} has dtype {dtype}.")
    return read_column(np.asarray(series.astype(object)), series.name)


def _polars_column(series):
    dtype = series.dtype
    if dtype.is_numeric():
        return "number", series.cast(float).to_numpy()
    if str(dtype) == "Time":
        return "date", series.to_physical().cast(float).to_numpy() / 1e9
    if dtype.is_temporal():
        return "date", _dates(series.to_numpy())
    values = np.empty(len(series), dtype=object)
    values[:] = series.to_list()
    return read_column(values, series.name, numeric=False)


def read_column(values, name=None, numeric=True):
    """Read one column of an object, string, boolean or date array."""
    kind = values.dtype.kind
    if kind in "mM":
        return "date", _dates(values)
    if kind == "b":
        return "category", _sort_codes(values.astype(np.int32), ["False", "True"])
    if kind in "fiu":
        return "number", values
    values = values.astype(object)
    missing = np.fromiter((is_missing(value) for value in values), dtype=bool, count=len(values))
    present = values[~missing]
    types = {type(value) for value in present}
    if any(issubclass(t, complex | np.complexfloating) for t in types):
        raise ValueError(f"Complex data not supported: column {name!r} holds complex numbers.")
    if any(issubclass(t, dict | list | set | tuple | np.ndarray) for t in types):
        example = next(v for v in present if isinstance(v, dict | list | set | tuple | np.ndarray))
        raise TypeError(
            f"argument must be a string or a real number in every cell of X, got a "
            f"{type(example).__name__} in column {name!r}: {example!r:.60}"
        )
    if numeric and all(_is_number(t) for t in types):
        numbers = np.full(len(values), np.nan)
        numbers[~missing] = present.astype(np.float64)
        return "number", numbers
    if types and all(issubclass(t, np.datetime64) or hasattr(t, "toordinal") for t in types):
        dates = np.full(len(values), np.datetime64("NaT"), dtype="M8[us]")
        dates[~missing] = [np.datetime64(value).astype("M8[us]") for value in present]
        return "date", _dates(dates)
    names = [str(value) for value in present]
    unique = {name: code for code, name in enumerate(sorted(set(names)))}
    codes = np.full(len(values), -1, dtype=np.int32)
    codes[~missing] = np.fromiter((unique[name] for name in names), np.int32, len(names))
    return "category", (codes, len(unique))


def _is_number(t):
    return issubclass(t, int | float | np.number) and not issubclass(t, bool | np.bool_)


def is_pandas_na(value):
    return type(value).__name__ == "NAType"


def is_missing(value):
    # NaN and NaT differ from themselves; pandas' NA refuses to be compared as a boolean
    return value is None or (not isinstance(value, str) and (is_pandas_na(value) or value != value))


def _dates(values):
    """Seconds since 1970, or of a duration, as float64; NaN where the value is missing."""
    unit = np.timedelta64(1, "s")
    origin = np.datetime64(0, "s") if values.dtype.kind == "M" else np.timedelta64(0, "s")
    return (values - origin) / unit


def _sort_codes(codes, names):
    """Renumber codes so that they follow the sorted names of the categories that occur."""
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    present = sorted(np.flatnonzero(counts), key=lambda code: names[code])
    renumber = np.full(len(names) + 1, -1, dtype=np.int32)
    renumber[present] = np.arange(len(present), dtype=np.int32)
    return renumber[codes], len(present)


def _no_codes(n_rows):
    return np.empty((n_rows, 0), dtype=np.int32)


def _check_shape(X):
    shape = getattr(X, "shape", None)
    if shape is None or len(shape) != 2:
        raise ValueError(
            f"Expected 2D array, got {'scalar' if shape == () else f'{len(shape or ())}D'} array "
            f"instead. Reshape your data with X.reshape(-1, 1) if it has a single feature or "
            f"X.reshape(1, -1) if it contains a single sample."
        )
    if shape[0] < 1:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={tuple(shape)}) while a minimum of 1 is required."
        )
    if shape[1] < 1:
        raise ValueError(
            f"Found array with 0 feature(s) (shape={tuple(shape)}) while a minimum of 1 is "
            f"required."
        )
