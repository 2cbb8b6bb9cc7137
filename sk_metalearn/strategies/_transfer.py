"""Base of the transfer strategies that say when they have nothing to transfer."""

from dataclasses import dataclass, replace

import numpy as np

from ._pool import PoolStrategy

__all__ = ["TransferStrategy", "put_on_scale"]


@dataclass
class TransferStrategy(PoolStrategy):
    """A pool strategy whose proposals name the fallback that made them.

    Without a past the reason ends in "(no past)"; when all candidates known from the past were
    tried it ends in "(past used up)".
    """

    def propose(self):
        if self.matrix is not None and (~self.record.tried & self.matrix.known).any():
            return super().propose()
        proposal = self.fallback.propose()
        if proposal is None:
            return None
        why = "no past" if self.matrix is None else "past used up"
        return replace(proposal, reason=f"{proposal.reason} ({why})")


def put_on_scale(scores, mean, deviation):
    """Put scores of the task at hand on the scale of the past's normal scores.

    Parameters
    ----------
    scores : ndarray of shape (n_observed,)
    mean, deviation : ndarray of shape (n_observed,)
        What the past expects of the candidates observed.

    Returns
    -------
    values : ndarray of shape (n_observed,)
        Those expected, if the scores do not differ or were not expected to.
    centre, scale : float
        ``scores = centre + scale * values``; NaN in that case.
    """
    spread = scores.std() if len(scores) else 0.0
    expected = np.sqrt((deviation**2).mean() + mean.var()) if spread else 0.0
    if expected == 0.0:
        return np.array(mean, dtype=float), np.nan, np.nan
    scale = spread / expected
    centre = scores.mean() - scale * mean.mean()
    return (scores - centre) / scale, centre, scale
