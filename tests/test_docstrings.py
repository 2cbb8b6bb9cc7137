"""Every public class, method and function has a docstring that fits its signature."""

import dataclasses
import doctest
import enum
import importlib
import inspect
import pkgutil

import pytest

import sk_metalearn

validate = pytest.importorskip("numpydoc.validate").validate
NumpyDocString = pytest.importorskip("numpydoc.docscrape").NumpyDocString

# No docstring; no summary; sections misplaced or unknown.
CHECKS = {"GL08", "SS01", "GL06", "GL07"}
# A parameter or a returned value not listed, without a type, or without a description.
COMPLETE = {f"PR{i:02}" for i in range(1, 11)} | {f"RT{i:02}" for i in range(1, 6)}


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


def _bases(name):
    """The method of each base class that a method without a docstring overrides."""
    owner = PUBLIC[name.rpartition(".")[0]]
    found = [vars(base).get(PUBLIC[name].__name__) for base in owner.__mro__[1:]]
    return [method for method in found if getattr(method, "__doc__", None)]


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_docstring(name):
    thing = PUBLIC[name]
    if inspect.isfunction(thing) and not thing.__doc__ and "." in thing.__qualname__:
        # a method that implements a documented method of a base class needs no second docstring
        assert _bases(name), name
        return
    # nobody calls an enumeration with the parameters of its constructor
    is_enum = inspect.isclass(thing) and issubclass(thing, enum.Enum)
    checks = CHECKS if is_enum else CHECKS | COMPLETE
    errors = [f"{code}: {text}" for code, text in validate(name)["errors"] if code in checks]
    assert not errors, f"{name}: {errors}"


def _documented(thing, *sections):
    """Names in some sections, a shared entry ("a, b : int") taken apart."""
    if not thing.__doc__:
        return []
    doc = NumpyDocString(inspect.getdoc(thing))
    entries = [entry.name for section in sections for entry in doc[section]]
    return [name.strip(" *`") for entry in entries for name in entry.split(",")]


def _signature(thing):
    names = [name.strip("*") for name in inspect.signature(thing).parameters]
    return [name for name in names if not name.startswith("_") and name not in ("self", "cls")]


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_parameters_are_documented(name):
    thing = PUBLIC[name]
    is_class = inspect.isclass(thing)
    if (is_class and issubclass(thing, enum.Enum | BaseException)) or not thing.__doc__:
        return
    sections = ["Parameters", "Other Parameters"]
    own, signature = _documented(thing, *sections), _signature(thing)
    if dataclasses.is_dataclass(thing):
        # whose fields are attributes as well
        sections.append("Attributes")
    # what a subclass takes over is documented where it comes from
    whole = thing.__mro__ if is_class else [thing]
    documented = {name for part in whole for name in _documented(part, *sections)}
    missing = [n for n in signature if n not in documented]
    unknown = [n for n in own if n not in signature]
    order = [n for n in own if n in signature]
    assert not missing, f"{name} does not document {missing}"
    assert not unknown, f"{name} documents {unknown}, which its signature does not have"
    assert order == [n for n in signature if n in order], f"{name} documents in another order"


@pytest.mark.parametrize("name", sorted(n for n in PUBLIC if ">>>" in (PUBLIC[n].__doc__ or "")))
def test_examples_give_what_they_show(name):
    if ".metalearners." in name:
        pytest.importorskip("torch")
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for example in doctest.DocTestFinder(recurse=False).find(PUBLIC[name], name, globs={}):
        assert runner.run(example).failed == 0
