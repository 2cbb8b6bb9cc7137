"""The target of any container as one plain column."""

import warnings

import numpy as np
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite

from .._compat import num_samples
from ._objects import read_objects
from ._parse import parse_numbers
from ._storage import view_of
from ._values import is_missing

__all__ = ["check_target", "numbers_of_text", "target_column", "target_values", "with_index"]

# More classes than this, on more than half of the rows, are amounts where they can be read so.
_MOST_CLASSES = 20
_TO_NUMBERS = (
    "Make them numbers, for example with "
    "pandas.Series(y).str.replace('[^0-9.eE+-]', '', regex=True).astype(float)"
)


def target_column(y):
    """Read a target as a column.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, 1)
        Of numpy, pandas, polars or Arrow, or a list.

    Returns
    -------
    Column

    Raises
    ------
    ValueError
        If there are several columns, or values that are neither classes nor numbers.
    """
    if hasattr(y, "to_frame"):
        return view_of(y.to_frame()).column(0)
    values = target_values(y)
    return view_of(values.reshape(-1, 1)).column(0)


def target_values(y):
    """Give a target of any container as an array.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, 1)
        Of numpy, pandas, polars or Arrow, or a list.

    Returns
    -------
    ndarray of shape (n_rows,)
        Whole numbers and truth values that were stored as objects are of their own type again;
        text and categories keep their values. Missing: None or NaN.

    Raises
    ------
    ValueError
        If there are several columns.
    """
    if hasattr(y, "to_pylist"):
        values = np.empty(len(y), dtype=object)
        values[:] = y.to_pylist()
    else:
        values = np.asarray(y.to_numpy() if hasattr(y, "to_numpy") else y)
    if values.ndim == 2 and values.shape[1] > 1:
        raise ValueError(
            f"Unknown label type: y must hold one class or one number per row, got "
            f"{values.shape[1]} columns. Describe each output of a multi-output task by itself."
        )
    if values.ndim not in (1, 2):
        raise ValueError(
            f"y should be a 1d array, got an array of shape {values.shape} instead. Give one class "
            "or one number per row."
        )
    values = values.ravel()
    return _unboxed(values) if values.dtype == object else values


def _unboxed(values):
    types = set(map(type, values))
    if types <= {bool, np.bool_}:
        return values.astype(bool)
    if all(issubclass(own, int | np.integer) and own is not bool for own in types):
        try:
            return values.astype(np.int64)
        except OverflowError:
            return values.astype(np.float64)
    if str in types or any(map(is_missing, values)):
        return values
    kind, plain, _, _ = read_objects(values, "y")
    return plain if kind == "number" else values


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
    shape = np.shape(y if hasattr(y, "shape") else np.asarray(y))
    if len(shape) == 2 and shape[1] == 1:
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected. Please change the shape of "
            "y to (n_samples,), for example using ravel().",
            DataConversionWarning,
        )
    y = target_values(y)
    if len(y) != num_samples(X):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: "
            f"{[num_samples(X), len(y)]}."
        )
    if y.dtype == object and any(map(is_missing, y)):
        raise ValueError("Input y contains NaN or None. Drop the rows without a value.")
    if kind == "regression":
        if y.dtype.kind not in "fiub":
            y = _numbers(y, name)
        assert_all_finite(y, input_name="y", estimator_name=name)
        return y
    if y.dtype.kind == "f":
        assert_all_finite(y, input_name="y", estimator_name=name)
    if y.dtype == object and len({type(value) for value in y}) > 1:
        types = sorted({type(value).__name__ for value in y})
        raise ValueError(
            f"y is an object array of several types, {types}, whose classes cannot be sorted. "
            "Convert it to one, for example with y.astype(str)."
        )
    try:
        check_classification_targets(y)
    except ValueError as error:
        raise ValueError(f"{error} AutoRegressor predicts numbers.") from error
    classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError(
            f"y holds one class only, {classes.tolist()[0]!r}; {name} needs at least two classes."
        )
    if len(classes) > max(_MOST_CLASSES, len(y) / 2) and numbers_of_text(classes) is not None:
        raise ValueError(
            f"y holds {len(classes)} different values, such as {str(classes[0])!r}: numbers that "
            f"are written as text, no classes. {_TO_NUMBERS}, and predict them with AutoRegressor."
        )
    return y


def numbers_of_text(values):
    """Read a target of numbers that are written as text, such as amounts of money.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Nothing missing.

    Returns
    -------
    ndarray of float, shape (n_rows,)
        None where a value is no text, or no number.
    """
    values = np.asarray(values, dtype=object)
    if not len(values) or not all(isinstance(value, str) for value in values):
        return None
    numbers = parse_numbers(values)
    return numbers if np.isfinite(numbers).all() else None


def with_index(values, y):
    """Give the values of a target the index of the target they were read from.

    Parameters
    ----------
    values : ndarray of shape (n_rows,) or (n_rows, n_outputs)
    y : array-like
        As given by the user.

    Returns
    -------
    ndarray, pandas.Series or pandas.DataFrame
        The values themselves where `y` has no index.
    """
    if not hasattr(y, "iloc"):
        return values
    import pandas as pd

    if values.ndim == 2:
        return pd.DataFrame(values, index=y.index, columns=y.columns)
    return pd.Series(values, index=y.index, name=getattr(y, "name", None), dtype=values.dtype)


def _numbers(y, name):
    """The numbers of a target that is stored as text or objects."""
    try:
        return y.astype(np.float64)
    except (TypeError, ValueError) as error:
        value = next((own for own in y.tolist() if not _is_number(own)), y[0])
        advice = "Give numbers, or use AutoClassifier for classes."
        if numbers_of_text(y) is not None:
            advice = f"{_TO_NUMBERS}."
        raise ValueError(
            f"{name} needs a target of numbers; y holds {value!r}. {advice}"
        ) from error


def _is_number(value):
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
