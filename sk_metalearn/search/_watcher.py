"""What a search tells while it runs: callbacks, messages, the models to fall back on."""

from collections import Counter

from .._compat import NoCallbacks
from ..exceptions import warn_user
from ._show import cut

__all__ = ["Watcher"]

# Of a warning.
_LONGEST = 300


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
    progress : Progress
    models : FoldModels or None, default=None
    """

    def __init__(self, search, root, n_trials, n_folds, watched, progress, models=None):
        self.search, self.watched, self.progress = search, watched, progress
        self.n_trials, self.n_folds, self.models = n_trials, n_folds, models
        self.warnings = Counter()
        self.context = NoCallbacks()
        if watched:
            self.context = root.subcontext(
                task_name="search",
                max_subtasks=None if n_trials is None else n_trials * n_folds,
                sequential_subtasks=False,
            )
        self.context.call_on_fit_task_begin(estimator=search)
        progress.begins()

    def context_of(self, trial, fold):
        """Give the callback context of one evaluation, None if nobody listens."""
        if not self.watched:
            return None
        return self.context.subcontext(
            task_name="candidate-split-evaluation",
            task_id=trial.number * self.n_folds + fold,
        )

    def end(self, loop):
        """Close the search's own callback task, and say what the candidates warned of."""
        self.context.call_on_fit_task_end(estimator=self.search)
        self.progress.ends(loop)
        by_category = {}
        for (category, text), count in self.warnings.items():
            by_category.setdefault(category, []).append((count, text))
        for category, told in by_category.items():
            count, text = sum(own for own, _ in told), " ".join(max(told)[1].split())
            text = f"{cut(text, _LONGEST)} [{count} such warnings from the fits of this search]"
            warn_user(text, category)

    def fold_ends(self, trial, fold):
        """Called by the loop; True to stop."""
        self.warnings.update(trial.folds[fold].warnings)
        return trial.folds[fold].stop

    def trial_ends(self, trial, loop):
        """Called by the loop; True to stop."""
        if self.models is not None:
            good = trial.status in ("ok", "over_limit")
            (self.models.keep if good else self.models.forget)(trial)
        self.progress.trial_ends(trial, loop)
        return False
