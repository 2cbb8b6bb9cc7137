"""Conformance checks of strategies, for our own and for others'.

Examples
--------
A test file for a strategy of one's own::

    import pytest
    from sk_metalearn.strategies.testing import CHECKS

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_contract(check):
        check(MyStrategy)
"""

import copy
from dataclasses import replace
from functools import lru_cache

import numpy as np

from ..exceptions import StrategyError
from ..spaces import (
    Branch,
    Categorical,
    Condition,
    Encoder,
    Float,
    Integer,
    Space,
    all_points,
    point_key,
)
from ._strategy import Context, Outcome, PastPerformance, Proposal

__all__ = ["CHECKS", "TaskFamily", "check_strategy", "make_space", "simulate"]


def make_space():
    """Make a space with two models, conditions, a logarithm, integers, choices and named values.

    Returns
    -------
    Space
        With a name for each of its branches.
    """
    forest = {
        "depth": Integer(2, 32, log=True, specials=(None,)),
        "criterion": Categorical(("gini", "entropy")),
        "share": Float(0.1, 1.0),
    }
    machine = {
        "C": Float(1e-3, 1e3, log=True),
        "kernel": Categorical(("rbf", "linear", "poly")),
        "gamma": Float(1e-4, 10.0, log=True),
        "degree": Integer(2, 5),
    }
    conditions = (
        Condition("gamma", "kernel", ("rbf", "poly")),
        Condition("degree", "kernel", ("poly",)),
    )
    branches = [Branch(forest, name="forest"), Branch(machine, conditions, name="svm")]
    return Space(branches, root="model")


class TaskFamily:
    """Related tasks whose scores follow from points by a few hidden numbers of each task.

    A score is minus a squared distance to the task's own optimum. The optima vary around one
    point along a few directions, so that what was good on some tasks tells what is good on
    others.

    Parameters
    ----------
    space : Space
        Space of the candidates.
    n_candidates : int, default=60
        Number of candidates drawn from the space.
    n_hidden : int, default=2
        Hidden numbers of a task.
    seed : int, default=0
        Of the candidates and the directions.

    Attributes
    ----------
    candidates : list of dict
        Points drawn from the space.
    """

    def __init__(self, space, n_candidates=60, n_hidden=2, seed=0):
        self.space, self.n_hidden = space, n_hidden
        rng = np.random.default_rng(seed)
        points = {}
        for _ in range(50 * n_candidates):
            point = space.sample(rng)
            points.setdefault(point_key(point), point)
            if len(points) == n_candidates:
                break
        self.candidates = list(points.values())
        self._encoder = Encoder(self.candidates, space)
        width = self._encoder.candidates.shape[1]
        self._centre = rng.random(width)
        self._ways = rng.normal(size=(n_hidden, width)) * 0.35

    def task(self, seed):
        """Make a task.

        Parameters
        ----------
        seed : int
            Determines the hidden numbers.

        Returns
        -------
        score : callable
            ``score(points)`` gives an array of scores, higher is better.
        metafeatures : dict of str to float
            The hidden numbers of the task.
        """
        hidden = np.random.default_rng([seed, 7]).normal(size=self.n_hidden)
        optimum = self._centre + hidden @ self._ways

        def score(points):
            return 1.0 - ((self._encoder(points) - optimum) ** 2).mean(axis=1)

        return score, {f"hidden{i}": float(h) for i, h in enumerate(hidden)}

    def past(self, n_tasks, missing=0.0):
        """Measure all candidates on tasks with the seeds 0, 1, ...

        Parameters
        ----------
        n_tasks : int
            Number of past tasks.
        missing : float, default=0.0
            Share of the cells left out.

        Returns
        -------
        PastPerformance
            With seconds and meta-features.
        """
        tasks = [self.task(seed) for seed in range(n_tasks)]
        scores = np.array([score(self.candidates) for score, _ in tasks])
        rng = np.random.default_rng(n_tasks)
        scores[rng.random(scores.shape) < missing] = np.nan
        seconds = rng.lognormal(size=(1, scores.shape[1])) * rng.lognormal(size=(n_tasks, 1))
        names = tuple(tasks[0][1])
        return PastPerformance(
            scores=scores,
            seconds=np.where(np.isfinite(scores), seconds, np.nan),
            tasks=tuple(f"task-{seed}" for seed in range(n_tasks)),
            metafeatures=np.array([[hidden[name] for name in names] for _, hidden in tasks]),
            metafeature_names=names,
        )

    def context(self, n_tasks=20, seed=1000, open_space=False, **changes):
        """Make the context of a task that is not among those of the past.

        Parameters
        ----------
        n_tasks : int, default=20
            Past tasks; 0 for no past.
        seed : int, default=1000
            Of the task and of the search.
        open_space : bool, default=False
            Whether points outside the candidates may be proposed.
        **changes
            Other fields of the context.

        Returns
        -------
        Context
            Of the new task.
        """
        fields = {
            "candidates": self.candidates,
            "space": self.space if open_space else None,
            "past": self.past(n_tasks) if n_tasks else None,
            "metafeatures": self.task(seed)[1],
            "seed": seed,
        }
        return Context(**{**fields, **changes})


