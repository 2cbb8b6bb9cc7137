"""Attention over past tasks: what the learned retrievals share."""

import numpy as np

from ..metalearners._backend import namespace, relu, softmax
from ._meta_base import LearnedChoice

__all__ = ["AttentionChoice", "correlations", "expected_gain", "level"]


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
    reference : array of shape (..., n_tasks)
        Smallest regret among what was tried.
    regret : array of shape (..., n_tasks, n_candidates)

    Returns
    -------
    array of shape (..., n_candidates)
    """
    weights = weights[..., None, :]
    gain = (weights @ relu(reference[..., None] - regret))[..., 0, :]
    # Where nothing gains any more, what is good on average comes first.
    left = 1.0 - (weights @ regret)[..., 0, :]
    return namespace(gain).log(gain + 1e-6 * left + 1e-12)
