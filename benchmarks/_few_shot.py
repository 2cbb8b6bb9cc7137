"""Few-shot classification: episodes of left-out classes, and sequences of them."""

import numpy as np
from _meta_measures import asked, interval, meta_fit
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_metalearn import metalearners as ml
from sk_metalearn.metalearners import OuterLoop

N_EPISODES = 600


def digit_sets(seed=0):
    """Digits and their quarter turns; the images of the test classes are never trained on.

    Mirror images are further classes to train and validate on. `seed` deals the classes.
    """
    digits = load_digits()
    X, y = ml.make_rotated_classes(digits.images / 16, digits.target)
    even = np.tile(np.arange(len(digits.target)) % 2 == 0, 4)
    classes = np.random.RandomState(seed).permutation(40)
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
    steps = {"inner_learning_rate": 0.1, "n_adapt_steps": None}  # as many as in meta-training
    plain = OuterLoop(optimizer="sgd", learning_rate=0.5)
    steady = OuterLoop(max_iter=300, learning_rate=5e-4, validation_interval=50, n_iter_no_change=3)
    return {
        "1-NN, raw input": KNeighborsClassifier(1),
        "1-NN": KNeighborsClassifier(1),
        "prototypical": settings(ml.PrototypicalNetworkClassifier, (gentle, quick), embedding),
        "matching": settings(ml.MatchingNetworkClassifier, (gentle, quick), embedding),
        # Inputs are about 11 apart; what is nearer than the margin and of another class is moved.
        "siamese": settings(
            ml.SiameseNetworkClassifier, (gentle, quick), embedding | {"margin": 15.0}
        ),
        "MAML": settings(ml.MAMLClassifier, (gentle, quick), common | steps | {"n_steps": 5}),
        "Reptile": settings(ml.ReptileClassifier, (plain,), common | steps),
        "SNAIL": settings(ml.SNAILClassifier, (steady,), common),
        "Meta Network": settings(ml.MetaNetworkClassifier, (steady,), common),
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


def digits(options):
    """Few-shot classification of digits turned by quarters."""
    yield from few_shot(digit_sets(), options)


def corpus(options):
    """Few-shot classification on the many-class datasets of the corpus."""
    yield from few_shot(corpus_sets(options.data), options)


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
