"""How an Auto estimator ends: the best pipeline or an ensemble, fitted on all rows."""

import time
import warnings
from collections import Counter

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedKFold

from .._compat import num_samples, safe_indexing
from ..exceptions import FallbackWarning
from ..spaces import Configuration, Schema, build_estimator, get_family
from ._ensemble import select_members, voting_estimator
from ._refit import best_index, predict_refit_seconds

__all__ = ["Ending"]

# A mixture has to be better by more than rounding.
_BETTER = 1e-9
_CALIBRATION_FOLDS = 3


class Ending:
    """Chooses and fits the final model of an Auto estimator, and sets its attributes.

    Parameters
    ----------
    auto : BaseAuto
    session : Session
        After its run.
    trials : list of Trial
    X, y : array-like
        All rows.
    kind : {"classification", "regression"}
    """

    def __init__(self, auto, session, trials, X, y, kind):
        self.auto, self.session, self.trials = auto, session, trials
        self.X, self.y, self.kind = X, y, kind
        self.schema = Schema.from_data(X, y, kind)
        self.seed = session.payload.make.seed

    def finish(self):
        """Choose, fit, and set the attributes."""
        auto = self.auto
        scores = auto.cv_results_["mean_test_score"] if self.trials else np.array([])
        if not np.isfinite(scores).any():
            self._nothing_found()
            return
        auto.best_index_ = best_index(True, "score", auto.cv_results_)
        best = self.trials[auto.best_index_]
        auto.best_configuration_ = auto.configurations_[auto.best_index_]
        auto.best_score_ = float(scores[auto.best_index_])
        auto.knowledge_report_.add_outcome(self.trials, best)
        weights, score = self._select(best)
        if len(weights) > 1 and self._fit(weights, best):
            auto.ensemble_, auto.best_score_ = weights, score
            return
        auto.ensemble_ = {auto.best_index_: 1}
        self._fit(auto.ensemble_, best)

    def _estimator(self, row):
        configuration = self.auto.configurations_[row]
        return build_estimator(configuration, self.schema, self.seed)

    def _select(self, best):
        """Ensemble selection; the best single pipeline where no mixture is better."""
        single = {self.auto.best_index_: 1}, best.estimate
        rows = [
            i for i, t in enumerate(self.trials) if t.status == "ok" and self._has_predictions(t)
        ]
        payload = self.session.payload
        tests = [test for _, test in payload.splits]
        counts = np.bincount(np.concatenate(tests), minlength=num_samples(payload.X))
        if self.auto.ensemble_size < 2 or len(rows) < 2 or counts.max() > 1:
            return single
        classes = self.auto.classes_ if self.kind == "classification" else None
        predictions = [self._out_of_fold(self.trials[i], classes) for i in rows]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            weights, score = select_members(
                predictions,
                payload.y,
                payload.scorer,
                tests,
                classes,
                n_rounds=self.auto.ensemble_size,
                deadline=self._choice_deadline(),
            )
        if len(weights) < 2 or score <= best.estimate + _BETTER:
            return single
        return {rows[i]: count for i, count in weights.items()}, score

    def _choice_deadline(self):
        """When choosing has to end: half of what is left is for the fit."""
        left = self.session.seconds_left()
        return np.inf if left is None else time.monotonic() + 0.5 * left

    def _has_predictions(self, trial):
        wanted = 2 if self.kind == "classification" else 1
        return all(
            r.predictions is not None and np.ndim(r.predictions) == wanted
            for r in trial.folds.values()
        )

    def _out_of_fold(self, trial, classes):
        """Predictions on the test rows of all folds, probabilities in the order of `classes`."""
        n_rows = num_samples(self.session.payload.X)
        out = np.zeros(n_rows if classes is None else (n_rows, len(classes)))
        for fold, (_, test) in enumerate(self.session.payload.splits):
            result = trial.folds[fold]
            if classes is None:
                out[test] = result.predictions
            else:
                # A checkpoint keeps the names of classes as text.
                own = np.asarray(result.classes).astype(str)
                columns = [int(np.flatnonzero(classes.astype(str) == c)[0]) for c in own]
                out[np.ix_(test, columns)] = result.predictions
        return out

    def _fit(self, weights, best):
        """Fit the final model; False if an ensemble cannot be fitted in the time left."""
        session, auto = self.session, self.auto
        members = [(f"candidate_{row}", self._estimator(row)) for row in weights]
        estimator = voting_estimator(members, list(weights.values()), self.kind)
        alone = len(weights) == 1
        needs_probabilities = (
            alone and self.kind == "classification" and not hasattr(estimator, "predict_proba")
        )
        if needs_probabilities:
            estimator = self._calibrated(estimator)
        left = session.seconds_left()
        if left is not None and not alone and self._seconds(weights) > 0.8 * left:
            return False
        fitted, auto.refit_time_, auto.refit_on_ = session.refit(
            estimator, best, fallback=alone, data=(self.X, self.y)
        )
        if fitted is None and alone:
            self._dummy(f"the final fit did not end well ({auto.refit_on_})")
        elif fitted is not None:
            if needs_probabilities and not hasattr(fitted, "predict_proba"):
                fitted = self._calibrated_afterwards(fitted)
            auto.best_estimator_ = fitted
        return fitted is not None

    def _seconds(self, weights):
        n_train = len(self.session.payload.splits[0][0])
        return sum(
            predict_refit_seconds(self.trials[row], num_samples(self.X), n_train) for row in weights
        )

    def _calibrated(self, estimator):
        """Give a model without probabilities some, by a sigmoid of its decision values.

        Where a class has fewer rows than there are folds, the model has to be fitted first.
        """
        if np.unique(self.y, return_counts=True)[1].min() < _CALIBRATION_FOLDS:
            return estimator
        folds = StratifiedKFold(_CALIBRATION_FOLDS, shuffle=True, random_state=self.seed)
        return CalibratedClassifierCV(estimator, cv=folds, ensemble=False)

    def _calibrated_afterwards(self, model):
        """Give a fitted model probabilities, by rows it has not seen if these hold every class."""
        payload, X, y = self.session.payload, self.X, self.y
        test = payload.splits[0][1]
        unseen = self.auto.refit_on_ != "all rows"
        if unseen and len(np.unique(payload.y[test])) == len(self.auto.classes_):
            X, y = safe_indexing(payload.X, test), payload.y[test]
        rows = np.arange(len(y))
        calibrated = CalibratedClassifierCV(
            FrozenEstimator(model), cv=[(rows, rows)], ensemble=False
        )
        return calibrated.fit(X, y)

    def _nothing_found(self):
        """No configuration has a score: fit the dummy if time was too short for one, else raise."""
        auto = self.auto
        lines = list(auto.cv_results_["failure"]) if self.trials else []
        failures = Counter(line for line in lines if line).most_common(1)
        why = f"{failures[0][1]} of {len(lines)} failed with {failures[0][0]!r}" if failures else ""
        if auto.stop_reason_ == "time_budget" or not failures:
            ended = "no configuration was finished in time"
            self._dummy(f"{ended}; {why}" if why else ended)
            return
        first = self.trials[lines.index(failures[0][0])]
        advice = "Look at the data, the families and the limits of a candidate"
        if first.status == "invalid":
            advice = (
                "Give a scoring that this y allows, or larger test parts: a smaller cv, more rows, "
                "no class of only a few"
            )
        raise ValueError(
            f"No configuration could be scored by {auto.scoring or auto._default_scoring!r}: "
            f"{why}. {advice}. The first of these failures:\n{first.failure}"
        )

    def _dummy(self, why):
        auto = self.auto
        warnings.warn(
            f"The final model only predicts the {self.kind} task's prior: {why}. Give a larger "
            "time_budget.",
            FallbackWarning,
            stacklevel=5,
        )
        family = get_family("dummy", self.kind)
        params = {name: own.default for name, own in family.parameters.items()}
        auto.best_configuration_ = Configuration("dummy", params, family.preprocessing)
        model = build_estimator(auto.best_configuration_, self.schema, self.seed)
        auto.best_estimator_ = model.fit(self.X, self.y)
        auto.best_score_, auto.refit_time_ = np.nan, 0.0
        auto.refit_on_ = f"all rows, the dummy estimator: {why}"
        auto.best_index_, auto.ensemble_ = -1, {}
