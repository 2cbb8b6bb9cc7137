"""Scores and seconds as 16-bit whole numbers, with a range per task.

Float16 would overflow, and its steps are coarse where scores are: near 1. Here each row (task)
spans its own range in 65,534 steps. Scores without a lower bound are stored on a logarithmic scale
of the loss, so that one diverged model does not coarsen the others. A loss that has no unit is cut
at 1000; one that may be in the units of y keeps its size.
"""

import numpy as np

__all__ = ["choose_codec", "decode", "encode", "is_codec"]

_TOP = 65534
_NAN = 65535
# Of losses without a unit (variances of y, nats): what lies beyond is as bad as this.
_WORST = 1000.0
# Of those in any unit: the range of a task with a diverged model takes no more than 70 e-foldings.
_WORST_IN_A_UNIT = 1e30
_WITHOUT_UNIT = ("r2", "neg_log_loss", "neg_brier_score")
_SHORTEST = 1e-6


def choose_codec(name, values):
    """Choose how the values of an array are stored.

    Parameters
    ----------
    name : str
        Metric, or ``"seconds"``.
    values : ndarray

    Returns
    -------
    str
        ``"log"`` for seconds; ``"loss:<best>"`` for scores unbounded below, or
        ``"wide-loss:<best>"`` if they reach further than what the former can hold and may do so;
        or ``"linear"``.
    """
    if name == "seconds":
        return "log"
    if name == "r2" or name.startswith("neg_"):
        best = 1.0 if name == "r2" else 0.0
        if not (values > best).any():
            wide = name not in _WITHOUT_UNIT and (values < best - _WORST).any()
            return f"{'wide-' if wide else ''}loss:{best:g}"
    return "linear"


def is_codec(name):
    """Tell whether a file may name this codec."""
    known = ("plain", "linear", "log", "loss:0", "loss:1", "wide-loss:0", "wide-loss:1")
    return isinstance(name, str) and name in known


def _forward(values, codec):
    if codec == "log":
        return np.log(np.maximum(values, _SHORTEST))
    if "loss:" in codec:
        worst = _WORST_IN_A_UNIT if codec.startswith("wide-") else _WORST
        return -np.log1p(np.clip(float(codec.partition(":")[2]) - values, 0.0, worst))
    return values


def _backward(values, codec):
    if codec == "log":
        return np.exp(values)
    if "loss:" in codec:
        return float(codec.partition(":")[2]) - np.expm1(-values)
    return values


def encode(values, codec):
    """Turn an array into whole numbers.

    Parameters
    ----------
    values : ndarray of shape (n_rows, ...)
    codec : str
        From `choose_codec`.

    Returns
    -------
    codes : ndarray of shape (n_rows, ...), dtype uint16
    ranges : ndarray of shape (n_rows, 2), dtype float32
        Lowest and highest value of each row, on the codec's scale.
    """
    scaled = _forward(np.asarray(values, dtype=float), codec)
    known = np.isfinite(scaled)
    axes = tuple(range(1, scaled.ndim))
    low = np.where(known, scaled, np.inf).min(axis=axes, initial=np.inf)
    high = np.where(known, scaled, -np.inf).max(axis=axes, initial=-np.inf)
    empty = ~np.isfinite(low)
    ranges = np.stack([np.where(empty, 0.0, low), np.where(empty, 0.0, high)], axis=1)
    ranges = ranges.astype(np.float32)
    low, step = _steps(ranges, scaled.ndim)
    position = np.rint((np.where(known, scaled, 0.0) - low) / np.where(step > 0, step, 1.0))
    codes = np.where(known, np.clip(position, 0, _TOP), _NAN)
    return codes.astype(np.uint16), ranges


def decode(codes, ranges, codec):
    """Turn whole numbers back into values.

    Parameters
    ----------
    codes : ndarray of shape (n_rows, ...), dtype uint16
    ranges : ndarray of shape (n_rows, 2)
    codec : str

    Returns
    -------
    ndarray of shape (n_rows, ...), dtype float64
    """
    low, step = _steps(ranges, codes.ndim)
    values = _backward(low + codes.astype(float) * step, codec)
    values[codes == _NAN] = np.nan
    return values


def _steps(ranges, ndim):
    shape = (len(ranges),) + (1,) * (ndim - 1)
    low = ranges[:, 0].astype(float).reshape(shape)
    high = ranges[:, 1].astype(float).reshape(shape)
    return low, (high - low) / _TOP
