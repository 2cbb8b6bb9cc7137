"""The identity of a configuration: a canonical text, and a hash of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..exceptions import SpaceError
from ._parameters import shown

__all__ = ["Configuration"]


# Deeper than any setting, and less than what Python can write.
_MAX_DEPTH = 50
_MAX_INTEGER = 2**63


def _canonical(value, depth=0):
    if depth > _MAX_DEPTH:
        raise SpaceError(f"A configuration holds at most {_MAX_DEPTH} lists in each other.")
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        # Six digits: finer differences are below what any evaluation can tell apart.
        value = float(f"{value:.6g}")
        if not np.isfinite(value):
            raise SpaceError(f"A configuration holds finite numbers only; got {value!r}.")
        return value
    if isinstance(value, list | tuple):
        return [_canonical(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _canonical(item, depth + 1) for key, item in value.items()}
    if isinstance(value, int) and abs(value) > _MAX_INTEGER:
        raise SpaceError("A configuration holds whole numbers up to 64 bits; got a larger one.")
    if value is None or isinstance(value, bool | int | str):
        return value
    raise SpaceError(
        f"A configuration holds numbers, text, booleans, None and lists of these; got "
        f"{shown(value)}."
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
        if not isinstance(self.family, str) or not self.family:
            raise SpaceError(
                f"A configuration's family is the name of one; got {shown(self.family)}."
            )
        for name in ("params", "preprocessing"):
            if not isinstance(getattr(self, name), Mapping):
                raise SpaceError(
                    f"A configuration's {name} map names to values; got "
                    f"{shown(getattr(self, name))}."
                )
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
        """Give the configuration in JSON types.

        Returns
        -------
        dict
            With the keys ``"family"``, ``"params"`` and ``"preprocessing"``; `from_dict` reads
            it.
        """
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
            If the record lacks a part or has another, or a part is none of a configuration.
        """
        expected = {"family", "params", "preprocessing"}
        if not isinstance(record, Mapping) or set(record) != expected:
            raise SpaceError(
                f"A configuration record has the keys {sorted(expected)}; got {shown(record)}."
            )
        return cls(**record)

    def __str__(self):
        params = ", ".join(f"{name}={value}" for name, value in sorted(self.params.items()))
        steps = "+".join(
            f"{value}" for _, value in sorted(self.preprocessing.items()) if value != "none"
        )
        return f"{self.family}({params})" + (f" after {steps}" if steps else "")
