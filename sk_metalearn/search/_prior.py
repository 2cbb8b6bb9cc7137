"""What past tasks say about the candidates of a search."""

from dataclasses import dataclass, field

import numpy as np

from ..exceptions import KnowledgeError
from ..spaces._match import match_candidates
from ..strategies import PastPerformance

__all__ = ["Prior", "past_performance"]


@dataclass(frozen=True)
class Prior:
    """The past in the order of the candidates, and how it was found.

    Parameters
    ----------
    past : PastPerformance or None
        None where nothing is known.
    matches : list
        A `Match` per candidate.
    report : dict
        For ``knowledge_report_``.
    """

    past: PastPerformance | None = None
    matches: list = field(default_factory=list)
    report: dict = field(default_factory=dict)


def past_performance(estimator, candidates, schema, kind, metric, knowledge, X=None, y=None):
    """Gather the past performance of a user's candidates.

    Parameters
    ----------
    estimator : estimator
    candidates : list of dict
        Parameters for its `set_params`.
    schema : Schema
    kind : {"classification", "regression"}
    metric : str, callable or None
    knowledge : KnowledgeBase
    X, y : array-like, optional
        Tell whether values are missing and scaled.

    Returns
    -------
    Prior
    """
    try:
        table = knowledge.table(kind)
    except KnowledgeError as error:
        return Prior(report={"why": str(error)})
    name, exact = table.nearest_metric(metric)
    matches = match_candidates(estimator, candidates, schema, kind, X, y)
    columns = np.array(
        [-1 if m.kind != "exact" else table.columns_of([m.configuration])[0] for m in matches],
        dtype=int,
    )
    known = columns >= 0
    report = {"metric": name, "metric is exact": exact, "matches": dict(matches.counts)}
    if not known.any():
        return Prior(None, list(matches), report)
    scores = np.full((len(table.tasks), len(candidates)), np.nan)
    seconds = scores.copy()
    scores[:, known] = table.scores(name, failures="dummy")[:, columns[known]]
    seconds[:, known] = table.seconds[:, columns[known]]
    past = PastPerformance(
        scores=scores,
        seconds=seconds,
        baseline=table.baseline(name),
        tasks=tuple(task.name for task in table.tasks),
        metafeatures=table.metafeatures,
        metafeature_names=table.metafeature_names,
    )
    return Prior(past, list(matches), report)
