"""What to expect of the final model on new rows, without the optimism of having chosen it."""

import warnings
from dataclasses import dataclass

import numpy as np

from ._ensemble import mix, score_mixtures, select_members
from ._fast_scores import fast_score
from ._folds import in_order_of_time
from ._members import costs_of
from ._threshold import label_scorer, members_scorer, shifted, tune_threshold

__all__ = ["ScoreEstimate", "estimate_score", "further_scores"]

# Rows that are judged once only are cut into so many parts.
_PARTS = 5
# Rounds of selection with a metric that has no quick form.
_SLOW_ROUNDS = 5


@dataclass(frozen=True)
class ScoreEstimate:
    """Score of a final model that was chosen without the rows that judge it.

    Parameters
    ----------
    score : float
        Mean over the folds: on each, of the ensemble that is chosen on the others; on folds in
        order of time, of the one that is chosen on those before it.
    standard_error : float
        Of this mean, from the spread over the folds.
    single : float
        The same for the best single configuration.
    single_standard_error : float
        Of that.
    dummy : float
        Score of a model that does not look at X; NaN where it is not known.
    """

    score: float
    standard_error: float
    single: float
    single_standard_error: float
    dummy: float = np.nan

    def __str__(self):
        text = (
            f"{self.score:.4g} ± {self.standard_error:.2g} (best single configuration "
            f"{self.single:.4g} ± {self.single_standard_error:.2g}"
        )
        return text + (f", dummy {self.dummy:.4g})" if np.isfinite(self.dummy) else ")")


def estimate_score(run, evidence, problem, options, deadline):
    """Estimate the score of an ensemble by choosing it anew without each fold.

    Parameters
    ----------
    run : SearchRun
    evidence : Evidence
        What the ensemble was chosen on.
    problem : Problem
    options : SearchOptions
    deadline : float
        Of ``time.monotonic()``.

    Returns
    -------
    ScoreEstimate or None
        None where there was no time, or nothing to choose from.

    Notes
    -----
    The members' own fits are not repeated: a fold's models have not seen its rows anyway. A fold
    is judged by models that were fitted on fewer rows than the final one, as in any
    cross-validation.
    """
    if not evidence.mixable:
        # What a threshold is worth to a single candidate is not known of each.
        return _of_singles(run.trials, problem) if options.threshold is None else None
    if not evidence.folds:
        return None
    classes = np.unique(problem.whole[1]) if problem.kind == "classification" else None
    predictions, y, tests, params = evidence.stacked(classes)
    rows = np.concatenate([test for _, test in evidence.payload.splits[: len(tests)]])
    if len(tests) == 1:
        order = np.random.RandomState(problem.seed % 2**32).permutation(len(rows))
        tests = judging = np.array_split(order, _PARTS)
    else:
        # Further shuffles hold the same rows.
        tests = judging = tests[: len(problem.splits)]
    in_time = len(judging) > 1 and in_order_of_time(evidence.payload.splits[: len(tests)])
    n_rounds = max(1, options.ensemble_size)
    if params or fast_score(problem.scorer, 0 if classes is None else len(classes)) is None:
        n_rounds = min(n_rounds, _SLOW_ROUNDS)
    scorer, told = members_scorer(problem.scorer, params)
    labels = label_scorer(problem.scorer)
    scores = []
    for judge in judging:
        # Nobody can choose by rows that come later.
        usable = rows < rows[judge].min() if in_time else ~np.isin(rows, rows[judge])
        choosing = [own for own in (each[usable[each]] for each in tests) if len(own)]
        if not choosing:
            continue
        both = []
        for rounds in (n_rounds, 1):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                weights, _ = select_members(
                    predictions,
                    y,
                    scorer,
                    choosing,
                    classes,
                    score_params=told,
                    n_rounds=rounds,
                    costs=costs_of(run, evidence, problem),
                    deadline=deadline,
                )
                if not weights:
                    return None
                mixture = mix(predictions, weights)
                if options.threshold is not None:
                    given = y, labels, choosing, classes, params, deadline
                    mixture = shifted(mixture, tune_threshold(mixture, *given)[0])
                found = score_mixtures(mixture[None], y, labels, [judge], classes, params)
                both.append(found[0])
        scores.append(both)
    return _summary(np.array(scores))


def further_scores(evidence, weights, problem, threshold, deadline):
    """Score a mixture on the folds by the metrics that do not decide.

    Parameters
    ----------
    evidence : Evidence
    weights : dict of int to int
        Of the mixture, by row of the results.
    problem : Problem
    threshold : float or None
        From which on its second class is predicted.
    deadline : float
        Of ``time.monotonic()``.

    Returns
    -------
    dict of str to float
        By metric, without those that cannot be had; empty for a single member.
    """
    further = getattr(problem.told, "further", {})
    if not further or len(weights) < 2:
        return {}
    classes = np.unique(problem.whole[1]) if problem.kind == "classification" else None
    predictions, y, tests, params = evidence.stacked(classes)
    mixture = mix(dict(zip(evidence.folds, predictions, strict=True)), weights)
    if threshold is not None:
        mixture = shifted(mixture, threshold)
    found = {}
    for name, own in further.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            given = mixture[None], y, own, tests, classes, own.params_of(params), deadline
            scores = score_mixtures(*given)
        if scores is not None and np.isfinite(scores[0]):
            found[name] = float(scores[0])
    return found


def _of_singles(trials, problem):
    """Choose the best configuration by the scores of the other folds."""
    scores = np.array(
        [
            [problem.objective(trial.folds[fold]) for fold in sorted(trial.folds)]
            for trial in trials
            if trial.status == "ok" and len(trial.folds) == len(problem.splits)
        ]
    )
    if not len(scores) or scores.shape[1] < 2:
        return None
    folds = np.arange(scores.shape[1])
    chosen = []
    for fold in folds:
        others = folds < fold if in_order_of_time(problem.splits) else folds != fold
        if others.any():
            chosen.append(scores[np.argmax(scores[:, others].mean(axis=1)), fold])
    return _summary(np.column_stack([chosen, chosen]))


def _summary(scores):
    scores = scores[np.isfinite(scores).all(axis=1)] if len(scores) else scores
    if len(scores) < 2:
        return None
    (score, single), spread = scores.mean(axis=0), scores.std(axis=0, ddof=1)
    error, single_error = spread / len(scores) ** 0.5
    return ScoreEstimate(*map(float, (score, error, single, single_error)))
