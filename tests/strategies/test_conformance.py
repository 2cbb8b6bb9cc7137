"""Every registered strategy keeps the contract, and the checks notice those that do not."""

import copy
from dataclasses import dataclass, fields

import numpy as np
import pytest

from sk_metalearn.exceptions import StrategyError
from sk_metalearn.strategies import (
    IN_FRONT,
    STRATEGIES,
    GaussianProcess,
    Strategy,
    get_strategy,
    testing,
)
from sk_metalearn.strategies._lookup import strategy_class

# The contract does not depend on how hard a surrogate works.
QUICK = {
    "n_draws": 10,
    "n_incumbents": 2,
    "n_neighbors": 4,
    "n_estimators": 5,
    "n_networks": 2,
    "n_steps": 3,
    "n_samples": 20,
    "max_iter": 8,
    "hidden_layer_sizes": (4,),
    "widths": (6, 4),
}
COLD = GaussianProcess(n_draws=10, n_incumbents=2, n_neighbors=4)


def quick(name):
    """Make a strategy with little work to do, as far as it has such options."""
    options = {field.name for field in fields(strategy_class(name))}
    chosen = {option: value for option, value in QUICK.items() if option in options}
    if "cold" in options:
        chosen["cold"] = copy.deepcopy(COLD)
    return get_strategy(name, **chosen)


@pytest.mark.parametrize("check", testing.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    "name",
    [
        own if own in IN_FRONT else pytest.param(own, marks=pytest.mark.slow)
        for own in sorted(STRATEGIES)
    ],
)
def test_contract(name, check):
    check(lambda: quick(name))


@dataclass
class Repeats(Strategy):
    """Proposes the same candidate again and again."""

    def propose(self):
        return self.make(candidate=0) if len(self.context.candidates) else None


@dataclass
class Global(Strategy):
    """Draws from the global random numbers."""

    def propose(self):
        untried = self.untried
        return self.make(candidate=np.random.choice(untried)) if len(untried) else None


@dataclass
class Stops(Strategy):
    """Ends before all candidates were proposed."""

    def propose(self):
        untried = self.untried
        return self.make(candidate=untried[0]) if len(untried) > 2 else None


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (Repeats, testing.check_every_candidate_once),
        (Repeats, testing.check_pending),
        (Global, testing.check_no_global_randomness),
        (Global, testing.check_replay),
        (Stops, testing.check_every_candidate_once),
    ],
)
def test_checks_notice_a_broken_strategy(broken, check):
    with pytest.raises(AssertionError):
        check(broken)


def test_unknown_names_and_options_are_refused():
    with pytest.raises(StrategyError, match="Unknown strategy 'nope'"):
        get_strategy("nope")
    with pytest.raises(StrategyError, match="no option"):
        get_strategy("forest", trees=3)
