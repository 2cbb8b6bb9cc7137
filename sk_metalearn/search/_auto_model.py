"""The last step of an Auto estimator: the best pipeline or an ensemble, fitted on all rows."""

import time
import warnings
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedKFold

from .._compat import check_method_params, safe_indexing
from ..exceptions import FallbackWarning, warn_user
from ..spaces import Configuration, Schema, build_estimator, from_point, get_family, to_point
from ._best_index import best_index
from ._ensemble import fit_voting, select_members, voting_estimator
from ._final_fit import FinalFit, fit_on_all_rows, predict_refit_seconds

__all__ = ["AutoModel", "fit_auto_model"]

# A mixture has to be better by more than rounding.
_BETTER = 1e-9
_CALIBRATION_FOLDS = 3


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
    """

    estimator: Any
    seconds: float
    fitted_on: str
    weights: dict
    index: int
    score: float
    point: dict


def fit_auto_model(run, problem, options, results, quick=None):
    """Choose the final model and fit it on all rows.

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
    schema = Schema.from_data(*problem.whole[:2], problem.kind, columns=problem.layout)
    scores = results["mean_test_score"] if run.trials else np.array([])
    if not np.isfinite(scores).any():
        return _fall_back(_why_nothing_was_found(run, options, results), problem, schema, quick)
    index = best_index(True, "score", results)
    best = run.trials[index]
    single = AutoModel(
        None, 0.0, "", {index: 1}, index, float(scores[index]), dict(best.proposal.point)
    )
    weights, score = _select(run, problem, options, single)
    if len(weights) > 1:
        final = _fit_ensemble(run, problem, schema, weights)
        if final is not None and final.estimator is not None:
            return _with(single, final, weights=weights, score=score)
    final = _fit_single(run, problem, schema, best)
    if final.estimator is None:
        why = f"the final fit did not end well ({final.fitted_on})"
        return _fall_back(why, problem, schema, quick)
    return _with(single, final)


def _with(model, final, **changes):
    values = {**vars(model), **changes}
    values.update(estimator=final.estimator, seconds=final.seconds, fitted_on=final.fitted_on)
    return AutoModel(**values)


def _build(trial, schema, run):
    return build_estimator(from_point(trial.proposal.point), schema, run.payload.make.seed)


def _select(run, problem, options, single):
    """Ensemble selection; the best single pipeline where no mixture is better."""
    alone = single.weights, single.score
    classification = problem.kind == "classification"
    wanted = 2 if classification else 1
    rows = [i for i, trial in enumerate(run.trials) if _can_join(trial, wanted)]
    if options.ensemble_size < 2 or len(rows) < 2:
        return alone
    classes = np.unique(problem.whole[1]) if classification else None
    tests = [test for _, test in problem.splits]
    # Folds may overlap or leave rows out: what is mixed are the predictions of each fold's rows.
    stacked = np.concatenate(tests)
    ends = np.cumsum([len(test) for test in tests])
    parts = [np.arange(end - len(test), end) for test, end in zip(tests, ends, strict=True)]
    predictions = [_stack(run.trials[i], len(tests), classes) for i in rows]
    left = run.budget.left()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weights, score = select_members(
            predictions,
            safe_indexing(problem.y, stacked),
            problem.scorer,
            parts,
            classes,
            score_params=check_method_params(
                problem.X, params=problem.score_params, indices=stacked
            ),
            n_rounds=options.ensemble_size,
            # Half of what is left is for the fit.
            deadline=np.inf if left is None else time.monotonic() + 0.5 * left,
        )
    if len(weights) < 2 or score <= single.score + _BETTER:
        return alone
    return {rows[i]: count for i, count in weights.items()}, score


def _can_join(trial, wanted):
    return trial.status == "ok" and all(
        result.predictions is not None and np.ndim(result.predictions) == wanted
        for result in trial.folds.values()
    )


def _stack(trial, n_folds, classes):
    """Predictions of the folds under each other, probabilities in the order of `classes`."""
    parts = []
    for fold in range(n_folds):
        result = trial.folds[fold]
        if classes is None:
            parts.append(result.predictions)
            continue
        # A checkpoint keeps the names of classes as text.
        own = np.asarray(result.classes).astype(str)
        columns = [int(np.flatnonzero(classes.astype(str) == c)[0]) for c in own]
        part = np.zeros((len(result.predictions), len(classes)))
        part[:, columns] = result.predictions
        parts.append(part)
    return np.concatenate(parts)


def _fit_ensemble(run, problem, schema, weights):
    """Fit the members; None if there is no time for them."""
    left = run.budget.left()
    seconds = sum(predict_refit_seconds(run.trials[row], problem) for row in weights)
    if left is not None and seconds > 0.8 * left:
        return None
    members = [(f"candidate_{row}", _build(run.trials[row], schema, run)) for row in weights]
    estimator = voting_estimator(members, list(weights.values()), problem.kind)
    return fit_on_all_rows(run, problem, estimator, fit=fit_voting)


def _fit_single(run, problem, schema, best):
    estimator = _build(best, schema, run)
    classification = problem.kind == "classification"
    lacks_probabilities = classification and not hasattr(estimator, "predict_proba")
    if lacks_probabilities:
        estimator = _calibrated(estimator, problem, run.payload.make.seed)
    final = fit_on_all_rows(run, problem, estimator, fallback=best, fit=fit_voting)
    model = final.estimator
    if lacks_probabilities and model is not None and not hasattr(model, "predict_proba"):
        model = _calibrated_afterwards(model, problem, unseen=final.fitted_on != "all rows")
        return FinalFit(model, final.seconds, final.fitted_on)
    return final


def _calibrated(estimator, problem, seed):
    """Give a model without probabilities some, by a sigmoid of its decision values.

    Where a class has fewer rows than there are folds, the model has to be fitted first.
    """
    if np.unique(problem.whole[1], return_counts=True)[1].min() < _CALIBRATION_FOLDS:
        return estimator
    folds = StratifiedKFold(_CALIBRATION_FOLDS, shuffle=True, random_state=seed)
    return CalibratedClassifierCV(estimator, cv=folds, ensemble=False)


def _calibrated_afterwards(model, problem, unseen):
    """Give a fitted model probabilities, by rows it has not seen if these hold every class."""
    X, y, _ = problem.whole
    test = problem.splits[0][1]
    if unseen and len(np.unique(safe_indexing(problem.y, test))) == len(np.unique(y)):
        X, y = safe_indexing(problem.X, test), safe_indexing(problem.y, test)
    rows = np.arange(len(y))
    calibrated = CalibratedClassifierCV(FrozenEstimator(model), cv=[(rows, rows)], ensemble=False)
    return calibrated.fit(X, y)


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


def _fall_back(why, problem, schema, quick):
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
    model = build_estimator(configuration, schema, problem.seed % 2**31)
    model.fit(*problem.whole[:2])
    fitted_on = f"all rows, the dummy estimator: {why}"
    return AutoModel(model, 0.0, fitted_on, {}, -1, np.nan, to_point(configuration))
