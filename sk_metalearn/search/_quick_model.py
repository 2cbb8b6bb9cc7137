"""A sound model within a fraction of a second, for a budget that is over before any other."""

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._compat import num_samples, safe_indexing
from ..spaces import Schema
from ..tables import choose_rows
from ._rows_of_text import seconds_of_text

__all__ = ["QuickModel", "fit_quick_model"]

_FAMILIES = {"classification": ("lda", "gaussian_nb"), "regression": ("ridge",)}
# Rows are chosen so that their table has so many cells; a category may become so many columns.
_CELLS, _LEVELS, _LEAST_ROWS = 200_000, 32, 50
# Free text is read for about so long, where there is nothing else; of fewer rows a column, up to
# four, its directions say nothing.
_TEXT_SECONDS, _ROWS_OF_TEXT = 0.5, 300


@dataclass(frozen=True)
class QuickModel:
    """A model to fall back on.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    point : dict
        Its configuration.
    fitted_on : str
    """

    estimator: Any
    point: dict
    fitted_on: str


def fit_quick_model(problem, choices):
    """Fit the first of the cheapest configurations in this process, on as many rows as are quick.

    Parameters
    ----------
    problem : Problem
    choices : Choices

    Returns
    -------
    QuickModel or None
        None where no such model can be had.
    """
    schema = problem.schema
    others = schema.n_features - len(schema.numeric) - len(schema.text)
    columns = len(schema.numeric) + _LEVELS * others
    n_rows = min(num_samples(problem.X), _CELLS // max(1, columns))
    least = min(_LEAST_ROWS, num_samples(problem.X))
    reads_text = schema.text and (problem.steps or len(schema.text) == schema.n_features)
    if reads_text:
        n_rows = min(n_rows, int(_TEXT_SECONDS / seconds_of_text(problem.X, schema.text)))
        least = _ROWS_OF_TEXT * min(4, len(schema.text))
    if schema.sparse or n_rows < least:
        return None
    X, y = problem.X, problem.y
    if n_rows < num_samples(X):
        rows = choose_rows(y, n_rows, problem.kind, np.random.RandomState(problem.seed))
        X, y = safe_indexing(X, rows), safe_indexing(y, rows)
    make = choices.make
    if schema.text and not reads_text:
        # Free text takes time to be learned from, and many rows.
        names = range(schema.n_features) if schema.names is None else schema.names
        ignored = {names[i]: "ignore" for i in (*schema.text, *schema.ignored)}
        make = replace(make, schema=Schema.from_data(X, y, problem.kind, columns=ignored))
    for family in _FAMILIES[problem.kind]:
        for point in choices.points:
            if choices.identity(point).family == family:
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        model = make(point)[0].fit(X, y)
                except Exception:
                    break
                where = "all rows" if len(y) == num_samples(problem.whole[0]) else f"{len(y)} rows"
                return QuickModel(model, dict(point), where)
    return None
