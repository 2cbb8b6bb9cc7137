"""Estimators of the user's own among the families that an Auto estimator chooses from."""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.model_selection import ParameterSampler
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from ..exceptions import FallbackWarning, SpaceError, warn_user
from ..spaces import (
    Configuration,
    build_estimator,
    families,
    from_point,
    get_family,
    of_several,
    value_text,
)
from ._own_steps import bare, behind, set_seeds

__all__ = ["OwnFamily", "build_own", "configuration_of", "is_own", "read_families", "schedule"]

# The entry that stands for every family of the catalogue.
_ALL = "all"
# The family whose steps come before an estimator of the user's.
_STEPS_OF = {"classification": "logistic_regression", "regression": "ridge"}
# Settings of one estimator that are drawn.
_MOST_POINTS = 15
# The first setting of each comes second, further ones at every so many evaluations.
_EVERY = 4
_REASON = "your own estimator"
# No family of the catalogue is called so.
_PREFIX = "own_"


@dataclass(frozen=True)
class OwnFamily:
    """An estimator of the user's, and what may be set on it.

    Parameters
    ----------
    name : str
    estimator : estimator
        Unfitted.
    distributions : mapping or list of mapping
        As of `sklearn.model_selection.ParameterSampler`.
    """

    name: str
    estimator: Any
    distributions: Any

    def points(self, n_points, rng):
        """Draw settings: those of the estimator as it is, and others.

        Parameters
        ----------
        n_points : int
            At most so many.
        rng : RandomState

        Returns
        -------
        list of dict
            Points, with the name under ``"family"``.
        """
        drawn, seen = [{}], set()
        if self.distributions and n_points > 1:
            with warnings.catch_warnings():
                # A small grid has fewer points than asked for.
                warnings.simplefilter("ignore", UserWarning)
                drawn += list(ParameterSampler(self.distributions, 3 * n_points, random_state=rng))
        points = []
        for params in drawn:
            key = tuple(sorted((name, value_text(value)) for name, value in params.items()))
            if key not in seen:
                seen.add(key)
                points.append({"family": self.name, **params})
        return points[:n_points]


def read_families(entries, kind, weighted=False):
    """Tell the names of families from estimators of the user's.

    Parameters
    ----------
    entries : sequence or None
        Names, estimators, and pairs of an estimator and distributions of its parameters.
    kind : {"classification", "regression"}
    weighted : bool, default=False
        Whether they must take sample weights.

    Returns
    -------
    names : list of str or None
        None for all families of the catalogue.
    own : dict of str to OwnFamily

    Raises
    ------
    ValueError
        If an entry is none of these, or an estimator of another kind.
    """
    if entries is None or isinstance(entries, str):
        return entries, {}
    names, own, silent = [], {}, []
    for entry in entries:
        if isinstance(entry, str):
            names.append(entry)
            continue
        estimator, distributions = _parts_of(entry, kind)
        if weighted and not has_fit_parameter(estimator, "sample_weight"):
            silent.append(type(estimator).__name__)
            continue
        name = _name_of(estimator, {*own, *names})
        own[name] = OwnFamily(name, clone(estimator), distributions)
    if silent:
        warn_user(f"{silent} take no sample_weight and are left out.", FallbackWarning)
    if not names and own:
        raise ValueError(
            "families holds only estimators of your own. Add families of the catalogue by name, or "
            f"all of them: families=[{_ALL!r}, ...]; estimators alone are searched by MetaSearchCV."
        )
    others = [name for name in names if name != _ALL]
    if len(others) < len(names):
        whole = [family.name for family in families(kind) if family.name != "dummy"]
        names = [*whole, *others] if others else None
    return names, own


def _parts_of(entry, kind):
    """The estimator of an entry and its distributions, checked."""
    parts = entry if isinstance(entry, tuple) else (entry, {})
    estimator, distributions = parts if len(parts) == 2 else (None, {})
    fits = hasattr(estimator, "fit") and hasattr(estimator, "get_params")
    if not fits or isinstance(estimator, type):
        raise ValueError(
            "An entry of families is a name, an estimator, or a pair (estimator, distributions); "
            f"got {entry!r}."
        )
    if not (is_classifier if kind == "classification" else is_regressor)(estimator):
        raise ValueError(f"families holds {estimator!r}, which does not solve {kind} tasks.")
    branches = [distributions] if isinstance(distributions, Mapping) else distributions
    known = estimator.get_params()
    wrong = sorted({name for branch in branches for name in branch} - set(known))
    if wrong:
        raise ValueError(
            f"{type(estimator).__name__} has no parameters {wrong}; it has {sorted(known)}."
        )
    return estimator, distributions


def _name_of(estimator, taken):
    """The class in small letters, with a number where several have the same."""
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(estimator).__name__)
    name = first = _PREFIX + words.lower()
    number = 2
    while name in taken:
        name, number = f"{first}_{number}", number + 1
    return name


def schedule(own, seed, alternatives=(None,)):
    """Say which settings of the user's estimators are tried when.

    Parameters
    ----------
    own : dict of str to OwnFamily
    seed : int
    alternatives : sequence of (str or None), default=(None,)
        Steps of the user's that come before; the settings take turns with them.

    Returns
    -------
    list of (dict, str, int)
        Point, reason, and after how many others: a longer search begins as a shorter one.
    """
    found = [
        (behind(point, alternatives[turn % len(alternatives)]), _REASON, 1 + _EVERY * turn)
        for family in own.values()
        for turn, point in enumerate(family.points(_MOST_POINTS, np.random.RandomState(seed)))
    ]
    return sorted(found, key=lambda entry: entry[2])


def build_own(family, point, schema, seed):
    """Make the pipeline of a setting.

    Parameters
    ----------
    family : OwnFamily
    point : dict
    schema : Schema
    seed : int

    Returns
    -------
    sklearn.pipeline.Pipeline
        A pipeline of the user's as it is; any other estimator after the steps of a linear model:
        gaps filled, numbers scaled, categories one-hot. Of several outputs one is fitted to each
        where it takes no more.
    """
    model = clone(family.estimator)
    model.set_params(**{name: value for name, value in point.items() if name != "family"})
    set_seeds(model, seed)
    whole = isinstance(model, Pipeline)
    if schema.n_outputs > 1:
        model = of_several(model)
    if whole:
        return Pipeline([("model", model)])
    kind = "classification" if schema.n_classes else "regression"
    plain = get_family(_STEPS_OF[kind], kind)
    params = {name: own.default for name, own in plain.parameters.items()}
    pipeline = build_estimator(Configuration(plain.name, params, plain.preprocessing), schema, seed)
    pipeline.steps[-1] = ("model", model)
    return pipeline


def is_own(point):
    """Whether a point is a setting of an estimator of the user's.

    Parameters
    ----------
    point : dict

    Returns
    -------
    bool
    """
    return point["family"].startswith(_PREFIX)


def configuration_of(point):
    """Give a point as a configuration; values of the user's that have no plain form as text.

    Parameters
    ----------
    point : dict

    Returns
    -------
    Configuration
    """
    if not is_own(point):
        return from_point(bare(point))
    params = {name: value for name, value in bare(point).items() if name != "family"}
    try:
        return Configuration(point["family"], params)
    except SpaceError:
        return Configuration(point["family"], {k: value_text(v) for k, v in params.items()})
