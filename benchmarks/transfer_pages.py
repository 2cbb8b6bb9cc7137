"""Turn what `transfer.py` wrote into the tables of the documentation.

Reads ``transfer_*.csv`` of a folder and writes a table per recorded table, with a row per strategy::

    python benchmarks/transfer_pages.py benchmarks/results docs/guide/strategies/rows
"""

import argparse
import csv
import shutil
from pathlib import Path

TABLES = ("oboe", "tensoroboe", "own_classification", "own_regression")
# Files that become a table as they are.
COPIED = {
    "transfer_oboe_clock.csv": "clock_oboe.csv",
    "transfer_own_classification_clock.csv": "clock_own_classification.csv",
    "transfer_shuffled_oboe.csv": "shuffled_oboe.csv",
    "transfer_cost.csv": "cost.csv",
}
AT = (1, 3, 5, 10, 20, 30, 50)


def read(path):
    """Rows of a CSV by strategy, in the order of the file."""
    found = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["strategy"], []).append(row)
    return found


def cells(rows):
    """Regret at the numbers of evaluations, milliseconds and number of datasets."""
    regret = {int(row["evaluations"]): f"{float(row['regret']):.4f}" for row in rows}
    own = f"{1e3 * float(rows[0]['seconds']):.1f}"
    return [*(regret.get(k, "") for k in AT), own, rows[0]["datasets"]]


def write(path, head, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("pages", type=Path)
    options = parser.parse_args()
    options.pages.mkdir(parents=True, exist_ok=True)
    head = [*(f"@{k}" for k in AT), "ms", "datasets"]
    for name in TABLES:
        path = options.results / f"transfer_{name}.csv"
        if not path.exists():
            continue
        found = read(path)
        ordered = sorted(
            found, key=lambda s: (s != "random (exact)", -int(found[s][0]["datasets"]), s)
        )
        write(
            options.pages / f"table_{name}.csv",
            ["strategy", *head],
            [[strategy, *cells(found[strategy])] for strategy in ordered],
        )
    for source, target in COPIED.items():
        if (options.results / source).exists():
            shutil.copyfile(options.results / source, options.pages / target)


if __name__ == "__main__":
    main()