def simulate(strategy, context, score, n_evaluations, batch=1):
    """Run a search in which scores come from a function.

    Parameters
    ----------
    strategy : Strategy
        Started here.
    context : Context
        Of the search.
    score : callable
        ``score(points)`` gives an array of scores.
    n_evaluations : int
        Evaluations to make.
    batch : int, default=1
        Proposals asked for at a time.

    Returns
    -------
    proposals : list of Proposal
        In the order in which they were made.
    scores : ndarray of shape (n_proposals,)
        Fewer than `n_evaluations` if the strategy had no more to propose.
    """
    strategy.start(context)
    proposals, scores = [], []
    while len(proposals) < n_evaluations:
        asked = strategy.ask(min(batch, n_evaluations - len(proposals)))
        if not asked:
            break
        values = score([proposal.point for proposal in asked])
        outcomes = [
            Outcome(proposal, float(value), seconds=1.0)
            for proposal, value in zip(asked, values, strict=True)
        ]
        strategy.tell(outcomes)
        proposals += asked
        scores += [outcome.score for outcome in outcomes]
    return proposals, np.array(scores)


@lru_cache(maxsize=1)
def _family():
    return TaskFamily(make_space(), n_candidates=18)


@lru_cache(maxsize=1)
def _contexts():
    """Contexts of every shape: with and without candidates, space and past."""
    family = _family()
    space = Context(space=family.space, seed=3, n_evaluations=30)
    gaps = family.past(12, missing=0.3)
    gaps.scores[:, :5] = np.nan
    gaps.scores[0] = np.nan
    gaps.scores[1] = 0.5
    contexts = {
        "candidates and past": family.context(12),
        "candidates alone": family.context(0),
        "space alone": space,
        "candidates, space and past": family.context(12, open_space=True),
        "candidates and space": family.context(0, open_space=True),
        "past with gaps": family.context(past=gaps),
        "past without meta-features": family.context(12, metafeatures=None),
        "past of one task": family.context(1),
        "past that says nothing": family.context(
            past=PastPerformance(np.full((4, len(family.candidates)), np.nan))
        ),
        "past with constant scores": family.context(
            past=PastPerformance(np.ones((4, len(family.candidates))))
        ),
    }
    for context in contexts.values():
        if context.past is not None:
            context.past.scores.flags.writeable = False  # what is shared must not be changed
    return family, contexts


def _keys(proposals):
    return [point_key(proposal.point) for proposal in proposals]


def _assert_no_twins(proposals, where):
    keys = _keys(proposals)
    assert len(set(keys)) == len(keys), f"a configuration was proposed twice ({where})"


def check_needs_start(make):
    """`ask` and `tell` before `start` raise `StrategyError`."""
    for call in (lambda s: s.ask(), lambda s: s.tell([])):
        try:
            call(make())
        except StrategyError:
            continue
        raise AssertionError("ask() and tell() must raise StrategyError before start()")


def check_copies(make):
    """A strategy can be copied, before it is started as in the middle of a search."""
    strategy = make()
    other = copy.deepcopy(strategy)
    assert type(other) is type(strategy) and repr(other) == repr(strategy)
    family = _family()
    score, _ = family.task(1000)
    simulate(strategy, family.context(12), score, 8)
    other = copy.deepcopy(strategy)
    assert _keys(other.ask(2)) == _keys(strategy.ask(2)), "a copy went another way"


