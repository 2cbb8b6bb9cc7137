"""Matching networks: attention over the support examples in a learned space."""

import numpy as np

from ._backend import namespace, normalize, softmax, transpose
from ._embedding import EmbeddingLearner, embed, init_embedding
from ._meta_learner import FewShotClassifier, FewShotRegressor, parameters


class _MatchingNetwork(EmbeddingLearner):
    """The method, for either kind of task."""

    method = "matching"
    _raw_params = {"log_scale": 4.0, "log_noise": -4.0}
    _first_log_scales = np.linspace(1, 6, 11)  # flatter, and the cosines are never learned

    def _initial_params(self, rng, n_features, n_outputs):
        params = init_embedding(rng, n_features, self.hidden_layer_sizes, self.n_components)
        offset = params[f"b{len(self.hidden_layer_sizes)}"]
        # Beside a constant, cosines tell how long an example is, not only where it points.
        offset[n_features : n_features + 1] = 1
        return params | {"log_scale": np.array(2.0, "f"), "log_noise": np.array(-2.0, "f")}

    def _adapt(self, params, X, Y):
        return normalize(embed(params, X)), Y

    def _attention(self, params, keys, X):
        """Softmax over the cosines of queries and support examples."""
        cosines = normalize(embed(params, X)) @ transpose(keys)
        return softmax(namespace(X).exp(params["log_scale"]) * cosines)


@parameters
class MatchingNetworkClassifier(FewShotClassifier, _MatchingNetwork):
    """Matching network: attention over the support examples, for classification.

    `fit` embeds the support examples; the probabilities of a query are the mean of their labels,
    weighted by a softmax of cosines in the learned space. The outer loop learns the embedding and
    the sharpness of the softmax. The embedding of an example does not depend on the others (the
    paper's version without full context embeddings).

    Without meta-training this is a sharp attention over the standardised support examples.

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
        Settings of the outer loop; None for a step size of 0.003 for
        regression and 0.0003 for classification.
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
    state_ : tuple
        The embedded support examples and their targets.
    scaling_ : dict of str to ndarray
        How columns are standardised.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if all are strings.

    See Also
    --------
    MatchingNetworkRegressor : The same method for regression.

    References
    ----------
    O. Vinyals, C. Blundell, T. Lillicrap, K. Kavukcuoglu and D. Wierstra (2016). "Matching
    Networks for One Shot Learning". NeurIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sk_metalearn.metalearners import MatchingNetworkClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> learner = MatchingNetworkClassifier().fit(X[:50], y[:50])
    >>> bool(learner.score(X[50:], y[50:]) > 0.7)
    True
    """

    def _query(self, params, state, X):
        keys, Y = state
        attention = self._attention(params, keys, X)
        return namespace(X).log(attention @ Y + 1e-6)


@parameters
class MatchingNetworkRegressor(FewShotRegressor, _MatchingNetwork):
    """Matching network: attention over the support examples, for regression.

    `fit` embeds the support examples; the prediction of a query is the mean of their targets,
    weighted by a softmax of cosines in the learned space, and its variance is their weighted
    variance plus a learned noise. The outer loop learns the embedding, the sharpness of the
    softmax and the noise.

    Without meta-training this is a sharp attention over the standardised support examples.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(64,)
        Widths of the hidden layers of the embedding.
    n_components : int or None, default=None
        Dimension of the learned space. None takes the number of features, but at least 32; then
        the space is the input space at first.
    n_shots : int or (int, int), default=10
        Support examples of an episode; a pair gives a range to draw from.
    n_query : int, default=10
        Queries of an episode.
    standardize : bool, default=True
        Whether to standardise columns and target with mean and scale over all tasks.
    outer : OuterLoop or None, default=None
        Settings of the outer loop; None for a step size of 0.003 for
        regression and 0.0003 for classification.
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
    state_ : tuple
        The embedded support examples and their targets.
    scaling_ : dict of str to ndarray
        How columns and target are standardised.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if all are strings.

    See Also
    --------
    MatchingNetworkClassifier : The same method for classification.

    References
    ----------
    O. Vinyals, C. Blundell, T. Lillicrap, K. Kavukcuoglu and D. Wierstra (2016). "Matching
    Networks for One Shot Learning". NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_metalearn.metalearners import MatchingNetworkRegressor
    >>> X = np.random.RandomState(0).normal(size=(30, 2))
    >>> mean, std = MatchingNetworkRegressor().fit(X, X[:, 0]).predict(X, return_std=True)
    >>> mean.shape, std.shape
    ((30,), (30,))
    """

    def _query(self, params, state, X):
        xp = namespace(X)
        keys, Y = state
        attention = self._attention(params, keys, X)
        mean = attention @ Y
        variance = (attention * (transpose(Y) - mean) ** 2).sum(-1)[..., None]
        return xp.concatenate([mean, xp.log(variance + xp.exp(params["log_noise"]))], -1)
