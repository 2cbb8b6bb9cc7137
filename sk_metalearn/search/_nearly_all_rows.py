"""The best candidates of a search on a sample, fitted on nearly all rows."""

from collections import Counter, deque
from dataclasses import replace
from functools import partial
from itertools import count, takewhile

import numpy as np

from .._compat import num_samples, safe_indexing
from ..evaluation import FoldResult
from ._evidence import LEADERS, evidence_of, leaders_of, of_search
from ._final_fit import predict_refit_seconds
from ._kept_models import load_member
from ._members import select_rows
from ._memory_needed import too_large
from ._more_fits import fit_more

__all__ = ["of_nearly_all_rows"]

# One of ten rows is held out, of very many at most so many.
_ONE_OF, _HELD_OUT = 10, 5_000
# A member has at most so many models, each without other rows.
_MOST_MODELS = 5
# Of so many of the very best the quickest begins, so that there is one in any case.
_FIRST = 4
# The share of the time in which candidates begin; then come further models of those chosen.
_SHARE_OF_CANDIDATES = 0.5
# A candidate that would take more than this share of the time is fitted on a half of the rows, or a
# quarter, ... halved so often at most, and only where these are still so many times those that it
# had in the search.
_SHARE_OF_A_FIT, _HALVINGS, _TIMES_THE_SAMPLE = 0.8, 5, 1.5
# So many rows of a class are left.
_RARE = 10
# Seconds in which the sample's own ensemble has to have predicted what is held out.
_BAG_SECONDS = 2.0


def of_nearly_all_rows(run, problem, options, make, deadline):
    """Fit the best candidates of a search on a sample on nearly all rows, and judge on the rest.

    A candidate that would take more than most of the time gets fewer rows. Those that are
    chosen are fitted again without other rows, as often as the time allows: the mean of several
    such models is better than one. The members of the sample's own ensemble take part with the
    models of its folds where they were not fitted in time.

    Parameters
    ----------
    run : SearchRun
    problem : Problem
    options : SearchOptions
    make : MakePipeline
        For all rows.
    deadline : float

    Returns
    -------
    evidence : Evidence
        On the first fold, which no sampled row is in.
    fitted_on : str
    """
    X, y, fit_params, score_params = problem.whole
    begun, n_rows = run.budget.clock(), num_samples(y)
    until = begun + _SHARE_OF_CANDIDATES * (deadline - begun)
    most_seconds, leaders = _SHARE_OF_A_FIT * (deadline - begun), _leaders(run, problem)
    halvings = {trial.number: _halvings(trial, problem, most_seconds) for trial in leaders}
    splits = _splits(y, problem, max(halvings.values(), default=0))
    payload = replace(
        run.payload,
        X=X,
        y=y,
        splits=splits,
        make=make,
        fit_params=fit_params,
        score_params=score_params,
        n_models=len(splits),
        models_travel=True,
    )
    sampled, found = of_search(run, problem, options), {}
    jobs = _jobs(run, problem, options, payload, until, found, leaders, halvings)
    expected = partial(_expected_seconds, problem=problem, halvings=halvings)
    fit_more(run, payload, jobs, expected, deadline, found)
    evidence = _evidence(problem, payload, found)
    at_most = "at most " if any(fold >= _MOST_MODELS for _, fold in found) else ""
    fitted_on = f"{at_most}{len(splits[0][0])} of {n_rows} rows, the others chose"
    X_test = safe_indexing(X, splits[0][1])
    classes = np.unique(y) if problem.kind == "classification" else None
    for row in select_rows(run, sampled, problem, options)[0]:
        seconds = _predict_seconds(run.trials[row], problem, len(splits[0][1]))
        if row in evidence.folds or run.budget.clock() + seconds > deadline + _BAG_SECONDS:
            continue
        member = load_member(run, problem, run.payload, run.trials[row], sampled.models[row])
        if member is not None:
            known = FoldResult("ok", predictions=member.predictions(X_test), classes=classes)
            evidence.folds[row], evidence.members[row] = [known], member
    return evidence, fitted_on


def _predict_seconds(trial, problem, n_rows):
    """Seconds in which the models of all folds predict so many rows."""
    tested = sum(len(problem.splits[fold][1]) for fold in trial.folds)
    spent = sum(own.score_seconds for own in trial.folds.values())
    return spent * len(trial.folds) * n_rows / max(1, tested)


