"""Neural Turing machine: a memory addressed by content and by location."""

from ._backend import namespace, sigmoid, softmax, softplus, zeros
from ._external_memory import MemoryLearner, content_weights
from ._meta_learner import FewShotClassifier, FewShotRegressor, parameters
from ._networks import init_dense, init_lstm, init_mlp, lstm, mlp

_SHIFTS = (-1, 0, 1)
_N_HEADS = 2  # the first reads, the second writes


def init_ntm(rng, n_inputs, n_outputs, n_units, n_slots, slot_size):
    """Draw a machine with an LSTM controller, one read head and one write head."""
    n_address = _N_HEADS * (slot_size + 3 + len(_SHIFTS))  # key, sharpness, gate, gamma, shifts
    return {
        **init_lstm(rng, n_inputs + slot_size, n_units),
        **init_mlp(rng, [n_units, n_address + 2 * slot_size], "address_"),
        **init_mlp(rng, [n_units + slot_size, n_outputs], "head_"),
        "memory": 0.1 * init_dense(rng, n_slots, slot_size),
        "read": 0.1 * init_dense(rng, 1, slot_size)[0],
    }


def start_ntm(params, like):
    """State before the first step: memory, read vector, addresses, hidden and cell state."""
    n_tasks, (n_slots, _) = len(like), params["memory"].shape
    hidden = zeros((n_tasks, params["lstm_b"].shape[0] // 4), like=like)
    first = zeros((n_tasks, _N_HEADS, n_slots), like=like)
    first[..., 0] = 1
    return (
        params["memory"] + zeros((n_tasks, 1, 1), like=like),
        params["read"] + zeros((n_tasks, 1), like=like),
        first,
        hidden,
        hidden,
    )


def step_ntm(params, x, state):
    """Advance the machine by one step.

    Parameters
    ----------
    params : dict
        Weights.
    x : array of shape (..., n_inputs)
        Inputs of this step.
    state : tuple
        From :func:`start_ntm` or from the step before.

    Returns
    -------
    output : array of shape (..., n_outputs)
        Of this step.
    state : tuple
        After the step.
    """
    xp = namespace(x)
    memory, read, weights, hidden, cell = state
    size = memory.shape[-1]
    hidden, cell = lstm(params, xp.concatenate([x, read], -1), hidden, cell)
    address = mlp(params, hidden[..., None, :], "address_")[..., 0, :]
    erase, add = sigmoid(address[..., :size]), xp.tanh(address[..., size : 2 * size])
    address = address[..., 2 * size :].reshape(*hidden.shape[:-1], _N_HEADS, -1)
    weights = _address(memory, weights, address)

    write = weights[..., 1, :, None]
    memory = memory * (1 - write * erase[..., None, :]) + write * add[..., None, :]
    read = (weights[..., :1, :] @ memory)[..., 0, :]
    output = mlp(params, xp.concatenate([hidden, read], -1)[..., None, :], "head_")
    return output[..., 0, :], (memory, read, weights, hidden, cell)


def _address(memory, weights, address):
    """Focus by content, interpolate with the last focus, shift it, sharpen it."""
    xp = namespace(memory)
    size = memory.shape[-1]
    keys, rest = xp.tanh(address[..., :size]), address[..., size:]
    content = content_weights(memory, keys, softplus(rest[..., :1]))
    gate, gamma = sigmoid(rest[..., 1:2]), 1 + softplus(rest[..., 2:3])
    shift = softmax(rest[..., 3:])
    weights = gate * content + (1 - gate) * weights
    weights = sum(
        shift[..., i : i + 1] * xp.roll(weights, step, -1) for i, step in enumerate(_SHIFTS)
    )
    sharp = (weights + 1e-8) ** gamma
    return sharp / sharp.sum(-1)[..., None]


class _NTM(MemoryLearner):
    """The method, for either kind of task."""

    method = "ntm"

    def _initial_params(self, rng, n_features, n_outputs):
        sizes = self.n_units, self.n_slots, self.slot_size
        return init_ntm(rng, n_features + n_outputs, self._n_head_outputs(n_outputs), *sizes)

    def _start(self, params, X):
        return start_ntm(params, X)

    def _step(self, params, x, state):
        return step_ntm(params, x, state)


@parameters
class NTMClassifier(FewShotClassifier, _NTM):
    """Neural Turing machine as a few-shot learner, for classification.

    The support examples are read one after another, the label of each a step late, by a controller
    whose heads find memory rows by content, move along them by shifts, and erase and add when they
    write. The outer loop learns the weights on whole sequences, in which every example is
    predicted before its label is shown; the inner loop fills the memory. For sequences of another
    kind there is :class:`NeuralTuringMachine`.

    Without meta-training this is a sharp attention over the standardised support examples.

    Parameters
    ----------
    n_units : int, default=64
        Units of the LSTM controller.
    n_slots : int, default=64
        Rows of the memory.
    slot_size : int, default=32
        Width of the memory.
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
    NTMRegressor : The same method for regression.
    NeuralTuringMachine : The machine on sequences.

    References
    ----------
    A. Graves, G. Wayne and I. Danihelka (2014). "Neural Turing Machines". arXiv:1410.5401.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sk_metalearn.metalearners import NTMClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> NTMClassifier(random_state=0).fit(X[:50], y[:50]).predict_proba(X[50:]).shape
    (1747, 10)
    """


@parameters
class NTMRegressor(FewShotRegressor, _NTM):
    """Neural Turing machine as a few-shot learner, for regression.

    The support examples are read one after another, the label of each a step late, by a controller
    whose heads find memory rows by content, move along them by shifts, and erase and add when they
    write. The outer loop learns the weights on whole sequences, in which every example is
    predicted before its label is shown; the inner loop fills the memory. For sequences of another
    kind there is :class:`NeuralTuringMachine`.

    Without meta-training this is a sharp attention over the standardised support examples.

    Parameters
    ----------
    n_units : int, default=64
        Units of the LSTM controller.
    n_slots : int, default=64
        Rows of the memory.
    slot_size : int, default=32
        Width of the memory.
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
    NTMClassifier : The same method for classification.
    NeuralTuringMachine : The machine on sequences.

    References
    ----------
    A. Graves, G. Wayne and I. Danihelka (2014). "Neural Turing Machines". arXiv:1410.5401.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_metalearn.metalearners import NTMRegressor
    >>> X = np.linspace(-3, 3, 20)[:, None]
    >>> NTMRegressor(random_state=0).fit(X, np.sin(X[:, 0])).predict(X).shape
    (20,)
    """
