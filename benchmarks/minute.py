"""The same time for everyone: sk_metalearn beside other systems, on datasets drawn beforehand.

    python benchmarks/minute.py draw --data DIR
    python benchmarks/minute.py split --data DIR
    python benchmarks/minute.py run --environments DIR
    python benchmarks/minute.py generated --environments DIR
    python benchmarks/minute.py score minute.jsonl --csv benchmarks/results/minute.csv \\
        --rst docs/guide/_minute.txt

``draw`` writes ``benchmarks/results/minute_datasets.csv``: a third each of two classes, several classes
and numbers, a quarter above 10,000 rows, of families on which nothing was chosen
(``benchmarks/minute_used.txt``). Any first part of the list is balanced. ``split`` writes 70 % of the
rows to train on and 30 % to test on, as tables that every Python reads. ``run`` gives each system
the same seconds and processes, the systems one after another on each dataset, each in a process of
its own with the interpreter ``DIR/<environment>/bin/python`` (`_minute_systems.ENVIRONMENTS`). It
appends a line of JSON for each to ``--out`` and leaves out what is there. sk_metalearn runs from a
checkout, without what it knows of the dataset's kin; several checkouts, or one with several options,
run side by side:

    --ours .                                      the system "ours"
    --ours ../first:first                         another checkout, the system "first"
    --ours '.:no_race:{"racing": false}'          the same checkout with an option

``generated`` runs on data of known shape, where the time over the budget and the memory are judged.
``score`` prints means and pairs, and writes a table of all runs and one for the guide. It also reads
such a table, so that systems need not be run again; of several files the last with a run counts.
Datasets that not every system has run are left out; where a system failed, it comes last.
"""

import argparse
import contextlib
import json
from pathlib import Path

from _minute_draw import USED, draw, read_drawn, read_index, split, used_families, write_drawn
from _minute_process import run_job
from _minute_score import read_csv, report
from _minute_systems import SYSTEMS

RESULTS = Path(__file__).parent / "results"
DRAWN = RESULTS / "minute_datasets.csv"
GENERATED = (
    "numbers-100000x30",
    "classes-300000x30",
    "numbers-1000000x30",
    "classes-1000000x30",
    "text-150000x20",
)
#: What makes two runs the same; a run that is there is not done again.
KEY = ("dataset", "system", "budget", "jobs", "seed")


def parse_ours(text):
    """Give path, name and options of ``PATH[:NAME[:JSON]]``."""
    path, _, rest = text.partition(":")
    name, _, options = rest.partition(":")
    return Path(path).resolve(), name or "ours", json.loads(options or "{}")


def read_rows(*paths):
    """Give the runs in files of JSON lines and tables of runs; the last of each run counts."""
    found = {}
    for path in map(Path, paths):
        rows = read_csv(path) if path.suffix == ".csv" else _read_lines(path)
        found.update({tuple(row[name] for name in KEY): row for row in rows})
    return list(found.values())


def _read_lines(path):
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for line in lines:
        # A run that was ended in the middle of a line leaves half of it.
        with contextlib.suppress(json.JSONDecodeError):
            yield json.loads(line)


def plan(datasets, systems, done, settings, again=False):
    """List the jobs that are left: for each dataset the systems, from another one on each time."""
    kept = {tuple(row[k] for k in KEY) for row in done if not (again and row.get("error"))}
    jobs = []
    for number, dataset in enumerate(datasets):
        first = number % len(systems)
        for system in systems[first:] + systems[:first]:
            job = {"dataset": dataset, "system": system, **settings}
            if tuple(job[name] for name in KEY) not in kept:
                jobs.append(job)
    return jobs


def run_all(jobs, out, run=run_job):
    """Run jobs and append a line for each."""
    out = Path(out)
    if out.exists() and out.read_bytes()[-1:] not in (b"", b"\n"):
        with out.open("a", encoding="utf-8") as file:
            file.write("\n")
    for number, job in enumerate(jobs, 1):
        row = run(job)
        with out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        said = row.get("error") or f"{row['metric']} {row['score']:.4f}"
        print(
            f"{number}/{len(jobs)} {row['dataset']:32} {row['system']:14} "
            f"fit {row.get('fit_seconds', float('nan')):6.1f} s, {row['peak_mb']:6.0f} MB  {said}",
            flush=True,
        )


