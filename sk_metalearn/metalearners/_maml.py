"""MAML: an initialisation from which a few gradient steps solve a new task."""

from ._base import FewShotClassifier, FewShotRegressor
from ._mlp_learner import MLP_CONSTRAINTS, MLPClassifierMixin, MLPRegressorMixin, head_for


class _MAML:
    """The method, for either kind of task."""

    method = "maml"

    def _episode_loss(self, params, X_support, Y_support, X_query, Y_query, rng):
        net = head_for(params, Y_support.shape[-1])
        net = self._descend(net, X_support, Y_support, self.n_steps, self.first_order)
        return self._loss(self._query(params, {"net": net}, X_query), Y_query)


class MAMLRegressor(_MAML, MLPRegressorMixin, FewShotRegressor):
    """Model-agnostic meta-learning of a perceptron, for regression.

    The outer loop looks for weights from which `n_steps` steps of gradient descent on the support
    examples give a small error on the queries, and differentiates through these steps. The inner
    loop takes the steps.

    Without meta-training, `fit` trains random weights on the support examples with Adam.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(40, 40)
        Widths of the hidden layers.
    inner_learning_rate : float, default=0.01
        Step size of the inner loop.
    n_steps : int, default=1
        Steps of the inner loop while meta-training. With 0 this is joint pre-training.
    n_adapt_steps : int or None, default=None
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
        Settings of the outer loop; None for ``OuterLoop()``.
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

    _parameter_constraints: dict = {
        **FewShotRegressor._parameter_constraints,
        **MLP_CONSTRAINTS,
        "first_order": ["boolean"],
    }

    def __init__(
        self,
        hidden_layer_sizes=(40, 40),
        *,
        inner_learning_rate=0.01,
        n_steps=1,
        n_adapt_steps=None,
        first_order=False,
        n_shots=10,
        n_query=10,
        standardize=True,
        outer=None,
        weights=None,
        random_state=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.inner_learning_rate = inner_learning_rate
        self.n_steps = n_steps
        self.n_adapt_steps = n_adapt_steps
        self.first_order = first_order
        self.n_shots = n_shots
        self.n_query = n_query
        self.standardize = standardize
        self.outer = outer
        self.weights = weights
        self.random_state = random_state


class MAMLClassifier(_MAML, MLPClassifierMixin, FewShotClassifier):
    """Model-agnostic meta-learning of a perceptron, for classification.

    The outer loop looks for weights from which `n_steps` steps of gradient descent on the support
    examples classify the queries well, and differentiates through these steps. The inner loop
    takes the steps. Labels are shuffled from episode to episode, so no output stands for a class.

    Without meta-training, `fit` trains random weights on the support examples with Adam.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(64, 64)
        Widths of the hidden layers.
    inner_learning_rate : float, default=0.1
        Step size of the inner loop.
    n_steps : int, default=5
        Steps of the inner loop while meta-training. With 0 this is joint pre-training.
    n_adapt_steps : int or None, default=None
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
        Settings of the outer loop; None for ``OuterLoop()``.
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

    _parameter_constraints: dict = {
        **FewShotClassifier._parameter_constraints,
        **MLP_CONSTRAINTS,
        "first_order": ["boolean"],
    }

    def __init__(
        self,
        hidden_layer_sizes=(64, 64),
        *,
        inner_learning_rate=0.1,
        n_steps=5,
        n_adapt_steps=None,
        first_order=False,
        n_way=5,
        n_shots=5,
        n_query=5,
        standardize=True,
        outer=None,
        weights=None,
        random_state=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.inner_learning_rate = inner_learning_rate
        self.n_steps = n_steps
        self.n_adapt_steps = n_adapt_steps
        self.first_order = first_order
        self.n_way = n_way
        self.n_shots = n_shots
        self.n_query = n_query
        self.standardize = standardize
        self.outer = outer
        self.weights = weights
        self.random_state = random_state
