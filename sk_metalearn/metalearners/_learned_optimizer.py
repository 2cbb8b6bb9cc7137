"""Learned optimiser: an LSTM that turns gradients into steps."""

from dataclasses import KW_ONLY
from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

from .._compat import Interval
from ._backend import as_array_of, detach, namespace, zeros
from ._meta_learner import FewShotClassifier, FewShotRegressor, parameters
from ._mlp_learner import MLPClassifierMixin, MLPLearner, MLPRegressorMixin
from ._networks import gradient_features, init_lstm, init_mlp, lstm, mlp, mlp_gradient
from ._outer_loop import OuterLoop

_STEP_SCALE = 0.1
_FLOOR = 0.01  # parts of the first loss below which a smaller loss earns little


def random_nets(rng, sizes, n_tasks):
    """Draw a perceptron for each task."""
    nets = [init_mlp(rng, sizes) for _ in range(n_tasks)]
    return {key: np.stack([net[key] for net in nets]) for key in nets[0]}


def flatten(net, like):
    """Put weights or gradients of each task's perceptron in one row, in the order of `like`."""
    arrays = [net[key].reshape(len(value), -1) for key, value in like.items()]
    return namespace(arrays[0]).concatenate(arrays, -1)


def unflatten(row, like):
    """Undo `flatten`."""
    net, start = {}, 0
    for key, value in like.items():
        size = int(np.prod(value.shape[1:]))
        net[key] = row[:, start : start + size].reshape(value.shape)
        start += size
    return net


@parameters
class _LearnedOptimizer(MLPLearner):
    """The method, for either kind of task."""

    method = "learned_optimizer"

    hidden_layer_sizes: tuple = (20,)
    _: KW_ONLY
    n_units: int = 16
    n_layers: int = 1
    n_steps: int = 50
    window: int = 20

    _parameter_constraints = {
        "hidden_layer_sizes": [tuple, list],
        "n_units": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "window": [Interval(Integral, 1, None, closed="left")],
    }

    def _default_outer(self):
        return OuterLoop(
            max_iter=400,
            batch_size=4,
            learning_rate=5e-3,
            n_validation_episodes=32,
            validation_interval=25,
        )

    def _initial_params(self, rng, n_features, n_outputs):
        params = init_mlp(rng, [self.n_units, 1], "step_")
        params["step_W0"] *= 0.1
        for layer in range(self.n_layers):
            n_inputs = self.n_units if layer else 2
            params |= init_lstm(rng, n_inputs, self.n_units, f"lstm{layer}_")
        return params

    def _adapt(self, params, X, Y):
        net, losses = self._unroll(params, X, Y, check_random_state(self.random_state))
        self.loss_curve_ = np.array([loss.mean() for loss in losses])
        return {"net": net, "X": X}

    def _episode_loss(self, params, X_support, Y_support, X_query, Y_query, rng):
        """Mean over the steps of the logarithm of the support loss, relative to its start."""
        xp = namespace(X_support)
        _, losses = self._unroll(params, X_support, Y_support, rng)
        start = detach(losses[0]) + 1e-8
        return sum(xp.log(loss / start + _FLOOR).mean() for loss in losses[1:]) / self.n_steps

    def _unroll(self, params, X, Y, rng):
        """Optimise a random perceptron for each task; return it and the losses on the way."""
        sizes = self._sizes(X.shape[-1], Y.shape[-1])
        first = random_nets(rng, sizes, len(X))
        net = {key: as_array_of(value, like=X) for key, value in first.items()}
        row = flatten(net, first)
        start = zeros((*row.shape, params["step_W0"].shape[0]), like=X)
        n_lstm = sum(key.startswith("lstm") and key.endswith("W") for key in params)
        memory = [(start, start)] * n_lstm
        losses = []
        for step in range(self.n_steps):
            if step and step % self.window == 0:  # truncated back-propagation
                row = detach(row)
                memory = [(detach(hidden), detach(cell)) for hidden, cell in memory]
            net = unflatten(row, first)
            gradient, output = mlp_gradient(net, X, lambda out: self._output_gradient(out, Y))
            losses.append(self._task_losses(output, Y))
            x = gradient_features(flatten(gradient, first))
            for layer in range(n_lstm):
                memory[layer] = lstm(params, x, *memory[layer], f"lstm{layer}_")
                x = memory[layer][0]
            row = row + _STEP_SCALE * mlp(params, x, "step_")[..., 0]
        net = unflatten(row, first)
        losses.append(self._task_losses(mlp(net, X), Y))
        return net, losses


