"""The Neural Turing machine on sequences: algorithms learned from examples."""

from collections import defaultdict

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array

from ._backend import namespace, sigmoid, softplus, value_and_grad
from ._ntm import init_ntm, start_ntm, step_ntm
from ._outer_loop import OuterLoop


class NeuralTuringMachine:
    """Neural Turing machine that maps binary sequences to binary sequences.

    The few-shot learners :class:`NTMClassifier` and :class:`NTMRegressor` use the same machine;
    this class shows it on the tasks it was invented for, such as copying.

    Parameters
    ----------
    n_units : int, default=32
        Units of the LSTM controller.
    n_slots : int, default=20
        Rows of the memory.
    slot_size : int, default=8
        Width of the memory.
    outer : OuterLoop or None, default=None
        Settings of the training loop; None for 2000 updates at step size 0.005, to the end.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights and batches.

    Attributes
    ----------
    params_ : dict of str to ndarray
        The learned weights.
    history_ : dict of str to list
        The course of training, see :meth:`OuterLoop.run`.

    References
    ----------
    A. Graves, G. Wayne and I. Danihelka (2014). "Neural Turing Machines". arXiv:1410.5401.
    """

    def __init__(self, n_units=32, n_slots=20, slot_size=8, *, outer=None, random_state=None):
        self.n_units = n_units
        self.n_slots = n_slots
        self.slot_size = slot_size
        self.outer = outer
        self.random_state = random_state

    def meta_fit(self, sequences, validation_sequences):
        """Learn a mapping of sequences.

        Parameters
        ----------
        sequences : list of (inputs, targets)
            Inputs of shape (n_steps, n_inputs); targets of shape (n_steps, n_outputs) in {0, 1},
            NaN where the output is not judged. Sequences may differ in length.
        validation_sequences : list of (inputs, targets)
            Sequences for early stopping.

        Returns
        -------
        NeuralTuringMachine
            The trained machine.
        """
        rng = check_random_state(self.random_state)
        outer = self.outer or OuterLoop(learning_rate=5e-3, n_iter_no_change=None)
        train, validation = _by_length(sequences), _by_length(validation_sequences)
        n_inputs, n_outputs = (part.shape[-1] for part in train[0])
        share = np.array([len(inputs) for inputs, _ in train], dtype=float)
        share /= share.sum()

        def gradient(params):
            inputs, targets = train[rng.choice(len(train), p=share)]
            rows = rng.randint(len(inputs), size=outer.batch_size)
            return value_and_grad(_loss, params, inputs[rows], targets[rows])

        def validate(params):
            losses = [_loss(params, *batch) for batch in validation]
            return np.average(losses, weights=[len(inputs) for inputs, _ in validation])

        params = init_ntm(rng, n_inputs, n_outputs, self.n_units, self.n_slots, self.slot_size)
        self.params_, self.history_ = outer.run(params, gradient, validate, "ntm")
        return self

    def predict_proba(self, inputs):
        """Estimate the probabilities of ones.

        Parameters
        ----------
        inputs : array-like of shape (n_steps, n_inputs)
            One sequence.

        Returns
        -------
        ndarray of shape (n_steps, n_outputs)
            Probability of a one at each step and output.
        """
        inputs = check_array(inputs, dtype=np.float32)
        return sigmoid(_run(self.params_, inputs[None])[0])

    def predict(self, inputs):
        """Predict bits.

        Parameters
        ----------
        inputs : array-like of shape (n_steps, n_inputs)
            One sequence.

        Returns
        -------
        ndarray of shape (n_steps, n_outputs)
            The bit of each step and output.
        """
        return (self.predict_proba(inputs) > 0.5).astype(int)


def _run(params, inputs):
    """Logits of the machine along a batch of sequences."""
    state, outputs = start_ntm(params, inputs), []
    for t in range(inputs.shape[1]):
        output, state = step_ntm(params, inputs[:, t], state)
        outputs.append(output)
    return namespace(inputs).stack(outputs, 1)


def _loss(params, inputs, targets):
    """Mean cross-entropy of the judged bits."""
    xp = namespace(inputs)
    logits, judged = _run(params, inputs), ~xp.isnan(targets)
    targets = xp.nan_to_num(targets)
    return ((softplus(logits) - targets * logits) * judged).sum() / judged.sum()


def _by_length(sequences):
    """Stack sequences of the same length."""
    groups = defaultdict(list)
    for i, (inputs, targets) in enumerate(sequences):
        inputs = check_array(inputs, dtype=np.float32)
        targets = check_array(targets, dtype=np.float32, ensure_all_finite="allow-nan")
        if len(inputs) != len(targets):
            raise ValueError(
                f"Sequence {i} has {len(inputs)} steps of input and {len(targets)} of targets."
            )
        groups[len(inputs)].append((inputs, targets))
    if not groups:
        raise ValueError("No sequences: pass a list of (inputs, targets) pairs.")
    return [tuple(np.stack(part) for part in zip(*group, strict=True)) for group in groups.values()]


def make_copy_sequences(n_sequences, lengths=(1, 10), n_bits=8, random_state=None):
    """Make the copy task of the Neural Turing machine paper.

    A sequence shows random bits, then a delimiter on a channel of its own; the bits are to be
    repeated after it, while the input is silent.

    Parameters
    ----------
    n_sequences : int
        Number of sequences.
    lengths : (int, int), default=(1, 10)
        Shortest and longest number of vectors to copy.
    n_bits : int, default=8
        Width of the vectors.
    random_state : int, RandomState instance or None, default=None
        Determines the draws.

    Returns
    -------
    list of (inputs, targets)
        Inputs of shape (2 * length + 1, n_bits + 1); targets of shape (2 * length + 1, n_bits), NaN
        until the delimiter.

    References
    ----------
    A. Graves, G. Wayne and I. Danihelka (2014). "Neural Turing Machines". arXiv:1410.5401.

    Examples
    --------
    >>> from sk_metalearn.metalearners import make_copy_sequences
    >>> inputs, targets = make_copy_sequences(1, lengths=(3, 3), random_state=0)[0]
    >>> inputs.shape, targets.shape
    ((7, 9), (7, 8))
    """
    rng = check_random_state(random_state)
    sequences = []
    for _ in range(n_sequences):
        length = rng.randint(lengths[0], lengths[1] + 1)
        bits = rng.randint(0, 2, (length, n_bits)).astype(np.float32)
        inputs = np.zeros((2 * length + 1, n_bits + 1), dtype=np.float32)
        inputs[:length, :n_bits] = bits
        inputs[length, n_bits] = 1
        silent = np.full((length + 1, n_bits), np.nan, dtype=np.float32)
        sequences.append((inputs, np.concatenate([silent, bits])))
    return sequences
