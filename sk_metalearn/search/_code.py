"""An estimator as the Python code that makes it."""

import ast
import dataclasses
import inspect
import sys
from collections.abc import Mapping

import numpy as np

from .._compat import output_format, requests_of

__all__ = ["to_code"]

_WIDTH = 88


def to_code(estimator, name="model"):
    """Write the Python code that makes an estimator.

    Parameters
    ----------
    estimator : estimator or search
        Of a fitted search the best estimator is taken. What was learned in `fit` is no part of
        the code.
    name : str, default="model"
        The variable that it is assigned to.

    Returns
    -------
    str
        Imports, and an assignment. Only parameters that differ from their default are given.

    Raises
    ------
    ValueError
        If a parameter holds an object that no short code makes, such as a function without a
        name.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> from sk_metalearn.search import to_code
    >>> print(to_code(make_pipeline(StandardScaler(), SVC(C=10))))
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    <BLANKLINE>
    model = Pipeline(steps=[("standardscaler", StandardScaler()), ("svc", SVC(C=10))])
    """
    writer = _Writer()
    text = writer.write(getattr(estimator, "best_estimator_", estimator), len(name) + 3, 0)
    named = [f"{own} = {code}\n" for own, code in writer.named.values()]
    return "\n".join([*sorted(writer.imports), "", *named, f"{name} = {text}"])


def _public_place(thing):
    """Shortest module that a class or function can be imported from."""
    parts, top = thing.__module__.split("."), thing.__qualname__.split(".")[0]
    for stop in range(1, len(parts)):
        module = ".".join(parts[:stop])
        found = getattr(sys.modules.get(module), top, None)
        if getattr(found, "__module__", None) == thing.__module__:
            return module
    return thing.__module__


class _Writer:
    """Writes expressions and collects what they import, and the values they name."""

    def __init__(self):
        self.imports = set()
        # By the value: name and code.
        self.named, self._in_named = {}, False
        # By the value's id: its code on one line, and the value, so that the id stays its own.
        self._flat_codes = {}

    def name_of(self, thing):
        qualname = thing.__qualname__
        if "<" in qualname:
            raise ValueError(
                f"{thing!r} has no name to import it by; define it in a module to have it in code."
            )
        module = _public_place(thing)
        if module not in ("builtins", "__main__"):
            self.imports.add(f"from {module} import {qualname.split('.')[0]}")
        return qualname

    def write(self, value, used, depth):
        """Give the expression of a value; `used` columns of its line are taken."""
        if hasattr(value, "get_params") and not isinstance(value, type):
            call = self._call(self.name_of(type(value)), self._changed(value), used, depth)
            return call + "".join(_kept_calls(value))
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, float) and not np.isfinite(value):
            return f'float("{value}")'
        if isinstance(value, str):
            return _quote(value)
        if value is None or isinstance(value, bool | int | float | complex | bytes):
            return repr(value)
        if isinstance(value, Mapping):
            items = [(f"{self.write(key, 0, depth)}: ", own) for key, own in value.items()]
            return self._bracketed("{", items, "}", used, depth)
        if type(value) in (list, tuple, set):
            if value == set():
                return "set()"
            ends = {list: "[]", set: "{}"}.get(type(value), "()")
            closing = ",)" if isinstance(value, tuple) and len(value) == 1 else ends[1]
            return self._bracketed(ends[0], [("", own) for own in value], closing, used, depth)
        if isinstance(value, slice):
            bounds = [("", own) for own in (value.start, value.stop, value.step)]
            return self._call("slice", bounds, used, depth)
        if isinstance(value, np.ndarray):
            self.imports.add("import numpy as np")
            return f"np.array({self.write(value.tolist(), used, depth)})"
        if isinstance(value, type) or inspect.isroutine(value):
            return self.name_of(value)
        if dataclasses.is_dataclass(value):
            if not self._in_named:
                return self._name(value)
            return self._call(self.name_of(type(value)), _changed_fields(value), used, depth)
        return self._by_class(value, used, depth)

    def _name(self, value):
        """Give a dataclass a name of its own: the parts of an ensemble often share it."""
        key = repr(value)
        if key not in self.named:
            own = base = type(value).__name__.lower()
            while own in {name for name, _ in self.named.values()}:
                own = f"{base}_{len(self.named) + 1}"
            self._in_named = True
            code = self._call(self.name_of(type(value)), _changed_fields(value), len(own) + 3, 0)
            self._in_named = False
            self.named[key] = own, code
        return self.named[key][0]

    def _by_class(self, value, used, depth):
        """Objects whose repr is a call of their own class, or that keep what they were given."""
        text, cls = repr(value), type(value)
        short = cls.__name__
        if text.startswith(f"{cls.__module__}.{short}(") and _is_call(text):
            self.imports.add(f"import {cls.__module__}")
            return text
        if text.startswith(f"{short}(") and _is_call(text):
            self.name_of(cls)
            return text
        if (given := _kept_arguments(value)) is not None:
            return self._call(self.name_of(cls), given, used, depth)
        raise ValueError(
            f"No short code makes {value!r}, which a parameter of the estimator holds."
        )

    def _changed(self, estimator):
        signature = inspect.signature(type(estimator).__init__).parameters
        changed = []
        for name, value in estimator.get_params(deep=False).items():
            default = signature[name].default if name in signature else inspect.Parameter.empty
            if not _same(value, default):
                changed.append((f"{name}=", value))
        return changed

    def _call(self, name, items, used, depth):
        return name + self._bracketed("(", items, ")", used + len(name), depth)

    def _flat(self, value):
        """Give the expression on one line, however long, and make it once."""
        key = id(value), self._in_named
        if key not in self._flat_codes:
            self._flat_codes[key] = self.write(value, -np.inf, 0), value
        return self._flat_codes[key][0]

    def _bracketed(self, opening, items, closing, used, depth):
        """Give a bracketed list on one line where it fits, else an item per line."""
        line = ", ".join(prefix + self._flat(value) for prefix, value in items)
        if "\n" not in line and used + len(line) + 2 <= _WIDTH:
            return f"{opening}{line}{closing}"
        indent = "    " * (depth + 1)
        lines = [
            f"{indent}{prefix}{self.write(value, len(indent) + len(prefix) + 1, depth + 1)},"
            for prefix, value in items
        ]
        return "\n".join([opening, *lines, "    " * depth + closing[-1]])


