"""Any table a user may have: checked, and cut to rows; its values are never changed."""

import warnings

import numpy as np
from scipy import sparse
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import get_scorer
from sklearn.utils import check_array
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, column_or_1d

from .._compat import num_samples
from ..metafeatures._tables import is_missing, is_pandas_na

__all__ = [
    "check_data",
    "check_metric",
    "check_rows",
    "check_table",
    "check_target",
]


def check_data(X, y, auto, kind):
    """Check table and target of an Auto estimator, and that its metric can be computed.

    Parameters
    ----------
    X : array-like, sparse matrix or dataframe of shape (n_rows, n_columns)
    y : array-like of shape (n_rows,)
    auto : AutoClassifier or AutoRegressor
    kind : {"classification", "regression"}

    Returns
    -------
    X : ndarray, sparse matrix or dataframe
        A dataframe as it is, anything else as an array.
    y : ndarray of shape (n_rows,)

    Raises
    ------
    ValueError
        If one of them cannot be used.
    """
    X = check_table(X, auto)
    y = check_target(y, X, kind, auto)
    if isinstance(auto.scoring, str):
        check_metric(auto.scoring, y, kind)
    return X, y


def check_table(X, estimator):
    """Check a table without changing what a dataframe holds.

    Parameters
    ----------
    X : array-like, sparse matrix or dataframe of shape (n_rows, n_columns)
    estimator : estimator
        Named in messages.

    Returns
    -------
    ndarray, sparse matrix or dataframe
        A dataframe as it is, anything else as an array; missing values are allowed.

    Raises
    ------
    ValueError
        If X is no table, is empty, holds infinities, or a column of it holds nothing.
    """
    name = type(estimator).__name__
    if hasattr(X, "columns") and hasattr(X, "dtypes"):
        if 0 in X.shape:
            raise ValueError(
                f"Found array with {X.shape[0]} sample(s) and {X.shape[1]} feature(s) "
                f"(shape={tuple(X.shape)}) while a minimum of 1 is required by {name}."
            )
        infinite, empty, odd = _look_at_frame(X)
        if odd:
            raise ValueError(
                f"The columns {odd} of X hold complex numbers, lists, records or objects. {name} "
                "takes numbers, text, categories, booleans, dates and durations; turn them into "
                "such columns or drop them."
            )
        if infinite:
            raise ValueError(
                f"Input X contains infinity in the columns {infinite}. {name} takes finite "
                "numbers and missing values; replace infinities by one of these."
            )
    else:
        X = check_rows(X, estimator)
        empty = _empty_columns(X)
    if empty:
        raise ValueError(
            f"The columns {empty} of X hold no value at all, only missing ones. Drop them before "
            f"you call {name}."
        )
    return X


