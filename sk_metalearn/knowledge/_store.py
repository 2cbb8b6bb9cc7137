"""The user's or team's own knowledge in a database: SQLite by default, PostgreSQL by URL.

The same SQLAlchemy Core statements serve both. Every call is one short transaction, so that many
processes may write at once and a killed one leaves nothing half done.
"""

import json
import os
import sys
from itertools import chain
from pathlib import Path

from ..exceptions import KnowledgeError, import_optional
from ..spaces import Configuration
from ._records import Evaluation, Source, Status, Task, supersedes

__all__ = ["STORE_SCHEMA", "KnowledgeStore", "is_store", "user_store_url"]

STORE_SCHEMA = 2
_SUFFIXES = (".db", ".sqlite", ".sqlite3")
_MAGIC = b"SQLite format 3\0"
# Any number will do as long as nobody else locks by it: it orders the making of the tables.
_LOCK = 7_305_518_226
_BUSY_SECONDS = 60
# Databases limit the values of one query.
_AT_ONCE = 500


def user_store_url():
    """Give the URL of the user's own store in the platform's folder for data of programs.

    The folder is made by `KnowledgeStore`, not here. The environment variable
    ``SK_METALEARN_HOME`` names another one.

    Returns
    -------
    str
    """
    home = os.environ.get("SK_METALEARN_HOME")
    if home:
        folder = Path(home)
    elif sys.platform == "win32":
        folder = (
            Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "sk_metalearn"
        )
    elif sys.platform == "darwin":
        folder = Path.home() / "Library/Application Support/sk_metalearn"
    else:
        share = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share"
        folder = Path(share) / "sk_metalearn"
    return f"sqlite:///{(folder / 'knowledge.db').as_posix()}"


def is_store(path_or_url):
    """Tell a database (URL, SQLite file, or the name of one) from other files.

    Parameters
    ----------
    path_or_url : path-like or str

    Returns
    -------
    bool
    """
    if "://" in str(path_or_url):
        return True
    path = Path(path_or_url)
    if path.is_file():
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    return path.suffix in _SUFFIXES


