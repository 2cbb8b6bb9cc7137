"""How past tasks order the results, against counting all pairs."""

from itertools import combinations

import numpy as np
import pytest

from sk_metalearn.strategies._active_testing import Concordance
from sk_metalearn.strategies._task_models import Discordance

PAST = np.random.RandomState(0).uniform(size=(4, 9))
# With ties, which say nothing of an order.
SCORES = np.array([0.3, 0.7, 0.3, 0.9, 0.1, 0.7, 0.5, 0.2, 0.3])


def concordance(indices, scores):
    agreed, weight = np.zeros(len(PAST)), 0.0
    for i, j in combinations(range(len(indices)), 2):
        difference = scores[i] - scores[j]
        # The past says regret, where less is better.
        agreed += np.sign(PAST[:, indices[j]] - PAST[:, indices[i]]) * difference
        weight += abs(difference)
    return agreed / weight if weight else agreed


def discordance(indices, scores):
    pairs = [p for p in combinations(range(len(indices)), 2) if scores[p[0]] != scores[p[1]]]
    other = [
        (PAST[:, indices[i]] > PAST[:, indices[j]]) != (scores[i] > scores[j]) for i, j in pairs
    ]
    return np.mean(other, axis=0) if pairs else np.zeros(len(PAST))


@pytest.mark.parametrize("kind, by_hand", [(Concordance, concordance), (Discordance, discordance)])
def test_all_pairs_count_once(kind, by_hand):
    order = np.array([4, 0, 2, 8, 7, 3, 1, 5, 6])
    measure = kind(PAST)
    for n in (0, 1, 2, 3, 6, 9):
        found = measure.update(order[:n], SCORES[order[:n]])
        np.testing.assert_allclose(found, by_hand(order[:n], SCORES[order[:n]]))
    # A result that is corrected counts as it is now.
    corrected = SCORES[order] - (order == 3)
    np.testing.assert_allclose(measure.update(order, corrected), by_hand(order, corrected))
