"""The third step of a search: what past tasks say of these choices here.

One policy: whatever goes wrong with the past is reported and costs the search nothing.
"""

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..exceptions import FallbackWarning, KnowledgeError, KnowledgeWarning, warn_user
from ..knowledge import KnowledgeBase
from ..metafeatures import MetaFeatureExtractor
from ..spaces import build_model, get_family, is_fitted_by_output, point_key, unwrap
from ..strategies import PastPerformance, similar_tasks
from ._memory import Memory, memory_of, metric_name, stack_past
from ._own_families import is_own
from ._own_steps import set_apart
from ._past_lookup import past_performance
from ._report import SearchReport

__all__ = [
    "Past",
    "ask_the_past",
    "check_knowledge",
    "measure",
    "name_similar",
    "open_knowledge",
    "remember",
]

# So many of the past tasks that guide a search are named.
_N_NAMED = 5
# So many tasks of one's own speak for an estimator better than what the catalogue has near it.
_ENOUGH = 3
# Of several outputs at most so many are measured.
_OUTPUTS = 5
# What guides a search for a metric of several labels: that of one label, of both of its classes.
_OF_ONE_LABEL = {None: "f1_macro", "f1_micro": "f1_macro", "f1_samples": "f1_macro"}
_NOT_IID = ("Group", "TimeSeries", "LeavePGroups", "Predefined")


@dataclass(frozen=True)
class Past:
    """What is known of the choices of a search before its first candidate runs.

    Parameters
    ----------
    points : list of dict
        Those of the choices, and further ones that earlier searches tried.
    performance : PastPerformance or None
        A column per point; None where nothing is known.
    seconds : ndarray of shape (n_points,) or None
        Predicted CPU seconds of one fit and its predictions.
    metafeatures : dict of str to float or None
        Of the task at hand.
    expected : ndarray of shape (n_points,) or None
        Mean score of each point on the past tasks, by how like the task at hand they are.
    memory : Memory or None
        Where the finished search is recorded.
    metric : str
        Of the past scores.
    report : SearchReport
        For the user; what the search finds is added at its end.
    """

    points: list
    performance: PastPerformance | None
    seconds: np.ndarray | None
    metafeatures: dict | None
    expected: np.ndarray | None
    memory: Any
    metric: str
    report: SearchReport


def ask_the_past(problem, choices, options):
    """Gather what past tasks say, and say where they have nothing to say.

    Parameters
    ----------
    problem : Problem
    choices : Choices
    options : SearchOptions

    Returns
    -------
    Past
    """
    kind, scoring = problem.kind, _known_metric(options.scoring, problem.objective.name)
    of_labels = kind == "classification" and problem.n_outputs > 1
    if of_labels and (scoring is None or isinstance(scoring, str)):
        scoring = _OF_ONE_LABEL.get(scoring, scoring)
    report = SearchReport(used=False, kind=kind, whole_pipelines=choices.estimator is None)
    silent, faults = "", []
    memory = base = performance = seconds = metafeatures = expected = None
    memories, points = [], choices.points
    with _noting(faults, "What earlier searches found cannot be read"):
        memory = _open_memory(problem, choices, options, scoring)
        memories += [] if memory is None else [memory]
    if options.knowledge is None:
        silent = "none was asked for"
    elif problem.no_past:
        silent = problem.no_past
    else:
        with _noting(faults, "Past tasks cannot be read"):
            base = open_knowledge(options.knowledge)
            memories += _memories_in(base, memory, problem, choices, options, scoring)
    with _noting(faults, "What earlier searches found cannot be read"):
        points = [*points, *_remembered(memories, choices)]
    if base is not None:
        with _noting(faults, "Past tasks cannot be read"):
            found = past_performance(
                choices.match(points), kind, scoring, base, problem.schema, choices.place
            )
            performance, seconds = found.past, _of_all_outputs(found.seconds, problem, choices)
            silent = found.report.pop("why", "")
            report.update(found.report)
            if of_labels:
                report["metric_is_exact"] = False
    if memories:
        with _noting(faults, "What earlier searches found cannot be read"):
            own = _own_past(memories, memory, choices, points)
            performance = _join(performance, own, memories[0].metric, report)
    if performance is not None and len(problem.steps) > 1:
        performance = set_apart(performance, points)
    if performance is not None or memory is not None:
        X, columns = problem.table
        metafeatures = measure(X, problem.y, kind, columns)
    if performance is not None:
        with _noting(faults, "Past tasks like this one cannot be named"):
            rows, weights = similar_tasks(performance, metafeatures)
            expected = _weighted_mean(performance.scores[rows], weights)
            report["similar"] = name_similar(performance.tasks, rows, weights, _N_NAMED)
            report["advice"] = _advice(report["similar"], performance.scores[rows], points, choices)
        _warn_if_not_iid(options.cv, problem.split_params.get("groups"))
    report["used"], report["candidates"] = performance is not None, len(points)
    if faults or silent:
        report["why"] = "; ".join([*faults, *([silent] if silent else [])])
    if faults or (performance is None and memory is None and options.knowledge is not None):
        warn_user(
            f"Past tasks cannot guide this search as they might: {report['why']}. It goes on "
            "without them; knowledge=None says so beforehand.",
            FallbackWarning,
        )
    return Past(
        points=points,
        performance=performance,
        seconds=seconds,
        metafeatures=metafeatures,
        expected=expected,
        memory=memory,
        metric=report.get("metric") or problem.objective.name,
        report=report,
    )


