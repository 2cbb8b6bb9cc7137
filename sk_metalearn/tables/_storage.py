"""The columns of a table, whatever stores it: each as plain numpy values of a logical type.

pandas, polars, Arrow, numpy and scipy are told apart by what they offer, not by their names, so
that none of them is imported here and subclasses are read like their parents.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from ._objects import read_objects
from ._values import label, missing_mask

__all__ = ["Column", "View", "empty_column", "is_frame", "view_of"]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    type : str
        The logical type: number, boolean (1.0, 0.0), text, category, ordered, date (UTC), duration,
        mixed (numbers and text, or other objects), or empty (no value at all).
    values : ndarray of shape (n_rows,)
        float or integer numbers, dates, durations, or Python objects; for a category the codes of
        its levels. Missing: NaN, NaT, None, or the code -1.
    levels : tuple of object
        The levels of a category in their order.
    plain : bool
        Whether scikit-learn reads the column as it is stored.
    """

    type: str
    values: np.ndarray
    levels: tuple = ()
    plain: bool = field(default=False, compare=False)

    @property
    def missing(self):
        """Which rows have no value: ndarray of bool."""
        kind = self.values.dtype.kind
        if self.type == "empty":
            return np.ones(len(self.values), bool)
        if self.type in ("category", "ordered"):
            return self.values < 0
        if kind == "O":
            return missing_mask(self.values)
        if kind in "mM":
            return np.isnat(self.values)
        return np.isnan(self.values) if kind == "f" else np.zeros(len(self.values), bool)


class View:
    """The columns of a table by position.

    Parameters
    ----------
    storage : {"array", "sparse", "pandas", "polars", "arrow", "records"}
    shape : tuple of int
    names : sequence of object or None
        None where the storage has none.
    get : callable
        Gives the `Column` at a position.
    """

    def __init__(self, storage, shape, names, get):
        self.storage = storage
        self.shape = tuple(shape)
        self.names = None if names is None else list(names)
        self._get = get

    def column(self, position):
        """Read a column.

        Parameters
        ----------
        position : int

        Returns
        -------
        Column

        Raises
        ------
        ValueError
            If it holds lists, records, complex numbers or objects without a text of their own.
        """
        return self._get(position)

    def name(self, position):
        """The name of a column, or its position."""
        return position if self.names is None else self.names[position]


def empty_column(n_rows):
    """A column that holds nothing."""
    return Column("empty", np.full(n_rows, np.nan))


def is_frame(X):
    """Whether X is a dataframe of pandas or polars."""
    return hasattr(X, "columns") and hasattr(X, "dtypes")


def view_of(X):
    """View any table by its columns.

    Parameters
    ----------
    X : array-like, sparse matrix, dataframe, pyarrow.Table, dict or list of dict
        A dict is one record.

    Returns
    -------
    View

    Raises
    ------
    ValueError
        If X has not two dimensions.
    """
    if sparse.issparse(X):
        _check_two_dimensions(X.shape)
        _refuse_complex(X.dtype, "X")

        def sparse_column(j):
            return Column("number", X[:, [j]].toarray().ravel(), plain=True)

        return View("sparse", X.shape, None, sparse_column)
    if hasattr(X, "iloc") and hasattr(X, "dtypes"):
        _check_two_dimensions(X.shape)
        names = list(X.columns)
        return View("pandas", X.shape, names, lambda j: _pandas(X.iloc[:, j], names[j]))
    if hasattr(X, "get_columns") and hasattr(X, "schema"):
        columns = X.get_columns()
        return View("polars", X.shape, X.columns, lambda j: _polars(columns[j]))
    if hasattr(X, "column_names") and hasattr(X, "num_rows"):
        names = X.column_names
        return View("arrow", X.shape, names, lambda j: _arrow(X.column(j), names[j]))
    if isinstance(X, Mapping):
        return _records([X])
    if isinstance(X, list | tuple) and len(X) and all(isinstance(row, Mapping) for row in X):
        return _records(X)
    return _array_view(X)


def _array_view(X):
    X = _as_array(X)
    if X.dtype.names:
        names = list(X.dtype.names)
        shape = (len(X), len(names))
        return View("array", shape, names, lambda j: _values(X[names[j]], names[j]))
    _check_two_dimensions(X.shape)
    _refuse_complex(X.dtype, "X")
    return View("array", X.shape, None, lambda j: _values(X[:, j], j))


def _as_array(X):
    if isinstance(X, np.ma.MaskedArray):
        kind = X.dtype.kind
        return X.astype(float).filled(np.nan) if kind in "fiub" else X.astype(object).filled(None)
    try:
        array = np.asarray(X)
    except ValueError as error:
        raise ValueError(f"X cannot be read as a table with equal rows: {error}") from error
    if array.dtype.kind in "US" and isinstance(X, list | tuple):
        # Lists of numbers and text would become text throughout.
        array = np.array(X, dtype=object)
    return array


def _records(rows):
    names = list(dict.fromkeys(name for row in rows for name in row))

    def get(j):
        values = np.empty(len(rows), dtype=object)
        values[:] = [row.get(names[j]) for row in rows]
        return _values(values, names[j])

    return View("records", (len(rows), len(names)), names, get)


