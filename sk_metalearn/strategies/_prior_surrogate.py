"""Base of the surrogates that learn a prior over the hyperparameters from past tasks."""

from dataclasses import dataclass, replace

import numpy as np

from ._surrogate import SurrogateStrategy
from ._transfer import TransferStrategy, put_on_scale

__all__ = ["PriorSurrogate"]


@dataclass
class PriorSurrogate(TransferStrategy, SurrogateStrategy):
    """Fit a surrogate whose prior is a function of the hyperparameters learned from the past.

    Since the prior speaks about any point, candidates without a past are rated too, and so are
    points of the space once `n_initial` evaluations were made. A subclass implements `learn_prior`
    and `posterior`.
    """

    def begin(self):
        SurrogateStrategy.begin(self)
        TransferStrategy.begin(self)

    def prepare(self):
        rows = self.encoder.candidates
        self.learn_prior(rows[self.matrix.known], self.matrix.normal[:, self.matrix.known])
        self._prior = self.expect(rows)

    def learn_prior(self, rows, normal):
        """Learn from the past.

        Parameters
        ----------
        rows : ndarray of shape (n_known, n_columns)
            Encoded candidates that have a past.
        normal : ndarray of shape (n_tasks, n_known)
            Normal scores of the past tasks.
        """
        raise NotImplementedError

    def expect(self, rows):
        """Mean and standard deviation that the prior expects of points."""
        raise NotImplementedError

    def posterior(self, rows, values):
        """Fit to results on the scale of the normal scores; gives ``predict(rows)``."""
        raise NotImplementedError

    def propose(self):
        if self.matrix is None:
            return super().propose()
        outcomes, scores = self.record.scores()
        rows, scores = self._observed_rows(outcomes, scores)
        if len(scores) == 0 or scores.std() == 0:
            return self._first() or self._exhausted()
        return self._maximise(rows, scores) or self._exhausted()

    def _first(self):
        """Propose the untried candidate that the prior thinks best."""
        untried = self.untried
        if not len(untried):
            return None
        mean = self._prior[0] - self._prior[0].min()
        return self.make(
            candidate=untried[np.argmax((mean * self.discount)[untried])], reason="prior"
        )

    def _exhausted(self):
        proposal = self.fallback.propose()
        return proposal and replace(proposal, reason=f"{proposal.reason} (past used up)")

    def fit(self, rows, values):
        mean, deviation = self.expect(rows)
        # The values have mean 0 and standard deviation 1; the prior knows better what they are.
        values, centre, scale = put_on_scale(values, mean, deviation)
        predict = self.posterior(rows, values)

        def on_their_scale(rows):
            mean, deviation = predict(rows)
            return centre + scale * mean, scale * deviation

        return on_their_scale

    def acquire(self, mean, deviation, best, n_candidates):
        utility = super().acquire(mean, deviation, best, n_candidates)
        utility[:n_candidates] += np.log(self.discount[self.untried])
        return utility

    def _points(self):
        if len(self.record.results) < self.n_initial and len(self.untried):
            return []
        return super()._points()
