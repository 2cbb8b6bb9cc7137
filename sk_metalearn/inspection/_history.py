"""The course of a search: score of each candidate, best so far, and why each was tried."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..exceptions import import_optional
from ._metric import metric_label, metric_of
from ._shown import Shown

__all__ = ["SearchHistoryDisplay"]


class SearchHistoryDisplay(Shown):
    """Course of a search over its evaluations or seconds.

    Make one with `from_estimator`.

    Parameters
    ----------
    scores : ndarray of shape (n_candidates,)
        Mean test score of each candidate, NaN where it failed.
    reasons : sequence of str
        Why each was tried.
    ended : ndarray of shape (n_candidates,)
        Seconds from the start of the search to the end of each evaluation.
    metric : str, default="score"
        Label of the score.
    estimates : ndarray of shape (n_candidates,), default=None
        What was expected of candidates that were stopped before their end, NaN for the others;
        they are drawn as hollow marks.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sk_metalearn import MetaSearchCV
    >>> from sk_metalearn.inspection import SearchHistoryDisplay
    >>> search = MetaSearchCV(SVC(), {"C": [0.1, 1, 10]}).fit(*load_iris(return_X_y=True))
    >>> display = SearchHistoryDisplay.from_estimator(search)
    >>> display.best_so_far.shape
    (3,)
    """

    def __init__(self, *, scores, reasons, ended, metric="score", estimates=None):
        self.scores = scores
        self.reasons = reasons
        self.ended = ended
        self.metric = metric
        self.estimates = estimates

    @property
    def best_so_far(self):
        """Best score up to each evaluation; NaN before the first that went well."""
        return np.fmax.accumulate(np.asarray(self.scores, dtype=float))

    @property
    def kinds(self):
        """Why each was tried, neighbours of all past datasets as one."""
        return ["neighbour" if r.startswith("neighbour of ") else r for r in self.reasons]

    @property
    def random_order(self):
        """Expected best score up to each evaluation, had the same candidates come in any order.

        The mean over all orders in which some candidate has a score by then; those without one
        count as evaluations.
        """
        scores = np.asarray(self.scores, dtype=float)
        known, n = np.sort(scores[np.isfinite(scores)]), len(scores)
        # Share of the orders whose first k candidates are among the i worst.
        worst = np.arange(n - len(known), n + 1, dtype=float)
        among, expected = np.ones(len(worst)), np.full(n, np.nan)
        for k in range(n if len(known) else 0):
            among = among * np.maximum(worst - k, 0) / (n - k)
            expected[k] = np.diff(among) @ known / (1 - among[0])
        return expected

    def _content(self):
        return f"{len(self.scores)} candidates by {self.metric}"

    @classmethod
    def from_estimator(cls, search, metric=None):
        """Read a fitted search.

        Parameters
        ----------
        search : MetaSearchCV, AutoClassifier or AutoRegressor
            Fitted.
        metric : str, optional
            One of the metrics of a multimetric search; by default the one used to refit, or the
            first where there is none.

        Returns
        -------
        SearchHistoryDisplay

        Raises
        ------
        ValueError
            If the search did not compute the metric.
        """
        check_is_fitted(search)
        results = search.cv_results_
        if metric is None:
            metric = metric_of(search)
        key = f"mean_test_{metric}"
        if key not in results:
            known = [name[10:] for name in results if name.startswith("mean_test_")]
            raise ValueError(f"The search has no metric {metric!r}; it has {known}.")
        scores = np.asarray(results[key], dtype=float)
        guided = metric == metric_of(search)
        estimates = np.where(np.isnan(scores), results["estimate"], np.nan) if guided else None
        return cls(
            scores=scores,
            reasons=tuple(results["reason"]),
            ended=np.asarray(results["begun"], dtype=float) + results["elapsed"],
            metric=metric_label(search, metric),
            estimates=estimates,
        )

    def plot(self, ax=None, *, against="evaluations"):
        """Draw the course, and over evaluations what to expect of the same candidates by chance.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            A new figure by default.
        against : {"evaluations", "seconds"}, default="evaluations"

        Returns
        -------
        SearchHistoryDisplay
            Itself.

        Raises
        ------
        ValueError
            If `against` is something else.
        MissingDependencyError
            If matplotlib is not installed.
        """
        if against not in ("evaluations", "seconds"):
            raise ValueError(f"against must be 'evaluations' or 'seconds'; got {against!r}.")
        pyplot = import_optional("matplotlib.pyplot", "plot", "SearchHistoryDisplay.plot")
        if ax is None:
            _, ax = pyplot.subplots(layout="constrained")
        scores, n = np.asarray(self.scores, dtype=float), len(self.scores)
        guessed = np.full(n, np.nan) if self.estimates is None else np.asarray(self.estimates)
        x = np.arange(1, n + 1) if against == "evaluations" else np.asarray(self.ended)
        kinds = self.kinds
        shown = [kinds[i] for i in np.flatnonzero(np.isfinite(scores) | np.isfinite(guessed))]
        for number, kind in enumerate(dict.fromkeys(shown)):
            rows = np.flatnonzero([own == kind for own in kinds])
            color = f"C{number % 10}"
            ax.scatter(x[rows], scores[rows], color=color, label=kind, zorder=3)
            ax.scatter(x[rows], guessed[rows], facecolors="none", edgecolors=color, zorder=3)
        if np.isfinite(guessed).any():
            ax.scatter([], [], facecolors="none", edgecolors="gray", label="stopped early")
        order = np.argsort(x, kind="stable")
        best = np.fmax.accumulate(scores[order])
        ax.step(x[order], best, where="post", color="black", label="best so far")
        if against == "evaluations":
            label = "same candidates in random order"
            ax.plot(x, self.random_order, color="0.5", linewidth=1, label=label)
            ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set(xlabel=against, ylabel=self.metric)
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
