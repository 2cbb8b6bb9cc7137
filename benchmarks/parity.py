"""Run scikit-learn's own tests of its searches against MetaSearchCV, and list how each ends.

    python benchmarks/parity.py --out parity-1.9.1.csv

A row per test function of ``sklearn/model_selection/tests/test_search.py`` (those of successive
halving left out) and of the metadata routing tests of meta-estimators: how many of its cases
passed, failed, or were skipped, and why.
"""

import argparse
import csv
from pathlib import Path

import pytest
import sklearn

TESTS = Path(__file__).resolve().parent.parent / "tests" / "search" / "test_parity.py"


class Collector:
    """Counts outcomes by test function."""

    def __init__(self):
        self.rows = {}

    def pytest_runtest_logreport(self, report):
        if report.when != "call" and report.outcome == "passed":
            return
        name = report.nodeid.split("::")[-1].split("[")[0]
        row = self.rows.setdefault(name, {"passed": 0, "failed": 0, "skipped": 0, "why": ""})
        row[report.outcome] += 1
        if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
            row["why"] = report.longrepr[2].removeprefix("Skipped: ")
        elif report.outcome == "failed":
            row["why"] = str(report.longrepr).strip().splitlines()[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", required=True, help="CSV file to write")
    arguments = parser.parse_args()
    collector = Collector()
    pytest.main([str(TESTS), "-q", "-p", "no:cacheprovider"], plugins=[collector])
    with open(arguments.out, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("scikit_learn", "test", "passed", "failed", "skipped", "why"))
        for name, row in sorted(collector.rows.items()):
            writer.writerow((sklearn.__version__, name, *row.values()))
    counts = {key: sum(row[key] > 0 for row in collector.rows.values()) for key in ("passed",)}
    only = {
        key: [name for name, row in collector.rows.items() if row[key]]
        for key in ("failed", "skipped")
    }
    print(f"scikit-learn {sklearn.__version__}: {counts['passed']} test functions with passes;")
    for key, names in only.items():
        print(f"{key} ({len(names)}): {', '.join(names) or 'none'}")


if __name__ == "__main__":
    main()