def check_rows(X, estimator, text=None):
    """Check rows.

    Parameters
    ----------
    X : array-like, sparse matrix or dataframe of shape (n_rows, n_columns)
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
    if hasattr(X, "columns") and hasattr(X, "dtypes"):
        return X
    if not sparse.issparse(X) and (text or np.asarray(X).dtype.kind in "OUS"):
        X = check_array(
            X, dtype=object, ensure_all_finite=False, input_name="X", estimator=estimator
        )
        boxed = np.frompyfunc(is_pandas_na, 1, 1)(X)
        X = np.where(boxed.astype(bool), np.nan, X)
        if not text:
            X = _to_numbers(X, estimator, must=text is False)
        if X.dtype == object:
            return X
    return check_array(
        X,
        accept_sparse="csr",
        accept_large_sparse=False,
        dtype=None,
        ensure_all_finite="allow-nan",
        input_name="X",
        estimator=estimator,
    )


def _to_numbers(X, estimator, must):
    """Give an array of numbers where an object array holds nothing else."""
    try:
        return X.astype(np.float64)
    except (TypeError, ValueError) as error:
        if must:
            raise ValueError(
                f"X holds more than the numbers that this {type(estimator).__name__} was fitted "
                f"on: {error}. Give numbers or missing values, or fit on such rows too."
            ) from error
        # Neither numbers nor text.
        odd = isinstance(error, TypeError)
        if odd and any(isinstance(value, dict | list | set) for value in X.ravel()):
            raise
        return X


def _look_at_frame(X):
    """Names of the columns with infinities, of those without any value, and of those of no use."""
    infinite, empty, odd = [], [], []
    for i, name in enumerate(X.columns):
        column = X.iloc[:, i] if hasattr(X, "iloc") else X.get_columns()[i]
        if _is_odd(column.dtype):
            odd.append(name)
            continue
        missing = column.isna() if hasattr(column, "isna") else column.is_null()
        if bool(missing.all()):
            empty.append(name)
            continue
        kind = getattr(column.dtype, "kind", "f" if _is_float(column.dtype) else "O")
        if kind == "f":
            values = np.asarray(column, dtype=float)
            if np.isinf(values).any():
                infinite.append(name)
            if np.isnan(values).all():
                empty.append(name)
    return infinite, empty, odd


def _is_odd(dtype):
    """Whether a column is complex, or one of polars' nested or object columns."""
    nested = getattr(dtype, "is_nested", lambda: False)()
    return nested or getattr(dtype, "kind", "") == "c" or str(dtype) == "Object"


def _is_float(dtype):
    return bool(getattr(dtype, "is_float", lambda: False)())


def _empty_columns(X):
    if sparse.issparse(X) or X.dtype.kind not in "fO":
        return []
    if X.dtype.kind == "f":
        return np.flatnonzero(np.isnan(X).all(axis=0)).tolist()
    return [j for j in range(X.shape[1]) if all(map(is_missing, X[:, j]))]


def check_metric(scoring, y, kind):
    """Check that a metric can be computed on a target, before any model is fitted for it.

    Parameters
    ----------
    scoring : str
        Name of a scorer.
    y : ndarray of shape (n_rows,)
    kind : {"classification", "regression"}

    Raises
    ------
    ValueError
        If not even a constant prediction can be scored: a metric for two classes, and y has three.
    """
    dummy = DummyClassifier() if kind == "classification" else DummyRegressor()
    X = np.zeros((len(y), 1))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            get_scorer(scoring)(dummy.fit(X, y), X, y)
    except (ValueError, AttributeError) as error:
        raise ValueError(
            f"scoring={scoring!r} cannot be computed on this target: {str(error).rstrip('.')}. "
            "Give another metric, or None for the default."
        ) from error


def check_target(y, X, kind, estimator):
    """Check a target.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
    X : array-like
        Its rows must be as many.
    kind : {"classification", "regression"}
    estimator : estimator
        Named in messages.

    Returns
    -------
    ndarray of shape (n_rows,)

    Raises
    ------
    ValueError
        If y is missing, of another length, not of the kind, or of one class only.
    """
    name = type(estimator).__name__
    if y is None:
        raise ValueError(
            f"requires y to be passed, but the target y is None: {name} learns from a target."
        )
    y = column_or_1d(y.to_numpy() if hasattr(y, "to_numpy") else y, warn=True)
    if len(y) != num_samples(X):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: "
            f"{[num_samples(X), len(y)]}."
        )
    if y.dtype == object and any(map(is_missing, y)):
        raise ValueError("Input y contains NaN or None. Drop the rows without a value.")
    if kind == "regression":
        if y.dtype.kind not in "fiub":
            y = y.astype(np.float64)
        assert_all_finite(y, input_name="y", estimator_name=name)
        return y
    if y.dtype.kind == "f":
        assert_all_finite(y, input_name="y", estimator_name=name)
    check_classification_targets(y)
    classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError(
            f"y holds one class only, {classes.tolist()[0]!r}; {name} needs at least two classes."
        )
    return y
