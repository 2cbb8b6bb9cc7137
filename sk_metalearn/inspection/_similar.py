"""The past datasets that counted most in a search, drawn by their weight."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..exceptions import import_optional
from ._shown import Shown

__all__ = ["SimilarDatasetsDisplay"]


class SimilarDatasetsDisplay(Shown):
    """Past datasets that counted most in a search.

    Make one with `from_estimator`.

    Parameters
    ----------
    names : sequence of str
        The heaviest first.
    weights : ndarray of shape (n_datasets,)
        Share of the weight of all past datasets.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Set by `plot`.
    figure_ : matplotlib Figure
        Set by `plot`.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sk_metalearn import AutoClassifier
    >>> from sk_metalearn.inspection import SimilarDatasetsDisplay
    >>> auto = AutoClassifier(n_iter=1, random_state=0).fit(*load_wine(return_X_y=True))
    >>> len(SimilarDatasetsDisplay.from_estimator(auto).names)
    5
    """

    def __init__(self, *, names, weights):
        self.names = names
        self.weights = weights

    def _content(self):
        return f"{len(self.names)} past datasets, first {self.names[0]!r}"

    @classmethod
    def from_estimator(cls, search):
        """Read a fitted search.

        Parameters
        ----------
        search : MetaSearchCV, AutoClassifier or AutoRegressor
            Fitted.

        Returns
        -------
        SimilarDatasetsDisplay

        Raises
        ------
        ValueError
            If no past dataset guided the search, or all counted alike.
        """
        check_is_fitted(search)
        similar = search.knowledge_report_.get("similar")
        if not similar:
            raise ValueError(
                "No past dataset counted more than others in this search. Its report says why: "
                f"{search.knowledge_report_}"
            )
        names, weights = zip(*similar, strict=True)
        return cls(names=names, weights=np.array(weights))

    def plot(self, ax=None):
        """Draw a bar per dataset, the heaviest on top.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure by default.

        Returns
        -------
        SimilarDatasetsDisplay
            Itself.

        Raises
        ------
        MissingDependencyError
            If matplotlib is not installed.
        """
        pyplot = import_optional("matplotlib.pyplot", "plot", "SimilarDatasetsDisplay.plot")
        if ax is None:
            _, ax = pyplot.subplots(layout="constrained")
        places = np.arange(len(self.names))[::-1]
        bars = ax.barh(places, 100 * np.asarray(self.weights))
        ax.bar_label(bars, fmt="%.1f %%", padding=3)
        # A dollar sign in a name is no formula.
        ax.set_yticks(places, self.names, parse_math=False)
        ax.margins(x=0.15)
        ax.set(xlabel="share of the weight of all past datasets, %")
        self.ax_, self.figure_ = ax, ax.figure
        return self
