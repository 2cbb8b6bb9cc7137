"""Any table a user may have, checked before a model meets it; its values never change."""

import importlib.util
import warnings
from collections.abc import Mapping

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from ..exceptions import FallbackWarning, TableError
from ._objects import read_objects
from ._reader import find_columns, read_columns
from ._storage import is_frame, view_of
from ._values import is_pandas_na

__all__ = ["check_rows", "check_table", "conform"]


def check_table(X, estimator):
    """Check a table without changing what a dataframe holds.

    Parameters
    ----------
    X : array-like, sparse matrix, dataframe, pyarrow.Table or list of dict
        Of shape (n_rows, n_columns).
    estimator : estimator
        Named in messages.

    Returns
    -------
    ndarray, sparse matrix or dataframe
        A dataframe as it is, an Arrow table as a dataframe, anything else as an array; missing
        values are allowed.

    Raises
    ------
    ValueError
        If X is no table, is empty, holds nothing at all, or a column of it holds infinities, lists,
        records or complex numbers; the columns are named.

    Warns
    -----
    FallbackWarning
        If a column holds no value: no model meets it.
    """
    name = type(estimator).__name__
    X = as_frame_or_array(X)
    if is_frame(X):
        if 0 in X.shape:
            raise ValueError(
                f"Found array with {X.shape[0]} sample(s) and {X.shape[1]} feature(s) "
                f"(shape={tuple(X.shape)}) while a minimum of 1 is required by {name}."
            )
        infinite, empty = _look_at(view_of(X), name)
    else:
        X = check_rows(X, estimator)
        infinite, empty = [], []
        if X.dtype.kind == "f":
            empty = _odd_columns(X)[1]
        elif X.dtype.kind == "O":
            infinite, empty = _look_at(view_of(X), name)
    if infinite:
        raise ValueError(
            f"Input X contains infinity in the columns {infinite}. {name} takes finite "
            "numbers and missing values; replace infinities by one of these."
        )
    if empty and len(empty) == X.shape[1]:
        raise ValueError(
            f"The columns {empty} of X hold no value at all, only missing ones, and X has no "
            f"others. {name} needs a column with values."
        )
    if empty:
        warnings.warn(
            f"The columns {empty} of X hold no value at all, only missing ones; they are left out.",
            FallbackWarning,
        )
    return X


def _look_at(view, estimator_name):
    """Names of the columns with infinities and of those without any value."""
    infinite, empty, refused = [], [], []
    for j in range(view.shape[1]):
        try:
            column = view.column(j)
        except ValueError:
            refused.append(view.name(j))
            continue
        if column.type == "empty" or (column.type != "number" and column.missing.all()):
            empty.append(view.name(j))
        elif column.type == "number" and column.values.dtype.kind == "f":
            # A sum tells of both at once; it may overflow without either.
            with np.errstate(over="ignore", invalid="ignore"):
                odd = not np.isfinite(column.values.sum())
            if odd and np.isinf(column.values).any():
                infinite.append(view.name(j))
            elif odd and np.isnan(column.values).all():
                empty.append(view.name(j))
    if refused:
        raise TableError(
            f"The columns {refused} of X hold complex numbers, lists, records or objects. "
            f"{estimator_name} takes numbers, text, categories, booleans, dates and durations; "
            "turn them into such columns or drop them."
        )
    return infinite, empty


def as_frame_or_array(X):
    """Give Arrow tables, records and structured arrays as a frame, or as an array of objects.

    Parameters
    ----------
    X : object

    Returns
    -------
    object
        Anything else as it is.
    """
    records = isinstance(X, Mapping) or (
        isinstance(X, list | tuple) and len(X) and all(isinstance(row, Mapping) for row in X)
    )
    arrow = hasattr(X, "column_names") and hasattr(X, "num_rows")
    structured = isinstance(X, np.ndarray) and X.dtype.names
    if not records and not arrow and not structured:
        return X
    view = view_of(X)
    if arrow and importlib.util.find_spec("pandas"):
        import pandas as pd

        return X.to_pandas(types_mapper=pd.ArrowDtype)
    if arrow and importlib.util.find_spec("polars"):
        import polars as pl

        return pl.from_arrow(X)
    columns = [_objects(view.column(j)) for j in range(view.shape[1])]
    if importlib.util.find_spec("pandas"):
        import pandas as pd

        frame = pd.concat([pd.Series(values) for values in columns], axis=1)
        return frame.set_axis(view.names, axis=1)
    return np.column_stack([values.astype(object) for values in columns])


def _objects(column):
    if column.type in ("category", "ordered"):
        return np.array([*column.levels, None], dtype=object)[column.values]
    return column.values


def check_rows(X, estimator, text=None):
    """Check rows.

    Parameters
    ----------
    X : array-like, sparse matrix, dataframe, pyarrow.Table, dict or list of dict
        Of shape (n_rows, n_columns).
    estimator : estimator
        Named in messages. Rows of another order or storage than those it was fitted on come in
        that order.
    text : bool, optional
        Whether the rows of `fit` held anything but numbers; None for these themselves.

    Returns
    -------
    ndarray, sparse matrix or dataframe
        A dataframe as it is, anything else as an array: of numbers if `text` is False, of objects
        if True, of numbers where possible if None.

    Raises
    ------
    ValueError
        If X is no table, lacks a column, or holds text where `fit` met numbers.
    """
    X = as_frame_or_array(X)
    names = None if text is None else getattr(estimator, "feature_names_in_", None)
    if names is not None and not sparse.issparse(X):
        X = _named(X, list(names))
    if is_frame(X):
        return X
    if not sparse.issparse(X) and (text or np.asarray(X).dtype.kind in "OUS"):
        X = check_array(
            _keep_text(X),
            dtype=object,
            ensure_all_finite=False,
            input_name="X",
            estimator=estimator,
        )
        boxed = np.frompyfunc(is_pandas_na, 1, 1)(X)
        X = np.where(boxed.astype(bool), np.nan, X)
        if not text:
            X = _to_numbers(X, estimator, must=text is False)
        if X.dtype == object:
            return X
    X = check_array(
        _narrow(X),
        accept_sparse="csr",
        accept_large_sparse=False,
        dtype=None,
        ensure_all_finite=False,
        input_name="X",
        estimator=estimator,
    )
    infinite = _odd_columns(X)[0]
    if infinite:
        raise ValueError(
            f"Input X contains infinity in the columns {infinite}. "
            f"{type(estimator).__name__} takes finite numbers and missing values; replace "
            "infinities by one of these."
        )
    return X


