"""The options of a search as one frozen value, made once from the parameters of its estimator."""

import os
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from typing import Any

import numpy as np

from .._compat import Interval
from ..knowledge import KnowledgeBase
from ..strategies import Strategy

__all__ = ["COMMON_CONSTRAINTS", "CandidateLimits", "SearchOptions"]


@dataclass(frozen=True)
class CandidateLimits:
    """What one candidate may use.

    With a limit of seconds or memory candidates run in worker processes, and one that goes beyond
    it is ended, even in compiled code; it gets a row with the status ``"timeout"`` or
    ``"memory"``. A candidate beyond a limit of prediction time or model size gets the status
    ``"over_limit"`` and is not chosen. These two hold for an ensemble as a whole: its members are
    chosen so that together they stay below.

    Parameters
    ----------
    fold_seconds : float, default=None
        Seconds one fit on one fold may take, scoring included.
    memory_bytes : int, default=None
        Bytes of resident memory that a worker process may reach, the modules it has loaded (some
        150 MiB) included.
    predict_seconds : float, default=None
        Seconds that predicting 1,000 rows may take.
    model_bytes : int, default=None
        Bytes of the pickled model.

    Raises
    ------
    ValueError
        If a limit is not a positive number.

    Examples
    --------
    >>> from sk_metalearn.search import CandidateLimits
    >>> CandidateLimits(fold_seconds=60, memory_bytes=2 * 2**30)
    CandidateLimits(fold_seconds=60, memory_bytes=2147483648, predict_seconds=None, \
model_bytes=None)
    """

    fold_seconds: float | None = None
    memory_bytes: int | None = None
    predict_seconds: float | None = None
    model_bytes: int | None = None

    def __post_init__(self):
        for name, kind, what in (
            ("fold_seconds", Real, "a number of seconds above 0"),
            ("memory_bytes", Integral, "a whole number of bytes above 0"),
            ("predict_seconds", Real, "a number of seconds above 0"),
            ("model_bytes", Integral, "a whole number of bytes above 0"),
        ):
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, kind) or not value > 0:
                raise ValueError(
                    f"The '{name}' parameter of CandidateLimits must be {what}, or None for no "
                    f"limit. Got {value!r} instead."
                )

    @property
    def need_workers(self):
        """Whether candidates must run in processes that can be ended."""
        return self.fold_seconds is not None or self.memory_bytes is not None

    @property
    def bound_the_model(self):
        """Whether the final model is held to a limit of prediction time or size."""
        return self.predict_seconds is not None or self.model_bytes is not None


# What the estimators of the room have in common.
COMMON_CONSTRAINTS = {
    "time_budget": [Interval(Real, 0, None, closed="neither"), None],
    "strategy": [str, Strategy],
    "knowledge": [str, os.PathLike, KnowledgeBase, None],
    "patience": [Interval(Integral, 1, None, closed="left"), None],
    "racing": ["boolean"],
    "limits": [CandidateLimits, None],
    "checkpoint": [str, os.PathLike, None],
    "remember": ["boolean", str, KnowledgeBase],
    "lookahead": [Interval(Integral, 1, None, closed="left"), None],
    "random_state": ["random_state"],
}

# What decides which candidates a search tries, and what is kept of a fold.
_DECIDES = (
    "scoring",
    "strategy",
    "families",
    "before",
    "columns",
    "max_rows",
    "enqueue",
    "racing",
    "return_train_score",
    "error_score",
    "limits",
    "threshold",
)


@dataclass(frozen=True)
class SearchOptions:
    """All options of a search; see the parameters of `MetaSearchCV` and `AutoClassifier`.

    What an estimator does not have stays at the value that changes nothing.
    """

    n_iter: Any = None
    time_budget: float | None = None
    strategy: Any = "auto"
    knowledge: Any = "bundled"
    scoring: Any = None
    further: dict = field(default_factory=dict)
    cv: Any = None
    n_jobs: int | None = None
    refit: Any = True
    verbose: int = 0
    random_state: Any = None
    error_score: Any = np.nan
    return_train_score: bool = False
    patience: int | None = None
    racing: bool = False
    limits: CandidateLimits = CandidateLimits()
    checkpoint: Any = None
    enqueue: tuple = ()
    remember: Any = False
    lookahead: int | None = 2
    families: Any = None
    before: Any = None
    columns: Any = None
    ensemble_size: int = 0
    final: str = "refit"
    threshold: str | None = None
    max_rows: int | None = None

    @classmethod
    def of(cls, search):
        """Read the parameters of an estimator.

        Parameters
        ----------
        search : MetaSearchCV, AutoClassifier or AutoRegressor

        Returns
        -------
        SearchOptions
        """
        # A subclass may set what its own `__init__` does not take; `refit` may be a method.
        names = [
            own.name
            for own in fields(cls)
            if hasattr(search, own.name) and not callable(getattr(type(search), own.name, None))
        ]
        values = {name: getattr(search, name) for name in names}
        if values.get("limits") is None:
            values["limits"] = CandidateLimits()
        values["enqueue"] = tuple(values.get("enqueue") or ())
        cv = values.get("cv")
        if cv is not None and not isinstance(cv, Integral) and not hasattr(cv, "split"):
            # Folds may come from a generator, which can be read once only.
            values["cv"] = list(cv)
        return cls(**values)

    @property
    def timed(self):
        """Whether there is a budget of seconds."""
        return self.time_budget is not None

    def deciding(self):
        """Give, by name, what two searches must share for one to go on from the other.

        Returns
        -------
        dict of str to object
        """
        settings = {name: getattr(self, name) for name in _DECIDES}
        if self.further:
            settings["scoring"] = {"first": self.scoring, **self.further}
        return settings
