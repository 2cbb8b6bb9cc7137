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


def random_pool_regret(n_evaluations):
    return pool_regret(Random, n_evaluations, seeds=range(1000, 1060))


def space_best(make, n_evaluations, seeds=range(1000, 1006)):
    """Mean of the best scores reached in the open space, without candidates or a past."""
    best = []
    for seed in seeds:
        score, _ = family().task(seed)
        context = family().context(0, seed=seed, open_space=True, candidates=())
        best.append(simulate(make(), context, score, n_evaluations)[1].max())
    return float(np.mean(best))


def random_space_best(n_evaluations):
    return space_best(Random, n_evaluations, seeds=range(1000, 1030))
