"""The estimators a user meets: searches and recommendations."""

from ._auto import AutoClassifier, AutoRegressor
from ._code import to_code
from ._meta_search import MetaSearchCV
from ._recommend import Recommendation, recommend
from ._refit import OneStandardError

__all__ = [
    "AutoClassifier",
    "AutoRegressor",
    "MetaSearchCV",
    "OneStandardError",
    "Recommendation",
    "recommend",
    "to_code",
]
