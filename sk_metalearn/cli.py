"""The command line: ``sk-metalearn kb ...``. Every command is a call one could make in Python."""

import argparse
import json
import sys
from pathlib import Path

from .exceptions import KnowledgeError, SkMetalearnError, import_optional

__all__ = ["main"]


def _parser():
    parser = argparse.ArgumentParser(
        prog="sk-metalearn", description="Knowledge of past datasets for scikit-learn searches."
    )
    rooms = parser.add_subparsers(dest="room", required=True, metavar="ROOM")
    kb = rooms.add_parser("kb", help="knowledge bases")
    commands = kb.add_subparsers(dest="command", required=True, metavar="COMMAND")
    base_help = "a file, a database URL, 'bundled' (default) or 'user'"

    info = commands.add_parser("info", help="count what a base holds")
    info.add_argument("base", nargs="?", default="bundled", help=base_help)
    info.add_argument("--json", action="store_true", dest="as_json", help="print JSON")

    build = commands.add_parser(
        "build",
        help="measure the pool on datasets (see: sk-metalearn kb build --help)",
        add_help=False,
    )
    build.add_argument("arguments", nargs=argparse.REMAINDER)

    load = commands.add_parser("import", help="bring in knowledge from elsewhere")
    load.add_argument(
        "source",
        help="a base or *.jsonl to add; a public table (oboe, tensoroboe, lcdb, pimp, multitask, "
        "autosklearn); openml-datasets; or openml-evaluations",
    )
    load.add_argument(
        "output",
        help="*.npz or a store, which is added to if it is there; or (openml-datasets) a folder",
    )
    load.add_argument("--tables", metavar="FOLDER", help="folder of the public tables")
    load.add_argument("--suite", help="OpenML suite")
    load.add_argument("--tasks", nargs="+", type=int, default=[], help="OpenML task ids")
    load.add_argument("--datasets", nargs="+", type=int, default=[], help="OpenML data ids")
    load.add_argument("--server", help="URL of the OpenML server's API")
    load.add_argument("--cache", help="folder of the OpenML client's cache")

    export = commands.add_parser("export", help="write a base for others, or print it")
    export.add_argument("base", help=base_help)
    export.add_argument("output", help="*.jsonl, *.npz, or - to print")
    export.add_argument("--anonymous", action="store_true", help="without names, ids and machines")

    merge = commands.add_parser("merge", help="unite bases; where both measured, the first counts")
    merge.add_argument("output", help="*.npz")
    merge.add_argument("bases", nargs="+", help=base_help)

    check = commands.add_parser("check", help="look for damage and contradictions")
    check.add_argument("base", nargs="?", default="bundled", help=base_help)

    near = commands.add_parser("neighbors", help="find the past tasks most like a dataset")
    near.add_argument("data", help="*.csv or *.parquet")
    near.add_argument("target", help="name of the target's column")
    near.add_argument("--base", default="bundled", help=base_help)
    near.add_argument("--kind", choices=("classification", "regression"))
    near.add_argument("-n", type=int, default=5, dest="n_neighbors")
    return parser


def main(arguments=None):
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional
        Default: those of the process.

    Returns
    -------
    int
        Exit status: 0 if all went well, 1 for an error or for problems found by ``check``.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        if arguments[:2] == ["kb", "build"]:
            # Its options are the builder's own.
            from .building.__main__ import main as build

            return build(arguments[2:])
        options = vars(_parser().parse_args(arguments))
        command = _COMMANDS[options.pop("command")]
        options.pop("room")
        return command(**options) or 0
    except (SkMetalearnError, OSError, ValueError) as error:
        print(f"error: {str(error).strip()}", file=sys.stderr)
        return 1


