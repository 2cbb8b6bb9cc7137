"""Meta-features: named numbers that describe a dataset."""

from ._catalogue import list_meta_features
from ._extractor import MetaFeatureExtractor
from ._registry import MetaFeature

__all__ = ["MetaFeature", "MetaFeatureExtractor", "list_meta_features"]
