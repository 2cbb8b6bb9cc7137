"""The table and the target of an Auto estimator, checked."""

from ..tables import (
    check_metric,
    check_outputs,
    check_table,
    check_target,
    has_several,
    with_index,
)
from ._own_steps import check_columns_before
from ._several_metrics import has_own_metric, split_metrics

__all__ = ["check_data", "check_y"]


def check_y(y, X, auto, kind):
    """Check the target of an Auto estimator, of one output or several.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_outputs), sparse matrix or dataframe
    X : array-like
        Its rows must be as many.
    auto : AutoClassifier or AutoRegressor
    kind : {"classification", "regression"}

    Returns
    -------
    ndarray of shape (n_rows,) or (n_rows, n_outputs)

    Raises
    ------
    ValueError
        If it cannot be used.
    """
    check = check_outputs if has_several(y) else check_target
    return check(y, X, kind, auto)


def check_data(X, y, auto, kind):
    """Check table and target of an Auto estimator, and that its metric can be computed.

    Parameters
    ----------
    X : array-like, sparse matrix or dataframe of shape (n_rows, n_columns)
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
    auto : AutoClassifier or AutoRegressor
    kind : {"classification", "regression"}

    Returns
    -------
    X : ndarray, sparse matrix or dataframe
        A dataframe as it is, anything else as an array.
    y : ndarray, pandas.Series or pandas.DataFrame
        Of shape (n_rows,) or (n_rows, n_outputs).
        With its index where the metric is a function of the user's, who may look rows up by it.
    layout : Layout
        What the columns are.

    Raises
    ------
    ValueError
        If one of them cannot be used.
    """
    X = check_table(X, auto)
    layout = check_columns_before(X, auto.columns, auto.before)
    values = check_y(y, X, auto, kind)
    deciding, _, further = split_metrics(auto.scoring)
    for scoring in (deciding, *further.values()):
        if isinstance(scoring, str):
            check_metric(scoring, values, kind)
    return X, with_index(values, y) if has_own_metric(auto.scoring) else values, layout
