"""Base of the strategies that fit a model of score against hyperparameters as they go."""

from dataclasses import dataclass

import numpy as np

from ..exceptions import SpaceError
from ..spaces import Encoder, point_key
from ._acquisition import log_expected_improvement
from ._sampling import QuasiRandom, draw_new
from ._strategy import Strategy

__all__ = ["SurrogateStrategy"]


@dataclass
class SurrogateStrategy(Strategy):
    """Fit a surrogate to the results and propose where it expects most improvement.

    A subclass implements `fit`. The search begins with the candidates named as defaults and a
    space-filling design. Then the acquisition is maximised over the untried candidates and, if
    there is a space, over random points and over neighbours of the best points found.

    Parameters
    ----------
    n_initial : int, default=5
        Evaluations before the surrogate is used.
    n_draws : int, default=200
        Random points of the space among which the acquisition is maximised.
    n_incumbents : int, default=5
        Best points found whose neighbours are looked at.
    n_neighbors : int, default=20
        Neighbours looked at for each of them.
    """

    n_initial: int = 5
    n_draws: int = 200
    n_incumbents: int = 5
    n_neighbors: int = 20

    def begin(self):
        self._encoder = None
        self._design = QuasiRandom().join(self)

    def fit(self, rows, values):
        """Fit the surrogate.

        Parameters
        ----------
        rows : ndarray of shape (n_observed, n_columns)
            Encoded points with results.
        values : ndarray of shape (n_observed,)
            Scores with mean 0 and standard deviation 1.

        Returns
        -------
        callable
            ``predict(rows)`` gives mean and standard deviation.
        """
        raise NotImplementedError

    @property
    def encoder(self):
        if self._encoder is None:
            self._encoder = Encoder(self.context.candidates, self.context.space)
        return self._encoder

    @property
    def candidate_keys(self):
        """Keys of the candidates: a point of the space must not be the twin of one."""
        return self.record.index.keys()

    def propose(self):
        for default in self.context.defaults:
            if not self.record.tried[default]:
                return self.make(candidate=default, reason="default")
        n_seen = len(self.record.results) + len(self.record.waiting)
        outcomes, scores = self.record.scores()
        if n_seen < self.n_initial or len(scores) < 2:
            return self._design.propose()
        rows, scores = self._observed_rows(outcomes, scores)
        if len(scores) < 2:
            return self._design.propose()
        return self._maximise(rows, scores)

    def _observed_rows(self, outcomes, scores):
        """Encode what was observed, without results from outside the space."""
        proposals = [outcome.proposal for outcome in outcomes]
        kept = [i for i, proposal in enumerate(proposals) if self._has_row(proposal)]
        return self._rows(proposals[i] for i in kept), scores[kept]

    def _has_row(self, proposal):
        return proposal.candidate is not None or self.encoder.holds(proposal.point)

    def _rows(self, proposals):
        return np.array(
            [
                self.encoder([own.point])[0]
                if own.candidate is None
                else self.encoder.candidates[own.candidate]
                for own in proposals
            ]
        )

    def _maximise(self, rows, scores):
        centre, scale = scores.mean(), scores.std() or 1.0
        values = (scores - centre) / scale
        waiting = self._rows(own for own in self.record.waiting if self._has_row(own))
        predict = self.fit(rows, values)
        if len(waiting):
            # What is pending is taken to give what is expected of it.
            expected = predict(waiting)[0]
            predict = self.refit(np.vstack([rows, waiting]), np.concatenate([values, expected]))
        candidates = self.untried
        points = self._points()
        pieces = [self.encoder.candidates[candidates]] if len(candidates) else []
        if points:
            pieces.append(self.encoder(points))
        if not pieces:
            return None
        mean, deviation = predict(np.vstack(pieces))
        best = int(np.argmax(self.acquire(mean, deviation, values.max(), len(candidates))))
        details = {
            "reason": "surrogate",
            "expected": float(centre + scale * mean[best]),
            "spread": float(scale * deviation[best]),
        }
        if best < len(candidates):
            return self.make(candidate=candidates[best], **details)
        return self.make(point=points[best - len(candidates)], **details)

    def refit(self, rows, values):
        """Fit again with expected results of pending proposals; cheaper where it can be."""
        return self.fit(rows, values)

    def acquire(self, mean, deviation, best, n_candidates):
        """Rate the points; the first `n_candidates` of them are candidates."""
        return log_expected_improvement(mean, deviation, best)

    def _points(self):
        """Points of the space to rate: random ones and neighbours of the best, all of them new."""
        space = self.context.space
        if space is None:
            return []
        points = [space.sample(self.rng) for _ in range(self.n_draws)]
        best = sorted(
            (o for o in self.record.results.values() if not o.failed), key=lambda o: -o.score
        )
        for outcome in best[: self.n_incumbents]:
            for i in range(self.n_neighbors):
                scale = 0.2 * 0.5 ** (i % 3)
                try:
                    points.append(
                        space.neighbor(outcome.proposal.point, self.rng, scale, 1 + i % 2)
                    )
                except SpaceError:
                    break
        fresh, keys = [], self.record.keys | self.candidate_keys
        if self.encoder.space is not space:
            points = [point for point in points if self.encoder.holds(point)]
        for point in points:
            key = point_key(point)
            if key not in keys:
                keys.add(key)
                fresh.append(point)
        if not fresh and not len(self.untried):
            point = draw_new(self)
            return [] if point is None else [point]
        return fresh
