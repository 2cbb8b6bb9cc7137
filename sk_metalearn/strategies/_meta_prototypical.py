"""Prototypical: a few prototypes of how candidates compare, and a portfolio for each."""

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans

from ._meta_attention import AttentionChoice, correlations
from ._meta_matching import matching_logits
from ._transfer import put_on_scale

__all__ = ["Prototypical"]


@dataclass
class Prototypical(AttentionChoice):
    """Prototypes of past tasks, weighed by their distance to the results seen.

    Past tasks are clustered by the normal scores of all candidates; the mean of a cluster is its
    prototype. The results seen, on the same scale, are compared with each prototype as a
    prototypical network compares a query with class means; a prototype's weight is shared by
    its tasks, so that the proposal is a step of a portfolio for the prototypes that remain
    likely. The number of prototypes and what a distance counts are learned.

    References
    ----------
    J. Snell, K. Swersky, R. Zemel. Prototypical networks for few-shot learning. NeurIPS 2017.
    """

    method = "prototypical"

    @classmethod
    def initial_params(cls, rng, n_metafeatures):
        return {
            "read": np.array([[0.2, 1.0], [0.0, 0.0]], dtype=np.float32),
            "n_prototypes": np.array(8.0, dtype=np.float32),
        }

    def prepare(self):
        super().prepare()
        normal = self.matrix.normal
        # Half the members of a prototype are needed for its mean to mean something.
        n = int(np.clip(round(float(self.params["n_prototypes"])), 1, max(1, len(normal) // 2)))
        means = normal - normal.mean(axis=1, keepdims=True)
        n = min(n, len(np.unique(means, axis=0)))
        clusters = KMeans(n, n_init=2, random_state=0).fit(means)
        self._member, self._prototypes = clusters.labels_, clusters.cluster_centers_
        self._spread = normal.std(axis=0)

    def evidence(self, indices, scores):
        k, mean = len(indices), self.matrix.normal.mean(axis=0)[indices]
        values, _, _ = put_on_scale(scores, mean, self._spread[indices])
        prototypes = self._prototypes[:, indices]
        distance = ((prototypes - values) ** 2).sum(axis=1)
        fit = np.sqrt(k) * correlations(prototypes, scores)
        return {"evidence": np.column_stack([-distance, fit])[self._member]}

    @classmethod
    def attend(cls, params, state):
        return matching_logits(params, state["level"], state["evidence"])
