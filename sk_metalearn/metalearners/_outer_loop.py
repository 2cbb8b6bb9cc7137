"""The outer loop: one training loop for every meta-learner of this room."""

import sys
import time
from dataclasses import dataclass

import numpy as np

_OPTIMIZERS = ("adam", "sgd")


@dataclass(frozen=True)
class OuterLoop:
    """How to meta-train: length, batches, step size and early stopping of the outer loop.

    The loop itself is numpy; a learner hands in the gradient of its outer loss.

    Parameters
    ----------
    max_iter : int, default=2000
        Largest number of updates.
    batch_size : int, default=16
        Tasks (episodes) per update.
    optimizer : {"adam", "sgd"}, default="adam"
        Update rule.
    learning_rate : float, default=1e-3
        Step size of the first update.
    decay : float, default=0.1
        The step size falls linearly to `decay` times its start; 1 keeps it.
    max_norm : float, default=10.0
        Longer gradients are shortened to this Euclidean norm.
    validation_fraction : float, default=0.2
        Share of the tasks (of the classes, if there is a single task) held out for validation
        when `meta_fit` is given no validation tasks.
    n_validation_episodes : int, default=128
        Episodes drawn once from the validation tasks and scored at each validation.
    validation_interval : int, default=100
        Updates between two validations.
    n_iter_no_change : int or None, default=10
        Stop after this many validations without improvement; None never stops early. The weights
        of the best validation are kept in any case.
    time_limit : float or None, default=None
        Stop after this many seconds.
    verbose : bool, default=False
        Draw a progress bar on the standard error stream.
    """

    max_iter: int = 2000
    batch_size: int = 16
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    decay: float = 0.1
    max_norm: float = 10.0
    validation_fraction: float = 0.2
    n_validation_episodes: int = 128
    validation_interval: int = 100
    n_iter_no_change: int | None = 10
    time_limit: float | None = None
    verbose: bool = False

    def __post_init__(self):
        for name in ("max_iter", "batch_size", "n_validation_episodes", "validation_interval"):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or value < 1:
                raise ValueError(f"OuterLoop: {name} must be an integer >= 1, got {value!r}.")
        for name in ("learning_rate", "max_norm"):
            if not getattr(self, name) > 0:
                raise ValueError(f"OuterLoop: {name} must be > 0, got {getattr(self, name)!r}.")
        if self.optimizer not in _OPTIMIZERS:
            raise ValueError(
                f"OuterLoop: optimizer must be one of {_OPTIMIZERS}, got {self.optimizer!r}."
            )
        if not 0 < self.decay <= 1:
            raise ValueError(f"OuterLoop: decay must lie in (0, 1], got {self.decay!r}.")
        if not 0 < self.validation_fraction < 1:
            raise ValueError(
                "OuterLoop: validation_fraction must lie in (0, 1), "
                f"got {self.validation_fraction!r}."
            )

    def run(self, params, gradient, validate, name="meta-training"):
        """Minimise an outer loss.

        Parameters
        ----------
        params : dict of str to ndarray
            Where to start; not changed.
        gradient : callable
            ``gradient(params)`` returns the loss of a fresh batch of episodes and its gradient
            (a dictionary like `params`).
        validate : callable
            ``validate(params)`` returns the loss on the validation episodes.
        name : str, default="meta-training"
            Shown before the progress bar.

        Returns
        -------
        params : dict of str to ndarray
            The weights with the lowest validation loss.
        history : dict of str to list
            ``iteration``, ``loss`` (mean since the validation before), ``validation_loss``,
            ``learning_rate`` and ``seconds``: an entry for each validation.
        """
        # An inner loop that diverges counts as an infinite loss; it is no reason to warn.
        with np.errstate(over="ignore", invalid="ignore"):
            return self._run(params, gradient, validate, name)

    def _run(self, params, gradient, validate, name):
        params = {key: value.copy() for key, value in params.items()}
        history = {
            key: [] for key in ("iteration", "loss", "validation_loss", "learning_rate", "seconds")
        }
        update = _Adam() if self.optimizer == "adam" else _sgd
        start, losses, rate = time.perf_counter(), [], self.learning_rate
        best, best_loss, best_index = params, np.inf, 0
        for iteration in range(self.max_iter + 1):
            seconds = time.perf_counter() - start
            last = iteration == self.max_iter or (
                self.time_limit is not None and seconds > self.time_limit
            )
            if last or iteration % self.validation_interval == 0:
                loss = float(validate(params))
                row = (iteration, float(np.mean(losses or [np.nan])), loss, rate, seconds)
                for key, value in zip(history, row, strict=True):
                    history[key].append(value)
                losses = []
                if loss < best_loss:
                    best = {key: value.copy() for key, value in params.items()}
                    best_loss, best_index = loss, len(history["loss"])
                self._show(name, history)
                waited = len(history["loss"]) - best_index
                patient = self.n_iter_no_change is None or waited < self.n_iter_no_change
                if last or not patient:
                    break
            loss, gradients = gradient(params)
            losses.append(loss)
            rate = self.learning_rate * (1 - (1 - self.decay) * iteration / self.max_iter)
            update(params, _shorten(gradients, self.max_norm), rate)
        if self.verbose:
            sys.stderr.write("\n")
        if not np.isfinite(best_loss):
            raise FloatingPointError(
                f"{name} diverged: the validation loss was never finite. "
                "Lower OuterLoop.learning_rate or the inner step size."
            )
        return best, history

    def _show(self, name, history):
        if not self.verbose:
            return
        done = history["iteration"][-1] / self.max_iter
        sys.stderr.write(
            f"\r{name} [{'#' * round(30 * done):<30}] {history['iteration'][-1]}/{self.max_iter}"
            f"  loss {history['loss'][-1]:.4g}  validation {history['validation_loss'][-1]:.4g}"
            f"  {history['seconds'][-1]:.0f} s "
        )
        sys.stderr.flush()


def _shorten(gradients, max_norm):
    """Shorten gradients to a Euclidean norm; drop them if they are not finite."""
    norm = np.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in gradients.values()))
    factor = min(1.0, max_norm / (norm + 1e-12)) if np.isfinite(norm) else 0.0
    return {key: factor * np.nan_to_num(value) for key, value in gradients.items()}


def _sgd(params, gradients, rate):
    for key, gradient in gradients.items():
        params[key] -= np.float32(rate) * gradient


class _Adam:
    """Adam, Kingma and Ba (2015), with its usual constants."""

    def __init__(self):
        self.steps, self.mean, self.square = 0, {}, {}

    def __call__(self, params, gradients, rate):
        self.steps += 1
        rate *= np.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        for key, gradient in gradients.items():
            mean = self.mean.setdefault(key, np.zeros_like(gradient))
            square = self.square.setdefault(key, np.zeros_like(gradient))
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient**2 - square)
            params[key] -= (rate * mean / (np.sqrt(square) + 1e-8)).astype(params[key].dtype)
