"""The one interface of all meta-learners: outer loop, inner loop, prediction."""

import os
from abc import ABCMeta, abstractmethod
from dataclasses import KW_ONLY, dataclass
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from .._compat import Interval, _fit_context
from ._backend import log_softmax, namespace, softmax, squared_distances, value_and_grad
from ._episodes import TaskSet, _mean_and_scale, one_hot
from ._outer_loop import OuterLoop
from ._weights import MetaWeights

_CHUNK = 256  # queries answered at once
_SHARPNESS = 4.5  # a neighbour at the mean nearest distance weighs exp(-4.5) = 0.011

# The annotated names of a class are parameters of the learner; `__init__` stores them.
parameters = dataclass(eq=False, repr=False)


class BaseMetaLearner(BaseEstimator, metaclass=ABCMeta):
    """Base class of the meta-learners.

    A method derives from this class, names itself in `method`, and writes three pure functions of
    a dictionary of arrays: `_initial_params`, `_adapt` (what `fit` does) and `_query` (what
    `predict` does). They are called on PyTorch tensors while meta-training and on numpy arrays
    afterwards. Its outer loss is that of the queries unless it overrides `_episode_loss`. With
    :class:`FewShotClassifier` or :class:`FewShotRegressor` before it in the bases, a method is a
    learner.

    Until `meta_fit` was called or `weights` were given nothing is known about other tasks; `fit`
    and `predict` then answer with the nearest neighbours of the standardised support examples,
    unless the method documents otherwise.
    """

    method = None
    kind = None

    def __init_subclass__(cls, **options):
        """Let the constraints of a method and those of a kind of task add up."""
        super().__init_subclass__(**options)
        cls._parameter_constraints = {
            name: constraint
            for base in reversed(cls.__mro__)
            for name, constraint in vars(base).get("_parameter_constraints", {}).items()
        }

    # What a method provides ------------------------------------------------------------------

    @abstractmethod
    def _initial_params(self, rng, n_features, n_outputs):
        """Draw the weights from which meta-training starts."""

    @abstractmethod
    def _adapt(self, params, X, Y):
        """Inner loop: turn support examples (n_tasks, n_support, .) into a state."""

    @abstractmethod
    def _query(self, params, state, X):
        """Answer queries (n_tasks, n_query, .): logits, mean, or mean and log-variance."""

    def _episode_loss(self, params, X_support, Y_support, X_query, Y_query, rng):
        """Outer loss of a batch of episodes: that of the queries after adaptation."""
        outputs = self._query(params, self._adapt(params, X_support, Y_support), X_query)
        return self._loss(outputs, Y_query)

    def _meta_gradient(self, params, episodes, rng):
        """Outer loss and its gradient."""
        return value_and_grad(lambda *args: self._episode_loss(*args, rng), params, *episodes)

    def _before_meta_fit(self, params, batch):
        """Adjust the first weights to a batch of training episodes."""
        return params

    def _after_meta_fit(self, params, batches):
        """Add to the best weights what is learned from the validation episodes."""
        return params

    def _fit_untrained(self, rng, X, Y):
        """Weights and state when nothing was meta-trained; no weights: nearest neighbours."""
        return None, (X, Y)

    def _n_slots(self, params):
        """Largest number of classes the weights can tell apart; None if any."""
        return None

    # Outer loop --------------------------------------------------------------------------------

    @_fit_context(prefer_skip_nested_validation=True)
    def meta_fit(self, tasks, validation_tasks=None):
        """Learn across tasks.

        Parameters
        ----------
        tasks : sequence of (X, y)
            Past tasks, all with the same columns.
        validation_tasks : sequence of (X, y) or None, default=None
            Tasks on which early stopping is judged. None holds out some of `tasks` (of the
            classes, if there is a single classification task).

        Returns
        -------
        self : object
            The meta-trained learner.
        """
        rng = check_random_state(self.random_state)
        outer = self.outer or self._default_outer()
        known = self._given_weights()
        shape = (self.kind, self.n_shots, self.n_query, getattr(self, "n_way", None))
        train = TaskSet(tasks, *shape)
        if validation_tasks is None:
            train, validation = train.split(outer.validation_fraction, rng)
        else:
            validation = TaskSet(validation_tasks, *shape)
            if validation.n_features != train.n_features:
                raise ValueError(
                    f"Tasks of different widths: tasks have {train.n_features} features, "
                    f"validation_tasks have {validation.n_features}."
                )
        if known is not None:
            self._check_width(known, train.n_features)
            params, scaling = known.params, known.scaling
        else:
            params = self._initial_params(rng, train.n_features, train.n_outputs)
            scaling = train.scaling() if self.standardize else {}
        train, validation = train.scaled(scaling), validation.scaled(scaling)
        if known is None:
            params = self._before_meta_fit(params, train.sample(rng, outer.n_validation_episodes))
        n_batches = -(-outer.n_validation_episodes // outer.batch_size)
        batches = [validation.sample(rng, outer.batch_size) for _ in range(n_batches)]
        seed = rng.randint(2**31 - 1)

        def gradient(params):
            return self._meta_gradient(params, train.sample(rng, outer.batch_size), rng)

        def validate(params):
            fixed = np.random.RandomState(seed)
            return np.mean([self._episode_loss(params, *batch, fixed) for batch in batches])

        params, self.history_ = outer.run(params, gradient, validate, self.method)
        params = self._after_meta_fit(params, batches)
        self.meta_weights_ = MetaWeights(self.method, self.kind, train.n_features, params, scaling)
        return self

    def _default_outer(self):
        return OuterLoop()

    def _given_weights(self):
        """Return the weights of the parameter `weights`, checked to belong to this method."""
        weights = self.weights
        if weights is not None and not isinstance(weights, MetaWeights):
            weights = MetaWeights.load(weights)
        if weights is not None and (weights.method, weights.kind) != (self.method, self.kind):
            raise ValueError(
                f"The weights were learned by {weights.method!r} for {weights.kind}; "
                f"{type(self).__name__} needs weights of {self.method!r} for {self.kind}."
            )
        return weights

    @staticmethod
    def _check_width(weights, n_features):
        if weights.n_features != n_features:
            raise ValueError(
                f"X has {n_features} features, but the meta-trained weights expect "
                f"{weights.n_features} features as in the tasks they were learned on."
            )

    # Inner loop --------------------------------------------------------------------------------

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
        """Adapt to one task from a few examples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Support examples.
        y : array-like of shape (n_samples,)
            Their targets.

        Returns
        -------
        self : object
            The adapted learner.
        """
        X, Y = self._check_support(X, y)
        weights = getattr(self, "meta_weights_", None)
        if weights is None:
            weights = self._given_weights()
        if weights is not None:
            self._check_width(weights, X.shape[1])
            self.scaling_ = weights.scaling
        else:
            self.scaling_ = _mean_and_scale(X, "x")
            if self.kind == "regression":
                self.scaling_ |= _mean_and_scale(Y, "y")
        X, Y = self._scale(X, "x")[None], self._scale(Y, "y")[None]
        if weights is None:
            rng = check_random_state(self.random_state)
            self.params_, self.state_ = self._fit_untrained(rng, X, Y)
            return self
        n_slots = self._n_slots(weights.params)
        if self.kind == "classification" and n_slots is not None and Y.shape[-1] > n_slots:
            raise ValueError(
                f"The support set has {Y.shape[-1]} classes; the weights were meta-trained for at "
                f"most {n_slots}. Meta-train with a larger n_way."
            )
        self.params_ = weights.params
        self.state_ = self._adapt(self.params_, X, Y)
        return self

    def _scale(self, values, name):
        if f"{name}_mean" not in self.scaling_:
            return values
        return (values - self.scaling_[f"{name}_mean"]) / self.scaling_[f"{name}_scale"]

    def _outputs(self, X):
        """Return the outputs for checked and scaled queries."""
        parts = []
        for start in range(0, len(X), _CHUNK):
            part = X[None, start : start + _CHUNK]
            if self.params_ is None:
                parts.append(neighbour_outputs(*self.state_, part, self.kind)[0])
            else:
                parts.append(self._query(self.params_, self.state_, part)[0])
        return np.concatenate(parts)

    def _check_query(self, X):
        check_is_fitted(self, "state_")
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        return self._scale(X, "x")

    def __sklearn_is_fitted__(self):
        return hasattr(self, "state_")


_EPISODES = {
    "n_shots": [Interval(Integral, 1, None, closed="left"), tuple],
    "n_query": [Interval(Integral, 1, None, closed="left")],
    "standardize": ["boolean"],
    "outer": [OuterLoop, None],
    "weights": [MetaWeights, str, os.PathLike, None],
    "random_state": ["random_state"],
}


@parameters
class FewShotClassifier(ClassifierMixin):
    """What every meta-learner that classifies has in common."""

    kind = "classification"

    _: KW_ONLY
    n_way: int = 5
    n_shots: int | tuple[int, int] = 5
    n_query: int = 5
    standardize: bool = True
    outer: OuterLoop | None = None
    weights: MetaWeights | str | os.PathLike | None = None
    random_state: int | np.random.RandomState | None = None

    _parameter_constraints = _EPISODES | {"n_way": [Interval(Integral, 2, None, closed="left")]}

    def _check_support(self, X, y):
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32])
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"The support set has one class, {self.classes_[0]!r}; a classifier needs "
                "examples of at least 2 classes."
            )
        return X, one_hot(labels, len(self.classes_))

    @staticmethod
    def _loss(outputs, Y):
        return -(Y * log_softmax(outputs)).sum(-1).mean()

    @staticmethod
    def _n_head_outputs(n_outputs):
        return n_outputs

    @staticmethod
    def _head(outputs, n_outputs):
        """Keep the logits of the classes in the episode."""
        return outputs[..., :n_outputs]

    def predict_proba(self, X):
        """Estimate class probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Queries.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of `classes_`.
        """
        return softmax(self._outputs(self._check_query(X)).astype(np.float64))

    def predict(self, X):
        """Predict classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Queries.

        Returns
        -------
        ndarray of shape (n_samples,)
            One class for each query.
        """
        outputs = self._outputs(self._check_query(X))
        return self.classes_[outputs.argmax(1)]


