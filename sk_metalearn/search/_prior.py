"""What past tasks say about a user's own candidates."""

from dataclasses import dataclass, field

import numpy as np

from ..exceptions import KnowledgeError
from ..knowledge._performance_model import family_model
from ..knowledge._seconds import predict_seconds
from ..spaces._match import match_candidates
from ..strategies import PastPerformance

__all__ = ["Prior", "past_performance", "performance_of"]

# Where the asked metric needs probabilities that a family does not give.
_WITHOUT_PROBABILITIES = ("roc_auc_ovr", "accuracy")
# What the catalogue does not cover adds this share of a task's spread to that of a prediction.
_DIFFERENCE = 0.5


@dataclass(frozen=True)
class Prior:
    """The past in the order of the candidates, and how it was found.

    Parameters
    ----------
    past : PastPerformance or None
        None where nothing is known.
    matches : Matches
        A `Match` per candidate.
    seconds : ndarray of shape (n_candidates,) or None
        Predicted CPU seconds of one fit and its predictions on the task at hand.
    report : dict
        ``matches`` (number of candidates by kind of match: ``"exact"``, a member of the pool;
        ``"same"``, predicted by the performance model of its family; ``"other"``, predicted from
        the nearest point that the catalogue has, with a wider spread; ``"unknown"``),
        ``families`` (by model family), ``reasons`` (by what the catalogue does not cover),
        ``reliability`` (share of the variance within a task that a family's model explains at
        points left out), ``metric`` (of the past scores), ``metric_is_exact`` (whether it orders
        candidates as the metric asked for), ``tasks`` and ``task_families`` (past tasks used and
        the dataset families that they belong to); ``why`` nothing is known.
    """

    past: PastPerformance | None
    matches: tuple
    seconds: np.ndarray | None = None
    report: dict = field(default_factory=dict)

    def __iter__(self):
        return iter((self.past, self.report))


def past_performance(estimator, candidates, schema, kind, metric, knowledge, X=None, y=None):
    """Give the past performance of a user's candidates.

    Candidates in the pool have the scores measured, others those that the performance model of
    their family predicts for each past task.

    Parameters
    ----------
    estimator : estimator
        The user's own, bare or a pipeline.
    candidates : sequence of dict
        Parameters for its `set_params`.
    schema : Schema
        Of the data at hand.
    kind : {"classification", "regression"}
    metric : str, callable or None
        Scoring of the search; None for the estimator's own `score`.
    knowledge : KnowledgeBase
    X, y : array-like, optional
        The data at hand; they tell whether values are missing, columns are scaled already, and
        how large the target is.

    Returns
    -------
    Prior
        Unpacks into the `PastPerformance` (a row per past task, a column per candidate; None if
        nothing is known of any candidate) and the report.
    """
    matches = match_candidates(estimator, candidates, schema, kind, X, y)
    report = {
        "matches": matches.counts,
        "families": matches.families,
        "reasons": matches.reasons,
    }
    try:
        table = knowledge.table(kind)
    except KnowledgeError as error:
        return Prior(None, matches, report={**report, "why": str(error)})
    configurations = [match.configuration for match in matches]
    known = sum(own is not None for own in configurations)
    if not known:
        why = next(iter(matches.reasons), "there are no candidates")
        return Prior(None, matches, report={**report, "why": why})
    differs = np.array([match.kind == "other" for match in matches])
    name, exact = table.nearest_metric(metric)
    size = {"n_features": schema.n_features, "variance": _variance(X, schema)}
    past = performance_of(configurations, name, table, differs, **size)
    for other in _WITHOUT_PROBABILITIES:
        if 2 * np.isfinite(past.scores).any(axis=0).sum() >= known:
            break
        if other not in table.metrics:
            continue
        name, exact = other, False
        past = performance_of(configurations, name, table, differs, **size)
    rows = np.flatnonzero(np.isfinite(past.scores).any(axis=1))
    if not len(rows):
        return Prior(None, matches, report={**report, "why": _nothing(matches.families, table)})
    models = {family: family_model(table, family, name) for family in matches.families}
    report.update(
        reliability={f: round(model.reliability, 3) for f, model in models.items() if model},
        metric=name,
        metric_is_exact=exact,
        tasks=len(rows),
        task_families=len({table.tasks[i].family for i in rows}),
    )
    return Prior(past, matches, predict_seconds(configurations, schema, table), report)


def _nothing(families, table):
    columns = [own.family in families for own in table.configurations]
    n_tasks = int(np.isfinite(table.seconds[:, columns]).any(axis=1).sum())
    which = " or ".join(families)
    if not n_tasks:
        return f"no past task was measured with {which}"
    return f"{n_tasks} of {len(table.tasks)} past tasks were measured with {which}: too few"


def _variance(X, schema):
    """Variance of the numbers in X, which the width of a kernel without scaling refers to."""
    if X is None or schema.sparse or len(schema.numeric) < schema.n_features:
        return 1.0
    if schema.container == "pandas":
        X = X.to_numpy(dtype=float, na_value=np.nan)
    numbers = np.asarray(X, dtype=float)
    return float(np.nanvar(numbers[:: max(1, len(numbers) // 2000)])) or 1.0


def performance_of(configurations, metric, table, differs=None, n_features=None, variance=1.0):
    """Give the past performance of configurations, measured or predicted.

    Parameters
    ----------
    configurations : sequence of Configuration or None
        None has a column of NaN.
    metric : str
        One of the table's metrics.
    table : PerformanceTable
    differs : ndarray of shape (n_configurations,), dtype bool, optional
        Which of them only come near to what is meant; their spread is wider.
    n_features : int, optional
        Columns of the task that they are meant for.
    variance : float, default=1.0
        Mean variance of its columns.

    Returns
    -------
    PastPerformance
        The cells not measured are filled in where the task knows the family.
    """
    shape = len(table.tasks), len(configurations)
    differs = np.zeros(shape[1], dtype=bool) if differs is None else differs
    scores, seconds, spread = (np.full(shape, np.nan) for _ in range(3))
    places = [i for i, own in enumerate(configurations) if own is not None]
    columns = table.columns_of([configurations[i] for i in places])
    position = dict(zip(places, columns, strict=True))
    correlation, families = np.eye(shape[1]), {}
    for i in places:
        families.setdefault(configurations[i].family, []).append(i)
    measured = table.scores(metric, failures="dummy")
    for family, members in families.items():
        model = family_model(table, family, metric)
        if model is None:
            continue
        own = model.place([configurations[i] for i in members], n_features, variance)
        scores[:, members], spread[:, members] = model.predict(own)
        seconds[:, members] = model.predict_seconds(own)
        correlation[np.ix_(members, members)] = model.correlation(own)
        for i in members:
            if position[i] >= 0:
                there = np.isfinite(measured[:, position[i]])
                scores[there, i], spread[there, i] = measured[there, position[i]], 0.0
                times = table.seconds[:, position[i]]
                seconds[:, i] = np.where(np.isfinite(times), times, seconds[:, i])
    if differs.any():
        width = np.nanstd(np.where(np.isfinite(scores), scores, np.nan), axis=1, keepdims=True)
        spread[:, differs] = np.hypot(spread[:, differs], _DIFFERENCE * width)
    return PastPerformance(
        scores=scores,
        seconds=seconds,
        spread=spread,
        correlation=correlation,
        baseline=table.baseline(metric),
        tasks=tuple(task.name for task in table.tasks),
        metafeatures=table.metafeatures,
        metafeature_names=table.metafeature_names,
    )
