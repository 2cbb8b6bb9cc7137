"""What networks with an external memory share: addressing by content, reading examples in turn."""

from dataclasses import KW_ONLY
from numbers import Integral

from .._compat import Interval
from ._backend import namespace, normalize, softmax, transpose, zeros
from ._meta_learner import BaseMetaLearner, parameters
from ._networks import pad_labels
from ._outer_loop import OuterLoop


def content_weights(memory, keys, sharpness):
    """Address memory rows by cosine similarity.

    Parameters
    ----------
    memory : array of shape (..., n_slots, slot_size)
        A row for each slot.
    keys : array of shape (..., n_heads, slot_size)
        What each head looks for.
    sharpness : array of shape (..., n_heads, 1)
        Larger values read fewer slots.

    Returns
    -------
    array of shape (..., n_heads, n_slots)
        Non-negative, each row sums to 1.
    """
    return softmax(sharpness * (normalize(keys) @ transpose(normalize(memory))))


@parameters
class MemoryLearner(BaseMetaLearner):
    """A recurrent network with an external memory that sees each label one step late.

    The input of a step is an example and the label of the example before, so the network has to
    keep an example until its label arrives. A method writes `_start` (the state before the first
    step) and `_step`.
    """

    n_units: int = 64
    _: KW_ONLY
    n_slots: int = 64
    slot_size: int = 32

    _parameter_constraints = {
        "n_units": [Interval(Integral, 1, None, closed="left")],
        "n_slots": [Interval(Integral, 1, None, closed="left")],
        "slot_size": [Interval(Integral, 1, None, closed="left")],
    }

    def _default_outer(self):
        return OuterLoop(
            max_iter=1000 if self.kind == "regression" else 400,
            batch_size=32,
            learning_rate=3e-3,
            n_validation_episodes=64,
            validation_interval=50,
        )

    def _n_slots(self, params):
        return params["head_b0"].shape[0]

    def _read_examples(self, params, X, Y):
        """Predict each example of a sequence from those before it; return the last state too."""
        state, outputs = self._start(params, X), []
        label = zeros(Y[..., 0, :].shape, like=X)
        for t in range(X.shape[-2]):
            output, state = self._step(params, self._input(params, X[..., t, :], label), state)
            label = Y[..., t, :]
            outputs.append(self._head(output, Y.shape[-1]))
        return namespace(X).stack(outputs, -2), state

    def _input(self, params, x, label):
        width = 1 if self.kind == "regression" else self._n_slots(params)
        return namespace(x).concatenate([x, pad_labels(label, width)], -1)

    def _adapt(self, params, X, Y):
        _, state = self._read_examples(params, X, Y)
        return {"memory": state, "label": Y[..., -1, :]}

    def _query(self, params, state, X):
        """Take one more step for each query, from the state after the support examples."""
        label, *memory = (
            part[:, None] + zeros((X.shape[1], *[1] * (part.ndim - 1)), like=X)
            for part in (state["label"], *state["memory"])
        )
        output, _ = self._step(params, self._input(params, X, label), memory)
        return self._head(output, label.shape[-1])

    def _episode_loss(self, params, X_support, Y_support, X_query, Y_query, rng):
        """Loss of all predictions along a shuffled sequence of all examples."""
        xp = namespace(X_support)
        X = xp.concatenate([X_support, X_query], -2)
        Y = xp.concatenate([Y_support, Y_query], -2)
        order = rng.permutation(X.shape[-2])
        outputs, _ = self._read_examples(params, X[:, order], Y[:, order])
        return self._loss(outputs, Y[:, order])
