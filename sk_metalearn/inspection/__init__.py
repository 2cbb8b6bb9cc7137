"""Displays and reports: what a search did, and why."""

from ._explain import explain
from ._history import SearchHistoryDisplay
from ._neighbors import NeighborsDisplay

__all__ = ["NeighborsDisplay", "SearchHistoryDisplay", "explain"]
