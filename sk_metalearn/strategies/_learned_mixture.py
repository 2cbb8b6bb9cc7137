"""A network that sets noise, trust and mixture of the hand-made choices."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from ..metalearners import init_mlp, mlp, softmax, softplus
from ._acquisition import log_expected_improvement
from ._covariance import Posterior
from ._learned_attention import Evidence, Matching, matching_logits
from ._learned_choice import LearnedChoice, expected_gain, level
from ._past_performance import put_on_scale

__all__ = ["MetaNetwork"]

NOISES = (0.01, 0.3)


TEMPERATURES = (0.0, 1.5, 4.0)


_N_EXPERTS = 2 * len(NOISES) + len(TEMPERATURES) + 1


_N_UNITS = 12


@dataclass
class MetaNetwork(LearnedChoice):
    """A network reads how well the past explains the results and weighs the ways to go on.

    The ways are expected improvement and mean of the transfer normal at two levels of noise, and
    the gain of active greedy at three temperatures and with the attention that `Matching` learned:
    together the settings that are otherwise made by hand. What the meta network reads is their
    loss on the support set, the candidates evaluated: errors of the normal when each result is
    predicted from the others, concordance with the past tasks, and the number of results. What it
    emits are fast weights, those of a linear rating of the candidates by the logarithms of their
    places in each way's order.

    Parameters
    ----------
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
    weights : MetaWeights, str, path-like or None, default="bundled"
        What meta-training learned: that on the bundled knowledge, a file, or None for the
        hand-made rule from which meta-training starts.

    References
    ----------
    T. Munkhdalai, H. Yu. Meta networks. ICML 2017.
    """

    method = "meta_network"

    @classmethod
    def initial_params(cls, rng, n_metafeatures):
        params = init_mlp(rng, [7, _N_UNITS, _N_EXPERTS])
        params["W1"] *= 0.1
        # At first the mixture that was made by hand: expected improvement and active greedy.
        start = np.full(_N_EXPERTS, -4.0, dtype=np.float32)
        start[[0, 2 * len(NOISES) + 1]] = 0.5
        return params | {"b1": start, **Matching.initial_params(rng, n_metafeatures)}

    def prepare(self):
        super().prepare()
        self._mean, self._covariance = self.matrix.moments()
        self._posteriors = [Posterior(self._mean, self._covariance, noise) for noise in NOISES]
        self._evidence = Evidence(self.matrix, self.context)

    def describe(self):
        indices, scores, waiting = self.observed()
        deviation = np.sqrt(np.diag(self._covariance)[indices])
        values, _, _ = put_on_scale(scores, self._mean[indices], deviation)
        evidence = self._evidence(indices, scores)
        ways = list(self._from_tasks(indices, waiting, evidence))
        if len(indices):
            ways = [*self._from_normal(indices, values, waiting), *ways]
        else:  # before the first result the normal has nothing to say that a portfolio has not
            ways = ways[:1] * (2 * len(NOISES)) + ways
        allowed = ~self.record.tried & self.matrix.known
        return {
            "places": np.column_stack([_log_places(way, allowed) for way in ways]),
            "summary": self._summary(indices, values, evidence),
        }

    def _from_normal(self, indices, values, waiting):
        """Expected improvement and mean under each noise."""
        for posterior in self._posteriors:
            posterior.follow([*indices.tolist(), *waiting.tolist()])
            mean = posterior.given(values)
            yield log_expected_improvement(mean, np.sqrt(posterior.variance), values.max())
            yield mean

    def _from_tasks(self, indices, waiting, evidence):
        """Gain over all that was tried, at each temperature and with learned attention."""
        regret = self.matrix.regret
        current = regret[:, np.concatenate([indices, waiting])].min(axis=1, initial=1.0)
        logits = [temperature * evidence[:, 0] for temperature in TEMPERATURES]
        logits.append(matching_logits(self.params, level(len(indices)), evidence))
        return expected_gain(softmax(np.array(logits)), current, regret)

    def _summary(self, indices, values, evidence):
        """How well the past explains the results: what the network reads."""
        agreement = evidence[:, 0] / np.sqrt(max(len(indices), 1))
        error, order = 1.0, 0.0
        if len(values) > 1:
            error, order = self._left_out(indices, values)
        size = np.log1p(len(values))
        return np.array(
            [
                size / 3.0,
                np.clip(np.log(error + 1e-3), -3.0, 3.0),
                order,
                agreement.mean(),
                agreement.max(),
                agreement.std(),
                np.exp(-size),
            ]
        )

    def _left_out(self, indices, values):
        """Mean squared standardised error, and correlation, of each result given the others."""
        covariance = self._covariance[np.ix_(indices, indices)] + NOISES[0] * np.eye(len(indices))
        factor = cho_factor(covariance, lower=True)
        inverse = cho_solve(factor, np.eye(len(indices)))
        residual = (inverse @ (values - self._mean[indices])) / np.diag(inverse)
        error = float((residual**2 * np.diag(inverse)).mean())
        predicted = values - residual
        spread = predicted.std() * values.std()
        if spread < 1e-12:
            return error, 0.0
        product = (predicted - predicted.mean()) * (values - values.mean())
        return error, float(product.mean() / spread)

    @staticmethod
    def rate(params, state):
        fast = softplus(mlp(params, state["summary"][..., None, :]))
        return (state["places"] * fast).sum(-1)

    def reason(self, candidate):
        return "surrogate" if len(self.record.results) > 1 else "portfolio"


def _log_places(ratings, allowed):
    """Minus the logarithm of the place of each candidate among those allowed; 0 is the best."""
    places = np.full(len(ratings), float(np.count_nonzero(allowed) + 1))
    order = np.flatnonzero(allowed)[np.argsort(-ratings[allowed], kind="stable")]
    places[order] = np.arange(1, len(order) + 1)
    return -np.log(places)