def _check_two_dimensions(shape):
    if len(shape) != 2:
        raise ValueError(
            f"Expected 2D array, got {'scalar' if shape == () else f'{len(shape)}D'} array "
            f"instead. Reshape your data with X.reshape(-1, 1) if it has a single feature or "
            f"X.reshape(1, -1) if it contains a single sample."
        )


def _refuse_complex(dtype, name):
    if dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} has dtype {dtype}.")


def _values(values, name):
    """A column of a numpy array."""
    kind = values.dtype.kind
    _refuse_complex(values.dtype, f"column {name!r}")
    if kind in "fiu":
        return Column("number", values, plain=True)
    if kind == "b":
        return Column("boolean", values.astype(float), plain=True)
    if kind in "mM":
        return Column("date" if kind == "M" else "duration", values)
    return Column(*read_objects(values.astype(object), name))


def _pandas(series, name):
    dtype = series.dtype
    if hasattr(dtype, "categories") and hasattr(series, "cat"):
        return _category(series.cat.codes.to_numpy(), list(dtype.categories), dtype.ordered, True)
    if isinstance(dtype, np.dtype):
        read = _values(series.to_numpy(), name)
        plain = read.plain and not (dtype.kind == "O" and read.type == "number")
        return Column(read.type, read.values, read.levels, plain)
    if hasattr(dtype, "pyarrow_dtype"):
        return _arrow(series.array.__arrow_array__(), name)
    if hasattr(dtype, "fill_value"):
        dense = _values(np.asarray(series.array), name)
        return Column(dense.type, dense.values, dense.levels)
    if getattr(dtype, "tz", None) is not None:
        return Column("date", series.to_numpy(f"M8[{series.dt.unit}]"))
    if hasattr(dtype, "freq") and hasattr(series, "dt"):
        return Column("date", series.array.to_timestamp().to_numpy())
    if dtype.kind in "fiu":
        return Column("number", series.to_numpy(np.float64, na_value=np.nan))
    if dtype.kind == "b":
        return Column("boolean", series.to_numpy(np.float64, na_value=np.nan))
    values = np.asarray(series.astype(object), dtype=object)
    read = Column(*read_objects(values, name))
    # Text whose gap is NaN is plain; pandas' own NA is not.
    plain = read.plain and str(dtype) == "str"
    return Column(read.type, read.values, read.levels, plain)


def _category(codes, levels, ordered, plain):
    levels = [value.item() if isinstance(value, np.generic) else value for value in levels]
    kind = "ordered" if ordered else "category"
    plain = plain and not ordered and all(type(value) is str for value in levels)
    return Column(kind, np.asarray(codes), tuple(map(label, levels)), plain)


def _polars(series):
    dtype = series.dtype
    name, gaps = series.name, series.null_count()
    word = str(dtype).partition("(")[0]
    if gaps == len(series) and len(series):
        return empty_column(len(series))
    if dtype.is_numeric():
        whole = dtype.is_integer() and not gaps
        values = (series if whole else series.cast(float)).to_numpy()
        return Column("number", values, plain=word != "Decimal")
    if word == "Boolean":
        return Column("boolean", series.cast(float).to_numpy(), plain=not gaps)
    if word == "Time":
        return Column("duration", series.to_physical().to_numpy().astype("m8[ns]"))
    if dtype.is_temporal():
        return Column("duration" if word == "Duration" else "date", series.to_numpy())
    values = np.empty(len(series), dtype=object)
    values[:] = series.to_list()
    read = Column(*read_objects(values, name))
    if word in ("Categorical", "Enum"):
        levels = sorted({value for value in values if value is not None})
        code = {level: i for i, level in enumerate(levels)} | {None: -1}
        codes = np.fromiter(map(code.__getitem__, values), np.int32, len(values))
        return Column("category", codes, tuple(levels), plain=not gaps)
    return Column(read.type, read.values, read.levels, read.plain and not gaps)


def _arrow(array, name):
    if hasattr(array, "combine_chunks"):
        array = array.combine_chunks()
        if hasattr(array, "num_chunks"):
            array = array.chunk(0) if array.num_chunks else array.slice(0, 0)
    word = str(array.type).partition("[")[0].partition("(")[0].partition("<")[0]
    gaps = array.null_count
    if word == "dictionary":
        codes = array.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return _category(codes, array.dictionary.to_pylist(), array.type.ordered, False)
    if gaps == len(array) and len(array):
        return empty_column(len(array))
    if word.startswith(("int", "uint", "float", "double", "halffloat", "decimal")):
        if gaps or word.startswith("decimal"):
            array = array.cast("float64", safe=False)
        return Column("number", array.to_numpy(zero_copy_only=False))
    if word == "bool":
        return Column("boolean", array.cast("uint8").cast("float64").to_numpy(zero_copy_only=False))
    if word in ("timestamp", "date32", "date64", "duration"):
        kind = "duration" if word == "duration" else "date"
        return Column(kind, array.to_numpy(zero_copy_only=False))
    values = np.empty(len(array), dtype=object)
    values[:] = array.to_pylist()
    return Column(*read_objects(values, name)[:3])
