"""The small networks all meta-learners are built of, as functions of a dictionary of arrays."""

import numpy as np

from ._backend import detach, namespace, relu, sigmoid, transpose, zeros


def init_dense(rng, n_inputs, n_outputs, gain=2.0):
    """Draw a weight matrix with variance ``gain / n_inputs`` (He for ReLU, ``gain=1`` else)."""
    scale = np.sqrt(gain / max(n_inputs, 1))
    return (scale * rng.standard_normal((n_inputs, n_outputs))).astype(np.float32)


def init_rotation(rng, n_inputs, n_outputs):
    """Draw a layer that keeps distances: a rotation, its ReLU units in pairs of opposite sign.

    Inputs are kept whole where there are at least twice as many units.
    """
    half = (n_outputs + 1) // 2
    tall = rng.standard_normal((max(n_inputs, half), min(n_inputs, half)))
    rotation = np.linalg.qr(tall)[0]
    if n_inputs < half:
        rotation = rotation.T
    return np.hstack([rotation, -rotation])[:, :n_outputs].astype(np.float32)


def init_mlp(rng, sizes, prefix=""):
    """Draw a multi-layer perceptron.

    Parameters
    ----------
    rng : numpy.random.RandomState
        Source of the draws.
    sizes : sequence of int
        Widths of input, hidden layers and output.
    prefix : str, default=""
        Put before the names ``W0``, ``b0``, ``W1``, ...

    Returns
    -------
    dict of str to ndarray
        The weights by name.
    """
    params = {}
    for i, (n_inputs, n_outputs) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
        gain = 2.0 if i < len(sizes) - 2 else 1.0
        params[f"{prefix}W{i}"] = init_dense(rng, n_inputs, n_outputs, gain)
        params[f"{prefix}b{i}"] = np.zeros(n_outputs, dtype=np.float32)
    return params


def n_layers(params, prefix=""):
    """Return the number of layers of the perceptron `prefix` in `params`."""
    count = 0
    while f"{prefix}W{count}" in params:
        count += 1
    return count


def _activations(params, x, prefix):
    """Return the input of every layer and the output of the last."""
    values = [x]
    last = n_layers(params, prefix) - 1
    for i in range(last + 1):
        x = x @ params[f"{prefix}W{i}"] + params[f"{prefix}b{i}"][..., None, :]
        if i < last:
            x = relu(x)
        values.append(x)
    return values


def mlp(params, x, prefix=""):
    """Apply a ReLU perceptron to the rows of `x`; with no layers it is the identity.

    Weights may carry leading batch axes (one network per task), as may `x`.
    """
    return _activations(params, x, prefix)[-1]


def mlp_hidden(params, x, prefix=""):
    """Return the values that enter the last layer."""
    return _activations(params, x, prefix)[-2]


def mlp_gradient(params, x, output_gradient, prefix=""):
    """Gradient of a loss with respect to the weights of a perceptron, in closed form.

    Written with differentiable operations, so that PyTorch can differentiate through it: this is
    where MAML's second derivatives come from.

    Parameters
    ----------
    params : dict
        Weights, possibly with leading batch axes.
    x : array of shape (..., n, n_inputs)
        Inputs.
    output_gradient : callable
        Maps the output of the network to the gradient of the loss with respect to it.
    prefix : str, default=""
        Before the names of the weights.

    Returns
    -------
    gradient : dict
        An entry for each entry of `params` that belongs to the perceptron.
    output : array of shape (..., n, n_outputs)
        Of the perceptron.
    """
    *inputs, output = _activations(params, x, prefix)
    delta = output_gradient(output)
    gradient = {}
    for i in reversed(range(len(inputs))):
        gradient[f"{prefix}W{i}"] = transpose(inputs[i]) @ delta
        gradient[f"{prefix}b{i}"] = delta.sum(-2)
        if i > 0:
            delta = (delta @ transpose(params[f"{prefix}W{i}"])) * (inputs[i] > 0)
    return gradient, output


def init_lstm(rng, n_inputs, n_units, prefix="lstm_"):
    """Draw a long short-term memory cell; the forget gate starts open."""
    bias = np.zeros(4 * n_units, dtype=np.float32)
    bias[n_units : 2 * n_units] = 1
    return {
        f"{prefix}W": init_dense(rng, n_inputs + n_units, 4 * n_units, gain=1.0),
        f"{prefix}b": bias,
    }


def lstm(params, x, hidden, cell, prefix="lstm_"):
    """Advance a long short-term memory cell by one step.

    Parameters
    ----------
    params : dict
        Weights.
    x : array of shape (..., n_inputs)
        Inputs of this step.
    hidden, cell : array of shape (..., n_units)
        State before the step.
    prefix : str, default="lstm_"
        Before the names of the weights.

    Returns
    -------
    hidden, cell : array of shape (..., n_units)
        State after the step.
    """
    xp = namespace(x)
    n_units = hidden.shape[-1]
    gates = xp.concatenate([x, hidden], -1) @ params[f"{prefix}W"] + params[f"{prefix}b"]
    opened = sigmoid(gates[..., : 3 * n_units])
    write, keep, show = (opened[..., i * n_units : (i + 1) * n_units] for i in range(3))
    cell = keep * cell + write * xp.tanh(gates[..., 3 * n_units :])
    return show * xp.tanh(cell), cell


def gradient_features(gradient, limit=10.0):
    """Describe each number of a gradient by magnitude and sign, as constants.

    Large and tiny gradients become comparable: ``log|g| / limit`` and the sign where ``|g|`` is at
    least ``exp(-limit)``, else -1 and ``exp(limit) * g`` (Andrychowicz et al., 2016).

    Parameters
    ----------
    gradient : array
        Any numbers.
    limit : float, default=10.0
        Minus the logarithm of the smallest size told apart.

    Returns
    -------
    array of shape (*gradient.shape, 2)
        Two numbers between about -1 and 1 for each.
    """
    xp = namespace(gradient)
    gradient = detach(gradient)
    size = float(np.exp(-limit))
    magnitude = xp.log(xp.clip(xp.abs(gradient), size, None)) / limit
    sign = xp.clip(gradient / size, -1.0, 1.0)
    return xp.stack([magnitude, sign], -1)


def pad_labels(Y, width):
    """Widen one-hot labels to the number of classes the network knows."""
    missing = width - Y.shape[-1]
    if missing == 0:
        return Y
    return namespace(Y).concatenate([Y, zeros((*Y.shape[:-1], missing), like=Y)], -1)


def shifted(x, steps):
    """Delay a sequence (..., n_steps, n_channels): its start is filled with zeros."""
    steps = min(steps, x.shape[-2])
    start = zeros((*x.shape[:-2], steps, x.shape[-1]), like=x)
    return namespace(x).concatenate([start, x[..., : x.shape[-2] - steps, :]], -2)
