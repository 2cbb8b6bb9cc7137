"""The estimators a user meets: searches and recommendations."""

from ._auto import AutoClassifier, AutoRegressor
from ._best_index import OneStandardError
from ._code import to_code
from ._meta_search import MetaSearchCV
from ._options import CandidateLimits
from ._recommend import Recommendation, recommend

__all__ = [
    "AutoClassifier",
    "AutoRegressor",
    "CandidateLimits",
    "MetaSearchCV",
    "OneStandardError",
    "Recommendation",
    "recommend",
    "to_code",
]