def _leaders(run, problem):
    # Where time ended the search, more than a dozen are fitted if there is time.
    leaders = leaders_of(run.trials, None if run.stop_reason == "time_budget" else LEADERS)
    # The models of the sample stay in the place of those that memory does not allow.
    large = too_large(leaders, problem, LEADERS, run.executor.n_workers)
    return [trial for trial in leaders if trial.number not in large]


def _halvings(trial, problem, most_seconds):
    """How often the rows of a candidate are halved so that it takes no more than these seconds."""
    searched, n_rows = len(problem.splits[0][0]), num_samples(problem.whole[1])
    for k in range(_HALVINGS + 1):
        seconds = predict_refit_seconds(trial, problem, share=0.5**k)
        if seconds <= most_seconds or n_rows / 2 ** (k + 1) < _TIMES_THE_SAMPLE * searched:
            return k
    return _HALVINGS


def _expected_seconds(trial, problem, halvings):
    return predict_refit_seconds(trial, problem, share=0.5 ** halvings[trial.number])


def _splits(y, problem, n_halvings):
    """Rows of the models: each has its own to be left out; then the same with half the rows, ..."""
    rows, parts = np.arange(num_samples(y)), _held_out(y, problem)
    splits = [(np.setdiff1d(rows, part, assume_unique=True), part) for part in parts]
    if not n_halvings:
        return splits
    order = np.random.RandomState(problem.seed).permutation(len(rows))
    counts, codes = np.array([len(rows)]), np.zeros(len(rows), int)
    if problem.kind == "classification":
        # Each class keeps its share, a rare one all of its rows.
        _, codes, counts = np.unique(np.asarray(y), return_inverse=True, return_counts=True)
        order = order[np.argsort(codes[order], kind="stable")]
    for k in range(1, n_halvings + 1):
        kept = (counts < _RARE * 2**k)[codes]
        kept[order[:: 2**k]] = True
        splits += [(train[kept[train]], part) for train, part in splits[: len(parts)]]
    return splits


def _jobs(run, problem, options, payload, until, found, leaders, halvings):
    """Give candidates on the first fold; in the second half of the time those chosen on others."""
    clock = run.budget.clock
    first = sorted(leaders[:_FIRST], key=partial(predict_refit_seconds, problem=problem))
    waiting = deque(first + leaders[_FIRST:])
    folds = {row: _MOST_MODELS * k for row, k in halvings.items()}
    weights, n_known, begun = {}, 0, Counter()
    while True:
        if not waiting or (found and clock() > until):
            evidence = _evidence(problem, payload, found)
            if len(evidence.folds) > n_known:
                n_known = len(evidence.folds)
                weights, _ = select_rows(run, evidence, problem, options)
            wanted = {
                row: weight / (1 + begun[row])
                for row, weight in weights.items()
                if begun[row] + 1 < _MOST_MODELS
            }
            if wanted:
                row = max(wanted, key=wanted.get)
                begun[row] += 1
                yield run.trials[row], folds[row] + begun[row]
                continue
        yield (waiting[0], folds[waiting.popleft().number]) if waiting else None


def _evidence(problem, payload, found):
    """What the first fold says; the models are those of all folds in a row."""
    models = {
        row: [
            found[key]
            for key in takewhile(found.__contains__, ((row, k) for k in count(first)))
            if key[1] < first + _MOST_MODELS
        ]
        for row, first in found
        if first % _MOST_MODELS == 0
    }
    folds = {row: own[:1] for row, own in models.items()}
    return evidence_of(payload, folds, problem.kind, models)


def _held_out(y, problem):
    """Give the rows that each model does not see, of each class the same share, of a rare one none.

    Those of the first model, which judge, are none of the sample.
    """
    n_rows = num_samples(y)
    one_of = max(_ONE_OF, -(-n_rows // _HELD_OUT))
    order = np.random.RandomState(problem.seed).permutation(n_rows)
    # Those that the search has seen come first, and are not counted.
    order = order[np.argsort(~np.isin(order, problem.rows), kind="stable")]
    if problem.kind == "classification":
        codes = np.unique(np.asarray(y), return_inverse=True)[1]
        order = order[np.argsort(codes[order], kind="stable")]
        counts = np.bincount(codes)
        place = np.arange(n_rows) - np.repeat(np.cumsum(counts) - counts, counts)
        size = np.repeat(counts, counts)
    else:
        place, size = np.arange(n_rows), n_rows
    part = size // one_of
    parts = []
    for k in range(_MOST_MODELS):
        # From the last ones of each class on.
        own = order[(place < size - k * part) & (place >= size - (k + 1) * part)]
        parts.append(np.sort(own))
    parts[0] = np.setdiff1d(parts[0], problem.rows, assume_unique=True)
    return parts
