"""The pool: the shared, ordered, append-only list of configurations that past datasets were
measured with."""

import json
from functools import lru_cache
from importlib.resources import files

from ..exceptions import SpaceError
from ._catalogue import MOST_TREES, families, get_family
from ._configuration import Configuration
from ._family import KINDS, ONE_OUTPUT
from ._parameters import Categorical
from ._space import Branch, Space

__all__ = [
    "SLICE",
    "catalogue_space",
    "fidelity_pool",
    "from_point",
    "is_stopped_by_folds",
    "load_pool",
    "to_point",
]

SLICE = 32
_STEP = "preprocessing__"


@lru_cache(maxsize=4)
def load_pool(kind, optional=False):
    """Read the pool of a kind.

    Parameters
    ----------
    kind : {"classification", "regression"}
    optional : bool, default=False
        Whether to read the pool of the optional packages' families instead.

    Returns
    -------
    tuple of Configuration
        In the order of their numbers; number 0 is the dummy estimator (not in the optional pool).

    Raises
    ------
    SpaceError
        If there is no such kind.
    """
    if kind not in KINDS:
        raise SpaceError(f"kind must be one of {list(KINDS)}; got {kind!r}.")
    name = f"pool_{kind}_optional.jsonl" if optional else f"pool_{kind}.jsonl"
    text = files(__package__).joinpath("data", name).read_text(encoding="utf-8")
    return tuple(Configuration.from_dict(json.loads(line)) for line in text.splitlines())


def is_stopped_by_folds(configuration):
    """Whether past datasets were measured with the number of trees that the test rows call for.

    This is how a search grows boosting: until the loss on the rows left out no longer falls.

    Parameters
    ----------
    configuration : Configuration

    Returns
    -------
    bool
    """
    params = configuration.params
    stops = configuration.family == "hist_gradient_boosting" and params["early_stopping"]
    return bool(stops and params["max_iter"] == MOST_TREES)


@lru_cache(maxsize=2)
def fidelity_pool(kind):
    """Read which configurations of the pool are measured on fewer and on more rows as well.

    Parameters
    ----------
    kind : {"classification", "regression"}

    Returns
    -------
    tuple of Configuration
        In the order they were chosen; the dummy estimator first.

    Raises
    ------
    SpaceError
        If there is no such kind.
    """
    by_id = {own.id: own for own in load_pool(kind)}
    text = files(__package__).joinpath("data", "pool_fidelities.json").read_text(encoding="utf-8")
    return tuple(by_id[own] for own in json.loads(text)[kind])


@lru_cache(maxsize=16)
def catalogue_space(kind, optional=(), many_levels=False, n_outputs=1):
    """Give the space of all configurations of a kind: a branch for each family.

    The dummy estimator is left out. Preprocessing is part of a branch, under names that begin
    with ``preprocessing__``.

    Parameters
    ----------
    kind : {"classification", "regression"}
    optional : tuple of str, default=()
        Names of families of optional packages to add.
    many_levels : bool, default=False
        Whether the data have columns of very many levels, see `Schema`: target encoding is then a
        choice of every family.
    n_outputs : int, default=1
        Columns of the target: steps that look at one only are no choice of several.

    Returns
    -------
    Space
    """
    branches = []
    for family in families(kind) + tuple(get_family(name, kind) for name in optional):
        if family.name == "dummy":
            continue
        steps = {
            step: Categorical(
                tuple(
                    dict.fromkeys(
                        [family.preprocessing[step]]
                        + [
                            change[step]
                            for change in family.alternatives
                            + (family.later if many_levels else ())
                            if step in change and (n_outputs == 1 or change[step] not in ONE_OUTPUT)
                        ]
                    )
                )
            )
            for step in family.preprocessing
        }
        parameters = {**family.parameters, **{_STEP + step: p for step, p in steps.items()}}
        branches.append(Branch(parameters, family.branch.conditions, family.name))
    return Space(branches, root="family")


def to_point(configuration):
    """Give a configuration as a point of `catalogue_space`, its family under ``"family"``.

    Parameters
    ----------
    configuration : Configuration
        One of the catalogue's.

    Returns
    -------
    dict
        A point of `catalogue_space`.
    """
    steps = {_STEP + step: choice for step, choice in configuration.preprocessing.items()}
    return {"family": configuration.family, **configuration.params, **steps}


def from_point(point):
    """Give a point of `catalogue_space` as a configuration.

    Parameters
    ----------
    point : mapping
        Values by the names of the space; the family's name under ``"family"``.

    Returns
    -------
    Configuration
        What the point stands for.
    """
    params, steps = {}, {}
    for name, value in point.items():
        if name.startswith(_STEP):
            steps[name.removeprefix(_STEP)] = value
        elif name != "family":
            params[name] = value
    return Configuration(point["family"], params, steps)
