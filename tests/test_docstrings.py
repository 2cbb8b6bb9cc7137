"""Every public class, method and function has a docstring that fits its signature."""

import importlib
import inspect
import pkgutil

import pytest

import sk_metalearn

validate = pytest.importorskip("numpydoc.validate").validate

# No docstring; no summary; sections misplaced or unknown.
CHECKS = {"GL08", "SS01", "GL06", "GL07"}
# scikit-learn documents what its own base classes bring.
INHERITED = ("sklearn.", "numpy.", "builtins", "abc", "torch")


def _public():
    found = {}
    rooms = [m.name for m in pkgutil.iter_modules(sk_metalearn.__path__) if m.ispkg]
    for module in [sk_metalearn, *(importlib.import_module(f"sk_metalearn.{r}") for r in rooms)]:
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            own = getattr(thing, "__module__", "") or ""
            if not callable(thing) or not own.startswith("sk_metalearn"):
                continue
            found[f"{own}.{thing.__qualname__}"] = thing
            if inspect.isclass(thing):
                for attribute, member in vars(thing).items():
                    if not attribute.startswith("_") and inspect.isfunction(member):
                        found[f"{own}.{thing.__qualname__}.{attribute}"] = member
    return found


PUBLIC = _public()


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_docstring(name):
    thing = PUBLIC[name]
    inherited = inspect.isfunction(thing) and not thing.__doc__ and "." in thing.__qualname__
    if inherited:
        # A method that implements a documented method of a base class needs no second docstring.
        owner = PUBLIC[name.rpartition(".")[0]]
        bases = [vars(b).get(thing.__name__) for b in owner.__mro__[1:]]
        assert any(b is not None and getattr(b, "__doc__", None) for b in bases), name
        return
    errors = [
        f"{code}: {text}"
        for code, text in validate(name)["errors"]
        if code in CHECKS and not (code in ("PR01", "RT01") and _short_method(thing))
    ]
    assert not errors, f"{name}: {errors}"


def _short_method(thing):
    """A method whose summary says it all need not repeat its parameters in a section."""
    return inspect.isfunction(thing) and "." in thing.__qualname__
