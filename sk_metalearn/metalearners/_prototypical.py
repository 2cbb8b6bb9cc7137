"""Prototypical networks: the nearest class mean in a learned space."""

import numpy as np

from ._backend import namespace, squared_distances, transpose
from ._embedding import EmbeddingLearner, embed, init_embedding
from ._meta_learner import FewShotClassifier, parameters


@parameters
class PrototypicalNetworkClassifier(FewShotClassifier, EmbeddingLearner):
    """Prototypical network: softmax over distances to class means in a learned space.

    `fit` averages the embedded support examples of each class; a query belongs to the class whose
    mean is near in squared Euclidean distance. The outer loop learns the embedding.

    Without meta-training this is the nearest centroid of the standardised support examples.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(64,)
        Widths of the hidden layers of the embedding.
    n_components : int or None, default=None
        Dimension of the learned space. None takes the number of features, but at least 32; then
        the space is the input space at first.
    n_way : int, default=5
        Classes of an episode. Training with more classes than will be met helps.
    n_shots : int or (int, int), default=5
        Support examples of each class; a pair gives a range to draw from.
    n_query : int, default=5
        Queries of each class.
    standardize : bool, default=True
        Whether to standardise columns with mean and scale over all tasks.
    outer : OuterLoop or None, default=None
        Settings of the outer loop; None for a step size of 0.0003.
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
    state_ : ndarray of shape (1, n_classes, n_components)
        The prototypes.
    scaling_ : dict of str to ndarray
        How columns are standardised.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if all are strings.

    References
    ----------
    J. Snell, K. Swersky and R. Zemel (2017). "Prototypical Networks for Few-shot Learning".
    NeurIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sk_metalearn.metalearners import PrototypicalNetworkClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> learner = PrototypicalNetworkClassifier().fit(X[:50], y[:50])
    >>> bool(learner.score(X[50:], y[50:]) > 0.7)
    True
    """

    method = "prototypical"
    _raw_params = {"log_scale": 0.0}

    def _initial_params(self, rng, n_features, n_outputs):
        params = init_embedding(rng, n_features, self.hidden_layer_sizes, self.n_components)
        return params | {"log_scale": np.array(0, dtype=np.float32)}

    def _adapt(self, params, X, Y):
        return transpose(Y) @ embed(params, X) / Y.sum(-2)[..., None]

    def _query(self, params, state, X):
        scale = namespace(X).exp(params["log_scale"])
        return -scale * squared_distances(embed(params, X), state)
