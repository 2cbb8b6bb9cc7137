"""Gaussian processes of the past tasks, and the strategies that combine them."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from ._gp import kernel_matrix
from ._points import Encoder
from ._transfer import TransferStrategy, put_on_scale
from ._transfer_mvn import Posterior

__all__ = ["TaskEnsemble", "TaskModels"]

# Lengths relative to half the square root of the number of columns, and variances of the noise.
_LENGTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
_NOISES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


class TaskModels:
    """A Gaussian process over the hyperparameters for each past task, all with one kernel.

    The tasks share their inputs, so that one decomposition of the kernel matrix serves all of
    them. Length and noise maximise the marginal likelihood summed over the tasks.

    Parameters
    ----------
    rows : ndarray of shape (n_candidates, n_columns)
        Encoded candidates.
    normal : ndarray of shape (n_tasks, n_candidates)
        Normal scores of the past tasks.
    known : ndarray of shape (n_candidates,), dtype bool
        Candidates with a past.
    max_selection : int, default=256
        Candidates from which length and noise are found.

    Attributes
    ----------
    kernel : ndarray of shape (n_candidates, n_candidates)
        Prior covariance of the candidates.
    noise : float
        Variance of the noise.
    means : ndarray of shape (n_tasks, n_candidates)
        Posterior mean of each past task.
    deviation : ndarray of shape (n_candidates,)
        Posterior standard deviation, the same for all tasks.
    """

    def __init__(self, rows, normal, known, max_selection=256):
        places = np.flatnonzero(known)
        chosen = places
        if len(places) > max_selection:
            chosen = places[np.linspace(0, len(places) - 1, max_selection).astype(int)]
        typical = 0.5 * np.sqrt(rows.shape[1])
        self.length, noise, self.scale = self._select(rows[chosen], normal[:, chosen], typical)
        kernel = kernel_matrix(rows, rows, self.length)
        inner = kernel[np.ix_(places, places)].copy()
        inner[np.diag_indices(len(places))] += noise
        factor = cho_factor(inner, lower=True, check_finite=False)
        weights = cho_solve(factor, kernel[places], check_finite=False)
        self.means = normal[:, places] @ weights
        left = np.maximum(1.0 - (kernel[places] * weights).sum(axis=0), 1e-9)
        self.kernel, self.noise = self.scale * kernel, self.scale * noise
        self.deviation = np.sqrt(self.scale * left)

    @staticmethod
    def _select(rows, normal, typical):
        """Length, noise and variance of largest total marginal likelihood."""
        n = normal.shape[1]
        best = None
        for factor in _LENGTHS:
            values, vectors = np.linalg.eigh(kernel_matrix(rows, rows, factor * typical))
            power = ((normal @ vectors) ** 2).mean(axis=0)
            for noise in _NOISES:
                spectrum = np.maximum(values, 0.0) + noise
                scale = max((power / spectrum).mean(), 1e-6)
                loss = n * np.log(scale) + np.log(spectrum).sum()
                if best is None or loss < best[0]:
                    best = loss, factor * typical, noise, scale
        return best[1:]


@dataclass
class TaskEnsemble(TransferStrategy):
    """Base of the strategies that combine a model of each past task with one of the task at hand.

    A subclass implements `utility` with the models of the past tasks, `self.models`, and
    `target`.
    """

    def prepare(self):
        rows = Encoder(self.context.candidates, self.context.space).candidates
        matrix = self.matrix
        self.models = TaskModels(rows, matrix.normal, matrix.known)
        self._mean = matrix.normal.mean(axis=0)
        self._deviation = np.sqrt(matrix.normal.var(axis=0) + self.models.noise)
        self._posterior = Posterior(np.zeros(len(rows)), self.models.kernel, self.models.noise)

    def target(self):
        """Fit the model of the task at hand.

        Returns
        -------
        dict
            ``indices`` of the candidates with results, their ``values`` on the scale of the
            normal scores with its ``centre`` and ``scale``, indices of those ``waiting``, and
            ``mean`` and ``deviation`` of all candidates. What is waiting narrows the deviation.
        """
        indices, scores, waiting = self.observed()
        values, centre, scale = put_on_scale(scores, self._mean[indices], self._deviation[indices])
        posterior = self._posterior.follow([*indices.tolist(), *waiting.tolist()])
        return {
            "indices": indices,
            "values": values,
            "centre": centre,
            "scale": scale,
            "waiting": waiting,
            "mean": posterior.given(values),
            "deviation": np.sqrt(posterior.variance),
        }

    def describe(self, target, mean, deviation):
        """Make the function that gives the details of a proposal."""

        def details(candidate):
            return {
                "reason": "surrogate",
                "expected": float(target["centre"] + target["scale"] * mean[candidate]),
                "spread": float(target["scale"] * deviation[candidate]),
            }

        return details
