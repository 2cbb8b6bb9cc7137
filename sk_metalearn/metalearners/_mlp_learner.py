"""What learners that adapt a multi-layer perceptron share: training from scratch, spread."""

from numbers import Integral, Real

import numpy as np

from .._compat import Interval
from ._backend import detach, log_softmax, namespace, softmax
from ._meta_learner import BaseMetaLearner
from ._networks import init_mlp, mlp, mlp_gradient, mlp_hidden, n_layers
from ._outer_loop import _Adam

_SCRATCH_STEPS = 150
_SCRATCH_RATE = 0.02
_VARIANCES = np.logspace(-5, 2, 22)


def head_for(params, n_outputs):
    """Return the perceptron in `params` with `n_outputs` outputs.

    Labels are shuffled in meta-training, which makes output columns exchangeable: the first ones
    serve when fewer are needed, their mean fills in when more are.
    """
    net = {key: value for key, value in params.items() if key[0] in "Wb"}
    last = n_layers(net) - 1
    for key in (f"W{last}", f"b{last}"):
        head = net[key]
        missing = n_outputs - head.shape[-1]
        if missing > 0:
            mean = head.mean(-1)[..., None]
            net[key] = namespace(head).concatenate([head] + [mean] * missing, -1)
        else:
            net[key] = head[..., :n_outputs]
    return net


class MLPLearner(BaseMetaLearner):
    """A perceptron whose weights are the state; trained from scratch where nothing was learned."""

    def fit(self, X, y):
        with np.errstate(over="ignore", invalid="ignore"):
            super().fit(X, y)
        if not all(np.isfinite(value).all() for value in self.state_["net"].values()):
            raise FloatingPointError(
                "Adaptation diverged: the adapted weights are not finite. "
                "Take smaller or fewer steps (inner_learning_rate, n_adapt_steps)."
            )
        return self

    def _sizes(self, n_features, n_outputs):
        return [n_features, *self.hidden_layer_sizes, n_outputs]

    def _initial_params(self, rng, n_features, n_outputs):
        return init_mlp(rng, self._sizes(n_features, n_outputs))

    def _adapt(self, params, X, Y):
        n_steps = self.n_steps if self.n_adapt_steps is None else self.n_adapt_steps
        net = self._descend(head_for(params, Y.shape[-1]), X, Y, n_steps)
        return {"net": net, "X": X}

    def _query(self, params, state, X):
        return mlp(state["net"], X)

    def _fit_untrained(self, rng, X, Y):
        """Train random weights with Adam on the support examples."""
        net = init_mlp(rng, self._sizes(X.shape[-1], Y.shape[-1]))
        update = _Adam()
        for _ in range(_SCRATCH_STEPS):
            gradient, _ = mlp_gradient(net, X, lambda output: self._output_gradient(output, Y))
            update(net, {key: value[0] for key, value in gradient.items()}, _SCRATCH_RATE)
        return {}, {"net": net, "X": X}

    def _descend(self, net, X, Y, n_steps, first_order=False):
        """Take steps of gradient descent on the support loss."""
        for _ in range(n_steps):
            gradient, _ = mlp_gradient(net, X, lambda output: self._output_gradient(output, Y))
            if first_order:
                gradient = {key: detach(value) for key, value in gradient.items()}
            net = {
                key: value - self.inner_learning_rate * gradient[key] for key, value in net.items()
            }
        return net


MLP_CONSTRAINTS = {
    "hidden_layer_sizes": [tuple, list],
    "inner_learning_rate": [Interval(Real, 0, None, closed="neither")],
    "n_steps": [Interval(Integral, 0, None, closed="left")],
    "n_adapt_steps": [Interval(Integral, 0, None, closed="left"), None],
}


class MLPClassifierMixin(MLPLearner):
    """Cross-entropy."""

    @staticmethod
    def _output_gradient(output, Y):
        """Gradient of the mean cross-entropy with respect to the logits."""
        return (softmax(output) - Y) / Y.shape[-2]

    @staticmethod
    def _task_losses(output, Y):
        """Mean cross-entropy of each task."""
        return -(Y * log_softmax(output)).sum(-1).mean(-1)


class MLPRegressorMixin(MLPLearner):
    """Squared error; the spread comes from a Bayesian linear model on the last hidden layer.

    Its two variances (noise, prior of the weights) are chosen for the likelihood of the queries
    of the validation episodes.
    """

    @staticmethod
    def _output_gradient(output, Y):
        """Gradient of the mean squared error with respect to the output."""
        return 2 * (output - Y) / Y.shape[-2]

    @staticmethod
    def _task_losses(output, Y):
        """Mean squared error of each task."""
        return ((output - Y) ** 2).mean((-1, -2))

    @staticmethod
    def _loss(outputs, Y):
        return ((outputs - Y) ** 2).mean()

    def _after_meta_fit(self, params, batches):
        score = 0.0
        for X_support, Y_support, X_query, Y_query in batches:
            state = self._adapt(params, X_support, Y_support)
            error = (self._query(params, state, X_query) - Y_query)[..., 0] ** 2
            noise = _VARIANCES[:, None, None, None, None]
            prior = _VARIANCES[None, :, None, None, None]
            variance = noise[..., 0] + _spread(state, X_query, noise, prior)
            score = score + (np.log(variance) + error / variance).mean((-1, -2))
        noise, prior = np.unravel_index(np.argmin(score), score.shape)
        variances = {"noise_variance": _VARIANCES[noise], "weight_variance": _VARIANCES[prior]}
        return params | {key: np.float32(value) for key, value in variances.items()}

    def _moments(self, X):
        mean = self._outputs(X)[:, 0].astype(np.float64)
        noise, prior = (float(self.params_[f"{name}_variance"]) for name in ("noise", "weight"))
        spread = _spread(self.state_, X[None], noise, prior)[0]
        return mean, np.sqrt(noise + spread)

    def _fit_untrained(self, rng, X, Y):
        params, state = super()._fit_untrained(rng, X, Y)
        error = ((mlp(state["net"], X) - Y) ** 2).mean()
        return {"noise_variance": max(error, 1e-4), "weight_variance": 1.0}, state


def _spread(state, X, noise, prior):
    """Variance of the Bayesian linear model on the last hidden layer, without the noise."""
    support, query = (_features(state["net"], rows) for rows in (state["X"], X))
    values, vectors = np.linalg.eigh(np.swapaxes(support, -1, -2) @ support)
    projected = (query @ vectors) ** 2
    values = np.clip(values, 0, None)[..., None, :]
    return (projected / (values / noise + 1 / prior)).sum(-1)


def _features(net, X):
    hidden = mlp_hidden(net, X).astype(np.float64)
    return np.concatenate([hidden, np.ones_like(hidden[..., :1])], -1)
