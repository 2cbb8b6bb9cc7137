"""What a pipeline must know of a table before it can be built: the roles of its columns."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ..exceptions import SpaceError
from ..metafeatures._tables import is_missing

__all__ = ["Schema"]

FEW_KNOWN = 2
_ROLES = ("numeric", "categorical", "datetime", "duration", "mixed", "nullable", "boxed")


@dataclass(frozen=True)
class Schema:
    """Roles of the columns of X and counts of y; positions, never values.

    Parameters
    ----------
    n_rows, n_features : int
    numeric, categorical, datetime, duration, mixed, nullable, boxed : tuple of int
        Positions of the columns: numbers; text, categories and booleans; dates; lengths of time
        and times of day; columns of several Python types at once, which are read as text; text
        and booleans whose missing value is pandas' own NA; numbers of which one may be that NA.
    sparse : bool
        Whether X is a scipy sparse matrix.
    container : {"array", "pandas", "polars"}
    n_classes : int
        0 for regression.
    min_class_count : int
        Rows of the rarest class; `n_rows` for regression.
    blank : tuple of int
        Those of `numeric` and `boxed` with at most two known values: without any in the training
        rows of a fold, they stop models that take missing values themselves.
    """

    n_rows: int
    n_features: int
    numeric: tuple[int, ...]
    categorical: tuple[int, ...] = ()
    datetime: tuple[int, ...] = ()
    duration: tuple[int, ...] = ()
    mixed: tuple[int, ...] = ()
    nullable: tuple[int, ...] = ()
    boxed: tuple[int, ...] = ()
    sparse: bool = False
    container: str = "array"
    n_classes: int = 0
    min_class_count: int = 0
    blank: tuple[int, ...] = ()

    @classmethod
    def from_data(cls, X, y=None, kind="classification"):
        """Read the schema of a dataset.

        Parameters
        ----------
        X : array-like, sparse matrix or dataframe of shape (n_rows, n_features)
        y : array-like of shape (n_rows,), optional
        kind : {"classification", "regression"}

        Returns
        -------
        Schema

        Raises
        ------
        SpaceError
            If X has not two dimensions.
        """
        container = "array"
        if sparse.issparse(X):
            roles = ["numeric"] * X.shape[1]
        elif hasattr(X, "columns") and hasattr(X, "dtypes"):
            container = type(X).__module__.split(".")[0]
            read = _polars_role if container == "polars" else _pandas_role
            columns = (
                X.get_columns()
                if container == "polars"
                else (X.iloc[:, i] for i in range(X.shape[1]))
            )
            roles = [read(column) for column in columns]
        else:
            X = np.asarray(X)
            if X.ndim != 2:
                raise SpaceError(f"X must have two dimensions; got {X.ndim}. Reshape your data.")
            numeric = X.dtype.kind in "fiub"
            roles = ["numeric" if numeric else _object_role(X[:, j]) for j in range(X.shape[1])]
        n_rows = X.shape[0]
        numbers = [i for i, own in enumerate(roles) if own in ("numeric", "boxed")]
        blank = [i for i in numbers if _is_blank(X, i)]
        n_classes, rarest = 0, n_rows
        if y is not None and kind == "classification":
            counts = np.unique(np.asarray(y).astype(str), return_counts=True)[1]
            n_classes, rarest = len(counts), int(counts.min()) if len(counts) else 0
        return cls(
            n_rows=n_rows,
            n_features=len(roles),
            sparse=sparse.issparse(X),
            container=container,
            n_classes=n_classes,
            min_class_count=rarest,
            blank=tuple(blank),
            **{role: tuple(i for i, own in enumerate(roles) if own == role) for role in _ROLES},
        )


def _is_blank(X, position):
    if X.shape[0] <= FEW_KNOWN or sparse.issparse(X):
        return False
    if hasattr(X, "iloc"):
        known = X.iloc[:, position].notna().sum()
    elif hasattr(X, "get_columns"):
        column = X.get_columns()[position].drop_nulls()
        known = len(column.drop_nans() if column.dtype.is_float() else column)
    elif X.dtype.kind == "O":
        known = sum(not is_missing(value) for value in X[:, position])
    else:
        known = np.count_nonzero(X[:, position] == X[:, position])
    return known <= FEW_KNOWN


def _pandas_role(column):
    dtype = column.dtype
    kind = getattr(dtype, "kind", "O")
    if str(dtype) == "boolean" or str(dtype).startswith("string"):
        return "nullable"
    if kind == "b" or str(dtype) in ("category", "str"):
        return "categorical"
    if kind in "iufc":
        return "boxed" if str(getattr(dtype, "na_value", "")) == "<NA>" else "numeric"
    if kind in "Mm":
        return "datetime" if kind == "M" else "duration"
    role = _object_role(column.to_numpy(dtype=object))
    return "boxed" if role == "numeric" else role


def _polars_role(column):
    dtype = column.dtype
    if dtype.is_numeric():
        return "numeric"
    if dtype.is_temporal():
        return "duration" if str(dtype).startswith(("Duration", "Time")) else "datetime"
    return "mixed" if str(dtype) == "Object" else "categorical"


def _object_role(values):
    types = {type(value) for value in values if not is_missing(value)}
    if not types or all(issubclass(own, int | float | np.number) for own in types - {bool}):
        return "categorical" if bool in types else "numeric"
    return "categorical" if all(issubclass(own, str) for own in types) else "mixed"