@parameters
class FewShotRegressor(RegressorMixin):
    """What every meta-learner that regresses has in common."""

    kind = "regression"

    _: KW_ONLY
    n_shots: int | tuple[int, int] = 10
    n_query: int = 10
    standardize: bool = True
    outer: OuterLoop | None = None
    weights: MetaWeights | str | os.PathLike | None = None
    random_state: int | np.random.RandomState | None = None

    _parameter_constraints = _EPISODES

    def _check_support(self, X, y):
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32], y_numeric=True)
        return X, y[:, None].astype(np.float64)

    @staticmethod
    def _loss(outputs, Y):
        """Gaussian negative log-likelihood of mean and log-variance."""
        xp = namespace(outputs)
        log_variance = xp.clip(outputs[..., 1:], -8.0, 8.0)
        error = (outputs[..., :1] - Y) ** 2
        return 0.5 * (log_variance + error * xp.exp(-log_variance)).mean()

    @staticmethod
    def _n_head_outputs(n_outputs):
        return 2

    @staticmethod
    def _head(outputs, n_outputs):
        return outputs

    def _moments(self, X):
        """Mean and standard deviation of scaled targets at scaled queries."""
        outputs = self._outputs(X).astype(np.float64)
        return outputs[:, 0], np.exp(0.5 * np.clip(outputs[:, 1], -8.0, 8.0))

    def predict(self, X, return_std=False):
        """Predict targets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Queries.
        return_std : bool, default=False
            Whether to return the standard deviation of the prediction as well.

        Returns
        -------
        mean : ndarray of shape (n_samples,)
            In the units of the targets.
        std : ndarray of shape (n_samples,)
            Only if `return_std` is True.
        """
        mean, std = self._moments(self._check_query(X))
        scale = self.scaling_.get("y_scale", np.ones(1))[0]
        mean = self.scaling_.get("y_mean", np.zeros(1))[0] + scale * mean
        return (mean, scale * std) if return_std else mean


