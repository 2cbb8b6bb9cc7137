"""Base of the strategies that choose among candidates by what past tasks say about them."""

from dataclasses import dataclass

import numpy as np

from ._base import Strategy
from ._past import PastMatrix

__all__ = ["PoolStrategy"]


@dataclass
class PoolStrategy(Strategy):
    """Choose among the candidates known from the past; without a past do what `cold` does.

    A subclass implements `prepare`, once `matrix` is known, and `utility`. When the known
    candidates are used up, or none is known, the strategy named by `cold` goes on.

    Parameters
    ----------
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
    """

    cold: str = "gp"
    cost_exponent: float | None = None

    def begin(self):
        self.matrix, self._fallback = None, None
        past = self.context.past
        if past is None:
            return
        matrix = PastMatrix(past)
        if matrix.useful:
            self.matrix = matrix
            self._discount = self._make_discount()
            self.prepare()

    def _make_discount(self):
        exponent = self.cost_exponent
        if exponent is None:
            exponent = 0.0 if self.context.seconds is None else 1.0
        if exponent == 0.0:
            return np.ones(len(self.matrix.known))
        times = self.context.predicted_seconds
        times = self.matrix.seconds if times is None else np.asarray(times, dtype=float)
        usable = np.isfinite(times) & (times > 0)
        if not usable.any():
            return np.ones(len(times))
        typical = np.median(times[usable])
        # Below a hundredth of a typical fit, what surrounds the fit is what takes the time.
        relative = np.where(usable, np.maximum(times / typical, 0.01), 1.0)
        return relative**-exponent

    def prepare(self):
        """Compute what does not depend on the results."""

    def utility(self):
        """Rate all candidates.

        Returns
        -------
        utility : ndarray of shape (n_candidates,)
            The untried candidate where it is largest is proposed. It is multiplied with
            `self.discount` by the subclass where it is a gain.
        details : callable
            ``details(candidate)`` gives the reason and the other fields of the proposal.
        """
        raise NotImplementedError

    @property
    def discount(self):
        """Factor of a gain for the time it costs."""
        return self._discount

    def observed(self):
        """Give the candidates with results, their scores, and those still waiting.

        Returns
        -------
        indices : ndarray of shape (n_observed,), dtype int
        scores : ndarray of shape (n_observed,)
        waiting : ndarray of shape (n_waiting,), dtype int
        """
        outcomes, scores = self.record.scores(only_candidates=True)
        indices = np.array([outcome.proposal.candidate for outcome in outcomes], dtype=int)
        waiting = [p.candidate for p in self.record.waiting if p.candidate is not None]
        return indices, scores, np.array(waiting, dtype=int)

    def propose(self):
        if self.matrix is not None:
            allowed = ~self.record.tried & self.matrix.known
            if allowed.any():
                utility, details = self.utility()
                candidate = int(np.argmax(np.where(allowed, utility, -np.inf)))
                return self.make(candidate=candidate, **details(candidate))
        return self.fallback.propose()

    def learn(self, outcomes):
        if self._fallback is not None:
            self._fallback.learn(outcomes)

    @property
    def fallback(self):
        """The strategy that goes on where the past says nothing."""
        if self._fallback is None:
            from ._registry import get_strategy

            self._fallback = get_strategy(self.cold).join(self)
        return self._fallback
