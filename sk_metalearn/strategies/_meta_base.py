"""Base of the strategies whose rule of choice was learned across searches of past tasks."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..exceptions import StrategyError
from ..metalearners import MetaWeights
from ._transfer import TransferStrategy

__all__ = ["LearnedChoice", "find_weights", "weights_path"]

_DATA = Path(__file__).parents[1] / "metalearners" / "data"


def weights_path(method, kind, folder=_DATA):
    """Path of the weights of a method that were meta-trained on the bundled knowledge."""
    return Path(folder) / f"search_{method}_{kind}.npz"


def find_weights(weights, method, kind):
    """Give the weights asked for.

    Parameters
    ----------
    weights : MetaWeights, str, path-like or None
        ``"bundled"`` for those that come with the package (None if there are none), the path of
        others, weights themselves, or None.
    method : str
    kind : {"classification", "regression"}

    Returns
    -------
    MetaWeights or None

    Raises
    ------
    StrategyError
        If the weights belong to another method.
    """
    if isinstance(weights, str) and weights == "bundled":
        path = weights_path(method, kind)
        weights = path if path.exists() else None
    if isinstance(weights, str | os.PathLike):
        weights = MetaWeights.load(weights)
    if weights is not None and weights.method != f"search_{method}":
        raise StrategyError(
            f"The weights were learned by {weights.method!r}; the strategy {method!r} needs "
            f"weights of 'search_{method}', as `meta_train` gives them."
        )
    return weights


@dataclass
class LearnedChoice(TransferStrategy):
    """Describe the search so far in numbers; a learned rule rates the candidates from them.

    A subclass names itself in `method` and implements `initial_params` (the rule before anything
    was learned), `describe` and `rate`. The same `rate` is differentiated while meta-training and
    called on numpy arrays by `ask`.

    Parameters
    ----------
    weights : MetaWeights, str, path-like or None, default="bundled"
        What meta-training learned: that on the bundled knowledge, a file, or None for the
        hand-made rule from which meta-training starts.
    """

    weights: MetaWeights | str | os.PathLike | None = "bundled"

    method = None

    @classmethod
    def initial_params(cls, rng, n_metafeatures):
        """Weights of the hand-made rule.

        Parameters
        ----------
        rng : numpy.random.RandomState
        n_metafeatures : int

        Returns
        -------
        dict of str to ndarray
        """
        raise NotImplementedError

    def describe(self):
        """Describe the search so far.

        Returns
        -------
        dict of str to ndarray
            What `rate` needs.
        """
        raise NotImplementedError

    @staticmethod
    def rate(params, state):
        """Rate the candidates of a batch of searches.

        Parameters
        ----------
        params : dict of str to array
        state : dict of str to array
            As `describe` gives it, each with a leading axis for the searches.

        Returns
        -------
        array of shape (n_searches, n_candidates)
            On a logarithmic scale: a difference of 1 means e times better.
        """
        raise NotImplementedError

    def prepare(self):
        found = find_weights(self.weights, self.method, self.context.kind)
        if found is None:
            self.params = self.initial_params(np.random.RandomState(0), 0)
        else:
            self.params = found.params

    def utility(self):
        state = {name: np.asarray(value)[None] for name, value in self.describe().items()}
        rating = self.rate(self.params, state)[0]

        def details(candidate):
            return {"reason": self.reason(candidate)}

        return rating + np.log(self.discount), details

    def reason(self, candidate):
        """Say why a candidate is proposed."""
        return "learned choice"
