"""The register of meta-features: what each one is, and how its value is found."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

KINDS = ("classification", "regression")

#: Cost classes from the cheapest to the dearest, with the rows that each reads
#: when ``fidelity="sampled"`` (None: all rows, always).
COSTS = {
    "scan": None,
    "order": 10_000,
    "pairs": 10_000,
    "probe": 1_000,
    "fits": 1_000,
    "distances": 1_000,
}

GROUPS = (
    "simple",
    "missing",
    "target",
    "openml",
    "statistical",
    "information",
    "structure",
    "subsampling",
    "model",
    "landmarking",
    "complexity",
)


class NotComputable(Exception):
    """A meta-feature has no value on these data; the message is the reason."""


@dataclass(frozen=True)
class MetaFeature:
    """One named number that describes a dataset.

    Parameters
    ----------
    name : str
        Its name in the output.
    group : str
        The group it belongs to.
    definition : str
        What it is, in one sentence.
    range : str
        The values it can take, as an interval.
    unit : str
        Its unit; ``"1"`` for a pure number.
    cost : str
        Cost class: which rows are read, see ``COSTS``.
    source : str
        Where the definition was published.
    kinds : tuple of str
        The kinds of task it exists for.
    needs_target : bool
        Whether it is undefined without ``y``.
    openml : str or None
        The OpenML quality that it equals.
    pymfe : str or None
        The pymfe meta-feature that it equals.
    """

    name: str
    group: str
    definition: str
    range: str
    unit: str
    cost: str
    source: str
    kinds: tuple
    needs_target: bool
    openml: str | None = None
    pymfe: str | None = None


@dataclass(frozen=True)
class Quantity:
    """A function of a task whose value, or the summaries of whose values, are meta-features."""

    function: Callable
    features: tuple
    summaries: tuple

    def values(self, task):
        """Return one number per feature; NaN and infinity mean "not defined"."""
        result = self.function(task)
        if not self.summaries:
            return [float(result)]
        result = np.asarray(result, dtype=float).ravel()
        result = result[np.isfinite(result)]
        if not result.size:
            raise NotComputable("there is no column or part for which it is defined")
        return [SUMMARIES[summary][0](result) for summary in self.summaries]


def _sd(values):
    if values.size < 2:
        return np.nan
    return float(np.std(values, ddof=1))


#: How a vector (one value per column, fold, pair or class) becomes a number:
#: function, words, whether the range of the vector is also the range of the summary.
SUMMARIES = {
    "mean": (lambda values: float(np.mean(values)), "mean", True),
    "sd": (_sd, "standard deviation (n - 1)", False),
    "min": (lambda values: float(np.min(values)), "smallest", True),
    "q1": (lambda values: float(np.quantile(values, 0.25)), "first quartile", True),
    "median": (lambda values: float(np.median(values)), "median", True),
    "q3": (lambda values: float(np.quantile(values, 0.75)), "third quartile", True),
    "max": (lambda values: float(np.max(values)), "largest", True),
}

_QUANTITIES = []


def quantity(
    name,
    *,
    group,
    definition,
    range,
    source,
    unit="1",
    cost="scan",
    summaries=(),
    kinds=KINDS,
    target=False,
    openml=None,
    pymfe=None,
):
    """Register a function ``task -> number`` (or ``-> vector``, with summaries).

    Parameters
    ----------
    name : str
        Name of the quantity; a summary is appended to it as ``name_summary``.
    group, definition, range, source, unit, cost, kinds, openml, pymfe
        See `MetaFeature`.
    summaries : tuple of str
        Keys of ``SUMMARIES``, for a function that returns a vector.
    target : bool
        Whether the target is needed.

    Returns
    -------
    callable
        A decorator that returns the function as it was.
    """
    if group not in GROUPS or cost not in COSTS:
        raise ValueError(f"unknown group {group!r} or cost class {cost!r}")
    common = {
        "group": group,
        "unit": unit,
        "cost": cost,
        "source": source,
        "kinds": tuple(kinds),
        "needs_target": target or tuple(kinds) != KINDS,
    }

    def register(function):
        if summaries:
            features = tuple(
                MetaFeature(
                    name=f"{name}_{summary}",
                    definition=f"{definition.removesuffix('.')}; {SUMMARIES[summary][1]}.",
                    range=range if SUMMARIES[summary][2] else "[0, inf)",
                    openml=None,
                    pymfe=f"{pymfe}.{summary}" if pymfe and summary in ("mean", "sd") else None,
                    **common,
                )
                for summary in summaries
            )
        else:
            features = (
                MetaFeature(
                    name=name,
                    definition=definition,
                    range=range,
                    openml=openml,
                    pymfe=pymfe,
                    **common,
                ),
            )
        _QUANTITIES.append(Quantity(function, features, tuple(summaries)))
        return function

    return register


def intermediate(function):
    """Compute ``function(task)`` once per task, whoever asks; a failure is remembered too."""

    @functools.wraps(function)
    def once(task):
        if function not in task.memo:
            try:
                task.memo[function] = (function(task), None)
            except NotComputable as reason:
                task.memo[function] = (None, str(reason))
        value, reason = task.memo[function]
        if reason is not None:
            raise NotComputable(reason)
        return value

    return once


def quantities():
    """Return every registered quantity, in the order of the groups.

    Returns
    -------
    list of Quantity
    """
    return sorted(_QUANTITIES, key=lambda item: GROUPS.index(item.features[0].group))
