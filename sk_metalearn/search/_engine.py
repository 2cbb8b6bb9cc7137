"""The loop of a search: ask, evaluate on folds, tell, and know when to stop."""

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..evaluation import Race, Standard, StoredTrial, failed_fold
from ..exceptions import StrategyError
from ..strategies import Outcome, Proposal
from ._points import decode_point, encode_point, text_of_key

__all__ = ["Limits", "SearchLoop", "Trial"]


@dataclass
class Limits:
    """When a search ends, and what a candidate may use.

    Parameters
    ----------
    n_iter : int or None
        Candidates in all.
    deadline : float or None
        ``time.monotonic()`` after which nothing runs any more; what remains until the end of the
        budget is for the refit.
    patience : int or None
        Candidates in a row without an improvement of more than `tol`.
    tol : float
    lookahead : int or None
        A candidate is proposed when the results of all but the last ``lookahead - 1`` candidates
        before it are known, whatever the number of workers. None: as soon as a worker is free.
    candidate_seconds : float or None
        Limit for one fold of a candidate.
    candidate_bytes : int or None
        Limit of memory of the process that evaluates it.
    """

    n_iter: int | None = None
    deadline: float | None = None
    patience: int | None = None
    tol: float = 0.0
    lookahead: int | None = 2
    candidate_seconds: float | None = None
    candidate_bytes: int | None = None

    def seconds_left(self):
        """Seconds until the deadline, None without one."""
        return None if self.deadline is None else self.deadline - time.monotonic()


@dataclass
class Trial:
    """A candidate and what became of it.

    Attributes
    ----------
    number : int
        Place in the order of proposals.
    proposal : Proposal
    key : str
    folds : dict of int to FoldResult
    status : str
        Empty while it is not finished.
    failure : str
    estimate : float
        Mean score that guides the search; for a candidate that was stopped, what is expected of
        it.
    begun, elapsed : float
        Seconds since the start of the search, and from its begin to its end.
    """

    number: int
    proposal: Proposal
    key: str
    folds: dict = field(default_factory=dict)
    started: set = field(default_factory=set)
    status: str = ""
    failure: str = ""
    estimate: float = np.nan
    begun: float = 0.0
    elapsed: float = 0.0
    standard: Standard | None = None
    context: Any = None

    @property
    def finished(self):
        return bool(self.status)


# Ends that make a further fold pointless.
_FATAL = ("timeout", "memory", "died")


