"""Configured estimators without any search."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..exceptions import KnowledgeError
from ..metafeatures import MetaFeatureExtractor
from ..metafeatures._kind import check_kind
from ..spaces import Configuration, Schema, build_estimator
from ..strategies import Context, get_strategy
from ._pool_candidates import pool_candidates
from ._tables import check_table, check_target
from ._task import open_knowledge

__all__ = ["Recommendation", "recommend"]

# Past tasks that speak for a recommendation, and those shown.
_N_NEIGHBORS = 10
_N_SHOWN = 3


@dataclass(frozen=True)
class Recommendation:
    """An unfitted estimator that past datasets speak for.

    Parameters
    ----------
    estimator : sklearn.pipeline.Pipeline
        Configured, with preprocessing for the dataset at hand, not fitted.
    configuration : Configuration
        What it is in the catalogue's words.
    expected_score : float
        Mean score on the past datasets nearest to this one, weighted by their distance; in the
        units of `metric`, errors of regression in units of the target's standard deviation.
    spread : float
        Weighted standard deviation of these scores.
    expected_seconds : float
        Predicted CPU seconds of one fit.
    metric : str
        Name of the metric.
    evidence : tuple of (str, float)
        The nearest past datasets and the configuration's score on each; none where the knowledge
        base has no meta-features.
    reason : str
        Why it stands at this place: which part it plays beside those before it.
    """

    estimator: Any
    configuration: Configuration
    expected_score: float
    spread: float
    expected_seconds: float
    metric: str
    evidence: tuple = field(default=())
    reason: str = ""

    def __str__(self):
        shown = ", ".join(f"{name} {score:.3f}" for name, score in self.evidence)
        where = f"; on the nearest past datasets: {shown}" if shown else ""
        return (
            f"{self.configuration}: {self.metric} about {self.expected_score:.3f} "
            f"(spread {self.spread:.3f}), a fit takes about {self.expected_seconds:.2g} s{where}"
        )


class _Unnamed:
    """Stands for an estimator in messages."""


def recommend(
    X,
    y,
    *,
    n=5,
    kind=None,
    scoring=None,
    knowledge="bundled",
    strategy="auto",
    families=None,
    random_state=None,
):
    """Recommend estimators for a dataset from what past datasets say; nothing is fitted.

    Parameters
    ----------
    X : array-like, sparse matrix or dataframe of shape (n_rows, n_columns)
    y : array-like of shape (n_rows,)
    n : int, default=5
        How many.
    kind : {"classification", "regression"}, optional
        Where not given, told by y as `MetaFeatureExtractor.extract` does: whole numbers are
        classes unless there are many different ones.
    scoring : str, optional
        What is to be good; accuracy or R2 by default.
    knowledge : {"bundled", "user"}, KnowledgeBase or path-like, default="bundled"
        What is known of past datasets.
    strategy : str or Strategy, default="auto"
        Gives the order; see `sk_metalearn.strategies`.
    families : list of str, optional
        Names of the model families to choose from.
    random_state : int, optional
        Seed of the estimators.

    Returns
    -------
    list of Recommendation
        Best first, each chosen to complement those before it.

    Raises
    ------
    ValueError
        If the data cannot be used, or nothing is known of such tasks.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sk_metalearn import recommend
    >>> X, y = load_wine(return_X_y=True)
    >>> found = recommend(X, y, n=3)
    >>> found[0].estimator.fit(X, y).score(X, y) > 0.9
    True
    """
    if n < 1:
        raise ValueError(f"n must be at least 1; got {n}.")
    kind = check_kind(y, kind)
    if kind is None:
        raise ValueError("y is None; a recommendation needs a target.")
    caller = type("recommend", (_Unnamed,), {})()
    X = check_table(X, caller)
    y = check_target(y, X, kind, caller)
    base = open_knowledge(knowledge)
    if base is None:
        raise KnowledgeError("recommend needs a knowledge base; got knowledge=None.")
    schema = Schema.from_data(X, y, kind)
    pool = pool_candidates(kind, schema, scoring, base, families)
    if pool.past is None:
        raise KnowledgeError(f"The knowledge base {base!r} has no {kind} tasks to learn from.")
    metafeatures = MetaFeatureExtractor(random_state=0).extract(X, y, kind=kind)
    rows, weights, names = _nearest(base, kind, metafeatures)
    context = Context(
        candidates=pool.points,
        kind=kind,
        metric=pool.metric,
        past=pool.past,
        metafeatures=metafeatures,
        predicted_seconds=pool.seconds,
        n_evaluations=n,
        seed=0,
    )
    proposals = get_strategy(strategy).start(context).ask(n)
    found = []
    for proposal in proposals:
        i = proposal.candidate
        scores = pool.past.scores[rows, i]
        mean, spread = _weighted(scores, weights)
        found.append(
            Recommendation(
                estimator=build_estimator(pool.configurations[i], schema, random_state),
                configuration=pool.configurations[i],
                expected_score=mean,
                spread=spread,
                expected_seconds=float(pool.seconds[i]) if pool.seconds is not None else np.nan,
                metric=pool.metric,
                evidence=tuple(
                    (name, float(score))
                    for name, score in zip(names[:_N_SHOWN], scores, strict=False)
                ),
                reason=proposal.reason,
            )
        )
    return found


def _nearest(base, kind, metafeatures):
    """Rows, weights and names of the past tasks nearest to the one at hand."""
    table = base.table(kind)
    if not np.isfinite(table.metafeatures).any():
        # Nothing tells which are near: all count, and none is shown as evidence.
        return np.arange(len(table.tasks)), np.ones(len(table.tasks)), []
    near = base.neighbors(metafeatures=metafeatures, kind=kind, n_neighbors=_N_NEIGHBORS)
    rows = np.array([table.row(neighbor.task.id) for neighbor in near], dtype=int)
    distances = np.array([neighbor.distance for neighbor in near])
    weights = np.exp(-((distances / max(np.median(distances), 1e-9)) ** 2))
    return rows, weights, [neighbor.task.name for neighbor in near]


def _weighted(values, weights):
    known = np.isfinite(values)
    if not known.any():
        return np.nan, np.nan
    mean = np.average(values[known], weights=weights[known])
    return float(mean), float(
        np.sqrt(np.average((values[known] - mean) ** 2, weights=weights[known]))
    )
