"""The identity of a configuration: a canonical text, and a hash of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..exceptions import SpaceError

__all__ = ["Configuration"]


def _canonical(value):
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        # Six digits: finer differences are below what any evaluation can tell apart.
        value = float(f"{value:.6g}")
        if not np.isfinite(value):
            raise SpaceError(f"A configuration holds finite numbers only; got {value!r}.")
        return value
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _canonical(item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | str):
        return value
    raise SpaceError(
        f"A configuration holds numbers, text, booleans, None and lists of these; got {value!r}."
    )


@dataclass(frozen=True)
class Configuration:
    """One point of the catalogue: a model family with every hyperparameter, and preprocessing.

    Parameters
    ----------
    family : str
        Name of a family of the catalogue.
    params : mapping of str to value
        Every hyperparameter of the family, resolved to a value; no seed, no number of jobs.
    preprocessing : mapping of str to str
        The steps before the model: imputer, scaler, encoder, reducer.
    """

    family: str
    params: Mapping = field(default_factory=dict)
    preprocessing: Mapping = field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "params", _canonical(self.params))
        object.__setattr__(self, "preprocessing", _canonical(self.preprocessing))

    def __hash__(self):
        return hash(self.id)

    @cached_property
    def text(self):
        """The canonical JSON text: sorted keys, no blanks, numbers of six digits."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), allow_nan=False)

    @cached_property
    def id(self):
        """The first 12 hexadecimal digits of the text's SHA-256."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]

    def to_dict(self):
        """Give the configuration in JSON types."""
        return {
            "family": self.family,
            "params": dict(self.params),
            "preprocessing": dict(self.preprocessing),
        }

    @classmethod
    def from_dict(cls, record):
        """Read what `to_dict` gave.

        Raises
        ------
        SpaceError
            If the record lacks a part or has another.
        """
        expected = {"family", "params", "preprocessing"}
        if not isinstance(record, Mapping) or set(record) != expected:
            raise SpaceError(
                f"A configuration record has the keys {sorted(expected)}; got {record!r}."
            )
        return cls(**record)

    def __str__(self):
        params = ", ".join(f"{name}={value}" for name, value in sorted(self.params.items()))
        steps = "+".join(
            f"{value}" for _, value in sorted(self.preprocessing.items()) if value != "none"
        )
        return f"{self.family}({params})" + (f" after {steps}" if steps else "")
