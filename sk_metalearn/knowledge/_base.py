"""The knowledge base: tasks, configurations, evaluations, and where they come from."""

import os
import secrets
import threading
from pathlib import Path

import numpy as np

from ..exceptions import KnowledgeError, KnowledgeWarning, warn_user
from ._assemble import assemble, unite_records
from ._bundle import check_file, read_bundle, write_bundle
from ._bundled import read_bundled
from ._contradictions import check_tables
from ._families import FamilyTable
from ._files import is_ours
from ._frame import frame_of
from ._lines import holds_lines, read_lines, write_lines
from ._merge import diff_tables, merge_tables
from ._records import KINDS
from ._retrieval import DatasetRetriever, find_neighbors
from ._store import KnowledgeStore
from ._summary import summarize
from ._table import MOST_OF_A_FAMILY, empty_table
from ._text import printable
from ._urls import is_store, user_store_url

__all__ = ["KnowledgeBase"]

_SHOWN = 3
# A search asks in about a second, however much there is.
_MOST_CELLS = 20_000


class KnowledgeBase:
    """What is known of past tasks: every evaluation of many configurations, failures included.

    Make one with `bundled`, `open` or `from_evaluations`. Threads may share one.

    Parameters
    ----------
    tables : mapping of (kind, fidelity) to PerformanceTable
        The performance of configurations on tasks, by kind and by the subset of rows used.
    aliases : sequence of Task, default=()
        Datasets without evaluations that are known to be kin of the tasks.
    sources : sequence of Source, default=()
        Who measured, and under what licence.
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
        self._loaded = True
        self._path = None
        self._families = None
        self._retrievers = {}
        self._problems = []
        self._sources = tuple(sources)
        self._secret = None
        self._lock = threading.RLock()
        self.aliases = tuple(aliases)
        self.provenance = dict(provenance or {})
        self.left_out = frozenset()

    def __getstate__(self):
        with self._lock:
            return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state):
        self.__dict__.update(state, _lock=threading.RLock())

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
        parts, path = read_bundled()
        base = cls(*parts)
        base._path = path
        return base

    @classmethod
    def open(cls, path_or_url):
        """Open a knowledge base; nothing is made or changed.

        Parameters
        ----------
        path_or_url : path-like or str
            A file of arrays (.npz) or of JSON lines (.jsonl) written by `save`; an SQLite file or
            a database URL (``sqlite:///...``, ``postgresql://...``), whose base keeps what
            `record` adds; ``"bundled"``; or ``"user"`` for the user's own store in the platform's
            folder. A database that is not there yet is an empty base, and is made by `record`.

        Returns
        -------
        KnowledgeBase
            Of a database, one that reads its tables when they are asked for.

        Raises
        ------
        KnowledgeError
            If it cannot be read, or is no knowledge base.

        Warns
        -----
        KnowledgeWarning
            If some rows or lines cannot be read: they are left out.
        """
        if str(path_or_url) == "bundled":
            return cls.bundled()
        if str(path_or_url) == "user":
            path_or_url = user_store_url()
        if is_store(path_or_url):
            base = cls()
            base._store, base._loaded = KnowledgeStore(path_or_url), False
            return base
        path = Path(os.path.abspath(path_or_url))
        if holds_lines(path):
            tables, sources, problems = read_lines(path)
            base = cls(tables, sources=sources)._with_families()
            base._note(problems)
            return base
        base = cls(*read_bundle(path))
        base._path = path
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
        if not self._loaded:
            return f"<KnowledgeBase: {self._store!r}>"
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
        """Read the store, if there is one, and enter what was recorded since."""
        with self._lock:
            if not self._loaded:
                self._tables, sources, problems = self._store.read()
                self._store.close()
                self._sources = tuple(sources)
                # What was recorded in the meantime was read with the rest.
                self._loaded, self._pending = True, []
                self._with_families()
                self._note(problems)
            if self._pending:
                pending, self._pending = self._pending, []
                self._tables = merge_tables(self._tables, unite_records(pending))
                self._with_families()
            return self._tables

    def _note(self, problems):
        """Keep what could not be read for `check`, and warn of it."""
        self._problems = list(problems)
        if problems:
            more = len(problems) - _SHOWN
            warn_user(
                f"{len(problems)} rows of knowledge cannot be read and are left out: "
                + "; ".join(problems[:_SHOWN])
                + (f"; and {more} more (check() lists them)" if more > 0 else ""),
                KnowledgeWarning,
            )

    @property
    def place(self):
        """URL of the database that the base was opened from, without a password.

        None of a base in memory or from a file that is no database.
        """
        return None if self._store is None or not self._store.on_disk else self._store.url

    @property
    def sources(self):
        """Who measured, as a tuple of `Source`."""
        self._absorb()
        return self._sources

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

    def table(self, kind, fidelity="main", *, configurations=None):
        """Give the performance table of a kind.

        Parameters
        ----------
        kind : {"classification", "regression"}
        fidelity : str, default="main"
            Which subset of the rows was used, see `fidelities`.
        configurations : sequence of Configuration or str, optional
            Only these, or those with these ids, and the tasks measured with any of them, of which
            there may be none. Of a store nothing else is read, and of many evaluations the last
            20,000. Default: all.

        Returns
        -------
        PerformanceTable
            Shared with the base: treat it as read-only.

        Raises
        ------
        KnowledgeError
            If nothing is known of that kind and fidelity, and no configurations are given.
        """
        if kind not in KINDS:
            raise KnowledgeError(f"kind must be one of {list(KINDS)}; got {kind!r}.")
        if configurations is not None:
            return self._part(kind, fidelity, configurations)
        try:
            return self._absorb()[kind, fidelity]
        except KeyError:
            raise KnowledgeError(
                f"This knowledge base has no {kind} tasks at fidelity {fidelity!r}; it has "
                f"{sorted(self._tables)}."
            ) from None

    def table_about(self, kind, configurations):
        """Give what of a table can say something about some configurations.

        Of a base that holds whole arrays, such as the bundled one, all of it. Of one that gathers
        searches: the configurations themselves, the dummy's, and those of the same families that
        were measured on most tasks, with the tasks measured with any of them.

        Parameters
        ----------
        kind : {"classification", "regression"}
        configurations : sequence of Configuration or None
            What something is to be said about; None stands for one that the base cannot know.

        Returns
        -------
        PerformanceTable
            A part of the main table.

        Raises
        ------
        KnowledgeError
            If nothing is known of that kind, in a base that is no database.
        """
        if self._loaded:
            return self.table(kind).narrowed(configurations)
        known = [own for own in configurations if own is not None]
        families = {own.family for own in known} | {"dummy"}
        others = self._store.often_measured(families, MOST_OF_A_FAMILY, _MOST_CELLS)
        return self.table(kind, configurations=[*known, *others])

    def _part(self, kind, fidelity, configurations):
        ids = list(dict.fromkeys(c if isinstance(c, str) else c.id for c in configurations))
        if self._loaded:
            tables = self._absorb()
        else:
            tables, _, problems = self._store.read(ids, _MOST_CELLS)
            self._note(problems)
        if (kind, fidelity) not in tables:
            return empty_table(kind, fidelity)
        table = tables[kind, fidelity]
        columns = table.columns_of(ids)
        part = table.take(columns=columns[columns >= 0])
        return part.take(rows=np.unique(part.cells().rows))

    def without(self, families=(), openml_ids=(), tasks=()):
        """Leave out whole families, over all sources, for an honest judgement.

        Naming any member leaves out all its kin: other versions, subsets and simulated copies of
        the same data under other ids and names.

        Parameters
        ----------
        families : iterable of str
            Names of families, as in `FamilyTable.names`.
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
        base._secret = self.secret()
        base.left_out = self.left_out | out
        base._families = self._families
        return base

    def merge(self, other):
        """Give the union of two bases; where both measured a cell, this one's is kept.

        Parameters
        ----------
        other : KnowledgeBase
            Gives what this base lacks.

        Returns
        -------
        KnowledgeBase
            A new base in memory.
        """
        tables = merge_tables(self._absorb(), other._absorb())
        aliases = {task.id: task for task in (*self.aliases, *other.aliases)}
        sources = {own.name: own for own in (*other.sources, *self.sources)}
        provenance = {**other.provenance, **self.provenance}
        base = KnowledgeBase(tables, aliases.values(), sources.values(), provenance)
        # Of the two, a store's key is the one that others may know.
        keeper = self if self._store is not None or other._store is None else other
        base._secret = keeper.secret()
        base.left_out = self.left_out & other.left_out
        return base._with_families()

    def diff(self, other):
        """Say what differs from another base.

        Parameters
        ----------
        other : KnowledgeBase
            What to compare with.

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
        if problems:
            return problems
        try:
            tables = self._absorb()
            return [*self._problems, *check_tables(tables, self._sources)]
        except KnowledgeError as error:
            return [*self._problems, str(error)]

    def save(self, path_or_url, anonymous=False):
        """Write the base; a file is written whole or not at all, for its owner alone.

        Parameters
        ----------
        path_or_url : path-like or str
            A name that ends in ``.jsonl``: lines that can be read first. A database, as in `open`:
            it keeps what it has, and gets what is new. Any other name: one file of plain arrays,
            in which scores are rounded to 1/65534 of their range within a task. A knowledge base
            that is there in the file is replaced, and nothing else is.
        anonymous : bool, default=False
            Write JSON lines that do not tell whose they are; see `share_records`.

        Returns
        -------
        self
            The base itself.

        Raises
        ------
        KnowledgeError
            If there is something else under the name, or it cannot be written.
        """
        if anonymous and not str(path_or_url).endswith(".jsonl"):
            raise KnowledgeError(
                "What is anonymous is written as JSON lines; give a name that ends in .jsonl, got "
                f"{printable(str(path_or_url))!r}."
            )
        if str(path_or_url) == "user":
            path_or_url = user_store_url()
        if str(path_or_url).endswith(".jsonl") and "://" not in str(path_or_url):
            write_lines(self, path_or_url, anonymous)
        elif is_store(path_or_url):
            store = KnowledgeStore(path_or_url)
            store.add_base(self)
            store.close()
        else:
            if not is_ours(path_or_url):
                raise KnowledgeError(
                    f"{printable(str(path_or_url))!r} is there and holds no knowledge base: it is "
                    "not replaced. Give another name, or remove it first."
                )
            tables = [table for _, table in sorted(self._absorb().items())]
            write_bundle(path_or_url, tables, self.aliases, self.sources, self.provenance)
        return self

    def secret(self, make=False):
        """Give the key that values which are not kept as they are are hashed with.

        Parameters
        ----------
        make : bool, default=False
            Make the store that the base was opened from, if it is not there.

        Returns
        -------
        str
            Empty where there is none yet.
        """
        with self._lock:
            if self._secret is None:
                if self._store is None:
                    self._secret = secrets.token_hex(32)
                else:
                    self._secret = self._store.secret(make)
            return self._secret or ""

    def configurations_of(self, family, most=500):
        """List the configurations of a family, of a store those evaluated last.

        Parameters
        ----------
        family : str
            Name of a model family.
        most : int, default=500
            At most so many.

        Returns
        -------
        list of Configuration
            Each once.
        """
        if not self._loaded:
            return self._store.configurations(family=family, most=most, recent=_MOST_CELLS)
        found = {}
        for table in self._absorb().values():
            found.update((own.id, own) for own in table.configurations if own.family == family)
        return list(found.values())[-most:]

    def record(self, task, evaluations, metafeatures=None, configurations=()):
        """Add what was measured on a task; a base opened from a store keeps it there.

        Parameters
        ----------
        task : Task
            The dataset and its target.
        evaluations : iterable of Evaluation
            What each configuration gave on the task.
        metafeatures : mapping of str to float, optional
            Of the task, by name; those that it lacks are added.
        configurations : iterable of Configuration
            Those evaluated; ones that the base knows may be left out.

        Returns
        -------
        self
            The base itself.

        Raises
        ------
        KnowledgeError
            If a configuration is unknown, an evaluation is of another task, or the store cannot
            be written.
        """
        evaluations, known = list(evaluations), {own.id: own for own in configurations}
        others = {own.task for own in evaluations} - {task.id}
        if others:
            raise KnowledgeError(
                f"Evaluations of other tasks {sorted(others)[:3]} than {task.id!r}."
            )
        needed = {own.configuration for own in evaluations}
        missing = needed - set(known)
        with self._lock:
            if missing:
                known.update((own.id, own) for own in self._known(missing))
                missing = needed - set(known)
            if missing:
                raise KnowledgeError(
                    f"Evaluations speak of unknown configurations {sorted(missing)[:3]}. Pass "
                    "them as configurations=."
                )
            used = [known[key] for key in sorted(needed)]
            features = {task.id: dict(metafeatures or {})}
            if self._store is not None:
                self._store.add([task], used, evaluations, features)
            if self._loaded:
                self._pending.append(([task], used, evaluations, features))
        return self

    def _known(self, ids):
        if not self._loaded:
            return self._store.configurations(ids)
        parts = [table.configurations for table in self._tables.values()]
        parts += [configurations for _, configurations, _, _ in self._pending]
        return [own for part in parts for own in part if own.id in ids]

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
            How many, if there are as many.

        Returns
        -------
        list of Neighbor
            Nearest first.

        Raises
        ------
        KnowledgeError
            If neither data nor meta-features are given, or the base has no meta-features.
        """
        return find_neighbors(self, X, y, metafeatures, kind, n_neighbors)

    def _retriever(self, kind, names):
        """Give the retriever over some meta-features, made once, and the rows it knows."""
        table = self.table(kind, self.fidelities(kind)[0])
        with self._lock:
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
            Which subset of the rows was used, see `fidelities`.

        Returns
        -------
        pandas.DataFrame
            Columns task, name, family, configuration, model, source, status, seconds, and one
            for each metric.
        """
        return frame_of(self.table(kind, fidelity))

    def summary(self):
        """Count what is known, by kind and fidelity and by source.

        Returns
        -------
        Summary
            A dict that prints as a table.
        """
        return summarize(self._absorb(), self._sources, self.provenance)
