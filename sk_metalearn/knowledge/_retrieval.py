"""Finding past tasks like the one at hand, by their meta-features, with reasons."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import nnls
from scipy.stats import rankdata
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from .._compat import Interval, StrOptions, _fit_context
from ..exceptions import KnowledgeError
from ._records import Task
from ._table import PerformanceTable

__all__ = ["DatasetRetriever", "Neighbor", "find_neighbors"]

# Pairs of tasks that a distance is learned from.
_MAX_PAIRS = 50_000
# Candidates beyond those asked for whose distance is computed exactly.
_MARGIN = 32
_REASONS = 3


@dataclass(frozen=True)
class Neighbor:
    """A past task near a dataset.

    Parameters
    ----------
    task : Task
        As the knowledge base has it.
    distance : float
        On the scale of the retriever: 0 for the same meta-features, about 0.4 for two tasks
        drawn at random.
    reasons : tuple of str
        The meta-features that make it near, and what speaks against it.
    """

    task: Task
    distance: float
    reasons: tuple[str, ...] = ()

    def __str__(self):
        return f"{self.task.name} (distance {self.distance:.3f}): {'; '.join(self.reasons)}"


class DatasetRetriever(BaseEstimator):
    """Nearest past tasks by meta-features.

    Each meta-feature is replaced by its rank among the past tasks, in [0, 1], so that no unit and
    no outlier rules the distance; a missing value lies in the middle. Distances are divided by
    the number of meta-features.

    Parameters
    ----------
    n_neighbors : int, default=5
        How many past tasks `kneighbors` gives.
    metric : {"euclidean", "manhattan", "learned"}, default="euclidean"
        ``"learned"`` gives each meta-feature the weight with which its differences best predict
        how differently two past tasks rank the configurations.
    random_state : int, RandomState instance or None, default=0
        Draws the pairs of tasks that weights are learned from.

    Attributes
    ----------
    weights_ : ndarray of shape (n_metafeatures,)
        Weight of each meta-feature; they sum to 1.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_metafeatures,)
        Only when fitted on named columns.
    n_samples_fit_ : int
        Number of past tasks.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_metalearn.knowledge import DatasetRetriever
    >>> past = np.array([[100.0, 4.0], [5000.0, 80.0], [120.0, 5.0]])
    >>> retriever = DatasetRetriever(n_neighbors=2).fit(past)
    >>> retriever.kneighbors([[110.0, 5.0]], return_distance=False)
    array([[2, 0]])
    """

    _parameter_constraints = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "metric": [StrOptions({"euclidean", "manhattan", "learned"})],
        "random_state": ["random_state"],
    }

    def __init__(self, n_neighbors=5, *, metric="euclidean", random_state=0):
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Take in the past tasks.

        Parameters
        ----------
        X : PerformanceTable, or array-like of shape (n_tasks, n_metafeatures)
            Meta-features of the past tasks, NaN where undefined.
        y : array-like of shape (n_tasks, n_configurations), default=None
            Scores, NaN where unknown; used by ``metric="learned"`` only. From a table its own
            accuracy or R2 is taken.

        Returns
        -------
        self
            The retriever itself.
        """
        if isinstance(X, PerformanceTable):
            if y is None and self.metric == "learned":
                y = X.scores(X.nearest_metric(None)[0])
            self.feature_names_in_ = np.asarray(X.metafeature_names, dtype=object)
            X = X.metafeatures
            self.n_features_in_ = X.shape[1]
        else:
            X = validate_data(self, X, ensure_all_finite="allow-nan", dtype=np.float64)
        if X.shape[1] == 0 or X.shape[0] == 0:
            raise KnowledgeError(
                f"No past task can be retrieved from {X.shape[0]} tasks with {X.shape[1]} "
                "meta-features."
            )
        self.n_samples_fit_ = len(X)
        self._sorted = [np.sort(column[np.isfinite(column)]) for column in X.T]
        places = np.full(X.shape, 0.5)
        for own, column in zip(places.T, X.T, strict=True):
            known = np.isfinite(column)
            if known.any():
                own[known] = (rankdata(column[known]) - 0.5) / known.sum()
        self.weights_ = np.full(X.shape[1], 1 / X.shape[1])
        if self.metric == "learned":
            self.weights_ = self._learn(places, y)
        self._scale = self.weights_ if self.metric == "manhattan" else np.sqrt(self.weights_)
        self._points = np.ascontiguousarray(places * self._scale, dtype=np.float32)
        self._norms = np.einsum("ij,ij->i", self._points, self._points)
        return self

    def _places(self, X):
        """Give each value its rank among the past tasks, in [0, 1]; 0.5 if it is missing."""
        places = np.full(X.shape, 0.5)
        for k, column in enumerate(self._sorted):
            if len(column):
                below = np.searchsorted(column, X[:, k], side="left")
                upto = np.searchsorted(column, X[:, k], side="right")
                known = np.isfinite(X[:, k])
                places[known, k] = (below + upto)[known] / (2 * len(column))
        return places

    def _learn(self, places, y):
        if y is None:
            raise KnowledgeError(
                "metric='learned' needs y, the scores of configurations on past tasks; got None."
            )
        y = np.asarray(y, dtype=float)
        if y.ndim != 2 or len(y) != len(places):
            raise KnowledgeError(
                f"y must have a row per task, ({len(places)}, n_configurations); got {y.shape}."
            )
        usable = np.flatnonzero(np.isfinite(y).sum(axis=1) > 2)
        if len(usable) < 3:
            raise KnowledgeError("metric='learned' needs scores on at least three past tasks.")
        profile = rankdata(y[usable], axis=1, nan_policy="omit")
        profile -= np.nanmean(profile, axis=1, keepdims=True)
        profile = np.where(np.isfinite(profile), profile, 0.0)
        profile /= np.maximum(np.linalg.norm(profile, axis=1, keepdims=True), 1e-12)
        first, second = self._pairs(len(usable))
        unlike = 1 - np.einsum("ij,ij->i", profile[first], profile[second])
        apart = (places[usable[first]] - places[usable[second]]) ** 2
        design = np.column_stack([apart, np.ones(len(apart))])
        # Normal equations with a small ridge: the pairs are many, the meta-features few.
        gram = design.T @ design + 1e-5 * len(design) * np.eye(design.shape[1])
        factor = cholesky(gram, lower=True)
        target = solve_triangular(factor, design.T @ unlike, lower=True)
        weights = nnls(factor.T, target)[0][:-1]
        total = weights.sum()
        return weights / total if total > 0 else np.full(len(weights), 1 / len(weights))

    def _pairs(self, n):
        if n * (n - 1) // 2 <= _MAX_PAIRS:
            return np.triu_indices(n, 1)
        rng = check_random_state(self.random_state)
        first = rng.randint(n, size=_MAX_PAIRS)
        return first, (first + rng.randint(1, n, size=_MAX_PAIRS)) % n

    def kneighbors(self, X=None, n_neighbors=None, return_distance=True):
        """Find the nearest past tasks of each row.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_metafeatures), default=None
            Meta-features of the datasets at hand. None: the past tasks themselves, each without
            itself.
        n_neighbors : int, default=None
            Default: the one given to the constructor.
        return_distance : bool, default=True
            Whether to give the distances too.

        Returns
        -------
        distances : ndarray of shape (n_queries, n_neighbors)
            Only if `return_distance`.
        indices : ndarray of shape (n_queries, n_neighbors)
            Rows of what was fitted, nearest first.
        """
        check_is_fitted(self, "_points")
        n_neighbors = self.n_neighbors if n_neighbors is None else n_neighbors
        itself = X is None
        most = self.n_samples_fit_ - itself
        if not 1 <= n_neighbors <= most:
            raise ValueError(f"n_neighbors must be from 1 to {most}; got {n_neighbors}.")
        if itself:
            queries = self._points
        else:
            X = validate_data(self, X, reset=False, ensure_all_finite="allow-nan", dtype=np.float64)
            queries = (self._places(X) * self._scale).astype(np.float32)
        distances = np.empty((len(queries), n_neighbors))
        indices = np.empty((len(queries), n_neighbors), dtype=np.intp)
        for i, query in enumerate(queries):
            near, apart = self._nearest(query, n_neighbors + itself)
            if itself:
                other = near != i
                near, apart = near[other], apart[other]
            indices[i], distances[i] = near[:n_neighbors], apart[:n_neighbors]
        return (distances, indices) if return_distance else indices

    def _nearest(self, query, n_neighbors):
        """Give the rows of the nearest points and their distances, ties by row."""
        points, manhattan = self._points, self.metric == "manhattan"
        if manhattan:
            rough = np.abs(points - query).sum(axis=1)
        else:
            rough = self._norms - 2 * (points @ query)
        wanted = min(n_neighbors + _MARGIN, len(points))
        near = np.argpartition(rough, wanted - 1)[:wanted] if wanted < len(points) else None
        near = np.arange(len(points)) if near is None else near
        gap = points[near].astype(float) - query
        apart = np.abs(gap).sum(axis=1) if manhattan else np.sqrt((gap**2).sum(axis=1))
        order = np.lexsort((near, apart))[:n_neighbors]
        return near[order], apart[order]

    def explain(self, x, index):
        """Say why a past task is near a dataset.

        Parameters
        ----------
        x : array-like of shape (n_metafeatures,)
            Meta-features of the dataset.
        index : int
            Row of the past task.

        Returns
        -------
        list of (int, float)
            Meta-features by position, each with how much nearer it brings the two than past
            tasks are on average (negative: it sets them apart), greatest first.
        """
        check_is_fitted(self, "_points")
        query = self._places(np.asarray(x, dtype=float).reshape(1, -1))[0] * self._scale
        own = np.abs(self._points[index] - query)
        # A rank q is on average q**2 - q + 1/2 away from uniform ranks, squared q**2 - q + 1/3.
        rank = np.divide(query, self._scale, out=np.full(len(query), 0.5), where=self._scale > 0)
        if self.metric == "manhattan":
            gain = self._scale * (rank**2 - rank + 0.5) - own
        else:
            gain = self.weights_ * (rank**2 - rank + 1 / 3) - own**2
        order = np.argsort(-gain, kind="stable")
        return [(int(k), float(gain[k])) for k in order]