class KnowledgeStore:
    """A database of tasks, configurations and evaluations.

    Parameters
    ----------
    path_or_url : path-like or str
        An SQLite file, or a database URL. Tables (and the file's folder) are made if needed; a
        store of an older schema is brought up to date.

    Raises
    ------
    KnowledgeError
        If the database cannot be opened, is damaged, or has a newer schema.
    """

    def __init__(self, path_or_url):
        text = str(path_or_url)
        self.url = text if "://" in text else f"sqlite:///{Path(path_or_url).absolute().as_posix()}"
        self._connect()
        self._prepare()

    def __repr__(self):
        return f"<KnowledgeStore: {self._engine.url.render_as_string(hide_password=True)}>"

    def __getstate__(self):
        return {"url": self.url}

    def __setstate__(self, state):
        self.url = state["url"]
        self._connect()

    def _connect(self):
        sql = import_optional("sqlalchemy", "store", "A knowledge store")
        try:
            url = sql.make_url(self.url)
        except sql.exc.ArgumentError as error:
            # Not shown whole: it may hold a password.
            raise KnowledgeError(
                f"A URL that begins with {self.url.partition('://')[0]!r} names no database. "
                "Give sqlite:///FILE or postgresql://HOST/NAME."
            ) from error
        if url.drivername == "postgresql":
            url = url.set(drivername=_postgres_driver())
        if url.get_backend_name() not in ("sqlite", "postgresql"):
            raise KnowledgeError(
                "A knowledge store is sqlite:// or postgresql://; got "
                f"{url.render_as_string(hide_password=True)!r}."
            )
        options = {"pool_pre_ping": True}
        self._backend = url.get_backend_name()
        self._in_memory = self._backend == "sqlite" and url.database in (None, "", ":memory:")
        if self._backend == "sqlite":
            options["connect_args"] = {"timeout": _BUSY_SECONDS}
            if not self._in_memory:
                try:
                    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
                except OSError as error:
                    raise KnowledgeError(
                        f"The folder of the store {url.database!r} cannot be made: {error}"
                    ) from error
        self._sql = sql
        self._engine = sql.create_engine(url, **options)
        self._process = os.getpid()
        if self._backend == "sqlite":
            sql.event.listen(self._engine, "connect", _set_up_sqlite)
            sql.event.listen(self._engine, "begin", _begin_sqlite)
            self._reading = self._engine.execution_options(reading=True)
        else:
            # All tables as they were at one moment, as SQLite gives them anyway.
            self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ")
        self._tables = _tables(sql)

    def close(self):
        """Close all connections; the next call opens a new one.

        A database in memory stays: it would be lost.
        """
        if not self._in_memory:
            self._engine.dispose()

    def _transaction(self, reading=False):
        return _Transaction(self, self._reading if reading else self._engine)

    def _insert(self, name):
        import importlib

        dialect = importlib.import_module(f"sqlalchemy.dialects.{self._backend}")
        return dialect.insert(self._tables[name])

    def _prepare(self):
        """Make the tables, or bring an older schema up to date."""
        sql, tables = self._sql, self._tables
        with self._transaction(reading=True) as connection:
            if self._schema(connection) == STORE_SCHEMA:
                return
        with self._transaction() as connection:
            if self._backend == "postgresql":
                connection.execute(sql.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            meta, schema = tables["meta"], self._schema(connection)
            if schema is None:
                meta.metadata.create_all(connection)
                row = {"key": "schema", "value": str(STORE_SCHEMA)}
                connection.execute(sql.insert(meta), [row])
                return
            if schema > STORE_SCHEMA:
                raise KnowledgeError(
                    f"The store {self!r} has schema {schema}; this version of sk_metalearn knows "
                    f"up to {STORE_SCHEMA}. Update sk_metalearn."
                )
            for old in range(schema, STORE_SCHEMA):
                for statement in _MIGRATIONS[old]:
                    connection.execute(sql.text(statement))
            if schema < STORE_SCHEMA:
                change = sql.update(meta).where(meta.c.key == "schema")
                connection.execute(change.values(value=str(STORE_SCHEMA)))

    def _schema(self, connection):
        """Read the schema that the tables have; None if there are none."""
        meta = self._tables["meta"]
        if not self._sql.inspect(connection).has_table(meta.name):
            return None
        statement = self._sql.select(meta.c.value).where(meta.c.key == "schema")
        return int(connection.execute(statement).scalar_one())

    def add(self, tasks, configurations, evaluations, metafeatures=None, sources=()):
        """Write records in one transaction; what is there already is not doubled.

        Of two evaluations with the same key (task, configuration, fidelity, seed, source) the
        first is kept, unless only the second went well. Meta-features that a task lacks are added.

        Parameters
        ----------
        tasks : iterable of Task
        configurations : iterable of Configuration
        evaluations : iterable of Evaluation
        metafeatures : mapping of str to mapping of str to float, optional
            By task id.
        sources : iterable of Source

        Raises
        ------
        KnowledgeError
            If the database refuses.
        """
        # Sorted, so that two writers never wait for each other in a circle.
        rows = {
            "tasks": {
                t.id: {"id": t.id, "kind": t.kind, "record": _json(t.to_dict())} for t in tasks
            },
            "configurations": {c.id: {"id": c.id, "record": c.text} for c in configurations},
            "sources": {s.name: {"id": s.name, "record": _json(s.to_dict())} for s in sources},
            "metafeatures": {
                key: {"id": key, "record": _json(_finite(values))}
                for key, values in (metafeatures or {}).items()
                if values
            },
        }
        kept = {}
        for own in evaluations:
            before = kept.get(own.key)
            if before is None or supersedes(own.status, before.status):
                kept[own.key] = own
        cells = {
            key: {
                "task": own.task,
                "configuration": own.configuration,
                "fidelity": own.fidelity,
                "seed": own.seed,
                "source": own.source,
                "status": own.status.name,
                "record": _json(own.to_dict()),
            }
            for key, own in kept.items()
        }
        with self._transaction() as connection:
            for name, entries in rows.items():
                if entries:
                    statement = self._insert(name).on_conflict_do_nothing()
                    connection.execute(statement, [entries[key] for key in sorted(entries)])
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

    def _complete(self, connection, entries):
        """Add to the meta-features of tasks known before what they lack."""
        table, ids = self._tables["metafeatures"], sorted(entries)
        query = self._sql.select(table.c.id, table.c.record).order_by(table.c.id)

        def completed(query):
            for key, record in connection.execute(query).all():
                whole = _complete(record, entries[key]["record"])
                if whole != record:
                    yield key, whole

        for start in range(0, len(ids), _AT_ONCE):
            found = completed(query.where(table.c.id.in_(ids[start : start + _AT_ONCE])))
            short = [key for key, _ in found]
            # Only these are locked, and so read again: writers of one task seldom wait.
            locked = query.where(table.c.id.in_(short)).with_for_update()
            for key, whole in completed(locked) if short else ():
                change = self._sql.update(table).where(table.c.id == key)
                connection.execute(change.values(record=whole))

    def add_base(self, base):
        """Write all of a knowledge base, in one transaction.

        Parameters
        ----------
        base : KnowledgeBase
            Of metrics that it keeps as means only, the mean is stored.
        """
        from ._share import evaluations_of

        metafeatures, configurations, evaluations = {}, {}, []
        for kind in base.kinds:
            for fidelity in base.fidelities(kind):
                table = base.table(kind, fidelity)
                configurations.update((own.id, own) for own in table.configurations)
                for task, row in zip(table.tasks, table.metafeatures, strict=True):
                    values = dict(zip(table.metafeature_names, row.tolist(), strict=True))
                    known = metafeatures.get(task.id, {})
                    metafeatures[task.id] = values | {k: v for k, v in known.items() if v == v}
                evaluations.append(evaluations_of(table))
        self.add(
            base.tasks,
            configurations.values(),
            chain.from_iterable(evaluations),
            metafeatures,
            base.sources,
        )

    def load(self):
        """Read everything into a knowledge base.

        Returns
        -------
        KnowledgeBase
        """
        from ._base import KnowledgeBase

        sql, tables = self._sql, self._tables
        with self._transaction(reading=True) as connection:
            found = {}
            for name in ("tasks", "configurations", "sources", "metafeatures"):
                table = tables[name]
                query = sql.select(table.c.id, table.c.record).order_by(table.c.id)
                found[name] = {key: json.loads(text) for key, text in connection.execute(query)}
            table = tables["evaluations"]
            query = sql.select(table.c.record).order_by(table.c.number)
            records = [text for (text,) in connection.execute(query)]
        return KnowledgeBase.from_evaluations(
            [Task.from_dict(record) for record in found["tasks"].values()],
            [Configuration.from_dict(record) for record in found["configurations"].values()],
            (Evaluation.from_dict(json.loads(text)) for text in records),
            {
                task: {name: float("nan") if v is None else v for name, v in values.items()}
                for task, values in found["metafeatures"].items()
            },
            sources=[Source.from_dict(record) for record in found["sources"].values()],
        )

    def count(self):
        """Count the rows of each table.

        Returns
        -------
        dict of str to int
        """
        sql = self._sql
        with self._transaction(reading=True) as connection:
            return {
                name: connection.execute(
                    sql.select(sql.func.count()).select_from(table)
                ).scalar_one()
                for name, table in self._tables.items()
                if name != "meta"
            }


class _Transaction:
    """``with store._transaction() as connection``; the database's errors become ours."""

    def __init__(self, store, engine):
        self.store = store
        self.engine = engine

    def __enter__(self):
        if self.store._process != os.getpid():
            # After a fork the connections belong to the parent.
            self.store._engine.dispose(close=False)
            self.store._process = os.getpid()
        self.context = self.engine.begin()
        try:
            return self.context.__enter__()
        except self.store._sql.exc.SQLAlchemyError as error:
            raise self._explain(error) from error

    def __exit__(self, kind, error, traceback):
        try:
            self.context.__exit__(kind, error, traceback)
        except self.store._sql.exc.SQLAlchemyError as failure:
            raise self._explain(failure) from failure
        if isinstance(error, self.store._sql.exc.SQLAlchemyError):
            raise self._explain(error) from error
        return False

    def _explain(self, error):
        cause = str(getattr(error, "orig", None) or error).strip()
        return KnowledgeError(f"The database of {self.store!r} gave an error: {cause}")


def _tables(sql):
    metadata = sql.MetaData()
    text, column = sql.Text, sql.Column

    def by_id(name, *more):
        return sql.Table(
            f"sk_metalearn_{name}",
            metadata,
            column("id", sql.String(255), primary_key=True),
            *more,
            column("record", text, nullable=False),
        )

    tables = {
        "meta": sql.Table(
            "sk_metalearn_meta",
            metadata,
            column("key", sql.String(64), primary_key=True),
            column("value", text, nullable=False),
        ),
        "tasks": by_id("tasks", column("kind", sql.String(16), nullable=False)),
        "configurations": by_id("configurations"),
        "sources": by_id("sources"),
        "metafeatures": by_id("metafeatures"),
        "evaluations": sql.Table(
            "sk_metalearn_evaluations",
            metadata,
            column("number", sql.Integer, primary_key=True, autoincrement=True),
            column("task", sql.String(64), nullable=False),
            column("configuration", sql.String(64), nullable=False),
            column("seed", sql.BigInteger, nullable=False),
            column("source", sql.String(255), nullable=False),
            column("status", sql.String(16), nullable=False),
            column("record", text, nullable=False),
            column("fidelity", sql.String(32), nullable=False, server_default="main"),
        ),
    }
    own = tables["evaluations"].c
    sql.Index(
        "sk_metalearn_evaluations_key",
        own.task,
        own.configuration,
        own.fidelity,
        own.seed,
        own.source,
        unique=True,
    )
    return tables


# Schema 1 knew one fidelity only.
_MIGRATIONS = {
    1: (
        "ALTER TABLE sk_metalearn_evaluations "
        "ADD COLUMN fidelity VARCHAR(32) NOT NULL DEFAULT 'main'",
        "DROP INDEX sk_metalearn_evaluations_key",
        "CREATE UNIQUE INDEX sk_metalearn_evaluations_key ON sk_metalearn_evaluations "
        "(task, configuration, fidelity, seed, source)",
    )
}


def _postgres_driver():
    try:
        import psycopg  # noqa: F401
    except ImportError:
        import_optional("psycopg2", "postgres", "A knowledge store on PostgreSQL")
        return "postgresql+psycopg2"
    return "postgresql+psycopg"


def _set_up_sqlite(connection, record):
    # Python's own handling of transactions starts them too late for a write lock.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(_BUSY_SECONDS * 1000)}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _begin_sqlite(connection):
    reading = connection.get_execution_options().get("reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _complete(record, other):
    """Add to a record of meta-features those that only another has."""
    own = json.loads(record)
    known = {name: value for name, value in own.items() if value is not None}
    return _json({**own, **json.loads(other), **known})


def _json(record):
    return json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _finite(values):
    return {
        name: float(v) if v == v and abs(v) != float("inf") else None for name, v in values.items()
    }
