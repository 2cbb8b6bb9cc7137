"""Few-shot learners as surrogates: support is what was evaluated, queries are the rest."""

import os
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.base import clone

from ..exceptions import SpaceError
from ..metalearners import MAMLRegressor, MetaWeights, OuterLoop, ReptileRegressor, SNAILRegressor
from ..spaces import Encoder, catalogue_space
from ._learned_choice import find_weights
from ._learned_prior import PriorSurrogate

__all__ = ["FewShotSurrogate", "MAML", "Reptile", "SNAIL"]

_MOST_HALVINGS = 20


@dataclass
class FewShotSurrogate(PriorSurrogate):
    """Expected improvement under a few-shot learner that was meta-trained on past tasks.

    A past task is a few-shot task: hyperparameters are its inputs; its targets say by how much its
    normal scores differ from the average of the tasks. Meta-training fits the weights to one
    space of hyperparameters; where they do not fit, the search goes on without them, as `cold`
    does, and says "(no weights)".

    Parameters
    ----------
    weights : MetaWeights, str, path-like or None, default="bundled"
        What meta-training learned: that on the bundled knowledge, a file, or None for none.
    """

    weights: MetaWeights | str | os.PathLike | None = "bundled"

    method = None

    @staticmethod
    def learner(n_candidates):
        """Make the few-shot learner as it is meta-trained."""
        raise NotImplementedError

    def prepare(self):
        found = find_weights(self.weights, self.method, self.context.kind)
        if found is None or not self._fits(found):
            self.matrix = None
            return
        learner = self.learner(len(self.context.candidates))
        own = learner.method, learner.kind, found.n_features
        self._learner = learner.set_params(weights=MetaWeights(*own, found.params, found.scaling))
        super().prepare()

    def _fits(self, found):
        """Whether the weights were learned on hyperparameters encoded as here."""
        if self.encoder.space.fingerprint == found.about["space"]:
            return True
        whole = catalogue_space(self.context.kind)
        if whole.fingerprint != found.about["space"]:
            return False
        try:
            whole.encode(self.context.candidates)
        except (SpaceError, KeyError):
            return False
        self._encoder = Encoder(self.context.candidates, whole)
        return True

    def learn_prior(self, rows, normal):
        self._past = rows, normal.mean(axis=0), normal.std(axis=0)

    def expect(self, rows):
        """Mean and standard deviation over the past tasks, those of the nearest candidate."""
        known, mean, deviation = self._past
        nearest = cdist(rows, known).argmin(axis=1)
        return mean[nearest], deviation[nearest]

    def posterior(self, rows, values):
        fitted = self._adapt(rows, values - self.expect(rows)[0])

        def predict(rows):
            more, deviation = fitted.predict(rows, return_std=True)
            return self.expect(rows)[0] + more, np.maximum(deviation, 1e-3)

        return predict

    def _adapt(self, rows, values):
        """Fit the learner; with smaller steps where those it was meta-trained for diverge."""
        learner = clone(self._learner)
        if "inner_learning_rate" not in learner.get_params():
            return learner.fit(rows, values)
        for _ in range(_MOST_HALVINGS):
            with suppress(FloatingPointError), np.errstate(over="ignore", invalid="ignore"):
                error = learner.fit(rows, values).predict(rows) - values
                if (error**2).mean() <= 4 * (1 + (values**2).mean()):
                    return learner
            learner.set_params(inner_learning_rate=learner.inner_learning_rate / 2)
        return learner.fit(rows, values)

    def propose(self):
        proposal = super().propose()
        if proposal is None or self.matrix is not None or self.context.past is None:
            return proposal
        return replace(proposal, reason=proposal.reason.replace("(no past)", "(no weights)"))


@dataclass
class MAML(FewShotSurrogate):
    """A perceptron whose initial weights were learned by MAML, adapted to the results seen.

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
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
    weights : MetaWeights, str, path-like or None, default="bundled"
        What meta-training learned: that on the bundled knowledge, a file, or None for none.

    References
    ----------
    C. Finn, P. Abbeel, S. Levine. Model-agnostic meta-learning for fast adaptation of deep
    networks. ICML 2017.
    """

    method = "maml"

    @staticmethod
    def learner(n_candidates):
        return MAMLRegressor(
            (32, 32),
            inner_learning_rate=0.05,
            n_steps=3,
            n_adapt_steps=10,
            n_shots=_shots(n_candidates),
            n_query=12,
            standardize=False,  # hyperparameters are encoded in [0, 1]
            outer=OuterLoop(max_iter=1500, learning_rate=3e-3, validation_interval=250),
        )


@dataclass
class Reptile(FewShotSurrogate):
    """A perceptron whose initial weights were learned by Reptile, adapted to the results seen.

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
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
    weights : MetaWeights, str, path-like or None, default="bundled"
        What meta-training learned: that on the bundled knowledge, a file, or None for none.

    References
    ----------
    A. Nichol, J. Achiam, J. Schulman. On first-order meta-learning algorithms.
    arXiv:1803.02999, 2018.
    Y. Wei, P. Zhao, J. Huang. Meta-learning hyperparameter performance prediction with neural
    processes. ICML 2021.
    """

    method = "reptile"

    @staticmethod
    def learner(n_candidates):
        return ReptileRegressor(
            (32, 32),
            inner_learning_rate=0.02,
            n_steps=10,
            n_adapt_steps=30,
            n_shots=_shots(n_candidates),
            n_query=12,
            standardize=False,  # hyperparameters are encoded in [0, 1]
            outer=OuterLoop(
                max_iter=4000,
                batch_size=5,
                optimizer="sgd",
                learning_rate=0.5,
                validation_interval=250,
            ),
        )


@dataclass
class SNAIL(FewShotSurrogate):
    """Causal attention and temporal convolutions over the sequence of configurations and scores.

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
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
    weights : MetaWeights, str, path-like or None, default="bundled"
        What meta-training learned: that on the bundled knowledge, a file, or None for none.

    References
    ----------
    N. Mishra, M. Rohaninejad, X. Chen, P. Abbeel. A simple neural attentive meta-learner.
    ICLR 2018.
    """

    method = "snail"

    @staticmethod
    def learner(n_candidates):
        return SNAILRegressor(
            24,
            n_filters=8,
            n_shots=_shots(n_candidates),
            n_query=12,
            standardize=False,  # hyperparameters are encoded in [0, 1]
            outer=OuterLoop(max_iter=800, learning_rate=3e-3, validation_interval=100),
        )


def _shots(n_candidates):
    """Range of the support sizes to meta-train for."""
    return 1, int(min(30, max(1, n_candidates - 13)))
