"""Which of a table's own columns the final model needs."""

from functools import partial

import numpy as np
from scipy.sparse import issparse
from scipy.sparse.csgraph import connected_components
from scipy.stats import rankdata, t
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._compat import num_samples, safe_indexing
from ..exceptions import import_optional
from ..search import as_html, show_number
from ._metric import metric_label, metric_of
from ._shown import Shown

__all__ = ["ColumnImportanceDisplay"]

_CONFIDENCE = 0.95


class ColumnImportanceDisplay(Shown):
    """What a model's score loses when the values of a column are shuffled.

    Columns that tell nearly the same are shuffled together: alone, each would seem of no use, since
    the others stand in for it. Make one with `from_estimator`.

    Parameters
    ----------
    names : sequence of tuple of str
        Of each group of columns; most groups have one.
    importances : ndarray of shape (n_groups, n_repeats)
        Score lost by each shuffle.
    metric : str, default="score"
        Label of the score.
    n_folds : int, default=1
        Folds that the repeats are spread over, in this order: all of one fold are side by side.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    References
    ----------
    L. Breiman. Random forests. Machine Learning 45, 2001.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sk_metalearn import AutoClassifier
    >>> from sk_metalearn.inspection import ColumnImportanceDisplay
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> auto = AutoClassifier(n_iter=2, families=["lda"], random_state=0).fit(X[::2], y[::2])
    >>> display = ColumnImportanceDisplay.from_estimator(auto, X[1::2], y[1::2], random_state=0)
    >>> display.rows()[0]["column"]
    'sepal length (cm), petal length (cm), petal width (cm)'
    """

    def __init__(self, *, names, importances, metric="score", n_folds=1):
        self.names = names
        self.importances = importances
        self.metric = metric
        self.n_folds = n_folds

    def _content(self):
        return f"{sum(map(len, self.names))} columns by the {self.metric} that is lost without them"

    @classmethod
    def from_estimator(
        cls, search, X, y, *, cv=None, n_repeats=10, together=0.9, max_rows=5000, random_state=None
    ):
        """Shuffle the columns of a table before a fitted model meets them.

        Parameters
        ----------
        search : AutoClassifier, AutoRegressor or MetaSearchCV
            Fitted.
        X : array-like, sparse matrix or dataframe of shape (n_samples, n_features)
            Rows with the columns of fit. Without `cv` rows that the model has not seen: of those it
            was fitted on, it may know the answers by heart.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their labels or numbers.
        cv : int, splitter or iterable, default=None
            Folds. What was found is then fitted anew on each (`AutoClassifier.refit`), and the
            columns of its test rows are shuffled: `X` may be the rows of fit.
        n_repeats : int, default=10
            Shuffles of each column, of each fold with `cv`.
        together : float, default=0.9
            Columns of numbers whose rank correlation is at least this, or at most minus this, are
            one group; so is whatever is linked by others.
        max_rows : int, default=5000
            Rows of a fold that are used, drawn by chance where there are more.
        random_state : int, RandomState instance or None, default=None
            Draws the shuffles.

        Returns
        -------
        ColumnImportanceDisplay
        """
        check_is_fitted(search, "best_estimator_")
        rng = check_random_state(random_state)
        X, y = _with_columns(X), np.asarray(y.toarray() if issparse(y) else y)
        groups = _groups(X, together)
        if cv is None:
            judged = [(search, np.arange(len(y)))]
        else:
            folds = check_cv(cv, y, classifier=is_classifier(search)).split(X, y)
            judged = (
                (_fitted_again(search, safe_indexing(X, train), y[train]), test)
                for train, test in folds
            )
        lost = []
        for model, rows in judged:
            if len(rows) > max_rows:
                rows = rng.choice(rows, max_rows, replace=False)
            part, target = safe_indexing(X, rows), y[rows]
            score = _score_of(search, model)
            whole = score(part, target)
            lost.append(
                [
                    [whole - score(_shuffled(part, group, rng), target) for _ in range(n_repeats)]
                    for group in groups
                ]
            )
        named = [str(name) for name in getattr(X, "columns", range(X.shape[1]))]
        return cls(
            names=[tuple(named[j] for j in group) for group in groups],
            importances=np.concatenate(lost, axis=1),
            metric=metric_label(search, metric_of(search)),
            n_folds=len(lost),
        )

    def rows(self):
        """Give a row per group of columns, the most important first.

        Returns
        -------
        list of dict
            Keys ``column``, ``lost`` (mean score lost) and ``low``, ``high`` (interval of 95 % of
            this mean, by Student's t over the folds, or over the shuffles where there is one).
        """
        values = np.asarray(self.importances, dtype=float)
        if self.n_folds > 1:
            # Shuffles of one fold share a model.
            values = values.reshape(len(values), self.n_folds, -1).mean(axis=2)
        mean, n = values.mean(axis=1), values.shape[1]
        spread = values.std(axis=1, ddof=1) if n > 1 else np.full(len(values), np.nan)
        half = t.ppf(0.5 + _CONFIDENCE / 2, max(1, n - 1)) * spread / n**0.5
        return [
            {
                "column": ", ".join(self.names[i]),
                "lost": float(mean[i]),
                "low": float(mean[i] - half[i]),
                "high": float(mean[i] + half[i]),
            }
            for i in np.argsort(-mean, kind="stable")
        ]

    def _repr_html_(self):
        told = [
            {name: own if name == "column" else show_number(own) for name, own in row.items()}
            for row in self.rows()
        ]
        return as_html(told)

    def plot(self, ax=None, *, max_columns=20):
        """Draw a bar per group of columns with its interval, the most important on top.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure by default.
        max_columns : int, default=20
            At most so many.

        Returns
        -------
        ColumnImportanceDisplay
            Itself.

        Raises
        ------
        MissingDependencyError
            If matplotlib is not installed.
        """
        pyplot = import_optional("matplotlib.pyplot", "plot", "ColumnImportanceDisplay.plot")
        rows = self.rows()[:max_columns]
        if ax is None:
            _, ax = pyplot.subplots(figsize=(8, 1.2 + 0.35 * len(rows)), layout="constrained")
        places = np.arange(len(rows))[::-1]
        lost = [row["lost"] for row in rows]
        ax.barh(places, lost, xerr=[row["high"] - row["lost"] for row in rows], capsize=3)
        names = [row["column"] for row in rows]
        cut = [name if len(name) <= 42 else f"{name[:39]}..." for name in names]
        # A dollar sign in a name is no formula.
        ax.set_yticks(places, cut, parse_math=False)
        ax.set(xlabel=f"{self.metric} lost when the column is shuffled")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _fitted_again(search, X, y):
    """What was found, on other rows."""
    if callable(getattr(search, "refit", None)):
        return search.refit(X, y)
    return clone(search.best_estimator_).fit(X, y)