def _open(name):
    """Open a base to read it; a store that is not there is not made."""
    from .knowledge import KnowledgeBase, read_lines, user_store_url

    if name == "user":
        name = user_store_url()
    path = name
    if name.startswith("sqlite:///"):
        path = name.removeprefix("sqlite:///").removeprefix("file:").partition("?")[0]
    if name != "bundled" and "://" not in path and not Path(path).is_file():
        raise KnowledgeError(f"There is no knowledge base at {path!r}.")
    return read_lines(name) if name.endswith(".jsonl") else KnowledgeBase.open(name)


def _save(base, output):
    """Write a base to a file, or add it to a store."""
    from .knowledge import KnowledgeStore, export_lines, user_store_url
    from .knowledge._store import is_store

    if output == "user":
        output = user_store_url()
    if output.endswith(".jsonl"):
        export_lines(base, output)
    elif is_store(output):
        KnowledgeStore(output).add_base(base)
    else:
        base.save(output)


def _add(base, output):
    """Add a base to what is at the output; where both measured, that counts."""
    from .knowledge._store import is_store

    if Path(output).is_file() and not is_store(output):
        base = _open(output).merge(base)
    _save(base, output)


def _info(base, as_json):
    summary = _open(base).summary()
    print(json.dumps(summary, indent=1) if as_json else summary)


def _import(source, output, tables, suite, tasks, datasets, server, cache):
    if source.startswith("openml-"):
        return _import_openml(source, output, suite, tasks, datasets, server, cache)
    from .building._tables import TABLES, import_table

    if source in TABLES:
        imported = import_table(source, tables or ".")
        print(imported)
        base = imported.base
    else:
        base = _open(source)
    _add(base, output)
    print(base)
    return 0


def _import_openml(source, output, suite, tasks, datasets, server, cache):
    from .building._openml import OpenMLClient, fetch_datasets
    from .building._openml_evaluations import import_evaluations

    client = OpenMLClient(cache, server)
    if source == "openml-datasets":
        fetched = fetch_datasets(output, suite, tasks, datasets, client=client)
        print(fetched)
        print(f"measure them with: sk-metalearn kb build run {output} SHARDS")
        return 0
    if source != "openml-evaluations":
        raise KnowledgeError(
            f"From OpenML come openml-datasets or openml-evaluations; got {source!r}."
        )
    if suite is not None:
        tasks = [*client.call(client.openml.study.get_suite, suite).tasks, *tasks]
    imported = import_evaluations(tasks, client=client)
    print(imported)
    _add(imported.base, output)
    return 0


def _export(base, output, anonymous):
    from .knowledge import export_lines, share_records

    base = _open(base)
    if output == "-":
        for record in share_records(base, anonymous):
            print(json.dumps(record))
    elif output.endswith(".jsonl"):
        print(f"{export_lines(base, output, anonymous)} lines")
    elif anonymous:
        raise KnowledgeError("--anonymous writes JSON lines; give an output that ends in .jsonl.")
    else:
        _save(base, output)


def _merge(output, bases):
    first, *others = map(_open, bases)
    for other in others:
        first = first.merge(other)
    _save(first, output)
    print(first.summary())


def _check(base):
    problems = _open(base).check()
    print("\n".join(problems) or "no problems found")
    return 1 if problems else 0


def _neighbors(data, target, base, kind, n_neighbors):
    pandas = import_optional("pandas", "pandas", "sk-metalearn kb neighbors")
    try:
        table = (pandas.read_parquet if data.endswith(".parquet") else pandas.read_csv)(data)
    except (OSError, ValueError) as error:
        raise KnowledgeError(f"The table {data!r} cannot be read: {error}") from error
    if target not in table.columns:
        raise KnowledgeError(f"No column {target!r}; the table has {list(table.columns)}.")
    table = table[table[target].notna()]
    found = _open(base).neighbors(
        table.drop(columns=target), table[target], kind=kind, n_neighbors=n_neighbors
    )
    for neighbor in found:
        print(neighbor)


_COMMANDS = {
    "info": _info,
    "import": _import,
    "export": _export,
    "merge": _merge,
    "check": _check,
    "neighbors": _neighbors,
}

if __name__ == "__main__":
    sys.exit(main())
