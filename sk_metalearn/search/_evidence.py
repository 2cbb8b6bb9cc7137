"""What is known of candidates when the final model is chosen: their predictions on test rows."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from .._compat import check_method_params, num_samples, safe_indexing
from ..evaluation import FoldResult
from ._final_fit import predict_refit_seconds
from ._folds import shuffled_folds
from ._kept_models import load_member
from ._more_fits import fit_more, mean_seconds

__all__ = [
    "FURTHER_SHUFFLES",
    "Evidence",
    "confirm_leaders",
    "leaders_of",
    "of_nearly_all_rows",
    "of_search",
]

# The best of a search that further shuffles, or all rows, are for.
_LEADERS, _FIRST = 12, 4
FURTHER_SHUFFLES = 2
# One of ten rows is held out, of very many at most so many.
_ONE_OF, _HELD_OUT = 10, 5_000
# Seconds in which the sample's own ensemble has to have predicted them.
_BAG_SECONDS = 2.0


@dataclass(frozen=True)
class Evidence:
    """Results of candidates on folds.

    Parameters
    ----------
    payload : Payload
        Data and folds.
    folds : dict of int to list of FoldResult
        By row of the results, a result a fold.
    members : dict of int to Member
        Candidates whose models were fitted on other folds than these.
    mixable : bool
        Whether their predictions can be mixed; if not, there is one candidate only.
    """

    payload: Any
    folds: dict
    members: dict = field(default_factory=dict)
    mixable: bool = True

    def without(self, rows):
        """Leave candidates out.

        Parameters
        ----------
        rows : set of int

        Returns
        -------
        Evidence
        """
        return replace(self, folds={i: own for i, own in self.folds.items() if i not in rows})

    def stacked(self, classes):
        """Give the predictions of the folds under each other, as folds may overlap.

        Parameters
        ----------
        classes : ndarray or None
            None for regression.

        Returns
        -------
        predictions : list of ndarray
            A candidate's, of shape (n,) or (n, n_classes).
        y : array-like of shape (n,)
        tests : list of ndarray of int
            Rows of each fold among the n.
        score_params : dict
        """
        tests = [test for _, test in self.payload.splits]
        rows = np.concatenate(tests)
        ends = np.cumsum([len(test) for test in tests])
        parts = [np.arange(end - len(test), end) for test, end in zip(tests, ends, strict=True)]
        predictions = [
            np.concatenate([_in_order(result, classes) for result in own])
            for own in self.folds.values()
        ]
        params = check_method_params(self.payload.X, params=self.payload.score_params, indices=rows)
        return predictions, safe_indexing(self.payload.y, rows), parts, params


def _in_order(result, classes):
    if classes is None:
        return result.predictions
    # A checkpoint keeps the names of classes as text.
    own = np.asarray(result.classes).astype(str)
    columns = [int(np.flatnonzero(classes.astype(str) == c)[0]) for c in own]
    ordered = np.zeros((len(result.predictions), len(classes)))
    ordered[:, columns] = result.predictions
    return ordered


def _can_join(results, wanted):
    return all(
        result.predictions is not None and np.ndim(result.predictions) == wanted
        for result in results
    )


def _joining(payload, folds, kind):
    wanted = 2 if kind == "classification" else 1
    return Evidence(payload, {i: own for i, own in folds.items() if _can_join(own, wanted)})


def leaders_of(trials, most=_LEADERS):
    """Give the candidates that went well and scored best.

    Parameters
    ----------
    trials : list of Trial
    most : int or None, default=12
        How many; None: all.

    Returns
    -------
    list of Trial
        Best first.
    """
    well = [trial for trial in trials if trial.status == "ok" and np.isfinite(trial.estimate)]
    return sorted(well, key=lambda trial: -trial.estimate)[:most]


def of_search(run, problem, options):
    """Gather what the search itself has seen.

    Parameters
    ----------
    run : SearchRun
    problem : Problem
    options : SearchOptions

    Returns
    -------
    Evidence
        Of the best candidate alone where there is to be no ensemble, or nothing to mix.
    """
    folds = {
        trial.number: [trial.folds[fold] for fold in sorted(trial.folds)]
        for trial in leaders_of(run.trials, most=None)
    }
    joining = _joining(run.payload, folds, problem.kind)
    if options.ensemble_size > 1 and joining.folds:
        best = list(joining.folds.items())[:_LEADERS]
        return replace(joining, folds=dict(best))
    best = run.best
    alone = {} if best is None else {best.number: folds[best.number]}
    return replace(joining, folds=alone, mixable=False)


def confirm_leaders(run, problem, options, evidence, deadline):
    """Evaluate the best candidates on further shuffles of the folds.

    Of a few hundred rows one shuffle says little about which of them are the best.

    Parameters
    ----------
    run : SearchRun
    problem : Problem
    options : SearchOptions
    evidence : Evidence
        Of the search.
    deadline : float

    Returns
    -------
    Evidence
        Of the leaders on all shuffles that were finished in time.
    """
    n_folds = len(problem.splits)
    splits = list(problem.splits)
    for further in range(1, FURTHER_SHUFFLES + 1):
        cv = shuffled_folds(options.cv, problem.y, problem.kind, problem.seed + further)
        splits += [tuple(split) for split in cv.split(np.zeros(problem.n_rows), problem.y)]
    payload = replace(run.payload, splits=splits, n_models=0)
    leaders = [trial for trial in leaders_of(run.trials) if trial.number in evidence.folds]
    folds = {trial.number: list(evidence.folds[trial.number]) for trial in leaders}
    for first in range(n_folds, len(splits), n_folds):
        shuffle = range(first, first + n_folds)
        jobs = [(trial, fold) for trial in leaders for fold in shuffle]
        found = fit_more(run, payload, jobs, mean_seconds, deadline)
        if run.budget.clock() >= deadline:
            # Those that came late have not been compared with those that did not come.
            splits = splits[:first]
            break
        leaders = [t for t in leaders if all((t.number, fold) in found for fold in shuffle)]
        for trial in leaders:
            folds[trial.number] += [found[trial.number, fold] for fold in shuffle]
    whole = {i: own for i, own in folds.items() if len(own) == len(splits)}
    return _joining(replace(payload, splits=splits), whole, problem.kind)


def of_nearly_all_rows(run, problem, schema, deadline, chosen):
    """Fit the best candidates of a search on a sample on nearly all rows, and judge on the rest.

    The members of the sample's own ensemble take part with the models of its folds where they
    were not fitted in time.

    Parameters
    ----------
    run : SearchRun
    problem : Problem
    schema : Schema
        Of all rows.
    deadline : float
    chosen : sequence of int
        Rows of the members of the sample's ensemble.

    Returns
    -------
    Evidence
        On one fold, which no sampled row is in.
    """
    X, y, fit_params, score_params = problem.whole
    held_out = _held_out(y, problem)
    train, test = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    payload = replace(
        run.payload,
        X=X,
        y=y,
        splits=[(train, test)],
        make=replace(run.payload.make, schema=schema),
        fit_params=fit_params,
        score_params=score_params,
        n_models=1,
        models_travel=True,
    )
    # Time is kept for a dozen; where it ends the search, what is left of it is for others.
    leaders = leaders_of(run.trials, most=None if run.stop_reason == "time_budget" else _LEADERS)
    # Of the very best the quickest begins, so that there is one in any case.
    expected = partial(predict_refit_seconds, problem=problem)
    first = sorted(leaders[:_FIRST], key=expected)
    jobs = [(trial, 0) for trial in first + leaders[_FIRST:]]
    found = fit_more(run, payload, jobs, expected, deadline)
    folds = {number: [own] for (number, _), own in found.items()}
    evidence = _joining(payload, folds, problem.kind)
    X_test = safe_indexing(X, test)
    classes = np.unique(y) if problem.kind == "classification" else None
    for row in chosen:
        if row in evidence.folds or run.budget.clock() > deadline + _BAG_SECONDS:
            continue
        trial = run.trials[row]
        results = [trial.folds[fold] for fold in sorted(trial.folds)]
        member = load_member(run, problem, run.payload, trial, results)
        if member is not None:
            known = FoldResult("ok", predictions=member.predictions(X_test), classes=classes)
            evidence.folds[row], evidence.members[row] = [known], member
    return evidence


def _held_out(y, problem):
    """Which rows are held out, of each class the same share, and of a rare one none."""
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
    held_out = np.zeros(n_rows, dtype=bool)
    # The last ones of each class.
    held_out[order[place >= size - size // one_of]] = True
    held_out[problem.rows] = False
    return held_out
