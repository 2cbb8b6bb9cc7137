"""Values and points as text that two of them share only if they are the same."""

import types
from collections.abc import Mapping

import numpy as np
from joblib.hashing import NumpyHasher
from sklearn.base import BaseEstimator

from .._compat import KEPT_BY_CLONE

__all__ = ["point_key", "point_keys", "value_text"]

_PLAIN = (bool, int, float, complex, str, bytes, range, slice, type(None), type(...))


def point_key(point):
    """Return a hashable key that two points share only if they are the same configuration.

    Parameters
    ----------
    point : mapping
        Value of each parameter by name.

    Returns
    -------
    tuple
        Pairs of name and text of the value (see `value_text`), sorted by name.
    """
    return _key(point, value_text)


def point_keys(points):
    """Return the keys of many points, reading a value that they share only once.

    Parameters
    ----------
    points : sequence of mapping
        Value of each parameter by name.

    Returns
    -------
    list of tuple
        The `point_key` of each point.
    """
    known = {}

    def text(value):
        if type(value) in _PLAIN:
            return repr(value)
        if id(value) not in known:
            known[id(value)] = value_text(value)
        return known[id(value)]

    return [_key(point, text) for point in points]


def _key(point, text):
    items = ((name, text(value)) for name, value in point.items())
    return tuple(sorted(items, key=lambda item: repr(item[0])))


def value_text(value):
    """Return the text that identifies a value by its content.

    Estimators and kernels are their class and parameters, functions their name and code. What
    the content does not tell (random states, functions without a name, what cannot be pickled) is
    told apart by its address, written `` at 0x...``.

    Parameters
    ----------
    value : object
        Value of a parameter.

    Returns
    -------
    str
        Text that two values share only if they are the same.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) in _PLAIN:
        return repr(value)
    if isinstance(value, Mapping):
        return repr(point_key(value))
    if type(value) in (list, tuple):
        inside = ", ".join(map(value_text, value))
        if type(value) is list:
            return f"[{inside}]"
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if type(value) in (set, frozenset):
        return f"{type(value).__name__}({', '.join(sorted(map(value_text, value)))})"
    if _is_made_of_parameters(value):
        state = getattr(value, "__dict__", {})
        kept = {name: state[name] for name in KEPT_BY_CLONE if name in state}
        params = {**value.get_params(deep=False), **kept}
        inside = ", ".join(f"{name}={value_text(own)}" for name, own in sorted(params.items()))
        return f"{_name(type(value))}({inside})"
    return _hashed(value)


def _is_made_of_parameters(value):
    if isinstance(value, type) or not hasattr(value, "get_params"):
        return False
    # An estimator that clones itself in another way, such as a frozen one, is more than those.
    usual = BaseEstimator.__sklearn_clone__
    return getattr(type(value), "__sklearn_clone__", usual) is usual


def _name(thing):
    return f"{thing.__module__}.{thing.__qualname__}"


def _hashed(value):
    hasher = _Hasher()
    try:
        digest = hasher.hash(value)[:16]
    except Exception:
        # Pickling runs the code of the object, which may raise anything.
        digest, hasher.opaque = "", True
    named = value if isinstance(value, type | types.FunctionType) else type(value)
    return f"{_name(named)}#{digest}" + (f" at {id(value):#x}" if hasher.opaque else "")


class _Hasher(NumpyHasher):
    """Hashes what pickle would store, functions by their code.

    Attributes
    ----------
    opaque : bool
        Whether the object holds something that two objects may share and still differ.
    """

    opaque = False

    def save(self, obj):
        if isinstance(obj, np.random.RandomState | np.random.Generator):
            obj, self.opaque = type(obj).__name__, True
        elif isinstance(obj, types.ModuleType):
            obj = obj.__name__
        elif isinstance(obj, types.CodeType):
            names = obj.co_names, obj.co_varnames, obj.co_freevars
            obj = obj.co_code, obj.co_consts, *names, obj.co_argcount, obj.co_flags
        elif isinstance(obj, type | types.FunctionType) and "<" in obj.__qualname__:
            self.opaque = True
            obj = _parts(obj) if isinstance(obj, types.FunctionType) else _name(obj)
        elif isinstance(obj, types.FunctionType):
            obj = _parts(obj)
        super().save(obj)


def _parts(function):
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return _name(function), function.__code__, cells, function.__defaults__, function.__kwdefaults__
