"""Draw the picture of the README and the home page from measured results::

    python benchmarks/picture.py benchmarks/results docs/_static/benchmark.svg

Left: how far the best configuration found so far is from the best of all, after so many evaluations.
Right: the time that a search needs to come within a distance. Both on Oboe's recorded table, the
families of the judged dataset left out of the knowledge; see `transfer.py`.
"""

import argparse
import csv
from pathlib import Path

import matplotlib.pyplot as plt

SHOWN = {
    "auto": ("sk_metalearn", "tab:blue"),
    "portfolio": ("a fixed list of good configurations", "tab:orange"),
    "random (exact)": ("random search", "tab:gray"),
}


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def columns(rows, strategy, *names):
    """Columns of the rows of one strategy, as numbers."""
    own = [row for row in rows if row["strategy"] == strategy]
    return [[float(row[name]) for row in own] for name in names]


def draw(results):
    """Draw both panels; gives the figure."""
    regrets = read(results / "transfer_oboe.csv")
    times = read(results / "transfer_oboe_clock.csv")
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.6), layout="constrained")
    for strategy, (label, colour) in SHOWN.items():
        x, y, low, high = columns(regrets, strategy, "evaluations", "regret", "low", "high")
        left.plot(x, y, marker="o", color=colour, label=label)
        left.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
        measured = strategy.removesuffix(" (exact)")
        time, regret = columns(times, measured, "time", "regret")
        right.plot(time, regret, marker="o", color=colour)
    left.set(
        xlabel="evaluations",
        ylabel="normalised regret (0: the best known)",
        xscale="log",
        yscale="log",
    )
    left.set_xticks([1, 3, 5, 10, 20, 50], ["1", "3", "5", "10", "20", "50"])
    left.minorticks_off()
    left.set_yticks([0.3, 0.1, 0.03, 0.01, 0.003], ["0.3", "0.1", "0.03", "0.01", "0.003"])
    left.legend(frameon=False, loc="lower left")
    right.set(
        xlabel="time, in median evaluations of a dataset",
        ylabel="normalised regret",
        xscale="log",
        yscale="log",
    )
    right.set_xticks([1, 10, 100], ["1", "10", "100"])
    right.set_yticks([0.1, 0.05, 0.02], ["0.1", "0.05", "0.02"])
    right.minorticks_off()
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
    figure.suptitle("330 datasets, their families left out of the knowledge (95 % intervals)")
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    plt.rcParams["svg.hashsalt"] = "sk_metalearn"
    draw(options.results).savefig(options.out, metadata={"Date": None})


if __name__ == "__main__":
    main()
