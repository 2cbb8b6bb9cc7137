"""The second step of a search: what there is to choose from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..spaces import Space
from ._settings_text import settings_text

__all__ = ["Choices"]


@dataclass(frozen=True)
class Choices:
    """What a search chooses from, and how a candidate is made.

    Parameters
    ----------
    points : list of dict
        The finite list.
    space : Space or None
        Where further points lie.
    make : callable
        ``make(params)`` gives an unfitted estimator, and the parameters still to be set on it or
        None; travels to the workers.
    to_params : callable
        Turns a point into what `make` takes and ``cv_results_`` shows.
    identity : callable
        Turns a point into what earlier searches are asked for.
    match : callable
        ``match(points)`` gives the `Matches` of points with the catalogue; it may raise anything.
    defaults : tuple of int, default=()
        Points that leave the estimator as it is.
    n_iter : int or None, default=None
        Number of candidates; None: no limit.
    enqueued : tuple of (dict, str, int), default=()
        Points to try early, each with its reason, and after how many others it comes.
    estimator : estimator or None, default=None
        The user's own; None where whole pipelines are searched.
    searched : tuple of str, default=()
        Names of its parameters that the points set.
    open_ended : bool, default=False
        Whether points that earlier searches tried may join the list.
    place : dict, default={}
        What predicts performance beside a configuration: ``n_features`` and ``variance`` of the
        columns.
    validates : bool, default=False
        Whether estimators that can are stopped by the test rows of each fold.
    kind : {"classification", "regression", ""}, default=""
    """

    points: list
    space: Space | None
    make: Callable
    to_params: Callable
    identity: Callable
    match: Callable
    defaults: tuple = ()
    n_iter: int | None = None
    enqueued: tuple = ()
    estimator: Any = None
    searched: tuple = ()
    open_ended: bool = False
    place: dict = field(default_factory=dict)
    validates: bool = False
    kind: str = ""

    def describe(self, point):
        """Say what a candidate is, by what differs from the defaults.

        Parameters
        ----------
        point : dict

        Returns
        -------
        str
        """
        return settings_text(self.to_params(point), self.estimator, self.kind)
