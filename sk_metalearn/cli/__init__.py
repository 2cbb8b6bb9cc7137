"""The command line, ``sk-metalearn``. Every command is a call one could make in Python."""

import argparse
import os
import sys

from .._version import __version__
from ..exceptions import SkMetalearnError
from ._data_commands import DATA_COMMANDS
from ._kb_commands import KB_COMMANDS
from ._said import say

__all__ = ["main"]

_BUILDER_STEPS = ("run", "describe", "choose", "merge", "verify")


class _Parser(argparse.ArgumentParser):
    """Shows what it does not know without obeying it."""

    def error(self, message):
        from ..knowledge import printable

        super().error(printable(message))


def _parser():
    parser = _Parser(
        prog="sk-metalearn",
        description="Recommend, fit and apply scikit-learn models that past datasets speak for.",
    )
    parser.add_argument("--version", action="version", version=f"sk_metalearn {__version__}")
    topics = parser.add_subparsers(dest="topic", required=True, metavar="COMMAND")
    _add_recommend(topics.add_parser("recommend", help="name models for a table, without a fit"))
    _add_fit(topics.add_parser("fit", help="search for a model of a table, and write it to a file"))
    _add_predict(topics.add_parser("predict", help="apply a model file to new rows"))
    _add_report(topics.add_parser("report", help="write what a search did as a page of HTML"))
    kb = topics.add_parser("kb", help="knowledge bases")
    _add_kb(kb.add_subparsers(dest="command", required=True, metavar="COMMAND"))
    return parser


_DATA = "table: *.csv or other text, *.parquet, *.feather, *.jsonl"
_BASE = "a file, a database URL, 'bundled' or 'user'"
_FORCE = "replace a file that is there"


def _add_task(parser):
    parser.add_argument("data", metavar="DATA", help=_DATA)
    parser.add_argument(
        "--target", required=True, metavar="COLUMN", help="name of the column to predict"
    )
    parser.add_argument(
        "--kind", choices=("classification", "regression"), help="default: as the target looks"
    )
    _add_knowledge(parser)


def _add_knowledge(parser):
    parser.add_argument(
        "--knowledge", default="bundled", metavar="BASE", help=f"{_BASE} (default: bundled)"
    )


def _add_choice(parser):
    parser.add_argument(
        "--scoring", metavar="METRIC", help="a metric of scikit-learn, such as r2 or roc_auc"
    )
    parser.add_argument(
        "--families",
        nargs="+",
        metavar="NAME",
        help="models to use, such as random_forest; a wrong name brings the list of all",
    )
    parser.add_argument(
        "--columns",
        nargs="+",
        metavar="NAME=ROLE",
        help="number, category, ordered, date, duration, text or ignore",
    )


def _add_output(parser, help, required=True):
    parser.add_argument("--out", dest="output", metavar="FILE", required=required, help=help)
    parser.add_argument("--force", action="store_true", help=_FORCE)


def _add_json(parser):
    parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")


def _add_recommend(parser):
    _add_task(parser)
    _add_choice(parser)
    parser.add_argument("-n", type=int, default=5, help="how many (default: 5)")
    parser.add_argument(
        "--code", action="store_true", help="print the Python code of the first alone"
    )
    _add_json(parser)


def _add_fit(parser):
    _add_task(parser)
    _add_choice(parser)
    parser.add_argument("--time-budget", type=float, metavar="SECONDS", help="for search and model")
    parser.add_argument(
        "--n-iter", type=int, metavar="N", help="candidates (default: 10, or as time allows)"
    )
    parser.add_argument("--cv", type=int, metavar="FOLDS", help="number of folds (default: 5)")
    parser.add_argument("--n-jobs", type=int, metavar="N", help="worker processes")
    parser.add_argument("--seed", type=int, metavar="N", help="makes the search repeatable")
    parser.add_argument("--checkpoint", metavar="FILE", help="go on from here after a break")
    parser.add_argument("--report", metavar="FILE", help="write a page of HTML, too")
    parser.add_argument("--quiet", action="store_true", help="no line per candidate")
    _add_output(parser, "the model's file, such as model.joblib")
    _add_json(parser)


