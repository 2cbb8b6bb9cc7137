"""Nearest datasets: what was best on the past tasks that look most alike."""

from dataclasses import dataclass

import numpy as np

from ._transfer import TransferStrategy

__all__ = ["NearestDatasets"]


@dataclass
class NearestDatasets(TransferStrategy):
    """Try the best candidate of each of the nearest past tasks, nearest first.

    The distance is the mean absolute difference of the meta-features, each one replaced by its
    rank among the past tasks, over those defined for both tasks. When the best candidates of all
    neighbours were tried, their second best follow, and so on. Without meta-features the
    candidates come in the order of their mean regret. Time is not taken into account.

    Parameters
    ----------
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
        past, own = self.context.past, self.context.metafeatures
        if past.metafeatures is None or not past.metafeature_names or not own:
            return None
        names = past.metafeature_names
        own = np.array([own.get(name, np.nan) for name in names], dtype=float)
        table = np.asarray(past.metafeatures, dtype=float)[self.matrix.rows]
        table = np.where(np.isfinite(table), table, np.nan)
        columns = np.flatnonzero(np.isfinite(own) & np.isfinite(table).any(axis=0))
        gap = np.full((len(table), len(columns)), np.nan)
        for place, column in enumerate(columns):
            values = table[:, column]
            there = np.isfinite(values)
            gap[there, place] = np.abs(_share(values[there]) - _share(values[there], own[column]))
        counted = np.isfinite(gap).sum(axis=1)
        if not counted.any():
            return None
        total = np.where(np.isfinite(gap), gap, 0.0).sum(axis=1)
        # A task with few meta-features says little about how near it is: it is drawn to 1/3,
        # the expected difference of two ranks.
        return (total + 1.0) / (counted + 3.0)

    def utility(self):
        def details(candidate):
            if self._owner is None:
                return {"reason": "best on average (no meta-features)"}
            return {"reason": f"neighbour of {self.matrix.tasks[self._owner[candidate]]}"}

        return self._utility, details


def _share(values, points=None):
    """Share of `values` below each of `points` (by default the values), ties counted half."""
    ordered = np.sort(values)
    points = values if points is None else points
    below = np.searchsorted(ordered, points, "left") + np.searchsorted(ordered, points, "right")
    return below / (2.0 * len(ordered))
