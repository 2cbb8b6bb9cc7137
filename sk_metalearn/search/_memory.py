"""A search's own memory: what it found is recorded, and the next one starts from it.

A user's estimator is known by its class, its fixed parameters and the parameters searched, so that
candidates of any estimator are found again on the next dataset.
"""

import hashlib

import numpy as np
from sklearn import __version__ as sklearn_version

from ..exceptions import FallbackWarning, KnowledgeError, SpaceError, warn_user
from ..knowledge import Evaluation, KnowledgeBase, Task
from ..knowledge._records import task_id
from ..spaces import Configuration
from ..strategies import PastPerformance
from ._checkpoint import hash_of_data
from ._point_json import stable_text

__all__ = ["Memory", "memory_of", "metric_name", "stack_past"]

_SOURCE = "own searches"
_PREFIX = "own:"
_STATUS = {
    "ok": "ok",
    "over_limit": "ok",
    "crashed": "crashed",
    "died": "crashed",
    "timeout": "timeout",
    "memory": "memory",
    "invalid": "invalid",
}
# Kept in units of the target's standard deviation, as everywhere in a knowledge base.
_IN_UNITS_OF_Y = (
    "neg_root_mean_squared_error",
    "neg_mean_absolute_error",
    "neg_median_absolute_error",
    "neg_max_error",
)


class Memory:
    """Reads and writes what searches of one kind of candidate have found.

    Parameters
    ----------
    remember : True or KnowledgeBase
        True: the user's own store.
    kind : {"classification", "regression"}
    metric : str
        Name under which scores are kept.
    estimator : estimator or None
        The user's own; None where candidates are configurations of the catalogue.
    """

    def __init__(self, remember, kind, metric, estimator=None):
        self.base = KnowledgeBase.open("user") if remember is True else remember
        self.kind, self.metric = kind, metric
        self.family = None if estimator is None else _family_of(estimator)

    def configurations(self, candidates):
        """Give the identity of each candidate.

        Parameters
        ----------
        candidates : list of dict or of Configuration

        Returns
        -------
        list of Configuration
        """
        if self.family is None:
            return list(candidates)
        return [Configuration(self.family, _plain(params)) for params in candidates]

    def _table(self):
        try:
            return self.base.table(self.kind)
        except KnowledgeError:
            return None

    def known_params(self):
        """Parameters of the candidates of this estimator that were evaluated before.

        Returns
        -------
        list of dict
            Only those whose values are kept as they are.
        """
        table = self._table()
        if table is None or self.family is None:
            return []
        found = []
        for own in table.configurations:
            if own.family == self.family and not any(
                isinstance(value, dict) for value in own.params.values()
            ):
                found.append(dict(own.params))
        return found

    def past(self, candidates):
        """Give what earlier searches found for candidates; None if nothing.

        Parameters
        ----------
        candidates : list of dict or of Configuration

        Returns
        -------
        PastPerformance or None
        """
        table = self._table()
        if table is None or self.metric not in table.metrics:
            return None
        columns = table.columns_of(self.configurations(candidates))
        known = columns >= 0
        scores = np.full((len(table.tasks), len(columns)), np.nan)
        seconds = scores.copy()
        scores[:, known] = table.scores(self.metric)[:, columns[known]]
        seconds[:, known] = table.seconds[:, columns[known]]
        failed = np.zeros_like(scores, dtype=bool)
        failed[:, known] = table.status[:, columns[known]] > 1
        rows = np.isfinite(scores).sum(axis=1) > 1
        if not rows.any():
            return None
        # A failure is as bad as the worst that was seen on the task.
        worst = np.nanmin(scores[rows], axis=1, keepdims=True)
        scores = np.where(failed[rows] & np.isnan(scores[rows]), worst, scores[rows])
        return PastPerformance(
            scores=scores,
            seconds=seconds[rows],
            tasks=tuple(table.tasks[i].name for i in np.flatnonzero(rows)),
            metafeatures=table.metafeatures[rows],
            metafeature_names=table.metafeature_names,
        )

    def record(self, X, y, schema, trials, candidates, guide, metafeatures=None, name=None):
        """Record a finished search.

        Parameters
        ----------
        X, y : array-like
            Only a hash of them is kept, which tells the same data when they come again.
        schema : Schema
        trials : list of Trial
        candidates : list of dict or of Configuration
            Of the trials.
        guide : callable
            Reads the score from a fold's result.
        metafeatures : mapping of str to float, optional
        name : str, optional
            Of the dataset.
        """
        content = task_id("own", hash_of_data(X, y), self.kind)
        name = name or f"own-{content}"
        task = Task(
            id=content,
            name=name,
            kind=self.kind,
            family=name,
            n_rows=schema.n_rows,
            n_features=schema.n_features,
            n_classes=schema.n_classes,
            source=_SOURCE,
        )
        unit = 1.0
        if self.metric in _IN_UNITS_OF_Y:
            unit = float(np.std(np.asarray(y, dtype=float))) or 1.0
        configurations, evaluations = [], []
        for trial, configuration in zip(trials, self.configurations(candidates), strict=True):
            if trial.status not in _STATUS:
                continue
            results = [trial.folds[fold] for fold in sorted(trial.folds)]
            scores = tuple(float(guide(result)) / unit for result in results)
            configurations.append(configuration)
            evaluations.append(
                Evaluation(
                    task=content,
                    configuration=configuration.id,
                    status=_STATUS[trial.status],
                    metrics={self.metric: scores} if trial.status in ("ok", "over_limit") else {},
                    fit_seconds=tuple(result.fit_seconds for result in results),
                    predict_seconds=tuple(result.score_seconds for result in results),
                    reason=trial.failure.strip().splitlines()[-1][:200] if trial.failure else "",
                    versions={"scikit-learn": sklearn_version},
                    source=_SOURCE,
                )
            )
        unique = {own.id: own for own in configurations}
        first = {own.configuration: own for own in reversed(evaluations)}
        self.base.record(task, list(first.values()), metafeatures, unique.values())


