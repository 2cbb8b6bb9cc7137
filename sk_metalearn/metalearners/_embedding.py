"""What the metric learners share: an embedding of examples in which they compare."""

from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from .._compat import Interval
from ._meta_learner import BaseMetaLearner, parameters
from ._networks import init_mlp, mlp, n_layers
from ._outer_loop import OuterLoop

_LEAST_COMPONENTS = 32


def init_embedding(rng, n_features, hidden_layer_sizes, n_components):
    """Draw an embedding that begins as the input space.

    It is the sum of a linear map, first the identity (a random projection, if `n_components` is
    smaller), and of a perceptron whose last layer is first zero.

    Parameters
    ----------
    rng : numpy.random.RandomState
        Source of the draws.
    n_features : int
        Width of the examples.
    hidden_layer_sizes : sequence of int
        Widths of the hidden layers of the perceptron.
    n_components : int or None
        Dimension of the space; None takes the number of features, but at least 32.

    Returns
    -------
    dict of str to ndarray
        The weights.
    """
    n_components = n_components or max(n_features, _LEAST_COMPONENTS)
    params = init_mlp(rng, [n_features, *hidden_layer_sizes, n_components])
    params[f"W{len(hidden_layer_sizes)}"][:] = 0
    size = max(n_features, n_components)
    linear = np.eye(size)
    if n_components < n_features:
        linear = np.linalg.qr(rng.standard_normal((size, size)))[0]
    return params | {"linear": linear[:n_features, :n_components].astype(np.float32)}


def embed(params, x):
    """Apply the embedding; without weights it is the identity."""
    return mlp(params, x) + x @ params["linear"] if n_layers(params) else x


@parameters
class EmbeddingLearner(BaseMetaLearner):
    """A learner whose weights embed examples; the input space itself where nothing was learned."""

    hidden_layer_sizes: tuple = (64,)
    n_components: int | None = None

    _parameter_constraints = {
        "hidden_layer_sizes": [tuple, list],
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
    }

    _raw_params = {}
    _first_log_scales = np.linspace(-8, 6, 29)

    def _default_outer(self):
        return OuterLoop(learning_rate=3e-4 if self.kind == "classification" else 3e-3)

    def _fit_untrained(self, rng, X, Y):
        params = {key: np.float64(value) for key, value in self._raw_params.items()}
        return params, self._adapt(params, X, Y)

    def _before_meta_fit(self, params, batch):
        """Begin with the sharpness of the softmax that suits the input space best."""
        if "log_scale" not in params:
            return params
        scales = self._first_log_scales.astype(np.float32)
        candidates = [params | {"log_scale": scale} for scale in scales]
        losses = [self._episode_loss(candidate, *batch, None) for candidate in candidates]
        return candidates[int(np.argmin(losses))]

    def embed(self, X):
        """Map examples to the learned space.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Examples, in the columns of `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Euclidean distances (cosines, for matching networks) mean similarity.
        """
        check_is_fitted(self, "state_")
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        return embed(self.params_, self._scale(X, "x"))
