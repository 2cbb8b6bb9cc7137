"""Which datasets are kin: one table over all sources, so that nothing left out comes back.

Two tasks belong together if they share an OpenML data id or task id, a normalised name, a family
named by their source, or a fingerprint: rows, columns and classes. The union is conservative: a
chance meeting of fingerprints costs a little knowledge, a missed one would spoil a judgement.
"""

import re
import warnings
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..exceptions import KnowledgeError, KnowledgeWarning
from ._limits import MAX_NAME
from ._records import Task

__all__ = ["FamilyTable", "keys_of", "normalize_name"]

_VERSION = re.compile(r"\s*\((\d+)\)\s*$|[-_ ]v\d+$|[-_ ](un)?seed[-_ ].*$")
_BAYESIAN = re.compile(r"^bng[ _(]+(.+?)\)?$")
_PREFIX = re.compile(r"^(keel|uci|pmlb|openml|kdd|rdata|jungle)[-_ ]")
# Generators whose datasets differ in name and shape but come from one recipe.
_STEMS = (
    ("fri c", "friedman"),
    ("fri_c", "friedman"),
    ("gametes", "gametes"),
    ("mfeat", "mfeat"),
    ("autouniv", "autouniv"),
    ("hill valley", "hill valley"),
    ("monks", "monks"),
    ("tumors c", "tumors"),
    ("qsar tid", "qsar tid"),
)
# The same data under names that have nothing in common.
_SAME = {"ada": "adult", "ada agnostic": "adult", "loanapp": "hmda boston"}


def normalize_name(name):
    """Reduce the name of a dataset to what its copies share.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        Lower case, words separated by one blank; without version, collection prefix or the mark
        of a simulated copy ("BNG(...)"); a generator's datasets share its stem.

    Examples
    --------
    >>> from sk_metalearn.knowledge import normalize_name
    >>> normalize_name("BNG(Credit-G) (2)")
    'credit g'
    >>> normalize_name("fri_c2_500_10")
    'friedman'
    """
    # Longer names are none: the patterns look back over every blank.
    text = _VERSION.sub("", str(name)[:MAX_NAME].strip().lower())
    simulated = _BAYESIAN.match(text)
    if simulated:
        text = simulated.group(1).partition(",")[0]
    text = _PREFIX.sub("", text)
    text = " ".join(re.findall(r"(?:[^\W_]|\.)+", text))
    for stem, family in _STEMS:
        if text.startswith(stem):
            return family
    return _SAME.get(text, text)


def keys_of(task):
    """List what a task may share with its kin.

    Parameters
    ----------
    task : Task

    Returns
    -------
    list of tuple
    """
    # A name of signs only says nothing.
    names = map(normalize_name, filter(None, (task.name, task.family)))
    keys = [("name", name) for name in names if name]
    if task.openml_id is not None:
        keys.append(("data", task.openml_id))
    if task.openml_task_id is not None:
        keys.append(("task", task.openml_task_id))
    if task.n_rows and task.n_features:
        keys.append(("shape", task.n_rows, task.n_features, task.n_classes))
        # The twin of the other kind (a target cut into classes) has the same rows and columns;
        # round numbers of rows are too common to say so.
        if task.n_rows % 50:
            keys.append(("table", task.n_rows, task.n_features))
    return keys


