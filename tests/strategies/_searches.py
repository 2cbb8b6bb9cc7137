"""What the tests of single strategies share: best scores reached on families of tasks."""

from functools import lru_cache

import numpy as np

from sk_metalearn.strategies import Random
from sk_metalearn.strategies.testing import TaskFamily, make_space, simulate


@lru_cache(maxsize=1)
def family():
    return TaskFamily(make_space(), n_candidates=60)


@lru_cache(maxsize=1)
def past():
    return family().past(30)


def pool_regret(make, n_evaluations, seeds=range(1000, 1012), **changes):
    """Mean regret of the best of the first candidates, 0 the best of all and 1 the median one."""
    regrets = []
    for seed in seeds:
        score, _ = family().task(seed)
        context = family().context(**{"past": past(), "seed": seed, **changes})
        _, scores = simulate(make(), context, score, n_evaluations)
        values = score(family().candidates)
        regrets.append((values.max() - scores.max()) / (values.max() - np.median(values)))
    return float(np.mean(regrets))


@lru_cache
def random_pool_regret(n_evaluations):
    return pool_regret(Random, n_evaluations, seeds=range(1000, 1060))


@lru_cache(maxsize=1)
def draws():
    rng = np.random.default_rng(0)
    return [family().space.sample(rng) for _ in range(1000)]


def space_regret(make, n_evaluations, seeds=range(1000, 1006)):
    """Mean regret in the open space: 0 the best of 1000 random points, 1 their median."""
    regrets = []
    for seed in seeds:
        score, _ = family().task(seed)
        context = family().context(0, seed=seed, open_space=True, candidates=())
        _, scores = simulate(make(), context, score, n_evaluations)
        values = score(draws())
        regrets.append((values.max() - scores.max()) / (values.max() - np.median(values)))
    return float(np.mean(regrets))


@lru_cache
def random_space_regret(n_evaluations):
    return space_regret(Random, n_evaluations, seeds=range(1000, 1030))
