"""``sk-metalearn kb build``: measure the pool on datasets, merge what was measured."""

import argparse
import json
import sys

from ..exceptions import SkMetalearnError
from ..spaces import KINDS
from ._tasks import FIDELITIES

__all__ = ["run_command"]


def _parser():
    parser = argparse.ArgumentParser(
        prog="sk-metalearn kb build",
        description="Measure the pool of configurations on datasets and make a knowledge base.",
    )
    commands = parser.add_subparsers(dest="command", required=True)

    run = commands.add_parser("run", help="measure; can be killed and called again")
    run.add_argument("data", help="folder of <name>.parquet or <name>.csv with a column 'target'")
    run.add_argument("output", help="folder of the shards")
    run.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    run.add_argument("--slices", nargs="+", type=int, help="slices of 32 configurations")
    run.add_argument(
        "--optional", action="store_true", help="the pool of LightGBM, XGBoost and CatBoost"
    )
    run.add_argument(
        "--fidelity",
        choices=tuple(FIDELITIES),
        default="main",
        help="small, large: 24 configurations at 500 and 10,000 rows of datasets over 4,000",
    )
    run.add_argument("--only", nargs="+", metavar="FAMILY", help="these model families")
    run.add_argument(
        "--again",
        action="store_true",
        help="also what crashed before, and decision values that did not become probabilities",
    )
    run.add_argument("--keep", metavar="FILE", help="file for what the configurations predict")
    run.add_argument(
        "--shard", default="0/1", metavar="i/N", help="this machine's part of the work"
    )
    run.add_argument("--workers", type=int, dest="n_workers")
    run.add_argument("--time-limit", type=float, metavar="SECONDS")
    run.add_argument("--niceness", type=int, default=10)

    describe = commands.add_parser("describe", help="measure the datasets' meta-features")
    describe.add_argument("data")
    describe.add_argument("output", help="folder of the shards")

    choose = commands.add_parser(
        "choose", help="choose which configurations the other fidelities measure"
    )
    choose.add_argument("base", help="knowledge base, 'bundled' or *.npz")
    choose.add_argument("tables", help="folder of the public tables; their learning curves count")

    merge = commands.add_parser("merge", help="make a knowledge base of shards")
    merge.add_argument("shards", help="folder of the shards")
    merge.add_argument("output", help="file of the knowledge base, *.npz")
    merge.add_argument(
        "--qualities",
        metavar="FILE",
        help="openml_qualities.csv.gz: ids of other versions of the datasets on OpenML",
    )

    merge.add_argument(
        "--source", default="own measurements", help="who measured (default: %(default)s)"
    )
    merge.add_argument(
        "--licence",
        default="",
        help="under which the scores may be passed on (default: not stated)",
    )
    merge.add_argument(
        "--beyond-pool",
        action="store_true",
        help="also what is measured and no part of the pool",
    )

    again = commands.add_parser("verify", help="measure a share of the cells again and compare")
    again.add_argument("data")
    again.add_argument("shards")
    again.add_argument("--share", type=float, default=0.01)
    again.add_argument("--seed", type=int, default=0)
    return parser


def _choose(base, tables):
    from ..knowledge import KnowledgeBase
    from ._fidelity_design import choose, rising_families
    from ._import_table import import_table

    base = KnowledgeBase.bundled() if base == "bundled" else KnowledgeBase.open(base)
    rising = rising_families(import_table("lcdb", tables).base)
    print(f"families that rise with the rows: {rising}", file=sys.stderr)
    chosen = {kind: choose(base, kind, rising) for kind in KINDS}
    for kind, configurations in chosen.items():
        for own in configurations:
            print(f"{kind}: {own}", file=sys.stderr)
    return {kind: [own.id for own in configurations] for kind, configurations in chosen.items()}


def run_command(arguments):
    """Run a command line.

    Parameters
    ----------
    arguments : list of str
        What stands behind ``kb build``.

    Returns
    -------
    int
        Exit status: 0 if all went well.
    """
    options = vars(_parser().parse_args(arguments))
    command = options.pop("command")
    try:
        if command == "run":
            from ._run import run

            complete = run(options.pop("data"), options.pop("output"), **options)
            print("complete" if complete else "time limit reached; call again to go on")
        elif command == "describe":
            from ._describe import describe

            print(f"{len(describe(**options))} datasets described")
        elif command == "choose":
            print(json.dumps(_choose(**options), indent=2))
        elif command == "merge":
            from ._merge_shards import merge

            print(merge(**options).summary())
        else:
            from ._verify import verify

            print(verify(**options))
    except (SkMetalearnError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
