"""One run of a search: executor, loop, clock and refit under one roof."""

import shutil
import tempfile
import time
import warnings
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from .._compat import NoCallbacks, num_samples
from ..evaluation import Journal, make_executor
from ..exceptions import FallbackWarning
from ._engine import Limits, SearchLoop
from ._listener import Listener
from ._refit import fit_here, fit_remotely, load_model, predict_refit_seconds

__all__ = ["Session", "Settings"]

# How far beyond its budget a search may go, less than what is promised (10 % and a second),
# because a busy machine takes its time to end a process.
_GRACE_SHARE, _GRACE_SECONDS = 0.03, 0.3
# What is kept of a budget for choosing the members of an ensemble: a share, at most so many
# seconds.
_CHOICE_SHARE, _CHOICE_SECONDS = 0.05, 5.0
# A fit that gets less time is not begun.
_LEAST_SECONDS = 0.05


@dataclass
class Settings:
    """How a search runs; see the parameters of `MetaSearchCV`.

    Parameters
    ----------
    began : float
        ``time.monotonic()`` when `fit` was called.
    ensemble : bool
        Whether a time budget is to leave time for choosing and fitting several models.
    """

    began: float
    n_iter: int | None = None
    time_budget: float | None = None
    n_jobs: int | None = None
    patience: int | None = None
    tol: float = 0.0
    racing: bool = False
    lookahead: int | None = 2
    candidate_timeout: float | None = None
    candidate_memory: int | None = None
    verbose: int = 0
    error_score: Any = np.nan
    refit: bool = True
    ensemble: bool = False

    def limits(self):
        """Give the limits of the loop; its deadline moves with the time the refit will need."""
        timed = self.time_budget is not None
        return Limits(
            n_iter=self.n_iter,
            deadline=self.began + self.time_budget if timed else None,
            patience=self.patience,
            tol=self.tol,
            lookahead=None if timed else self.lookahead,
            candidate_seconds=self.candidate_timeout,
            candidate_bytes=self.candidate_memory,
        )


