"""Active greedy: a greedy portfolio over the past tasks that agree with the results seen."""

from dataclasses import dataclass

import numpy as np

from ._active_testing import ActiveTesting

__all__ = ["ActiveGreedy"]


@dataclass
class ActiveGreedy(ActiveTesting):
    """Active testing with the gain counted over all results, not over the incumbent alone.

    On each past task a new candidate must beat the best of all candidates tried, so that near
    copies of what was tried gain nothing: a greedy portfolio that adapts to the task.
    """

    def _reference(self, indices, scores, waiting):
        regret = self.matrix.regret
        tried = np.concatenate([indices, waiting])
        return regret[:, tried].min(axis=1, initial=1.0)
