"""The past datasets nearest to one's own, drawn by distance."""

import numpy as np

from ..exceptions import import_optional
from ..knowledge import KnowledgeBase

__all__ = ["NeighborsDisplay"]


class NeighborsDisplay:
    """Past datasets nearest to a dataset.

    Make one with `from_data`.

    Parameters
    ----------
    names : sequence of str
    distances : ndarray of shape (n_neighbors,)
    reasons : sequence of str
        What makes each near.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    """

    def __init__(self, *, names, distances, reasons):
        self.names = names
        self.distances = distances
        self.reasons = reasons

    @classmethod
    def from_data(cls, X, y, *, kind=None, n_neighbors=5, knowledge=None):
        """Find the neighbours of a dataset.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_rows, n_features)
        y : array-like of shape (n_rows,)
        kind : {"classification", "regression"}, optional
            Read off `y` by default.
        n_neighbors : int, default=5
        knowledge : KnowledgeBase, optional
            The bundled one by default.

        Returns
        -------
        NeighborsDisplay
        """
        knowledge = KnowledgeBase.bundled() if knowledge is None else knowledge
        neighbors = knowledge.neighbors(X, y, kind=kind, n_neighbors=n_neighbors)
        return cls(
            names=tuple(neighbor.task.name for neighbor in neighbors),
            distances=np.array([neighbor.distance for neighbor in neighbors]),
            reasons=tuple("; ".join(neighbor.reasons) for neighbor in neighbors),
        )

    def plot(self, ax=None):
        """Draw a bar per neighbour, the nearest on top.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            A new figure by default.

        Returns
        -------
        NeighborsDisplay

        Raises
        ------
        MissingDependencyError
            If matplotlib is not installed.
        """
        pyplot = import_optional("matplotlib.pyplot", "plot", "NeighborsDisplay.plot")
        if ax is None:
            _, ax = pyplot.subplots(layout="constrained")
        places = np.arange(len(self.names))[::-1]
        ax.barh(places, self.distances)
        ax.set_yticks(places, self.names)
        for place, reason in zip(places, self.reasons, strict=True):
            ax.annotate(
                reason[:60],
                (0, place),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize="x-small",
                color="white",
            )
        ax.set(xlabel="distance of meta-features")
        self.ax_, self.figure_ = ax, ax.figure
        return self
