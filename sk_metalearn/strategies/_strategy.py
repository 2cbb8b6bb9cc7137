"""The contract of every way to propose: `start`, `ask`, `tell`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from ..exceptions import StrategyError
from ..spaces import Space, point_key, point_keys

__all__ = ["Context", "Outcome", "PastPerformance", "Proposal", "Record", "Strategy"]

_LARGEST = 1e150


@dataclass(frozen=True)
class PastPerformance:
    """What past tasks say about the candidates of the task at hand.

    Parameters
    ----------
    scores : ndarray of shape (n_tasks, n_candidates)
        Higher is better, in the units of the metric; NaN where nothing is known. A column is a
        candidate of the context, in its order.
    seconds : ndarray of shape (n_tasks, n_candidates), optional
        CPU seconds of one fit and its predictions; NaN where unknown.
    spread : ndarray of shape (n_tasks, n_candidates), optional
        Standard error of each score: 0 where it was measured, the error of the prediction where a
        performance model filled it in.
    correlation : ndarray of shape (n_candidates, n_candidates), optional
        Correlation of these errors between candidates; they are independent if not given.
    baseline : ndarray of shape (n_tasks,), optional
        Score of the dummy estimator on each task.
    tasks : tuple of str, optional
        Names of the tasks.
    metafeatures : ndarray of shape (n_tasks, n_metafeatures), optional
        Meta-features of the past tasks, NaN where undefined.
    metafeature_names : tuple of str, optional
        Names of their columns.
    """

    scores: np.ndarray
    seconds: np.ndarray | None = None
    spread: np.ndarray | None = None
    correlation: np.ndarray | None = None
    baseline: np.ndarray | None = None
    tasks: tuple[str, ...] = ()
    metafeatures: np.ndarray | None = None
    metafeature_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Context:
    """All that a strategy may know about the task at hand: no X, no y, no estimator.

    Parameters
    ----------
    candidates : sequence of dict, default=()
        The finite list to choose from: points of `space`. Empty if only `space` is given.
    space : Space, optional
        Where further points can be drawn. None: the candidates are all there is.
    kind : {"classification", "regression"}, default="classification"
        Kind of the task.
    metric : str, default="accuracy"
        Name of the metric; scores told are always "higher is better".
    past : PastPerformance, optional
        What is known from past tasks; None for a search that starts cold.
    metafeatures : mapping of str to float, optional
        Meta-features of the task at hand.
    predicted_seconds : ndarray of shape (n_candidates,), optional
        Predicted seconds of one evaluation of each candidate on the task at hand.
    defaults : tuple of int, default=()
        Candidates that are an estimator's own default; they come early.
    n_evaluations : int, optional
        Evaluations the search will make in all, if that is its budget.
    seconds : float, optional
        Seconds the search will take in all, if that is its budget. Strategies then weigh the
        expected gain by the time it costs.
    seed : int, default=0
        Source of all randomness.
    """

    candidates: Sequence[Mapping[str, Any]] = ()
    space: Space | None = None
    kind: Literal["classification", "regression"] = "classification"
    metric: str = "accuracy"
    past: PastPerformance | None = None
    metafeatures: Mapping[str, float] | None = None
    predicted_seconds: np.ndarray | None = None
    defaults: tuple[int, ...] = ()
    n_evaluations: int | None = None
    seconds: float | None = None
    seed: int = 0

    def __post_init__(self):
        if not len(self.candidates) and self.space is None:
            raise StrategyError("A context needs candidates or a space; got neither.")
        if self.past is not None and self.past.scores.shape[1] != len(self.candidates):
            raise StrategyError(
                f"The past has {self.past.scores.shape[1]} columns but there are "
                f"{len(self.candidates)} candidates; it needs one column per candidate."
            )


@dataclass(frozen=True)
class Proposal:
    """A configuration to evaluate next, and why.

    Parameters
    ----------
    number : int
        Running number of the proposal, from 0.
    point : mapping of str to value
        The configuration proposed.
    candidate : int or None
        Its index among the context's candidates; None for a point drawn from the space.
    reason : str
        ``"default"``, ``"portfolio"``, ``"neighbour of <task>"``, ``"surrogate"``, ``"random"``,
        ``"grid"``, ... in the strategy's words.
    expected : float, default=nan
        Score expected, in the units of the metric.
    spread : float, default=nan
        Standard deviation of that expectation.
    seconds : float, default=nan
        Seconds expected for the evaluation.
    """

    number: int
    point: Mapping[str, Any]
    candidate: int | None = None
    reason: str = "random"
    expected: float = np.nan
    spread: float = np.nan
    seconds: float = np.nan


@dataclass(frozen=True)
class Outcome:
    """What the evaluation of a proposal gave.

    Parameters
    ----------
    proposal : Proposal
        The proposal evaluated, or one with ``number=-1`` for a result from elsewhere.
    score : float
        Mean over folds, higher is better; NaN if the evaluation failed.
    seconds : float, default=nan
        What it took.
    partial : bool, default=False
        True if only some of the folds were evaluated; the score is their mean.
    """

    proposal: Proposal
    score: float
    seconds: float = np.nan
    partial: bool = False

    @property
    def failed(self):
        """Whether the evaluation gave no score."""
        return not np.isfinite(self.score)


@dataclass
class Record:
    """What has happened in one search; strategies that work on it together share it.

    Parameters
    ----------
    index : dict
        The first candidate of each point key.
    first : ndarray of shape (n_candidates,), dtype int
        The first candidate that is the same configuration.
    tried : ndarray of shape (n_candidates,), dtype bool
        Candidates proposed or told.
    history : list of Outcome
        All results told, in order.
    pending : dict of int to Proposal
        Proposals without a final result, by number.
    keys : set
        Keys of all points proposed or told.
    results : dict
        Latest outcome of each point, by its first candidate or by its key.
    asked : int
        Number of proposals made.
    """

    index: dict
    first: np.ndarray
    tried: np.ndarray
    history: list = field(default_factory=list)
    pending: dict = field(default_factory=dict)
    keys: set = field(default_factory=set)
    results: dict = field(default_factory=dict)
    asked: int = 0

    @classmethod
    def of(cls, candidates):
        """Begin the record of a search among candidates.

        Parameters
        ----------
        candidates : sequence of mapping
            The candidates of the context.

        Returns
        -------
        Record
            With nothing tried.
        """
        index = {}
        first = [index.setdefault(key, i) for i, key in enumerate(point_keys(candidates))]
        return cls(index, np.array(first, dtype=int), np.zeros(len(first), dtype=bool))

    def enter(self, point, candidate=None):
        """Mark a configuration as tried, as often as it is among the candidates.

        Parameters
        ----------
        point : mapping
            Value of each parameter by name.
        candidate : int, optional
            Its index, if that is known.

        Returns
        -------
        int or None
            Its index; None if it is no candidate.
        """
        key = point_key(point)
        self.keys.add(key)
        if candidate is None:
            candidate = self.index.get(key)
        if candidate is not None:
            self.tried |= self.first == self.first[candidate]
        return candidate

    def add(self, outcome):
        """Enter one result.

        Parameters
        ----------
        outcome : Outcome
            A result, of a proposal or from elsewhere.

        Returns
        -------
        Outcome
            The same, its proposal with the index of the candidate that it is.
        """
        proposal = outcome.proposal
        candidate = self.enter(proposal.point, proposal.candidate)
        if candidate != proposal.candidate:
            proposal = replace(proposal, candidate=candidate)
            outcome = replace(outcome, proposal=proposal)
        self.history.append(outcome)
        place = self._place(proposal)
        before = self.results.get(place)
        if before is None or before.partial or not outcome.partial:
            self.results[place] = outcome
        if not outcome.partial:
            self.pending.pop(proposal.number, None)
        return outcome

    def _place(self, proposal):
        if proposal.candidate is not None:
            return int(self.first[proposal.candidate])
        return point_key(proposal.point)

    @property
    def waiting(self):
        """The proposals with no result at all, not even a partial one."""
        return [p for p in self.pending.values() if self._place(p) not in self.results]

    def scores(self, only_candidates=False):
        """Return the outcomes known and their scores, a failure as the worst score seen.

        Parameters
        ----------
        only_candidates : bool, default=False
            Leave out the points that are no candidate of the context.

        Returns
        -------
        outcomes : list of Outcome
            The latest result of each configuration.
        scores : ndarray of shape (n_outcomes,)
            Empty as long as nothing but failures is known; none so large that its square is not
            a number.
        """
        outcomes = [
            outcome
            for outcome in self.results.values()
            if not only_candidates or outcome.proposal.candidate is not None
        ]
        scores = np.array([outcome.score for outcome in outcomes], dtype=float)
        good = np.isfinite(scores)
        if not good.any():
            return [], np.empty(0)
        scores = np.where(good, scores, scores[good].min())
        return outcomes, np.clip(scores, -_LARGEST, _LARGEST)


@dataclass
class Strategy:
    """Base class of the strategies.

    A strategy is a pure function of its options, the context and the ordered history of calls:
    to resume is to repeat the calls. `ask` may be called again before the results of earlier
    proposals are told (parallel workers); what is pending is never proposed twice. `tell` takes
    partial, failed and out-of-order results.

    A subclass is a dataclass whose fields are its options. It implements `propose`, and may
    extend `begin` and `learn`.

    Attributes
    ----------
    context : Context
        Set by `start`.
    rng : numpy.random.Generator
        Seeded from the context.
    record : Record
        What has happened so far.
    """

    def start(self, context):
        """Forget everything and begin a search.

        Parameters
        ----------
        context : Context
            What may be known about the task at hand.

        Returns
        -------
        Strategy
            This one, ready for `ask`.

        Raises
        ------
        StrategyError
            If the strategy cannot serve the context.
        """
        rng = np.random.default_rng(context.seed)
        return self._enter(context, rng, Record.of(context.candidates))

    def join(self, other):
        """Work on the search of another strategy, sharing its record and its randomness.

        Parameters
        ----------
        other : Strategy
            One that was started.

        Returns
        -------
        Strategy
            This one, ready for `ask`.
        """
        return self._enter(other.context, other.rng, other.record)

    def _enter(self, context, rng, record):
        self.context, self.rng, self.record = context, rng, record
        self.begin()
        return self

    @property
    def history(self):
        """All results told, in order."""
        return self.record.history

    @property
    def pending(self):
        """Proposals without a final result, by number."""
        return self.record.pending

    @property
    def untried(self):
        """Indices of the candidates neither proposed nor told."""
        return np.flatnonzero(~self.record.tried)

    def ask(self, n=1):
        """Propose up to `n` configurations, none of them proposed before.

        Parameters
        ----------
        n : int, default=1
            How many are wanted.

        Returns
        -------
        list of Proposal
            Fewer than `n`, down to none, when the strategy has no more to propose.

        Raises
        ------
        StrategyError
            Before `start`.
        """
        if not hasattr(self, "context"):
            raise StrategyError("Call start(context) before ask().")
        proposals = []
        for _ in range(n):
            proposal = self.propose()
            if proposal is None:
                break
            self.record.pending[proposal.number] = proposal
            proposals.append(proposal)
        return proposals

    def tell(self, outcomes):
        """Learn from results.

        Parameters
        ----------
        outcomes : sequence of Outcome
            Results in any order: late, partial, failed, or of points never proposed.

        Raises
        ------
        StrategyError
            Before `start`.
        """
        if not hasattr(self, "context"):
            raise StrategyError("Call start(context) before tell().")
        self.learn([self.record.add(outcome) for outcome in outcomes])

    def begin(self):
        """Prepare for a new context; called by `start` and `join`."""

    def propose(self):
        """Return the next `Proposal`, or None when there is none.

        Make it with `self.make(...)`, which numbers it and marks it as tried.

        Returns
        -------
        Proposal or None
            What to evaluate next.
        """
        raise NotImplementedError

    def learn(self, outcomes):
        """Take in new results; called by `tell` after they entered the record.

        Parameters
        ----------
        outcomes : list of Outcome
            New results, each with the index of the candidate that it is.
        """

    def make(self, candidate=None, point=None, **details):
        """Make the next proposal from a candidate's index or from a point of the space.

        Parameters
        ----------
        candidate : int, default=None
            Index into the candidates of the context.
        point : dict, default=None
            Taken from the candidate if there is one.
        **details : dict
            Further fields of the `Proposal`.

        Returns
        -------
        Proposal
            Numbered, its point marked as tried.
        """
        record = self.record
        if candidate is not None:
            candidate = int(candidate)
            point = self.context.candidates[candidate]
        candidate = record.enter(point, candidate)
        times = self.context.predicted_seconds
        if candidate is not None and times is not None and "seconds" not in details:
            details["seconds"] = float(times[candidate])
        proposal = Proposal(number=record.asked, point=point, candidate=candidate, **details)
        record.asked += 1
        return proposal
