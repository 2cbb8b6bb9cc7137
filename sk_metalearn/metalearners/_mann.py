"""MANN: memory-augmented network that writes where memory was least recently used."""

from dataclasses import KW_ONLY
from numbers import Integral

import numpy as np

from .._compat import Interval
from ._backend import as_array_of, namespace, sigmoid, softplus, sort, transpose, zeros
from ._external_memory import MemoryLearner, content_weights
from ._meta_learner import FewShotClassifier, FewShotRegressor, parameters
from ._networks import init_dense, init_lstm, init_mlp, lstm, mlp

_USAGE_DECAY = 0.95
_FIRST_GATE, _FIRST_SHARPNESS, _FIRST_FORGET = -2.0, 10.0, -1.0


@parameters
class _MANN(MemoryLearner):
    """The method, for either kind of task."""

    method = "mann"

    _: KW_ONLY
    n_heads: int = 2

    _parameter_constraints = {
        "n_heads": [Interval(Integral, 1, None, closed="left")],
    }

    def _initial_params(self, rng, n_features, n_outputs):
        n_units, n_heads, size = self.n_units, self.n_heads, self.slot_size
        read_size = n_heads * size
        keys = init_dense(rng, n_units, read_size, gain=1.0)
        write = init_dense(rng, 2 * n_units, read_size, gain=1.0)
        # At first a quarter of a slot takes the label, and the rest is that by which the example
        # will be looked for.
        for_label = np.arange(read_size) % size < size // 4
        keys[:, for_label] = write[n_units:, for_label] = write[:n_units, ~for_label] = 0
        write[n_units:, ~for_label] = keys[:, ~for_label]
        lstm_params = init_lstm(rng, n_features + n_outputs + read_size, n_units)
        lstm_params["lstm_b"][n_units : 2 * n_units] = _FIRST_FORGET  # the past is in the memory
        focus = np.repeat(np.array([_FIRST_GATE, _FIRST_SHARPNESS], dtype=np.float32), n_heads)
        return {
            **lstm_params,
            "keys": keys,
            "write": write,
            "focus_W": 0.1 * init_dense(rng, n_units, 2 * n_heads, gain=1.0),
            "focus_b": focus,
            **init_mlp(rng, [n_units + read_size, self._n_head_outputs(n_outputs)], "head_"),
            "memory": np.full((self.n_slots, size), 1e-6, dtype=np.float32),
        }

    def _start(self, params, X):
        """Memory, read vectors, read weights, usage, hidden and cell state before any example."""
        n_tasks, (n_slots, size) = len(X), params["memory"].shape
        n_heads = (params["head_W0"].shape[0] - params["lstm_b"].shape[0] // 4) // size
        hidden = zeros((n_tasks, params["lstm_b"].shape[0] // 4), like=X)
        usage = 1e-6 * np.arange(n_slots, dtype=np.float32)  # no ties: slots are filled in turn
        return (
            params["memory"] + zeros((n_tasks, 1, 1), like=X),
            zeros((n_tasks, n_heads, size), like=X),
            zeros((n_tasks, n_heads, n_slots), like=X),
            as_array_of(usage, like=X) + zeros((n_tasks, 1), like=X),
            hidden,
            hidden,
        )

    def _step(self, params, x, state):
        xp = namespace(x)
        memory, read, read_weights, usage, before, cell = state
        n_heads, shape = read.shape[-2], read.shape
        flat = read.reshape(*shape[:-2], -1)
        hidden, cell = lstm(params, xp.concatenate([x, flat], -1), before, cell)
        keys = xp.tanh(hidden @ params["keys"]).reshape(shape)
        focus = (hidden @ params["focus_W"] + params["focus_b"])[..., None]
        gate, sharpness = sigmoid(focus[..., :n_heads, :]), softplus(focus[..., n_heads:, :])

        # Write: where was read last, or into a slot used least (one for each head), emptied before.
        written = xp.tanh(xp.concatenate([hidden, before], -1) @ params["write"]).reshape(shape)
        least_used = sort(usage)[..., :n_heads, None]
        least = (usage[..., None, :] == least_used) + zeros((1,), like=x)
        write_weights = gate * read_weights + (1 - gate) * least
        memory = memory * (1 - xp.amax(least, -2))[..., None]
        memory = memory + transpose(write_weights) @ written

        read_weights = content_weights(memory, keys, sharpness)
        read = read_weights @ memory
        usage = _USAGE_DECAY * usage + (read_weights + write_weights).sum(-2)
        flat = read.reshape(*shape[:-2], -1)
        output = mlp(params, xp.concatenate([hidden, flat], -1)[..., None, :], "head_")
        return output[..., 0, :], (memory, read, read_weights, usage, hidden, cell)


@parameters
class MANNClassifier(FewShotClassifier, _MANN):
    """Memory-augmented neural network, for classification.

    The support examples are read one after another, the label of each a step late, by a controller
    that reads its memory by content and writes to the slot it read last or to the one it used
    least recently. The outer loop learns the weights on whole sequences, in which every example is
    predicted before its label is shown; the inner loop fills the memory. (The paper writes the
    keys themselves. Here what is written comes from the controller at this step and at the one
    before, so that an example and its label share a slot; each head has a slot of its own to write
    to and learns how sharply it reads.)

    Without meta-training this is a sharp attention over the standardised support examples.

    Parameters
    ----------
    n_units : int, default=64
        Units of the LSTM controller.
    n_slots : int, default=64
        Rows of the memory.
    slot_size : int, default=32
        Width of the memory.
    n_heads : int, default=2
        Heads that read and write.
    n_way : int, default=5
        Classes of an episode. Training with more classes than will be met helps.
    n_shots : int or (int, int), default=5
        Support examples of each class; a pair gives a range to draw from.
    n_query : int, default=5
        Queries of each class.
    standardize : bool, default=True
        Whether to standardise columns with mean and scale over all tasks.
    outer : OuterLoop or None, default=None
        Settings of the outer loop; None for 32 tasks an update at step
        size 0.003, 1000 updates for regression and 400 for classification.
    weights : MetaWeights, str, path-like or None, default=None
        Weights meta-trained before (an object or an ``.npz`` file): `fit` starts from them, and
        `meta_fit` goes on from them.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights and episodes.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes of the support set.
    meta_weights_ : MetaWeights
        What `meta_fit` learned.
    history_ : dict of str to list
        The course of meta-training, see :meth:`OuterLoop.run`.
    params_ : dict of str to ndarray
        The weights in use.
    state_ : dict
        The memory after the support examples.
    scaling_ : dict of str to ndarray
        How columns are standardised.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if all are strings.

    See Also
    --------
    MANNRegressor : The same method for regression.

    References
    ----------
    A. Santoro, S. Bartunov, M. Botvinick, D. Wierstra and T. Lillicrap (2016). "Meta-Learning with
    Memory-Augmented Neural Networks". ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sk_metalearn.metalearners import MANNClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> MANNClassifier(random_state=0).fit(X[:50], y[:50]).predict_proba(X[50:]).shape
    (1747, 10)
    """


@parameters
class MANNRegressor(FewShotRegressor, _MANN):
    """Memory-augmented neural network, for regression.

    The support examples are read one after another, the label of each a step late, by a controller
    that reads its memory by content and writes to the slot it read last or to the one it used
    least recently. The outer loop learns the weights on whole sequences, in which every example is
    predicted before its label is shown; the inner loop fills the memory. (The paper writes the
    keys themselves. Here what is written comes from the controller at this step and at the one
    before, so that an example and its label share a slot; each head has a slot of its own to write
    to and learns how sharply it reads.)

    Without meta-training this is a sharp attention over the standardised support examples.

    Parameters
    ----------
    n_units : int, default=64
        Units of the LSTM controller.
    n_slots : int, default=64
        Rows of the memory.
    slot_size : int, default=32
        Width of the memory.
    n_heads : int, default=2
        Heads that read and write.
    n_shots : int or (int, int), default=10
        Support examples of an episode; a pair gives a range to draw from.
    n_query : int, default=10
        Queries of an episode.
    standardize : bool, default=True
        Whether to standardise columns and target with mean and scale over all tasks.
    outer : OuterLoop or None, default=None
        Settings of the outer loop; None for 32 tasks an update at step
        size 0.003, 1000 updates for regression and 400 for classification.
    weights : MetaWeights, str, path-like or None, default=None
        Weights meta-trained before (an object or an ``.npz`` file): `fit` starts from them, and
        `meta_fit` goes on from them.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights and episodes.

    Attributes
    ----------
    meta_weights_ : MetaWeights
        What `meta_fit` learned.
    history_ : dict of str to list
        The course of meta-training, see :meth:`OuterLoop.run`.
    params_ : dict of str to ndarray
        The weights in use.
    state_ : dict
        The memory after the support examples.
    scaling_ : dict of str to ndarray
        How columns and target are standardised.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if all are strings.

    See Also
    --------
    MANNClassifier : The same method for classification.

    References
    ----------
    A. Santoro, S. Bartunov, M. Botvinick, D. Wierstra and T. Lillicrap (2016). "Meta-Learning with
    Memory-Augmented Neural Networks". ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_metalearn.metalearners import MANNRegressor
    >>> X = np.linspace(-3, 3, 20)[:, None]
    >>> MANNRegressor(random_state=0).fit(X, np.sin(X[:, 0])).predict(X).shape
    (20,)
    """
