"""Lists made before the search begins: greedy portfolio, mean ranks, nearest datasets."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from ._alike import rank_shares, task_weights
from ._past_performance import PoolStrategy, TransferStrategy

__all__ = ["AverageRank", "NearestDatasets", "Portfolio"]


@dataclass
class Portfolio(PoolStrategy):
    """Walk down a list built greedily: each next candidate is the one that adds most.

    The gain of a candidate is the mean over past tasks of how far it lowers the regret of the best
    candidate tried so far; it is monotone and submodular, so the greedy list is within 1 - 1/e of
    the best list of each length. With a budget in seconds the gain per second decides. A candidate
    that failed on the task at hand does not count as tried.

    Parameters
    ----------
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
    likeness : float, default=0.0
        How much more past tasks with similar meta-features count: their weight in the mean is
        exp(-likeness * d^2), where d is the distance in a linear map of the meta-features
        regressed on loss profiles, scaled so that the mean of d^2 is 1.

    References
    ----------
    F. Pfisterer, J. van Rijn, P. Probst, A. Müller, B. Bischl. Learning multiple defaults for
    machine learning algorithms. GECCO companion, 2021.
    D. Salinas, N. Erickson. TabRepo. AutoML conference, 2024.
    """

    likeness: float = 0.0

    def prepare(self):
        context = self.context
        self._weights = task_weights(self.matrix, context.past, context.metafeatures, self.likeness)
        self._mean = self._weights @ self.matrix.regret

    def utility(self):
        regret = self.matrix.regret
        counted = self.record.tried.copy()
        for outcome in self.record.results.values():
            if outcome.failed and outcome.proposal.candidate is not None:
                counted &= self.record.first != self.record.first[outcome.proposal.candidate]
        current = regret[:, counted].min(axis=1, initial=1.0)
        gain = self._weights @ np.maximum(current[:, None] - regret, 0.0)
        # Where nothing more can be gained, the better candidate comes first.
        utility = (gain + 1e-6 * (1.0 - self._mean)) * self.discount
        return utility, lambda candidate: {"reason": "portfolio"}


@dataclass
class AverageRank(TransferStrategy):
    """Walk down the candidates by their mean rank over the past tasks (A3R).

    On each past task the candidates are ranked by their success divided by their time to a small
    power; success is the share of the way from the dummy's score to the best one. The list is
    fixed: results on the task at hand do not change it, and near copies follow each other.

    Parameters
    ----------
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
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


@dataclass
class NearestDatasets(TransferStrategy):
    """Try the best candidate of each of the nearest past tasks, nearest first.

    The distance is the mean absolute difference of the meta-features, each one replaced by its
    rank among the past tasks, over those defined for both tasks. When the best candidates of all
    neighbours were tried, their second best follow, and so on. Without meta-features the
    candidates come in the order of their mean regret. Time is not taken into account.

    Parameters
    ----------
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
    n_neighbors : int, default=25
        Past tasks whose best candidates are tried.

    References
    ----------
    M. Feurer, J. Springenberg, F. Hutter. Initializing Bayesian hyperparameter optimization via
    meta-learning. AAAI 2015.
    """

    n_neighbors: int = 25

    def prepare(self):
        regret, known = self.matrix.regret, self.matrix.known
        distance = self._distances()
        self._owner = None
        if distance is None:
            self._utility = -regret.mean(axis=0)
            return
        nearest = np.argsort(distance, kind="stable")[: self.n_neighbors]
        # Of candidates equally good on a neighbour the one that is better on average comes first.
        order = regret[nearest] + 1e-6 * regret.mean(axis=0)
        order[:, ~known] = np.inf
        ranks = np.argsort(np.argsort(order, axis=1, kind="stable"), axis=1)
        turn = ranks * len(nearest) + np.arange(len(nearest))[:, None]
        self._utility = -turn.min(axis=0).astype(float)
        self._owner = nearest[turn.argmin(axis=0)]

    def _distances(self):
        """Distance of the task at hand to each past task kept, None where nothing is known."""
        table, own = rank_shares(self.context.past, self.context.metafeatures, self.matrix.rows)
        gap = np.abs(table - own)
        counted = np.isfinite(gap).sum(axis=1)
        if not counted.any():
            return None
        # A task with few meta-features says little about how near it is: it is drawn to 1/3,
        # the expected difference of two ranks.
        return (np.nansum(gap, axis=1) + 1.0) / (counted + 3.0)

    def utility(self):
        def details(candidate):
            if self._owner is None:
                return {"reason": "best on average (no meta-features)"}
            return {"reason": f"neighbour of {self.matrix.tasks[self._owner[candidate]]}"}

        return self._utility, details
