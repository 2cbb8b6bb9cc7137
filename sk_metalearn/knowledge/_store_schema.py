"""The tables of a store, and how older ones are brought up to date."""

__all__ = ["MIGRATIONS", "SCHEMA", "store_tables"]

SCHEMA = 3


def store_tables(sql):
    """Describe the tables.

    Parameters
    ----------
    sql : module
        ``sqlalchemy``.

    Returns
    -------
    dict of str to sqlalchemy.Table
    """
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
    sql.Index("sk_metalearn_evaluations_configuration", own.configuration)
    return tables


MIGRATIONS = {
    # Schema 1 knew one fidelity only.
    1: (
        "ALTER TABLE sk_metalearn_evaluations "
        "ADD COLUMN fidelity VARCHAR(32) NOT NULL DEFAULT 'main'",
        "DROP INDEX sk_metalearn_evaluations_key",
        "CREATE UNIQUE INDEX sk_metalearn_evaluations_key ON sk_metalearn_evaluations "
        "(task, configuration, fidelity, seed, source)",
    ),
    # Schema 2 could not look up a configuration, and had no key for hashes.
    2: (
        "CREATE INDEX sk_metalearn_evaluations_configuration "
        "ON sk_metalearn_evaluations (configuration)",
    ),
}
