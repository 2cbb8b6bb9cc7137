"""The pool and the catalogue as candidates of a search over whole pipelines."""

from dataclasses import dataclass

import numpy as np

from .._compat import needs_probabilities
from ..spaces import (
    Schema,
    Space,
    build_estimator,
    build_model,
    catalogue_space,
    families,
    from_point,
    get_family,
    load_pool,
    to_point,
)
from ._prior import performance_of, predict_seconds

__all__ = ["MakePipeline", "PoolCandidates", "pool_candidates"]


@dataclass
class MakePipeline:
    """Makes the pipeline of a point of the catalogue; travels to the workers."""

    schema: Schema
    seed: int

    def __call__(self, point):
        return build_estimator(from_point(point), self.schema, self.seed), None


@dataclass(frozen=True)
class PoolCandidates:
    """Configurations that can serve a dataset, and what is known of them.

    Parameters
    ----------
    configurations : tuple of Configuration
    points : list of dict
        The same as points of `space`.
    space : Space
    past : PastPerformance or None
    seconds : ndarray or None
        Predicted seconds of one fit.
    metric, exact : str, bool
        The metric of the past scores, and whether it is the one asked for.
    """

    configurations: tuple
    points: list
    space: Space
    past: object = None
    seconds: np.ndarray | None = None
    metric: str = ""
    exact: bool = True


def pool_candidates(kind, schema, metric, knowledge, only=None):
    """Gather the members of the pool that can serve a dataset.

    Parameters
    ----------
    kind : {"classification", "regression"}
    schema : Schema
    metric : str, callable or None
    knowledge : KnowledgeBase or None
    only : sequence of str, optional
        Names of the families to use.

    Returns
    -------
    PoolCandidates

    Raises
    ------
    ValueError
        If `only` names an unknown family or leaves none.
    """
    known = {family.name for family in families(kind)} - {"dummy"}
    if only is not None and not len(only):
        raise ValueError(
            f"families={only!r} names no family; give some of {sorted(known)}, or None for all."
        )
    optional = {family.name: family for family in families(kind, optional=True)}
    wrong = sorted(set(only or ()) - known - set(optional))
    if wrong:
        raise ValueError(
            f"Unknown families {wrong}; the {kind} families are {sorted(known)}, with the extra "
            f"'boosting' {sorted(optional)}."
        )
    asked = tuple(sorted(set(only or ()) & set(optional)))
    for name in asked:
        _ = optional[name].estimator_class  # says what is not installed
    wanted = known if only is None else set(only)
    reasons = {name: _not_usable(get_family(name, kind), schema, metric) for name in wanted}
    usable = {name for name in wanted if not reasons[name]}
    if not usable:
        why = "; ".join(reasons[name] for name in sorted(wanted))
        raise ValueError(f"No family can serve these data: {why}.")
    configurations = tuple(
        own
        for own in load_pool(kind) + (load_pool(kind, optional=True) if asked else ())
        if own.family in usable
        and not get_family(own.family, kind).not_applicable(schema, own.preprocessing)
        and own.params.get("n_neighbors", 1) <= max(1, schema.n_rows // 3)
    )
    whole = catalogue_space(kind, asked)
    space = Space([b for b in whole.branches if b.name in usable], root=whole.root)
    points = [to_point(own) for own in configurations]
    if knowledge is None or kind not in knowledge.kinds:
        return PoolCandidates(configurations, points, space)
    table = knowledge.table(kind)
    name, exact = table.nearest_metric(metric)
    past = performance_of(configurations, name, table)
    if not np.isfinite(past.scores).any():
        return PoolCandidates(configurations, points, space)
    seconds = predict_seconds(configurations, schema, table)
    return PoolCandidates(configurations, points, space, past, seconds, name, exact)


def _not_usable(family, schema, metric):
    """Say why a family cannot serve the data or the metric; empty text if it can."""
    reason = family.not_applicable(schema)
    if not reason and family.kind == "classification" and needs_probabilities(metric):
        if not hasattr(build_model(family, {}, schema), "predict_proba"):
            return f"{family.name} gives no probabilities, which {metric} needs"
    return reason