class SearchLoop:
    """Runs one search.

    Parameters
    ----------
    strategy : Strategy
        Already started on `context`.
    context : Context
    executor : Executor
    job_of : callable
        ``job_of(trial, fold)`` gives the job for the executor.
    guide : callable
        ``guide(fold_result)`` gives the score of a fold that the search maximises.
    n_folds : int
    limits : Limits
    journal : Journal
    racing : bool
    enqueued : sequence of dict
        Points to evaluate before the strategy is asked.
    error_score : "raise" or float
    listener : object
        Told of every begin and end: ``trial_begins(trial)``, ``fold_ends(trial, fold)`` and
        ``trial_ends(trial, loop)``; the last two may return True to stop.

    Attributes
    ----------
    trials : list of Trial
        In the order of proposals.
    stop_reason : str
    """

    def __init__(
        self,
        strategy,
        context,
        executor,
        job_of,
        guide,
        n_folds,
        limits,
        journal,
        racing=False,
        enqueued=(),
        error_score=np.nan,
        listener=None,
    ):
        self.strategy, self.context, self.executor = strategy, context, executor
        self.job_of, self.guide, self.n_folds = job_of, guide, n_folds
        self.limits, self.journal = limits, journal
        self.race = Race(n_folds) if racing and n_folds > 1 else None
        self.enqueued = list(enqueued)
        # Of a whole grid every point has its row: one that stands there twice has two rows, and
        # one evaluation.
        self.whole = limits.n_iter is not None and limits.n_iter >= len(context.candidates)
        self.repeats = []
        self.error_score, self.listener = error_score, listener
        self.trials, self.stop_reason = [], ""
        self.n_told = 0
        self.open = []
        self.running = set()
        self.best, self.since_best = -np.inf, 0
        self.begun = time.monotonic()
        # Why no more candidates begin, while those that have begun are finished.
        self.last_call = ""

    @property
    def asynchronous(self):
        return self.limits.lookahead is None

    def run(self):
        """Search until something ends it; `stop_reason` then says what.

        Returns
        -------
        list of Trial
        """
        try:
            if self.asynchronous:
                self._take_up()
            while not self.stop_reason:
                self._fill()
                if self.stop_reason or not self.running:
                    break
                left = self.limits.seconds_left()
                done = self.executor.next(timeout=None if left is None else max(0.0, left))
                if done is not None:
                    self._receive(done)
                self._check_time()
        except KeyboardInterrupt:
            self.stop_reason = "interrupted"
            if not any(trial.finished for trial in self.trials):
                raise
        finally:
            self.executor.cancel(self.running)
        self.stop_reason = self.stop_reason or self.last_call
        return self.trials

    def _check_time(self):
        left = self.limits.seconds_left()
        if not self.stop_reason and left is not None and left <= 0:
            self.stop_reason = "time_budget"

    def _fill(self):
        """Hand jobs to the executor while it has room for them."""
        while not self.stop_reason and len(self.running) < self.executor.capacity:
            self._check_time()
            job = self._next_fold(spare=False)
            if job is None:
                if self._begin_trial():
                    continue
                if self.stop_reason:
                    return
                job = self._next_fold(spare=True)
            if job is None:
                return
            self._submit(*job)

    def _next_fold(self, spare):
        """Give the next fold to run, of the earliest candidate that has one.

        In a race a fold waits for those before it, unless a worker would idle.
        """
        for trial in self.open:
            waiting = [f for f in range(self.n_folds) if f not in trial.started]
            if waiting and (self.race is None or spare or len(trial.folds) >= waiting[0]):
                return trial, waiting[0]
        return None

    def _submit(self, trial, fold):
        trial.started.add(fold)
        known = self.journal.folds.get((trial.key, fold))
        if known is not None:
            self._enter(trial, fold, known)
            return
        self.running.add((trial.number, fold))
        wall, left = self.limits.candidate_seconds, self.limits.seconds_left()
        if left is not None:
            wall = max(0.0, left) if wall is None else min(wall, max(0.0, left))
        self.executor.submit(
            self.job_of(trial, fold),
            (trial.number, fold),
            wall_seconds=wall,
            memory_bytes=self.limits.candidate_bytes,
        )

    def _receive(self, done):
        self.running.discard(done.key)
        number, fold = done.key
        trial = self.trials[number]
        if trial.finished:
            return
        if done.status == "ok":
            result = done.value
            if result.error is not None:
                raise result.error
        else:
            limit = self.limits.candidate_seconds
            if done.status == "timeout" and (limit is None or done.wall_seconds < limit):
                # The end of the search, not the candidate's own limit, ended it.
                self.stop_reason = self.stop_reason or "time_budget"
                return
            if self.error_score == "raise":
                raise _error_of(done)
            names = getattr(self.listener, "scorer_names", None)
            result = failed_fold(
                done.status, done.error, done.wall_seconds, self.error_score, names
            )
        self.journal.add_fold(trial.key, fold, result)
        self._enter(trial, fold, result)

    def _enter(self, trial, fold, result):
        """Take in the result of a fold, and close the candidate if nothing more is to come.

        Folds count in their order, so that the end does not depend on which were run first.
        """
        trial.folds[fold] = result
        if self.listener is not None and self.listener.fold_ends(trial, fold):
            self.stop_reason = self.stop_reason or "callback"
        for done in range(1, self.n_folds + 1):
            if done - 1 not in trial.folds:
                return
            status = ""
            if done < self.n_folds and trial.folds[done - 1].status not in _FATAL:
                if self.race is None:
                    continue
                scores = [self.guide(trial.folds[f]) for f in range(done)]
                if not self.race.lost(trial.standard, scores):
                    continue
                status = "raced"
            trial.folds = {f: trial.folds[f] for f in range(done)}
            self._close(trial, status)
            return

    def _close(self, trial, status=""):
        """Finish a candidate: status, estimate, journal, listeners."""
        pointless = {key for key in self.running if key[0] == trial.number}
        self.executor.cancel(pointless)
        self.running -= pointless
        results = [trial.folds[f] for f in sorted(trial.folds)]
        scores = np.array([self.guide(r) for r in results], dtype=float)
        # A metric beside the one that guides the search may be undefined on a fold.
        bad = [
            r
            for r, score in zip(results, scores, strict=True)
            if r.status != "ok" and not (r.status == "invalid" and np.isfinite(score))
        ]
        excess = [r.excess for r in results if r.excess]
        trial.status = (
            status or (bad[0].status if bad else "") or ("over_limit" if excess else "ok")
        )
        if bad:
            trial.failure = bad[0].failure
        elif excess:
            trial.failure = excess[0]
        elif status == "raced":
            trial.estimate = self.race.estimate(trial.standard, scores)
            trial.failure = (
                f"stopped after {len(scores)} of {self.n_folds} folds: it could hardly win"
            )
        if trial.status == "ok":
            trial.estimate = float(scores.mean())
        trial.elapsed = time.monotonic() - self.begun - trial.begun
        self.open.remove(trial)
        if self.listener is not None and self.listener.trial_ends(trial, self):
            self.stop_reason = self.stop_reason or "callback"
        if self.asynchronous:
            self._tell(trial)

    def _stored(self, trial):
        proposal = trial.proposal
        content = {
            "candidate": None if proposal.candidate is None else int(proposal.candidate),
            "point": encode_point(proposal.point, self.context.space),
            "reason": proposal.reason,
            "expected": float(proposal.expected),
            "spread": float(proposal.spread),
            "seconds": float(proposal.seconds),
        }
        return StoredTrial(trial.number, trial.key, content)

    def _tell(self, trial):
        """Tell the strategy, and count what patience waits for."""
        self.n_told += 1
        results = [self.guide(trial.folds[f]) for f in sorted(trial.folds)]
        score = trial.estimate
        seconds = trial.proposal.seconds
        if self.asynchronous:
            seconds = sum(r.fit_seconds + r.score_seconds for r in trial.folds.values())
        self.strategy.tell(
            [Outcome(trial.proposal, score, seconds, partial=trial.status == "raced")]
        )
        if self.race is not None and trial.status == "ok":
            self.race.add(np.array(results, dtype=float))
        if np.isfinite(score) and score > self.best + self.limits.tol:
            self.best, self.since_best = score, 0
        else:
            self.since_best += 1
        patience = self.limits.patience
        if patience is not None and self.since_best >= patience and np.isfinite(self.best):
            self.last_call = self.last_call or "patience"

    def _tell_up_to(self, count):
        """Tell results in the order of proposals; False if one of them is not there yet."""
        while self.n_told < count:
            trial = self.trials[self.n_told]
            if not trial.finished:
                return False
            self._tell(trial)
            if self.last_call:
                return False
        return True

    def _begin_trial(self):
        """Ask for the next candidate; False if there is none now."""
        number = len(self.trials)
        if self.limits.n_iter is not None and number >= self.limits.n_iter:
            self.last_call = self.last_call or "n_iter"
        if self.last_call:
            return False
        if not self.asynchronous:
            seen = max(0, number - self.limits.lookahead + 1)
            if not self._tell_up_to(seen):
                return False
        proposal = self._propose()
        if proposal is None and not self.asynchronous:
            if not self._tell_up_to(number):
                return False
            proposal = self._propose()
        if proposal is None:
            if not self.open:
                self.last_call = "exhausted"
            return False
        self._begin(proposal)
        return True

    def _propose(self):
        if self.repeats:
            candidate = self.repeats.pop(0)
            return Proposal(-1, self.context.candidates[candidate], candidate, "repeated")
        if self.enqueued:
            proposal = self._own_proposal(self.enqueued.pop(0), "enqueued")
        else:
            proposal = next(iter(self.strategy.ask(1)), None)
        if self.whole and proposal is not None and proposal.candidate is not None:
            first = self.strategy.record.first
            twins = np.flatnonzero(first == first[proposal.candidate])
            self.repeats = twins[twins != proposal.candidate].tolist()
        return proposal

    def _own_proposal(self, point, reason, **details):
        """Make a proposal that the strategy did not make, and let it know."""
        candidate = self.strategy.record.enter(point)
        return Proposal(-1, point, candidate, reason, **details)

    def _begin(self, proposal):
        trial = Trial(
            len(self.trials),
            proposal,
            text_of_key(proposal.point, proposal.candidate),
            begun=time.monotonic() - self.begun,
            standard=None if self.race is None else self.race.standard(),
        )
        self.trials.append(trial)
        self.open.append(trial)
        self.journal.add_trial(self._stored(trial))
        if self.listener is not None:
            self.listener.trial_begins(trial)
        return trial

    def _take_up(self):
        """Go on from a journal whose order no one can repeat: enter what it holds, as it is."""
        stored = sorted(self.journal.trials.values(), key=lambda own: own.number)
        for own in stored:
            content = own.content
            point = decode_point(content, self.context)
            if point is None:
                raise StrategyError(f"The candidate {own.key} of the journal cannot be read.")
            proposal = self._own_proposal(
                point,
                content["reason"],
                expected=content["expected"],
                spread=content["spread"],
                seconds=content["seconds"],
            )
            trial = self._begin(proposal)
            for fold in range(self.n_folds):
                known = self.journal.folds.get((trial.key, fold))
                if known is not None and not trial.finished:
                    trial.started.add(fold)
                    self._enter(trial, fold, known)


def _error_of(done):
    kinds = {"timeout": TimeoutError, "memory": MemoryError}
    return kinds.get(done.status, RuntimeError)(done.error)