def _kept_calls(estimator):
    """What `clone` keeps beside the parameters, as calls: `set_output` and metadata requests."""
    container = output_format(estimator, default=None)
    if container is not None:
        yield f'.set_output(transform="{container}")'
    for method, requests in requests_of(estimator).items():
        given = ", ".join(f"{name}={value!r}" for name, value in requests.items())
        yield f".set_{method}_request({given})"


def _kept_arguments(value):
    """What an object such as `make_column_selector` was made of, where it kept just that."""
    if not inspect.isfunction(type(value).__init__):
        return None
    named = inspect.signature(type(value).__init__).parameters.values()
    named = [own for own in named if own.name != "self"]
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    known = getattr(value, "__dict__", {})
    if any(own.kind not in plain for own in named) or set(known) != {own.name for own in named}:
        return None
    changed = [own for own in named if not _same(known[own.name], own.default)]
    return [(f"{own.name}=", known[own.name]) for own in changed]


def _changed_fields(value):
    """Fields of a dataclass that differ from their default."""
    given = []
    for own in dataclasses.fields(value):
        if not own.init:
            continue
        default, held = own.default, getattr(value, own.name)
        if own.default_factory is not dataclasses.MISSING:
            default = own.default_factory()
        if not _same(held, default):
            given.append((f"{own.name}=", held))
    return given


def _is_call(text):
    try:
        return isinstance(ast.parse(text, mode="eval").body, ast.Call)
    except SyntaxError:
        return False


def _quote(text):
    return repr(text) if '"' in text or "\\" in text or "\n" in text else f'"{text}"'


def _same(value, default):
    if value is default:
        return True
    if type(value) is not type(default):
        return False
    try:
        return bool(value == default) or (value != value and default != default)
    except (TypeError, ValueError):
        return False
