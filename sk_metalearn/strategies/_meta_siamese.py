"""Siamese: a learned metric between datasets, for retrieval before there are results."""

from dataclasses import dataclass

import numpy as np

from ..metalearners._backend import namespace
from ..metalearners._embedding import embed, init_embedding
from ._active_testing import Concordance
from ._meta_attention import AttentionChoice, metafeature_table
from ._meta_matching import matching_logits

__all__ = ["Siamese", "contrastive_loss"]


def contrastive_loss(first, second, different, margin=1.0):
    """Pull alike pairs together, push others at least `margin` apart.

    ``mean((1 - y) d^2 + y max(0, m - d)^2)`` with the Euclidean distance d of the embeddings.

    Parameters
    ----------
    first, second : array of shape (n_pairs, n_components)
    different : array of shape (n_pairs,)
        1 for a pair that is not alike, else 0.
    margin : float, default=1.0

    Returns
    -------
    scalar
    """
    xp = namespace(first)
    squares = ((first - second) ** 2).sum(-1)
    gap = xp.clip(margin - xp.sqrt(squares + 1e-8), 0.0, None)
    return ((1 - different) * squares + different * gap**2).mean()


@dataclass
class Siamese(AttentionChoice):
    """Past tasks near the task at hand in a learned embedding of the meta-features.

    Twin networks map the meta-features of two datasets to points whose distance is small if the
    same candidates do well on both, learned by the contrastive loss. Before there are results
    this distance alone weighs the past tasks; results weigh them by concordance, and the
    distance counts as much as meta-training found it worth.

    References
    ----------
    J. Kim, S. Kim, S. Choi. Learning to warm-start Bayesian hyperparameter optimization.
    arXiv:1710.06219, 2017.
    """

    method = "siamese"

    @classmethod
    def initial_params(cls, rng, n_metafeatures):
        read = {"read": np.array([[1.5, 0.0], [0.0, 0.0]], dtype=np.float32)}
        return read | init_embedding(rng, n_metafeatures, (16,), None)

    def prepare(self):
        super().prepare()
        self._concordance = Concordance(self.matrix.regret)
        table, own = metafeature_table(
            self.context.past, self.context.metafeatures, self.matrix.rows
        )
        if table.shape[1] != len(self.params["linear"]):
            table, own = np.zeros((len(table), 0)), np.zeros(0)
        self._distance = np.zeros(len(table))
        if len(own):
            gap = embed(self.params, table) - embed(self.params, own[None])
            self._distance = (gap**2).sum(axis=1)

    def evidence(self, indices, scores):
        agreement = np.sqrt(len(indices)) * self._concordance.update(indices, scores)
        return {"evidence": np.column_stack([agreement, -self._distance])}

    @classmethod
    def attend(cls, params, state):
        return matching_logits(params, state["level"], state["evidence"])
