"""Learned meta-control: step size, momentum and the moment to stop, chosen by a small network."""

from dataclasses import KW_ONLY
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from .._compat import Interval
from ._backend import as_array_of, detach, namespace, sigmoid, zeros
from ._learned_optimizer import flatten, random_nets, unflatten
from ._meta_learner import FewShotClassifier, FewShotRegressor, parameters
from ._mlp_learner import MLPClassifierMixin, MLPLearner, MLPRegressorMixin
from ._networks import init_mlp, mlp, mlp_gradient
from ._outer_loop import OuterLoop

_N_OBSERVED = 5  # what the controller sees of the training so far
_RATE, _MOMENTUM, _STOP = range(3)  # what it decides; gradients are cut to unit length


@parameters
class _MetaControl(MLPLearner):
    """The method, for either kind of task."""

    method = "meta_control"

    hidden_layer_sizes: tuple = (20,)
    _: KW_ONLY
    n_units: int = 20
    n_steps: int = 40
    step_cost: float = 0.01

    _parameter_constraints = {
        "hidden_layer_sizes": [tuple, list],
        "n_units": [Interval(Integral, 1, None, closed="left")],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "step_cost": [Interval(Real, 0, None, closed="left")],
    }

    def _default_outer(self):
        return OuterLoop(
            max_iter=400, learning_rate=5e-3, n_validation_episodes=64, validation_interval=25
        )

    def _initial_params(self, rng, n_features, n_outputs):
        params = init_mlp(rng, [_N_OBSERVED, self.n_units, 3], "control_")
        params["control_W1"] *= 0.1
        params["control_b1"][:] = np.log(0.05), 0.0, -4.0
        return params

    def _adapt(self, params, X, Y):
        rng = check_random_state(self.random_state)
        chosen, going = None, zeros((len(X), 1), like=X) + 1
        self.loss_curve_, self.learning_rate_curve_ = [], []
        for net, loss, rate, stop in self._unroll(params, X, Y, rng):
            row = flatten(net, net)
            chosen = row if chosen is None else np.where(going > 0.5, row, chosen)
            if not (going > 0.5).any():
                break
            self.loss_curve_.append(float(loss.mean()))
            self.learning_rate_curve_.append(float(rate.mean()))
            going = going * (1 - stop)
        return {"net": unflatten(chosen, net), "X": X}

    def _episode_loss(self, params, X_support, Y_support, X_query, Y_query, rng):
        """Query loss expected over the moment to stop, plus the price of the steps."""
        going, total = 1.0, 0.0
        for i, (net, _, _, stop) in enumerate(self._unroll(params, X_support, Y_support, rng)):
            stop = stop[:, 0] if i < self.n_steps else 1.0
            loss = self._task_losses(mlp(net, X_query), Y_query)
            price = self.step_cost * i / self.n_steps
            total = total + (going * stop * (loss + price)).mean()
            going = going * (1 - stop)
        return total

    def _unroll(self, params, X, Y, rng):
        """Yield network, support loss, step size and stopping probability before each step."""
        xp = namespace(X)
        first = random_nets(rng, self._sizes(X.shape[-1], Y.shape[-1]), len(X))
        row = flatten({key: as_array_of(value, like=X) for key, value in first.items()}, first)
        velocity, losses = xp.zeros_like(row), []
        for i in range(self.n_steps + 1):
            net = unflatten(row, first)
            gradient, output = mlp_gradient(net, X, lambda out: self._output_gradient(out, Y))
            gradient = detach(flatten(gradient, first))
            losses.append(detach(self._task_losses(output, Y)))
            observed = self._observe(losses, gradient, i)
            control = mlp(params, observed[:, None], "control_")[:, 0]
            rate = xp.exp(xp.clip(control[:, _RATE, None], -10.0, 1.0))
            yield net, losses[-1], rate, sigmoid(control[:, _STOP, None])
            length = xp.sqrt((gradient**2).sum(-1))[:, None]
            step = rate * gradient / xp.clip(length, 1.0, None)
            velocity = sigmoid(control[:, _MOMENTUM, None]) * velocity - step
            row = row + velocity

    def _observe(self, losses, gradient, i):
        """Level, progress, trend, slope and time, as numbers of about unit size."""
        xp = namespace(gradient)
        logs = [xp.log(losses[i] + 1e-6) for i in (-1, 0, max(-5, -len(losses)))]
        slope = 0.5 * xp.log((gradient**2).sum(-1) + 1e-12)
        time = xp.zeros_like(slope) + i / self.n_steps
        features = [logs[0], logs[0] - logs[1], logs[0] - logs[2], slope, time]
        return xp.clip(xp.stack(features, -1), -5.0, 5.0)


