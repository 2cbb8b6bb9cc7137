"""Matching: active testing whose constants were learned across searches."""

from dataclasses import dataclass

import numpy as np

from ._active_testing import Concordance
from ._meta_attention import AttentionChoice, correlations, metafeature_table

__all__ = ["Matching"]


@dataclass
class Matching(AttentionChoice):
    """Attention over past tasks by how they match the results seen, with learned constants.

    The support set is the candidates evaluated; a past task is attended to by three measures of
    how well it matches: the concordance of its order with the results, their correlation on
    normal scores, and the distance of the meta-features. What each counts, and how that changes
    with the number of results, is learned: six numbers. Before learning this is active greedy.

    References
    ----------
    O. Vinyals, C. Blundell, T. Lillicrap, K. Kavukcuoglu, D. Wierstra. Matching networks for one
    shot learning. NeurIPS 2016.
    R. Leite, P. Brazdil, J. Vanschoren. Selecting classification algorithms with active testing.
    MLDM 2012.
    """

    method = "matching"

    @classmethod
    def initial_params(cls, rng, n_metafeatures):
        # Rows: constant and part that grows with log(1 + k). Columns: the measures of evidence.
        return {"read": np.array([[1.5, 0.0, 0.0], [0.0, 0.0, 0.0]], dtype=np.float32)}

    def prepare(self):
        super().prepare()
        self._concordance = Concordance(self.matrix.regret)
        table, own = metafeature_table(
            self.context.past, self.context.metafeatures, self.matrix.rows
        )
        distance = ((table - own) ** 2).mean(axis=1) if len(own) else np.zeros(len(table))
        self._distance = distance

    def evidence(self, indices, scores):
        root = np.sqrt(len(indices))
        return {
            "evidence": np.column_stack(
                [
                    root * self._concordance.update(indices, scores),
                    root * correlations(self.matrix.normal[:, indices], scores),
                    -self._distance,
                ]
            )
        }

    @classmethod
    def attend(cls, params, state):
        counts = state["level"] @ params["read"]
        return (state["evidence"] * counts[..., None, :]).sum(-1)
