"""What of an estimator and of a failure may be kept: never a value that could be somebody's data.

A setting is kept as it is if it is a number, a boolean, None, or an option that the estimator's
own constraints (or its default) name. Any other, and whatever identifies an estimator or a scorer
of one's own, is kept as a hash with a secret key. The key lies with the store, so that the records
of all who share the store match, and nobody else can try values.
"""

import builtins
import hashlib
import hmac
import inspect
import math
import re
import sys
from collections.abc import Mapping

import numpy as np

from ._limits import MAX_NAME

__all__ = ["HASHED", "estimator_text", "failure_type", "keyed_hash", "kept_settings"]

# The key of a setting's hash, where its value is not kept.
HASHED = "hash"
_WITHOUT_EFFECT = ("random_state", "n_jobs", "verbose")
_ERROR = re.compile(r"([A-Za-z_][\w.]*?)(?:[:(].*)?", re.DOTALL)


def keyed_hash(key, text):
    """Hash a text so that only who has the key can compare it with others.

    Parameters
    ----------
    key : str
    text : str

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:16]


def kept_settings(estimator, params, key, text_of):
    """Give settings of an estimator in the form in which they may be kept.

    Parameters
    ----------
    estimator : estimator
        A pipeline, or any other.
    params : mapping of str to object
        For its `set_params`.
    key : str
        Of the hashes.
    text_of : callable
        Gives a text that identifies a value.

    Returns
    -------
    dict of str to value
        ``{"hash": ...}`` for a value that is not kept as it is.
    """
    kept = {}
    for name, value in params.items():
        if isinstance(value, np.generic):
            value = value.item()
        if _is_open(_owner(estimator, params, name), name.rpartition("__")[2], value):
            kept[name] = value
        else:
            kept[name] = {HASHED: keyed_hash(key, text_of(value))}
    return kept


def _owner(estimator, params, name):
    """Give the estimator that a nested name sets a parameter of."""
    prefix = name.rpartition("__")[0]
    if not prefix:
        return estimator
    if prefix in params:
        return params[prefix]
    try:
        return estimator.get_params(deep=True).get(prefix)
    except Exception:
        # Code of the user's: whatever it raises, nothing is known of the owner.
        return None


def _is_open(owner, name, value):
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int):
        return abs(value) < 2**63
    if isinstance(value, float):
        return math.isfinite(value)
    if not isinstance(value, str) or owner is None or len(value) > MAX_NAME:
        return False
    constraints = getattr(type(owner), "_parameter_constraints", None)
    allowed = constraints.get(name, ()) if isinstance(constraints, Mapping) else ()
    for constraint in allowed if isinstance(allowed, list | tuple) else ():
        # Marks of scikit-learn for options that it keeps out of its messages.
        constraint = getattr(constraint, "constraint", constraint)
        if value in getattr(constraint, "options", ()):
            return True
    return value == _default(type(owner), name)


def _default(cls, name):
    try:
        return inspect.signature(cls.__init__).parameters[name].default
    except (KeyError, TypeError, ValueError):
        return None


def failure_type(failure):
    """Give the type of the exception that a failure tells of; nothing of what it says.

    Parameters
    ----------
    failure : str
        A traceback, the text of an exception, or its type.

    Returns
    -------
    str
        Empty if it names no exception that is known here.
    """
    found = ""
    for line in failure.splitlines():
        if not line or line[0].isspace() or line.startswith("Traceback ("):
            continue
        match = _ERROR.fullmatch(line.strip())
        if match and _is_exception(match.group(1)):
            found = match.group(1).rpartition(".")[2]
            # Later lines may belong to the message, which may quote data.
            break
    return found


def _is_exception(name):
    module, _, own = name.rpartition(".")
    holder = sys.modules.get(module) if module else builtins
    found = getattr(holder, own, None) if holder is not None else None
    return isinstance(found, type) and issubclass(found, BaseException)


def estimator_text(estimator, searched, text_of):
    """Give a text that two estimators share if they differ in nothing but what a search sets.

    The parameters searched are no part of it, nor those that change no result to speak of: seeds,
    numbers of threads, and how much is printed.

    Parameters
    ----------
    estimator : estimator
    searched : collection of str
        Names of the parameters that candidates set.
    text_of : callable
        Gives a text that identifies a value.

    Returns
    -------
    str
    """
    params = estimator.get_params(deep=True)
    inside = {id(value) for value in params.values() if _is_estimator(value)}

    def shape(value):
        if id(value) in inside:
            # Its own parameters stand among those of the whole.
            return _class_of(value)
        if type(value) in (list, tuple):
            return f"({', '.join(map(shape, value))})"
        return text_of(value)

    def counts(name):
        parts = name.split("__")
        heads = ("__".join(parts[: k + 1]) for k in range(len(parts)))
        return parts[-1] not in _WITHOUT_EFFECT and not any(head in searched for head in heads)

    lines = [f"{name}={shape(value)}" for name, value in sorted(params.items()) if counts(name)]
    return "\n".join([_class_of(estimator), *lines])


def _is_estimator(value):
    return hasattr(value, "get_params") and not isinstance(value, type)


def _class_of(value):
    return f"{type(value).__module__}.{type(value).__qualname__}"
