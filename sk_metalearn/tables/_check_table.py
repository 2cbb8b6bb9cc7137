"""Any table a user may have, checked before a model meets it; its values never change."""

import importlib.util
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from ..exceptions import FallbackWarning, TableError, warn_user
from ._decide import UNREAD_DATES, decide
from ._objects import read_objects
from ._reader import find_columns, misspelt_names, read_columns
from ._storage import is_frame, view_of
from ._values import is_pandas_na

__all__ = [
    "check_all_columns",
    "check_columns",
    "check_new_rows",
    "check_rows",
    "check_table",
    "conform",
]

# So many columns that nobody asked for are named.
_N_NAMED = 5


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
    return X


def check_columns(X, columns=None):
    """Decide what the columns of a checked table are, and say which of them no model meets.

    Parameters
    ----------
    X : ndarray, sparse matrix or dataframe
        Of `check_table`.
    columns : dict or None, default=None
        What the user knows of some columns, see `TableReader`.

    Returns
    -------
    Layout

    Raises
    ------
    ValueError
        If `columns` names a column or a role that does not exist, or leaves no column.

    Warns
    -----
    FallbackWarning
        If columns are left out that `columns` does not name, or hold dates that are not read.
    """
    layout = decide(X, columns)
    if all(plan.role == "ignore" for plan in layout.plans):
        raise ValueError(
            f"No column of X is left to learn from: columns={columns!r} leaves out all that hold a "
            "value. Give one of them another role."
        )
    reasons = {}
    for plan in layout.plans:
        if plan.role == "ignore" and plan.name not in (columns or {}):
            reasons.setdefault(plan.why, []).append(plan.name)
    if reasons:
        told = "; ".join(f"{names} ({why})" for why, names in reasons.items())
        warn_user(
            f"Columns of X are left out: {told}. To keep one give its role, such as "
            "columns={name: 'category'}; with 'ignore' nothing is said.",
            FallbackWarning,
        )
    unread = [own.name for own in layout.plans if own.why.startswith(UNREAD_DATES)]
    if unread:
        warn_user(
            f"The columns {unread} of X hold dates in a form that is not read as dates. Turn them "
            "into dates, by pandas.to_datetime or as 2024-01-31; where their role is given, such "
            "as columns={name: 'category'}, nothing is said.",
            FallbackWarning,
        )
    return layout


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
    records = _records_of(X) is not None
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
    if column.type == "boolean":
        known = np.nan_to_num(column.values, nan=0).astype(bool)
        return np.where(column.missing, None, known) if column.missing.any() else known
    return column.values


def check_rows(X, estimator, text=None):
    """Check rows.

    Parameters
    ----------
    X : array-like, sparse matrix, dataframe, pyarrow.Table, dict or list of dict
        Of shape (n_rows, n_columns).
    estimator : estimator
        Named in messages.
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
        If X is no table, or holds text where `fit` met numbers.
    """
    X = as_frame_or_array(X)
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


def check_new_rows(X, layout, estimator):
    """Check rows to predict, of any storage, and give them as those of `fit` were.

    Parameters
    ----------
    X : array-like, sparse matrix, dataframe, pyarrow.Table, dict or list of dict
        Of shape (n_rows, n_columns). Columns with names may stand in any order, and among others.
    layout : Layout
        Of the rows of `fit`.
    estimator : estimator
        Named in messages.

    Returns
    -------
    ndarray, sparse matrix or dataframe

    Raises
    ------
    ValueError
        If X is no table, or a column is missing, cannot be read, or holds infinity.

    Warns
    -----
    FallbackWarning
        If X has columns with names that `fit` has not seen.
    """
    records = _records_of(X)
    if layout.names is not None:
        if records is not None:
            X = _completed(records, layout)
        X = as_frame_or_array(X)
        rows = conform(X, layout)
        _warn_of_further(X, layout)
        return rows
    rows, text = _rows_without_names(X, layout, estimator)
    if is_frame(rows) and not text:
        # Frames hold numbers in many ways, arrays in one.
        return np.column_stack([np.asarray(v, float) for v in _all_columns(rows, layout)])
    return rows


def _rows_without_names(X, layout, estimator):
    """Rows by position, checked, and whether those of `fit` held anything but numbers."""
    text = any(plan.type not in ("number", "empty") for plan in layout.plans)
    rows = check_rows(X, estimator, text)
    validate_data(estimator, rows, reset=False, skip_check_array=True)
    return rows, text


