"""The models that a candidate left on the folds, as a member of an ensemble."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold

from .._compat import safe_indexing
from ..evaluation import calibrate, lacks_probabilities
from ._final_fit import fit_on_all_rows, is_network
from ._stopped_boosting import settle
from ._voting import voting_estimator

__all__ = ["Member", "load_member", "unfitted_member"]

_CALIBRATION_FOLDS = 3


@dataclass(frozen=True)
class Member:
    """A member of an ensemble.

    Parameters
    ----------
    estimator : estimator
        Unfitted.
    models : list of estimator
        What predicts: the mean of these counts.
    """

    estimator: Any
    models: list

    def predictions(self, X):
        """Give the mean of what the models predict.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or (n_samples,)
            Probabilities, or values.
        """
        own = [
            model.predict_proba(X)
            if hasattr(model, "predict_proba")
            else np.ravel(model.predict(X))
            for model in self.models
        ]
        return np.mean(own, axis=0)


def unfitted_member(trial, problem, make, n_starts=1):
    """Build a candidate so that it gives probabilities, if it is a classifier.

    Parameters
    ----------
    trial : Trial
    problem : Problem
    make : callable
        ``make(point)`` gives the pipeline, and nothing else to be set.
    n_starts : int, default=1
        A network is the mean of so many, from different random starts.

    Returns
    -------
    estimator
        A pipeline, or a `CalibratedClassifierCV` of one whose model gives decision values only.
        Boosting has as many trees as were found on the folds.
    """
    pipeline, _ = make(dict(trial.proposal.point))
    estimator = settle(pipeline, trial)
    if n_starts > 1 and is_network(trial.proposal.point):
        starts = [(f"start_{i}", _started_anew(estimator, i)) for i in range(n_starts)]
        return voting_estimator(starts, None, problem.kind)
    if problem.kind != "classification" or not lacks_probabilities(estimator):
        return estimator
    if np.unique(problem.whole[1], return_counts=True)[1].min() < _CALIBRATION_FOLDS:
        # The model has to be fitted first.
        return estimator
    seed = problem.seed % 2**31
    folds = StratifiedKFold(_CALIBRATION_FOLDS, shuffle=True, random_state=seed)
    return CalibratedClassifierCV(estimator, cv=folds, ensemble=False)


def _started_anew(pipeline, i):
    seeds = {
        name: seed + i
        for name, seed in pipeline.get_params().items()
        if name.startswith("model__") and name.endswith("random_state") and seed is not None
    }
    return clone(pipeline).set_params(**seeds)


def load_member(run, problem, payload, trial, results):
    """Load the models of a candidate.

    Parameters
    ----------
    run : SearchRun
    problem : Problem
    payload : Payload
        Data and folds that they were fitted on.
    trial : Trial
    results : list of FoldResult
        Of the first folds of the payload.

    Returns
    -------
    Member or None
        None where a model is missing, or does not know all classes and there is no time for
        another.
    """
    models = [run.models.load(result) for result in results]
    if any(model is None for model in models):
        return None
    estimator = unfitted_member(trial, problem, payload.make)
    if problem.kind == "classification":
        models = _knowing_all(run, problem, payload, estimator, models)
    return Member(estimator, models) if models else None


def _knowing_all(run, problem, payload, estimator, models):
    """Give models with probabilities of all classes; one of all rows where folds lack some."""
    n_classes = len(np.unique(problem.whole[1]))
    tests = [test for _, test in payload.splits[: len(models)]]
    targets = [np.asarray(safe_indexing(payload.y, test)) for test in tests]
    if all(
        len(model.classes_) == n_classes
        and (not lacks_probabilities(model) or len(np.unique(y)) == n_classes)
        for model, y in zip(models, targets, strict=True)
    ):
        return [
            calibrate(model, safe_indexing(payload.X, test), y)
            if lacks_probabilities(model)
            else model
            for model, test, y in zip(models, tests, targets, strict=True)
        ]
    fitted = fit_on_all_rows(run, problem, estimator).estimator
    return [] if fitted is None or lacks_probabilities(fitted) else [fitted]
