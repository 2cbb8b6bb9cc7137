"""Measure the meta-learners on known ground and write the tables of the guide.

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
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import mean_squared_error
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_metalearn import metalearners as ml
from sk_metalearn.metalearners import OuterLoop
from sk_metalearn.metalearners._networks import init_mlp, mlp, mlp_gradient

SECTIONS = {}


def section(function):
    """Register a function that yields the rows of a table."""
    SECTIONS[function.__name__] = function
    return function


def asked(options, method):
    """Whether a method is to be measured."""
    return not options.only or method in options.only


def interval(scores):
    """Half width of the 95 % confidence interval of a mean."""
    return 1.96 * np.std(scores, ddof=1) / np.sqrt(len(scores))


def meta_fit(learner, *tasks):
    """Meta-train and return the processor seconds it took."""
    start = time.process_time()
    learner.meta_fit(*tasks)
    return round(time.process_time() - start, 1)


def squared_errors(learner, episodes):
    """Mean squared errors of the episodes; infinite if adaptation diverges on one of them."""
    try:
        return ml.few_shot_scores(learner, episodes, mean_squared_error)
    except FloatingPointError:
        return np.full(2, np.inf)


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
    reptile = replace(long, batch_size=5, optimizer="sgd", learning_rate=0.5)
    common = {"standardize": False, "random_state": 0, "n_query": 10}
    for n_shots in options.shots or (10, 5):
        shared = common | {"n_shots": n_shots}
        learners = {
            "MAML": ml.MAMLRegressor(outer=long, **shared),
            "first-order MAML": ml.MAMLRegressor(outer=long, first_order=True, **shared),
            "Reptile": ml.ReptileRegressor(
                outer=reptile,
                n_steps=20,
                inner_learning_rate=0.05,
                **shared | {"n_query": 40, "standardize": True},
            ),
            "joint pre-training": ml.MAMLRegressor(outer=long, n_steps=0, **shared),
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


# Few-shot classification -----------------------------------------------------------------------

N_EPISODES = 600


def digit_sets():
    """Digits and their quarter turns; the images of the test classes are never trained on.

    Mirror images are further classes to train and validate on.
    """
    digits = load_digits()
    X, y = ml.make_rotated_classes(digits.images / 16, digits.target)
    even = np.tile(np.arange(len(digits.target)) % 2 == 0, 4)
    classes = np.random.RandomState(0).permutation(40)
    parts = [
        (X[np.isin(y, part) & half], y[np.isin(y, part) & half])
        for part, half in zip(np.split(classes, [22, 30]), (even, even, ~even), strict=True)
    ]
    yield "digits, left-out rotations", [*(mirrored(*part) for part in parts[:2]), parts[2]], False


def mirrored(X, y):
    """Add the mirror images as classes of their own."""
    images = X.reshape(len(X), 8, 8)[:, :, ::-1]
    return np.vstack([X, images.reshape(X.shape)]), np.concatenate([y, y + 40])


MANY_CLASSES = (
    "isolet-1560",
    "leaf-flavia",
    "leaf",
    "coil20",
    "spectrometer",
    "movement_libras",
)


def corpus_sets(folder):
    """Many-class datasets; classes are split at random into training, validation and test."""
    import pandas as pd

    for slug in MANY_CLASSES:
        frame = pd.read_parquet(folder / f"{slug}.parquet")
        y = frame.pop("target").astype("category").cat.codes.to_numpy()
        X = pd.get_dummies(frame).astype(float).fillna(0.0).to_numpy()
        classes = np.flatnonzero(np.bincount(y) >= 8)
        classes = np.random.RandomState(0).permutation(classes)
        n_test, n_validation = max(5, len(classes) // 4), max(3, len(classes) // 5)
        parts = np.split(classes, [n_test, n_test + n_validation])
        test, validation, train = ((X[np.isin(y, part)], y[np.isin(y, part)]) for part in parts)
        yield slug, [train, validation, test], True


def prepare(train, *others, standardize):
    """Standardise, keep at most 64 principal components and scale, all learned on `train`."""
    steps = [StandardScaler()] if standardize else []
    if train[0].shape[1] > 64:
        steps.append(PCA(64, random_state=0))
    pipeline = make_pipeline(*steps, "passthrough").fit(train[0])
    scale = np.sqrt(pipeline.transform(train[0]).var(axis=0).mean())
    return [[(pipeline.transform(X) / scale, y)] for X, y in (train, *others)]


def few_shot(sets, options):
    """Accuracy on episodes of left-out classes, for each method and for 1-NN in input space."""
    for name, raw, standardize in sets:
        if options.datasets and name not in options.datasets:
            continue
        train, validation, test = prepare(*raw, standardize=standardize)
        for n_shots in options.shots or (1, 5):
            draw = {"n_shots": n_shots, "n_query": 3, "n_way": 5, "random_state": 0}
            row = {"dataset": name, "n_shots": n_shots}
            for method, learner in few_shot_learners(n_shots).items():
                if not asked(options, method):
                    continue
                seconds, tasks = 0.0, test
                if method == "1-NN, raw input":
                    tasks = [raw[2]]
                elif method != "1-NN":
                    learner, seconds = best_of(learner, train, validation)
                scores = ml.few_shot_scores(learner, ml.sample_episodes(tasks, N_EPISODES, **draw))
                yield row | {
                    "method": method,
                    "accuracy": round(scores.mean(), 3),
                    "interval": round(interval(scores), 3),
                    "classes": "/".join(str(len(set(t[0][1]))) for t in (train, validation, test)),
                    "seconds": seconds,
                }


def few_shot_learners(n_shots):
    """Baselines, and for each method the settings to choose from on the validation classes."""
    common = {"n_shots": n_shots, "n_query": 3, "standardize": False, "random_state": 0}
    embedding = common | {"hidden_layer_sizes": (64,), "n_components": None}  # first the input
    gentle, quick = (
        OuterLoop(max_iter=600, learning_rate=rate, validation_interval=50, n_iter_no_change=4)
        for rate in (2e-4, 1e-3)
    )
    steep = OuterLoop(max_iter=600, learning_rate=2e-3, validation_interval=100)
    return {
        "1-NN, raw input": KNeighborsClassifier(1),
        "1-NN": KNeighborsClassifier(1),
        "prototypical": settings(ml.PrototypicalNetworkClassifier, (gentle, quick), embedding),
        "matching": settings(ml.MatchingNetworkClassifier, (gentle, quick), embedding),
        # Inputs are about 11 apart; what is nearer than the margin and of another class is moved.
        "siamese": settings(
            ml.SiameseNetworkClassifier, (gentle, quick), embedding | {"margin": 15.0}
        ),
        "MAML": settings(ml.MAMLClassifier, (gentle, quick), common),
        "Reptile": settings(ml.ReptileClassifier, (None,), common),
        "SNAIL": settings(ml.SNAILClassifier, (steep,), common),
        "Meta Network": settings(ml.MetaNetworkClassifier, (steep,), common),
        "MANN": settings(ml.MANNClassifier, (SEQUENCES,), common),
    }


def settings(make, loops, parameters):
    """A learner for each outer loop."""
    return [make(outer=outer, **parameters) for outer in loops]


# Outer loop of the memories.
SEQUENCES = OuterLoop(
    max_iter=400,
    batch_size=32,
    learning_rate=3e-3,
    validation_interval=50,
    n_validation_episodes=64,
)


def best_of(learners, train, validation):
    """Meta-train each and keep the one with the lowest validation loss."""
    seconds = sum(meta_fit(learner, train, validation) for learner in learners)
    best = min(learners, key=lambda learner: min(learner.history_["validation_loss"]))
    return best, round(seconds, 1)


@section
def digits(options):
    """Few-shot classification of digits turned by quarters."""
    yield from few_shot(digit_sets(), options)


@section
def corpus(options):
    """Few-shot classification on the many-class datasets of the corpus."""
    yield from few_shot(corpus_sets(options.data), options)


# Learned optimiser ------------------------------------------------------------------------------


def make_quadratics(n_tasks, random_state):
    """Random least-squares problems in 10 dimensions (and an intercept)."""
    rng = np.random.RandomState(random_state)
    return [(rng.normal(size=(20, 10)), rng.normal(size=20)) for _ in range(n_tasks)]


def trajectory(kind, rate, net, X, y):
    """Yield the weights of a perceptron before each step of a hand-made optimiser."""
    Y = y[:, None]
    momentum = {key: np.zeros_like(value) for key, value in net.items()}
    square, step = dict(momentum), 0
    while True:
        yield net
        step += 1
        gradient, _ = mlp_gradient(net, X, lambda output: 2 * (output - Y) / len(Y))
        if kind == "Adam":
            momentum = {k: 0.9 * momentum[k] + 0.1 * gradient[k] for k in net}
            square = {k: 0.999 * square[k] + 0.001 * gradient[k] ** 2 for k in net}
            now = rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            net = {k: net[k] - now * momentum[k] / (np.sqrt(square[k]) + 1e-8) for k in net}
        else:
            keep = 0.9 if kind == "momentum" else 0.0
            momentum = {k: keep * momentum[k] - rate * gradient[k] for k in net}
            net = {k: net[k] + momentum[k] for k in net}


def errors_on_the_way(kind, rate, episodes, sizes, n_steps, part):
    """Errors after 0..n_steps steps, a row for each problem; infinite where it diverges.

    `part` is 0 for the error on the support examples and 2 for that on the queries.
    """
    rows = []
    with np.errstate(all="ignore"):
        for i, episode in enumerate(episodes):
            net = init_mlp(np.random.RandomState(i), sizes)
            nets = trajectory(kind, rate, net, *episode[:2])
            X, y = episode[part : part + 2]
            errors = [((mlp(next(nets), X)[:, 0] - y) ** 2).mean() for _ in range(n_steps + 1)]
            rows.append(errors)
    return np.nan_to_num(np.array(rows), nan=np.inf)


RATES = np.logspace(-3, 0.5, 15)


@section
def optimizer(options):
    """Median training loss of left-out problems by learned and by hand-made optimisers."""
    outer = OuterLoop(
        max_iter=400,
        batch_size=4,
        learning_rate=5e-3,
        validation_interval=25,
        n_validation_episodes=32,
    )
    draw = {"kind": "regression", "n_shots": 10, "n_query": 1}
    problems = {
        "quadratic": ((), make_quadratics(500, 0), make_quadratics(100, 1)),
        "perceptron on sine": (
            (20,),
            standardized(ml.make_sine_tasks(500, 20, 0)),
            standardized(ml.make_sine_tasks(100, 20, 1)),
        ),
    }
    for problem, (hidden, train, test) in problems.items():
        n_steps = 50
        tuning = list(ml.sample_episodes(train, 50, random_state=5, **draw))
        judging = list(ml.sample_episodes(test, 100, random_state=6, **draw))
        sizes = [train[0][0].shape[1], *hidden, 1]
        found = {}
        for kind in ("SGD", "momentum", "Adam"):
            # The step size is the best of 15 for the median loss on the way, on training problems.
            ways = [
                np.median(errors_on_the_way(kind, rate, tuning, sizes, n_steps, 0), axis=0)
                for rate in RATES
            ]
            rate = RATES[np.argmin(np.mean(ways, axis=1))]
            judged = errors_on_the_way(kind, rate, judging, sizes, n_steps, 0)
            found[kind] = np.median(judged, axis=0)
        learner = ml.LearnedOptimizerRegressor(
            hidden, n_shots=10, n_query=1, standardize=False, outer=outer, random_state=0
        )
        seconds, way = meta_fit(learner, train), []
        for i, (X, y, _, _) in enumerate(judging):
            learner.set_params(random_state=i).fit(X, y)
            way.append(learner.loss_curve_)
        found["learned (LSTM)"] = np.median(way, axis=0)
        for kind, losses in found.items():
            yield {
                "method": kind,
                "problem": problem,
                **{f"loss_{k}": round(float(losses[k]), 4) for k in (0, 5, 10, 20, 30, 50)},
                "steps_to_adam_at_50": steps_to(losses, found["Adam"][50]),
                "seconds": seconds if kind.startswith("learned") else 0.0,
            }


def steps_to(losses, level):
    """First step at which a curve is at or below a level; -1 if it never is."""
    reached = np.flatnonzero(losses <= level)
    return int(reached[0]) if len(reached) else -1


def standardized(tasks):
    """Scale sine tasks to unit variance over all of them."""
    return [(X / 2.887, y / 2.05) for X, y in tasks]


@section
def control(options):
    """Query error of perceptrons trained on 10 noisy points of a left-out wave."""
    rng = np.random.RandomState(0)

    def noisy(tasks):
        return [(X, y + 0.3 * rng.normal(size=len(y))) for X, y in standardized(tasks)]

    train, test = noisy(ml.make_sine_tasks(500, 30, 0)), noisy(ml.make_sine_tasks(200, 30, 1))
    draw = {"kind": "regression", "n_shots": 10, "n_query": 20}
    tuning = list(ml.sample_episodes(train, 100, random_state=5, **draw))
    judging = list(ml.sample_episodes(test, 200, random_state=6, **draw))
    outer = OuterLoop(
        max_iter=400, learning_rate=5e-3, validation_interval=25, n_validation_episodes=64
    )
    learner = ml.MetaControlRegressor(
        n_shots=10, n_query=20, standardize=False, outer=outer, random_state=0
    )
    seconds, errors, steps = meta_fit(learner, train), [], []
    for i, (X, y, X_query, y_query) in enumerate(judging):
        learner.set_params(random_state=i).fit(X, y)
        errors.append(mean_squared_error(y_query, learner.predict(X_query)))
        steps.append(len(learner.loss_curve_) - 1)
    rows = {"learned control": (np.array(errors), np.mean(steps), seconds)}
    for kind in ("SGD", "momentum", "Adam"):
        # Step size and number of steps are the best pair on training problems.
        tuned = {
            rate: errors_on_the_way(kind, rate, tuning, [1, 20, 1], 40, 2).mean(axis=0)
            for rate in RATES
        }
        rate = min(tuned, key=lambda rate: tuned[rate].min())
        step = int(tuned[rate].argmin())
        judged = errors_on_the_way(kind, rate, judging, [1, 20, 1], 40, 2)[:, step]
        rows[kind] = (judged, step, 0.0)
    for kind, (errors, step, seconds) in rows.items():
        difference = errors - rows["learned control"][0]
        yield {
            "method": kind,
            "query_mse": round(errors.mean(), 4),
            "interval": round(interval(errors), 4),
            "more_than_learned": round(difference.mean(), 4),
            "difference_interval": round(interval(difference), 4),
            "steps": round(float(step), 1),
            "seconds": seconds,
        }


# Memory -----------------------------------------------------------------------------------------


@section
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


@section
def sequences(options):
    """Accuracy on the k-th instance of a class, along sequences of left-out classes."""
    name, parts, _ = next(digit_sets())
    train, validation, test = prepare(*parts, standardize=False)
    common = {"n_way": 3, "n_shots": 5, "n_query": 5, "standardize": False, "random_state": 0}
    learners = {
        "MANN": ml.MANNClassifier(outer=SEQUENCES, **common),
        "NTM": ml.NTMClassifier(outer=SEQUENCES, **common),
        "1-NN": KNeighborsClassifier(1),
    }
    for method, learner in learners.items():
        if not asked(options, method):
            continue
        seconds = 0.0 if method == "1-NN" else meta_fit(learner, train, validation)
        right = instance_accuracy(learner, test, common["n_way"])
        yield {
            "method": method,
            "dataset": name,
            "n_way": common["n_way"],
            **{f"instance_{k}": round(right[k - 1], 3) for k in (1, 2, 3, 5, 10)},
            "instances_2_to_10": round(right[1:].mean(), 3),
            "seconds": seconds,
        }


def instance_accuracy(learner, tasks, n_way, n_sequences=100, n_each=10):
    """Predict each example of a sequence from those before it, as `fit` and `predict` see it."""
    rng = np.random.RandomState(7)
    right = [[] for _ in range(n_each)]
    for X, y, *_ in ml.sample_episodes(
        tasks, n_sequences, n_shots=n_each, n_query=1, n_way=n_way, random_state=8
    ):
        order = rng.permutation(len(y))
        X, y, seen = X[order], y[order], np.zeros(n_way, dtype=int)
        for t in range(len(y)):
            known = len(set(y[:t])) > 1
            guess = learner.fit(X[:t], y[:t]).predict(X[t : t + 1])[0] if known else -1
            right[seen[y[t]]].append(guess == y[t])
            seen[y[t]] += 1
    return np.array([np.mean(part) for part in right])


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
