"""Hyperparameters, search spaces, and the catalogue of models with its pool."""

from ._build import build_estimator
from ._catalogue import CATALOGUE_VERSION, families, get_family
from ._configuration import Configuration
from ._family import KINDS, Family
from ._parameters import Categorical, Float, Integer, Parameter
from ._pool import catalogue_space, fidelity_pool, from_point, load_pool, to_point
from ._schema import Schema
from ._space import Branch, Condition, Space

# isort: split
# For the other rooms; no part of the public interface.
from ._build import build_model
from ._catalogue import MOST_TREES
from ._early import early_configurations
from ._encoding import Encoder, all_points, fresh_point, grid_points, infer_space, point_from_unit
from ._family import PREPROCESSING
from ._identity import point_key, point_keys, value_text
from ._inverse import Inexpressible, find_family, read_model, unwrap
from ._match import Match, Matches, match_candidates
from ._outputs import is_fitted_by_output, of_several
from ._parameters import plain_value, same_value
from ._pool import SLICE, is_stopped_by_folds
from ._schema import MANY_LEVELS

__all__ = [
    "CATALOGUE_VERSION",
    "KINDS",
    "Branch",
    "Categorical",
    "Condition",
    "Configuration",
    "Family",
    "Float",
    "Integer",
    "Parameter",
    "Schema",
    "Space",
    "build_estimator",
    "catalogue_space",
    "families",
    "fidelity_pool",
    "from_point",
    "get_family",
    "load_pool",
    "to_point",
]
