"""Few-shot learners as surrogates of a search."""

import numpy as np
import pytest
from _searches import family, past, pool_regret, random_pool_regret

from sk_metalearn.metalearners import OuterLoop
from sk_metalearn.strategies import get_strategy
from sk_metalearn.strategies import meta_training as training
from sk_metalearn.strategies.testing import simulate

SURROGATES = ("maml", "reptile", "snail")
SHORT = {"maml": 120, "reptile": 900}  # SNAIL needs a minute: benchmarks/metalearners_search.py


def learned(name, monkeypatch, max_iter, n_tasks=16):
    """Weights of a shortened meta-training."""
    if name != "reptile":
        pytest.importorskip("torch", reason="meta-training needs PyTorch")
    kind = training.METHODS[name]
    make = kind.learner
    outer = {"max_iter": max_iter, "validation_interval": max_iter // 3, "batch_size": 8}
    if name == "reptile":
        outer |= {"optimizer": "sgd", "learning_rate": 0.5}
    else:
        outer |= {"learning_rate": 3e-3}
    monkeypatch.setattr(
        kind, "learner", staticmethod(lambda n: make(n).set_params(outer=OuterLoop(**outer)))
    )
    known = family().past(n_tasks)
    groups = np.arange(n_tasks) // 2
    searches = training.PastSearches(known, groups, family().candidates, family().space)
    return training.meta_train(name, searches)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SHORT))
def test_less_regret_than_random_search_with_a_past(name, monkeypatch):
    weights = learned(name, monkeypatch, SHORT[name], 30)
    changes = {"space": family().space}

    def make():
        return get_strategy(name, weights=weights, n_initial=99)

    regret = pool_regret(make, 8, seeds=range(1000, 1004), **changes)
    assert regret < 0.7 * random_pool_regret(8)


@pytest.mark.parametrize("name", SURROGATES)
def test_points_outside_the_candidates_are_proposed(name, monkeypatch):
    weights = learned(name, monkeypatch, 12)
    strategy = get_strategy(name, weights=weights, n_initial=3, n_draws=100)
    score, _ = family().task(1000)
    context = family().context(past=past(), open_space=True)
    proposals, _ = simulate(strategy, context, score, 8)
    assert any(proposal.candidate is None for proposal in proposals)
    assert all(proposal.expected == proposal.expected for proposal in proposals[2:])


def test_an_adaptation_that_diverges_takes_smaller_steps(monkeypatch):
    weights = learned("reptile", monkeypatch, 12)
    make = training.METHODS["reptile"].learner
    steep = staticmethod(lambda n: make(n).set_params(inner_learning_rate=1e4))
    monkeypatch.setattr(training.METHODS["reptile"], "learner", steep)
    score, _ = family().task(1000)
    context = family().context(past=past(), space=family().space)
    proposals, _ = simulate(get_strategy("reptile", weights=weights), context, score, 8)
    assert len(proposals) == 8


@pytest.mark.parametrize("name", SURROGATES)
def test_where_no_weights_fit_the_search_goes_on_without(name, monkeypatch):
    score, _ = family().task(1000)
    unknown = get_strategy(name, weights=None)
    proposals, _ = simulate(unknown, family().context(past=past()), score, 3)
    assert all(proposal.reason.endswith("(no weights)") for proposal in proposals)
    # Learned for the whole space, but only candidates without it are given: encoded otherwise.
    weights = learned(name, monkeypatch, 12)
    bare = family().context(past=past(), space=None)
    proposals, _ = simulate(get_strategy(name, weights=weights), bare, score, 3)
    assert all(proposal.reason.endswith("(no weights)") for proposal in proposals)