@parameters
class MetaControlClassifier(MLPClassifierMixin, FewShotClassifier, _MetaControl):
    """Perceptron trained under learned control, for classification.

    `fit` trains a perceptron from random weights by gradient descent on the support examples. At
    each step a small network looks at the course of the training (support loss, progress, trend,
    length of the gradient, time) and decides on step size, momentum and whether to stop. The outer
    loop learns the controller, so that the query loss is small where it stops.

    Without meta-training, `fit` trains random weights on the support examples with Adam.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(20,)
        Widths of the hidden layers of the network to be trained; ``()`` is a linear model.
    n_units : int, default=20
        Hidden units of the controller.
    n_steps : int, default=40
        Largest number of steps.
    step_cost : float, default=0.01
        Price of all `n_steps` steps, in units of the query loss.
    n_way : int, default=5
        Classes of an episode. Training with more classes than will be met helps.
    n_shots : int or (int, int), default=5
        Support examples of each class; a pair gives a range to draw from.
    n_query : int, default=5
        Queries of each class.
    standardize : bool, default=True
        Whether to standardise columns with mean and scale over all tasks.
    outer : OuterLoop or None, default=None
        Settings of the outer loop; None for 400 updates.
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
    loss_curve_ : list of float
        Support loss before each step that was considered.
    learning_rate_curve_ : list of float
        The step sizes.
    scaling_ : dict of str to ndarray
        How columns are standardised.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if all are strings.

    See Also
    --------
    MetaControlRegressor : The same method for regression.

    References
    ----------
    C. Daniel, J. Taylor and S. Nowozin (2016). "Learning Step Size Controllers for Robust Neural
    Network Training". AAAI.

    A. Graves (2016). "Adaptive Computation Time for Recurrent Neural Networks". arXiv:1603.08983.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sk_metalearn.metalearners import MetaControlClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> MetaControlClassifier(random_state=0).fit(X[:50], y[:50]).predict_proba(X[50:]).shape
    (1747, 10)
    """


@parameters
class MetaControlRegressor(MLPRegressorMixin, FewShotRegressor, _MetaControl):
    """Perceptron trained under learned control, for regression.

    `fit` trains a perceptron from random weights by gradient descent on the support examples. At
    each step a small network looks at the course of the training (support loss, progress, trend,
    length of the gradient, time) and decides on step size, momentum and whether to stop. The outer
    loop learns the controller, so that the query loss is small where it stops.

    Without meta-training, `fit` trains random weights on the support examples with Adam.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(20,)
        Widths of the hidden layers of the network to be trained; ``()`` is a linear model.
    n_units : int, default=20
        Hidden units of the controller.
    n_steps : int, default=40
        Largest number of steps.
    step_cost : float, default=0.01
        Price of all `n_steps` steps, in units of the query loss.
    n_shots : int or (int, int), default=10
        Support examples of an episode; a pair gives a range to draw from.
    n_query : int, default=10
        Queries of an episode.
    standardize : bool, default=True
        Whether to standardise columns and target with mean and scale over all tasks.
    outer : OuterLoop or None, default=None
        Settings of the outer loop; None for 400 updates.
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
    loss_curve_ : list of float
        Support loss before each step that was considered.
    learning_rate_curve_ : list of float
        The step sizes.
    scaling_ : dict of str to ndarray
        How columns and target are standardised.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if all are strings.

    See Also
    --------
    MetaControlClassifier : The same method for classification.

    References
    ----------
    C. Daniel, J. Taylor and S. Nowozin (2016). "Learning Step Size Controllers for Robust Neural
    Network Training". AAAI.

    A. Graves (2016). "Adaptive Computation Time for Recurrent Neural Networks". arXiv:1603.08983.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_metalearn.metalearners import MetaControlRegressor
    >>> X = np.linspace(-3, 3, 20)[:, None]
    >>> MetaControlRegressor(random_state=0).fit(X, np.sin(X[:, 0])).predict(X).shape
    (20,)
    """