@parameters
class LearnedOptimizerClassifier(MLPClassifierMixin, FewShotClassifier, _LearnedOptimizer):
    """Perceptron trained by a learned optimiser, for classification.

    `fit` trains a perceptron from random weights on the support examples; each of its weights is
    moved by the same small LSTM, which sees the gradient with respect to that weight. The outer
    loop learns the LSTM, so that the support loss falls fast on the way.

    Without meta-training, `fit` trains random weights on the support examples with Adam.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(20,)
        Widths of the hidden layers of the network to be optimised; ``()`` is a linear model.
    n_units : int, default=16
        Units of each LSTM layer.
    n_layers : int, default=1
        LSTM layers; the paper has two.
    n_steps : int, default=50
        Steps of optimisation.
    window : int, default=20
        Steps through which the outer gradient is traced back.
    n_way : int, default=5
        Classes of an episode. Training with more classes than will be met helps.
    n_shots : int or (int, int), default=5
        Support examples of each class; a pair gives a range to draw from.
    n_query : int, default=5
        Queries of each class.
    standardize : bool, default=True
        Whether to standardise columns with mean and scale over all tasks.
    outer : OuterLoop or None, default=None
        Settings of the outer loop; None for 400 updates of 4 tasks each.
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
        The trained network.
    loss_curve_ : ndarray of shape (n_steps + 1,)
        Support loss before each step and after the last.
    scaling_ : dict of str to ndarray
        How columns are standardised.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if all are strings.

    See Also
    --------
    LearnedOptimizerRegressor : The same method for regression.

    References
    ----------
    M. Andrychowicz, M. Denil, S. Gomez, M. W. Hoffman, D. Pfau, T. Schaul, B. Shillingford and
    N. de Freitas (2016). "Learning to learn by gradient descent by gradient descent". NeurIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sk_metalearn.metalearners import LearnedOptimizerClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> LearnedOptimizerClassifier(random_state=0).fit(X[:50], y[:50]).predict_proba(X[50:]).shape
    (1747, 10)
    """


@parameters
class LearnedOptimizerRegressor(MLPRegressorMixin, FewShotRegressor, _LearnedOptimizer):
    """Perceptron trained by a learned optimiser, for regression.

    `fit` trains a perceptron from random weights on the support examples; each of its weights is
    moved by the same small LSTM, which sees the gradient with respect to that weight. The outer
    loop learns the LSTM, so that the support loss falls fast on the way.

    Without meta-training, `fit` trains random weights on the support examples with Adam.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(20,)
        Widths of the hidden layers of the network to be optimised; ``()`` is a linear model.
    n_units : int, default=16
        Units of each LSTM layer.
    n_layers : int, default=1
        LSTM layers; the paper has two.
    n_steps : int, default=50
        Steps of optimisation.
    window : int, default=20
        Steps through which the outer gradient is traced back.
    n_shots : int or (int, int), default=10
        Support examples of an episode; a pair gives a range to draw from.
    n_query : int, default=10
        Queries of an episode.
    standardize : bool, default=True
        Whether to standardise columns and target with mean and scale over all tasks.
    outer : OuterLoop or None, default=None
        Settings of the outer loop; None for 400 updates of 4 tasks each.
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
        The trained network.
    loss_curve_ : ndarray of shape (n_steps + 1,)
        Support loss before each step and after the last.
    scaling_ : dict of str to ndarray
        How columns and target are standardised.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if all are strings.

    See Also
    --------
    LearnedOptimizerClassifier : The same method for classification.

    References
    ----------
    M. Andrychowicz, M. Denil, S. Gomez, M. W. Hoffman, D. Pfau, T. Schaul, B. Shillingford and
    N. de Freitas (2016). "Learning to learn by gradient descent by gradient descent". NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_metalearn.metalearners import LearnedOptimizerRegressor
    >>> X = np.linspace(-3, 3, 20)[:, None]
    >>> LearnedOptimizerRegressor(random_state=0).fit(X, np.sin(X[:, 0])).predict(X).shape
    (20,)
    """
