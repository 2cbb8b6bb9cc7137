"""Reptile: move the initialisation towards where gradient descent on each task ends."""

from dataclasses import KW_ONLY
from numbers import Integral

import numpy as np

from .._compat import Interval
from ._meta_learner import FewShotClassifier, FewShotRegressor, parameters
from ._mlp_learner import (
    MLP_CONSTRAINTS,
    MLPClassifierMixin,
    MLPLearner,
    MLPRegressorMixin,
    head_for,
)
from ._networks import mlp
from ._outer_loop import OuterLoop


@parameters
class _Reptile(MLPLearner):
    """The method, for either kind of task; plain numpy throughout."""

    method = "reptile"

    hidden_layer_sizes: tuple = (64, 64)
    _: KW_ONLY
    inner_learning_rate: float = 0.02
    n_steps: int = 10
    n_adapt_steps: int | None = 30
    inner_batch_size: int = 10

    _parameter_constraints = {
        **MLP_CONSTRAINTS,
        "inner_batch_size": [Interval(Integral, 1, None, closed="left")],
    }

    def _default_outer(self):
        return OuterLoop(
            max_iter=10000, optimizer="sgd", learning_rate=0.5, validation_interval=250
        )

    def _meta_gradient(self, params, episodes, rng):
        """Difference between the weights and where the inner loop takes them, as a gradient."""
        X_support, Y_support, X_query, Y_query = episodes
        X = np.concatenate([X_support, X_query], 1)
        Y = np.concatenate([Y_support, Y_query], 1)
        net = start = head_for(params, Y.shape[-1])
        size = min(self.inner_batch_size, X.shape[1])
        loss = float(self._loss(mlp(start, X), Y))
        for _ in range(self.n_steps):
            rows = rng.permutation(X.shape[1])[:size]
            net = self._descend(net, X[:, rows], Y[:, rows], 1)
        gradient = {key: np.zeros_like(value) for key, value in params.items()}
        for key, value in start.items():
            gradient[key][..., : value.shape[-1]] = value - net[key].mean(0)
        return loss, gradient


@parameters
class ReptileRegressor(MLPRegressorMixin, FewShotRegressor, _Reptile):
    """Reptile: a learned initialisation of a perceptron, for regression.

    The outer loop runs `n_steps` steps of gradient descent on a task and moves the initial weights
    a part of the way to where they led; no second derivatives and no PyTorch. The inner loop takes
    the steps.

    Without meta-training, `fit` trains random weights on the support examples with Adam.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(64, 64)
        Widths of the hidden layers.
    inner_learning_rate : float, default=0.02
        Step size of the inner loop.
    n_steps : int, default=10
        Steps of the inner loop while meta-training.
    n_adapt_steps : int or None, default=30
        Steps that `fit` takes; None takes `n_steps`.
    inner_batch_size : int, default=10
        Examples (of support and queries together) in a step of meta-training.
    n_shots : int or (int, int), default=10
        Support examples of an episode; a pair gives a range to draw from.
    n_query : int, default=10
        Queries of an episode.
    standardize : bool, default=True
        Whether to standardise columns and target with mean and scale over all tasks.
    outer : OuterLoop or None, default=None
        Settings of the outer loop; None for at most 10000 updates by
        plain gradient descent at step size 0.5.
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
        The weights `fit` started from.
    state_ : dict
        The adapted network.
    scaling_ : dict of str to ndarray
        How columns and target are standardised.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if all are strings.

    See Also
    --------
    ReptileClassifier : The same method for classification.

    References
    ----------
    A. Nichol, J. Achiam and J. Schulman (2018). "On First-Order Meta-Learning Algorithms".
    arXiv:1803.02999.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_metalearn.metalearners import ReptileRegressor
    >>> X = np.linspace(-3, 3, 20)[:, None]
    >>> ReptileRegressor(random_state=0).fit(X, np.sin(X[:, 0])).predict(X).shape
    (20,)
    """


@parameters
class ReptileClassifier(MLPClassifierMixin, FewShotClassifier, _Reptile):
    """Reptile: a learned initialisation of a perceptron, for classification.

    The outer loop runs `n_steps` steps of gradient descent on a task and moves the initial weights
    a part of the way to where they led; no second derivatives and no PyTorch. The inner loop takes
    the steps. Labels are shuffled from episode to episode, so no output stands for a class.

    Without meta-training, `fit` trains random weights on the support examples with Adam.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(64, 64)
        Widths of the hidden layers.
    inner_learning_rate : float, default=0.02
        Step size of the inner loop.
    n_steps : int, default=10
        Steps of the inner loop while meta-training.
    n_adapt_steps : int or None, default=30
        Steps that `fit` takes; None takes `n_steps`.
    inner_batch_size : int, default=10
        Examples (of support and queries together) in a step of meta-training.
    n_way : int, default=5
        Classes of an episode.
    n_shots : int or (int, int), default=5
        Support examples of each class; a pair gives a range to draw from.
    n_query : int, default=5
        Queries of each class.
    standardize : bool, default=True
        Whether to standardise columns with mean and scale over all tasks.
    outer : OuterLoop or None, default=None
        Settings of the outer loop; None for at most 10000 updates by
        plain gradient descent at step size 0.5.
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
        The weights `fit` started from.
    state_ : dict
        The adapted network.
    scaling_ : dict of str to ndarray
        How columns are standardised.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if all are strings.

    See Also
    --------
    ReptileRegressor : The same method for regression.

    References
    ----------
    A. Nichol, J. Achiam and J. Schulman (2018). "On First-Order Meta-Learning Algorithms".
    arXiv:1803.02999.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sk_metalearn.metalearners import ReptileClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> ReptileClassifier(random_state=0).fit(X[:50], y[:50]).predict_proba(X[50:]).shape
    (1747, 10)
    """