class FamilyTable:
    """The families of a set of tasks.

    Parameters
    ----------
    tasks : iterable of Task
        From all sources together.
    aliases : iterable of Task
        Datasets known without evaluations, such as other versions on OpenML: they join no two
        families, they only lead to them.

    Attributes
    ----------
    family_of : dict of str to str
        Family by task id.
    """

    def __init__(self, tasks, aliases=()):
        self.tasks = tuple(tasks)
        self.aliases = tuple(aliases)
        self.family_of = {}
        self._by_key = defaultdict(set)
        keys = [[("id", task.id), *keys_of(task)] for task in self.tasks]
        members = defaultdict(list)
        for place, group in enumerate(_sharing(keys)):
            members[group].append(place)
        for kin in members.values():
            names = Counter(_name_of(self.tasks[place]) for place in kin)
            name = min(names, key=lambda own: (-names[own], len(own), own))
            for place in kin:
                self.family_of[self.tasks[place].id] = name
                for key in keys[place]:
                    self._by_key[key].add(name)

    def __repr__(self):
        return f"<FamilyTable: {len(self.family_of)} tasks, {len(self.names())} families>"

    def names(self):
        """List the families.

        Returns
        -------
        list of str
            Sorted.
        """
        return sorted(set(self.family_of.values()))

    def apply(self, tasks):
        """Enter the families found into tasks.

        Parameters
        ----------
        tasks : iterable of Task
            Tasks of the table; others stay as they are.

        Returns
        -------
        list of Task
            The same tasks, each with its family.
        """
        return [
            task
            if self.family_of.get(task.id, task.family) == task.family
            else replace(task, family=self.family_of[task.id])
            for task in tasks
        ]

    def kin_of(self, task):
        """Give the families that a dataset belongs to, one that need not be in the table.

        Parameters
        ----------
        task : Task
            Told by its name, ids and shape.

        Returns
        -------
        set of str
            Names of families; empty if it has no kin here.
        """
        return set().union(*(self._by_key.get(key, ()) for key in keys_of(task)))

    def resolve(self, families=(), openml_ids=(), tasks=()):
        """Give all families that are meant by names, OpenML ids or tasks.

        Parameters
        ----------
        families : iterable of str
            Names of families, or of datasets in them.
        openml_ids : iterable of int
            Data ids.
        tasks : iterable of str or Task
            Ids or names of tasks.

        Returns
        -------
        set of str
            Names of families.

        Raises
        ------
        KnowledgeError
            If a family or task is unknown.

        Warns
        -----
        KnowledgeWarning
            If an OpenML id is unknown: the data may be here without it.
        """
        found, unknown = set(), []
        for family in _several(families, "families"):
            own = self._by_key.get(("name", normalize_name(family)), {family} & {*self.names()})
            if not own:
                raise KnowledgeError(f"Unknown family {family!r}.{_similar(family, self.names())}")
            found |= own
        for openml_id in _several(openml_ids, "openml_ids"):
            kin = [alias for alias in self.aliases if alias.openml_id == int(openml_id)]
            known = self._by_key.get(("data", int(openml_id)), set())
            known = known.union(*map(self.kin_of, kin))
            if not known:
                unknown.append(int(openml_id))
            found |= known
        if unknown:
            warnings.warn(
                f"No dataset here is known by the OpenML ids {unknown}: nothing is left out for "
                "them. Their data may be here without an id or under that of another version: "
                "leave it out by its name too, tasks=['<name>'].",
                KnowledgeWarning,
                stacklevel=3,
            )
        for task in _several(tasks, "tasks"):
            if not isinstance(task, str):
                found |= self.kin_of(task) | self._by_key.get(("id", task.id), set())
                continue
            own = self._by_key.get(("id", task)) or self._by_key.get(("name", normalize_name(task)))
            if not own:
                names = [known.name for known in self.tasks]
                raise KnowledgeError(f"Unknown task {task!r}.{_similar(task, names)}")
            found |= own
        return found


def _sharing(keys):
    """Number the groups of those that share a key, directly or through others."""
    numbers = {}
    pairs = [
        (i, numbers.setdefault(key, len(numbers))) for i, own in enumerate(keys) for key in own
    ]
    rows, columns = np.array(pairs, dtype=int).reshape(-1, 2).T
    size = len(keys) + len(numbers)
    graph = coo_array((np.ones(len(rows)), (rows, len(keys) + columns)), shape=(size, size))
    return connected_components(graph, directed=False)[1][: len(keys)].tolist()


def _name_of(task):
    return task.family or normalize_name(task.name) or task.id


def _several(values, name):
    if isinstance(values, str | int | Task):
        raise KnowledgeError(f"{name} takes a list; got {values!r}. Write {name}=[{values!r}].")
    return values


def _similar(name, names):
    from difflib import get_close_matches

    near = get_close_matches(name, names, n=3)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
