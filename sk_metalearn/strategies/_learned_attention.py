"""Learned attention over past tasks: matching, metric, prototypes, memory."""

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans

from ..metalearners import namespace, sigmoid, softmax
from ._active_testing import Concordance
from ._alike import metafeature_table
from ._learned_choice import AttentionChoice, correlations
from ._past_performance import put_on_scale

__all__ = ["Evidence", "Matching", "Memory", "Prototypical", "Siamese", "matching_logits"]


class Evidence:
    """How well each past task matches the task at hand, by three measures.

    Parameters
    ----------
    matrix : PastMatrix
        The past tasks, cleaned.
    context : Context
        Of the search.
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

    Parameters
    ----------
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
    weights : MetaWeights, str, path-like or None, default="bundled"
        What meta-training learned: that on the bundled knowledge, a file, or None for the
        hand-made rule from which meta-training starts.

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


@dataclass
class Siamese(AttentionChoice):
    """Past tasks near the task at hand in a learned embedding of the meta-features.

    Twin maps take the meta-features of two datasets to points whose distance is small if the
    same candidates do well on both. Before there are results this distance alone weighs the past
    tasks; results weigh them by concordance, and the distance counts as much as meta-training
    found it worth. (The maps are linear and regressed on loss profiles: trained on by the
    contrastive loss, they retrieve worse; see the benchmark of retrieval.)

    Parameters
    ----------
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
    weights : MetaWeights, str, path-like or None, default="bundled"
        What meta-training learned: that on the bundled knowledge, a file, or None for the
        hand-made rule from which meta-training starts.

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


@dataclass
class Prototypical(AttentionChoice):
    """Prototypes of past tasks, weighed by their distance to the results seen.

    Past tasks are clustered by the normal scores of all candidates; the mean of a cluster is its
    prototype. The results seen, on the same scale, are compared with each prototype as a
    prototypical network compares a query with class means; a prototype's weight is shared by
    its tasks, so that the proposal is a step of a portfolio for the prototypes that remain
    likely. The number of prototypes and what a distance counts are learned.

    Parameters
    ----------
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
    weights : MetaWeights, str, path-like or None, default="bundled"
        What meta-training learned: that on the bundled knowledge, a file, or None for the
        hand-made rule from which meta-training starts.

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


@dataclass
class Memory(AttentionChoice):
    """An external memory of tasks with learned reads and least-used eviction.

    A slot holds the normal scores of one past task, those of the user's own earlier searches
    among them. The key is what was observed so far; slots are read by the cosine of key and
    content times a learned sharpness, as a neural Turing machine addresses by content, and a
    learned gate mixes in an even read of all slots. When there are more tasks than slots, those
    go that were least used: read least by the keys that the other tasks would have given.

    Parameters
    ----------
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
    weights : MetaWeights, str, path-like or None, default="bundled"
        What meta-training learned: that on the bundled knowledge, a file, or None for the
        hand-made rule from which meta-training starts.
    n_slots : int, default=256
        Past tasks kept.

    References
    ----------
    A. Graves, G. Wayne, I. Danihelka. Neural Turing machines. arXiv:1410.5401, 2014.
    A. Santoro, S. Bartunov, M. Botvinick, D. Wierstra, T. Lillicrap. Meta-learning with
    memory-augmented neural networks. ICML 2016.
    """

    n_slots: int = 256

    method = "memory"

    @classmethod
    def initial_params(cls, rng, n_metafeatures):
        return {
            "sharpness": np.array([1.0, 1.5], dtype=np.float32),
            "gate": np.array([-2.0, 0.0], dtype=np.float32),
        }

    def prepare(self):
        super().prepare()
        self._kept = self._most_used()

    def _most_used(self):
        """Mask of the slots that stay."""
        normal = self.matrix.normal
        if len(normal) <= self.n_slots:
            return np.ones(len(normal), dtype=bool)
        unit = normal - normal.mean(axis=1, keepdims=True)
        unit = unit / np.maximum(np.sqrt((unit**2).sum(axis=1, keepdims=True)), 1e-12)
        likeness = 10.0 * unit @ unit.T
        np.fill_diagonal(likeness, -np.inf)
        usage = softmax(likeness).sum(axis=0)
        kept = np.zeros(len(normal), dtype=bool)
        kept[np.argsort(-usage, kind="stable")[: self.n_slots]] = True
        return kept

    def evidence(self, indices, scores):
        return {
            "cosine": correlations(self.matrix.normal[:, indices], scores),
            "evicted": np.where(self._kept, 0.0, -1e9),
        }

    @classmethod
    def attend(cls, params, state):
        xp = namespace(state["cosine"])
        sharpness = xp.exp((state["level"] * params["sharpness"]).sum(-1)[..., None])
        # exp(sharpness) would overflow long before a cosine of 1 means more than one of 0.99.
        return xp.clip(sharpness, 0.0, 200.0) * state["cosine"] + state["evicted"]

    @classmethod
    def read(cls, params, state):
        sharp = super().read(params, state)
        even = softmax(state["evicted"] + state["mask"] if "mask" in state else state["evicted"])
        gate = sigmoid((state["level"] * params["gate"]).sum(-1)[..., None])
        return (1 - gate) * sharp + gate * even
