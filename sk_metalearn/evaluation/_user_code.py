"""The user's own code in another process, as it is now in this one.

Functions and classes of modules that are neither installed nor of the standard library, and those
of the main script, travel by value: a worker may have imported an earlier state of the module, or
cannot import it at all. The worker puts them into a module of the same name, so that what pickles
by name (`joblib.Memory`) finds them; on the way back they are named, not copied, so that a fitted
model is of the caller's own classes.
"""

import importlib
import io
import os
import site
import sys
import sysconfig
import threading
import types
from contextlib import contextmanager
from functools import lru_cache

import cloudpickle
from cloudpickle import loads as plain_loads

__all__ = ["dumps", "dumps_back", "loads"]

_lock = threading.RLock()
# Never the user's own, wherever they are installed.
_KNOWN = {"sk_metalearn", "sklearn", "numpy", "scipy", "joblib", "pandas", "polars", "cloudpickle"}
# Cloudpickle writes it by value of itself.
_SCRIPT = ("__main__", "__mp_main__")
_PROTOCOL = 5


@lru_cache(maxsize=1)
def _installed_folders():
    folders = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    folders += [*site.getsitepackages(), site.getusersitepackages()]
    folders += [sys.prefix, sys.base_prefix] if sys.prefix != sys.base_prefix else []
    return tuple({os.path.realpath(folder) + os.sep for folder in folders})


@lru_cache(maxsize=10_000)
def _is_installed(file):
    return os.path.realpath(file).startswith(_installed_folders())


def is_users(name):
    """Tell whether a module that is loaded here is the user's own.

    Parameters
    ----------
    name : str
    """
    module = sys.modules.get(name)
    if type(module) is not types.ModuleType or name.partition(".")[0] in _KNOWN:
        return False
    if name in _SCRIPT or name in _made:
        return True
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and file.endswith(".py") and not _is_installed(file)


def _find(module, qualname):
    """Return what a module has under a name, None if it has nothing."""
    found = sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


def _name_of(thing):
    """Return (module, qualified name) of a function or class of the user's, else None."""
    if not isinstance(thing, type | types.FunctionType):
        return None
    name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", "")
    if not isinstance(name[0], str) or not is_users(name[0]) or _find(*name) is not thing:
        return None
    return name


class _Noting(cloudpickle.Pickler):
    """Notes which things of the user's it writes."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.noted = {}

    def reducer_override(self, thing):
        name = _name_of(thing)
        if name is not None:
            self.noted[name] = thing
        return super().reducer_override(thing)


def _newest():
    """Say what changes when a module is loaded."""
    return len(sys.modules), next(reversed(sys.modules), None)


@lru_cache(maxsize=1)
def _users_modules(n_modules, newest):
    # There are thousands to look through, for each job.
    return [name for name in list(sys.modules) if name not in _SCRIPT and is_users(name)]


@contextmanager
def _by_value():
    """Have cloudpickle write the user's modules by value."""
    with _lock:
        known = cloudpickle.list_registry_pickle_by_value()
        added = [name for name in _users_modules(*_newest()) if name not in known]
        for name in added:
            if name in sys.modules:
                cloudpickle.register_pickle_by_value(sys.modules[name])
        try:
            yield
        finally:
            for name in added:
                if name in sys.modules:
                    cloudpickle.unregister_pickle_by_value(sys.modules[name])


def dumps(value, buffer_callback=None):
    """Pickle a value for a worker, and with it the user's code that it needs.

    Parameters
    ----------
    value : object
    buffer_callback : callable, optional
        As in `pickle.Pickler`.

    Returns
    -------
    bytes
        For `loads`.
    """
    try:
        with _by_value():
            noting, content, buffers = _dump(_Noting, ([], value), buffer_callback)
            if noting.noted:
                things = list(noting.noted.items())
                _, content, buffers = _dump(cloudpickle.Pickler, (things, value), buffer_callback)
    except Exception:
        # What a module of the user's refers to may not travel; the module can.
        _, content, buffers = _dump(cloudpickle.Pickler, ([], value), buffer_callback)
    for buffer in buffers:
        buffer_callback(buffer)
    return content


def _dump(kind, content, apart=False):
    file, buffers = io.BytesIO(), []
    pickler = kind(file, protocol=_PROTOCOL, buffer_callback=buffers.append if apart else None)
    pickler.dump(content)
    return pickler, file.getvalue(), buffers


# What came from the caller, by module and name, and the modules made for it.
_received, _made = {}, set()


def loads(content, buffers=()):
    """Load what `dumps` wrote.

    Parameters
    ----------
    content : bytes
    buffers : iterable, default=()
        What the `buffer_callback` was given.
    """
    things, value = plain_loads(content, buffers=buffers)
    for (module, qualname), thing in things:
        if _find(module, qualname) is not thing:
            _put(module, qualname, thing)
        _received[module, qualname] = thing
    return value


def _put(name, qualname, thing):
    if name not in sys.modules:
        try:
            importlib.import_module(name)
        except Exception:
            sys.modules[name] = types.ModuleType(name)
            _made.add(name)
    holder, _, last = qualname.rpartition(".")
    place = _find(name, holder) if holder else sys.modules[name]
    if place is not None:
        setattr(place, last, thing)


class _Naming(cloudpickle.Pickler):
    """Writes what came from the caller by name."""

    def reducer_override(self, thing):
        if isinstance(thing, type | types.FunctionType):
            name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", "")
            known = _received.get(name)
            if known is thing or _same_function(known, thing):
                return _named, name
        return super().reducer_override(thing)


def _same_function(one, other):
    # Each message makes a function anew, and a class only once.
    functions = isinstance(one, types.FunctionType) and isinstance(other, types.FunctionType)
    return functions and one.__code__ == other.__code__ and one.__closure__ is None


def _named(module, qualname):
    thing = _find(module, qualname)
    if thing is None:
        raise AttributeError(f"{module} has no {qualname} any more.")
    return thing


def dumps_back(value):
    """Pickle a result for the process that `dumps` was called in; plain ``pickle`` loads it.

    Parameters
    ----------
    value : object

    Returns
    -------
    bytes
    """
    return _dump(_Naming, value)[1]
