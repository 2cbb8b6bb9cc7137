"""Meta-features: named numbers that describe a dataset."""

from ._all_features import list_meta_features
from ._extractor import MetaFeatureExtractor
from ._registry import MetaFeature

# isort: split
# For the other rooms; no part of the public interface.
from ._kind import check_kind, tell_kind

__all__ = ["MetaFeature", "MetaFeatureExtractor", "list_meta_features"]