def neighbour_attention(X_support, X_query):
    """Attention of queries over support examples by distance, close to one nearest neighbour.

    Parameters
    ----------
    X_support : ndarray of shape (..., n_support, n_features)
        Support examples.
    X_query : ndarray of shape (..., n_query, n_features)
        Queries.

    Returns
    -------
    ndarray of shape (..., n_query, n_support)
        Non-negative, each row sums to 1.
    """
    n_support = X_support.shape[-2]
    if n_support > 1:
        among = squared_distances(X_support, X_support) + np.diag(np.full(n_support, np.inf))
        nearest = among.min(-1).mean(-1)[..., None, None]
        width = np.where(nearest > 1e-12, nearest, 1.0)
    else:
        width = 1.0
    return softmax(-_SHARPNESS * squared_distances(X_query, X_support) / width)


def neighbour_outputs(X_support, Y_support, X_query, kind):
    """Logits, or mean and log-variance, of the attention over the support examples."""
    attention = neighbour_attention(X_support, X_query)
    mean = attention @ Y_support
    if kind == "classification":
        return np.log(np.clip(mean, 1e-9, None))
    variance = attention @ Y_support**2 - mean**2
    floor = 1e-3 + 0.1 * Y_support.var(-2, keepdims=True)
    return np.concatenate([mean, np.log(np.clip(variance, 0, None) + floor)], -1)