class Session:
    """Runs the candidates of one search and fits the one chosen.

    Parameters
    ----------
    search : estimator
        For callbacks.
    payload : Payload
    strategy : Strategy
        Not started.
    context : Context
    settings : Settings
    to_candidate : callable
        Turns a proposal into what ``payload.make`` takes.
    guide : callable
        See `SearchLoop`.
    journal : Journal, optional
    root : CallbackContext, optional
    watched : bool
        Whether callbacks are registered.
    enqueued : sequence of dict
    scorer_names : list of str, optional
    """

    def __init__(
        self,
        search,
        payload,
        strategy,
        context,
        settings,
        to_candidate,
        guide,
        journal=None,
        root=None,
        watched=False,
        enqueued=(),
        scorer_names=None,
    ):
        self.search, self.payload, self.settings = search, payload, settings
        self.root = root or NoCallbacks()
        self.to_candidate = to_candidate
        self.models = None
        timed = settings.time_budget is not None
        if timed and settings.refit:
            self.models = payload.keep_models = tempfile.mkdtemp(prefix="sk_metalearn-")
        limited = settings.candidate_timeout is not None or settings.candidate_memory is not None
        self.executor = make_executor(
            payload,
            settings.n_jobs,
            isolated=timed or limited,
            fresh=settings.candidate_memory is not None,
            spare=timed and settings.refit,
        )
        self.limits = settings.limits()
        self.listener = _Clock(
            self,
            search,
            self.root,
            settings.n_iter,
            len(payload.splits),
            watched,
            settings.verbose,
            self.models,
            scorer_names,
        )
        self.loop = SearchLoop(
            strategy.start(context),
            context,
            self.executor,
            self._job,
            guide,
            len(payload.splits),
            self.limits,
            journal if journal is not None else Journal(),
            racing=settings.racing,
            enqueued=enqueued,
            error_score=settings.error_score,
            listener=self.listener,
        )

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.executor.close()
        if self.models is not None:
            shutil.rmtree(self.models, ignore_errors=True)

    def _job(self, trial, fold):
        context = self.listener.context_of(trial, fold)
        caller = None if context is None else self.search
        progress = trial.number, self.settings.n_iter or trial.number + 1
        return self.to_candidate(trial.proposal), fold, progress, caller, context

    def run(self):
        """Search; give the candidates that were finished, in the order of proposals.

        Where none was finished, those with some folds are given.
        """
        with threadpool_limits(1) if self.executor.here else nullcontext():
            trials = self.loop.run()
        self.listener.end()
        self.stop_reason = self.loop.stop_reason
        finished = [trial for trial in trials if trial.finished]
        if not any(trial.status in ("ok", "over_limit") for trial in finished):
            for trial in trials:
                if not trial.finished and trial.folds:
                    scores = [self.loop.guide(trial.folds[f]) for f in sorted(trial.folds)]
                    trial.status, trial.estimate = "unfinished", float(np.mean(scores))
            finished = [trial for trial in trials if trial.finished]
        return finished

    def seconds_left(self):
        """Seconds until the budget and its grace are over; None without a budget."""
        budget = self.settings.time_budget
        if budget is None:
            return None
        end = self.settings.began + budget * (1 + _GRACE_SHARE) + _GRACE_SECONDS
        return end - time.monotonic()

    def reserve(self, trial):
        """Seconds of the budget to be kept for what follows when `trial` is the best."""
        settings, payload = self.settings, self.payload
        seconds = predict_refit_seconds(trial, num_samples(payload.X), len(payload.splits[0][0]))
        seconds = 0.1 + 1.3 * seconds * (2 if settings.ensemble else 1)
        if settings.ensemble:
            seconds += min(_CHOICE_SHARE * settings.time_budget, _CHOICE_SECONDS)
        return min(seconds, 0.6 * settings.time_budget)

    def refit(self, estimator, trial, fallback=True, data=None):
        """Fit an estimator on all rows.

        Under a time budget the fit runs in a worker; where it does not end in time, the model that
        `trial` left on a fold takes its place.

        Parameters
        ----------
        estimator : estimator
            Unfitted.
        trial : Trial
        fallback : bool, default=True
            Whether a model of a fold may take its place.
        data : tuple of (array-like, array-like), optional
            Rows to fit on where the search used only some of them.

        Returns
        -------
        estimator or None
        seconds : float
        note : str
            ``"all rows"``, or what the estimator was fitted on instead.
        """
        payload, left = self.payload, self.seconds_left()
        X, y = (payload.X, payload.y) if data is None else data
        if left is None or not self.executor.kills:
            return *fit_here(estimator, X, y, payload.fit_params), "all rows"
        fitted, seconds, problem = None, 0.0, "no time was left"
        if left > _LEAST_SECONDS:
            if X is not payload.X:
                self.executor.share(replace(payload, X=X, y=y, splits=[]))
                left = self.seconds_left()
            fitted, seconds, problem = fit_remotely(self.executor, clone(estimator), left)
        if fitted is not None:
            return fitted, seconds, "all rows"
        model = load_model(self.models, trial) if fallback else None
        if model is None:
            return None, seconds, problem
        warnings.warn(
            f"The refit on all rows did not end within the time budget ({problem}); "
            "best_estimator_ is the model that was fitted on the first fold's training rows.",
            FallbackWarning,
            stacklevel=4,
        )
        return model, seconds, "training rows of fold 0"


class _Clock(Listener):
    """Moves the deadline of the candidates so that the refit of the best one still has time."""

    def __init__(self, session, *arguments):
        super().__init__(*arguments)
        self.session = session

    def trial_ends(self, trial, loop):
        stop = super().trial_ends(trial, loop)
        session, settings = self.session, self.session.settings
        if settings.time_budget is not None and settings.refit:
            reserve = session.reserve(self.best_trial)
            session.limits.deadline = settings.began + settings.time_budget - reserve
        return stop
