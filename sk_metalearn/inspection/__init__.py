"""Displays and reports: what a search did, and why."""

from ._explain import explain
from ._history import SearchHistoryDisplay
from ._similar import SimilarDatasetsDisplay

__all__ = ["SearchHistoryDisplay", "SimilarDatasetsDisplay", "explain"]
