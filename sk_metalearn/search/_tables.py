"""The table and the target of an Auto estimator, checked."""

from ..tables._check import check_table
from ..tables._metric import check_metric
from ..tables._target import check_target

__all__ = ["check_data"]


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
