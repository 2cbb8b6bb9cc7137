"""The last step of an Auto estimator: the best pipeline or an ensemble, and its fitted models."""

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .._compat import num_samples, safe_indexing
from ..evaluation import calibrate, lacks_probabilities
from ..exceptions import FallbackWarning, warn_user
from ..spaces import Configuration, build_estimator, get_family, to_point
from ._best_index import best_index
from ._evidence import LEADERS, confirm_leaders, leaders_of, of_search
from ._final_fit import fit_on_all_rows, predict_refit_seconds
from ._intervals import unseen_errors
from ._kept_models import unfitted_member
from ._members import load_bag, select_rows
from ._memory_needed import too_large
from ._nearly_all_rows import of_nearly_all_rows
from ._score_estimate import estimate_score, further_scores
from ._stopped_boosting import found_params
from ._threshold import threshold_of
from ._voting import fit_voting, fitted_voting, voting_estimator

__all__ = ["AutoModel", "fit_auto_model"]

# A network that is fitted on all rows is the mean of so many, from different random starts.
_STARTS = 3
# A mixture has to be better by more than rounding.
_BETTER = 1e-9


@dataclass(frozen=True)
class AutoModel:
    """The final model of an Auto estimator.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    seconds : float
        Of the final fit.
    fitted_on : str
        ``"all rows"``, or what it was fitted on instead.
    weights : dict of int to int
        Weight of each member, by row of the results; empty for the dummy.
    index : int
        Row of the best single pipeline, -1 where there is none.
    score : float
        On the folds.
    point : dict
        The best single pipeline.
    estimate : ScoreEstimate or None
        What to expect of it on new rows.
    errors : ndarray or None
        Of regression: target less prediction on rows that the members had not seen, ascending.
    threshold : float or None
        Probability from which on the second class is predicted; None: of one half.
    further : dict of str to float
        Of a mixture: its scores by metrics that do not decide.
    """

    estimator: Any
    seconds: float
    fitted_on: str
    weights: dict
    index: int
    score: float
    point: dict
    estimate: Any = None
    errors: Any = None
    threshold: float | None = None
    further: dict = field(default_factory=dict)


def fit_auto_model(run, problem, options, results, quick=None):
    """Choose the final model, and fit what of it is not fitted yet.

    Parameters
    ----------
    run : SearchRun
    problem : Problem
    options : SearchOptions
    results : dict of array
        The search's ``cv_results_``.
    quick : QuickModel or None, default=None
        What to fall back on where nothing else was fitted in time.

    Returns
    -------
    AutoModel

    Raises
    ------
    ValueError
        If no configuration could be scored, for another reason than the time.
    """
    make = run.payload.make.of_all_rows(problem)
    scores = results["mean_test_score"] if run.trials else np.array([])
    if not np.isfinite(scores).any():
        return _fall_back(_why_nothing_was_found(run, options, results), problem, make, quick)
    run, results = _without_large_ones(run, problem, results)
    index = best_index(True, "score", results)
    best = run.trials[index]
    single = AutoModel(None, 0.0, "", {index: 1}, index, float(scores[index]), found_params(best))
    model = _of_kept_models(run, problem, options, make, single)
    if model is not None:
        return model
    model = _refit(run, problem, options, make, single)
    if model.estimator is None:
        why = f"the final fit did not end well ({model.fitted_on})"
        return _fall_back(why, problem, make, quick)
    return model


def _without_large_ones(run, problem, results):
    """Leave out candidates that need more memory for all rows than there is."""
    leaders = leaders_of(run.trials, most=None)
    sizes = too_large(leaders, problem, LEADERS) if run.ending == "refit" else {}
    if not sizes:
        return run, results
    if len(sizes) == len(leaders):
        # One there must be.
        sizes.pop(min(sizes, key=sizes.get))
    trials = [
        replace(own, status="over_limit") if own.number in sizes else own for own in run.trials
    ]
    statuses = [own.status for own in trials]
    rows = ", ".join(f"{row} ({size / 2**30:.1f} GiB)" for row, size in sorted(sizes.items()))
    warn_user(
        f"For all {num_samples(problem.whole[1]):,} rows these candidates need more memory than "
        f"is free, and are left out of the final model: rows {rows} of cv_results_. Free memory, "
        "use a machine with more, or give fewer rows.",
        FallbackWarning,
    )
    best = run.best if run.best.number not in sizes else leaders_of(trials)[0]
    return replace(run, trials=trials, best=best), {**results, "status": np.array(statuses)}


