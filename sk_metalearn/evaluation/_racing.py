"""Racing: to stop a candidate on its first folds when it can hardly win any more."""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtr

__all__ = ["Race", "Standard"]


@dataclass(frozen=True)
class Standard:
    """What a candidate has to beat.

    Parameters
    ----------
    scores : ndarray of shape (n_folds,)
        Of the best candidate known when this one was proposed.
    spread : float
        Standard deviation, over folds, of the difference between two candidates.
    """

    scores: np.ndarray
    spread: float


@dataclass
class Race:
    """Decides fold by fold; candidates are compared on the same folds.

    The difference to the best candidate known is taken as normal over folds, with a spread pooled
    over all earlier candidates. A candidate is stopped when the probability that its mean over
    all folds will be the better one falls below `least_chance`.

    Parameters
    ----------
    n_folds : int
    least_chance : float, default=0.05

    References
    ----------
    M. Birattari, T. Stuetzle, L. Paquete, K. Varrentrapp. A racing algorithm for configuring
    metaheuristics. GECCO 2002.
    """

    n_folds: int
    least_chance: float = 0.05
    _best: np.ndarray | None = None
    _variances: list = field(default_factory=list)

    def add(self, scores):
        """Take in a candidate that was evaluated on all folds.

        Parameters
        ----------
        scores : ndarray of shape (n_folds,)
        """
        if not np.isfinite(scores).all():
            return
        if self._best is not None and self.n_folds > 1:
            self._variances.append(np.var(scores - self._best, ddof=1))
        if self._best is None or scores.mean() > self._best.mean():
            self._best = scores

    def standard(self):
        """Give what the next candidate has to beat; None while too little is known."""
        if not self._variances:
            return None
        return Standard(self._best, float(np.sqrt(np.mean(self._variances))))

    def chance(self, standard, scores):
        """Give the probability that a candidate beats the standard on the mean of all folds.

        Parameters
        ----------
        standard : Standard
        scores : sequence of float
            Of the candidate on its first folds.

        Returns
        -------
        float
        """
        done = len(scores)
        scores = np.asarray(scores, dtype=float)
        if not np.isfinite(scores).all():
            return 0.0
        lead = np.mean(scores - standard.scores[:done])
        left = self.n_folds - done
        if left == 0:
            return float(lead > 0)
        error = left / self.n_folds * standard.spread * np.sqrt(1 / done + 1 / left)
        return float(ndtr(lead / error)) if error > 0 else float(lead > 0)

    def lost(self, standard, scores):
        """Tell whether a candidate can be stopped after its first folds."""
        return standard is not None and self.chance(standard, scores) < self.least_chance

    @staticmethod
    def estimate(standard, scores):
        """Give the mean over all folds expected of a candidate that was stopped."""
        scores = np.asarray(scores, dtype=float)
        return float(standard.scores.mean() + np.mean(scores - standard.scores[: len(scores)]))
