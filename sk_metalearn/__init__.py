"""Hyperparameter and model search for scikit-learn that has already seen hundreds of datasets."""

import importlib

from ._version import __version__

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
