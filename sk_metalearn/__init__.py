"""Hyperparameter and model search for scikit-learn that has already seen hundreds of datasets."""

import importlib
from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:  # what editors and type checkers see of the names below
    from ._show_versions import show_versions
    from .knowledge import DatasetRetriever, KnowledgeBase
    from .metafeatures import MetaFeatureExtractor
    from .search import AutoClassifier, AutoRegressor, CandidateLimits, MetaSearchCV, recommend

# Public names and the rooms they come from; a room is imported when one of its names is used.
_ROOMS = {
    "AutoClassifier": "search",
    "AutoRegressor": "search",
    "CandidateLimits": "search",
    "DatasetRetriever": "knowledge",
    "KnowledgeBase": "knowledge",
    "MetaFeatureExtractor": "metafeatures",
    "MetaSearchCV": "search",
    "recommend": "search",
    "show_versions": "_show_versions",
}

# Rooms that can be reached after ``import sk_metalearn`` alone, as ``sk_metalearn.strategies``.
_PARTS = (
    "building",
    "evaluation",
    "exceptions",
    "inspection",
    "knowledge",
    "metafeatures",
    "metalearners",
    "search",
    "spaces",
    "strategies",
    "tables",
)

__all__ = [*_ROOMS, "__version__"]


def __getattr__(name):
    if name in _PARTS:
        return importlib.import_module(f".{name}", __name__)
    if name in _ROOMS:
        return getattr(importlib.import_module(f".{_ROOMS[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
