"""What a search tells while it runs: callbacks, messages, the models to fall back on."""

from collections import Counter

from sklearn.exceptions import ConvergenceWarning

from .._compat import NoCallbacks
from ..exceptions import warn_user
from ._own_families import is_own
from ._show import cut

__all__ = ["Watcher"]

# Of a warning, and of the settings of one of the candidates that gave it; so many are named.
_LONGEST, _SETTINGS, _N_NAMED = 300, 60, 3


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
        self.warnings = {}
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
        for category, (texts, points) in self.warnings.items():
            (text, _), n = texts.most_common(1)[0], texts.total()
            warn_user(
                f"{cut(' '.join(text.split()), _LONGEST)} [{n} such warning{'s' * (n > 1)} from "
                f"the fits of {self._named(list(points.values()))}]",
                category,
            )

    def _named(self, points):
        """The candidates in a few words."""
        told = [cut(self.progress.choices.describe(own), _SETTINGS) for own in points[:_N_NAMED]]
        more = f" and {len(points) - _N_NAMED} more" if len(points) > _N_NAMED else ""
        return f"{len(points)} candidate{'s' * (len(points) > 1)}: {', '.join(told)}{more}"

    def fold_ends(self, trial, fold):
        """Called by the loop; True to stop."""
        point = trial.proposal.point
        ours = self.progress.choices.estimator is None and not is_own(point)
        for category, text in trial.folds[fold].warnings:
            if ours and issubclass(category, ConvergenceWarning):
                # How many iterations there are is one of the settings that are tried.
                continue
            texts, points = self.warnings.setdefault(category, (Counter(), {}))
            texts[text] += 1
            points[trial.number] = point
        return trial.folds[fold].stop

    def trial_ends(self, trial, loop):
        """Called by the loop; True to stop."""
        if self.models is not None:
            good = trial.status in ("ok", "over_limit")
            (self.models.keep if good else self.models.forget)(trial)
        self.progress.trial_ends(trial, loop)
        return False
