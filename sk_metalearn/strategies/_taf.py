"""Transfer acquisition function: past tasks vote by the improvement they promise."""

from dataclasses import dataclass

import numpy as np

from ._acquisition import expected_improvement
from ._tst import TransferSurrogateRanking

__all__ = ["TransferAcquisition"]


@dataclass
class TransferAcquisition(TransferSurrogateRanking):
    """Weighted mean of the improvement promised by past and present models (TAF-R).

    The model of the task at hand promises its expected improvement; the model of a past task
    promises how far its mean lies above the best candidate tried, judged on that task. Weights
    are those of the two-stage transfer surrogate, so that the task at hand decides once the past
    ones order its results otherwise.

    Parameters
    ----------
    bandwidth : float, default=0.3
        Share of discordant pairs from which a past task no longer counts.

    References
    ----------
    M. Wistuba, N. Schilling, L. Schmidt-Thieme. Scalable Gaussian process-based transfer surrogates
    for hyperparameter optimization. Machine Learning 107, 2018.
    """

    def utility(self):
        target = self.target()
        weights, means = self.weights(target), self.models.means
        tried = np.concatenate([target["indices"], target["waiting"]])
        # Before the first evaluation everything improves on the worst.
        worst = means.min(axis=1, keepdims=True)
        reached = means[:, tried].max(axis=1, keepdims=True) if len(tried) else worst
        utility = weights @ np.maximum(means - reached, 0.0)
        if len(target["values"]):
            own = expected_improvement(target["mean"], target["deviation"], target["values"].max())
            utility += 0.75 * own
        return utility * self.discount, self.describe(target, target["mean"], target["deviation"])
