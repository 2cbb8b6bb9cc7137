"""The members of an ensemble: which they are, and their models."""

import time
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold

from .._compat import safe_indexing
from ..evaluation import calibrate, lacks_probabilities
from ._ensemble import select_members
from ._final_fit import fit_on_all_rows
from ._more_fits import fit_more, mean_seconds
from ._voting import fitted_voting

__all__ = ["Bag", "load_bag", "select_rows", "unfitted_member"]

_CALIBRATION_FOLDS = 3


@dataclass(frozen=True)
class Bag:
    """An ensemble of models that the search has left.

    Parameters
    ----------
    estimator : VotingClassifier or VotingRegressor
        Fitted.
    weights : dict of int to int
        Weight of each member, by row of the results.
    score : float
        On the folds.
    """

    estimator: Any
    weights: dict
    score: float


def unfitted_member(trial, problem, make):
    """Build a candidate so that it gives probabilities, if it is a classifier.

    Parameters
    ----------
    trial : Trial
    problem : Problem
    make : callable
        ``make(point)`` gives the pipeline, and nothing else to be set.

    Returns
    -------
    estimator
        A pipeline, or a `CalibratedClassifierCV` of one whose model gives decision values only.
    """
    estimator, _ = make(dict(trial.proposal.point))
    if problem.kind != "classification" or not lacks_probabilities(estimator):
        return estimator
    if np.unique(problem.whole[1], return_counts=True)[1].min() < _CALIBRATION_FOLDS:
        # The model has to be fitted first.
        return estimator
    seed = problem.seed % 2**31
    folds = StratifiedKFold(_CALIBRATION_FOLDS, shuffle=True, random_state=seed)
    return CalibratedClassifierCV(estimator, cv=folds, ensemble=False)


def select_rows(run, evidence, problem, options, deadline):
    """Choose the members of the ensemble.

    Parameters
    ----------
    run : SearchRun
    evidence : Evidence
    problem : Problem
    options : SearchOptions
    deadline : float
        Of ``time.monotonic()``.

    Returns
    -------
    weights : dict of int to int
        By row of the results; empty where no candidate can join, or no time was left.
    score : float
    """
    rows = list(evidence.folds)
    if not rows:
        return {}, -np.inf
    if len(rows) == 1:
        return {rows[0]: 1}, run.trials[rows[0]].estimate
    classes = np.unique(problem.whole[1]) if problem.kind == "classification" else None
    predictions, y, tests, score_params = evidence.stacked(classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weights, score = select_members(
            predictions,
            y,
            problem.scorer,
            tests,
            classes,
            score_params=score_params,
            n_rounds=max(1, options.ensemble_size),
            deadline=deadline,
        )
    return {rows[i]: count for i, count in weights.items()}, score


def load_bag(run, problem, options, evidence):
    """Choose the members of the ensemble, and load the models that they left on the folds.

    What they did not leave, as after a search that went on from a checkpoint, is fitted again.

    Parameters
    ----------
    run : SearchRun
    problem : Problem
    options : SearchOptions
    evidence : Evidence

    Returns
    -------
    Bag or None
        None where no model can be had.
    """
    left = run.budget.left()
    # Half of what is left is for the models.
    deadline = np.inf if left is None else time.monotonic() + 0.5 * left
    while evidence.folds:
        weights, score = select_rows(run, evidence, problem, options, deadline)
        if not weights:
            # There was no time to choose: the best alone.
            weights = {max(evidence.folds, key=lambda row: run.trials[row].estimate): 1}
            score = run.trials[next(iter(weights))].estimate
        members = _members(run, problem, evidence, list(weights))
        lost = set(weights) - set(members)
        if not lost:
            estimator = fitted_voting(list(members.values()), list(weights.values()))
            return Bag(estimator, weights, score)
        evidence = evidence.without(lost)
    return None


def _members(run, problem, evidence, rows):
    """Models of each member, by row; a member is missing where there was no time for them."""
    n_models = len(problem.splits) if len(evidence.payload.splits) > 1 else 1
    payload, end = evidence.payload, run.budget.deadline(0)
    results = {(row, f): evidence.folds[row][f] for row in rows for f in range(n_models)}
    missing = [key for key, own in results.items() if not run.models.has(own)]
    if missing:
        again = replace(payload, n_models=n_models, keep_predictions=False)
        jobs = [(run.trials[row], fold) for row, fold in missing]
        results.update(fit_more(run, again, jobs, mean_seconds, end))
    members = {}
    for row in rows:
        loaded = [run.models.load(results[row, fold]) for fold in range(n_models)]
        if any(model is None for model in loaded):
            continue
        estimator = unfitted_member(run.trials[row], problem, payload.make)
        if problem.kind == "classification":
            loaded = _knowing_all(run, problem, payload, estimator, loaded)
        if loaded:
            members[row] = f"candidate_{row}", estimator, loaded
    return members


def _knowing_all(run, problem, payload, estimator, models):
    """Give models with probabilities of all classes; one of all rows where folds lack some."""
    n_classes = len(np.unique(problem.whole[1]))
    tests = [test for _, test in payload.splits[: len(models)]]
    targets = [safe_indexing(payload.y, test) for test in tests]
    parts = zip(models, targets, strict=True)
    if all(
        len(model.classes_) == n_classes
        and (not lacks_probabilities(model) or len(np.unique(y)) == n_classes)
        for model, y in parts
    ):
        return [
            calibrate(model, safe_indexing(payload.X, test), np.asarray(y))
            if lacks_probabilities(model)
            else model
            for model, test, y in zip(models, tests, targets, strict=True)
        ]
    fitted = fit_on_all_rows(run, problem, estimator).estimator
    return [] if fitted is None or lacks_probabilities(fitted) else [fitted]
