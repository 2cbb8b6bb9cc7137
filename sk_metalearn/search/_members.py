"""The members of an ensemble: which they are, with their models."""

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._compat import num_samples
from ._ensemble import select_members
from ._kept_models import load_member
from ._more_fits import fit_more, mean_seconds
from ._threshold import members_scorer
from ._voting import fitted_voting

__all__ = ["Bag", "costs_of", "load_bag", "select_rows"]


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


def select_rows(run, evidence, problem, options):
    """Choose the members of the ensemble, in half of the time that is left: models come after it.

    Parameters
    ----------
    run : SearchRun
    evidence : Evidence
    problem : Problem
    options : SearchOptions

    Returns
    -------
    weights : dict of int to int
        By row of the results; empty where no candidate can join, or no time was left.
    score : float
    """
    rows = list(evidence.folds)
    if not rows:
        return {}, -np.inf
    if not evidence.mixable:
        return {rows[0]: 1}, run.trials[rows[0]].estimate
    classes = np.unique(problem.whole[1]) if problem.kind == "classification" else None
    predictions, y, tests, score_params = evidence.stacked(classes)
    scorer, score_params = members_scorer(problem.scorer, score_params)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weights, score = select_members(
            predictions,
            y,
            scorer,
            tests,
            classes,
            score_params=score_params,
            n_rounds=max(1, options.ensemble_size),
            costs=costs_of(run, evidence, problem),
            deadline=run.budget.half_left(),
        )
    return {rows[i]: count for i, count in weights.items()}, score


def costs_of(run, evidence, problem):
    """Give what each candidate takes of the limits of prediction time and model size.

    Parameters
    ----------
    run : SearchRun
    evidence : Evidence
    problem : Problem

    Returns
    -------
    ndarray of shape (n_candidates, n_limits) or None
        Shares of each limit; None without limits.
    """
    shares = [[own.shares for own in results] for results in evidence.folds.values()]
    if not all(own for results in shares for own in results):
        return None
    n_train, n_rows = len(problem.splits[0][0]), num_samples(problem.whole[0])
    # Models of more rows are larger; a bag holds one a fold.
    factor = len(problem.splits) if run.ending == "bag" else max(1.0, n_rows / n_train)
    return factor * np.max(shares, axis=1)


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
    while evidence.folds:
        weights, score = select_rows(run, evidence, problem, options)
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
    payload, end = evidence.payload, run.budget.deadline(0)
    results = {
        (row, fold): own
        for row in rows
        if row not in evidence.members
        for fold, own in enumerate(evidence.models[row])
    }
    missing = [key for key, own in results.items() if not run.models.has(own)]
    if missing:
        n_models = 1 + max(fold for _, fold in missing)
        again = replace(payload, n_models=n_models, models_travel=True, keep_predictions=False)
        jobs = [(run.trials[row], fold) for row, fold in missing]
        results.update(fit_more(run, again, jobs, mean_seconds, end))
    members = {}
    for row in rows:
        member = evidence.members.get(row)
        if member is None:
            own = [results[row, fold] for fold in range(len(evidence.models[row]))]
            member = load_member(run, problem, payload, run.trials[row], own)
        if member is not None:
            members[row] = f"candidate_{row}", member.estimator, member.models
    return members
