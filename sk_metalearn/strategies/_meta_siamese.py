"""Siamese: a learned metric between datasets, for retrieval before there are results."""

from dataclasses import dataclass

import numpy as np

from ._active_testing import Concordance
from ._likeness import metafeature_table
from ._meta_attention import AttentionChoice
from ._meta_matching import matching_logits

__all__ = ["Siamese"]


@dataclass
class Siamese(AttentionChoice):
    """Past tasks near the task at hand in a learned embedding of the meta-features.

    Twin maps take the meta-features of two datasets to points whose distance is small if the
    same candidates do well on both. Before there are results this distance alone weighs the past
    tasks; results weigh them by concordance, and the distance counts as much as meta-training
    found it worth. (The maps are linear and regressed on loss profiles: trained on by the
    contrastive loss, they retrieve worse; see the benchmark of retrieval.)

    References
    ----------
    J. Kim, S. Kim, S. Choi. Learning to warm-start Bayesian hyperparameter optimization.
    arXiv:1710.06219, 2017.
    """

    method = "siamese"

    @classmethod
    def initial_params(cls, rng, n_metafeatures):
        read = {"read": np.array([[1.5, 0.0], [0.0, 0.0]], dtype=np.float32)}
        return read | {"linear": np.eye(n_metafeatures, dtype=np.float32)}

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
            self._distance = (((table - own) @ self.params["linear"]) ** 2).sum(axis=1)

    def evidence(self, indices, scores):
        agreement = np.sqrt(len(indices)) * self._concordance.update(indices, scores)
        return {"evidence": np.column_stack([agreement, -self._distance])}

    @classmethod
    def attend(cls, params, state):
        return matching_logits(params, state["level"], state["evidence"])
