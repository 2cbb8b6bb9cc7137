"""The estimators a user meets: searches and recommendations."""

from ._meta_search import MetaSearchCV
from ._refit import OneStandardError

__all__ = ["MetaSearchCV", "OneStandardError"]
