"""Measure the meta-learners on known ground and write the tables of the guide.

    python benchmarks/metalearners.py defaults
    python benchmarks/metalearners.py sine digits optimizer control copy sequences
    python benchmarks/metalearners.py corpus --data DIR
    python benchmarks/metalearners.py corpus --data DIR --keep --only MANN --datasets leaf coil20

Each section writes ``metalearners_<section>.csv`` to ``--out``. Everything runs on one thread; the
column `seconds` is the processor time of meta-training.

DIR holds ``index.csv`` (slug, group, task, ...) and one ``<slug>.parquet`` per dataset with the
target in the column ``target``.
"""

import argparse
import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
from _defaults import defaults
from _few_shot import corpus, digits, sequences
from _learned_training import control, optimizer
from _meta_measures import asked, interval, meta_fit
from sklearn.metrics import mean_squared_error

from sk_metalearn import metalearners as ml
from sk_metalearn.metalearners import OuterLoop


def squared_errors(learner, episodes):
    """Mean squared errors of the episodes; infinite if adaptation diverges on one of them."""
    try:
        return ml.few_shot_scores(learner, episodes, mean_squared_error)
    except FloatingPointError:
        return np.full(2, np.inf)


def sine(options):
    """Mean squared error on left-out sine waves after 0, 1, 5 and 10 steps."""
    train, validation, test = (
        ml.make_sine_tasks(n, n_samples, seed)
        for n, n_samples, seed in ((4000, 50, 0), (200, 50, 1), (600, 110, 2))
    )
    long = OuterLoop(
        max_iter=15000, batch_size=25, validation_interval=1000, n_validation_episodes=200
    )
    reptile = replace(long, batch_size=5, optimizer="sgd", learning_rate=0.5)
    common = {
        **{"hidden_layer_sizes": (40, 40), "n_adapt_steps": None},
        **{"standardize": False, "random_state": 0, "n_query": 10},
    }
    for n_shots in options.shots or (10, 5):
        shared = common | {"n_shots": n_shots}
        paper = {"inner_learning_rate": 0.01, "n_steps": 1, "outer": long} | shared
        learners = {
            "MAML": ml.MAMLRegressor(**paper),
            "first-order MAML": ml.MAMLRegressor(first_order=True, **paper),
            "Reptile": ml.ReptileRegressor(
                outer=reptile,
                n_steps=20,
                inner_learning_rate=0.05,
                **shared | {"n_query": 40, "standardize": True},
            ),
            "joint pre-training": ml.MAMLRegressor(**paper | {"n_steps": 0}),
        }
        for name, learner in learners.items():
            if not asked(options, name):
                continue
            seconds = meta_fit(learner, train, validation)
            rates = (0.001, 0.01) if name == "joint pre-training" else (None,)
            for rate in rates:
                for n_steps in (0, 1, 5, 10):
                    learner.set_params(n_adapt_steps=n_steps)
                    if rate is not None:
                        learner.set_params(inner_learning_rate=rate)
                    draw = {"n_shots": n_shots, "n_query": 100, "random_state": 3}
                    episodes = ml.sample_episodes(test, 600, kind="regression", **draw)
                    errors = squared_errors(learner, episodes)
                    yield {
                        "method": name,
                        "n_shots": n_shots,
                        "step_size": learner.inner_learning_rate,
                        "n_steps": n_steps,
                        "mse": round(errors.mean(), 3),
                        "interval": round(interval(errors), 3),
                        "iterations": learner.history_["iteration"][-1],
                        "seconds": seconds,
                    }


def copy(options):
    """Copy task of the Neural Turing machine: bits right at trained and at greater lengths."""
    outer = OuterLoop(
        max_iter=2000,
        batch_size=16,
        learning_rate=5e-3,
        validation_interval=100,
        n_validation_episodes=64,
        n_iter_no_change=None,
    )
    sequences = ml.make_copy_sequences(4000, (1, 5), n_bits=4, random_state=0)
    validation = ml.make_copy_sequences(100, (1, 5), n_bits=4, random_state=1)
    for seed in range(3):
        machine = ml.NeuralTuringMachine(32, 20, 8, outer=outer, random_state=seed)
        seconds = meta_fit(machine, sequences, validation)
        for length in (1, 3, 5, 6, 8, 10, 15):
            tests = ml.make_copy_sequences(50, (length, length), n_bits=4, random_state=2)
            right = [
                machine.predict(inputs)[length + 1 :] == targets[length + 1 :]
                for inputs, targets in tests
            ]
            yield {
                "method": "NTM",
                "seed": seed,
                "validation_loss": round(min(machine.history_["validation_loss"]), 5),
                "length": length,
                "bits_right": round(float(np.mean(right)), 4),
                "sequences_right": round(float(np.mean([r.all() for r in right])), 3),
                "seconds": seconds,
            }


SECTIONS = {
    function.__name__: function
    for function in (defaults, sine, digits, corpus, optimizer, control, copy, sequences)
}
KEY = (
    *("dataset", "problem", "kind", "method", "n_way", "n_shots"),
    *("step_size", "n_steps", "seed", "length"),
)


def key(row):
    """What tells the rows of a table apart."""
    return tuple(str(row[name]) for name in KEY if name in row)


def write(path, rows):
    """Write a table."""
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=rows[0])
        writer.writeheader()
        writer.writerows(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", default=list(SECTIONS), help=", ".join(SECTIONS))
    parser.add_argument("--data", type=Path, help="folder of the corpus")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--only", nargs="*", default=[], help="names of methods")
    parser.add_argument("--datasets", nargs="*", default=[], help="names of datasets")
    parser.add_argument("--shots", nargs="*", type=int, default=[], help="numbers of examples")
    parser.add_argument("--keep", action="store_true", help="keep the rows that are not measured")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.sections:
        path, rows = options.out / f"metalearners_{name}.csv", []
        if options.keep and path.exists():
            with open(path, newline="") as file:
                rows = list(csv.DictReader(file))
        for row in SECTIONS[name](options):
            rows = [old for old in rows if key(old) != key(row)] + [row]
            print(name, *(f"{key}={value}" for key, value in row.items()), flush=True)
            write(path, rows)


if __name__ == "__main__":
    main()
