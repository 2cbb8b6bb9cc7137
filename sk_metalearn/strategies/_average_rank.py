"""Average ranking of the candidates over the past tasks, with time."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from ._transfer import TransferStrategy

__all__ = ["AverageRank"]


@dataclass
class AverageRank(TransferStrategy):
    """Walk down the candidates by their mean rank over the past tasks (A3R).

    On each past task the candidates are ranked by their success divided by their time to a small
    power; success is the share of the way from the dummy's score to the best one. The list is
    fixed: results on the task at hand do not change it, and near copies follow each other.

    Parameters
    ----------
    time_exponent : float, optional
        Power of the time. By default 1/16 if the budget is in seconds, and 0, plain average
        ranking, otherwise.

    References
    ----------
    S. M. Abdulrahman, P. Brazdil, J. van Rijn, J. Vanschoren. Speeding up algorithm selection
    using average ranking and active testing by introducing runtime. Machine Learning 107, 2018.
    """

    time_exponent: float | None = None

    def prepare(self):
        exponent = self.time_exponent
        if exponent is None:
            exponent = 0.0 if self.context.seconds is None else 1 / 16
        # Candidates at the level of the dummy still differ by their time.
        success = 1.0 - self.matrix.regret + 1e-3
        ratio = success / self._times() ** exponent if exponent else success
        known = self.matrix.known
        self._rank = np.full(len(known), np.inf)
        self._rank[known] = rankdata(-ratio[:, known], axis=1).mean(axis=0)

    def _times(self):
        """Seconds on each past task relative to its median; the candidate's own where unknown."""
        relative = np.broadcast_to(self.matrix.seconds, self.matrix.regret.shape)
        if self.context.past.seconds is None:
            return relative
        seconds = np.asarray(self.context.past.seconds, dtype=float)[self.matrix.rows]
        there = np.isfinite(seconds) & (seconds > 0)
        typical = np.ones((len(seconds), 1))
        some = there.any(axis=1)
        typical[some, 0] = np.nanmedian(np.where(there, seconds, np.nan)[some], axis=1)
        return np.where(there, seconds / typical, relative)

    def utility(self):
        return -self._rank, lambda candidate: {"reason": "average rank"}