def find_neighbors(base, X, y, metafeatures, kind, n_neighbors):
    """Do the work of `KnowledgeBase.neighbors`."""
    kind = kind or _tell_kind(base, y)
    table = base.table(kind, next(iter(base.fidelities(kind)), "main"))
    if X is None and metafeatures is None:
        raise KnowledgeError("neighbors() needs X (and y), or metafeatures=; got neither.")
    names = _names(table, metafeatures)
    if metafeatures is None:
        from ..metafeatures import MetaFeatureExtractor

        metafeatures = MetaFeatureExtractor(groups=list(names)).extract(X, y, kind)
    retriever, rows = base._retriever(kind, names)
    x = np.array([metafeatures[name] for name in names], dtype=float)
    n_neighbors = min(n_neighbors, len(rows))
    distances, indices = retriever.kneighbors(x[None], n_neighbors)
    found = []
    for distance, index in zip(distances[0], indices[0], strict=True):
        row = rows[index]
        theirs = table.metafeatures[row][[table.metafeature_names.index(name) for name in names]]
        reasons = _reasons(retriever, x, index, theirs, names)
        found.append(Neighbor(table.tasks[row], float(distance), reasons))
    return found


def _tell_kind(base, y):
    if len(base.kinds) == 1:
        return base.kinds[0]
    if y is None:
        raise KnowledgeError("Without y, say kind='classification' or kind='regression'.")
    from ..metafeatures import tell_kind

    return tell_kind(y)


def _names(table, metafeatures):
    """Choose the meta-features to compare by: those given, else the extractor's default set."""
    stored = table.metafeature_names
    if metafeatures is not None:
        names = [name for name in stored if name in metafeatures]
    else:
        from ..metafeatures import MetaFeatureExtractor

        default = set(MetaFeatureExtractor().feature_names(table.kind))
        names = [name for name in stored if name in default] or list(stored)
    if not names:
        raise KnowledgeError(
            f"No meta-feature to compare by: the base stores {len(stored)} "
            f"({', '.join(stored[:5])}, ...), given were {sorted(metafeatures or {})[:5]}."
        )
    return tuple(names)


def _reasons(retriever, x, index, theirs, names):
    explained = retriever.explain(x, index)
    reasons = [
        f"{names[k]} {theirs[k]:.4g}, here {x[k]:.4g}"
        for k, gain in explained[:_REASONS]
        if gain > 0
    ]
    worst, gain = explained[-1]
    if gain < 0 and np.isfinite(theirs[worst]) and np.isfinite(x[worst]):
        reasons.append(f"but {names[worst]} {theirs[worst]:.4g}, here {x[worst]:.4g}")
    return tuple(reasons)
