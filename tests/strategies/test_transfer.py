"""Strategies with a past: fewer evaluations than random search."""

import numpy as np
import pytest
from _searches import pool_regret, random_pool_regret

from sk_metalearn.strategies import (
    STRATEGIES,
    Context,
    Outcome,
    PastPerformance,
    Portfolio,
    get_strategy,
)

QUICK = {"ablr": {"max_iter": 40}, "copula_prior": {"max_iter": 80}, "rgpe": {"n_samples": 50}}
# Shares of random search's regret after 8 of 60 candidates that must not be exceeded.
SHARES = {
    "auto": 0.35,
    "portfolio": 0.6,
    "active_testing": 0.6,
    "active_greedy": 0.6,
    "transfer_mvn": 0.35,
    "low_rank": 0.35,
    "tst": 0.6,
    "rgpe": 0.6,
    "taf": 0.6,
    "ablr": 0.6,
    "copula_prior": 0.6,
    "average_rank": 0.9,
    "nearest": 0.6,
}


# The others do not go where these go; they run with the slow tests.
IN_FRONT = {"auto", "portfolio", "nearest", "rgpe", "transfer_mvn"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[] if n in IN_FRONT else pytest.mark.slow) for n in sorted(SHARES)],
)
def test_less_regret_than_random_search_with_a_past(name):
    seeds = range(1000, 1006) if name in QUICK else range(1000, 1012)
    regret = pool_regret(lambda: get_strategy(name, **QUICK.get(name, {})), 8, seeds)
    assert regret < SHARES[name] * random_pool_regret(8)


def test_every_strategy_with_a_past_is_tested_here():
    cold = {"random", "quasi_random", "grid", "gp", "forest", "neural", "evolution", "gradient"}
    learned = {"matching", "prototypical", "maml", "reptile", "siamese", "memory", "meta_network"}
    assert set(STRATEGIES) - cold - learned - {"snail"} <= set(SHARES)


def test_a_portfolio_does_not_count_what_failed_nor_its_twins():
    scores = np.array([[1.0, 0.0, 0.9, 1.0], [0.0, 1.0, 0.9, 0.0], [1.0, 0.5, 0.0, 1.0]])
    first = []
    for places in ([0, 1, 2], [0, 1, 2, 0]):
        candidates = [{"a": place} for place in places]
        past = PastPerformance(scores=scores[:, : len(places)], baseline=np.zeros(3))
        strategy = Portfolio().start(Context(candidates=candidates, past=past))
        (failed,) = strategy.ask(1)
        strategy.tell([Outcome(failed, np.nan)])
        first.append([failed.point, *(own.point for own in strategy.ask(2))])
    assert first[0][0] == {"a": 0}
    assert first[0] == first[1]