def memory_of(remember, kind, metric, estimator=None, searched=()):
    """Give the memory that a search asks for; None if it asks for none or cannot have one."""
    if not isinstance(remember, KnowledgeBase) and not remember:
        return None
    if not kind:
        warn_user(
            "Only searches over classifiers and regressors can be remembered; this one is not.",
            FallbackWarning,
        )
        return None
    remember = remember if isinstance(remember, KnowledgeBase) else True
    return Memory(remember, kind, metric, estimator)


def metric_name(scoring, kind):
    """Give the name under which the scores of a search are kept."""
    if scoring is None:
        return "accuracy" if kind == "classification" else "r2"
    return scoring if isinstance(scoring, str) else f"own:{stable_text(scoring)}"


def stack_past(first, second):
    """Put the tasks of two pasts over the same candidates under each other.

    Parameters
    ----------
    first, second : PastPerformance or None

    Returns
    -------
    PastPerformance or None
    """
    if first is None or second is None:
        return first if second is None else second
    names = list(first.metafeature_names)
    theirs = {name: i for i, name in enumerate(second.metafeature_names)}
    aligned = np.full((len(second.scores), len(names)), np.nan)
    for j, name in enumerate(names):
        if name in theirs:
            aligned[:, j] = second.metafeatures[:, theirs[name]]

    def column(own, past):
        return np.full(len(past.scores), np.nan) if own is None else own

    def table(own, past, fill):
        return np.full(past.scores.shape, fill) if own is None else own

    return PastPerformance(
        scores=np.vstack([first.scores, second.scores]),
        seconds=np.vstack(
            [table(first.seconds, first, np.nan), table(second.seconds, second, np.nan)]
        ),
        spread=np.vstack([table(first.spread, first, 0.0), table(second.spread, second, 0.0)]),
        correlation=second.correlation if first.correlation is None else first.correlation,
        baseline=np.concatenate([column(first.baseline, first), column(second.baseline, second)]),
        tasks=first.tasks + second.tasks,
        metafeatures=np.vstack([first.metafeatures, aligned]),
        metafeature_names=first.metafeature_names,
    )


def _family_of(estimator):
    text = stable_text(estimator)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    steps = getattr(estimator, "steps", None)
    last = estimator if steps is None else steps[-1][1]
    return f"{_PREFIX}{type(last).__qualname__}:{digest}"


def _plain(params):
    """Parameters in the types of a configuration; objects by their text."""
    plain = {}
    for name, value in params.items():
        try:
            Configuration("", {name: value})
            plain[name] = value
        except SpaceError:
            plain[name] = {"text": stable_text(value)}
    return plain
