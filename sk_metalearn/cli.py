"""The command line: ``sk-metalearn kb ...``. Every command is a call one could make in Python."""

import argparse
import json
import sys
from pathlib import Path

from ._version import __version__
from .exceptions import KnowledgeError, SkMetalearnError, import_optional

__all__ = ["main"]


class _Parser(argparse.ArgumentParser):
    """Shows what it does not know without obeying it."""

    def error(self, message):
        from .knowledge import printable

        super().error(printable(message))


def _parser():
    parser = _Parser(
        prog="sk-metalearn", description="Knowledge of past datasets for scikit-learn searches."
    )
    parser.add_argument("--version", action="version", version=f"sk_metalearn {__version__}")
    topics = parser.add_subparsers(dest="topic", required=True, metavar="TOPIC")
    kb = topics.add_parser("kb", help="knowledge bases")
    commands = kb.add_subparsers(dest="command", required=True, metavar="COMMAND")
    base_help = "a file, a database URL, 'bundled' (default) or 'user'"
    force_help = "replace a knowledge base that is at the output, or add to a store"

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
        help="*.npz, *.jsonl or a store, which is added to if it is there; or (openml-datasets) a "
        "folder",
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
    export.add_argument(
        "--anonymous",
        action="store_true",
        help="without names, ids, machines, and what was measured with estimators of one's own",
    )
    export.add_argument("--force", action="store_true", help=force_help)

    merge = commands.add_parser("merge", help="unite bases; where both measured, the first counts")
    merge.add_argument("output", help="*.npz, *.jsonl or a store; may be one of the bases")
    merge.add_argument("bases", nargs="+", help=base_help)
    merge.add_argument("--force", action="store_true", help=force_help)

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
            from .building import run_command

            return run_command(arguments[2:])
        options = vars(_parser().parse_args(arguments))
        command = _COMMANDS[options.pop("command")]
        options.pop("topic")
        return command(**options) or 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        known = isinstance(error, SkMetalearnError | OSError | ValueError)
        text = str(error).strip() if known else f"{type(error).__name__}: {error}".strip()
        _print(f"error: {text}", sys.stderr)
        return 1


def _print(text, file=None):
    """Print lines that cannot steer a terminal."""
    from .knowledge import printable

    for line in str(text).split("\n"):
        print(printable(line), file=file)


def _open(name):
    """Open a base to read it; one that is not there is an error."""
    from .knowledge import KnowledgeBase, user_store_url

    if name == "user":
        name = user_store_url()
    path = name
    if name.startswith("sqlite:///"):
        path = name.removeprefix("sqlite:///").removeprefix("file:").partition("?")[0]
    if name != "bundled" and "://" not in path and not Path(path).is_file():
        raise KnowledgeError(f"There is no knowledge base at {path!r}.")
    return KnowledgeBase.open(name)


def _require_free(output, force, bases=()):
    """Refuse to replace, or add to, what the user did not name."""
    from .knowledge import user_store_url

    path = Path(user_store_url().removeprefix("sqlite:///") if output == "user" else output)
    if force or not path.exists() or any(_same_file(path, base) for base in bases):
        return
    raise KnowledgeError(
        f"{str(path)!r} is there already. Give another name, or --force if it is a knowledge "
        "base that may be replaced (a store: added to)."
    )


def _same_file(path, base):
    return Path(base).is_file() and path.samefile(base)


def _add(base, output):
    """Add a base to what is at the output; where both measured, that counts."""
    from .knowledge import is_store

    if Path(output).is_file() and not is_store(output):
        base = _open(output).merge(base)
    base.save(output)


def _info(base, as_json):
    summary = _open(base).summary()
    if as_json:
        print(json.dumps(summary, indent=1))
    else:
        _print(summary)


def _import(source, output, tables, suite, tasks, datasets, server, cache):
    if source.startswith("openml-"):
        return _import_openml(source, output, suite, tasks, datasets, server, cache)
    from .building import TABLES, import_table

    if source in TABLES:
        imported = import_table(source, tables or ".")
        _print(imported)
        base = imported.base
    else:
        base = _open(source)
    _add(base, output)
    _print(base)
    return 0


def _import_openml(source, output, suite, tasks, datasets, server, cache):
    from .building import OpenMLClient, fetch_datasets, import_evaluations

    client = OpenMLClient(cache, server)
    if source == "openml-datasets":
        fetched = fetch_datasets(output, suite, tasks, datasets, client=client)
        _print(fetched)
        _print(f"measure them with: sk-metalearn kb build run {output} SHARDS")
        return 0
    if source != "openml-evaluations":
        raise KnowledgeError(
            f"From OpenML come openml-datasets or openml-evaluations; got {source!r}."
        )
    if suite is not None:
        tasks = [*client.call(client.openml.study.get_suite, suite).tasks, *tasks]
    imported = import_evaluations(tasks, client=client)
    _print(imported)
    _add(imported.base, output)
    return 0


def _export(base, output, anonymous, force):
    from .knowledge import share_records

    base = _open(base)
    if output == "-":
        for record in share_records(base, anonymous):
            print(json.dumps(record))
        return
    if anonymous and not output.endswith(".jsonl"):
        raise KnowledgeError("--anonymous writes JSON lines; give an output that ends in .jsonl.")
    _require_free(output, force)
    base.save(output, anonymous)


def _merge(output, bases, force):
    _require_free(output, force, bases)
    first, *others = map(_open, bases)
    for other in others:
        first = first.merge(other)
    first.save(output)
    _print(first.summary())


def _check(base):
    problems = _open(base).check()
    _print("\n".join(problems) or "no problems found")
    return 1 if problems else 0


def _neighbors(data, target, base, kind, n_neighbors):
    pandas = import_optional("pandas", "pandas", "sk-metalearn kb neighbors")
    try:
        table = (pandas.read_parquet if data.endswith(".parquet") else pandas.read_csv)(data)
    except Exception as error:
        # Readers of tables raise errors of their own, and of the libraries below them.
        raise KnowledgeError(f"The table {data!r} cannot be read: {error}") from error
    if target not in table.columns:
        raise KnowledgeError(f"No column {target!r}; the table has {list(table.columns)}.")
    table = table[table[target].notna()]
    found = _open(base).neighbors(
        table.drop(columns=target), table[target], kind=kind, n_neighbors=n_neighbors
    )
    for neighbor in found:
        _print(neighbor)


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
