"""Memory: the past as slots that are read by content and evicted when little used."""

from dataclasses import dataclass

import numpy as np

from ..metalearners._backend import namespace, sigmoid, softmax
from ._meta_attention import AttentionChoice, correlations

__all__ = ["Memory"]


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
