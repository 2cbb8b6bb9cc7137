"""A strategy's own CPU time per suggestion, amortised over 20, at 50 and at 500 observations.

Strategies with a past choose among 600 candidates that 150 past tasks know; the others search an
open space of two models::

    python benchmarks/transfer_cost.py --out benchmarks/results/transfer_cost.csv
"""

import argparse
import csv
import time

import numpy as np

from sk_metalearn.strategies import STRATEGIES, Outcome, Proposal, get_strategy
from sk_metalearn.strategies.testing import TaskFamily, make_space

OPEN = ("random", "quasi_random", "grid", "gp", "forest", "neural", "evolution", "gradient")
N_SUGGESTIONS = 20


def measure(name, family, past, n_observed):
    """CPU seconds to start (the first suggestion included) and per later suggestion."""
    score, _ = family.task(1000)
    rng = np.random.default_rng(0)
    if name in OPEN:
        context = family.context(0, candidates=(), open_space=True)
        points = [family.space.sample(rng) for _ in range(n_observed)]
        told = [Proposal(-1, point) for point in points]
    else:
        context = family.context(past=past)
        chosen = rng.choice(len(family.candidates), size=n_observed, replace=False)
        told = [Proposal(-1, family.candidates[i], int(i)) for i in chosen]
    begin = time.process_time()
    get_strategy(name).start(context).ask()
    first = time.process_time() - begin
    strategy = get_strategy(name).start(context)
    values = score([proposal.point for proposal in told])
    strategy.tell([Outcome(p, float(v)) for p, v in zip(told, values, strict=True)])
    strategy.ask()
    begin = time.process_time()
    for _ in range(N_SUGGESTIONS):
        (proposal,) = strategy.ask()
        strategy.tell([Outcome(proposal, float(score([proposal.point])[0]))])
    return first, (time.process_time() - begin) / N_SUGGESTIONS


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--strategies", default=",".join(STRATEGIES))
    parser.add_argument("--out", help="CSV to write")
    options = parser.parse_args()
    family = TaskFamily(make_space(), n_candidates=600)
    past, lines = family.past(150), []
    for name in options.strategies.split(","):
        first, at_50 = measure(name, family, past, 50)
        _, at_500 = measure(name, family, past, 500)
        lines.append([name, *(f"{1e3 * value:.2f}" for value in (first, at_50, at_500))])
        print("{:>15s}  first {:>9s} ms  at 50 {:>8s} ms  at 500 {:>8s} ms".format(*lines[-1]))
    if options.out:
        with open(options.out, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("strategy", "first_ms", "at_50_ms", "at_500_ms"))
            writer.writerows(lines)


if __name__ == "__main__":
    main()
