"""What is known of candidates when the final model is chosen: their predictions on test rows."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .._compat import check_method_params, safe_indexing
from ._folds import shuffled_folds
from ._more_fits import fit_more, mean_seconds

__all__ = [
    "FURTHER_SHUFFLES",
    "LEADERS",
    "Evidence",
    "confirm_leaders",
    "evidence_of",
    "leaders_of",
    "of_search",
]

# The best of a search that further shuffles, or all rows, are for.
LEADERS = 12
FURTHER_SHUFFLES = 2


@dataclass(frozen=True)
class Evidence:
    """Results of candidates on folds.

    Parameters
    ----------
    payload : Payload
        Data and folds.
    folds : dict of int to list of FoldResult
        By row of the results: a result for each of the first folds, those that judge.
    models : dict of int to list of FoldResult
        By row: a result for each of the first folds whose model is to predict.
    members : dict of int to Member
        Candidates whose models were fitted on other folds than these.
    mixable : bool
        Whether their predictions can be mixed; if not, there is one candidate only.
    """

    payload: Any
    folds: dict
    models: dict = field(default_factory=dict)
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
        n_folds = len(next(iter(self.folds.values())))
        tests = [test for _, test in self.payload.splits[:n_folds]]
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


def evidence_of(payload, folds, kind, models=None):
    """Gather the results of those candidates that predict what can be mixed.

    Parameters
    ----------
    payload : Payload
    folds : dict of int to list of FoldResult
        By row of the results.
    kind : {"classification", "regression"}
    models : dict of int to list of FoldResult, optional
        Those whose models are to predict, where these are not all of the folds.

    Returns
    -------
    Evidence
    """
    wanted = 2 if kind == "classification" else 1
    folds = {i: own for i, own in folds.items() if _can_join(own, wanted)}
    return Evidence(payload, folds, folds if models is None else models)


def leaders_of(trials, most=LEADERS):
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
    joining = evidence_of(run.payload, folds, problem.kind)
    if options.ensemble_size > 1 and joining.folds:
        best = list(joining.folds.items())[:LEADERS]
        return replace(joining, folds=dict(best))
    best = run.best
    alone = {} if best is None else {best.number: folds[best.number]}
    return Evidence(run.payload, alone, alone, mixable=False)


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
    return evidence_of(replace(payload, splits=splits), whole, problem.kind, evidence.models)
