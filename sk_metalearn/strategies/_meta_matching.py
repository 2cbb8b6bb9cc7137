"""Matching: active testing whose constants were learned across searches."""

from dataclasses import dataclass

import numpy as np

from ._active_testing import Concordance
from ._likeness import metafeature_table
from ._meta_attention import AttentionChoice, correlations

__all__ = ["Evidence", "Matching", "matching_logits"]


class Evidence:
    """How well each past task matches the task at hand, by three measures.

    Parameters
    ----------
    matrix : PastMatrix
    context : Context
    """

    def __init__(self, matrix, context):
        self.normal, self.concordance = matrix.normal, Concordance(matrix.regret)
        table, own = metafeature_table(context.past, context.metafeatures, matrix.rows)
        self.distance = ((table - own) ** 2).mean(axis=1) if len(own) else np.zeros(len(table))

    def __call__(self, indices, scores):
        """Concordance, correlation and nearness of each past task, of shape (n_tasks, 3)."""
        root = np.sqrt(len(indices))
        agreement = self.concordance.update(indices, scores)
        likeness = correlations(self.normal[:, indices], scores)
        return np.column_stack([root * agreement, root * likeness, -self.distance])


def matching_logits(params, level, evidence):
    """Logits of past tasks: evidence times what each measure counts at this number of results."""
    return (evidence * (level @ params["read"])[..., None, :]).sum(-1)


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
        self._evidence = Evidence(self.matrix, self.context)

    def evidence(self, indices, scores):
        return {"evidence": self._evidence(indices, scores)}

    @classmethod
    def attend(cls, params, state):
        return matching_logits(params, state["level"], state["evidence"])
