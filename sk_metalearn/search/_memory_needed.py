"""Whether a search fits into the memory that is free, and what of it is done with less."""

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from scipy.sparse import issparse

from .._compat import num_samples
from ..evaluation import free_memory, local_processes
from ..exceptions import FallbackWarning, warn_user
from ..spaces import MANY_LEVELS

__all__ = ["fit_in_memory", "too_large"]

# Modules of a process, and what else it has without rows.
_PROCESS = 200 * 2**20
# A fit takes its training rows, each step what it makes of them, and the model its own form: so
# many tables of float64 in all (measured over families: 1.6 to 7, most of them 5.4).
_COPIES = 6
# Of an estimator of the user's only the rows are known, and one copy is supposed.
_COPIES_OF_OTHERS = 2
# Columns of numbers that a text becomes.
_TEXT_COLUMNS = 64
# A sparse table of more cells never becomes dense.
_DENSE_CELLS = 100_000_000
# Of a node of a tree: the node itself, and its value for each class.
_NODE, _VALUE = 64, 8
# Of a pair of rows in a kernel matrix (measured: 5.3 GB for 23,500 rows).
_PAIR = 10
# Of what is free, so much is used; a search of fewer rows says little.
_SHARE, _LEAST_ROWS = 0.9, 1000
_ADVICE = (
    "Free memory, use a machine with more, or give fewer columns or rows, or a smaller n_jobs."
)


@dataclass(frozen=True)
class _Need:
    """Bytes that the fits of a search take, by the rows that are searched and those there are."""

    row: float
    copies: float
    n_rows: int
    n_searched: int
    # Whether several processes fit all rows at once.
    all_at_once: bool

    def of_a_fit(self, n_rows):
        return self.copies * self.row * n_rows

    def of_each(self, n_processes, n_rows=None):
        """Of a process, at most; this one loads modules, too."""
        n_given = self.n_rows if n_rows is None else n_rows
        fit = self.of_a_fit(n_given) if n_processes else self.together(0, n_rows)
        return _PROCESS + fit

    def together(self, n_processes, n_rows=None):
        # This process copies rows: the part of them that is used, and for others or the last fit.
        n_copies = 1 if n_rows is None else 2
        n_rows = self.n_rows if n_rows is None else n_rows
        if n_processes:
            searching = n_processes * self.of_a_fit(min(self.n_searched, n_rows))
            at_end = n_processes if self.all_at_once else 1
            fits = max(searching, at_end * self.of_a_fit(n_rows))
        else:
            fits = self.of_a_fit(n_rows)
        return n_copies * self.row * n_rows + n_processes * _PROCESS + fits

    def fits(self, free, n_processes, n_rows=None):
        each = free.each is None or self.of_each(n_processes, n_rows) <= _SHARE * free.each
        return each and self.together(n_processes, n_rows) <= _SHARE * free.together


def fit_in_memory(X, layout, options, free=None):
    """Do with less where a search would need more memory than there is, and say so.

    Parameters
    ----------
    X : array-like, sparse matrix or dataframe of shape (n_rows, n_columns)
    layout : Layout or None
        What its columns are; None where the estimator is the user's, of which little is known.
    options : SearchOptions
    free : FreeMemory or None, default=None
        By default what is free now.

    Returns
    -------
    options : SearchOptions
        With fewer workers, where all at once would need too much.
    n_rows : int or None
        Rows of which all is made, where all rows are too many for one process; None: all.

    Raises
    ------
    MemoryError
        If not even a small part of the rows fits.
    """
    n_processes = local_processes(options.n_jobs, options.timed or options.limits.need_workers)
    need = None if n_processes is None else _need_of(X, layout, options)
    if need is None:
        return options, None
    free = free_memory() if free is None else free
    if need.fits(free, n_processes):
        return options, None
    wanted = _in_words(need, n_processes, free)
    for fewer in range(n_processes - 1, 0, -1):
        if need.fits(free, fewer):
            warn_user(f"{wanted} n_jobs is {fewer} for this search. {_ADVICE}", FallbackWarning)
            return replace(options, n_jobs=fewer), None
    n_processes = min(n_processes, 1)
    options = replace(options, n_jobs=1)
    if layout is None or isinstance(options.cv, list) or options.final == "latest":
        # All rows are asked for; it may still go well, as an estimator may need less.
        warn_user(f"{wanted} {_ADVICE}", FallbackWarning)
        return options, None
    least = min(_LEAST_ROWS, need.n_rows)
    smallest = free.together if free.each is None else min(free.together, free.each)
    if need.together(0, least) > _SHARE * smallest:
        raise MemoryError(f"{wanted} Not even {least:,} rows fit. {_ADVICE}")
    fewer = list(_fewer_rows(need.n_rows, least))
    n_rows = next((n for n in fewer if need.fits(free, n_processes, n)), 0)
    if not n_rows:
        # Modules alone are too many: rows that hardly count beside them need not go.
        fewer.insert(0, need.n_rows)
        n_rows = next((n for n in fewer if need.together(0, n) <= 0.5 * smallest), least)
    some = f" {n_rows:,} of the {need.n_rows:,} rows are used." if n_rows < need.n_rows else ""
    warn_user(f"{wanted}{some} {_ADVICE}", FallbackWarning)
    return options, n_rows if some else None