def _own_past(memories, memory, choices, points):
    """Stack what memories hold of points; the one that records knows them as twins, too."""
    names, own = [choices.identity(point) for point in points], None
    for known in memories:
        twins = _twins(choices, points) if known is memory else None
        own = stack_past(own, known.past(names, twins))
    return own


def _join(performance, own, metric, report):
    """Put one's own past beside that of the catalogue, or in its place; note how much it is."""
    report["own_tasks"] = 0 if own is None else len(own.tasks)
    if performance is None or own is None:
        return own if performance is None else performance
    matches = report["matches"]
    if len(own.tasks) >= _ENOUGH and not matches["exact"] + matches["same"]:
        # The catalogue knows something like the estimator; these tasks know itself.
        report.update(tasks=0, task_families=0, metric=metric, metric_is_exact=True)
        return own
    # Scores of another metric do not stand in one row with those of this one.
    joined = stack_past(performance, own, report["metric"] == metric)
    report["own_tasks"] = len(joined.tasks) - len(performance.tasks)
    return joined


@contextmanager
def _noting(faults, what):
    """Note a fault in words, and go on."""
    try:
        yield
    except Exception as error:
        faults.append(f"{what} ({type(error).__name__}: {error})")


def name_similar(tasks, rows, weights, n):
    """Name the past tasks that counted most, with their share of the weight of all.

    Parameters
    ----------
    tasks : sequence of str
        Names of the past tasks.
    rows, weights : ndarray of shape (n_tasks_kept,)
        Of `similar_tasks`.
    n : int
        How many.

    Returns
    -------
    list of (str, float)
        None where all count alike.
    """
    if not len(weights) or np.ptp(weights) == 0:
        return []
    pairs = zip(rows[:n], weights, strict=False)
    return [(tasks[row], float(weight)) for row, weight in pairs]


def _advice(similar, scores, points, choices):
    """Which candidate was best on each of the past tasks that are named."""
    found = []
    for (name, weight), own in zip(similar, scores, strict=False):
        if np.isfinite(own).any():
            best = int(np.nanargmax(own))
            found.append(
                {
                    "dataset": name,
                    "weight": weight,
                    "settings": choices.describe(points[best]),
                    "score": float(own[best]),
                }
            )
    return found


def _weighted_mean(scores, weights):
    known = np.isfinite(scores)
    total = (known * weights[:, None]).sum(axis=0)
    sums = np.where(known, scores, 0.0).T @ weights
    return np.where(total > 0, sums / np.where(total > 0, total, 1.0), np.nan)


def _known_metric(scoring, objective):
    """The metric that guides a search, as the knowledge base may know it."""
    if isinstance(scoring, dict):
        return scoring[objective]
    if scoring is None or isinstance(scoring, str) or callable(scoring):
        return scoring
    return objective


def _open_memory(problem, choices, options, scoring):
    """Where the search is recorded; None where it is not to be, or cannot be."""
    kind = "" if problem.no_past or problem.n_outputs > 1 else problem.kind
    return memory_of(
        options.remember,
        kind,
        metric_name(scoring, problem.kind),
        choices.estimator,
        choices.searched,
    )


def _memories_in(base, memory, problem, choices, options, scoring):
    """Read what the knowledge asked for holds of an estimator that the catalogue does not know."""
    if choices.estimator is None or options.knowledge == "bundled":
        return []
    metric = metric_name(scoring, problem.kind)
    own = Memory(base, problem.kind, metric, choices.estimator, choices.searched)
    return [] if memory is not None and memory.shares_store(own) else [own]


