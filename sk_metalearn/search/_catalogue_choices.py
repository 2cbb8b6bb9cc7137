"""Choices of whole pipelines: the pool and the catalogue."""

from dataclasses import dataclass, field, replace

from sklearn.utils.validation import has_fit_parameter

from .._compat import needs_probabilities, num_samples
from ..exceptions import FallbackWarning, warn_user
from ..spaces import (
    Categorical,
    Match,
    Matches,
    Schema,
    Space,
    build_estimator,
    build_model,
    catalogue_space,
    early_configurations,
    families,
    from_point,
    get_family,
    load_pool,
    to_point,
    unwrap,
)
from ._choices import Choices
from ._losses import loss_of, set_loss
from ._own_families import build_own, configuration_of, is_own, read_families, schedule
from ._own_steps import BEFORE, bare, behind
from ._stopped_boosting import StoppedPipeline, stops

__all__ = [
    "MakePipeline",
    "choose_pipelines",
    "match_configurations",
    "usable_configurations",
]

# Evaluations where neither a number nor a time is given.
N_ITER = 10
# Why a configuration comes before those of the strategy.
_EARLY = "the data have columns of many levels"


@dataclass(frozen=True)
class MakePipeline:
    """Makes the pipeline of a point of the catalogue; travels to the workers.

    Parameters
    ----------
    schema : Schema
    seed : int
    loss : dict, default={}
        Settings of boosting that minimise what the metric measures.
    own : dict of str to OwnFamily, default={}
        Estimators of the user's, by the name of the family.
    steps : dict of (str or None) to OwnSteps, default={}
        Steps of the user's before all others, by name where there are several.
    """

    schema: Schema
    seed: int
    loss: dict = field(default_factory=dict)
    own: dict = field(default_factory=dict)
    steps: dict = field(default_factory=dict)

    def __call__(self, point):
        """Make it.

        Parameters
        ----------
        point : dict

        Returns
        -------
        sklearn.pipeline.Pipeline
            Not fitted.
        None
            There are no parameters left to set.
        """
        steps = self.steps.get(point.get(BEFORE))
        schema, point = self.schema if steps is None else steps.schema, bare(point)
        if is_own(point):
            pipeline = build_own(self.own[point["family"]], point, schema, self.seed)
        else:
            pipeline = build_estimator(from_point(point), schema, self.seed)
            set_loss(pipeline, self.loss)
        if steps is not None:
            pipeline = steps.before(pipeline)
        stopped = not is_own(point) and stops(pipeline)
        return StoppedPipeline(pipeline.steps) if stopped else pipeline, None

    def of_all_rows(self, problem):
        """Give what makes the pipelines of the final model.

        Parameters
        ----------
        problem : Problem

        Returns
        -------
        MakePipeline
        """
        X, y = problem.whole[:2]
        if not self.steps:
            schema = Schema.from_data(X, y, problem.kind, columns=problem.layout)
            return replace(self, schema=schema)
        steps = {name: own.of_rows(num_samples(X)) for name, own in self.steps.items()}
        return replace(self, schema=next(iter(steps.values())).schema, steps=steps)


