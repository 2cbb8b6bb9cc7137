"""SNAIL: temporal convolutions and causal attention over the sequence of examples."""

from dataclasses import KW_ONLY
from numbers import Integral

import numpy as np

from .._compat import Interval
from ._backend import as_array_of, namespace, sigmoid, softmax, transpose, zeros
from ._meta_learner import BaseMetaLearner, FewShotClassifier, FewShotRegressor, parameters
from ._networks import init_dense, init_mlp, init_rotation, mlp, pad_labels, shifted
from ._outer_loop import OuterLoop


def _dilations(params):
    """Number of each layer and its dilation; 0 stands for attention."""
    layers, dilation = [], 1
    while f"layer{len(layers)}_b" in params:
        is_attention = f"layer{len(layers)}_keys" in params
        layers.append(0 if is_attention else dilation)
        dilation = 1 if is_attention else 2 * dilation
    return enumerate(layers)


def _convolve(params, i, x, past):
    """Gated causal convolution of width 2: now and `dilation` steps before."""
    xp = namespace(x)
    z = xp.concatenate([past, x], -1) @ params[f"layer{i}_W"] + params[f"layer{i}_b"]
    n_filters = z.shape[-1] // 2
    return xp.tanh(z[..., :n_filters]) * sigmoid(z[..., n_filters:])


def _keys_values(params, i, x):
    return x @ params[f"layer{i}_keys"], x @ params[f"layer{i}_W"] + params[f"layer{i}_b"]


@parameters
class _SNAIL(BaseMetaLearner):
    """The method, for either kind of task.

    At first it answers with the labels of the examples that look like the query; from a random
    start it hardly learns to compare.

    The network is causal: what it computes for the support examples does not depend on the query
    behind them. So `fit` runs the support sequence once and keeps the input of every layer, and
    each query is a last step of its own.
    """

    method = "snail"

    n_units: int = 64
    _: KW_ONLY
    n_filters: int = 16

    _parameter_constraints = {
        "n_units": [Interval(Integral, 1, None, closed="left")],
        "n_filters": [Interval(Integral, 1, None, closed="left")],
    }

    def _initial_params(self, rng, n_features, n_outputs):
        n_units = self.n_units
        params = init_mlp(rng, [n_features, 2 * n_units, n_units], "embed_")
        longest = np.max(self.n_shots) * (n_outputs if self.kind == "classification" else 1) + 1
        n_channels, layer = n_units + n_outputs, 0
        for block in ("attention", "convolutions", "attention", "convolutions", "attention"):
            if block == "attention":
                keys = init_dense(rng, n_channels, n_units, gain=1.0)
                params[f"layer{layer}_keys"] = keys
                params[f"layer{layer}_queries"] = keys.copy()
            for _ in range(1 if block == "attention" else int(np.ceil(np.log2(longest)))):
                width = n_units if block == "attention" else 2 * self.n_filters
                fan_in = n_channels if block == "attention" else 2 * n_channels
                params[f"layer{layer}_W"] = init_dense(rng, fan_in, width, gain=1.0)
                params[f"layer{layer}_b"] = np.zeros(width, dtype=np.float32)
                n_channels += n_units if block == "attention" else self.n_filters
                layer += 1
        params |= init_mlp(rng, [n_channels, self._n_head_outputs(n_outputs)], "head_")
        return self._look_up(params, rng, n_units, n_outputs)

    def _look_up(self, params, rng, n_units, n_outputs):
        """Let the first attention answer with the labels of what looks like the query."""
        params["embed_W0"] = init_rotation(rng, len(params["embed_W0"]), 2 * n_units)
        pairs = np.eye(n_units, dtype=np.float32)
        params["embed_W1"] = np.vstack([pairs, -pairs])
        alike = np.eye(n_units + n_outputs, n_units, dtype=np.float32)
        params["layer0_keys"], params["layer0_queries"] = alike, alike.copy()
        label = np.arange(min(n_outputs, n_units))
        values = params["layer0_W"]
        values[n_units:] = values[:, label] = 0
        values[n_units + label, label] = 1
        params["head_W0"] *= 0.1
        share = 5.0 if self.kind == "classification" else 1.0
        params["head_W0"][n_units + n_outputs + label, label] = share
        return params

    def _default_outer(self):
        if self.kind == "regression":
            return OuterLoop()
        return OuterLoop(max_iter=600, learning_rate=5e-4, validation_interval=50)

    def _n_slots(self, params):
        return params["head_b0"].shape[0]

    def _tokens(self, params, X, Y):
        embedded = mlp(params, X, "embed_")
        n_labels = params["layer0_keys"].shape[0] - embedded.shape[-1]
        labels = zeros((*X.shape[:-1], n_labels), X) if Y is None else pad_labels(Y, n_labels)
        return namespace(X).concatenate([embedded, labels], -1)

    def _adapt(self, params, X, Y):
        x, n_support = self._tokens(params, X, Y), X.shape[-2]
        future = as_array_of(np.triu(np.full((n_support, n_support), -1e9, "f"), 1), like=X)
        inputs = []
        for i, dilation in _dilations(params):
            inputs.append(x)
            if dilation:
                new = _convolve(params, i, x, shifted(x, dilation))
            else:
                keys, values = _keys_values(params, i, x)
                logits = x @ params[f"layer{i}_queries"] @ transpose(keys)
                new = softmax(logits / keys.shape[-1] ** 0.5 + future) @ values
            x = namespace(x).concatenate([x, new], -1)
        return {"inputs": inputs, "n_outputs": Y.shape[-1]}

    def _query(self, params, state, X):
        xp = namespace(X)
        x = self._tokens(params, X, None)
        for (i, dilation), support in zip(_dilations(params), state["inputs"], strict=True):
            if dilation:
                past = support[..., -dilation : support.shape[-2] - dilation + 1, :]
                if dilation > support.shape[-2]:
                    past = xp.zeros_like(support[..., :1, :])
                new = _convolve(params, i, x, past + xp.zeros_like(x))
            else:
                keys, values = _keys_values(params, i, support)
                logits = x @ params[f"layer{i}_queries"] @ transpose(keys)
                new = softmax(logits / keys.shape[-1] ** 0.5) @ values
            x = xp.concatenate([x, new], -1)
        return self._head(mlp(params, x, "head_"), state["n_outputs"])


