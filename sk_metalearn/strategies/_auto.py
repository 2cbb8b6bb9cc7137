"""The default strategy: knowledge first, then what the results themselves say."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from ._active_greedy import ActiveGreedy
from ._transfer_mvn import TransferMVN

__all__ = ["Auto"]


@dataclass
class Auto(TransferMVN):
    """What measures best: portfolio, then a mixture of surrogate and retrieval, then the space.

    Parameters
    ----------
    n_portfolio : int, default=3
        Evaluations before the surrogate has a say.
    n_pool : int, default=30
        Evaluations after which points outside the candidates are tried too.
    """

    n_portfolio: int = 3
    n_pool: int = 30

    def prepare(self):
        super().prepare()
        self._greedy = ActiveGreedy(cost_exponent=self.cost_exponent).join(self)

    def propose(self):
        n_done = len(self.record.results) + len(self.record.waiting)
        if self.matrix is not None and n_done >= 1:
            for default in self.context.defaults[:2]:
                if not self.record.tried[default] and n_done < 4:
                    return self.make(candidate=default, reason="default")
        outside = self.context.space is not None and self.matrix is not None
        if outside and n_done >= self.n_pool and n_done % 2:
            proposal = self.fallback.propose()
            if proposal is not None:
                return proposal
        return super().propose()

    def utility(self):
        greedy, about_greedy = self._greedy.utility()
        n_done = len(self.record.results) + len(self.record.waiting)
        if n_done < self.n_portfolio:
            return greedy, about_greedy
        surrogate, about_surrogate = super().utility()
        allowed = np.flatnonzero(~self.record.tried & self.matrix.known)
        ranks = np.full(len(greedy), -np.inf)
        ranks[allowed] = rankdata(greedy[allowed]) + rankdata(surrogate[allowed])
        return ranks, about_surrogate
