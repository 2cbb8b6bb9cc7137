"""Public tables of evaluations, imported with their provenance and licence."""

from pathlib import Path

from ..exceptions import KnowledgeError
from ._table_files import errors_name
from ._tables_autosklearn import read_autosklearn
from ._tables_oboe import read_oboe, read_tensoroboe
from ._tables_runs import read_lcdb, read_multitask, read_pimp

__all__ = ["TABLES", "import_table"]

# Name of each table, and what reads it from a folder of all tables.
TABLES = {
    "oboe": read_oboe,
    "tensoroboe": read_tensoroboe,
    "lcdb": read_lcdb,
    "pimp": read_pimp,
    "multitask": read_multitask,
    "autosklearn": read_autosklearn,
}


def import_table(name, folder):
    """Import a public table.

    Parameters
    ----------
    name : str
        One of `TABLES`.
    folder : path-like
        Holds a folder per table, and ``openml_qualities.csv.gz``.

    Returns
    -------
    Imported
        The base, and what of the table is not in it.

    Raises
    ------
    KnowledgeError
        If there is no such table, or its files are missing or damaged.
    """
    if name not in TABLES:
        raise KnowledgeError(f"The tables are {sorted(TABLES)}; got {name!r}.")
    with errors_name(Path(folder) / name):
        return TABLES[name](Path(folder))
