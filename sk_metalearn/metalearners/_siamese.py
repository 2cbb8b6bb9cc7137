"""Siamese networks: a space in which examples of the same class are near, by contrastive loss."""

from dataclasses import KW_ONLY
from numbers import Real

import numpy as np

from .._compat import Interval
from ._backend import as_array_of, namespace, relu, squared_distances, transpose
from ._embedding import EmbeddingLearner, embed, init_embedding
from ._meta_learner import FewShotClassifier, parameters
from ._outer_loop import OuterLoop


@parameters
class _SiameseNetwork(EmbeddingLearner):
    """The method."""

    method = "siamese"

    _: KW_ONLY
    margin: float = 15.0

    _parameter_constraints = {"margin": [Interval(Real, 0, None, closed="neither")]}

    def _default_outer(self):
        # Long training by this loss takes the space away from what the neighbour needs.
        return OuterLoop(
            max_iter=600, learning_rate=2e-4, validation_interval=50, n_iter_no_change=4
        )

    def _initial_params(self, rng, n_features, n_outputs):
        return init_embedding(rng, n_features, self.hidden_layer_sizes, self.n_components)

    def _before_meta_fit(self, params, batch):
        """Begin with examples of different classes about the margin apart."""
        different = batch.Y_support @ transpose(batch.Y_support) == 0
        embedded = embed(params, batch.X_support)
        distances = np.sqrt(squared_distances(embedded, embedded))[different]
        return params | {"linear": params["linear"] * np.float32(self.margin / distances.mean())}

    def _adapt(self, params, X, Y):
        return embed(params, X), Y

    def _query(self, params, state, X):
        keys, Y = state
        distances = squared_distances(embed(params, X), keys)
        others = np.where(np.swapaxes(Y, -1, -2) > 0, 0.0, np.inf)
        return -(distances[..., None, :] + others[..., None, :, :]).min(-1) / self.margin**2

    def _episode_loss(self, params, X_support, Y_support, X_query, Y_query, rng):
        xp = namespace(X_support)
        Y = xp.concatenate([Y_support, Y_query], -2)
        embedded = embed(params, xp.concatenate([X_support, X_query], -2))
        same = Y @ transpose(Y)
        pairs = 1 - as_array_of(np.eye(Y.shape[-2], dtype="f"), like=Y)
        distance = xp.sqrt(squared_distances(embedded, embedded) + 1e-6)
        near = (same * pairs * distance**2).sum() / (same * pairs).sum()
        far = ((1 - same) * relu(self.margin - distance) ** 2).sum() / (1 - same).sum()
        return 0.5 * (near + far)


@parameters
class SiameseNetworkClassifier(FewShotClassifier, _SiameseNetwork):
    """Siamese network: nearest neighbour in a space learned by contrastive loss.

    The outer loop looks at pairs of examples through twin networks: with d the distance of their
    embeddings, a pair of the same class costs ``d ** 2`` and a pair of different classes costs
    ``max(0, margin - d) ** 2``; either sort of pair has half of the weight. `fit` embeds the
    support examples; a query gets the class of the nearest. `embed` gives the space itself, for
    retrieval.

    Without meta-training this is the nearest neighbour of the standardised support examples.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(64,)
        Widths of the hidden layers of the embedding.
    n_components : int or None, default=None
        Dimension of the learned space. None takes the number of features, but at least 32; then
        the space is the input space at first.
    margin : float, default=15.0
        Distance beyond which a pair of different classes costs nothing. Examples of different
        classes are about this far apart at first, so that a larger margin means smaller steps.
    n_way : int, default=5
        Classes of an episode. Training with more classes than will be met helps.
    n_shots : int or (int, int), default=5
        Support examples of each class; a pair gives a range to draw from.
    n_query : int, default=5
        Queries of each class.
    standardize : bool, default=True
        Whether to standardise columns with mean and scale over all tasks.
    outer : OuterLoop or None, default=None
        Settings of the outer loop; None for at most 600 updates at step
        size 0.0002.
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
        The embedded support examples and their labels.
    scaling_ : dict of str to ndarray
        How columns are standardised.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if all are strings.

    References
    ----------
    J. Bromley, I. Guyon, Y. LeCun, E. Saeckinger and R. Shah (1993). "Signature Verification using
    a Siamese Time Delay Neural Network". NeurIPS.

    R. Hadsell, S. Chopra and Y. LeCun (2006). "Dimensionality Reduction by Learning an Invariant
    Mapping". CVPR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sk_metalearn.metalearners import SiameseNetworkClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> learner = SiameseNetworkClassifier().fit(X[:50], y[:50])
    >>> bool(learner.score(X[50:], y[50:]) > 0.7)
    True
    """