def too_large(trials, problem, n_members, n_at_once=1, free=None):
    """Say which candidates cannot be fitted on all rows for lack of memory.

    The trees of a forest, and the kernel matrix of a ridge, take far more than the rows themselves.

    Parameters
    ----------
    trials : list of Trial
        Best first; what the first ones take is not there for the others.
    problem : Problem
    n_members : int
        How many of them may be members of the final model.
    n_at_once : int, default=1
        Fits that run at the same time.
    free : FreeMemory or None, default=None
        By default what is free now.

    Returns
    -------
    dict of int to int
        Bytes that each of these takes, by its number.
    """
    sizes = {own.number: _bytes_beside_rows(own.proposal.point, problem) for own in trials}
    if not any(sizes.values()):
        return {}
    free = free_memory() if free is None else free
    most = _SHARE * (free.together if free.each is None else min(free.together, free.each))
    taken, n_kept, found = 0, 0, {}
    for trial in trials:
        size = sizes[trial.number]
        if taken + n_at_once * size > most:
            found[trial.number] = size
        elif n_kept < n_members:
            # A matrix goes after the fit, trees stay.
            taken += 0 if trial.proposal.point["family"] == "kernel_ridge" else size
            n_kept += 1
    return found


def _bytes_beside_rows(point, problem):
    """Bytes that a fit on all rows takes beside tables of them; 0 where they are few."""
    n_rows = num_samples(problem.whole[0])
    if point["family"] == "kernel_ridge":
        return _PAIR * n_rows**2
    if point["family"] not in ("random_forest", "extra_trees"):
        return 0
    share, n_values = 2.0, 1 if np.ndim(problem.y) == 1 else np.shape(problem.y)[1]
    if problem.kind == "classification":
        # Leaves of one class are not parted further.
        n_values, share = n_values * len(np.unique(problem.y)), 0.5
    if point.get("bootstrap"):
        share *= 0.63
    n_nodes = share * n_rows / max(1, point.get("min_samples_leaf") or 1)
    if point.get("max_depth") is not None:
        n_nodes = min(n_nodes, 2.0 ** (point["max_depth"] + 1))
    return (point.get("n_estimators") or 100) * n_nodes * (_NODE + _VALUE * n_values)


def _need_of(X, layout, options):
    row = _bytes_of_row(X, layout)
    if not row:
        return None
    n_rows = num_samples(X)
    if layout is None:
        return _Need(row, _COPIES_OF_OTHERS, n_rows, n_rows, True)
    searched = n_rows if isinstance(options.cv, list) else min(n_rows, options.max_rows)
    at_once = searched == n_rows or (options.timed and options.final == "auto")
    return _Need(row, _COPIES, n_rows, searched, at_once)


def _bytes_of_row(X, layout):
    """Bytes of a row as models meet it; 0 where that is not known."""
    if issparse(X):
        n_rows, n_columns = X.shape
        row = 12 * X.nnz / max(1, n_rows)
        dense = layout is not None and n_rows * n_columns <= _DENSE_CELLS
        return max(row, 8 * n_columns) if dense else row
    if layout is None:
        size = X.nbytes if isinstance(X, np.ndarray) else 0
        if hasattr(X, "memory_usage"):
            size = np.sum(X.memory_usage(index=False))
        return size and size / max(1, num_samples(X))
    width = {"number": 1, "text": _TEXT_COLUMNS}
    levels = [max(1, min(plan.n_levels, MANY_LEVELS)) for plan in layout.plans]
    outputs = layout.outputs()
    return 8 * sum(width.get(own.kind, levels[own.position]) for own in outputs)


def _fewer_rows(n_rows, least):
    """Nine tenths of the rows, and nine tenths of that, down to the least."""
    while (n_rows := ceil(0.9 * n_rows)) > least:
        yield n_rows
    yield least


def _in_words(need, n_processes, free):
    each, together = (
        f"{size / 2**30:.2f} GiB"
        for size in (need.of_a_fit(need.n_rows), need.together(n_processes))
    )
    at_once = n_processes if need.all_at_once else 1
    several = f", {together} for {at_once} at once with what they need themselves"
    limit = "" if free.each is None else f", {free.each / 2**30:.2f} GiB for a process"
    return (
        f"A fit on {need.n_rows:,} rows takes about {each} of memory"
        f"{several if at_once > 1 else f', {together} with what the search needs itself'}; "
        f"{free.together / 2**30:.2f} GiB are free{limit}."
    )
