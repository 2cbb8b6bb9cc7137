"""Measure the meta-learners on known ground and write the tables of the guide.

    python benchmarks/metalearners.py sine digits optimizer control copy
    python benchmarks/metalearners.py corpus sequences retrieval --data DIR

Each section writes ``metalearners_<section>.csv`` to ``--out``. Everything runs on one thread; the
column `seconds` is the processor time of meta-training.

DIR holds ``index.csv`` (slug, group, task, ...) and one ``<slug>.parquet`` per dataset with the
target in the column ``target``.
"""

import argparse
import csv
import time
from pathlib import Path

import numpy as np
from sklearn.metrics import mean_squared_error

from sk_metalearn import metalearners as ml
from sk_metalearn.metalearners import OuterLoop

SECTIONS = {}


def section(function):
    """Register a function that yields the rows of a table."""
    SECTIONS[function.__name__] = function
    return function


def interval(scores):
    """Half width of the 95 % confidence interval of a mean."""
    return 1.96 * np.std(scores, ddof=1) / np.sqrt(len(scores))


def meta_fit(learner, *tasks):
    """Meta-train and return the processor seconds it took."""
    start = time.process_time()
    learner.meta_fit(*tasks)
    return round(time.process_time() - start, 1)


@section
def sine(options):
    """Mean squared error on left-out sine waves after 0, 1, 5 and 10 steps."""
    train, validation, test = (
        ml.make_sine_tasks(n, n_samples, seed)
        for n, n_samples, seed in ((4000, 50, 0), (200, 50, 1), (600, 110, 2))
    )
    long = OuterLoop(
        max_iter=15000, batch_size=25, validation_interval=1000, n_validation_episodes=200
    )
    reptile = OuterLoop(
        max_iter=15000,
        batch_size=5,
        optimizer="sgd",
        learning_rate=0.5,
        validation_interval=1000,
        n_validation_episodes=200,
    )
    common = {"standardize": False, "random_state": 0, "n_query": 10}
    for n_shots in (10, 5):
        shared = common | {"n_shots": n_shots}
        learners = {
            "MAML": ml.MAMLRegressor(outer=long, **shared),
            "first-order MAML": ml.MAMLRegressor(outer=long, first_order=True, **shared),
            "Reptile": ml.ReptileRegressor(
                outer=reptile, n_steps=20, inner_learning_rate=0.02, **shared | {"n_query": 40}
            ),
            "joint pre-training": ml.MAMLRegressor(outer=long, n_steps=0, **shared),
        }
        for name, learner in learners.items():
            if options.only and name not in options.only:
                continue
            seconds = meta_fit(learner, train, validation)
            rates = (0.01, 0.02) if name == "joint pre-training" else (None,)
            for rate in rates:
                for n_steps in (0, 1, 5, 10):
                    learner.set_params(n_adapt_steps=n_steps)
                    if rate is not None:
                        learner.set_params(inner_learning_rate=rate)
                    episodes = ml.sample_episodes(
                        test,
                        600,
                        kind="regression",
                        n_shots=n_shots,
                        n_query=100,
                        random_state=3,
                    )
                    errors = ml.few_shot_scores(learner, episodes, mean_squared_error)
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", default=list(SECTIONS), help=", ".join(SECTIONS))
    parser.add_argument("--data", type=Path, help="folder of the corpus")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--only", nargs="*", default=[], help="names of methods")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.sections:
        path, rows = options.out / f"metalearners_{name}.csv", []
        if options.only and path.exists():
            with open(path, newline="") as file:
                rows = [row for row in csv.DictReader(file) if row["method"] not in options.only]
        for row in SECTIONS[name](options):
            rows.append(row)
            print(name, *(f"{key}={value}" for key, value in row.items()), flush=True)
            with open(path, "w", newline="") as file:
                writer = csv.DictWriter(file, fieldnames=rows[0])
                writer.writeheader()
                writer.writerows(rows)


if __name__ == "__main__":
    main()
