"""One forward pass for two engines: numpy answers, PyTorch differentiates.

Every network of this room is written once, as a pure function of a dictionary of arrays, with the
operations that numpy and PyTorch share. Meta-training calls it on tensors and asks for gradients;
`fit` and `predict` call the very same function on numpy arrays and need no PyTorch.
"""

import sys
from contextlib import contextmanager

import numpy as np

from ..exceptions import import_optional


def namespace(array):
    """Return the module (numpy or torch) whose functions understand `array`."""
    torch = sys.modules.get("torch")
    is_tensor = torch is not None and isinstance(array, torch.Tensor)
    return torch if is_tensor else np


def detach(array):
    """Return the values of `array` as a constant: no gradient flows through it."""
    return array if namespace(array) is np else array.detach()


def as_array_of(values, like):
    """Return a numpy array in the engine and the precision of `like`."""
    xp = namespace(like)
    return values if xp is np else xp.as_tensor(values, dtype=like.dtype)


def zeros(shape, like):
    """Return zeros in the engine and the precision of `like`."""
    return namespace(like).zeros(shape, dtype=like.dtype)


def softmax(x):
    """Softmax over the last axis."""
    if namespace(x) is not np:
        return x.softmax(-1)
    exp = np.exp(x - x.max(-1, keepdims=True))
    return exp / exp.sum(-1, keepdims=True)


def log_softmax(x):
    """Logarithm of the softmax over the last axis."""
    if namespace(x) is not np:
        return x.log_softmax(-1)
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def sigmoid(x):
    """Logistic function, free of overflow."""
    return x.sigmoid() if namespace(x) is not np else 0.5 * (np.tanh(0.5 * x) + 1)


def relu(x):
    """Positive part."""
    return x.relu() if namespace(x) is not np else np.maximum(x, 0)


def softplus(x):
    """Smooth positive part, ``log(1 + exp(x))``."""
    xp = namespace(x)
    return xp.logaddexp(x, xp.zeros_like(x))


def sort(x):
    """Values of `x` in increasing order along the last axis."""
    return np.sort(x, -1) if namespace(x) is np else x.sort(-1).values


def transpose(x):
    """Exchange the last two axes."""
    return namespace(x).swapaxes(x, -1, -2)


def squared_distances(a, b):
    """Squared Euclidean distances between the rows of `a` (..., n, d) and `b` (..., m, d)."""
    cross = a @ transpose(b)
    squares = (a**2).sum(-1)[..., :, None] + (b**2).sum(-1)[..., None, :]
    return relu(squares - 2 * cross)


def normalize(x):
    """Scale the rows of `x` to unit length."""
    return x / namespace(x).sqrt((x**2).sum(-1)[..., None] + 1e-8)


@contextmanager
def _one_thread(torch):
    """Keep small networks on one thread: faster, and the same on every machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def value_and_grad(loss, params, *arrays):
    """Return ``loss(params, *arrays)`` and its gradient with respect to `params`.

    Parameters
    ----------
    loss : callable
        Function of a dictionary of tensors and of the tensors in `arrays`; returns a scalar.
    params : dict of str to ndarray
        Where to differentiate.
    *arrays : ndarray
        Constants, handed to `loss` as tensors.

    Returns
    -------
    value : float
        Of the loss.
    gradient : dict of str to ndarray
        Zero for parameters that `loss` does not use.
    """
    torch = import_optional("torch", "deep", "Meta-training (meta_fit) of this learner")
    with _one_thread(torch):
        tensors = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
        value = loss(tensors, *(torch.as_tensor(array) for array in arrays))
        gradients = torch.autograd.grad(value, list(tensors.values()), allow_unused=True)
    return value.item(), {
        name: np.zeros_like(params[name]) if gradient is None else gradient.numpy()
        for name, gradient in zip(params, gradients, strict=True)
    }
