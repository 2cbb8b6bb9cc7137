"""What a search tells while it runs: callbacks, messages, the models to fall back on."""

import time

import numpy as np

from .._compat import NoCallbacks
from ..spaces import plain_value

__all__ = ["Watcher"]


class Watcher:
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
    verbose : int, default=0
        Above 0 a line is printed per candidate.
    models : FoldModels or None, default=None
    """

    def __init__(self, search, root, n_trials, n_folds, watched, verbose=0, models=None):
        self.search, self.watched, self.verbose = search, watched, verbose
        self.n_trials, self.n_folds, self.models = n_trials, n_folds, models
        self.n_ended = 0
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

    def fold_ends(self, trial, fold):
        """Called by the loop; True to stop."""
        return trial.folds[fold].stop

    def trial_ends(self, trial, loop):
        """Called by the loop; True to stop."""
        self.n_ended += 1
        if self.models is not None:
            good = trial.status in ("ok", "over_limit")
            (self.models.keep if good else self.models.forget)(trial)
        if self.verbose > 0:
            self._report(trial, loop)
        return False

    def _report(self, trial, loop):
        seconds = time.monotonic() - self.begun
        left = loop.seconds_left()
        if self.n_trials is not None:
            rest = seconds / self.n_ended * (self.n_trials - self.n_ended)
            left = rest if left is None else min(left, rest)
        score = f"{trial.estimate:.4f}" if trial.status == "ok" else trial.status
        best = loop.best_trial
        best = "no score yet" if best is None else f"best {best.estimate:.4f}"
        after = "" if left is None or not np.isfinite(left) else f", {max(0.0, left):.0f} s left"
        print(
            f"[{self.n_ended}/{self.n_trials or '?'}] {score} ({best}) {trial.proposal.reason}: "
            f"{plain_value(trial.proposal.point)}, {trial.elapsed:.1f} s{after}"
        )
