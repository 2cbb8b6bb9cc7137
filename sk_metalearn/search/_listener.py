"""What a search tells while it runs: callbacks, messages, the model to fall back on."""

import os
import time

import numpy as np

from .._compat import NoCallbacks
from ..spaces._parameters import plain_value

__all__ = ["Listener"]


class Listener:
    """Follows a `SearchLoop`.

    Parameters
    ----------
    search : estimator
        The search, for its callbacks.
    root : CallbackContext
        Of the whole fit.
    n_trials : int or None
        Number of candidates where it is known.
    n_folds : int
    watched : bool
        Whether any callback is registered.
    verbose : int
    models : str or None
        Folder where fitted models are left; only the best one's is kept.
    scorer_names : list of str or None
        Names of the metrics, where they are known before the first fit.
    """

    def __init__(
        self, search, root, n_trials, n_folds, watched, verbose=0, models=None, scorer_names=None
    ):
        self.search, self.watched, self.verbose = search, watched, verbose
        self.n_trials, self.n_folds, self.models = n_trials, n_folds, models
        self.scorer_names = scorer_names
        self.best, self.best_trial, self.n_ended = -np.inf, None, 0
        self.context = NoCallbacks()
        if watched:
            self.context = root.subcontext(
                task_name="search",
                max_subtasks=None if n_trials is None else n_trials * n_folds,
                sequential_subtasks=False,
            )
        self.context.call_on_fit_task_begin(estimator=search)
        self.begun = time.monotonic()
        if verbose > 0:
            total = "?" if n_trials is None else n_trials * n_folds
            print(
                f"Fitting {n_folds} folds for each of {n_trials or '?'} candidates, "
                f"totalling {total} fits"
            )

    def context_of(self, trial, fold):
        """Give the callback context of one evaluation, None if nobody listens."""
        if not self.watched:
            return None
        return self.context.subcontext(
            task_name="candidate-split-evaluation",
            task_id=trial.number * self.n_folds + fold,
        )

    def end(self):
        """Close the search's own callback task."""
        self.context.call_on_fit_task_end(estimator=self.search)

    def trial_begins(self, trial):
        """Called by the loop."""

    def fold_ends(self, trial, fold):
        """Called by the loop; True to stop."""
        return trial.folds[fold].stop

    def trial_ends(self, trial, loop):
        """Called by the loop; True to stop."""
        self.n_ended += 1
        score = trial.estimate
        better = trial.status == "ok" and score > self.best
        if better:
            self._forget_model(self.best_trial)
            self.best, self.best_trial = score, trial
        else:
            self._forget_model(trial)
        if self.verbose > 0:
            self._report(trial, loop)
        return False

    def _forget_model(self, trial):
        for result in trial.folds.values() if trial is not None else ():
            if result.model:
                os.unlink(os.path.join(self.models, result.model))
                result.model = ""

    def _report(self, trial, loop):
        seconds = time.monotonic() - self.begun
        left = loop.limits.seconds_left()
        if self.n_trials is not None:
            rest = seconds / self.n_ended * (self.n_trials - self.n_ended)
            left = rest if left is None else min(left, rest)
        score = f"{trial.estimate:.4f}" if np.isfinite(trial.estimate) else trial.status
        best = f"best {self.best:.4f}" if np.isfinite(self.best) else "no score yet"
        after = "" if left is None else f", {max(0.0, left):.0f} s left"
        print(
            f"[{self.n_ended}/{self.n_trials or '?'}] {score} ({best}) {trial.proposal.reason}: "
            f"{plain_value(trial.proposal.point)}, {trial.elapsed:.1f} s{after}"
        )
