"""Siamese: a learned metric between datasets, for retrieval before there are results."""

from dataclasses import dataclass

import numpy as np

from ._active_testing import Concordance
from ._meta_attention import AttentionChoice, metafeature_table
from ._meta_matching import matching_logits

__all__ = ["Siamese", "profile_embedding"]


def profile_embedding(table, normal, penalty=10.0):
    """Linear map of meta-features by which datasets with like loss profiles are near.

    Ridge regression predicts the standardised loss profile of a dataset. The map puts the
    prediction beside the meta-features themselves, which know datasets that are near in ways the
    profiles of a few hundred datasets cannot teach; either has half of the mean squared distance.

    Parameters
    ----------
    table : ndarray of shape (n_tasks, n_metafeatures)
        Standardised meta-features.
    normal : ndarray of shape (n_tasks, n_candidates)
        Normal scores.
    penalty : float, default=10.0
        Of the ridge regression.

    Returns
    -------
    ndarray of shape (n_metafeatures, n_components)
        Scaled so that the mean squared distance of two datasets is 1.
    """
    profiles = normal - normal.mean(axis=1, keepdims=True)
    profiles = profiles / np.maximum(np.linalg.norm(profiles, axis=1, keepdims=True), 1e-12)
    identity = np.eye(table.shape[1])
    target = table.T @ (profiles - profiles.mean(axis=0))
    left, strength, _ = np.linalg.svd(np.linalg.solve(table.T @ table + penalty * identity, target))
    n_components = len(strength)
    parts = []
    for part in (identity, left[:, :n_components] * strength):
        spread = np.sqrt(4.0 * (table @ part).var(axis=0).sum())
        parts.append(part / max(spread, 1e-12))
    return np.hstack(parts).astype(np.float32)


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