def _score_of(search, model):
    """How the search judges a model."""
    if model is search or isinstance(model, type(search)):
        return model.score
    scorer = search.scorer_
    scorer = scorer[metric_of(search)] if isinstance(scorer, dict) else scorer
    return partial(scorer, model)


def _with_columns(X):
    """Give a table as pandas has it, or as an array."""
    if hasattr(X, "to_pandas"):
        return X.to_pandas()
    if issparse(X):
        return X.tocsc()
    return X if hasattr(X, "iloc") else np.asarray(X)


def _groups(X, together):
    """Positions of columns that are shuffled together."""
    n_columns = X.shape[1]
    if issparse(X) or num_samples(X) < 3:
        return [[j] for j in range(n_columns)]
    linked = np.eye(n_columns, dtype=bool)
    ranked = {j: own for j in range(n_columns) if (own := _ranks(X, j)) is not None}
    places = list(ranked)
    if len(places) > 1:
        alike = np.abs(np.corrcoef([ranked[j] for j in places])) >= together
        linked[np.ix_(places, places)] |= alike
    _, labels = connected_components(linked, directed=False)
    return [list(np.flatnonzero(labels == label)) for label in dict.fromkeys(labels)]


def _ranks(X, j):
    """Ranks of a column of numbers, gaps in the middle; None where there is nothing to rank."""
    column = X.iloc[:, j] if hasattr(X, "iloc") else X[:, j]
    try:
        values = np.asarray(column, dtype=float)
    except (TypeError, ValueError):
        return None
    ranks = rankdata(values, nan_policy="omit")
    ranks = np.where(np.isnan(ranks), np.nanmean(ranks) if np.isfinite(ranks).any() else 0.0, ranks)
    return ranks if np.ptp(ranks) > 0 else None


def _shuffled(X, group, rng):
    order = rng.permutation(X.shape[0])
    if hasattr(X, "iloc"):
        shuffled = X.copy(deep=False)
        for j in group:
            shuffled.isetitem(j, X.iloc[order, j].set_axis(X.index))
        return shuffled
    shuffled = X.copy()
    shuffled[:, group] = X[order][:, group]
    return shuffled
