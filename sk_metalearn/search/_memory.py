"""A search's own memory: what it found is recorded, and the next one starts from it.

A user's estimator is known by its class and the parameters that its searches leave alone, so that
candidates of any estimator are found again on the next dataset. What the catalogue knows is
recorded under its own name too, where every search that asks the base finds it.
"""

from dataclasses import replace

import numpy as np
from sklearn import __version__ as sklearn_version

from ..exceptions import FallbackWarning, KnowledgeError, warn_user
from ..knowledge import (
    HASHED,
    MAX_FOLDS,
    MAX_NAME,
    OWN_SEARCHES,
    Evaluation,
    KnowledgeBase,
    Status,
    Task,
    estimator_text,
    failure_type,
    kept_settings,
    keyed_hash,
    nearest_metric,
    task_id,
    unnamed,
)
from ..spaces import Categorical, Configuration, match_candidates
from ..strategies import PastPerformance
from ..tables import hash_of_data
from ._point_json import stable_text

__all__ = ["Memory", "memory_of", "metric_name", "stack_past"]

_OWN = "own:"
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
    base : KnowledgeBase
    kind : {"classification", "regression"}
    metric : str
        As `metric_name` gives it.
    estimator : estimator or None, default=None
        The user's own; None where candidates are configurations of the catalogue.
    searched : collection of str, default=()
        Names of its parameters that candidates set.
    name : str, default=""
        Of the dataset at hand.
    """

    def __init__(self, base, kind, metric, estimator=None, searched=(), name=""):
        self.base, self.kind, self.name = base, kind, name
        self.estimator = estimator
        self._metric, self._text = metric, ""
        if estimator is not None:
            self._text = estimator_text(estimator, frozenset(searched), stable_text)

    @property
    def metric(self):
        """Name under which scores are kept; of a scorer of one's own, a hash."""
        if not self._metric.startswith(_OWN):
            return self._metric
        return _OWN + keyed_hash(self.base.secret(), self._metric)

    @property
    def family(self):
        """Name under which the estimator is known; None for the catalogue."""
        if self.estimator is None:
            return None
        steps = getattr(self.estimator, "steps", None)
        last = self.estimator if not steps else steps[-1][1]
        name = type(last).__qualname__[: MAX_NAME // 2]
        return f"{_OWN}{name}:{keyed_hash(self.base.secret(), self._text)}"

    def shares_store(self, other):
        """Tell whether another memory reads the same records.

        Parameters
        ----------
        other : Memory

        Returns
        -------
        bool
        """
        return self.base is other.base or self.base.place == other.base.place is not None

    def configurations(self, candidates):
        """Give the identity of each candidate.

        Parameters
        ----------
        candidates : list of dict or of Configuration

        Returns
        -------
        list of Configuration
        """
        family, secret = self.family, self.base.secret()
        if family is None:
            return list(candidates)
        return [
            Configuration(family, kept_settings(self.estimator, params, secret, stable_text))
            for params in candidates
        ]

    def known_params(self, space=None):
        """Parameters of the candidates of this estimator that were evaluated before.

        Parameters
        ----------
        space : Space, optional
            Its choices tell the values that are kept as hashes only.

        Returns
        -------
        list of dict
            Those whose values are all known; of many, the last.
        """
        family = self.family
        if family is None:
            return []
        values, found = self._choices(space), []
        for own in self.base.configurations_of(family):
            params = {name: _value(values, name, value) for name, value in own.params.items()}
            if not any(isinstance(value, dict) for value in params.values()):
                found.append(params)
        return found

    def _choices(self, space):
        """Values of a space by parameter and hash."""
        values, secret = {}, self.base.secret()
        for name, parameter, _ in space.columns if space is not None else ():
            if isinstance(parameter, Categorical):
                for choice in parameter.choices:
                    kept = kept_settings(self.estimator, {name: choice}, secret, stable_text)
                    if isinstance(kept[name], dict):
                        values[name, kept[name][HASHED]] = choice
        return values

    def past(self, candidates, twins=None):
        """Give what earlier searches found for candidates; None if nothing.

        Parameters
        ----------
        candidates : list of dict or of Configuration
        twins : list of Configuration or None, optional
            The candidates in the catalogue's words, under which searches of other estimators may
            have found them.

        Returns
        -------
        PastPerformance or None
        """
        names = [self.configurations(candidates)] + ([] if twins is None else [twins])
        asked = {own.id: own for part in names for own in part if own is not None}
        table = self.base.table(self.kind, configurations=asked.values())
        metric = self.metric
        if metric not in table.metrics:
            return None
        shape = len(table.tasks), len(candidates)
        scores, seconds = np.full(shape, np.nan), np.full(shape, np.nan)
        failed = np.zeros(shape, dtype=bool)
        for part in names:
            columns = table.columns_of(["" if own is None else own for own in part])
            places = np.flatnonzero(columns >= 0)
            block = np.isnan(scores[:, places]) & ~failed[:, places]
            for found, values in (
                (scores, table.scores(metric)),
                (seconds, table.seconds),
                (failed, table.status > Status.ok),
            ):
                found[:, places] = np.where(block, values[:, columns[places]], found[:, places])
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

    def record(self, X, y, schema, trials, candidates, objective, metafeatures=None, name=None):
        """Record a finished search.

        Parameters
        ----------
        X, y : array-like
            Only a hash of them is kept, which tells the same data when they come again.
        schema : Schema
        trials : list of Trial
        candidates : list of dict or of Configuration
            Of the trials.
        objective : callable
            Reads the score from a fold's result.
        metafeatures : mapping of str to float, optional
        name : str, optional
            Of the dataset. Default: that given to the memory.

        Raises
        ------
        KnowledgeError
            If the store cannot be written.
        """
        # Identities are hashed with the key of the store, which is made here if need be.
        self.base.secret(make=True)
        content = task_id("own", hash_of_data(X, y), self.kind)
        name = name or self.name or unnamed(content)
        task = Task(
            id=content,
            name=name,
            kind=self.kind,
            family=name,
            n_rows=schema.n_rows,
            n_features=schema.n_features,
            n_classes=schema.n_classes,
            source=OWN_SEARCHES,
        )
        unit = 1.0
        if self._metric in _IN_UNITS_OF_Y:
            unit = float(np.std(np.asarray(y, dtype=float))) or 1.0
        configurations, evaluations = {}, {}
        identities = self.configurations(candidates)
        twins = self._in_the_catalogue(X, y, schema, candidates)
        for trial, *names in zip(trials, identities, twins, strict=True):
            if trial.status not in _STATUS:
                continue
            for own in filter(None, names):
                if own.id not in evaluations:
                    configurations[own.id] = own
                    evaluations[own.id] = self._evaluation(content, own, trial, objective, unit)
        self.base.record(task, evaluations.values(), metafeatures, configurations.values())

    def _in_the_catalogue(self, X, y, schema, candidates):
        """Give each candidate in the catalogue's words, None where it has none for it."""
        if self.estimator is None:
            return [None] * len(candidates)
        try:
            matches = match_candidates(self.estimator, candidates, schema, self.kind, X, y)
        except Exception:
            # Whatever an estimator of the user's does when it is looked at costs this record only.
            return [None] * len(candidates)
        return [own.configuration if own.kind in ("exact", "same") else None for own in matches]

    def _evaluation(self, task, configuration, trial, objective, unit):
        results = [trial.folds[fold] for fold in sorted(trial.folds)]
        scores = [float(objective(result)) / unit for result in results]
        fit = [result.fit_seconds for result in results]
        predict = [result.score_seconds for result in results]
        if len(results) > MAX_FOLDS:
            scores, fit, predict = ([sum(own) / len(own)] for own in (scores, fit, predict))
        return Evaluation(
            task=task,
            configuration=configuration.id,
            status=_STATUS[trial.status],
            metrics={self.metric: scores} if trial.status in ("ok", "over_limit") else {},
            fit_seconds=fit,
            predict_seconds=predict,
            reason=failure_type(trial.failure or ""),
            versions={"scikit-learn": sklearn_version},
            source=OWN_SEARCHES,
        )


def _value(values, name, value):
    return values.get((name, value.get(HASHED)), value) if isinstance(value, dict) else value


def memory_of(remember, kind, metric, estimator=None, searched=()):
    """Give the memory that a search asks for; None if it asks for none or cannot have one.

    Parameters
    ----------
    remember : bool, str or KnowledgeBase
        True: the user's own store. Text: the same, and the name of the dataset at hand.
    kind : {"classification", "regression", ""}
        Empty where a search cannot be remembered.
    metric : str
        As `metric_name` gives it.
    estimator : estimator or None, default=None
        The user's own; None where candidates are configurations of the catalogue.
    searched : collection of str, default=()
        Names of its parameters that candidates set: no part of what it is known by, like its
        ``random_state``, ``n_jobs`` and ``verbose``.

    Returns
    -------
    Memory or None

    Raises
    ------
    KnowledgeError
        If the store cannot be opened, or the name is a URL or longer than one may be.
    """
    if not isinstance(remember, KnowledgeBase) and not remember:
        return None
    if not kind:
        warn_user(
            "Only searches over classifiers and regressors of one output can be remembered; this "
            "one is not.",
            FallbackWarning,
        )
        return None
    name = remember if isinstance(remember, str) else ""
    if "://" in name:
        raise KnowledgeError(
            "A text given as remember= is the name of a dataset; it got a URL. To record in a "
            "database give remember=KnowledgeBase.open(URL)."
        )
    if len(name) > MAX_NAME:
        raise KnowledgeError(
            f"The name of a dataset has at most {MAX_NAME} characters; remember= has {len(name)}."
        )
    base = remember if isinstance(remember, KnowledgeBase) else KnowledgeBase.open("user")
    return Memory(base, kind, metric, estimator, searched, name)


def metric_name(scoring, kind):
    """Give the name under which the scores of a search are kept.

    Parameters
    ----------
    scoring : str, callable or None
    kind : {"classification", "regression", ""}

    Returns
    -------
    str
        The name that knowledge has for the metric, or for one that orders candidates as it does;
        ``"own:..."`` for a scorer of one's own.
    """
    if kind:
        name, exact = nearest_metric(scoring, kind)
        if exact:
            return name
    return scoring if isinstance(scoring, str) else f"{_OWN}{stable_text(scoring)}"


def stack_past(first, second, alike=True):
    """Put the tasks of two pasts over the same candidates under each other.

    A task that both know has one row: the first's, in which scores that the second measured take
    the place of predictions.

    Parameters
    ----------
    first, second : PastPerformance or None
    alike : bool, default=True
        Whether their scores are of one metric. If not, nothing is put into a row of the first.

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

    there = _same_tasks(first, second, aligned)
    if (there >= 0).any():
        first = _completed(first, second, there) if alike else first
        kept = np.flatnonzero(there < 0)
        if not len(kept):
            return first
        aligned, second = aligned[kept], _rows_of(second, kept)

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


def _same_tasks(first, second, aligned):
    """Row of the first past of each task of the second, by name and meta-features; -1 if none."""
    known = {}
    for i, name in enumerate(first.tasks):
        known.setdefault(name, []).append(i)
    return np.array(
        [
            next(
                (
                    i
                    for i in known.get(name, ())
                    if np.array_equal(first.metafeatures[i], row, equal_nan=True)
                ),
                -1,
            )
            for name, row in zip(second.tasks, aligned, strict=True)
        ],
        dtype=int,
    )


def _completed(first, second, there):
    """Let the scores of the second past count in the rows of the same tasks of the first."""
    scores, spread, seconds = first.scores.copy(), first.spread, first.seconds
    spread = np.zeros(scores.shape) if spread is None else spread.copy()
    seconds = np.full(scores.shape, np.nan) if seconds is None else seconds.copy()
    for row, i in zip(np.flatnonzero(there >= 0), there[there >= 0], strict=True):
        own = np.isfinite(second.scores[row])
        scores[i, own], spread[i, own] = second.scores[row, own], 0.0
        if second.seconds is not None:
            own &= np.isfinite(second.seconds[row])
            seconds[i, own] = second.seconds[row, own]
    return replace(first, scores=scores, spread=spread, seconds=seconds)


def _rows_of(past, rows):
    def cut(values):
        return None if values is None else values[rows]

    return replace(
        past,
        scores=past.scores[rows],
        seconds=cut(past.seconds),
        spread=cut(past.spread),
        baseline=cut(past.baseline),
        tasks=tuple(past.tasks[i] for i in rows),
        metafeatures=past.metafeatures[rows],
    )