def _with(model, final, **changes):
    return replace(
        model,
        estimator=final.estimator,
        seconds=final.seconds,
        fitted_on=final.fitted_on,
        **changes,
    )


def _of_kept_models(run, problem, options, make, single):
    """Make the final model of models that the workers leave; None where these are not wanted."""
    if run.ending == "refit" or run.models is None:
        return None
    begun = time.perf_counter()
    searched = of_search(run, problem, options)
    sources = [(searched, "training rows of each fold")]
    until = run.budget.deadline(run.choice_seconds)
    if run.ending == "holdout":
        sources.insert(0, of_nearly_all_rows(run, problem, options, make, until))
    elif run.confirms:
        sources.insert(0, (confirm_leaders(run, problem, options, searched, until), sources[0][1]))
    for evidence, fitted_on in sources:
        bag = load_bag(run, problem, options, evidence)
        if bag is not None:
            estimator = bag.estimator
            # Before further fits, which take whatever time is left.
            judged = _judged(run, problem, options, evidence, bag.weights, bag.score)
            if run.refits:
                estimator, fitted_on = _refit_members(run, problem, options, make, bag, fitted_on)
            return replace(
                single,
                estimator=estimator,
                seconds=time.perf_counter() - begun,
                fitted_on=fitted_on,
                weights=bag.weights,
                **judged,
            )
    return None


def _refit_members(run, problem, options, make, bag, fitted_on):
    """Fit members of a bag on all rows, too, as many as there is time for, the heaviest first.

    The mean of the models of the folds and of one of all rows errs less than either.
    """
    time_left, chosen = 0.8 * run.budget.left(), {}
    for row, weight in sorted(bag.weights.items(), key=lambda pair: -pair[1]):
        seconds = predict_refit_seconds(run.trials[row], problem)
        if seconds <= time_left:
            time_left -= seconds
            chosen[row] = weight
    final = _fit_ensemble(run, problem, options, make, chosen) if chosen else None
    if final is None or final.estimator is None:
        return bag.estimator, fitted_on
    unfitted = {**dict(bag.estimator.estimators), **dict(final.estimator.estimators)}
    whole, folds = final.estimator.named_estimators_, bag.estimator.named_estimators_
    members = [
        (name, own, [folds[name], whole[name]] if name in whole else [folds[name]])
        for name, own in unfitted.items()
    ]
    weights = [bag.weights[int(name.rpartition("_")[2])] for name in unfitted]
    return fitted_voting(members, weights), f"{final.fitted_on}, and {fitted_on}"


def _judged(run, problem, options, evidence, weights, score):
    """What rows that the members had not seen tell of a mixture of them, as parts of a model."""
    told = {"score": score}
    deadline = run.budget.half_left()
    if options.threshold is not None:
        threshold, best = threshold_of(evidence, weights, problem, deadline)
        told |= {"threshold": threshold, "score": best if np.isfinite(best) else score}
    told["further"] = further_scores(evidence, weights, problem, told.get("threshold"), deadline)
    if problem.kind == "regression":
        # Further shuffles hold the same rows.
        told["errors"] = unseen_errors(evidence, weights, len(problem.splits))
    told["estimate"] = estimate_score(run, evidence, problem, options, deadline)
    return told