def check_proposals(make):
    """Proposals are numbered from 0, say why, and give the point of their candidate."""
    family, contexts = _contexts()
    score, _ = family.task(1000)
    for where, context in contexts.items():
        proposals, _ = simulate(make(), context, score, 10)
        assert [p.number for p in proposals] == list(range(len(proposals))), where
        for proposal in proposals:
            assert isinstance(proposal.reason, str) and proposal.reason, where
            if proposal.candidate is None:
                assert context.space is not None, f"a point from nowhere ({where})"
                assert context.space.contains(proposal.point), f"not in the space ({where})"
            else:
                expected = context.candidates[proposal.candidate]
                assert proposal.point == expected, f"not the point of its candidate ({where})"


def check_every_candidate_once(make):
    """A finite list is proposed to its end, nothing twice; then there is nothing left."""
    family, contexts = _contexts()
    score, _ = family.task(1000)
    for where, context in contexts.items():
        if context.space is not None:
            continue
        strategy = make()
        proposals, _ = simulate(strategy, context, score, 100)
        _assert_no_twins(proposals, where)
        assert len(proposals) == len(context.candidates), f"candidates left out ({where})"
        assert strategy.ask() == [] and strategy.ask(3) == [], where


def check_no_twins(make):
    """Nothing is proposed twice in a space, nor a point that is a candidate proposed before."""
    family, contexts = _contexts()
    score, _ = family.task(1000)
    for where, context in contexts.items():
        if context.space is not None:
            proposals, _ = simulate(make(), context, score, 25)
            _assert_no_twins(proposals, where)
            assert len(proposals) == 25, f"the space was not used up, yet the search ended: {where}"


def check_finite_space(make):
    """A space of finitely many points is proposed to its end and no further."""
    space = Space(
        {"a": Categorical(("x", "y", "z")), "b": Integer(1, 3), "c": Categorical((True, False))}
    )
    points = all_points(space)
    family = TaskFamily(space, 5)
    score, _ = family.task(1000)
    for context in (Context(space=space), family.context(0, open_space=True)):
        proposals, _ = simulate(make(), context, score, 30)
        _assert_no_twins(proposals, "a finite space")
        assert {*_keys(proposals)} <= {point_key(point) for point in points}
        assert len(proposals) == len(points), f"{len(proposals)} of {len(points)} points proposed"


def check_pending(make):
    """What is pending is not proposed again, and asking for none gives none."""
    family, contexts = _contexts()
    score, _ = family.task(1000)
    for where, context in contexts.items():
        strategy = make().start(context)
        assert strategy.ask(0) == [], where
        proposals = strategy.ask(4)
        assert len(proposals) == 4, where
        proposals += strategy.ask(3)
        _assert_no_twins(proposals, where)
        # The last ones end first.
        for proposal in reversed(proposals):
            strategy.tell([Outcome(proposal, float(score([proposal.point])[0]))])
            proposals += strategy.ask(1)
        _assert_no_twins(proposals, where)


def check_replay(make):
    """The same calls give the same proposals, on a new strategy and on one started again."""
    family, contexts = _contexts()
    score, _ = family.task(1000)
    for where, context in contexts.items():
        strategy = make()
        first, _ = simulate(strategy, context, score, 10, batch=2)
        for other in (strategy, make()):
            again, _ = simulate(other, context, score, 10, batch=2)
            assert _keys(again) == _keys(first), f"a replay went another way ({where})"
            same = [
                a.expected == b.expected or a.expected != a.expected
                for a, b in zip(first, again, strict=True)
            ]
            assert all(same), f"a replay expected other scores ({where})"


def check_no_global_randomness(make):
    """NumPy's global random numbers are neither used nor changed."""
    family, contexts = _contexts()
    score, _ = family.task(1000)
    runs = []
    for seed in (1, 2):
        np.random.seed(seed)
        before = np.random.get_state()[1].copy()
        proposals, _ = simulate(make(), contexts["candidates, space and past"], score, 10)
        assert (np.random.get_state()[1] == before).all(), "the global random state was changed"
        runs.append(_keys(proposals))
    assert runs[0] == runs[1], "the proposals depend on the global random state"


