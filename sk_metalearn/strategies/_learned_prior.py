"""Surrogates whose prior over the hyperparameters is learned from past tasks."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from ._past_performance import TransferStrategy, put_on_scale
from ._process import GaussianProcessRegression
from ._surrogate import SurrogateStrategy

__all__ = ["AdaptiveBayesianLinearRegression", "CopulaPrior", "PriorSurrogate", "SharedFeatures"]


@dataclass
class PriorSurrogate(TransferStrategy, SurrogateStrategy):
    """Fit a surrogate whose prior is a function of the hyperparameters learned from the past.

    Since the prior speaks about any point, candidates without a past are rated too, and so are
    points of the space once `n_initial` evaluations were made. A subclass implements `learn_prior`
    and `posterior`.
    """

    def begin(self):
        SurrogateStrategy.begin(self)
        TransferStrategy.begin(self)

    def prepare(self):
        rows = self.encoder.candidates
        self.learn_prior(rows[self.matrix.known], self.matrix.normal[:, self.matrix.known])
        self._prior = self.expect(rows)

    def learn_prior(self, rows, normal):
        """Learn from the past.

        Parameters
        ----------
        rows : ndarray of shape (n_known, n_columns)
            Encoded candidates that have a past.
        normal : ndarray of shape (n_tasks, n_known)
            Normal scores of the past tasks.
        """
        raise NotImplementedError

    def expect(self, rows):
        """Mean and standard deviation that the prior expects of points."""
        raise NotImplementedError

    def posterior(self, rows, values):
        """Fit to results on the scale of the normal scores; gives ``predict(rows)``."""
        raise NotImplementedError

    def propose(self):
        if self.matrix is None:
            return super().propose()
        outcomes, scores = self.record.scores()
        rows, scores = self._observed_rows(outcomes, scores)
        if len(scores) == 0 or scores.std() == 0:
            return self._first() or self._exhausted()
        return self._maximise(rows, scores) or self._exhausted()

    def _first(self):
        """Propose the untried candidate that the prior thinks best."""
        untried = self.untried
        if not len(untried):
            return None
        mean = self._prior[0] - self._prior[0].min()
        return self.make(
            candidate=untried[np.argmax((mean * self.discount)[untried])], reason="prior"
        )

    def _exhausted(self):
        proposal = self.fallback.propose()
        return proposal and replace(proposal, reason=f"{proposal.reason} (past used up)")

    def fit(self, rows, values):
        mean, deviation = self.expect(rows)
        # The values have mean 0 and standard deviation 1; the prior knows better what they are.
        values, centre, scale = put_on_scale(values, mean, deviation)
        predict = self.posterior(rows, values)

        def on_their_scale(rows):
            mean, deviation = predict(rows)
            return centre + scale * mean, scale * deviation

        return on_their_scale

    def acquire(self, mean, deviation, best, n_candidates):
        utility = super().acquire(mean, deviation, best, n_candidates)
        utility[:n_candidates] += np.log(self.discount[self.untried])
        return utility

    def _points(self):
        if len(self.record.results) < self.n_initial and len(self.untried):
            return []
        return super()._points()


# Factors of the precisions learned from the past that are tried on the task at hand.
_FACTORS = np.exp(np.linspace(-2.0, 2.0, 7))


class SharedFeatures:
    """A network whose outputs are the features of one Bayesian linear regression per task.

    The network, the mean and the precision of the tasks' weights and the precision of the noise
    maximise the marginal likelihood of the past tasks. These share their inputs, and therefore
    one covariance matrix.

    Parameters
    ----------
    widths : tuple of int
        Units of each tanh layer; the last ones are the features.
    max_iter : int, default=100
        Iterations of L-BFGS.
    decay : float, default=0.01
        Pull of the network's weights to 0, which keeps it smooth when there are few tasks.

    Attributes
    ----------
    weights : ndarray of shape (widths[-1],)
        Mean of the tasks' weights.
    alpha, beta : float
        Precision of the weights around their mean, and of the noise.
    """

    def __init__(self, widths, max_iter=100, decay=0.01):
        self.widths, self.max_iter, self.decay = widths, max_iter, decay

    def fit(self, rows, targets, rng):
        """Learn from past tasks.

        Parameters
        ----------
        rows : ndarray of shape (n, n_columns)
            Encoded points, the same for all tasks.
        targets : ndarray of shape (n_tasks, n)
            Normal scores of each task at these points.
        rng : numpy.random.Generator
            Source of the first weights.

        Returns
        -------
        self
            The fitted features.
        """
        sizes = [rows.shape[1], *self.widths]
        self._shapes = list(zip(sizes[:-1], sizes[1:], strict=True))
        width = sizes[-1]
        pieces = [np.log([width, 10.0]), np.zeros(width)]
        for fan_in, fan_out in self._shapes:
            pieces.append(rng.normal(0.0, 1.5 / np.sqrt(fan_in), fan_in * fan_out))
            pieces.append(rng.normal(0.0, 0.5, fan_out))
        start = np.concatenate(pieces)
        # The tasks enter through their mean and their deviations from it.
        average = targets.mean(axis=0)
        result = minimize(
            self.loss,
            start,
            args=(rows, average, targets - average),
            jac=True,
            method="L-BFGS-B",
            bounds=[(-6.0, 12.0)] * 2 + [(None, None)] * (len(start) - 2),
            options={"maxiter": self.max_iter},
        )
        self.alpha, self.beta, self.weights, self._layers = self._unpack(result.x)
        return self

    def __call__(self, rows):
        """Features of encoded points.

        Returns
        -------
        ndarray of shape (n_points, widths[-1])
            Features of each point.
        """
        return _outputs(self._layers, rows)[-1]

    def _unpack(self, theta):
        alpha, beta = np.exp(theta[:2])
        at = 2 + self.widths[-1]
        weights, layers = theta[2:at], []
        for fan_in, fan_out in self._shapes:
            split, stop = at + fan_in * fan_out, at + fan_in * fan_out + fan_out
            layers.append((theta[at:split].reshape(fan_in, fan_out), theta[split:stop]))
            at = stop
        return alpha, beta, weights, layers

    def loss(self, theta, rows, average, deviations):
        """Negative log marginal likelihood of a task, per candidate, and its gradient.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
            Logarithms of `alpha` and `beta`, mean of the weights, matrices and offsets.
        rows : ndarray of shape (n, n_columns)
            Encoded points.
        average : ndarray of shape (n,)
            Mean of the tasks' targets.
        deviations : ndarray of shape (n_tasks, n)
            Deviations of the targets from it.

        Returns
        -------
        loss : float
            The value.
        gradient : ndarray of shape (n_parameters,)
            Its gradient by `theta`.
        """
        n, n_tasks = len(rows), len(deviations)
        alpha, beta, weights, layers = self._unpack(theta)
        outputs = _outputs(layers, rows)
        features = outputs[-1]
        # Sigma = features features' / alpha + 1 / beta is inverted in the space of the features.
        ratio = beta / alpha
        inner = np.eye(features.shape[1]) + ratio * features.T @ features
        factor = cho_factor(inner, lower=True, check_finite=False)

        def solve(right):
            inside = cho_solve(factor, features.T @ right, check_finite=False)
            return beta * (right - ratio * features @ inside)

        residual = average - features @ weights
        solved, spread = solve(residual), solve(deviations.T)
        loss = 0.5 * (residual @ solved + (spread * deviations.T).sum() / n_tasks)
        loss += np.log(np.diag(factor[0])).sum() - 0.5 * n * np.log(beta)
        # With S the inverse of Sigma, d loss / d Sigma = (S - S E[t t'] S) / 2.
        white = solve(features)
        pull = spread @ (spread.T @ features) / n_tasks + np.outer(solved, solved @ features)
        slope = (white - pull) / alpha - np.outer(solved, weights)
        trace = (features * white).sum()
        squares = solved @ solved + (spread**2).sum() / n_tasks
        d_alpha = -0.5 * (trace - (features * pull).sum()) / alpha
        d_beta = -0.5 * (n - trace / alpha - squares / beta)
        pieces = []
        for (matrix, _), before, after in zip(
            layers[::-1], outputs[-2::-1], outputs[:0:-1], strict=True
        ):
            slope = slope * (1.0 - after**2)
            pieces += [slope.sum(axis=0), (before.T @ slope).ravel()]
            slope = slope @ matrix.T
        pieces += [-features.T @ solved, np.array([d_alpha, d_beta])]
        gradient = np.concatenate(pieces[::-1])
        network = theta[2 + len(weights) :]
        gradient[2 + len(weights) :] += self.decay * network
        return (loss + 0.5 * self.decay * network @ network) / n, gradient / n


def _outputs(layers, rows):
    outputs = [rows]
    for matrix, offset in layers:
        outputs.append(np.tanh(outputs[-1] @ matrix + offset))
    return outputs


@dataclass
class AdaptiveBayesianLinearRegression(PriorSurrogate):
    """Expected improvement under a linear regression on features learned from the past (ABLR).

    A network from hyperparameters to features is shared by all tasks; each task has its own
    Bayesian linear regression on them. For the task at hand only the two precisions are fitted
    anew, so that the cost grows with the number of features, not of past results. Beyond the
    paper, the mean of the tasks' weights is learned too; it makes the first proposals.

    Parameters
    ----------
    n_initial : int, default=5
        Evaluations before the surrogate is used.
    n_draws : int, default=200
        Random points of the space among which the acquisition is maximised.
    n_incumbents : int, default=5
        Best points found whose neighbours are looked at.
    n_neighbors : int, default=20
        Neighbours looked at for each of them.
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
    widths : tuple of int, default=(50, 50, 50)
        Units of the layers.
    max_iter : int, default=100
        Iterations in which the network is learned when a search begins.

    References
    ----------
    V. Perrone, R. Jenatton, M. Seeger, C. Archambeau. Scalable hyperparameter transfer learning.
    NeurIPS 2018.
    """

    widths: tuple[int, ...] = (50, 50, 50)
    max_iter: int = 100

    def learn_prior(self, rows, normal):
        self._features = SharedFeatures(self.widths, self.max_iter).fit(rows, normal, self.rng)

    def expect(self, rows):
        features = self._features(rows)
        variance = (features**2).sum(axis=1) / self._features.alpha + 1 / self._features.beta
        return features @ self._features.weights, np.sqrt(variance)

    def posterior(self, rows, values):
        shared = self._features
        features = shared(rows)
        residual = values - features @ shared.weights
        alpha, beta = self._precisions(features, residual)
        inner = alpha * np.eye(features.shape[1]) + beta * features.T @ features
        factor = cho_factor(inner, lower=True)
        weights = shared.weights + beta * cho_solve(factor, features.T @ residual)

        def predict(rows):
            features = shared(rows)
            variance = (features * cho_solve(factor, features.T).T).sum(axis=1)
            return features @ weights, np.sqrt(variance)

        return predict

    def _precisions(self, features, residual):
        """Precisions of largest posterior density, a prior keeping them near those of the past."""
        values, vectors = np.linalg.eigh(features @ features.T)
        power = (vectors.T @ residual) ** 2
        alpha = self._features.alpha * _FACTORS[:, None]
        beta = self._features.beta * _FACTORS[None, :]
        spectrum = np.maximum(values, 0.0) / alpha[..., None] + 1 / beta[..., None]
        loss = 0.5 * (np.log(spectrum) + power / spectrum).sum(axis=-1)
        loss += 0.5 * (np.log(_FACTORS) ** 2)[:, None] + 0.5 * np.log(_FACTORS) ** 2
        i, j = np.unravel_index(np.argmin(loss), loss.shape)
        return alpha[i, 0], beta[0, j]


@dataclass
class CopulaPrior(PriorSurrogate):
    """Expected improvement under a process around a mean and a spread learned from the past.

    The scores of each past task become normal scores of their ranks, a scale that all tasks
    share. A network learns their mean at each point of the hyperparameters, a second one the
    logarithm of their spread around it. On the task at hand a Gaussian process models what the
    prior leaves over, in units of that spread (GCP + prior).

    Parameters
    ----------
    n_initial : int, default=5
        Evaluations before the surrogate is used.
    n_draws : int, default=200
        Random points of the space among which the acquisition is maximised.
    n_incumbents : int, default=5
        Best points found whose neighbours are looked at.
    n_neighbors : int, default=20
        Neighbours looked at for each of them.
    cold : str, default="gp"
        Strategy without a past.
    cost_exponent : float, optional
        Utilities are divided by the relative seconds of a candidate to this power. By default 1
        if the budget is in seconds and 0 otherwise.
    hidden_layer_sizes : tuple of int, default=(32, 32)
        Units of the layers of both networks.
    max_iter : int, default=200
        Iterations in which each is learned when a search begins.
    sampling : bool, default=False
        Thompson sampling from the prior alone (CTS) in place of the process: the results seen are
        then not learned from.

    References
    ----------
    D. Salinas, H. Shen, V. Perrone. A quantile-based approach for hyperparameter transfer
    learning. ICML 2020.
    """

    hidden_layer_sizes: tuple[int, ...] = (32, 32)
    max_iter: int = 200
    sampling: bool = False

    def learn_prior(self, rows, normal):
        mean = normal.mean(axis=0)
        spread = np.sqrt(((normal - mean) ** 2).mean(axis=0) + 1e-2)
        self._mean_model = self._learn(rows, mean)
        # What the mean's network misses is part of the spread.
        missed = (mean - self._mean_model.predict(rows)) ** 2
        self._spread_model = self._learn(rows, np.log(np.sqrt(spread**2 + missed)))
        self._process, self._next_fit = GaussianProcessRegression(), 0

    def _learn(self, rows, targets):
        """Fit a network; squared error over all tasks has its minimum at the means over them."""
        model = MLPRegressor(
            hidden_layer_sizes=self.hidden_layer_sizes,
            solver="lbfgs",
            alpha=1e-2,
            max_iter=self.max_iter,
            random_state=int(self.rng.integers(2**31)),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return model.fit(rows, targets)

    def expect(self, rows):
        return self._mean_model.predict(rows), np.exp(self._spread_model.predict(rows))

    def posterior(self, rows, values):
        if self.sampling:
            return self.expect
        mean, spread = self.expect(rows)
        optimise = len(values) >= self._next_fit
        if optimise:
            self._next_fit = len(values) + max(1, len(values) // 10)
        process = self._process.fit(rows, (values - mean) / spread, optimise)

        def predict(rows):
            mean, spread = self.expect(rows)
            residual, deviation = process.predict(rows)
            return mean + spread * residual, spread * deviation

        return predict

    def acquire(self, mean, deviation, best, n_candidates):
        if self.sampling:
            return self.rng.normal(mean, deviation)
        return super().acquire(mean, deviation, best, n_candidates)
