"""What of a budget is kept for the end of a search, as far as it is known so far."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ._budget import MOST_KEPT
from ._evidence import FURTHER_SHUFFLES, leaders_of
from ._fast_scores import fast_score
from ._final_fit import predict_refit_seconds
from ._more_fits import seconds_of_folds

__all__ = ["Reserve"]

# For choosing the members of an ensemble: a share of the budget, at most so many seconds.
_CHOICE_SHARE, _CHOICE_SECONDS = 0.05, 5.0
# Seconds that it takes a thousand rows, and a tenth of it for each class, by a quick metric: once
# for the model and once for an honest score of it.
_CHOICE_BY_ROWS = 0.3
# The most that predictions of members may take for the probabilities that they lack.
_CALIBRATION_SHARE = 0.05
# Bytes of models that are loaded in a second.
_LOADED = 3e8
# The most of a budget that further shuffles, and fits on nearly all rows, may take.
_CONFIRM_SHARE, _HOLDOUT_SHARE = 0.3, 0.5
# While no candidate is finished there is nothing to fit, and only so much of it is kept.
_SHARE_WITHOUT_LEADERS = 0.2
# No time is kept for fits of the members on all rows that take more: there is a model without them.
_REFIT_SHARE = 0.1


@dataclass(frozen=True)
class Reserve:
    """Knows when candidates have to end so that the model that follows still fits the budget.

    Parameters
    ----------
    budget : Budget
    problem : Problem
    options : SearchOptions
    ending : {"bag", "holdout", "refit"}
    n_workers : int
    models : FoldModels or None
    share_seconds : float
        What it takes to bring all rows to a worker, where the search uses some of them.
    confirms : bool
        Whether the best candidates are evaluated on further shuffles.
    refits : bool
        Whether the members are fitted on all rows.
    """

    budget: Any
    problem: Any
    options: Any
    ending: str
    n_workers: int
    models: Any
    share_seconds: float
    confirms: bool
    refits: bool

    def choice_seconds(self, trials):
        """Seconds for choosing the members of an ensemble, and for loading or fitting them.

        Parameters
        ----------
        trials : list of Trial

        Returns
        -------
        float
        """
        if self.budget.seconds is None:
            return 0.0
        seconds = 0.2 + self._seconds_to_choose
        leaders = leaders_of(trials)
        # A member without probabilities predicts once more to have them.
        spent = [sum(own.score_seconds for own in t.folds.values()) for t in leaders]
        seconds += min(max(spent, default=0.0), _CALIBRATION_SHARE * self.budget.seconds)
        if self.models is not None and self.ending == "bag":
            seconds += sum(map(self.models.size, leaders)) / _LOADED
            if self.refits:
                # Few of a dozen become members.
                spent = 0.25 * sum(predict_refit_seconds(own, self.problem) for own in leaders)
                seconds += spent if spent <= _REFIT_SHARE * self.budget.seconds else 0.0
        return seconds

    def deadline(self, loop):
        """Give the time after which no candidate runs.

        Parameters
        ----------
        loop : SearchLoop

        Returns
        -------
        float or None
        """
        if not self.options.refit:
            return self.budget.deadline()
        if self.ending == "refit" or self.models is None:
            return self._before_refit(loop.best_trial)
        leaders = leaders_of(loop.trials)
        kept = self.choice_seconds(leaders) + self._seconds_to_fit_again(leaders)
        if self.ending == "holdout":
            kept += self._seconds_on_all_rows(leaders)
        elif self.confirms:
            predicted = 1.2 * FURTHER_SHUFFLES * sum(map(seconds_of_folds, leaders))
            predicted /= self.n_workers
            kept += min(predicted, _CONFIRM_SHARE * self.budget.seconds)
        return self.budget.deadline(kept)

    def _seconds_to_fit_again(self, leaders):
        """Seconds for members whose models stayed on other machines."""
        if not leaders or self.models.size(leaders[0]):
            return 0.0
        return 1.2 * sum(map(seconds_of_folds, leaders)) / self.n_workers

    def _seconds_on_all_rows(self, leaders):
        most = _HOLDOUT_SHARE * self.budget.seconds
        if not leaders:
            return _SHARE_WITHOUT_LEADERS * self.budget.seconds
        spent = sum(predict_refit_seconds(trial, self.problem) for trial in leaders)
        # As much again is for further models of those that are chosen.
        return min(most, self.share_seconds + 2.6 * spent / self.n_workers)

    def _before_refit(self, best):
        seconds = predict_refit_seconds(best, self.problem)
        seconds += 0.0 if best is None else self.share_seconds
        if seconds > MOST_KEPT * self.budget.seconds:
            # It cannot be fitted in time; a model of a fold takes its place.
            return self.budget.deadline(0.1)
        several = self.options.ensemble_size > 1
        kept = 0.1 + 1.3 * seconds * (2 if several else 1)
        if several:
            kept += self._seconds_to_choose
        return self.budget.deadline(kept)

    @cached_property
    def _seconds_to_choose(self):
        most = min(_CHOICE_SHARE * self.budget.seconds, _CHOICE_SECONDS)
        problem, n_classes = self.problem, 0
        if problem.kind == "classification":
            n_classes = len(np.unique(problem.y))
        if problem.score_params or fast_score(problem.scorer, n_classes) is None:
            return most
        n_rows = problem.n_rows * (1 + FURTHER_SHUFFLES * self.confirms)
        return min(most, _CHOICE_BY_ROWS * n_rows / 1000 * (1 + n_classes / 10))
