"""How the candidates of a user's own search meet the catalogue and its pool."""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ._catalogue import get_family
from ._configuration import Configuration
from ._inverse import Inexpressible, find_family, read_model, unwrap
from ._pool import load_pool
from ._signature import Traits, common_form, covered, read_steps

__all__ = ["Match", "Matches", "match_candidates"]


@dataclass(frozen=True)
class Match:
    """How one candidate meets the pool.

    Parameters
    ----------
    kind : {"exact", "same", "other", "unknown"}
        A member of the pool; a point of a family with a preprocessing that the pool measures it
        with; the nearest point of a family, of which `reason` says what differs; nothing known.
    configuration : Configuration or None
        The candidate in the catalogue's words; None if unknown.
    pool : int or None
        Position of an exact match in the pool, for a family of an optional package in theirs.
    reason : str
        What the catalogue does not cover.
    """

    kind: str
    configuration: Configuration | None = None
    pool: int | None = None
    reason: str = ""

    @property
    def family(self):
        """Name of the family, empty if unknown."""
        return "" if self.configuration is None else self.configuration.family

    def __str__(self):
        words = {
            "exact": f"number {self.pool} of the pool",
            "same": "a point of a family of the pool",
            "other": "near a family of the pool",
            "unknown": "unknown",
        }
        text = words[self.kind] + ("" if self.configuration is None else f": {self.configuration}")
        return text + (f" ({self.reason})" if self.reason else "")


class Matches(tuple):
    """The matches of a list of candidates, in their order."""

    __slots__ = ()

    @property
    def counts(self):
        """Number of candidates by kind of match."""
        found = Counter(match.kind for match in self)
        return {kind: found[kind] for kind in ("exact", "same", "other", "unknown")}

    @property
    def families(self):
        """Number of candidates by family; unknown ones are not counted."""
        return dict(Counter(match.family for match in self if match.family))

    @property
    def reasons(self):
        """Number of candidates by what the catalogue does not cover."""
        return dict(Counter(match.reason for match in self if match.reason).most_common())

    def __str__(self):
        counts = ", ".join(f"{n} {kind}" for kind, n in self.counts.items() if n)
        return f"{len(self)} candidates: {counts or 'none'}"


def match_candidates(estimator, candidates, schema, kind, X=None, y=None):
    """Find the place of a user's candidates in the catalogue.

    Parameters
    ----------
    estimator : estimator
        Bare or a pipeline, its steps under any names.
    candidates : sequence of dict
        Parameters for its `set_params`, as in a grid. They may exchange steps.
    schema : Schema
        Of the data at hand.
    kind : {"classification", "regression"}
    X : array-like of shape (n_rows, n_features), optional
        Tells whether values are missing and whether columns are scaled already. Without it
        missing values are assumed away and columns not scaled.
    y : array-like of shape (n_rows,), optional
        Tells the scale of the target, which a support vector regressor's C and epsilon refer to.

    Returns
    -------
    Matches
        A `Match` per candidate.
    """
    reader = _Reader(estimator, schema, kind, Traits.of(X, y, schema, kind))
    return Matches(reader.match(candidate) for candidate in candidates)


@lru_cache(maxsize=16)
def _pool_members(kind, encoded, sparse, missing):
    """Exact matches by id, and by the id of what comes to the same on such data."""
    pool = [
        Match("exact", own, position)
        for optional in (False, True)
        for position, own in enumerate(load_pool(kind, optional))
    ]
    members = {match.configuration.id: match for match in pool}
    for match in pool:
        own = match.configuration
        steps = common_form(
            get_family(own.family, kind), own.preprocessing, encoded, sparse, missing
        )
        if steps != own.preprocessing:
            members.setdefault(Configuration(own.family, own.params, steps).id, match)
    return members


class _Reader:
    """Reads candidates; what they share is read once.

    Most candidates of a search differ in the plain parameters of the last step, for which no
    estimator needs to be copied.
    """

    def __init__(self, estimator, schema, kind, traits):
        self.estimator, self.schema, self.kind, self.traits = estimator, schema, kind, traits
        self.prefix = unwrap(estimator).prefix
        self.members = _pool_members(kind, traits.encoded, bool(schema.sparse), traits.missing)
        self.known = {}

    def match(self, candidate):
        own, around = {}, {}
        for name, value in candidate.items():
            inner = name.removeprefix(self.prefix)
            plain = name.startswith(self.prefix) and "__" not in inner
            if plain and not hasattr(value, "get_params"):
                own[inner] = value
            else:
                around[name] = value
        key = tuple((name, _identity(value)) for name, value in sorted(around.items()))
        if key not in self.known:
            # The values are kept with what was read, so that no other comes under their identity.
            self.known[key] = around, self._read(around)
        found = self.known[key][1]
        if isinstance(found, Match):
            return found
        if found.parts.prefix != self.prefix:
            found = self._read(candidate)
            if isinstance(found, Match):
                return found
            own = {}
        return self._place(found, own)

    def _read(self, changes):
        from sklearn.base import clone

        try:
            estimator = clone(self.estimator)
            if changes:
                changes = {name: clone(value, safe=False) for name, value in changes.items()}
                estimator.set_params(**changes)
        except (TypeError, ValueError, AttributeError) as error:
            return Match("unknown", reason=f"cannot be set: {error}")
        parts = unwrap(estimator)
        family = find_family(parts.model, self.kind)
        if family is None:
            name = type(parts.model).__name__
            return Match("unknown", reason=f"the catalogue has no {self.kind} family of {name}")
        return _Around(family, parts, self.schema, self.traits)

    def _place(self, around, own):
        family = around.family
        wrong = sorted(set(own) - set(around.params) - set(family.parameters))
        if wrong:
            return Match("unknown", reason=f"{family.name} has no parameter {', '.join(wrong)}")
        try:
            params, remarks = read_model(
                family,
                around.parts.model,
                {**around.params, **own},
                self.schema,
                around.target_scale,
            )
            configuration = Configuration(family.name, params, around.preprocessing)
        except Inexpressible as error:
            return Match("unknown", reason=f"{family.name}: {error}")
        remarks = [*around.remarks, *remarks]
        if remarks:
            return Match("other", configuration, reason="; ".join(remarks))
        return self.members.get(configuration.id) or Match("same", configuration)


def _identity(value):
    plain = value is None or isinstance(value, bool | int | float | str | np.generic)
    return (type(value).__name__, repr(value)) if plain else id(value)


class _Around:
    """What surrounds the last step's own parameters: preprocessing and the target's scale."""

    def __init__(self, family, parts, schema, traits):
        self.family, self.parts = family, parts
        self.params = parts.model.get_params(deep=False)
        steps, foreign = read_steps(parts.steps, traits)
        if isinstance(self.params.get("categorical_features"), list | tuple | np.ndarray):
            steps["encoder"] = "native"
        self.preprocessing = common_form(
            family, steps, traits.encoded, bool(schema.sparse), traits.missing
        )
        self.remarks = [f"the step {name} is not in the catalogue" for name in foreign]
        if not foreign and not covered(family, self.preprocessing):
            words = "+".join(v for v in self.preprocessing.values() if v != "none") or "nothing"
            self.remarks.append(f"{family.name} was not measured after {words}")
        self.target_scale, remark = traits.target(family, parts)
        if remark:
            self.remarks.append(remark)
