"""The loop of a search, without a fit and without a clock of this world."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sk_metalearn.evaluation import FoldResult, Journal
from sk_metalearn.evaluation.testing import FakeClock, FakeExecutor, FakeResult
from sk_metalearn.search._budget import Budget
from sk_metalearn.search._loop import LoopRules, SearchLoop
from sk_metalearn.search._problem import Objective
from sk_metalearn.strategies import Context, get_strategy

N_FOLDS = 3
FAULTS = ("crashed", "memory", "died", "invalid")


class World:
    """What becomes of each candidate on each fold: a score or a fault, and seconds."""

    def __init__(self, outcomes, seconds, n_points=None):
        self.outcomes, self.seconds, self.begun = outcomes, seconds, []
        self.points = [{"x": i} for i in range(n_points or len(outcomes))]

    def run(self, x, fold):
        self.begun.append((x, fold))
        outcome = self.outcomes[x % len(self.outcomes)][fold % N_FOLDS]
        seconds = self.seconds[(x * N_FOLDS + fold) % len(self.seconds)]
        if outcome == "crashed":  # raised by the estimator, in a worker that lives on
            return FakeResult(FoldResult("crashed", np.nan, failure="boom"), seconds)
        if outcome == "invalid":
            return FakeResult(FoldResult("invalid", np.nan, failure="no number"), seconds)
        if outcome in (*FAULTS, "timeout"):
            return FakeResult(None, seconds, outcome)
        return FakeResult(FoldResult("ok", outcome, fit_seconds=seconds), seconds)

    def search(self, n_workers=1, journal=None, seed=0, budget=None, kept=None, **rules):
        clock = FakeClock() if budget is None else budget.clock
        context = Context(candidates=self.points, seed=seed)
        self.executor = FakeExecutor(self.run, clock, n_workers)
        deadline = None
        if budget is not None:
            deadline = lambda best: budget.deadline(0.0 if best is None else kept)  # noqa: E731
        return SearchLoop(
            get_strategy("random").start(context),
            context,
            self.executor,
            lambda trial, fold: (trial.proposal.point["x"], fold),
            Objective(),
            N_FOLDS,
            Journal() if journal is None else journal,
            rules=LoopRules(**rules),
            deadline=deadline,
            clock=clock,
        )


scores = st.floats(0, 1, allow_nan=False)
cells = st.one_of(scores, scores, scores, st.sampled_from(FAULTS))
outcomes = st.lists(st.tuples(cells, cells, cells), min_size=2, max_size=8)
durations = st.lists(st.floats(0.01, 20), min_size=1, max_size=24)
worlds = st.builds(World, outcomes, durations)


def rows(loop):
    return [
        (
            trial.proposal.point["x"],
            trial.status,
            repr(trial.estimate),
            {fold: repr(result.scores) for fold, result in sorted(trial.folds.items())},
        )
        for trial in loop.trials
    ]


@settings(deadline=None)
@given(worlds, st.integers(1, 5), st.booleans(), st.sampled_from([1, 2, 4, None]))
def test_every_candidate_begun_has_a_row_and_a_crash_is_a_crash(world, n_workers, racing, ahead):
    loop = world.search(n_workers, racing=racing, lookahead=ahead, n_iter=len(world.points))
    trials = loop.run()
    assert loop.stop_reason in ("n_iter", "exhausted")
    assert [trial.number for trial in trials] == list(range(len(world.points)))
    assert sorted(trial.proposal.point["x"] for trial in trials) == list(range(len(world.points)))
    for trial in trials:
        met = [world.outcomes[trial.proposal.point["x"]][fold] for fold in sorted(trial.folds)]
        faults = [own for own in met if own in FAULTS]
        if faults:
            assert trial.status == faults[0] and math.isnan(trial.estimate)
            continue
        assert trial.status in ("ok", "raced") and np.isfinite(trial.estimate)
        assert trial.status == "ok" or racing
        assert trial.status == "raced" or trial.estimate == pytest.approx(np.mean(met))
        assert (len(trial.folds) < N_FOLDS) == (trial.status == "raced")
    good = [trial.estimate for trial in trials if trial.status == "ok"]
    assert (loop.best_trial is None) == (not good)
    assert not good or loop.best_trial.estimate == max(good)


@settings(deadline=None)
@given(worlds, st.booleans(), st.integers(1, 4), st.integers(1, 8), st.none() | st.integers(1, 3))
def test_the_number_of_workers_changes_nothing(world, racing, lookahead, n_iter, patience):
    rules = {"racing": racing, "lookahead": lookahead, "n_iter": n_iter, "patience": patience}
    found = []
    for n_workers in (1, 2, 7):
        loop = world.search(n_workers, **rules)
        loop.run()
        found.append((rows(loop), loop.stop_reason))
    assert found[0] == found[1] == found[2]


class Killed(Exception):
    """Stands for the death of the process."""


class Mortal:
    """Lets a search die after so many results, old ones included."""

    def __init__(self, n_results):
        self.left = np.inf if n_results is None else n_results

    def fold_ends(self, trial, fold):
        self.left -= 1
        if self.left < 0:
            raise Killed

    def trial_ends(self, trial, loop):
        return False


@settings(deadline=None)
@given(worlds, st.booleans(), st.lists(st.integers(0, 20), max_size=4), st.integers(1, 4))
def test_a_resumed_search_equals_the_uninterrupted_one(world, racing, kills, n_workers):
    rules = {"racing": racing, "n_iter": len(world.points)}
    whole = world.search(n_workers, **rules)
    whole.run()
    journal = Journal()
    for n_results in [*kills, None]:
        known = set(journal.folds)
        loop = world.search(n_workers, journal=journal, **rules)
        loop.watcher = Mortal(n_results)
        world.begun.clear()
        try:
            loop.run()
        except Killed:
            pass
        # What a journal holds is not done again.
        keys = {trial.proposal.point["x"]: trial.key for trial in loop.trials}
        assert not {(keys[x], fold) for x, fold in world.begun} & known
    assert rows(loop) == rows(whole) and loop.stop_reason == whole.stop_reason


@settings(deadline=None)
@given(worlds, st.integers(1, 4), st.floats(0.5, 60), st.floats(0, 30), st.booleans())
def test_the_search_and_what_is_kept_for_its_end_fit_the_budget(
    world, n_workers, seconds, kept, racing
):
    clock = FakeClock(1000.0)
    budget = Budget(seconds, clock(), clock)
    world = World(world.outcomes, world.seconds, n_points=500)
    loop = world.search(n_workers, budget=budget, kept=kept, racing=racing, lookahead=None)
    loop.run()
    used = clock() - budget.began
    assert used <= seconds + 1e-6
    if loop.best_trial is not None:
        # A deadline that moves when the first model is there may already be over.
        ended = budget.began + loop.best_trial.begun + loop.best_trial.elapsed
        assert clock() <= max(budget.deadline(kept), ended) + 1e-6
    if loop.stop_reason == "time_budget":
        assert all(trial.status for trial in loop.trials)
        cut = [trial for trial in loop.trials if trial.status == "unfinished"]
        assert len(cut) <= n_workers
    # The end of the budget is nobody's timeout.
    assert "timeout" not in {trial.status for trial in loop.trials}


@settings(deadline=None)
@given(worlds, st.floats(0.05, 10), st.integers(1, 3))
def test_a_limit_of_a_candidate_is_its_own_fault(world, limit, n_workers):
    loop = world.search(n_workers, fold_seconds=limit, n_iter=len(world.points))
    for trial in loop.run():
        x = trial.proposal.point["x"]
        seconds = [world.seconds[(x * N_FOLDS + f) % len(world.seconds)] for f in range(N_FOLDS)]
        if max(seconds) <= limit and not set(world.outcomes[x]) & set(FAULTS):
            assert trial.status == "ok"
        if trial.status == "ok":
            assert max(seconds) <= limit
        if trial.status == "timeout":
            assert max(seconds[: len(trial.folds)]) > limit


def test_patience_counts_from_the_best():
    world = World([(0.9,) * 3, (0.1,) * 3], [1.0], n_points=50)
    world.outcomes = [(0.9,) * 3] + [(0.1,) * 3] * 49
    loop = world.search(patience=4, lookahead=1)
    loop.strategy = get_strategy("grid").start(loop.context)
    loop.run()
    assert loop.stop_reason == "patience" and len(loop.trials) == 5


def test_a_callback_stops_the_search():
    class Watcher:
        def fold_ends(self, trial, fold):
            return trial.number == 2

        def trial_ends(self, trial, loop):
            return False

    loop = World([(0.5,) * 3], [1.0], n_points=9).search()
    loop.watcher = Watcher()
    assert [trial.status for trial in loop.run()] == ["ok", "ok", "unfinished"]
    assert loop.stop_reason == "callback"


def test_ctrl_c_keeps_what_is_done_and_is_passed_on_where_nothing_is():
    world = World([(0.5,) * 3], [1.0], n_points=9)
    for n_done in (0, 4):
        loop = world.search()
        take, left = loop.executor.next, [n_done]

        def interrupted(timeout=None, take=take, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return take(timeout)

        loop.executor.next = interrupted
        if n_done:
            assert [trial.status for trial in loop.run()] == ["ok", "unfinished"]
            assert loop.stop_reason == "interrupted"
        else:
            with pytest.raises(KeyboardInterrupt):
                loop.run()


def test_error_score_raise_raises_what_the_worker_met():
    for fault, error in [
        ("timeout", TimeoutError),
        ("memory", MemoryError),
        ("died", RuntimeError),
    ]:
        world = World([(fault,) * 3], [2.0 if fault == "timeout" else 1.0])
        loop = world.search(error_score="raise", fold_seconds=1.0)
        with pytest.raises(error):
            loop.run()


def test_where_no_candidate_is_finished_the_folds_that_are_count():
    clock = FakeClock()
    budget = Budget(2.5, clock(), clock)
    world = World([(0.2, 0.4, 0.9)], [1.0], n_points=3)
    loop = world.search(budget=budget, kept=0.0, lookahead=None)
    trial = loop.run()[0]
    assert trial.status == "unfinished" and trial.estimate == pytest.approx(0.3)
    assert loop.best_trial is None


@pytest.mark.parametrize("lookahead", [12, None, 1])
def test_a_slow_candidate_does_not_hold_up_the_others(lookahead):
    world = World([(0.5,) * 3] * 9, [5.0] * 3 + [1.0] * 24)
    loop = world.search(n_workers=2, lookahead=lookahead)
    loop.strategy = get_strategy("grid").start(loop.context)
    loop.run()
    # The slow one has 15 seconds of work, the others 24: two workers need 19.5.
    if lookahead == 1:
        assert loop.clock() > 24
    else:
        assert loop.clock() <= 21
