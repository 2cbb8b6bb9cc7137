"""Acquisition functions."""

import numpy as np
from scipy.special import ndtr

__all__ = ["expected_improvement", "log_expected_improvement"]


def expected_improvement(mean, deviation, best):
    """Expected improvement over `best` of a normal variable, for maximisation.

    Parameters
    ----------
    mean, deviation : ndarray
        Of the normal variables.
    best : float
        The value to improve on.

    Returns
    -------
    ndarray
        One value for each variable, at least 0.
    """
    deviation = np.maximum(deviation, 1e-9)
    u = (mean - best) / deviation
    density = np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi)
    return deviation * (u * ndtr(u) + density)


def log_expected_improvement(mean, deviation, best):
    """Logarithm of the expected improvement, accurate where the improvement underflows."""
    deviation = np.maximum(deviation, 1e-9)
    u = (mean - best) / deviation
    log_density = -0.5 * u**2 - 0.5 * np.log(2 * np.pi)
    direct = np.log(np.maximum(u * ndtr(u) + np.exp(log_density), 1e-300))
    # Far below the best: phi(u) / u^2 (1 - 3 / u^2), from Mills' ratio.
    tail = log_density - 2 * np.log(np.maximum(-u, 1.0)) + np.log1p(-3 / np.maximum(u**2, 9.1))
    return np.log(deviation) + np.where(u < -8, tail, direct)