def _remembered(memories, choices):
    """Points that earlier searches tried and that lie in the space of this one."""
    if not choices.open_ended:
        return []
    known, found = {point_key(point) for point in choices.points}, {}
    for memory in memories:
        for params in memory.known_params(choices.space):
            if choices.space.contains(params):
                found.setdefault(point_key(params), params)
    return [params for key, params in found.items() if key not in known]


def _twins(choices, points):
    """The candidates of an estimator in the catalogue's words, None where it has none for one."""
    if choices.estimator is None:
        return None
    return [
        match.configuration if match.kind in ("exact", "same") else None
        for match in choices.match(points)
    ]


def measure(X, y, kind, columns=None):
    """Give the meta-features of a task, None if they cannot be had.

    Those of several outputs are the means over the first of them.
    """
    outputs = np.asarray(y).T[:_OUTPUTS] if np.ndim(y) == 2 else [y]
    try:
        extractor = MetaFeatureExtractor(random_state=0)
        found = [extractor.extract(X, own, kind, columns) for own in outputs]
    except Exception:
        return None
    return {name: _mean_known([own[name] for own in found]) for name in found[0]}


def _mean_known(values):
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else np.nan


def _of_all_outputs(seconds, problem, choices):
    """Predicted seconds of fits of one output, for as many as a family needs."""
    if seconds is None or problem.n_outputs == 1:
        return seconds
    n_fits = {}
    for point in choices.points:
        name = point["family"]
        if name not in n_fits:
            model = build_model(get_family(name, problem.kind), {}, problem.schema)
            alone = is_fitted_by_output(unwrap(model).model)
            n_fits[name] = problem.n_outputs if alone else 1
    return seconds * np.array([n_fits[point["family"]] for point in choices.points])


def check_knowledge(knowledge):
    """Raise KnowledgeError if a file is named that is not there.

    Parameters
    ----------
    knowledge : KnowledgeBase, str, path-like or None
    """
    if knowledge is None or isinstance(knowledge, KnowledgeBase):
        return
    name = os.fspath(knowledge)
    if name not in ("bundled", "user") and "://" not in name and not os.path.exists(name):
        raise KnowledgeError(
            f"There is no knowledge base at {name!r}. Give 'bundled', 'user', the path of a file, "
            "the URL of a database, a KnowledgeBase, or None for none."
        )


def open_knowledge(knowledge):
    """Open what the parameter `knowledge` of a search names.

    Parameters
    ----------
    knowledge : KnowledgeBase, str or path-like

    Returns
    -------
    KnowledgeBase

    Raises
    ------
    KnowledgeError
        If it cannot be read.
    """
    if isinstance(knowledge, KnowledgeBase):
        return knowledge
    return KnowledgeBase.bundled() if knowledge == "bundled" else KnowledgeBase.open(knowledge)


def _warn_if_not_iid(cv, groups):
    """Say that the past was measured on shuffled rows where the folds are not made so."""
    name = type(cv).__name__
    if groups is not None or any(part in name for part in _NOT_IID):
        warn_user(
            f"The folds of {name} follow groups or time, while past tasks were measured on folds "
            "of shuffled rows: what they suggest is a weaker guide here.",
            KnowledgeWarning,
        )


def remember(past, problem, choices, trials, at_best_threshold=False):
    """Record a finished search where its memory is; a fault is reported and costs nothing.

    Parameters
    ----------
    past : Past
    problem : Problem
    choices : Choices
    trials : list of Trial
    at_best_threshold : bool, default=False
        Whether each was scored at the threshold that suits it best; then nothing is recorded.
    """
    if past.memory is None:
        return
    if at_best_threshold:
        past.report["not_remembered"] = "scores at tuned thresholds are not scores of the metric"
        return
    if problem.steps:
        past.report["not_remembered"] = "the scores are of pipelines with steps of your own"
        return
    if choices.estimator is None:
        # Nobody else could make anything of an estimator of the user's, and boosting by another
        # loss is another configuration.
        changed = "hist_gradient_boosting" if choices.make.loss else None
        points = [own.proposal.point for own in trials]
        trials = [
            own
            for own, point in zip(trials, points, strict=True)
            if not is_own(point) and point["family"] != changed
        ]
    try:
        past.memory.record(
            problem.X,
            problem.y,
            problem.schema,
            trials,
            [choices.identity(trial.proposal.point) for trial in trials],
            problem.objective,
            past.metafeatures,
        )
    except Exception as error:
        past.report["not_remembered"] = f"{type(error).__name__}: {error}"
        warn_user(
            f"The search could not be recorded for later ones ({past.report['not_remembered']}). "
            "Its results are complete all the same.",
            FallbackWarning,
        )