def _odd_columns(X):
    """Positions of the columns with infinities, and of those without any value, in one pass."""
    if X.dtype.kind != "f":
        return [], []
    if sparse.issparse(X):
        infinite = np.isinf(X.data)
        return sorted(set(X.indices[infinite].tolist())), []
    # A sum tells of both at once; it may overflow without either.
    with np.errstate(over="ignore", invalid="ignore"):
        odd = np.flatnonzero(~np.isfinite(X.sum(axis=0)))
    infinite = [int(j) for j in odd if np.isinf(X[:, j]).any()]
    return infinite, [int(j) for j in odd if np.isnan(X[:, j]).all()]


def _keep_text(X):
    """Lists of text and numbers as objects, so that the numbers do not become text."""
    if isinstance(X, list | tuple) and np.asarray(X).dtype.kind in "US":
        return np.array(X, dtype=object)
    return X


def _narrow(X):
    """A sparse matrix whose indices have 64 bits without need."""
    if not sparse.issparse(X) or X.format not in ("csr", "csc", "bsr"):
        return X
    if X.indices.dtype != np.int64 or max(X.shape[0], X.shape[1], X.nnz) >= 2**31:
        return X
    parts = (X.data, X.indices.astype(np.int32), X.indptr.astype(np.int32))
    return type(X)(parts, shape=X.shape)


def _to_numbers(X, estimator, must):
    """Give an array of numbers where an object array holds nothing else."""
    if not must and any(isinstance(value, str) for value in X.ravel()):
        for j in range(X.shape[1]):
            read_objects(X[:, j], j)
        return X
    try:
        return X.astype(np.float64)
    except (TypeError, ValueError) as error:
        if must:
            raise ValueError(
                f"X holds more than the numbers that this {type(estimator).__name__} was fitted "
                f"on: {error}. Give numbers or missing values, or fit on such rows too."
            ) from error
        for j in range(X.shape[1]):
            read_objects(X[:, j], j)
        return X


def _named(X, names):
    """Rows under the names of `fit`, in its order."""
    if not is_frame(X):
        array = np.asarray(X)
        if array.ndim != 2 or array.shape[1] != len(names):
            return X
        if importlib.util.find_spec("pandas"):
            import pandas as pd

            columns = {name: _plain(array[:, j]) for j, name in enumerate(names)}
            return pd.DataFrame(columns)
        if importlib.util.find_spec("polars"):
            import polars as pl

            columns = {name: _plain(array[:, j]).tolist() for j, name in enumerate(names)}
            return pl.DataFrame(columns, strict=False)
        return X
    found = list(X.columns)
    if found == names or len(set(found)) < len(found):
        return X
    gone = [name for name in names if name not in set(found)]
    if gone:
        raise ValueError(
            f"X lacks the columns {gone} that were seen in fit. Give them, with missing values "
            "where nothing is known."
        )
    return X[names]


def _plain(values):
    """A column of an array of objects with the type of its values."""
    if values.dtype != object:
        return values
    kind, read, _, _ = read_objects(values, "X")
    return values if kind in ("mixed", "text", "boolean") else read


def conform(X, layout):
    """Give rows in the storage that a model without a reading step was fitted on.

    Parameters
    ----------
    X : array-like, sparse matrix, dataframe, pyarrow.Table, dict or list of dict
        Columns with names may stand in any order, and among others.
    layout : Layout
        Of the rows of `fit`.

    Returns
    -------
    object
        X itself where it is as it was in `fit`, or where the model reads any table.

    Raises
    ------
    ValueError
        If a column is missing, cannot be read, or holds infinity; it is named.
    """
    view = view_of(X)
    places = find_columns(view, layout)
    if not layout.plain or layout.names is None:
        return X
    if view.storage == layout.storage and places == list(range(view.shape[1])):
        used = [i for i, plan in enumerate(layout.plans) if plan.role != "ignore"]
        if all(view.column(i).plain for i in used):
            return X
    columns, read = [], read_columns(X, layout)
    for plan in layout.plans:
        if plan.role == "ignore":
            columns.append(np.full(view.shape[0], np.nan))
            continue
        values = next(read)
        if plan.type == "boolean":
            truth = {"True": True, "False": False}
            values = np.array([truth.get(value, value) for value in values], dtype=object)
        columns.append(values)
    if layout.storage == "polars":
        import polars as pl

        texts = [[None if v != v else v for v in values] for values in columns]
        return pl.DataFrame(
            [pl.Series(p.name, t) for p, t in zip(layout.plans, texts, strict=True)]
        )
    import pandas as pd

    index = X.index if hasattr(X, "iloc") else range(view.shape[0])
    frame = pd.concat([pd.Series(values, index=index) for values in columns], axis=1)
    return frame.set_axis(layout.names, axis=1)
