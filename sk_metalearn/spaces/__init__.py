"""Hyperparameters, search spaces, and the catalogue of models with its pool."""

from ._build import build_estimator, build_model
from ._catalogue import CATALOGUE_VERSION, families, get_family
from ._configuration import Configuration
from ._early import early_configurations
from ._family import KINDS, PREPROCESSING, Family
from ._parameters import Categorical, Float, Integer, Parameter
from ._pool import SLICE, catalogue_space, fidelity_pool, from_point, load_pool, to_point
from ._schema import Schema
from ._space import Branch, Condition, Space

# For the other rooms; no part of the public interface.
from ._encoding import Encoder as Encoder  # isort: skip
from ._encoding import all_points as all_points  # isort: skip
from ._encoding import fresh_point as fresh_point  # isort: skip
from ._encoding import grid_points as grid_points  # isort: skip
from ._encoding import infer_space as infer_space  # isort: skip
from ._encoding import point_from_unit as point_from_unit  # isort: skip
from ._identity import point_key as point_key  # isort: skip
from ._identity import point_keys as point_keys  # isort: skip
from ._identity import value_text as value_text  # isort: skip

__all__ = [
    "CATALOGUE_VERSION",
    "KINDS",
    "PREPROCESSING",
    "SLICE",
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
    "build_model",
    "catalogue_space",
    "early_configurations",
    "families",
    "fidelity_pool",
    "from_point",
    "get_family",
    "load_pool",
    "to_point",
]
