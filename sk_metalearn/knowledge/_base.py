"""The knowledge base: tasks, configurations, evaluations, and where they come from."""

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from ..exceptions import KnowledgeError
from ._assemble import assemble
from ._bundle import check_file, read_bundle, write_bundle
from ._check import check_tables
from ._families import FamilyTable
from ._merge import diff_tables, merge_tables
from ._records import KINDS, Status

__all__ = ["KnowledgeBase"]

_BUNDLED = "bundled.npz"


class KnowledgeBase:
    """What is known of past tasks: every evaluation of many configurations, failures included.

    Make one with `bundled`, `open` or `from_evaluations`.

    Parameters
    ----------
    tables : mapping of (kind, fidelity) to PerformanceTable
    aliases : sequence of Task, default=()
        Datasets without evaluations that are known to be kin of the tasks.
    sources : sequence of Source, default=()
    provenance : mapping, optional
        Versions, machines, limits, in JSON types.

    Attributes
    ----------
    left_out : frozenset of str
        Families removed by `without`.
    """

    def __init__(self, tables=None, aliases=(), sources=(), provenance=None):
        self._tables = dict(tables or {})
        self._pending = []
        self._store = None
        self._path = None
        self._families = None
        self._retrievers = {}
        self.aliases = tuple(aliases)
        self.sources = tuple(sources)
        self.provenance = dict(provenance or {})
        self.left_out = frozenset()

    @classmethod
    def bundled(cls):
        """Open the knowledge that comes with the package.

        Returns
        -------
        KnowledgeBase

        Raises
        ------
        KnowledgeError
            If this copy of the package has none.
        """
        parts, path = _read_bundled()
        base = cls(*parts)
        base._path = path
        return base

    @classmethod
    def open(cls, path_or_url):
        """Open a knowledge base.

        Parameters
        ----------
        path_or_url : path-like or str
            A file written by `save`; an SQLite file or a database URL (``sqlite:///...``,
            ``postgresql://...``), made if it does not exist, whose base keeps what `record` adds;
            ``"bundled"``; or ``"user"`` for the user's own store in the platform's folder.

        Returns
        -------
        KnowledgeBase

        Raises
        ------
        KnowledgeError
            If it cannot be read.
        """
        from ._store import KnowledgeStore, is_store, user_store_url

        if str(path_or_url) == "bundled":
            return cls.bundled()
        if str(path_or_url) == "user":
            path_or_url = user_store_url()
        if is_store(path_or_url):
            store = KnowledgeStore(path_or_url)
            base = store.load()
            store.close()
            base._store = store
            return base
        base = cls(*read_bundle(path_or_url))
        base._path = Path(path_or_url)
        return base

    @classmethod
    def from_evaluations(
        cls,
        tasks,
        configurations,
        evaluations,
        metafeatures=None,
        *,
        aliases=(),
        sources=(),
        provenance=None,
    ):
        """Gather evaluations into a knowledge base.

        Parameters
        ----------
        tasks : iterable of Task
            Their families are united over all of them; see `FamilyTable`.
        configurations : iterable of Configuration, or mapping of kind to such
            A mapping keeps all of them as columns, in this order; else those evaluated are kept.
        evaluations : iterable of Evaluation
            Read once, one after the other.
        metafeatures : mapping of str to mapping of str to float, optional
            By task id.
        aliases : iterable of Task
        sources : iterable of Source
        provenance : mapping, optional

        Returns
        -------
        KnowledgeBase

        Raises
        ------
        KnowledgeError
            If an evaluation speaks of an unknown task or configuration.
        """
        tables = assemble(tasks, configurations, evaluations, metafeatures or {})
        return cls(tables, aliases, sources, provenance)._with_families()

    def __repr__(self):
        parts = [
            f"{len(table.tasks)} {kind} tasks x {len(table.configurations)} configurations"
            + ("" if fidelity == "main" else f" ({fidelity})")
            for (kind, fidelity), table in sorted(self._tables.items())
            if fidelity == "main" or (kind, "main") not in self._tables
        ]
        return f"<KnowledgeBase: {', '.join(parts) or 'empty'}>"

    def __deepcopy__(self, memo):
        return self

    def _with_families(self):
        tasks = {task.id: task for table in self._tables.values() for task in table.tasks}
        self._families = FamilyTable(tasks.values(), self.aliases)
        self._tables = {
            key: table.with_tasks(self._families.apply(table.tasks))
            for key, table in self._tables.items()
        }
        return self

    def _absorb(self):
        """Enter what was recorded since the tables were last asked for."""
        if self._pending:
            pending, self._pending = self._pending, []
            for tasks, configurations, evaluations, metafeatures in pending:
                new = assemble(tasks, configurations, evaluations, metafeatures)
                self._tables = merge_tables(self._tables, new)
            self._with_families()
        return self._tables

    @property
    def tasks(self):
        """All tasks, of both kinds."""
        tables = self._absorb().values()
        return tuple({task.id: task for table in tables for task in table.tasks}.values())

    @property
    def families(self):
        """The `FamilyTable` over all sources."""
        self._absorb()
        if self._families is None:
            self._families = FamilyTable(self.tasks, self.aliases)
        return self._families

    @property
    def kinds(self):
        """Kinds of task that something is known about."""
        known = {kind for kind, _ in self._absorb()}
        return tuple(kind for kind in KINDS if kind in known)

    def fidelities(self, kind):
        """List the subsets of rows that tasks were measured on.

        Parameters
        ----------
        kind : {"classification", "regression"}

        Returns
        -------
        tuple of str
            ``"main"`` first.
        """
        names = [fidelity for own, fidelity in self._absorb() if own == kind]
        return tuple(sorted(names, key=lambda name: (name != "main", name)))

    def table(self, kind, fidelity="main"):
        """Give the performance table of a kind.

        Parameters
        ----------
        kind : {"classification", "regression"}
        fidelity : str, default="main"

        Returns
        -------
        PerformanceTable

        Raises
        ------
        KnowledgeError
            If nothing is known of that kind and fidelity.
        """
        if kind not in KINDS:
            raise KnowledgeError(f"kind must be one of {list(KINDS)}; got {kind!r}.")
        try:
            return self._absorb()[kind, fidelity]
        except KeyError:
            raise KnowledgeError(
                f"This knowledge base has no {kind} tasks at fidelity {fidelity!r}; it has "
                f"{sorted(self._tables)}."
            ) from None

    def without(self, families=(), openml_ids=(), tasks=()):
        """Leave out whole families, over all sources, for an honest judgement.

        Naming any member leaves out all its kin: other versions, subsets and simulated copies of
        the same data under other ids and names.

        Parameters
        ----------
        families : iterable of str
        openml_ids : iterable of int
            OpenML data ids. Not every task has one: name the dataset, too.
        tasks : iterable of str or Task
            Ids or names of tasks; or a `Task` that need not be in the base.

        Returns
        -------
        KnowledgeBase
            A view: arrays are shared and cut when asked for.

        Raises
        ------
        KnowledgeError
            If a family or task name is unknown.

        Warns
        -----
        KnowledgeWarning
            If an OpenML id is unknown, and so leaves out nothing.
        """
        self._absorb()
        out = self.families.resolve(families, openml_ids, tasks)
        tables = {}
        for key, table in self._tables.items():
            family = self.families.family_of
            keep = [i for i, task in enumerate(table.tasks) if family[task.id] not in out]
            tables[key] = table if len(keep) == len(table.tasks) else table.take(keep)
        base = KnowledgeBase(tables, self.aliases, self.sources, self.provenance)
        base.left_out = self.left_out | out
        base._families = self._families
        return base

    def merge(self, other):
        """Give the union of two bases; where both measured a cell, this one's is kept.

        Parameters
        ----------
        other : KnowledgeBase

        Returns
        -------
        KnowledgeBase
        """
        tables = merge_tables(self._absorb(), other._absorb())
        aliases = {task.id: task for task in (*self.aliases, *other.aliases)}
        sources = {own.name: own for own in (*other.sources, *self.sources)}
        provenance = {**other.provenance, **self.provenance}
        base = KnowledgeBase(tables, aliases.values(), sources.values(), provenance)
        base.left_out = self.left_out & other.left_out
        return base._with_families()

    def diff(self, other):
        """Say what differs from another base.

        Parameters
        ----------
        other : KnowledgeBase

        Returns
        -------
        dict
            Per kind: tasks and configurations only here and only there, cells measured only here
            and only there, and cells whose status or scores differ.
        """
        return diff_tables(self._absorb(), other._absorb())

    def check(self):
        """Look for damage and contradictions.

        Returns
        -------
        list of str
            A line per problem; empty if all is well.
        """
        problems = check_file(self._path) if self._path is not None else []
        return problems or check_tables(self._absorb(), self.sources)

    def save(self, path):
        """Write the base to one file of plain arrays.

        Scores are rounded to 1/65534 of their range within a task.

        Parameters
        ----------
        path : path-like
        """
        tables = [table for _, table in sorted(self._absorb().items())]
        write_bundle(path, tables, self.aliases, self.sources, self.provenance)

    def record(self, task, evaluations, metafeatures=None, configurations=()):
        """Add what was measured on a task; a base opened from a store keeps it there.

        Parameters
        ----------
        task : Task
        evaluations : iterable of Evaluation
        metafeatures : mapping of str to float, optional
        configurations : iterable of Configuration
            Those evaluated; ones that the base knows may be left out.

        Returns
        -------
        self
        """
        evaluations = list(evaluations)
        known = {own.id: own for table in self._tables.values() for own in table.configurations}
        for _, earlier, _, _ in self._pending:
            known.update((own.id, own) for own in earlier)
        known.update((own.id, own) for own in configurations)
        needed = {own.configuration for own in evaluations}
        missing = needed - set(known)
        if missing:
            raise KnowledgeError(
                f"Evaluations speak of unknown configurations {sorted(missing)[:3]}. Pass them as "
                "configurations=."
            )
        others = {own.task for own in evaluations} - {task.id}
        if others:
            raise KnowledgeError(
                f"Evaluations of other tasks {sorted(others)[:3]} than {task.id!r}."
            )
        used = [known[key] for key in sorted(needed)]
        if self._store is not None:
            self._store.add([task], used, evaluations, {task.id: metafeatures or {}})
        self._pending.append(([task], used, evaluations, {task.id: dict(metafeatures or {})}))
        return self

    def neighbors(self, X=None, y=None, *, metafeatures=None, kind=None, n_neighbors=5):
        """Find the past tasks most like a dataset, and say why.

        Parameters
        ----------
        X, y : array-like, optional
            The dataset; only its meta-features are used.
        metafeatures : mapping of str to float, optional
            Meta-features already computed, instead of X and y.
        kind : {"classification", "regression"}, optional
            Default: told by y, or the one kind the base has.
        n_neighbors : int, default=5

        Returns
        -------
        list of Neighbor
            Nearest first.

        Raises
        ------
        KnowledgeError
            If neither data nor meta-features are given, or the base has no meta-features.
        """
        from ._retrieval import find_neighbors

        return find_neighbors(self, X, y, metafeatures, kind, n_neighbors)

    def _retriever(self, kind, names):
        """Give the retriever over some meta-features, made once, and the rows it knows."""
        from ._retrieval import DatasetRetriever

        table = self.table(kind, self.fidelities(kind)[0])
        known = self._retrievers.get((kind, names))
        if known is None or known[0] is not table:
            columns = [table.metafeature_names.index(name) for name in names]
            values = table.metafeatures[:, columns]
            rows = np.flatnonzero(np.isfinite(values).any(axis=1))
            known = table, DatasetRetriever().fit(values[rows]), rows
            self._retrievers[kind, names] = known
        return known[1:]

    def to_frame(self, kind, fidelity="main"):
        """Give all evaluations as a pandas data frame, a row per measured cell.

        Parameters
        ----------
        kind : {"classification", "regression"}
        fidelity : str, default="main"

        Returns
        -------
        pandas.DataFrame
        """
        from ..exceptions import import_optional

        pandas = import_optional("pandas", "pandas", "KnowledgeBase.to_frame")
        table = self.table(kind, fidelity)
        rows, columns = np.nonzero(table.status != Status.missing)
        tasks = [table.tasks[i] for i in rows]
        data = {
            "task": [task.id for task in tasks],
            "name": [task.name for task in tasks],
            "family": [task.family for task in tasks],
            "configuration": [table.configurations[j].id for j in columns],
            "model": [table.configurations[j].family for j in columns],
            "source": [table.sources[k] for k in table.origin[rows, columns]],
            "status": [Status(code).name for code in table.status[rows, columns]],
            "seconds": table.seconds[rows, columns],
        }
        for metric in table.metrics:
            data[metric] = table.scores(metric)[rows, columns]
        return pandas.DataFrame(data)

    def summary(self):
        """Count what is known, by kind and fidelity and by source.

        Returns
        -------
        Summary
            A dict that prints as a table.
        """
        from ._summary import summarize

        return summarize(self._absorb(), self.sources, self.provenance)


@lru_cache(maxsize=1)
def _read_bundled():
    resource = files(__package__).joinpath("data", _BUNDLED)
    if not resource.is_file():
        raise KnowledgeError(
            "This copy of sk_metalearn holds no bundled knowledge (data/bundled.npz is missing). "
            "Install a release, or build one with: python -m sk_metalearn.building"
        )
    path = Path(str(resource))
    return read_bundle(path), path
