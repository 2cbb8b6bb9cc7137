"""What the final model of an Auto estimator is made of."""

from numbers import Integral

import numpy as np

from .._compat import num_samples

__all__ = ["choose_ending", "confirms_leaders"]

# The models of folds take the place of one fitted on all rows where there are at most so many
# folds, and each trains on at least this share of the rows.
_MOST_FOLDS, _LEAST_SHARE = 12, 0.6
# A sample of more than this share of the rows is as good as all.
_SAMPLE_SHARE = 0.9
# Of more rows one shuffle of the folds says enough.
_CONFIRMED_ROWS = 2000


def choose_ending(problem, options):
    """Choose what the final model is made of.

    Parameters
    ----------
    problem : Problem
    options : SearchOptions

    Returns
    -------
    {"bag", "holdout", "refit"}
        The models of the folds; models of nearly all rows, chosen on the others; models of all
        rows.
    """
    if options.final != "auto":
        return "refit" if options.final == "latest" else options.final
    if options.limits.bound_the_model:
        # The models of all folds would take several times as much.
        return "refit"
    if options.ensemble_size < 2 or not options.timed:
        return "refit"
    n_rows = num_samples(problem.whole[0])
    if problem.n_rows < _SAMPLE_SHARE * n_rows:
        # Rows are held out by chance: not where they come in groups, or one after the other.
        return "holdout" if _shuffles(options) else "refit"
    tested = np.concatenate([test for _, test in problem.splits])
    each_once = len(tested) == problem.n_rows and len(np.unique(tested)) == problem.n_rows
    shares = [len(train) / n_rows for train, _ in problem.splits]
    few = len(shares) <= _MOST_FOLDS
    return "bag" if each_once and few and min(shares) >= _LEAST_SHARE else "refit"


def confirms_leaders(problem, options):
    """Whether the best candidates are to be evaluated on further shuffles of the folds.

    Parameters
    ----------
    problem : Problem
    options : SearchOptions

    Returns
    -------
    bool
    """
    several = options.ensemble_size > 1 and problem.n_rows <= _CONFIRMED_ROWS
    return options.timed and several and _shuffles(options)


def _shuffles(options):
    return options.cv is None or isinstance(options.cv, Integral)