def check_failures(make):
    """Failed, partial, repeated and foreign results are taken in; the search goes on."""
    family, contexts = _contexts()
    score, _ = family.task(1000)
    for where, context in contexts.items():
        strategy = make().start(context)
        foreign = family.candidates[0]
        index = 0 if len(context.candidates) else None
        strategy.tell([Outcome(Proposal(-1, foreign, index), 0.3)])
        proposals = []
        for i in range(9):
            asked = strategy.ask(1)
            assert len(asked) == 1, where
            proposals += asked
            value = float(score([asked[0].point])[0])
            if i % 3 == 0:
                strategy.tell([Outcome(asked[0], np.nan)])
            elif i % 3 == 1:
                strategy.tell([Outcome(asked[0], value - 0.1, partial=True)])
                proposals += strategy.ask(1)
                strategy.tell([Outcome(asked[0], value)])
            else:
                strategy.tell([Outcome(asked[0], value)])
        _assert_no_twins(proposals, where)
        assert point_key(foreign) not in _keys(proposals), f"told, then proposed ({where})"


def check_told_without_index(make):
    """A result that does not say which candidate it belongs to counts for that candidate."""
    family, contexts = _contexts()
    score, _ = family.task(1000)
    for where, context in contexts.items():
        strategy = make().start(context)
        told = [Proposal(-1, dict(point), None) for point in family.candidates[:4]]
        strategy.tell([Outcome(own, float(score([own.point])[0])) for own in told])
        proposals = []
        for _ in range(14):
            asked = strategy.ask(1)
            assert len(asked) == 1, where
            proposals += asked
            strategy.tell([Outcome(asked[0], float(score([asked[0].point])[0]))])
        _assert_no_twins(told + proposals, where)


def check_repeated_candidates(make):
    """A configuration that stands in the list of candidates several times is proposed once."""
    family = _family()
    score, _ = family.task(1000)
    places = [0, 1, 1, *range(2, len(family.candidates)), 0]
    past = family.past(12)
    past = replace(past, scores=past.scores[:, places], seconds=past.seconds[:, places])
    candidates = [dict(family.candidates[i]) for i in places]
    for own in (past, None):
        proposals, _ = simulate(make(), family.context(candidates=candidates, past=own), score, 100)
        _assert_no_twins(proposals, "repeated candidates")
        assert len(proposals) == len(family.candidates), "candidates left out"


def check_nothing_works(make):
    """When every evaluation fails, or every score is the same, proposals go on coming."""
    _, contexts = _contexts()
    for where, context in contexts.items():
        for value in (np.nan, 0.5):
            constant = lambda points, value=value: np.full(len(points), value)  # noqa: E731
            proposals, _ = simulate(make(), context, constant, 10)
            assert len(proposals) == 10, f"all scores {value} ({where})"
            _assert_no_twins(proposals, where)


def check_seconds(make):
    """A budget in seconds is served, also when times are unknown or zero."""
    family = _family()
    score, _ = family.task(1000)
    times = np.random.default_rng(0).lognormal(size=len(family.candidates))
    times[:3] = [np.nan, 0.0, 1e6]
    past = family.past(12)
    bare = replace(past, seconds=None)
    for changes in (
        {"past": past},
        {"past": past, "predicted_seconds": times},
        {"past": bare},
        {"past": bare, "predicted_seconds": np.full(len(times), np.nan)},
    ):
        context = family.context(seconds=60.0, **changes)
        proposals, _ = simulate(make(), context, score, 100)
        _assert_no_twins(proposals, "with a budget in seconds")
        assert len(proposals) == len(family.candidates)


def check_extreme_scores(make):
    """Scores of any size are taken in without a warning about arithmetic."""
    family, contexts = _contexts()
    score, _ = family.task(1000)
    for scale in (1e-9, 1e9, 1e300):
        shifted = lambda points, scale=scale: scale * (score(points) - 5.0)  # noqa: E731
        for where in ("candidates and past", "candidates and space"):
            with np.errstate(over="raise", divide="raise", invalid="raise"):
                proposals, _ = simulate(make(), contexts[where], shifted, 14)
            assert len(proposals) == 14, where


CHECKS = (
    check_needs_start,
    check_copies,
    check_proposals,
    check_every_candidate_once,
    check_no_twins,
    check_finite_space,
    check_pending,
    check_replay,
    check_no_global_randomness,
    check_failures,
    check_told_without_index,
    check_repeated_candidates,
    check_nothing_works,
    check_seconds,
    check_extreme_scores,
)


def check_strategy(make):
    """Run all conformance checks.

    Parameters
    ----------
    make : callable
        Gives a new strategy, not started: a class, or ``lambda: MyStrategy(option=...)``.

    Raises
    ------
    AssertionError
        If the strategy breaks the contract.
    """
    for check in CHECKS:
        check(make)
