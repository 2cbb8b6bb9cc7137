"""Links from names in backticks to this package's pages and to scikit-learn's, without a network.

scikit-learn's inventory is made from the scikit-learn that is installed: its pages of classes and
functions have addresses that follow from their names.
"""

import importlib
import inspect
import pkgutil
from pathlib import Path

from docutils import nodes
from sklearn.utils.discovery import all_displays, all_estimators, all_functions
from sphinx.util.inventory import InventoryFile

import sk_metalearn

STABLE = "https://scikit-learn.org/stable"
# Public, but neither estimators, functions nor displays.
FURTHER = [
    "sklearn.model_selection.GroupKFold",
    "sklearn.model_selection.KFold",
    "sklearn.model_selection.StratifiedKFold",
    "sklearn.model_selection.TimeSeriesSplit",
]


def scikit_learn_names():
    """Full public name of each class and function of scikit-learn, by its last part."""
    found = {}
    for name, thing in [*all_estimators(), *all_functions(), *all_displays()]:
        module = ".".join(p for p in thing.__module__.split(".") if not p.startswith("_"))
        public = ".".join(module.split(".")[:2])
        if hasattr(importlib.import_module(public), name):
            found[name] = (f"{public}.{name}", "class" if inspect.isclass(thing) else "function")
    found.update((full.rpartition(".")[2], (full, "class")) for full in FURTHER)
    return found


def own_names():
    """Full name of each public class and function of this package, by its last part."""
    rooms = [m.name for m in pkgutil.iter_modules(sk_metalearn.__path__) if m.ispkg]
    found = {}
    for room in [*rooms, "exceptions"]:
        module = importlib.import_module(f"sk_metalearn.{room}")
        for name in getattr(module, "__all__", ()):
            found[name] = f"sk_metalearn.{room}.{name}"
    found.update((name, f"sk_metalearn.{name}") for name in sk_metalearn.__all__)
    return found


class _Inventory:
    """What `InventoryFile.dump` asks of an environment and a builder."""

    def __init__(self, names):
        self.config = self
        self.project, self.version = "scikit-learn", "stable"
        self.domains = self
        self._names = names

    def sorted(self):
        yield self

    name = "py"

    def get_objects(self):
        for full, kind in self._names.values():
            yield full, full, kind, f"modules/generated/{full}", full, 1

    def get_target_uri(self, docname):
        return f"{docname}.html"


def write_inventory(path):
    """Write scikit-learn's inventory; gives its address and the file for `intersphinx_mapping`."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    inventory = _Inventory(scikit_learn_names())
    InventoryFile.dump(path, inventory, inventory)
    return STABLE, str(path)


def resolve(app, env, node, contnode):
    """Resolve a bare name such as ``GridSearchCV`` or ``TableReader``."""
    if node.get("refdomain") != "py":
        return None
    name = node["reftarget"]
    last = name.removesuffix("()").rpartition(".")[2]
    own = app.config.own_names.get(last) if name.removesuffix("()") == last else None
    if own is not None:
        entry = env.domains["py"].objects.get(own)
        if entry is not None:
            uri = app.builder.get_relative_uri(node.get("refdoc", env.docname), entry.docname)
            return nodes.reference("", "", contnode, internal=True, refuri=f"{uri}#{own}")
    theirs = app.config.scikit_learn_names.get(last)
    bare = name == last and last[:1].isupper()
    if theirs is not None and (bare or name.startswith("sklearn.")):
        uri = f"{STABLE}/modules/generated/{theirs[0]}.html"
        return nodes.reference("", "", contnode, internal=False, refuri=uri)
    return None


def setup(app):
    app.add_config_value("own_names", own_names(), "")
    app.add_config_value("scikit_learn_names", scikit_learn_names(), "")
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
