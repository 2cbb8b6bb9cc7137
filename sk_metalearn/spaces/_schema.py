"""What a pipeline must know of a table before it can be built: the roles of its columns."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ..exceptions import SpaceError
from ..tables import decide, view_of

__all__ = ["MANY_LEVELS", "Schema"]

FEW_KNOWN = 2
#: Of a column with more levels than this one-hot encoding loses some.
MANY_LEVELS = 32
#: Trees read float32, of which little is left beyond 1e11, and part no values nearer than 1e-7.
_SMALL, _LARGE = 1e-6, 1e11
#: Where the deviation of a target lies outside, models meet it in units of its deviation.
_TARGET_UNITS = (1e-5, 1e8)
_ROLES = {
    "numeric": "number",
    "categorical": "category",
    "datetime": "date",
    "duration": "duration",
    "ordered": "ordered",
    "text": "text",
    "ignored": "ignore",
}


@dataclass(frozen=True)
class Schema:
    """Roles of the columns of X and counts of y.

    Parameters
    ----------
    n_rows, n_features : int
        Of X.
    numeric, categorical, datetime, duration, ordered, text, ignored : tuple of int
        Positions of the columns: numbers; categories, short text and truth values; dates; lengths
        of time; ordered categories; free text; columns that no model meets, as they hold nothing or
        only name the rows.
    sparse : bool
        Whether X is a scipy sparse matrix.
    container : {"array", "pandas", "polars", "arrow", "records"}
    n_classes : int
        0 for regression; 2 where a row may have several labels.
    min_class_count : int
        Rows of the rarest class, of the label that is rarest with it or without it; `n_rows` for
        regression.
    n_outputs : int
        Columns of y.
    blank : tuple of int
        Columns of numbers, dates and lengths with at most two known values, or without any in the
        training rows of a fold: they stop models that take missing values themselves.
    many : tuple of int
        Those of `categorical` with more levels than one-hot encoding tells apart.
    extreme : tuple of int
        Those of `numeric` in a unit so small or large that trees cannot part their values.
    extreme_target : bool
        Whether the target of a regression is in such a unit.
    names : tuple of str
        Names of the columns, where they have some that differ and are text.
    layout : Layout or None
        How the columns are read; None where scikit-learn reads them as they are stored.
    """

    n_rows: int
    n_features: int
    numeric: tuple[int, ...]
    categorical: tuple[int, ...] = ()
    datetime: tuple[int, ...] = ()
    duration: tuple[int, ...] = ()
    ordered: tuple[int, ...] = ()
    text: tuple[int, ...] = ()
    ignored: tuple[int, ...] = ()
    sparse: bool = False
    container: str = "array"
    n_classes: int = 0
    min_class_count: int = 0
    n_outputs: int = 1
    blank: tuple[int, ...] = ()
    many: tuple[int, ...] = ()
    extreme: tuple[int, ...] = ()
    extreme_target: bool = False
    names: tuple[str, ...] = ()
    layout: object = None

    @classmethod
    def from_data(cls, X, y=None, kind="classification", columns=None, folds=(), units=True):
        """Read the schema of a dataset.

        Parameters
        ----------
        X : array-like, sparse matrix, dataframe or pyarrow.Table of shape (n_rows, n_features)
            The data.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs), optional
            The target.
        kind : {"classification", "regression"}
            Of the task.
        columns : dict or Layout, optional
            What is known of some columns, by name; see `TableReader`. Or what was decided before.
        folds : sequence of (ndarray of int, ndarray of int), optional
            Training and test rows; tell which columns have no value in the training rows of one.
        units : bool, default=True
            Whether columns and targets in extreme units are to be scaled. The knowledge base was
            measured without.

        Returns
        -------
        Schema

        Raises
        ------
        SpaceError
            If X has not two dimensions.
        ValueError
            If a column cannot be read; it is named.
        """
        try:
            view = view_of(X)
        except ValueError as error:
            if "Expected 2D array" in str(error):
                raise SpaceError(f"X must have two dimensions. {error}") from error
            raise
        layout = columns if hasattr(columns, "plans") else decide(X, columns)
        roles = {own: layout.positions(role) for own, role in _ROLES.items()}
        n_rows = view.shape[0]
        n_classes, rarest = 0, n_rows
        if y is not None and kind == "classification":
            counts = [_counts(column) for column in _outputs(y)]
            n_classes = max(map(len, counts))
            rarest = min(int(own.min()) if len(own) else 0 for own in counts)
        names = layout.names or ()
        if len(set(names)) < len(names) or not all(isinstance(name, str) for name in names):
            names = ()
        return cls(
            n_rows=n_rows,
            n_features=view.shape[1],
            sparse=sparse.issparse(X),
            container=view.storage,
            n_classes=n_classes,
            min_class_count=rarest,
            n_outputs=1 if y is None else len(_outputs(y)),
            blank=_blank(X, view, layout, folds),
            many=tuple(i for i in roles["categorical"] if layout.plans[i].n_levels > MANY_LEVELS),
            extreme=_extreme(X, view, roles["numeric"], layout) if units else (),
            extreme_target=units and kind == "regression" and _is_extreme_target(y),
            names=tuple(names),
            layout=None if layout.plain else layout,
            **roles,
        )


def _blank(X, view, layout, folds):
    """Positions of columns of which too little is known."""
    if view.shape[0] <= FEW_KNOWN or view.storage == "sparse":
        return ()
    counted = layout.positions("number", "date", "duration", "ordered")
    found = []
    for i in counted:
        plan, n_rows = layout.plans[i], view.shape[0]
        if plan.n_missing == 0 and view.storage != "array":
            continue
        if not folds and view.storage != "array":
            known = n_rows - plan.n_missing
        else:
            is_known = ~view.column(i).missing
            fewest = [is_known[train].sum() for train, _ in folds]
            known = min([is_known.sum(), *(n or 0 for n in fewest if n == 0)])
        if known <= FEW_KNOWN:
            found.append(i)
    return tuple(found)


def _extreme(X, view, numeric, layout):
    if view.storage == "sparse":
        return ()
    if view.storage == "array" and isinstance(X, np.ndarray) and X.dtype.kind in "iu":
        return tuple(i for i in numeric if np.abs(X[:, i].astype(float)).max() > _LARGE)
    return tuple(i for i in numeric if _is_extreme(view.column(i), layout.plans[i]))


def _is_extreme(column, plan):
    if column.type != "number":
        return False
    values = column.values
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    if len(values) < 2:
        return False
    low, high = float(values.min()), float(values.max())
    largest = max(-low, high)
    if low == high or not np.isfinite(largest):
        return False
    if largest > _LARGE:
        return True
    # Of a range within the precision of float32 little is left.
    fine = (high - low) < 1e-5 * largest
    return fine or ((high - low) < 100 * _SMALL and float(np.std(values)) < _SMALL)


def _is_extreme_target(y):
    if y is None:
        return False
    try:
        deviations = [float(np.std(column.astype(float))) for column in _outputs(y)]
    except (TypeError, ValueError):
        return False
    low, high = _TARGET_UNITS
    return any(0 < own < low or high < own < np.inf for own in deviations)


def _counts(column):
    """How many rows each class has."""
    # Of a million numbers the text alone would take 80 MB.
    codes = column if column.dtype.kind in "biu" else column.astype(str)
    return np.unique(codes, return_counts=True)[1]


def _outputs(y):
    """Columns of a target."""
    values = np.asarray(y)
    return list(values.T) if values.ndim == 2 else [values]
