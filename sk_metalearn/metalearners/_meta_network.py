"""Meta Networks: fast weights, made from the gradients of the support loss."""

from dataclasses import KW_ONLY
from numbers import Integral

import numpy as np

from .._compat import Interval
from ._backend import namespace, normalize, relu, softmax, transpose
from ._meta_learner import BaseMetaLearner, FewShotClassifier, FewShotRegressor, parameters
from ._networks import gradient_features, init_mlp, init_rotation, mlp, mlp_gradient, n_layers
from ._outer_loop import OuterLoop

_FAST_SCALE = 0.1


def _fast_weights(params, gradient, prefix):
    """Map each number of a gradient to a fast weight: a step against it, and what a network adds.

    One small network serves all numbers.
    """
    return {
        key: _FAST_SCALE * (mlp(params, gradient_features(value), prefix)[..., 0] - value)
        for key, value in gradient.items()
    }


def _augmented(params, fast, x, prefix, layers):
    """Apply layers with slow and with fast weights and add the two (layer augmentation)."""
    last = n_layers(params, prefix) - 1
    for i in layers:
        slow, quick = (
            x @ weights[f"{prefix}W{i}"] + weights[f"{prefix}b{i}"][..., None, :]
            for weights in (params, fast)
        )
        x = slow + quick if i == last else relu(slow) + relu(quick)
    return x


@parameters
class _MetaNetwork(BaseMetaLearner):
    """The method, for either kind of task.

    `slow_` is the embedding with a head of its own, whose gradient over the support set gives the
    fast weights of the embedding; `base_` is the base learner, whose gradient on each support
    example gives the fast weights that go to the memory.
    """

    method = "meta_network"

    n_units: int = 64
    _: KW_ONLY
    n_meta_units: int = 20

    _parameter_constraints = {
        "n_units": [Interval(Integral, 1, None, closed="left")],
        "n_meta_units": [Interval(Integral, 1, None, closed="left")],
    }

    def _initial_params(self, rng, n_features, n_outputs):
        n_units, n_out = self.n_units, self._n_head_outputs(n_outputs)
        params = {
            **init_mlp(rng, [n_features, n_units, n_units, n_out], "slow_"),
            **init_mlp(rng, [n_features, n_units, n_out], "base_"),
            **init_mlp(rng, [2, self.n_meta_units, 1], "embedder_"),
            **init_mlp(rng, [2, self.n_meta_units, 1], "learner_"),
            "log_scale": np.array(2.0, dtype=np.float32),
        }
        # At first the embedding keeps distances, the slow learner says nothing, and fast weights
        # are steps of gradient descent.
        params["slow_W0"] = init_rotation(rng, n_features, n_units)
        params["slow_W1"] = np.eye(n_units, dtype=np.float32)
        for key in ("base_W1", "embedder_W1", "learner_W1"):
            params[key] = np.zeros_like(params[key])
        return params

    def _default_outer(self):
        if self.kind == "regression":
            return OuterLoop(learning_rate=3e-3)
        return OuterLoop(
            max_iter=300,
            learning_rate=5e-4,
            n_validation_episodes=32,
            validation_interval=50,
            n_iter_no_change=3,
        )

    def _n_slots(self, params):
        return params["base_b1"].shape[0]

    def _embed(self, params, fast, X):
        return _augmented(params, fast, X, "slow_", range(2))

    def _adapt(self, params, X, Y):
        gradient, _ = mlp_gradient(params, X, lambda output: self._residual(output, Y), "slow_")
        gradient = {key: value / X.shape[-2] for key, value in gradient.items()}
        embedder = _fast_weights(params, gradient, "embedder_")
        one, target = X[..., None, :], Y[..., None, :]
        each, _ = mlp_gradient(params, one, lambda output: self._residual(output, target), "base_")
        return {
            "embedder": embedder,
            "keys": normalize(self._embed(params, embedder, X)),
            "memory": _fast_weights(params, each, "learner_"),
            "n_outputs": Y.shape[-1],
        }

    def _query(self, params, state, X):
        xp = namespace(X)
        queries = normalize(self._embed(params, state["embedder"], X))
        attention = softmax(xp.exp(params["log_scale"]) * queries @ transpose(state["keys"]))
        fast = {
            key: xp.einsum("bqs,bs...->bq...", attention, value)
            for key, value in state["memory"].items()
        }
        outputs = _augmented(params, fast, X[..., None, :], "base_", range(2))[..., 0, :]
        return self._head(outputs, state["n_outputs"])


