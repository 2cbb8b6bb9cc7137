"""Displays and reports: what a search did, and why."""

from ._ensemble_weights import EnsembleWeightsDisplay
from ._explain import explain
from ._history import SearchHistoryDisplay
from ._importance import ColumnImportanceDisplay
from ._page import report
from ._parallel import ParallelCoordinatesDisplay
from ._similar import SimilarDatasetsDisplay

__all__ = [
    "ColumnImportanceDisplay",
    "EnsembleWeightsDisplay",
    "ParallelCoordinatesDisplay",
    "SearchHistoryDisplay",
    "SimilarDatasetsDisplay",
    "explain",
    "report",
]
