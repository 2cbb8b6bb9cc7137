"""The loop of a search: ask, evaluate on folds, tell, and know when to stop.

What it does follows from its arguments and from the order in which results come: the clock, the
executor and the journal are arguments, and nothing else is looked at.
"""

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..evaluation import Incumbent, Race, StoredTrial, failed_fold
from ..exceptions import CheckpointError
from ..strategies import Outcome, Proposal
from ._point_json import decode_point, encode_point, text_of_key

__all__ = ["LoopRules", "SearchLoop", "Trial"]


@dataclass(frozen=True)
class LoopRules:
    """When a loop ends, and what a candidate may use.

    Parameters
    ----------
    n_iter : int or None, default=None
        Candidates in all; None: as many as there are.
    patience : int or None, default=None
        Candidates in a row that may be no better than the best before them.
    lookahead : int or None, default=2
        A candidate is proposed when the results of all but the last ``lookahead - 1`` candidates
        before it are known, whatever the number of workers. None: as soon as a worker is free.
    racing : bool, default=False
        Whether a candidate is stopped when it can hardly become the best any more.
    fold_seconds : float or None, default=None
        Limit for one fold of a candidate.
    memory_bytes : int or None, default=None
        Limit of memory of the process that evaluates it.
    error_score : "raise" or float, default=nan
        Score of a fold that failed.
    metric_names : tuple of str, default=()
        Names of the metrics where a scorer gives several.
    tells_seconds : bool, default=False
        Whether the executor is told how long a job will probably take: short ones may run where
        they cannot be stopped, so that the prediction has to be sure.
    """

    n_iter: int | None = None
    patience: int | None = None
    lookahead: int | None = 2
    racing: bool = False
    fold_seconds: float | None = None
    memory_bytes: int | None = None
    error_score: Any = np.nan
    metric_names: tuple = ()
    tells_seconds: bool = False


