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
