"""Steps of the user's own that come before all that an Auto estimator searches."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from .._compat import num_samples
from ..spaces import Schema
from ..tables import check_all_columns, check_columns, check_new_rows, decide, own_copy

__all__ = [
    "BEFORE",
    "OwnSteps",
    "bare",
    "behind",
    "check_columns_before",
    "check_rows_before",
    "set_apart",
    "set_seeds",
    "with_own_steps",
]

#: What a point calls the alternative that it is meant for, where there are several.
BEFORE = "before"
_NOTHING = "passthrough"
# Deviation of what an alternative may change, as a share of that between configurations.
_DIFFERENCE = 0.5


@dataclass(frozen=True)
class OwnSteps:
    """One transformer, and what the pipelines of the catalogue meet behind it.

    Parameters
    ----------
    transformer : estimator or "passthrough"
        Unfitted.
    schema : Schema
        Of what it makes of the rows that are searched.
    """

    transformer: Any
    schema: Schema

    @property
    def does_nothing(self):
        """Whether the catalogue's own pipelines meet the table as it is."""
        return isinstance(self.transformer, str)

    def before(self, pipeline):
        """Put the transformer before the steps of a pipeline.

        Parameters
        ----------
        pipeline : Pipeline

        Returns
        -------
        Pipeline
        """
        if self.does_nothing:
            return pipeline
        return Pipeline([(BEFORE, clone(self.transformer)), *pipeline.steps])

    def of_rows(self, n_rows):
        """Give the same for another number of rows."""
        return replace(self, schema=replace(self.schema, n_rows=n_rows))


def with_own_steps(problem, before):
    """Pose a problem as it stands behind the user's own steps.

    Parameters
    ----------
    problem : Problem
    before : transformer, dict of str to transformer, or None
        ``"passthrough"`` is one, too.

    Returns
    -------
    Problem
        With what the first alternative makes of the rows as its table.

    Raises
    ------
    ValueError
        If one is no transformer, cannot be fitted, or makes no table.
    """
    alternatives = before if isinstance(before, Mapping) else {None: before}
    if before is None or list(alternatives.values()) == [_NOTHING]:
        return problem
    if not alternatives or not all(name is None or isinstance(name, str) for name in alternatives):
        raise ValueError(
            "before is a transformer, or a dict of names to several, of which the search chooses; "
            f"got {before!r}."
        )
    if len(alternatives) == 1:
        alternatives = {None: next(iter(alternatives.values()))}
    steps, tables = {}, []
    for name, given in alternatives.items():
        transformer = _seeded(given, name, problem.seed % 2**31)
        table, schema = _met_behind(transformer, name, problem)
        steps[name] = OwnSteps(transformer, schema)
        tables.append((table, schema.layout))
    first = next(iter(steps.values()))
    return replace(problem, steps=steps, schema=first.schema, no_past="", table=tables[0])


def _called(name):
    return "before" if name is None else f"before[{name!r}]"


def _seeded(given, name, seed):
    """A copy of a transformer, with the seed of the search where it has none."""
    if isinstance(given, str) and given == _NOTHING:
        return given
    transforms = all(hasattr(given, method) for method in ("fit", "transform", "get_params"))
    if isinstance(given, type) or not transforms:
        raise ValueError(
            f"{_called(name)} must be a transformer, with fit and transform, or 'passthrough'; "
            f"got {given!r}."
        )
    return set_seeds(clone(given), seed)


def set_seeds(estimator, seed):
    """Set the parameters ``random_state`` of an estimator that are None.

    Parameters
    ----------
    estimator : estimator
    seed : int

    Returns
    -------
    estimator
        The same.
    """
    return estimator.set_params(
        **{
            name: seed
            for name, value in estimator.get_params().items()
            if name.rpartition("__")[2] == "random_state" and value is None
        }
    )


def _met_behind(transformer, name, problem):
    """What a transformer makes of the rows that are searched, and its schema."""
    X, y = problem.X, problem.y
    try:
        plain = isinstance(transformer, str)
        table = X if plain else clone(transformer).fit_transform(own_copy(X), y)
        if num_samples(table) != num_samples(X):
            raise ValueError(f"it makes {num_samples(table)} rows of {num_samples(X)}")
        # What leaves the table as it is leaves what was said of its columns.
        columns = problem.layout if plain else None
        schema = Schema.from_data(table, y, problem.kind, columns=columns, folds=problem.splits)
    except Exception as error:
        raise ValueError(
            f"{_called(name)}={transformer!r} makes no table that could be searched: "
            f"{type(error).__name__}: {error}"
        ) from error
    return table, schema


def check_columns_before(X, columns, before):
    """Decide what the columns are; warn of those left out where pipelines of ours meet them.

    Parameters
    ----------
    X : array-like
        A checked table.
    columns : dict or None
        What the user knows of some columns.
    before : transformer, dict of str to transformer, or None

    Returns
    -------
    Layout
    """
    alternatives = before.values() if isinstance(before, Mapping) else [before]
    hidden = alternatives and not any(own is None or isinstance(own, str) for own in alternatives)
    return decide(X, columns) if hidden else check_columns(X, columns)


def check_rows_before(X, layout, steps, estimator):
    """Check rows to predict; own steps meet every column of `fit`, as it was there.

    Parameters
    ----------
    X : array-like
    layout : Layout
    steps : dict of (str or None) to OwnSteps
    estimator : estimator
        Named in messages.

    Returns
    -------
    ndarray, sparse matrix or dataframe
    """
    if steps:
        X = check_all_columns(X, layout, estimator)
    hidden = steps and not any(own.does_nothing for own in steps.values())
    return X if hidden else check_new_rows(X, layout, estimator)


def bare(point):
    """Give a point without the name of its alternative.

    Parameters
    ----------
    point : dict

    Returns
    -------
    dict
    """
    return {name: value for name, value in point.items() if name != BEFORE}


def behind(point, name):
    """Give a point with the name of its alternative, where there are several.

    Parameters
    ----------
    point : dict
    name : str or None

    Returns
    -------
    dict
    """
    return point if name is None else {**point, BEFORE: name}


def set_apart(past, points):
    """Let past scores stand for several alternatives, which may change them alike.

    What one alternative changes is unknown, and the same for all of its candidates.

    Parameters
    ----------
    past : PastPerformance
    points : list of dict
        One for each column.

    Returns
    -------
    PastPerformance
    """
    names = np.array([point[BEFORE] for point in points])
    there = np.isfinite(past.scores)
    width = np.zeros((len(past.scores), 1))
    width[:, 0] = [
        row[own].std() if own.any() else 0.0 for row, own in zip(past.scores, there, strict=True)
    ]
    known = np.zeros(there.shape) if past.spread is None else np.nan_to_num(past.spread)
    spread = np.hypot(known, _DIFFERENCE * width)
    variance = (known**2).mean(axis=0), (spread**2).mean(axis=0)
    alone = np.sqrt(variance[0] / np.where(variance[1] > 0, variance[1], 1.0))
    shared = np.sqrt(1 - alone**2)
    correlation = np.eye(len(names)) if past.correlation is None else past.correlation
    return replace(
        past,
        spread=np.where(there, spread, np.nan),
        correlation=np.outer(alone, alone) * correlation
        + np.outer(shared, shared) * (names[:, None] == names),
    )
