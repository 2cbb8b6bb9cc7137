"""The members of an ensemble, drawn by their weight."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..exceptions import import_optional
from ..search import settings_text
from ._shown import Shown

__all__ = ["EnsembleWeightsDisplay"]


class EnsembleWeightsDisplay(Shown):
    """Members of the ensemble that an Auto estimator ended with.

    Make one with `from_estimator`.

    Parameters
    ----------
    names : sequence of str
        What each member is; the heaviest first.
    weights : ndarray of shape (n_members,)
        Share of each in the votes.
    scores : ndarray of shape (n_members,)
        Mean score of each on the folds.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Set by `plot`.
    figure_ : matplotlib Figure
        Set by `plot`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sk_metalearn import AutoClassifier
    >>> from sk_metalearn.inspection import EnsembleWeightsDisplay
    >>> auto = AutoClassifier(n_iter=3, families=["lda", "svm"], random_state=0)
    >>> display = EnsembleWeightsDisplay.from_estimator(auto.fit(*load_iris(return_X_y=True)))
    >>> float(display.weights.sum())
    1.0
    """

    def __init__(self, *, names, weights, scores):
        self.names = names
        self.weights = weights
        self.scores = scores

    def _content(self):
        return f"{len(self.names)} members, first {self.names[0]}"

    @classmethod
    def from_estimator(cls, auto):
        """Read a fitted Auto estimator.

        Parameters
        ----------
        auto : AutoClassifier or AutoRegressor
            Fitted.

        Returns
        -------
        EnsembleWeightsDisplay

        Raises
        ------
        ValueError
            If the estimator makes no ensembles, or could fit nothing but a dummy.
        """
        check_is_fitted(auto)
        members = getattr(auto, "ensemble_", None)
        if not members:
            raise ValueError(
                f"{type(auto).__name__} has no ensemble. Give a fitted AutoClassifier or "
                "AutoRegressor that found a model."
            )
        rows = sorted(members, key=members.get, reverse=True)
        weights = np.array([members[row] for row in rows], dtype=float)
        params = auto.cv_results_["params"]
        return cls(
            names=[settings_text(params[row], kind=auto._kind) for row in rows],
            weights=weights / weights.sum(),
            scores=np.asarray(auto.cv_results_["mean_test_score"], dtype=float)[rows],
        )

    def plot(self, ax=None):
        """Draw a bar per member, the heaviest on top.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure by default.

        Returns
        -------
        EnsembleWeightsDisplay
            Itself.

        Raises
        ------
        MissingDependencyError
            If matplotlib is not installed.
        """
        pyplot = import_optional("matplotlib.pyplot", "plot", "EnsembleWeightsDisplay.plot")
        if ax is None:
            size = 8, 1.2 + 0.5 * len(self.names)
            _, ax = pyplot.subplots(figsize=size, layout="constrained")
        places = np.arange(len(self.names))[::-1]
        bars = ax.barh(places, 100 * np.asarray(self.weights))
        labels = [
            f"{100 * weight:.0f} %, alone {score:.4f}"
            for weight, score in zip(self.weights, self.scores, strict=True)
        ]
        ax.bar_label(bars, labels, padding=3)
        # A dollar sign in a name is no formula.
        ax.set_yticks(places, [_wrapped(name) for name in self.names], parse_math=False)
        # Room for the labels beside the bars.
        ax.set_xlim(0, 160 * max(self.weights))
        ax.set(xlabel="share of the votes, %")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _wrapped(name, width=42):
    """A long name on two lines, cut where these do not do."""
    if len(name) <= width:
        return name
    place = 1 + max(name.rfind(" ", 0, width), name.rfind("(", 0, width)) or width
    rest = name[place:]
    return f"{name[:place].rstrip()}\n{rest if len(rest) <= width else rest[: width - 3] + '...'}"