def run_command(options):
    """Run what is left of the datasets and systems asked for."""
    ours = {name: (path, own) for path, name, own in map(parse_ours, options.ours)}
    systems = options.systems.split(",") if options.systems else [*ours, *SYSTEMS]
    for system in systems:
        if system not in ours and system not in SYSTEMS:
            raise SystemExit(
                f"Unknown system {system!r}: name one of {[*SYSTEMS]}, or give its checkout by "
                f"--ours PATH:{system}."
            )
    if options.what == "generated":
        datasets = options.sets.split(",") if options.sets else GENERATED
    else:
        drawn = [row["dataset"] for row in read_drawn(options.drawn)]
        datasets = options.sets.split(",") if options.sets else drawn[: options.first]
    settings = {"budget": options.budget, "jobs": options.jobs, "seed": options.seed}
    jobs = plan(datasets, systems, read_rows(options.out), settings, options.again)
    for job in jobs:
        checkout, own = ours.get(job["system"], (None, {}))
        job["options"] = {**(options.ours_options if checkout else {}), **own}
        job["checkout"] = str(checkout) if checkout else None
        job["splits"] = str(Path(options.splits).resolve())
        job["environments"] = str(Path(options.environments).resolve())
    run_all(jobs, options.out)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_subparsers(dest="what", required=True)

    drawing = what.add_parser("draw")
    drawing.add_argument("--data", required=True)
    drawing.add_argument("--used", default=USED)
    drawing.add_argument("--n", type=int, default=24)
    drawing.add_argument("--seed", type=int, default=0)
    drawing.add_argument("--out", default=DRAWN)

    splitting = what.add_parser("split")
    splitting.add_argument("--data", required=True)
    splitting.add_argument("--splits", default="minute-splits")
    splitting.add_argument("--drawn", default=DRAWN)
    splitting.add_argument("--sets", help="other datasets, with commas between them")
    splitting.add_argument("--rows", type=int, default=60_000, help="at most, in each part")

    for name in ("run", "generated"):
        running = what.add_parser(name)
        running.add_argument(
            "--out", default="minute.jsonl" if name == "run" else "minute-generated.jsonl"
        )
        running.add_argument("--environments", default="environments")
        running.add_argument("--splits", default="minute-splits")
        running.add_argument("--drawn", default=DRAWN)
        running.add_argument("--systems", help="with commas between them; all by default")
        running.add_argument("--sets", help="datasets, with commas between them")
        running.add_argument("--first", type=int, help="only so many of the drawn datasets")
        running.add_argument("--ours", action="append", default=[], metavar="PATH[:NAME[:JSON]]")
        running.add_argument("--ours-options", type=json.loads, default={}, metavar="JSON")
        running.add_argument("--budget", type=float, default=60.0)
        running.add_argument("--jobs", type=int, default=2)
        running.add_argument("--seed", type=int, default=0)
        running.add_argument("--again", action="store_true", help="repeat what failed")

    scoring = what.add_parser("score")
    scoring.add_argument("files", nargs="+")
    scoring.add_argument("--systems", help="with commas between them; all by default")
    scoring.add_argument("--against", default="ours", help="the system of the table of pairs")
    scoring.add_argument("--budget", type=float)
    scoring.add_argument("--drawn", default=DRAWN)
    scoring.add_argument("--but-first", type=int, default=0, help="so many of the drawn datasets")
    scoring.add_argument("--csv", help="where to write all runs")
    scoring.add_argument("--rst", help="where to write the tables for the guide")

    options = parser.parse_args()
    if options.what == "draw":
        drawn = draw(read_index(options.data), used_families(options.used), options.n, options.seed)
        write_drawn(options.out, drawn)
        print(
            *(f"{row['dataset']} ({row['kind']}, {row['n_rows']} rows)" for row in drawn), sep="\n"
        )
    elif options.what == "split":
        index = read_index(options.data)
        drawn = [row["dataset"] for row in read_drawn(options.drawn)]
        for slug in options.sets.split(",") if options.sets else drawn:
            split(options.data, options.splits, slug, options.rows, index)
            print(slug, flush=True)
    elif options.what == "score":
        left_out = [row["dataset"] for row in read_drawn(options.drawn)][: options.but_first]
        rows = [row for row in read_rows(*options.files) if row["dataset"] not in left_out]
        systems = options.systems.split(",") if options.systems else None
        report(rows, systems, options.against, options.budget, options.csv, options.rst)
    else:
        options.ours = options.ours or ["."]
        run_command(options)


if __name__ == "__main__":
    main()
