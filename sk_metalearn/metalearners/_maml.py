"""MAML: an initialisation from which a few gradient steps solve a new task."""

from dataclasses import KW_ONLY

from ._meta_learner import FewShotClassifier, FewShotRegressor, parameters
from ._mlp_learner import (
    MLP_CONSTRAINTS,
    MLPClassifierMixin,
    MLPLearner,
    MLPRegressorMixin,
    head_for,
)
from ._outer_loop import OuterLoop


@parameters
class _MAML(MLPLearner):
    """The method, for either kind of task."""

    method = "maml"

    hidden_layer_sizes: tuple = (64, 64)
    _: KW_ONLY
    inner_learning_rate: float = 0.05
    n_steps: int = 3
    n_adapt_steps: int | None = 10
    first_order: bool = False

    _parameter_constraints = {
        **MLP_CONSTRAINTS,
        "first_order": ["boolean"],
    }

    def _default_outer(self):
        rate = 3e-3 if self.kind == "regression" else 1e-3
        return OuterLoop(max_iter=4000, learning_rate=rate)

    def _episode_loss(self, params, X_support, Y_support, X_query, Y_query, rng):
        net = head_for(params, Y_support.shape[-1])
        net = self._descend(net, X_support, Y_support, self.n_steps, self.first_order)
        return self._loss(self._query(params, {"net": net}, X_query), Y_query)


@parameters
class MAMLRegressor(MLPRegressorMixin, FewShotRegressor, _MAML):
    """Model-agnostic meta-learning of a perceptron, for regression.

    The outer loop looks for weights from which `n_steps` steps of gradient descent on the support
    examples give a small error on the queries, and differentiates through these steps. The inner
    loop takes the steps.

    Without meta-training, `fit` trains random weights on the support examples with Adam.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(64, 64)
        Widths of the hidden layers.
    inner_learning_rate : float, default=0.05
        Step size of the inner loop.
    n_steps : int, default=3
        Steps of the inner loop while meta-training. With 0 this is joint pre-training.
    n_adapt_steps : int or None, default=10
        Steps that `fit` takes; None takes `n_steps`.
    first_order : bool, default=False
        Whether to drop the second derivatives (first-order MAML).
    n_shots : int or (int, int), default=10
        Support examples of an episode; a pair gives a range to draw from.
    n_query : int, default=10
        Queries of an episode.
    standardize : bool, default=True
        Whether to standardise columns and target with mean and scale over all tasks.
    outer : OuterLoop or None, default=None
        Settings of the outer loop; None for at most 4000 updates, at
        step size 0.003 for regression and 0.001 for classification.
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
    MAMLClassifier : The same method for classification.

    References
    ----------
    C. Finn, P. Abbeel and S. Levine (2017). "Model-Agnostic Meta-Learning for Fast Adaptation of
    Deep Networks". ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_metalearn.metalearners import MAMLRegressor
    >>> X = np.linspace(-3, 3, 20)[:, None]
    >>> MAMLRegressor(random_state=0).fit(X, np.sin(X[:, 0])).predict(X).shape
    (20,)
    """


@parameters
class MAMLClassifier(MLPClassifierMixin, FewShotClassifier, _MAML):
    """Model-agnostic meta-learning of a perceptron, for classification.

    The outer loop looks for weights from which `n_steps` steps of gradient descent on the support
    examples classify the queries well, and differentiates through these steps. The inner loop
    takes the steps. Labels are shuffled from episode to episode, so no output stands for a class.

    Without meta-training, `fit` trains random weights on the support examples with Adam.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(64, 64)
        Widths of the hidden layers.
    inner_learning_rate : float, default=0.05
        Step size of the inner loop.
    n_steps : int, default=3
        Steps of the inner loop while meta-training. With 0 this is joint pre-training.
    n_adapt_steps : int or None, default=10
        Steps that `fit` takes; None takes `n_steps`.
    first_order : bool, default=False
        Whether to drop the second derivatives (first-order MAML).
    n_way : int, default=5
        Classes of an episode.
    n_shots : int or (int, int), default=5
        Support examples of each class; a pair gives a range to draw from.
    n_query : int, default=5
        Queries of each class.
    standardize : bool, default=True
        Whether to standardise columns with mean and scale over all tasks.
    outer : OuterLoop or None, default=None
        Settings of the outer loop; None for at most 4000 updates, at
        step size 0.003 for regression and 0.001 for classification.
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
    MAMLRegressor : The same method for regression.

    References
    ----------
    C. Finn, P. Abbeel and S. Levine (2017). "Model-Agnostic Meta-Learning for Fast Adaptation of
    Deep Networks". ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sk_metalearn.metalearners import MAMLClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> MAMLClassifier(random_state=0).fit(X[:50], y[:50]).predict_proba(X[50:]).shape
    (1747, 10)
    """
