"""All meta-features together, and the choice among them."""

from functools import lru_cache

from . import (  # noqa: F401  (importing a group registers it)
    _complexity,
    _complexity_regression,
    _discriminant,
    _information,
    _landmarking,
    _missing,
    _model,
    _openml,
    _simple,
    _statistical,
    _structure,
    _subsampling,
    _target,
)
from ._default import DEFAULT
from ._registry import GROUPS, KINDS, quantities


@lru_cache(maxsize=1)
def _all():
    found = quantities()
    names = [feature.name for item in found for feature in item.features]
    if len(set(names)) < len(names):
        raise RuntimeError(f"names used twice: {sorted(n for n in names if names.count(n) > 1)}")
    return found


def list_meta_features(kind=None, groups="all"):
    """List the meta-features there are.

    Parameters
    ----------
    kind : {"classification", "regression"} or None, default=None
        Only those that exist for this kind of task; None for all.
    groups : {"all", "default"} or list of str, default="all"
        Names of groups or of single meta-features.

    Returns
    -------
    list of MetaFeature
        With name, group, definition, range, unit, cost class and source.
    """
    return [feature for _, chosen in select(groups, kind or "any") for feature in chosen]


def select(groups, kind):
    """Choose meta-features.

    Parameters
    ----------
    groups : {"default", "all"} or list of str
        Groups and single names.
    kind : {"classification", "regression", "any"} or None
        Kind of task; None leaves out all that need a target.

    Returns
    -------
    list of (Quantity, list of MetaFeature)
        The quantities with the meta-features chosen of each.

    Raises
    ------
    ValueError
        If a name is unknown.
    """
    wanted = set(GROUPS if groups == "all" else DEFAULT if groups == "default" else groups)
    known = set(GROUPS) | {feature.name for item in _all() for feature in item.features}
    if unknown := wanted - known:
        raise ValueError(
            f"groups must be 'default', 'all', or a list of groups {GROUPS} and names of single "
            f"meta-features; got the unknown {sorted(map(str, unknown))}."
        )
    chosen = []
    for item in _all():
        features = [
            feature
            for feature in item.features
            if (feature.name in wanted or feature.group in wanted)
            and (
                kind == "any"
                or (kind is None and not feature.needs_target)
                or (kind in KINDS and kind in feature.kinds)
            )
        ]
        if features:
            chosen.append((item, features))
    return chosen
