"""Base of the strategies whose rule of choice was learned across searches of past tasks."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..exceptions import StrategyError
from ..metalearners import MetaWeights, namespace, relu, softmax
from ._past_performance import TransferStrategy

__all__ = [
    "AttentionChoice",
    "LearnedChoice",
    "correlations",
    "expected_gain",
    "find_weights",
    "level",
    "weights_path",
]

_DATA = Path(__file__).parents[1] / "metalearners" / "data"


def weights_path(method, kind, folder=_DATA):
    """Path of the weights of a method that were meta-trained on the bundled knowledge."""
    return Path(folder) / f"search_{method}_{kind}.npz"


def find_weights(weights, method, kind):
    """Return the weights asked for.

    Parameters
    ----------
    weights : MetaWeights, str, path-like or None
        ``"bundled"`` for those that come with the package (None if there are none), the path of
        others, weights themselves, or None.
    method : str
        Name of the strategy.
    kind : {"classification", "regression"}
        Kind of the task.

    Returns
    -------
    MetaWeights or None
        None where there are none.

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
            Source of randomness.
        n_metafeatures : int
            Number of meta-features that the past tasks have.

        Returns
        -------
        dict of str to ndarray
            The weights by name.
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
            The weights.
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


def level(n_observed):
    """Constant and logarithm of the number of results: what learned constants may depend on."""
    return np.array([1.0, np.log1p(n_observed)])


def correlations(matrix, scores):
    """Correlation of scores with each row of a matrix; 0 where either does not vary."""
    if len(scores) < 2:
        return np.zeros(len(matrix))
    own = scores - scores.mean()
    rows = matrix - matrix.mean(axis=1, keepdims=True)
    size = np.sqrt((own**2).sum() * (rows**2).sum(axis=1))
    return np.divide(rows @ own, size, out=np.zeros(len(rows)), where=size > 1e-12)


class AttentionChoice(LearnedChoice):
    """Weigh past tasks by learned attention; propose what gains most over all that was tried.

    The gain of a candidate on a past task is what it takes off the smallest regret among the
    candidates tried, as in active greedy. A subclass describes the past tasks in `evidence` and
    reads logits from it.
    """

    def describe(self):
        indices, scores, waiting = self.observed()
        regret = self.matrix.regret
        tried = np.concatenate([indices, waiting])
        return {
            "level": level(len(indices)),
            "regret": regret,
            "reference": regret[:, tried].min(axis=1, initial=1.0),
            **self.evidence(indices, scores),
        }

    def evidence(self, indices, scores):
        """Describe how each past task compares with the task at hand, as arrays by name."""
        raise NotImplementedError

    @classmethod
    def attend(cls, params, state):
        """Logits of the past tasks, of shape (n_searches, n_tasks)."""
        raise NotImplementedError

    @classmethod
    def read(cls, params, state):
        """Weights of the past tasks, of shape (n_searches, n_tasks)."""
        logits = cls.attend(params, state)
        return softmax(logits + state["mask"] if "mask" in state else logits)

    @classmethod
    def rate(cls, params, state):
        return expected_gain(cls.read(params, state), state["reference"], state["regret"])

    def reason(self, candidate):
        if len(self.record.results) < 2:
            return "portfolio"
        state = {name: np.asarray(value)[None] for name, value in self.describe().items()}
        nearest = int(np.argmax(self.read(self.params, state)))
        return f"neighbour of {self.matrix.tasks[nearest]}"


def expected_gain(weights, reference, regret):
    """Logarithm of the mean gain of each candidate over what was tried.

    Parameters
    ----------
    weights : array of shape (..., n_tasks)
        Of the past tasks, summing to 1.
    reference : array of shape (..., n_tasks)
        Smallest regret among what was tried.
    regret : array of shape (..., n_tasks, n_candidates)
        Of each candidate on each past task.

    Returns
    -------
    array of shape (..., n_candidates)
        A difference of 1 means e times more gain.
    """
    weights = weights[..., None, :]
    gain = (weights @ relu(reference[..., None] - regret))[..., 0, :]
    # Where nothing gains any more, what is good on average comes first.
    left = 1.0 - (weights @ regret)[..., 0, :]
    return namespace(gain).log(gain + 1e-6 * left + 1e-12)
