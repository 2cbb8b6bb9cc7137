"""The default strategy: what it does first, per second, beyond the pool, and with a false past."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from _searches import family, past, pool_regret, random_pool_regret

from sk_metalearn.strategies import Auto, Portfolio, get_strategy
from sk_metalearn.strategies._alike import task_prior, task_weights
from sk_metalearn.strategies._past_performance import PastMatrix
from sk_metalearn.strategies.testing import simulate


def visited(strategy, n_evaluations, seed=1000, **changes):
    context = family().context(**{"past": past(), "seed": seed, **changes})
    return simulate(strategy, context, family().task(seed)[0], n_evaluations)[0]


def test_begins_with_the_portfolio_and_the_default_comes_early():
    first = [p.candidate for p in visited(Portfolio(likeness=1.0), 3)]
    assert [p.candidate for p in visited(Auto(), 3)] == first
    worst = int(np.argmin(past().scores.mean(axis=0)))
    proposals = visited(Auto(), 4, defaults=(worst,))
    assert worst in [p.candidate for p in proposals]
    assert [p.reason for p in proposals if p.candidate == worst] == ["default"]


def test_tasks_with_similar_metafeatures_count_more_in_the_portfolio():
    plain, alike = (pool_regret(partial(Portfolio, likeness=own), 1) for own in (0.0, 1.0))
    assert alike < 0.5 * plain
    matrix = PastMatrix(past())
    weights = task_weights(matrix, past(), family().task(1000)[1])
    assert weights.sum() == pytest.approx(1.0) and weights.max() > 2 * weights.min()
    for own in ({}, None, {"other": 1.0}):
        assert np.ptp(task_weights(matrix, past(), own)) == 0


def test_the_portfolio_is_shorter_where_the_past_is_predicted():
    spread = np.full(past().scores.shape, 0.1)
    for own, n_first in ((past(), 3), (replace(past(), spread=spread), 2)):
        reasons = [p.reason for p in visited(Auto(), 5, past=own)]
        assert reasons == ["portfolio"] * n_first + ["surrogate"] * (5 - n_first)


def test_one_very_poor_score_does_not_make_the_good_ones_look_alike():
    auto = get_strategy("auto").start(family().context(past=past()))
    indices, scores = np.arange(5), np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    values, _, _ = auto.to_normal(indices, scores)
    poorer, _, _ = auto.to_normal(indices, np.append(scores[:4], -1e6))
    assert poorer[0] - poorer[1] > 0.5 * (values[0] - values[1])
    assert np.all(np.diff(poorer) <= 0)


def test_quick_candidates_come_first_when_the_budget_is_in_seconds():
    times = np.where(np.arange(len(family().candidates)) % 2, 1.0, 60.0)
    slow = {"predicted_seconds": times}
    spent = [
        sum(times[p.candidate] for p in visited(Auto(), 8, seed, **slow, **budget))
        for budget in ({}, {"seconds": 300.0})
        for seed in range(1000, 1012)
    ]
    assert sum(spent[12:]) < 0.7 * sum(spent[:12])


def test_leaves_the_candidates_where_there_is_a_space():
    proposals = visited(Auto(n_pool=10), 30, open_space=True)
    outside = [p.number for p in proposals if p.candidate is None]
    assert len(outside) > 5 and min(outside) >= 10
    assert all(p.candidate is not None for p in visited(Auto(n_pool=10), 30))


def test_the_space_improves_on_the_candidates():
    better = 0
    for seed in range(1000, 1004):
        score = family().task(seed)[0]
        context = family().context(past=past(), seed=seed, open_space=True)
        _, scores = simulate(Auto(), context, score, 50)
        better += scores.max() > score(family().candidates).max()
    assert better >= 3


def test_metafeatures_that_tell_something_sharpen_the_prior():
    own = past()
    matrix = PastMatrix(own)
    plain = matrix.moments()
    mean, covariance = task_prior(matrix, own, family().task(1000)[1])
    assert np.trace(covariance) < 0.7 * np.trace(plain[1])
    score = family().task(1000)[0](family().candidates)
    assert np.corrcoef(mean, score)[0, 1] > np.corrcoef(plain[0], score)[0, 1]


def test_metafeatures_that_tell_nothing_change_nothing():
    own = past()
    noise = np.random.default_rng(0).normal(size=(30, 6))
    own = replace(own, metafeatures=noise, metafeature_names=tuple("abcdef"))
    matrix = PastMatrix(own)
    mean, covariance = task_prior(matrix, own, dict.fromkeys("abcdef", 0.5))
    plain = matrix.moments()
    np.testing.assert_allclose(mean, plain[0], atol=0.2)
    np.testing.assert_allclose(covariance, plain[1], atol=0.3)
    for nothing in (None, {}, {"other": 1.0}):
        np.testing.assert_array_equal(task_prior(matrix, own, nothing)[0], plain[0])


@pytest.mark.slow
def test_a_past_that_says_nothing_is_no_worse_than_random_search():
    """Every past task's scores are permuted on their own; 240 permutations."""
    rng, lost = np.random.default_rng(0), []
    for seed in range(1000, 1240):
        false = replace(past(), scores=rng.permuted(past().scores, axis=1))
        score = family().task(seed)[0]
        context = family().context(past=false, seed=seed)
        values = score(family().candidates)
        _, scores = simulate(Auto(), context, score, 10)
        best = np.maximum.accumulate(scores)
        chance = np.sort(values)[::-1]
        lost.append([_regret(values, best[k - 1]) - _expected(chance, k) for k in (5, 10)])
    lost = np.mean(lost, axis=0)  # with a standard error of about .02
    assert lost.max() <= 0.03, lost


def _regret(values, best):
    return (values.max() - best) / (values.max() - np.median(values))


def _expected(ordered, k):
    """Expected regret of the best of k values drawn without replacement."""
    n, chance, total = len(ordered), k / len(ordered), 0.0
    for place in range(n - k + 1):
        total += chance * _regret(ordered, ordered[place])
        if place < n - k:
            chance *= (n - k - place) / (n - 1 - place)
    return total


def test_saves_evaluations():
    assert pool_regret(Auto, 5) < random_pool_regret(15)