@parameters
class MetaNetworkClassifier(FewShotClassifier, _MetaNetwork):
    """Meta Network: fast weights from support gradients, for classification.

    `fit` takes the gradient of the loss of each support example with respect to the weights of a
    base learner; a small network turns it into fast weights, which are stored under the embedding
    of the example. A query reads the fast weights by attention and is answered by the base learner
    with slow and fast weights side by side; the embedding has fast weights of its own. The outer
    loop learns slow weights and the networks that make fast ones. (The paper accumulates the
    gradients of the embedding by an LSTM; here their mean is taken. Fast weights start as steps
    against the gradients, to which the networks add what they learn.)

    Without meta-training this is a sharp attention over the standardised support examples.

    Parameters
    ----------
    n_units : int, default=64
        Units of each hidden layer of the embedding and of the base learner.
    n_meta_units : int, default=20
        Hidden units of the networks that turn gradients into fast weights.
    n_way : int, default=5
        Classes of an episode. Training with more classes than will be met helps.
    n_shots : int or (int, int), default=5
        Support examples of each class; a pair gives a range to draw from.
    n_query : int, default=5
        Queries of each class.
    standardize : bool, default=True
        Whether to standardise columns with mean and scale over all tasks.
    outer : OuterLoop or None, default=None
        Settings of the outer loop; None for 2000 updates at step size
        0.003 for regression, 300 at 0.0005 for classification.
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
        Keys and fast weights of the support examples.
    scaling_ : dict of str to ndarray
        How columns are standardised.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if all are strings.

    See Also
    --------
    MetaNetworkRegressor : The same method for regression.

    References
    ----------
    T. Munkhdalai and H. Yu (2017). "Meta Networks". ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sk_metalearn.metalearners import MetaNetworkClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> MetaNetworkClassifier(random_state=0).fit(X[:50], y[:50]).predict_proba(X[50:]).shape
    (1747, 10)
    """

    @staticmethod
    def _residual(output, Y):
        """Gradient of the cross-entropy with respect to the logits."""
        n_classes = Y.shape[-1]
        missing = output[..., n_classes:]
        error = softmax(output[..., :n_classes]) - Y
        return namespace(output).concatenate([error, 0 * missing], -1)


@parameters
class MetaNetworkRegressor(FewShotRegressor, _MetaNetwork):
    """Meta Network: fast weights from support gradients, for regression.

    `fit` takes the gradient of the loss of each support example with respect to the weights of a
    base learner; a small network turns it into fast weights, which are stored under the embedding
    of the example. A query reads the fast weights by attention and is answered by the base learner
    with slow and fast weights side by side; the embedding has fast weights of its own. The outer
    loop learns slow weights and the networks that make fast ones. (The paper accumulates the
    gradients of the embedding by an LSTM; here their mean is taken. Fast weights start as steps
    against the gradients, to which the networks add what they learn.)

    Without meta-training this is a sharp attention over the standardised support examples.

    Parameters
    ----------
    n_units : int, default=64
        Units of each hidden layer of the embedding and of the base learner.
    n_meta_units : int, default=20
        Hidden units of the networks that turn gradients into fast weights.
    n_shots : int or (int, int), default=10
        Support examples of an episode; a pair gives a range to draw from.
    n_query : int, default=10
        Queries of an episode.
    standardize : bool, default=True
        Whether to standardise columns and target with mean and scale over all tasks.
    outer : OuterLoop or None, default=None
        Settings of the outer loop; None for 2000 updates at step size
        0.003 for regression, 300 at 0.0005 for classification.
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
        Keys and fast weights of the support examples.
    scaling_ : dict of str to ndarray
        How columns and target are standardised.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if all are strings.

    See Also
    --------
    MetaNetworkClassifier : The same method for classification.

    References
    ----------
    T. Munkhdalai and H. Yu (2017). "Meta Networks". ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_metalearn.metalearners import MetaNetworkRegressor
    >>> X = np.linspace(-3, 3, 20)[:, None]
    >>> MetaNetworkRegressor(random_state=0).fit(X, np.sin(X[:, 0])).predict(X).shape
    (20,)
    """

    @staticmethod
    def _residual(output, Y):
        """Gradient of half the squared error with respect to mean and log-variance."""
        return namespace(output).concatenate([output[..., :1] - Y, 0 * output[..., 1:]], -1)
