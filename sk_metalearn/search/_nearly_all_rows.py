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
# Seconds in which the sample's own ensemble has to have predicted what is held out.
_BAG_SECONDS = 2.0


def of_nearly_all_rows(run, problem, options, make, deadline):
    """Fit the best candidates of a search on a sample on nearly all rows, and judge on the rest.

    Those that are chosen are fitted again without other rows, as often as the time allows: the
    mean of several such models is better than one. The members of the sample's own ensemble take
    part with the models of its folds where they were not fitted in time.

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
    Evidence
        On the first fold, which no sampled row is in.
    """
    X, y, fit_params, score_params = problem.whole
    rows = np.arange(num_samples(y))
    splits = [
        (np.setdiff1d(rows, part, assume_unique=True), part) for part in _held_out(y, problem)
    ]
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
    jobs = _jobs(run, problem, options, payload, deadline, found)
    expected = partial(predict_refit_seconds, problem=problem)
    fit_more(run, payload, jobs, expected, deadline, found)
    evidence = _evidence(problem, payload, found)
    X_test = safe_indexing(X, splits[0][1])
    classes = np.unique(y) if problem.kind == "classification" else None
    for row in select_rows(run, sampled, problem, options)[0]:
        if row in evidence.folds or run.budget.clock() > deadline + _BAG_SECONDS:
            continue
        member = load_member(run, problem, run.payload, run.trials[row], sampled.models[row])
        if member is not None:
            known = FoldResult("ok", predictions=member.predictions(X_test), classes=classes)
            evidence.folds[row], evidence.members[row] = [known], member
    return evidence


def _jobs(run, problem, options, payload, deadline, found):
    """Give candidates on the first fold; in the second half of the time those chosen on others."""
    clock = run.budget.clock
    until = clock() + _SHARE_OF_CANDIDATES * (deadline - clock())
    # Where time ended the search, more than a dozen are fitted if there is time.
    leaders = leaders_of(run.trials, None if run.stop_reason == "time_budget" else LEADERS)
    # The models of the sample stay in the place of those that memory does not allow.
    large = too_large(leaders, problem, LEADERS, run.executor.n_workers)
    leaders = [trial for trial in leaders if trial.number not in large]
    first = sorted(leaders[:_FIRST], key=partial(predict_refit_seconds, problem=problem))
    waiting = deque(first + leaders[_FIRST:])
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
                if begun[row] + 1 < len(payload.splits)
            }
            if wanted:
                row = max(wanted, key=wanted.get)
                begun[row] += 1
                yield run.trials[row], begun[row]
                continue
        yield (waiting.popleft(), 0) if waiting else None


def _evidence(problem, payload, found):
    """What the first fold says; the models are those of all folds in a row."""
    models = {
        row: [found[key] for key in takewhile(found.__contains__, ((row, k) for k in count()))]
        for row, fold in found
        if fold == 0
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
