"""How many rows of free text there is time for."""

import numpy as np

from .._compat import num_samples, safe_indexing
from ..tables import view_of

__all__ = ["rows_in_time", "seconds_of_text"]

# A fit reads a million characters in so many seconds: words, pieces of words and their directions.
_SECONDS_PER_CHARACTER = 2e-6
# A fit of the search may take this share of the budget, and is of so many rows in any case.
_SHARE, _LEAST_ROWS = 0.05, 1000
# The length of text is told from so many rows.
_LOOKED_AT = 300


def seconds_of_text(X, positions):
    """Predict what the text of a row adds to a fit.

    Parameters
    ----------
    X : table
    positions : sequence of int
        Of the columns that are read as text.

    Returns
    -------
    float
        Seconds.
    """
    n_rows = num_samples(X)
    rows = np.unique(np.linspace(0, n_rows - 1, min(n_rows, _LOOKED_AT)).astype(int))
    view = view_of(safe_indexing(X, rows))
    lengths = sum(
        len(str(value)) for j in positions for value in view.column(j).values if value is not None
    )
    return _SECONDS_PER_CHARACTER * max(1.0, lengths / len(rows))


def rows_in_time(X, layout, options):
    """Give the rows on which a time budget allows to search where columns are read as text.

    Parameters
    ----------
    X : table
    layout : Layout or None
    options : SearchOptions

    Returns
    -------
    int or None
        None: as many as otherwise. A search that can be resumed does not depend on its budget.
    """
    if layout is None or not options.timed or options.checkpoint is not None:
        return None
    text = layout.positions("text")
    if not text:
        return None
    return max(_LEAST_ROWS, int(_SHARE * options.time_budget / seconds_of_text(X, text)))
