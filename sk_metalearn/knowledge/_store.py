"""The user's or team's own knowledge in a database: SQLite by default, PostgreSQL by URL.

The same SQLAlchemy Core statements serve both. Every call is one short transaction, so that many
processes may write at once and a killed one leaves nothing half done. Reading opens for reading:
it makes no file, no table, and changes nothing.
"""

import json
import os
import secrets
import sqlite3
import threading
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from ..exceptions import KnowledgeError, import_optional
from . import _sqlite
from ._assemble import assemble, counted
from ._records import OWN_SEARCHES, Status, Task, show_value, supersedes
from ._store_schema import MIGRATIONS, SCHEMA, store_tables
from ._stored_rows import StoredRows, cell_of, completed, finite, head_of, in_parts, to_json
from ._text import printable
from ._urls import password_of, read_url

__all__ = ["KnowledgeStore"]

# Any number will do as long as nobody else locks by it: it orders the making of the tables.
_LOCK = 7_305_518_226
# What reading a damaged file can end in, beside the database's own errors.
_DAMAGE = (sqlite3.Error, UnicodeError, TypeError, AttributeError, LookupError, OverflowError)


class KnowledgeStore:
    """A database of tasks, configurations and evaluations.

    Opening changes nothing: the file or the tables are made, and a store of an older schema is
    brought up to date, when something is added.

    Parameters
    ----------
    path_or_url : path-like or str
        An SQLite file, or a database URL.
    patience : float, default=5.0
        Seconds to wait for a server, or for another writer. Of an SQLite file they begin anew
        whenever another has written, up to twelve times.

    Attributes
    ----------
    url : str
        Without a password.

    Raises
    ------
    KnowledgeError
        If the database cannot be opened, is no knowledge store, is damaged, or has a newer schema.
    """

    def __init__(self, path_or_url, patience=5.0):
        self._url, self.read_only = read_url(path_or_url)
        self.url, self.patience = self._url.render_as_string(), patience
        self._connect()
        self.schema()

    def __repr__(self):
        return f"<KnowledgeStore: {printable(self.url)}>"

    def __getstate__(self):
        return {"_url": self._url, "url": self.url, "read_only": self.read_only} | {
            "patience": self.patience
        }

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._connect()

    @property
    def path(self):
        """The SQLite file; None of a server's database or one in memory."""
        return Path(self._url.database) if self._backend == "sqlite" and self.on_disk else None

    def _connect(self):
        self._sql = import_optional("sqlalchemy", "postgres", "A knowledge store")
        self._backend = self._url.get_backend_name()
        self.on_disk = self._url.database is not None
        self._process, self._prepared = os.getpid(), False
        self._lock = threading.RLock()
        self._tables = store_tables(self._sql)
        if self._backend == "sqlite":
            self._reader, self._writer = _sqlite.engines(
                self._sql, self._url.database, self.patience
            )
            return
        wait = int(self.patience * 1000)
        self._writer = self._sql.create_engine(
            self._url.set(drivername=_postgres_driver(), password=password_of(self._url)),
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={
                "connect_timeout": max(1, round(self.patience)),
                "options": f"-c lock_timeout={wait}",
            },
        )
        # All tables as they were at one moment, as SQLite gives them anyway.
        self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ")

    def close(self):
        """Close all connections; the next call opens a new one.

        A database in memory stays: it would be lost.
        """
        if self.on_disk:
            self._reader.dispose()
            self._writer.dispose()

    @contextmanager
    def _transaction(self, writing=False):
        if self._process != os.getpid():
            # After a fork the connections belong to the parent.
            for engine in (self._reader, self._writer):
                engine.dispose(close=False)
            self._process, self._lock = os.getpid(), threading.RLock()
        engine = self._writer if writing else self._reader
        # All threads share the one connection of a database in memory.
        held = self._lock if not self.on_disk else _nothing()
        try:
            with held, engine.begin() as connection:
                yield connection
        except (self._sql.exc.SQLAlchemyError, *_DAMAGE) as error:
            cause = str(getattr(error, "orig", None) or error).strip()
            raise KnowledgeError(
                f"The database of {self!r} gave an error: {printable(cause)}"
            ) from error

    def _insert(self, name):
        import importlib

        dialect = importlib.import_module(f"sqlalchemy.dialects.{self._backend}")
        return dialect.insert(self._tables[name])

    def schema(self):
        """Give the schema that the tables have; None if there are none yet.

        Returns
        -------
        int or None
            Number of the version, from 1.

        Raises
        ------
        KnowledgeError
            If the database holds something else, or has a newer schema.
        """
        if self.path is not None and not _sqlite.is_there(self.path):
            return None
        with self._transaction() as connection:
            return self._schema(connection)

    def _schema(self, connection):
        meta = self._tables["meta"]
        if not self._sql.inspect(connection).has_table(meta.name):
            if self._backend == "sqlite":
                foreign = _sqlite.foreign_content(connection)
                if foreign:
                    raise KnowledgeError(
                        f"{self!r} is no knowledge store: the file holds {foreign}. Nothing in it "
                        "was changed."
                    )
            return None
        query = self._sql.select(meta.c.value).where(meta.c.key == "schema")
        value = connection.execute(query).scalar_one_or_none()
        known = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 9
        schema = int(value) if known else 0
        if schema < 1:
            raise KnowledgeError(
                f"The store {self!r} is damaged: its schema is {show_value(value)}."
            )
        if schema > SCHEMA:
            raise KnowledgeError(
                f"The store {self!r} has schema {schema}; this version of sk_metalearn knows "
                f"up to {SCHEMA}. Update sk_metalearn."
            )
        return schema

    def _prepare(self):
        """Make the tables, or bring an older schema up to date."""
        if self._prepared:
            return
        if self.read_only:
            raise KnowledgeError(f"{self!r} was opened to be read only.")
        # Before the first connection that may write: the file may have become another's.
        ready = self.schema() == SCHEMA
        if self.path is not None and not ready:
            _sqlite.make_file(self.path)
        if not ready:
            with self._transaction(writing=True) as connection:
                self._bring_up_to_date(connection)
        self._prepared = True

    def _bring_up_to_date(self, connection):
        sql, meta = self._sql, self._tables["meta"]
        if self._backend == "postgresql":
            connection.execute(sql.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        schema = self._schema(connection)
        if schema == SCHEMA:
            return
        if schema is None:
            meta.metadata.create_all(connection)
            connection.execute(sql.insert(meta), [{"key": "schema", "value": str(SCHEMA)}])
        else:
            for old in range(schema, SCHEMA):
                for statement in MIGRATIONS[old]:
                    connection.execute(sql.text(statement))
            change = sql.update(meta).where(meta.c.key == "schema")
            connection.execute(change.values(value=str(SCHEMA)))
        key = self._insert("meta").on_conflict_do_nothing()
        connection.execute(key, [{"key": "hash_key", "value": secrets.token_hex(32)}])
        if self._backend == "sqlite":
            _sqlite.mark(connection, self.path)

    def secret(self, make=False):
        """Give the key that values which are not kept as they are are hashed with.

        Parameters
        ----------
        make : bool, default=False
            Make the store if it is not there.

        Returns
        -------
        str or None
            None if the store is not there, or older than keys.
        """
        if make:
            self._prepare()
        if self.schema() is None:
            return None
        meta = self._tables["meta"]
        query = self._sql.select(meta.c.value).where(meta.c.key == "hash_key")
        with self._transaction() as connection:
            return connection.execute(query).scalar_one_or_none()

    def add(self, tasks, configurations, evaluations, metafeatures=None, sources=()):
        """Write records in one transaction; what is there already is not doubled.

        Of two evaluations with the same key (task, configuration, fidelity, seed, source) the
        first is kept, unless only the second went well. Meta-features that a task lacks are added.
        Of the reason of a failure only the exception's type is written.

        Parameters
        ----------
        tasks : iterable of Task
            The datasets that were measured on.
        configurations : iterable of Configuration
            Those that the evaluations name.
        evaluations : iterable of Evaluation
            Read once, one after the other.
        metafeatures : mapping of str to mapping of str to float, optional
            By task id.
        sources : iterable of Source
            Who measured, and under what licence.

        Raises
        ------
        KnowledgeError
            If the database refuses, or cannot be reached or written within some seconds.
        """
        # Sorted, so that two writers never wait for each other in a circle.
        rows = {
            "tasks": {
                t.id: {"id": t.id, "kind": t.kind, "record": to_json(t.to_dict())} for t in tasks
            },
            "configurations": {c.id: {"id": c.id, "record": c.text} for c in configurations},
            "sources": {s.name: {"id": s.name, "record": to_json(s.to_dict())} for s in sources},
            "metafeatures": {
                key: {"id": key, "record": to_json(finite(values))}
                for key, values in (metafeatures or {}).items()
                if values
            },
        }
        kept = {}
        for own in evaluations:
            before = kept.get(own.key)
            if before is None or supersedes(own.status, before.status):
                kept[own.key] = own
        cells = {key: cell_of(own) for key, own in kept.items()}
        self._prepare()
        with self._transaction(writing=True) as connection:
            for name, entries in rows.items():
                if entries:
                    statement = self._insert(name).on_conflict_do_nothing()
                    connection.execute(statement, [entries[key] for key in sorted(entries)])
            self._name(connection, rows["tasks"])
            self._complete(connection, rows["metafeatures"])
            if cells:
                table = self._tables["evaluations"]
                statement = self._insert("evaluations")
                statement = statement.on_conflict_do_update(
                    index_elements=["task", "configuration", "fidelity", "seed", "source"],
                    set_={name: statement.excluded[name] for name in ("status", "record")},
                    where=(table.c.status != Status.ok.name)
                    & (statement.excluded.status == Status.ok.name),
                )
                connection.execute(statement, [cells[key] for key in sorted(cells)])

    def _name(self, connection, entries):
        """Let the name that a user gives a dataset take the place of an earlier or of none."""
        table = self._tables["tasks"]
        for key, entry in entries.items():
            task = Task.from_dict(json.loads(entry["record"]))
            if task.source == OWN_SEARCHES and task.named:
                change = self._sql.update(table).where(table.c.id == key)
                change = change.where(table.c.record != entry["record"])
                connection.execute(change.values(record=entry["record"]))

    def _complete(self, connection, entries):
        """Add to the meta-features of tasks known before what they lack."""
        table, ids = self._tables["metafeatures"], sorted(entries)
        query = self._sql.select(table.c.id, table.c.record).order_by(table.c.id)

        def missing(query):
            for key, record in connection.execute(query).all():
                whole = completed(record, entries[key]["record"])
                if whole != record:
                    yield key, whole

        for part in in_parts(ids):
            found = missing(query.where(table.c.id.in_(part)))
            short = [key for key, _ in found]
            # Only these are locked, and so read again: writers of one task seldom wait.
            locked = query.where(table.c.id.in_(short)).with_for_update()
            for key, whole in missing(locked) if short else ():
                change = self._sql.update(table).where(table.c.id == key)
                connection.execute(change.values(record=whole))

    def add_base(self, base):
        """Write all of a knowledge base, in one transaction.

        Parameters
        ----------
        base : KnowledgeBase
            Of metrics that it keeps as means only, the mean is stored.
        """
        metafeatures, configurations, evaluations = {}, {}, []
        for kind in base.kinds:
            for fidelity in base.fidelities(kind):
                table = base.table(kind, fidelity)
                configurations.update((own.id, own) for own in table.configurations)
                for task, row in zip(table.tasks, table.metafeatures, strict=True):
                    values = dict(zip(table.metafeature_names, row.tolist(), strict=True))
                    known = metafeatures.get(task.id, {})
                    metafeatures[task.id] = values | {k: v for k, v in known.items() if v == v}
                evaluations.append(table.evaluations())
        self.add(
            base.tasks,
            configurations.values(),
            chain.from_iterable(evaluations),
            metafeatures,
            base.sources,
        )

    def read(self, configurations=None, most=None):
        """Read the parts of a knowledge base.

        A row that cannot be read costs that row.

        Parameters
        ----------
        configurations : iterable of str, optional
            Read only the evaluations of these, by id, and their tasks. Default: all.
        most : int, optional
            Of these, at most about so many evaluations, the last. Default: all.

        Returns
        -------
        tables : dict of (kind, fidelity) to PerformanceTable
            The evaluations, by kind and by the subset of rows used.
        sources : list of Source
            Who measured.
        problems : list of str
            A line for each row left out.
        """
        if self.schema() is None:
            return {}, [], []
        rows, orphans = StoredRows(self, self._tables, self._sql.select), []
        ids = None if configurations is None else sorted(set(configurations))
        with self._transaction() as connection:
            if ids is None:
                found = rows.evaluations(connection)
                tasks = None
            else:
                share = None if most is None else max(1, most // max(1, len(in_parts(ids))))
                parts = (rows.evaluations(connection, own, share) for own in in_parts(ids))
                found = list(chain(*parts))
                tasks = sorted({own.task for own in found})
            parts = {
                "tasks": rows.records(connection, "tasks", tasks),
                "configurations": rows.records(connection, "configurations", ids),
                "metafeatures": rows.records(connection, "metafeatures", tasks),
                "sources": rows.records(connection, "sources"),
            }
            tables = assemble(
                parts["tasks"].values(),
                parts["configurations"].values(),
                found,
                parts["metafeatures"],
                orphans.append,
            )
        rows.problems += [f"{self!r}: {own}" for own in counted(orphans)]
        return tables, list(parts["sources"].values()), rows.problems

    def configurations(self, ids=None, family=None, most=None, recent=None):
        """Read configurations without their evaluations.

        Parameters
        ----------
        ids : iterable of str, optional
            Only these. Default: all.
        family : str, optional
            Only those of this family.
        most : int, optional
            At most so many, those evaluated last.
        recent : int, optional
            Look among the last evaluations only, so many of them.

        Returns
        -------
        list of Configuration
            Those found; of a family the one evaluated last comes first.
        """
        if self.schema() is None:
            return []
        rows = StoredRows(self, self._tables, self._sql.select)
        with self._transaction() as connection:
            if ids is not None:
                return list(rows.records(connection, "configurations", sorted(ids)).values())
            sql, own, recent = self._sql, self._tables["configurations"].c, self._recent(recent)
            head = head_of(family)
            query = (
                sql.select(own.id, own.record)
                .join(recent, recent.c.configuration == own.id)
                .where(sql.func.substr(own.record, 1, len(head)) == head)
                .group_by(own.id, own.record)
                .order_by(sql.func.max(recent.c.number).desc())
                .limit(most)
            )
            found = rows.read("configurations", connection.execute(query))
            return [configuration for _, configuration in found]

    def often_measured(self, families, most, recent=None):
        """Name the configurations of some families that were evaluated on most tasks.

        Parameters
        ----------
        families : iterable of str
            Names of model families.
        most : int
            Of each family at most so many.
        recent : int, optional
            Look among the last evaluations only, so many of them.

        Returns
        -------
        list of str
            Their ids.
        """
        if self.schema() is None:
            return []
        sql, own, found = self._sql, self._tables["configurations"].c, []
        recent = self._recent(recent)
        with self._transaction() as connection:
            for family in sorted(families):
                head = head_of(family)
                query = (
                    sql.select(own.id)
                    .join(recent, recent.c.configuration == own.id)
                    .where(sql.func.substr(own.record, 1, len(head)) == head)
                    .group_by(own.id)
                    .order_by(sql.func.count().desc(), sql.func.max(recent.c.number).desc())
                    .limit(most)
                )
                found += connection.execute(query).scalars()
        return found

    def _recent(self, most):
        """Number and configuration of the last evaluations, as a part of a query."""
        cell = self._tables["evaluations"].c
        query = self._sql.select(cell.number, cell.configuration)
        if most is not None:
            query = query.order_by(cell.number.desc()).limit(most)
        return query.subquery()

    def count(self):
        """Count the rows of each table.

        Returns
        -------
        dict of str to int
            Number of rows by what they hold, such as ``"evaluations"``.
        """
        sql = self._sql
        names = [name for name in self._tables if name != "meta"]
        if self.schema() is None:
            return dict.fromkeys(names, 0)
        with self._transaction() as connection:
            return {
                name: connection.execute(
                    sql.select(sql.func.count()).select_from(self._tables[name])
                ).scalar_one()
                for name in names
            }


@contextmanager
def _nothing():
    yield


def _postgres_driver():
    try:
        import psycopg  # noqa: F401
    except ImportError:
        import_optional("psycopg2", "postgres", "A knowledge store on PostgreSQL")
        return "postgresql+psycopg2"
    return "postgresql+psycopg"