@parameters
class SNAILClassifier(FewShotClassifier, _SNAIL):
    """SNAIL, a simple neural attentive meta-learner, for classification.

    The support examples with their targets and, last, a query without one form a sequence. Causal
    attention, dilated causal convolutions, attention, convolutions and attention read it; the
    answer stands at the last step. The outer loop learns all weights; the inner loop is the
    forward pass. (Other than in the paper a query does not attend to itself, since it has no label
    to give, and the first attention starts as a look-up of what is alike.)

    Without meta-training this is a sharp attention over the standardised support examples.

    Parameters
    ----------
    n_units : int, default=64
        Width of the embedding, the keys and the values.
    n_filters : int, default=16
        Filters of each temporal convolution.
    n_way : int, default=5
        Classes of an episode. Training with more classes than will be met helps.
    n_shots : int or (int, int), default=5
        Support examples of each class; a pair gives a range to draw from.
    n_query : int, default=5
        Queries of each class.
    standardize : bool, default=True
        Whether to standardise columns with mean and scale over all tasks.
    outer : OuterLoop or None, default=None
        Settings of the outer loop; None for ``OuterLoop()`` for
        regression, for 600 updates at step size 0.0005 for classification.
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
        What each layer keeps of the support examples.
    scaling_ : dict of str to ndarray
        How columns are standardised.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if all are strings.

    See Also
    --------
    SNAILRegressor : The same method for regression.

    References
    ----------
    N. Mishra, M. Rohaninejad, X. Chen and P. Abbeel (2018). "A Simple Neural Attentive
    Meta-Learner". ICLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sk_metalearn.metalearners import SNAILClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> SNAILClassifier(random_state=0).fit(X[:50], y[:50]).predict_proba(X[50:]).shape
    (1747, 10)
    """


@parameters
class SNAILRegressor(FewShotRegressor, _SNAIL):
    """SNAIL, a simple neural attentive meta-learner, for regression.

    The support examples with their targets and, last, a query without one form a sequence. Causal
    attention, dilated causal convolutions, attention, convolutions and attention read it; the
    answer stands at the last step. The outer loop learns all weights; the inner loop is the
    forward pass. (Other than in the paper a query does not attend to itself, since it has no label
    to give, and the first attention starts as a look-up of what is alike.)

    Without meta-training this is a sharp attention over the standardised support examples.

    Parameters
    ----------
    n_units : int, default=64
        Width of the embedding, the keys and the values.
    n_filters : int, default=16
        Filters of each temporal convolution.
    n_shots : int or (int, int), default=10
        Support examples of an episode; a pair gives a range to draw from.
    n_query : int, default=10
        Queries of an episode.
    standardize : bool, default=True
        Whether to standardise columns and target with mean and scale over all tasks.
    outer : OuterLoop or None, default=None
        Settings of the outer loop; None for ``OuterLoop()`` for
        regression, for 600 updates at step size 0.0005 for classification.
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
        What each layer keeps of the support examples.
    scaling_ : dict of str to ndarray
        How columns and target are standardised.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if all are strings.

    See Also
    --------
    SNAILClassifier : The same method for classification.

    References
    ----------
    N. Mishra, M. Rohaninejad, X. Chen and P. Abbeel (2018). "A Simple Neural Attentive
    Meta-Learner". ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_metalearn.metalearners import SNAILRegressor
    >>> X = np.linspace(-3, 3, 20)[:, None]
    >>> SNAILRegressor(random_state=0).fit(X, np.sin(X[:, 0])).predict(X).shape
    (20,)
    """