@dataclass
class Trial:
    """A candidate and what became of it.

    Attributes
    ----------
    number : int
        Place in the order of proposals.
    proposal : Proposal
    key : str
        Text that identifies the candidate in every process.
    folds : dict of int to FoldResult
    started : set of int
        Folds handed to the executor.
    status : str
        Empty while it is not finished.
    failure : str
        What went wrong, in words.
    estimate : float
        Mean score that guides the search; for a candidate that was stopped, what is expected of
        it.
    begun, elapsed : float
        Seconds since the start of the search, and from its begin to its end.
    incumbent : Incumbent or None
        What it has to beat in a race.
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
    incumbent: Incumbent | None = None

    @property
    def finished(self):
        """Whether nothing more is to come."""
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
    objective : callable
        ``objective(fold_result)`` gives the score of a fold that the search maximises.
    n_folds : int
    journal : Journal
    rules : LoopRules, optional
    enqueued : sequence of (dict, str, int)
        Points to evaluate before the strategy is asked, each with the reason to give.
    watcher : object, optional
        Told what happens: ``fold_ends(trial, fold)`` and ``trial_ends(trial, loop)``; both may
        return True to stop.
    deadline : callable, optional
        ``deadline(loop)`` gives the time of `clock` after which nothing runs any more, None
        without one. It may move when a better candidate is found.
    clock : callable, default=time.monotonic

    Attributes
    ----------
    trials : list of Trial
        In the order of proposals.
    best_trial : Trial or None
        The best of those that went well.
    stop_reason : str
    """

    def __init__(
        self,
        strategy,
        context,
        executor,
        job_of,
        objective,
        n_folds,
        journal,
        rules=None,
        enqueued=(),
        watcher=None,
        deadline=None,
        clock=time.monotonic,
    ):
        self.strategy, self.context, self.executor = strategy, context, executor
        self.job_of, self.objective, self.n_folds = job_of, objective, n_folds
        self.journal, self.rules = journal, rules or LoopRules()
        self.enqueued, self.watcher = list(enqueued), watcher
        self.deadline, self.clock = deadline, clock
        self.race = Race(n_folds) if self.rules.racing and n_folds > 1 else None
        n_iter = self.rules.n_iter
        # Of a whole grid every point has its row: one that stands there twice has two rows, and
        # one evaluation.
        self.whole = n_iter is not None and n_iter >= len(context.candidates)
        self.repeats = []
        self.trials, self.stop_reason, self.best_trial = [], "", None
        self.n_told = 0
        self.open = []
        self.running = set()
        self.best_told, self.since_best = -np.inf, 0
        self.begun = clock()
        # Why no more candidates begin, while those that have begun are finished.
        self.last_call = ""

    @property
    def asynchronous(self):
        """Whether candidates are proposed as soon as a worker is free."""
        return self.rules.lookahead is None

    def seconds_left(self):
        """Seconds until the deadline, None without one."""
        deadline = None if self.deadline is None else self.deadline(self)
        return None if deadline is None else deadline - self.clock()

    def run(self):
        """Search until something ends it; `stop_reason` then says what.

        Returns
        -------
        list of Trial
            All that have begun; those that the end of the search cut off are ``"unfinished"``.
        """
        try:
            if self.asynchronous:
                self._take_up()
            while not self.stop_reason:
                self._fill()
                if self.stop_reason or not self.running:
                    break
                left = self.seconds_left()
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
        self._leave_unfinished()
        return self.trials

    def _check_time(self):
        left = self.seconds_left()
        if not self.stop_reason and left is not None and left <= 0:
            self.stop_reason = "time_budget"

    def _leave_unfinished(self):
        """Close what has begun; it has an estimate only where no candidate has all its folds."""
        nothing_else = not any(trial.status in ("ok", "over_limit") for trial in self.trials)
        for trial in self.open:
            trial.status = "unfinished"
            trial.failure = (
                f"the search ended after {len(trial.folds)} of {self.n_folds} folds of it"
            )
            trial.elapsed = self.clock() - self.begun - trial.begun
            if nothing_else and trial.folds:
                trial.estimate = float(np.mean(self._scores(trial)))

    def _scores(self, trial):
        return [self.objective(trial.folds[fold]) for fold in sorted(trial.folds)]

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
        wall, left = self.rules.fold_seconds, self.seconds_left()
        if left is not None:
            wall = max(0.0, left) if wall is None else min(wall, max(0.0, left))
        expected = trial.proposal.seconds if self.rules.tells_seconds else np.nan
        self.executor.submit(
            self.job_of(trial, fold),
            (trial.number, fold),
            wall_seconds=wall,
            memory_bytes=self.rules.memory_bytes,
            expected_seconds=expected if np.isfinite(expected) else None,
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
            limit = self.rules.fold_seconds
            if done.status == "timeout" and (limit is None or done.wall_seconds < limit):
                # The end of the search, not the candidate's own limit, ended it.
                self.stop_reason = self.stop_reason or "time_budget"
                return
            if self.rules.error_score == "raise":
                raise _error_of(done)
            result = failed_fold(
                done.status,
                done.error,
                done.wall_seconds,
                self.rules.error_score,
                list(self.rules.metric_names) or None,
            )
        self.journal.add_fold(trial.key, fold, result)
        self._enter(trial, fold, result)

    def _enter(self, trial, fold, result):
        """Take in the result of a fold, and close the candidate if nothing more is to come.

        Folds count in their order, so that the end does not depend on which were run first.
        """
        trial.folds[fold] = result
        if self.watcher is not None and self.watcher.fold_ends(trial, fold):
            self.stop_reason = self.stop_reason or "callback"
        for done in range(1, self.n_folds + 1):
            if done - 1 not in trial.folds:
                return
            latest, lost = trial.folds[done - 1], False
            if done < self.n_folds and latest.status not in _FATAL:
                if self.race is None:
                    continue
                # With a fold that failed a candidate cannot win; that is no lost race.
                if not self._is_bad(latest):
                    scores = [self.objective(trial.folds[f]) for f in range(done)]
                    lost = self.race.lost(trial.incumbent, scores)
                    if not lost:
                        continue
            trial.folds = {f: trial.folds[f] for f in range(done)}
            self._close(trial, lost)
            return

    def _is_bad(self, result):
        """Whether a fold has no score; a metric beside the objective may be undefined."""
        if result.status == "invalid":
            return not np.isfinite(self.objective(result))
        return result.status != "ok"

    def _close(self, trial, lost):
        """Finish a candidate: status, estimate, watcher."""
        pointless = {key for key in self.running if key[0] == trial.number}
        self.executor.cancel(pointless)
        self.running -= pointless
        results = [trial.folds[f] for f in sorted(trial.folds)]
        bad = [result for result in results if self._is_bad(result)]
        excess = [result.excess for result in results if result.excess]
        if bad:
            trial.status, trial.failure = bad[0].status, bad[0].failure
        elif lost:
            trial.status = "raced"
            trial.estimate = self.race.estimate(trial.incumbent, self._scores(trial))
            trial.failure = (
                f"stopped after {len(results)} of {self.n_folds} folds: it could hardly win"
            )
        elif excess:
            trial.status, trial.failure = "over_limit", excess[0]
        else:
            trial.status = "ok"
            trial.estimate = float(np.mean(self._scores(trial)))
            if self.best_trial is None or trial.estimate > self.best_trial.estimate:
                self.best_trial = trial
        trial.elapsed = self.clock() - self.begun - trial.begun
        self.open.remove(trial)
        if self.watcher is not None and self.watcher.trial_ends(trial, self):
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
        scores, score = self._scores(trial), trial.estimate
        seconds = trial.proposal.seconds
        if self.asynchronous:
            seconds = sum(r.fit_seconds + r.score_seconds for r in trial.folds.values())
        self.strategy.tell(
            [Outcome(trial.proposal, score, seconds, partial=trial.status == "raced")]
        )
        if self.race is not None and trial.status == "ok":
            self.race.add(np.array(scores, dtype=float))
        if np.isfinite(score) and score > self.best_told:
            self.best_told, self.since_best = score, 0
        else:
            self.since_best += 1
        patience = self.rules.patience
        if patience is not None and self.since_best >= patience and np.isfinite(self.best_told):
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
        if self.rules.n_iter is not None and number >= self.rules.n_iter:
            self.last_call = self.last_call or "n_iter"
        if self.last_call:
            return False
        if not self.asynchronous:
            seen = max(0, number - self.rules.lookahead + 1)
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
        if self.enqueued and len(self.trials) >= self.enqueued[0][2]:
            point, reason, _ = self.enqueued.pop(0)
            proposal = self._own_proposal(point, reason)
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
        times = self.context.predicted_seconds
        if candidate is not None and times is not None:
            details.setdefault("seconds", float(times[candidate]))
        return Proposal(-1, point, candidate, reason, **details)

    def _begin(self, proposal):
        trial = Trial(
            len(self.trials),
            proposal,
            text_of_key(proposal.point, proposal.candidate),
            begun=self.clock() - self.begun,
            incumbent=None if self.race is None else self.race.incumbent(),
        )
        self.trials.append(trial)
        self.open.append(trial)
        self.journal.add_trial(self._stored(trial))
        return trial

    def _take_up(self):
        """Go on from a journal whose order no one can repeat: enter what it holds, as it is."""
        stored = sorted(self.journal.trials.values(), key=lambda kept: kept.number)
        for kept in stored:
            content = kept.content
            point = decode_point(content, self.context)
            if point is None:
                raise CheckpointError(f"The candidate {kept.key} of the journal cannot be read.")
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