def _add_predict(parser):
    parser.add_argument("model", metavar="MODEL", help="file that fit wrote; loading runs its code")
    parser.add_argument("data", metavar="DATA", help=_DATA)
    parser.add_argument(
        "--ids",
        nargs="+",
        metavar="COLUMN",
        help="columns to write beside the predictions; by default those that name the rows",
    )
    parser.add_argument("--proba", action="store_true", help="the probability of each class, too")
    _add_output(parser, "*.csv; by default it is printed", required=False)
    _add_json(parser)


def _add_report(parser):
    parser.add_argument("model", metavar="MODEL", help="file that fit wrote; loading runs its code")
    parser.add_argument("--data", metavar="DATA", help="table for the importance of columns")
    parser.add_argument("--target", metavar="COLUMN", help="its target")
    _add_output(parser, "*.html")


def _add_kb(commands):
    force = "replace a base that is at OUTPUT, or add to a store"

    info = commands.add_parser("info", help="count what a base holds")
    info.add_argument("base", nargs="?", default="bundled", metavar="BASE", help=_BASE)
    _add_json(info)

    check = commands.add_parser("check", help="look for damage and contradictions")
    check.add_argument("base", nargs="?", default="bundled", metavar="BASE", help=_BASE)
    _add_json(check)

    near = commands.add_parser("neighbors", help="find the past datasets most like a table")
    _add_task(near)
    near.add_argument("-n", type=int, default=5, help="how many (default: 5)")
    _add_json(near)

    build = commands.add_parser(
        "build",
        help="measure the pool on a folder of tables, and make a base of it",
        description="Can be stopped and called again. The steps one by one, for several machines: "
        f"kb build {{{','.join(_BUILDER_STEPS)}}} --help",
    )
    build.add_argument(
        "data", metavar="DATA", help="folder of <name>.parquet or <name>.csv with a column 'target'"
    )
    build.add_argument("output", metavar="OUTPUT", help="*.npz")
    build.add_argument("--kinds", nargs="+", choices=("classification", "regression"))
    build.add_argument("--n-jobs", type=int, dest="n_workers", metavar="N", help="worker processes")
    build.add_argument("--time-budget", type=float, dest="time_limit", metavar="SECONDS")
    build.add_argument("--source", default="own measurements", help="who measured")
    build.add_argument("--licence", default="", help="under which the scores may be passed on")
    build.add_argument("--force", action="store_true", help=force)

    load = commands.add_parser("import", help="bring in knowledge from elsewhere")
    load.add_argument(
        "source",
        metavar="SOURCE",
        help="a base or *.jsonl to add; a public table (oboe, tensoroboe, lcdb, pimp, multitask, "
        "autosklearn); openml-datasets; or openml-evaluations",
    )
    load.add_argument(
        "output",
        metavar="OUTPUT",
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
    export.add_argument("base", metavar="BASE", help=_BASE)
    export.add_argument("output", metavar="OUTPUT", help="*.jsonl, *.npz, or - to print")
    export.add_argument(
        "--anonymous",
        action="store_true",
        help="without names, ids, machines, and what was measured with estimators of one's own",
    )
    export.add_argument("--force", action="store_true", help=force)

    merge = commands.add_parser("merge", help="unite bases; where both measured, the first counts")
    merge.add_argument("bases", nargs="+", metavar="BASE", help=_BASE)
    merge.add_argument(
        "output", metavar="OUTPUT", help="*.npz, *.jsonl or a store; may be one of the bases"
    )
    merge.add_argument("--force", action="store_true", help=force)


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
    if arguments in ([], ["kb"]):
        arguments.append("--help")
    try:
        if arguments[:2] == ["kb", "build"] and arguments[2:3] and arguments[2] in _BUILDER_STEPS:
            # Its options are the builder's own.
            from ..building import run_command

            return run_command(arguments[2:])
        options = vars(_parser().parse_args(arguments))
        topic = options.pop("topic")
        command = KB_COMMANDS[options.pop("command")] if topic == "kb" else DATA_COMMANDS[topic]
        return command(**options) or 0
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Who read the output wants no more of it; the interpreter would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        known = isinstance(error, SkMetalearnError | OSError | ValueError)
        text = str(error).strip() if known else f"{type(error).__name__}: {error}".strip()
        say(f"error: {text}", sys.stderr)
        return 1
