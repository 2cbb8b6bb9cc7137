"""The settings of all candidates of a search as lines across parallel axes."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..exceptions import import_optional
from ._metric import metric_label, metric_of
from ._shown import Shown

__all__ = ["ParallelCoordinatesDisplay"]

# Numbers over more than this ratio are drawn on a scale of powers of ten.
_WIDE = 9.9
_MOST_LEVELS, _MOST_MARKS = 12, 6


class ParallelCoordinatesDisplay(Shown):
    """Settings and scores of the candidates of a search.

    Make one with `from_estimator`.

    Parameters
    ----------
    names : sequence of str
        Of the settings; an axis each.
    values : list of list
        Values of each setting, a value per candidate; None where a candidate has no such setting.
    scores : ndarray of shape (n_candidates,)
        Mean score of each; NaN where there is none.
    metric : str, default="score"
        Label of the score.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Set by `plot`.
    figure_ : matplotlib Figure
        Set by `plot`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sk_metalearn import MetaSearchCV
    >>> from sk_metalearn.inspection import ParallelCoordinatesDisplay
    >>> grid = {"C": [0.1, 1, 10], "kernel": ["linear", "rbf"]}
    >>> search = MetaSearchCV(SVC(), grid).fit(*load_iris(return_X_y=True))
    >>> ParallelCoordinatesDisplay.from_estimator(search).names
    ['C', 'kernel']
    """

    def __init__(self, *, names, values, scores, metric="score"):
        self.names = names
        self.values = values
        self.scores = scores
        self.metric = metric

    def _content(self):
        return f"{len(self.names)} settings of {len(self.scores)} candidates by {self.metric}"

    @classmethod
    def from_estimator(cls, search, family=None):
        """Read a fitted search.

        Parameters
        ----------
        search : MetaSearchCV, AutoClassifier or AutoRegressor
            Fitted.
        family : str, default=None
            Of an Auto estimator: the model family whose settings are shown. None: the family of
            every candidate, and its preprocessing.

        Returns
        -------
        ParallelCoordinatesDisplay
            Of the settings that differ between candidates.

        Raises
        ------
        ValueError
            If no candidate is of the family, or all candidates are alike.
        """
        check_is_fitted(search)
        results, metric = search.cv_results_, metric_of(search)
        params = list(results["params"])
        scores = np.asarray(results[f"mean_test_{metric}"], dtype=float)
        scores = np.where(np.isnan(scores), results["estimate"], scores)
        if hasattr(search, "configurations_"):
            if family is None:
                params = [_frame_of(own) for own in params]
            else:
                rows = [i for i, own in enumerate(params) if own["family"] == family]
                if not rows:
                    known = sorted({own["family"] for own in params})
                    raise ValueError(f"No candidate is of the family {family!r}; got {known}.")
                params, scores = [params[i] for i in rows], scores[rows]
        names = list(dict.fromkeys(name for own in params for name in own))
        columns = {name: [own.get(name) for own in params] for name in names}
        columns = {name: own for name, own in columns.items() if len(set(map(_level, own))) > 1}
        if not columns:
            raise ValueError(
                f"The {len(params)} candidates shown have the same settings; there is nothing to "
                "compare."
            )
        return cls(
            names=[_short_name(name, columns) for name in columns],
            values=list(columns.values()),
            scores=scores,
            metric=metric_label(search, metric),
        )

    def plot(self, ax=None, *, cmap="viridis"):
        """Draw a line per candidate, the best on top.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure by default.
        cmap : str or Colormap, default="viridis"
            Colours of the scores.

        Returns
        -------
        ParallelCoordinatesDisplay
            Itself.

        Raises
        ------
        MissingDependencyError
            If matplotlib is not installed.
        """
        pyplot = import_optional("matplotlib.pyplot", "plot", "ParallelCoordinatesDisplay.plot")
        n_axes = len(self.names) + 1
        if ax is None:
            size = max(6.4, 1.7 * n_axes), 4.8
            _, ax = pyplot.subplots(figsize=size, layout="constrained")
        places, ticks = zip(*map(_scale, [*self.values, list(self.scores)]), strict=True)
        known = np.flatnonzero(np.isfinite(self.scores))
        colors = pyplot.get_cmap(cmap)(places[-1])
        for rank, i in enumerate(known[np.argsort(self.scores[known])]):
            heights = [own[i] for own in places]
            best = rank == len(known) - 1
            ax.plot(
                range(n_axes),
                heights,
                color="black" if best else colors[i],
                linewidth=2.5 if best else 1.2,
                alpha=1 if best else 0.75,
                label="best" if best else None,
            )
        for j, marks in enumerate(ticks):
            ax.axvline(j, color="0.7", linewidth=0.8, zorder=0)
            last = j == n_axes - 1
            for height, text in marks:
                ax.annotate(
                    text,
                    (j, height),
                    xytext=(5 if not last else 6, 0),
                    textcoords="offset points",
                    fontsize="small",
                    va="center",
                    parse_math=False,
                    bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
                )
        ax.set_xticks(range(n_axes), [*self.names, self.metric], parse_math=False)
        ax.set(yticks=[], xlim=(-0.1, n_axes - 0.45), ylim=(-0.06, 1.06))
        for side in ("top", "right", "bottom", "left"):
            ax.spines[side].set_visible(False)
        ax.tick_params(axis="x", length=0)
        ax.legend(loc="upper left", bbox_to_anchor=(0, 1.1), frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _frame_of(params):
    """What pipelines of all families share: the family and the steps before the model."""
    wanted = "preprocessing__"
    return {n: v for n, v in params.items() if n == "family" or n.startswith(wanted)}


def _short_name(name, names):
    end = name.rpartition("__")[2]
    return end if sum(own.rpartition("__")[2] == end for own in names) == 1 else name


def _level(value):
    """The text that tells a value from others."""
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    name = getattr(value, "__name__", None)
    return name or (type(value).__name__ if hasattr(value, "get_params") else str(value))


def _is_number(value):
    number = isinstance(value, int | float | np.number)
    return number and not isinstance(value, bool) and np.isfinite(value)


def _scale(values):
    """Heights in [0, 1] of values, and the marks of their axis: (height, text) each."""
    numbers = [float(value) for value in values if _is_number(value)]
    others = list(dict.fromkeys(_level(v) for v in values if not _is_number(v)))
    if not numbers or len(others) > 1:
        return _levels(values)
    low, high = min(numbers), max(numbers)
    powers = low > 0 and high / low >= _WIDE
    shown = np.log10 if powers else np.asarray
    span = float(shown(high) - shown(low)) or 1.0
    # What is no number has a place of its own below.
    bottom = 0.15 if others and not all(v != v for v in values if not _is_number(v)) else 0.0

    def height(value):
        if not _is_number(value):
            return 0.0 if bottom else np.nan
        if high == low:
            return 0.5 + bottom / 2
        return bottom + (1 - bottom) * float(shown(float(value)) - shown(low)) / span

    at = sorted(set(numbers))
    if len(at) > _MOST_MARKS:
        at = np.linspace(shown(low), shown(high), _MOST_MARKS)
        at = 10**at if powers else at
    marks = [(height(own), f"{own:.3g}") for own in at]
    if bottom:
        marks.append((0.0, others[0]))
    return np.array([height(value) for value in values]), marks


def _levels(values):
    texts = [_level(value) for value in values]
    order = sorted(set(texts))
    place = {text: i / max(1, len(order) - 1) for i, text in enumerate(order)}
    step = -(-len(order) // _MOST_LEVELS)
    marks = [(place[text], text if len(text) < 20 else text[:17] + "...") for text in order[::step]]
    return np.array([place[text] for text in texts]), marks