def _refit(run, problem, options, make, single):
    """Fit the ensemble, or the best single pipeline, on all rows."""
    searched = of_search(run, problem, options)
    if options.ensemble_size > 1:
        weights, score = select_rows(run, searched, problem, options)
        better = options.threshold is not None or score > single.score + _BETTER
        if len(weights) > 1 and better:
            final = _fit_ensemble(run, problem, options, make, weights)
            if final is not None and final.estimator is not None:
                return _with(
                    single,
                    final,
                    weights=weights,
                    **_judged(run, problem, options, searched, weights, score),
                )
    best = run.trials[single.index]
    estimator = unfitted_member(best, problem, make)
    final = fit_on_all_rows(run, problem, estimator, fallback=best, fit=fit_voting)
    model = final.estimator
    if model is not None and problem.kind == "classification" and lacks_probabilities(model):
        model = _calibrated_afterwards(model, problem, unseen=final.fitted_on != "all rows")
        final = replace(final, estimator=model)
    alone = replace(options, ensemble_size=min(options.ensemble_size, 1))
    return _with(
        single,
        final,
        **_judged(run, problem, alone, searched, single.weights, single.score),
    )


def _calibrated_afterwards(model, problem, unseen):
    """Give a fitted model probabilities, by rows it has not seen if these hold every class."""
    X, y, _, _ = problem.whole
    test = problem.splits[0][1]
    if unseen and len(np.unique(safe_indexing(problem.y, test))) == len(np.unique(y)):
        X, y = safe_indexing(problem.X, test), safe_indexing(problem.y, test)
    return calibrate(model, X, y)


def _fit_ensemble(run, problem, options, make, weights):
    """Fit the members; None if there is no time for them, or one can give no probabilities."""
    left = run.budget.left()
    for n_starts in (1,) if options.limits.bound_the_model else (_STARTS, 1):
        fits = [predict_refit_seconds(run.trials[row], problem, n_starts) for row in weights]
        if left is None or sum(fits) <= 0.8 * left:
            break
    else:
        return None
    members = [
        (f"candidate_{row}", unfitted_member(run.trials[row], problem, make, n_starts))
        for row in weights
    ]
    if problem.kind == "classification" and any(lacks_probabilities(own) for _, own in members):
        return None
    estimator = voting_estimator(members, list(weights.values()), problem.kind)
    return fit_on_all_rows(run, problem, estimator, fit=fit_voting)


def _why_nothing_was_found(run, options, results):
    """Say what became of the candidates, for want of time; raise where time is not the cause."""
    lines = list(results["failure"]) if run.trials else []
    failed = [
        line
        for line, trial in zip(lines, run.trials, strict=True)
        if line and trial.status != "unfinished"
    ]
    failures = Counter(failed).most_common(1)
    why = f"{failures[0][1]} of {len(failed)} failed with {failures[0][0]!r}" if failures else ""
    if run.stop_reason == "time_budget" or not failures:
        ended = "no configuration was finished in time"
        return f"{ended}; {why}" if why else ended
    first = run.trials[lines.index(failures[0][0])]
    advice = "Look at the data, the families and the limits of a candidate"
    if first.status == "invalid":
        advice = (
            "Give a scoring that this y allows, or larger test parts: a smaller cv, more rows, "
            "no class of only a few"
        )
    scoring = "the default metric" if options.scoring is None else repr(options.scoring)
    raise ValueError(
        f"No configuration could be scored by {scoring}: {why}. {advice}. The first of these "
        f"failures:\n{first.failure}"
    )


def _fall_back(why, problem, make, quick):
    """Give the quick model or, where there is none, the dummy."""
    if quick is not None:
        warn_user(
            f"The final model is a quick one that was not searched for: {why}. Give a larger "
            "time_budget.",
            FallbackWarning,
        )
        fitted_on = f"{quick.fitted_on}, a quick model: {why}"
        return AutoModel(quick.estimator, 0.0, fitted_on, {}, -1, np.nan, quick.point)
    warn_user(
        f"The final model only predicts the {problem.kind} task's prior: {why}. Give a larger "
        "time_budget.",
        FallbackWarning,
    )
    family = get_family("dummy", problem.kind)
    params = {name: own.default for name, own in family.parameters.items()}
    configuration = Configuration("dummy", params, family.preprocessing)
    model = build_estimator(configuration, make.schema, problem.seed % 2**31)
    model.fit(*problem.whole[:2])
    fitted_on = f"all rows, the dummy estimator: {why}"
    return AutoModel(model, 0.0, fitted_on, {}, -1, np.nan, to_point(configuration))