def choose_pipelines(problem, options):
    """Gather the members of the pool that can serve a dataset.

    Parameters
    ----------
    problem : Problem
    options : SearchOptions

    Returns
    -------
    Choices

    Raises
    ------
    ValueError
        If an unknown family is asked for, or none can serve.
    """
    kind, schema, seed = problem.kind, problem.schema, problem.seed % 2**31
    if schema is None:
        raise ValueError(f"The data cannot be searched: {problem.no_past}.")
    weighted = bool(problem.fit_params)
    # Decision values become probabilities, so that every classifier serves every metric.
    names, own = read_families(options.families, kind, weighted)
    alternatives = list(problem.steps) or [None]
    schemas = [steps.schema for steps in problem.steps.values()] or [schema]
    found = [usable_configurations(kind, met, None, names, weighted) for met in schemas]
    asked = found[0][1]
    usable = set.intersection(*({member.family for member in members} for members, _ in found))
    whole = catalogue_space(kind, asked, bool(schema.many), schema.n_outputs)
    early = [member for member in early_configurations(kind, schema) if member.family in usable]
    n_iter = options.n_iter
    if n_iter is None and not options.timed:
        n_iter = N_ITER
    points = [
        behind(to_point(member), name)
        for name, (members, _) in zip(alternatives, found, strict=True)
        for member in members
        if member.family in usable
    ]
    n_early = None if n_iter is None else max(1, n_iter // 2)
    first = [behind(to_point(member), alternatives[0]) for member in early[:n_early]]
    return Choices(
        points=points,
        space=_space_of([b for b in whole.branches if b.name in usable], whole.root, alternatives),
        make=MakePipeline(schema, seed, loss_of(problem.scorer), own, problem.steps),
        to_params=dict,
        identity=configuration_of,
        match=match_configurations,
        n_iter=n_iter,
        enqueued=(*((point, _EARLY, 0) for point in first), *schedule(own, seed, alternatives)),
        validates=True,
        kind=kind,
    )


def _space_of(branches, root, alternatives):
    """The space of these branches; which of several own steps come before is a choice, too."""
    if len(alternatives) > 1:
        chosen = {BEFORE: Categorical(tuple(alternatives))}
        branches = [replace(b, parameters={**b.parameters, **chosen}) for b in branches]
    return Space(branches, root=root)


def usable_configurations(kind, schema, scoring, only=None, weighted=False):
    """Give the members of the pool that can serve a dataset.

    Parameters
    ----------
    kind : {"classification", "regression"}
    schema : Schema
    scoring : str, callable or None
        Families that give no probabilities cannot serve where it needs them.
    only : sequence of str, default=None
        Names of the families to use.
    weighted : bool, default=False
        Whether they must take sample weights.

    Returns
    -------
    configurations : tuple of Configuration
    asked : tuple of str
        The families of optional packages among them.

    Raises
    ------
    ValueError
        If `only` is no list of names, names an unknown family or leaves none.
    """
    usable, asked = _usable_families(kind, schema, scoring, only, weighted)
    configurations = tuple(
        own
        for own in load_pool(kind) + (load_pool(kind, optional=True) if asked else ())
        if own.family in usable
        and not get_family(own.family, kind).not_applicable(schema, own.preprocessing)
        and own.params.get("n_neighbors", 1) <= max(1, schema.n_rows // 3)
    )
    return configurations, asked


def match_configurations(points):
    """Match points of the catalogue with itself.

    Parameters
    ----------
    points : list of dict

    Returns
    -------
    Matches
        All exact.
    """
    return Matches(Match("exact", from_point(bare(point))) for point in points)


def _usable_families(kind, schema, scoring, only, weighted):
    """Names of the families that can serve, and of those of optional packages among them."""
    known = {family.name for family in families(kind)} - {"dummy"}
    if isinstance(only, str):
        raise ValueError(f"families is a list of names; got {only!r}. Write families=[{only!r}].")
    if only is not None and not len(only):
        raise ValueError(
            f"families={only!r} names no family; give some of {sorted(known)}, or None for all."
        )
    optional = {family.name: family for family in families(kind, optional=True)}
    unnamed = [entry for entry in only or () if not isinstance(entry, str)]
    if unnamed:
        raise ValueError(
            f"families={list(only)!r} holds {unnamed[0]!r}, which is no name; give some of "
            f"{sorted(known)}. An estimator of your own is searched by MetaSearchCV."
        )
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
    reasons = {name: _not_usable(get_family(name, kind), schema, scoring) for name in wanted}
    usable = {name for name in wanted if not reasons[name]}
    if weighted:
        unweighted = {name for name in usable if not _takes_weights(get_family(name, kind), schema)}
        reasons.update({name: f"{name} takes no sample_weight" for name in unweighted})
        usable -= unweighted
        if unweighted and usable:
            warn_user(
                f"The families {sorted(unweighted)} take no sample_weight and are left out.",
                FallbackWarning,
            )
    if not usable:
        why = "; ".join(reasons[name] for name in sorted(wanted))
        raise ValueError(f"No family can serve these data: {why}.")
    return usable, asked


def _takes_weights(family, schema):
    """Whether the model of a family takes sample weights.

    Parameters
    ----------
    family : Family
    schema : Schema

    Returns
    -------
    bool
    """
    model = build_model(family, {}, replace(schema, n_outputs=1))
    return has_fit_parameter(unwrap(model).model, "sample_weight")


def _not_usable(family, schema, metric):
    """Say why a family cannot serve the data or the metric; empty text if it can."""
    reason = family.not_applicable(schema)
    if not reason and family.kind == "classification" and needs_probabilities(metric):
        if not hasattr(build_model(family, {}, schema), "predict_proba"):
            return f"{family.name} gives no probabilities, which {metric} needs"
    return reason
