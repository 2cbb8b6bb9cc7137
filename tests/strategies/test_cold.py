"""Strategies without a past: in an open space they find more than random search does."""

import numpy as np
import pytest
from _searches import family, random_space_regret, space_regret

from sk_metalearn.spaces import Categorical, Float, Space
from sk_metalearn.strategies import (
    Context,
    Evolution,
    Forest,
    GaussianProcess,
    GradientSearch,
    NeuralNetwork,
    QuasiRandom,
    get_strategy,
)
from sk_metalearn.strategies.testing import simulate


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "share"),
    [
        (lambda: GaussianProcess(n_draws=60, n_incumbents=3, n_neighbors=8), 0.6),
        pytest.param(
            lambda: GaussianProcess(kernel="rbf", n_draws=60, n_incumbents=3, n_neighbors=8),
            0.6,
            marks=pytest.mark.slow,
        ),
        (lambda: GradientSearch(n_draws=60, n_incumbents=3, n_neighbors=8, n_steps=8), 0.6),
        pytest.param(
            lambda: Forest(n_estimators=10, n_draws=40, n_incumbents=3, n_neighbors=8),
            0.8,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda: NeuralNetwork(
                n_networks=2, max_iter=40, n_draws=60, n_incumbents=3, n_neighbors=8
            ),
            0.8,
            marks=pytest.mark.slow,
        ),
    ],
    ids=["gp", "gp-rbf", "gradient", "forest", "neural"],
)
def test_less_regret_than_random_search_in_a_space(make, share):
    assert space_regret(make, 25) < share * random_space_regret(25)


def test_quasi_random_points_fill_a_space_more_evenly():
    """The largest gap between values of a continuous parameter is smaller."""
    gaps = {}
    for name in ("random", "quasi_random"):
        widest = []
        for seed in range(8):
            context = family().context(0, seed=seed, open_space=True, candidates=())
            proposals, _ = simulate(get_strategy(name), context, family().task(0)[0], 64)
            shares = [p.point["share"] for p in proposals if "share" in p.point]
            widest.append(np.diff(np.sort(shares)).max())
        gaps[name] = np.mean(widest)
    assert gaps["quasi_random"] < gaps["random"]


def test_evolution_needs_more_evaluations_than_a_surrogate():
    assert space_regret(Evolution, 60, range(1000, 1012)) < 0.6 * random_space_regret(60)


@pytest.mark.slow
def test_quasi_random_is_no_worse_than_random():
    assert space_regret(QuasiRandom, 30, range(1000, 1030)) < 1.3 * random_space_regret(30)


def test_candidates_outside_the_space_do_not_end_a_surrogate():
    space = Space({"C": Float(0.1, 100.0, log=True), "kernel": Categorical(["rbf", "linear"])})
    rng = np.random.default_rng(0)
    candidates = [space.sample(rng) for _ in range(10)] + [{"C": 1000.0, "kernel": "rbf"}]
    context = Context(candidates=candidates, space=space, seed=0)
    proposals, _ = simulate(GaussianProcess(), context, lambda points: [p["C"] for p in points], 20)
    assert len(proposals) == 20
    assert any(proposal.candidate is None for proposal in proposals)


def test_grid_goes_in_order():
    context = family().context(0)
    proposals, _ = simulate(get_strategy("grid"), context, family().task(0)[0], 100)
    assert [p.candidate for p in proposals] == list(range(len(family().candidates)))
