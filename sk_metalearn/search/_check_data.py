"""The table and the target of an Auto estimator, checked."""

from ..tables import check_columns, check_metric, check_table, check_target, with_index
from ._metrics import has_own_metric, split_metrics

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
    y : ndarray or pandas.Series of shape (n_rows,)
        With its index where the metric is a function of the user's, who may look rows up by it.
    layout : Layout
        What the columns are.

    Raises
    ------
    ValueError
        If one of them cannot be used.
    """
    X = check_table(X, auto)
    layout = check_columns(X, auto.columns)
    values = check_target(y, X, kind, auto)
    deciding, _, further = split_metrics(auto.scoring)
    for scoring in (deciding, *further.values()):
        if isinstance(scoring, str):
            check_metric(scoring, values, kind)
    return X, with_index(values, y) if has_own_metric(auto.scoring) else values, layout
