"""Configured estimators without any search."""

import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..exceptions import KnowledgeError
from ..knowledge import printable
from ..metafeatures import MetaFeatureExtractor, check_kind
from ..spaces import Configuration, Schema, build_estimator, to_point
from ..strategies import Context, get_strategy, similar_tasks
from ..tables import check_columns, check_metric, check_metric_name, check_table, check_target
from ._catalogue_choices import match_configurations, usable_configurations
from ._past import check_knowledge, name_similar, open_knowledge
from ._past_lookup import past_performance
from ._settings_text import configuration_text
from ._show import as_html, as_text, show_seconds

__all__ = ["Recommendation", "Recommendations", "recommend"]

# Past tasks shown, and the width of a table of text.
_N_SHOWN, _WIDTH = 3, 100


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
        Median score on past datasets, weighted by how like this one they are; in the units of
        `metric`, errors of regression in units of the target's standard deviation.
    spread : float
        Half of the distance between the weighted quartiles of these scores.
    expected_seconds : float
        Predicted CPU seconds of one fit.
    metric : str
        Name of the metric of these scores: the one asked for, or where past datasets do not have
        it the nearest that they have.
    asked : str or None, default=None
        The metric asked for, where it is another.
    evidence : tuple of (str, float, float)
        The past datasets that counted most: name, the configuration's score there, and the share
        of the weight of all datasets.
    reason : str
        Why it stands at this place: which part it plays beside those before it.
    kind : {"classification", "regression"}
    """

    estimator: Any
    configuration: Configuration
    expected_score: float
    spread: float
    expected_seconds: float
    metric: str
    asked: str | None = None
    evidence: tuple = field(default=())
    reason: str = ""
    kind: str = "classification"

    def __str__(self):
        shown = ", ".join(f"{name} {score:.3f}" for name, score, _ in self.evidence)
        where = f"; on the past datasets that counted most: {shown}" if shown else ""
        return (
            f"{self.settings}: {self.metric} about {self.expected_score:.3f} "
            f"(spread {self.spread:.3f}), a fit takes about {self.expected_seconds:.2g} s{where}"
        )

    @property
    def settings(self):
        """The model, and its settings that differ from the defaults."""
        return configuration_text(self.configuration, self.kind)


class Recommendations(list):
    """A list of `Recommendation` that shows itself as a table.

    Parameters
    ----------
    iterable : iterable of Recommendation, default=()
        In the order to try them.
    """

    def __getitem__(self, place):
        found = super().__getitem__(place)
        return Recommendations(found) if isinstance(place, slice) else found

    def rows(self):
        """Give what the table shows.

        Returns
        -------
        list of dict
            A row for each recommendation.
        """
        return [
            {
                "rank": rank,
                "expected": own.expected_score,
                "spread": own.spread,
                "fit": show_seconds(own.expected_seconds),
                "settings": own.settings,
            }
            for rank, own in enumerate(self, 1)
        ]

    def __repr__(self):
        if not self:
            return "[]"
        named = ", ".join(f"{name} ({weight:.0%})" for name, _, weight in self[0].evidence)
        lines = [self._head()]
        lines.append(
            "Expected: the median over past datasets, those like yours counting more; "
            "try them in this order"
        )
        lines += [f"The past datasets that counted most: {printable(named)}"] if named else []
        return "\n".join([*lines, as_text(self.rows(), _WIDTH)])

    def _repr_html_(self):
        if not self:
            return "<p>[]</p>"
        named = [(name, f"{weight:.1%}") for name, _, weight in self[0].evidence]
        similar = [{"past dataset": name, "weight": weight} for name, weight in named]
        return as_html(self.rows(), self._head()) + as_html(similar)

    def _head(self):
        first = self[0]
        head = f"{len(self)} recommended {first.kind} models by {first.metric}"
        return head + (f", nearest to {first.asked} of what is known" if first.asked else "")

    def _repr_pretty_(self, printer, cycle):
        printer.text(repr(self))


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
    columns=None,
    random_state=None,
):
    """Recommend estimators for a dataset from what past datasets say; nothing is fitted.

    Parameters
    ----------
    X : array-like, sparse matrix or dataframe of shape (n_rows, n_columns)
        The table.
    y : array-like of shape (n_rows,)
        Its target.
    n : int, default=5
        How many.
    kind : {"classification", "regression"}, optional
        Where not given, told by y as `MetaFeatureExtractor.extract` does: whole numbers are
        classes unless there are many different ones.
    scoring : str, optional
        What is to be good; accuracy or R2 by default. Where past datasets do not have it, the
        nearest that they have; `Recommendation.metric` names it.
    knowledge : {"bundled", "user"}, KnowledgeBase or path-like, default="bundled"
        What is known of past datasets.
    strategy : str or Strategy, default="auto"
        Gives the order; see `sk_metalearn.strategies`.
    families : list of str, optional
        Names of the model families to choose from.
    columns : dict of column to role, optional
        What is known of some columns, as in `AutoClassifier`.
    random_state : int, optional
        Seed of the estimators.

    Returns
    -------
    list of Recommendation
        Each chosen to complement those before it. Shows itself as a table.

    Raises
    ------
    ValueError
        If the data cannot be used, the metric does not fit the target, or nothing is known of such
        tasks.

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
    check_metric_name(scoring)
    caller = type("recommend", (_Unnamed,), {})()
    X = check_table(X, caller)
    layout = check_columns(X, columns)
    y = check_target(y, X, kind, caller)
    if isinstance(scoring, str):
        classes = np.unique(y) if kind == "classification" else ()
        # Which of two classes counts does not matter here: nothing is scored.
        check_metric(scoring, y == classes[1] if len(classes) == 2 else y, kind)
    if knowledge is None:
        raise KnowledgeError("recommend needs a knowledge base; got knowledge=None.")
    check_knowledge(knowledge)
    base = open_knowledge(knowledge)
    schema = Schema.from_data(X, y, kind, columns=layout)
    configurations, _ = usable_configurations(kind, schema, scoring, families)
    points = [to_point(own) for own in configurations]
    found = past_performance(match_configurations(points), kind, scoring, base, schema, {})
    if found.past is None:
        raise KnowledgeError(f"The knowledge base {base!r} has no {kind} tasks to learn from.")
    metafeatures = MetaFeatureExtractor(random_state=0).extract(X, y, kind, layout)
    rows, weights = similar_tasks(found.past, metafeatures)
    metric = found.report["metric"]
    named, asked = metric, None
    if isinstance(scoring, str) and scoring != metric:
        # The same metric goes by the name that the user knows.
        named, asked = (scoring, None) if found.report["metric_is_exact"] else (metric, scoring)
    context = Context(
        candidates=points,
        kind=kind,
        metric=metric,
        past=found.past,
        metafeatures=metafeatures,
        predicted_seconds=found.seconds,
        n_evaluations=n,
        seed=0,
    )
    proposals = get_strategy(copy.deepcopy(strategy)).start(context).ask(n)
    return Recommendations(
        _recommendation(
            proposal,
            configurations,
            found,
            {"metric": named, "asked": asked},
            rows,
            weights,
            schema,
            kind,
            random_state,
        )
        for proposal in proposals
    )


def _recommendation(
    proposal, configurations, found, metrics, rows, weights, schema, kind, random_state
):
    i = proposal.candidate
    scores = found.past.scores[rows, i]
    named = name_similar(found.past.tasks, rows, weights, _N_SHOWN)
    low, middle, high = _quantiles(scores, weights)
    return Recommendation(
        estimator=build_estimator(configurations[i], schema, random_state),
        configuration=configurations[i],
        expected_score=middle,
        spread=(high - low) / 2,
        expected_seconds=float(found.seconds[i]) if found.seconds is not None else np.nan,
        **metrics,
        evidence=tuple(
            (name, float(score), weight)
            for (name, weight), score in zip(named, scores, strict=False)
        ),
        reason=proposal.reason,
        kind=kind,
    )


def _quantiles(values, weights):
    """Weighted quartiles and median: one dataset where a model fails wholly does not move them."""
    order = np.argsort(values)[: np.isfinite(values).sum()]
    total = np.cumsum(weights[order])
    if not len(order) or not total[-1] > 0:
        return np.nan, np.nan, np.nan
    places = np.searchsorted(total, total[-1] * np.array([0.25, 0.5, 0.75]))
    return tuple(values[order][places].tolist())