def check_all_columns(X, layout, estimator):
    """Check rows for steps that may look at every column, and give these as they were in `fit`.

    Parameters
    ----------
    X : array-like, sparse matrix, dataframe, pyarrow.Table, dict or list of dict
        Of shape (n_rows, n_columns). Columns with names may stand in any order, and among others.
    layout : Layout
        Of the rows of `fit`.
    estimator : estimator
        Named in messages.

    Returns
    -------
    ndarray, sparse matrix or dataframe
        The columns of `fit` in its order, with the values that X holds.

    Raises
    ------
    ValueError
        If X is no table, or a column is missing, also one that no model of ours would meet.
    """
    every = replace(layout, plans=tuple(replace(own, role="text") for own in layout.plans))
    records = _records_of(X)
    if layout.names is None:
        rows, _ = _rows_without_names(X, layout, estimator)
        return rows.to_numpy() if is_frame(rows) else rows
    if records is not None:
        X = _completed(records, every)
    X = as_frame_or_array(X)
    view = view_of(X)
    places = find_columns(view, every)
    _warn_of_further(X, layout)
    if layout.storage == "polars":
        import polars as pl

        if isinstance(X, pl.DataFrame):
            return X[:, places]
        values = {
            own.name: _objects(view.column(i)) for own, i in zip(every.plans, places, strict=True)
        }
        return pl.DataFrame({name: own.tolist() for name, own in values.items()})
    import pandas as pd

    if hasattr(X, "iloc"):
        return X.iloc[:, places]
    columns = [pd.Series(_objects(view.column(i))) for i in places]
    return pd.concat(columns, axis=1).set_axis(layout.names, axis=1)


def _warn_of_further(X, layout):
    """Name the columns that no model looks at, as `fit` has not seen them."""
    seen = set(layout.names)
    further = [name for name in view_of(X).names or () if name not in seen]
    if further:
        named = ", ".join(map(repr, further[:_N_NAMED]))
        rest = f" and {len(further) - _N_NAMED} more" if len(further) > _N_NAMED else ""
        warn_user(
            f"Columns of X that fit has not seen are not looked at: {named}{rest}. Without them "
            "nothing is said.",
            FallbackWarning,
        )


def _all_columns(X, layout):
    """The columns of a layout without names, those that no model meets as gaps."""
    read = read_columns(X, layout)
    for plan in layout.plans:
        yield np.full(X.shape[0], np.nan) if plan.role == "ignore" else next(read)


def _records_of(X):
    """The records that X consists of; None where it does not."""
    if sparse.issparse(X):
        # Some sparse matrices are dicts.
        return None
    if isinstance(X, Mapping):
        return [X]
    if isinstance(X, list | tuple) and len(X) and all(isinstance(row, Mapping) for row in X):
        return list(X)
    return None


def _completed(records, layout):
    """Records with a gap for whatever they do not tell."""
    used = [plan.name for plan in layout.plans if plan.role != "ignore"]
    if not any(name in row for row in records for name in used):
        raise ValueError(f"X holds records of {list(records[0])}; fit has seen the columns {used}.")
    told = {name for row in records for name in row}
    for name, meant in misspelt_names(told, layout).items():
        raise ValueError(
            f"X holds {name!r}, which fit has not seen, and no {meant!r}. Spell it as it was then; "
            "or leave it out, if the value is not known."
        )
    return [{**dict.fromkeys(used), **row} for row in records]


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
    # Truth values are categories, as in any other storage.
    if not must and any(isinstance(value, str | bool | np.bool_) for value in X.ravel()):
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
        used = [(i, plan) for i, plan in enumerate(layout.plans) if plan.role != "ignore"]
        if all(_is_as_planned(view.column(i), plan) for i, plan in used):
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

        made = []
        for plan, values in zip(layout.plans, columns, strict=True):
            known = [None if v != v else v for v in values]
            void = values.dtype == object and all(v is None for v in known)
            made.append(pl.Series(plan.name, known, dtype=pl.String if void else None))
        return pl.DataFrame(made)
    import pandas as pd

    index = X.index if hasattr(X, "iloc") else range(view.shape[0])
    frame = pd.concat(
        [pd.Series(values, index=index, dtype=values.dtype) for values in columns], axis=1
    )
    return frame.set_axis(layout.names, axis=1)


def _is_as_planned(column, plan):
    return column.plain and column.type == plan.type
