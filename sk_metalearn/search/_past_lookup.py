"""What past tasks say about the candidates of a search."""

from dataclasses import dataclass, field

import numpy as np

from ..exceptions import KnowledgeError
from ..knowledge import family_model, predict_seconds
from ..spaces import fidelity_pool
from ..strategies import PastPerformance
from ._many_rows import MANY_ROWS, on_many_rows

__all__ = ["Found", "past_performance", "performance_of"]

# Where the asked metric needs probabilities that a family does not give.
_WITHOUT_PROBABILITIES = ("roc_auc_ovr", "accuracy")
# What the catalogue does not cover adds this share of a task's spread to that of a prediction.
_DIFFERENCE = 0.5


@dataclass(frozen=True)
class Found:
    """The past in the order of the candidates, and how it was found.

    Parameters
    ----------
    past : PastPerformance or None, default=None
        A row per past task, a column per candidate; None where nothing is known.
    seconds : ndarray of shape (n_candidates,) or None, default=None
        Predicted CPU seconds of one fit and its predictions on the task at hand.
    report : dict, default={}
        ``matches`` (number of candidates by kind of match: ``"exact"``, a member of the pool;
        ``"same"``, predicted by the performance model of its family; ``"other"``, predicted from
        the nearest point that the catalogue has, with a wider spread; ``"unknown"``),
        ``families`` (by model family), ``reasons`` (by what the catalogue does not cover),
        ``reliability`` (share of the variance within a task that a family's model explains at
        points left out), ``metric`` (of the past scores), ``metric_is_exact`` (whether it orders
        candidates as the metric asked for), ``tasks`` and ``task_families`` (past tasks used and
        the dataset families that they belong to), ``many_rows`` (whether these are large tasks, as
        the data at hand are); ``why`` nothing is known.
    """

    past: PastPerformance | None = None
    seconds: np.ndarray | None = None
    report: dict = field(default_factory=dict)


def past_performance(matches, kind, metric, knowledge, schema, place):
    """Give the past performance of candidates.

    Candidates in the pool have the scores measured, others those that the performance model of
    their family predicts for each past task.

    Parameters
    ----------
    matches : Matches
        A `Match` per candidate.
    kind : {"classification", "regression"}
    metric : str, callable or None
        Scoring of the search; None for the default of the kind.
    knowledge : KnowledgeBase
    schema : Schema
        Of the data at hand.
    place : dict
        Further arguments of `performance_of`.

    Returns
    -------
    Found
    """
    report = {
        "matches": matches.counts,
        "families": matches.families,
        "reasons": matches.reasons,
    }
    configurations = [match.configuration for match in matches]
    try:
        table = knowledge.table_about(kind, configurations)
    except KnowledgeError as error:
        return Found(report={**report, "why": str(error)})
    known = sum(own is not None for own in configurations)
    if not known:
        why = next(iter(matches.reasons), "there are no candidates")
        return Found(report={**report, "why": why})
    if not table.metrics:
        return Found(report={**report, "why": _nothing(matches.families, table)})
    differs = np.array([match.kind == "other" for match in matches])
    name, exact = table.nearest_metric(metric)
    past = performance_of(configurations, name, table, differs, **place)
    for other in _WITHOUT_PROBABILITIES:
        if 2 * np.isfinite(past.scores).any(axis=0).sum() >= known:
            break
        if other not in table.metrics:
            continue
        name, exact = other, False
        past = performance_of(configurations, name, table, differs, **place)
    families = np.array([task.family for task in table.tasks])
    moved = None
    if schema.n_rows >= MANY_ROWS:
        large = knowledge.table(kind, "large", configurations=fidelity_pool(kind))
        moved = on_many_rows(past, configurations, name, table, large)
    if moved is not None:
        past, kept = moved
        families = families[kept]
    rows = np.flatnonzero(np.isfinite(past.scores).any(axis=1))
    if not len(rows):
        return Found(report={**report, "why": _nothing(matches.families, table)})
    models = {family: family_model(table, family, name) for family in matches.families}
    report.update(
        reliability={f: round(model.reliability, 3) for f, model in models.items() if model},
        metric=name,
        metric_is_exact=exact,
        tasks=len(rows),
        task_families=len({*families[rows]}),
        many_rows=moved is not None,
    )
    return Found(past, predict_seconds(configurations, schema, table), report)


def _nothing(families, table):
    columns = [own.family in families for own in table.configurations]
    n_tasks = int(np.isfinite(table.seconds[:, columns]).any(axis=1).sum())
    which = " or ".join(families)
    if not n_tasks:
        return f"no past task was measured with {which}"
    return f"{n_tasks} of {len(table.tasks)} past tasks were measured with {which}: too few"


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
        if model is not None:
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
