"""A guided search beside random search, candidate by candidate::

    python benchmarks/random_search.py

On three datasets that come with scikit-learn, and whose families are not in the bundled knowledge
base, ten evaluations guided by what past datasets say stand beside random search over the same
catalogue of models and hyperparameters.

The figures for random search are no single lucky or unlucky run: 30 random configurations are
evaluated once, and what is shown is the exact expectation of the best of k of them.
"""

import time
import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.metrics import get_scorer
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score, train_test_split

from sk_metalearn import AutoClassifier, AutoRegressor, KnowledgeBase, MetaFeatureExtractor
from sk_metalearn.evaluation import WorkerPool
from sk_metalearn.spaces import Schema, build_estimator, catalogue_space, from_point, get_family

warnings.simplefilter("ignore")

N_EVALUATIONS = 10
N_RANDOM = 30
CPU_LIMIT = 15.0  # seconds for a random configuration; one that needs longer has lost


def evaluate(configuration, schema, X, y, X_test, y_test, folds, scoring):
    """Cross-validate a configuration, and score it on the test rows."""
    estimator = build_estimator(configuration, schema, random_state=0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cv = cross_val_score(estimator, X, y, cv=folds, scoring=scoring).mean()
            return cv, get_scorer(scoring)(estimator.fit(X, y), X_test, y_test)
    except ValueError:  # a configuration that fails has lost
        return np.nan, np.nan


def evaluate_all(configurations, *arguments):
    """Evaluate configurations in two processes."""
    results = np.full((len(configurations), 2), np.nan)
    with WorkerPool(2) as pool:
        for number, own in enumerate(configurations):
            pool.submit(evaluate, own, *arguments, key=number, cpu_seconds=CPU_LIMIT)
        for _ in configurations:
            done = pool.next()
            if done.status == "ok":
                results[done.key] = done.value
    return results.T


def random_configurations(kind, schema, n, seed):
    """Draw configurations of the catalogue that can serve the data."""
    rng, space, drawn = np.random.default_rng(seed), catalogue_space(kind), []
    while len(drawn) < n:
        configuration = from_point(space.sample(rng))
        if not get_family(configuration.family, kind).not_applicable(schema):
            drawn.append(configuration)
    return drawn


def expected_best(cv, value, k):
    """Exact expectation of `value` for the best of `k` of the configurations by `cv`."""
    order, n = np.argsort(-np.nan_to_num(cv, nan=-np.inf)), len(cv)
    chance, left = np.zeros(n), 1.0
    for rank in range(n - k + 1):
        chance[rank] = left * k / (n - rank)
        left -= chance[rank]
    return float(chance @ np.nan_to_num(value)[order])


def compare(name, loader, kind):
    """Show what the search knows, what it tries, and what random search gives."""
    X, y = loader(return_X_y=True)
    classification = kind == "classification"
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=0.5, random_state=0, stratify=y if classification else None
    )
    scoring = "accuracy" if classification else "r2"
    splitter = StratifiedKFold if classification else KFold
    folds = list(splitter(3, shuffle=True, random_state=0).split(X, y))
    print(f"\n=== {name}: {X.shape[0]} training rows, {X.shape[1]} columns, {kind} ===")

    metafeatures = MetaFeatureExtractor(random_state=0).extract(X, y, kind=kind)
    shown = {k: v for k, v in metafeatures.items() if np.isfinite(v)}
    print("meta-features:", ", ".join(f"{k}={v:.3g}" for k, v in list(shown.items())[:8]), "...")
    for neighbor in KnowledgeBase.bundled().neighbors(
        metafeatures=metafeatures, kind=kind, n_neighbors=3
    ):
        print(f"  near {neighbor.task.name} ({neighbor.distance:.2f}): {neighbor.reasons[0]}")

    started = time.perf_counter()
    make = AutoClassifier if classification else AutoRegressor
    search = make(n_iter=N_EVALUATIONS, cv=folds, scoring=scoring, random_state=0, n_jobs=2)
    search.fit(X, y)
    seconds = time.perf_counter() - started

    started = time.perf_counter()
    schema = Schema.from_data(X, y, kind)
    drawn = random_configurations(kind, schema, N_RANDOM, seed=0)
    cv, test = evaluate_all(drawn, schema, X, y, X_test, y_test, folds, scoring)
    random_seconds = time.perf_counter() - started

    table = search.cv_results_
    best = -np.inf
    print("(cv: this candidate; best: best so far; random: expected best of as many random ones)")
    print(f"{'':>3} {'cv':>7} {'best':>7} {'random':>7} {'sec':>6}  why, and which configuration")
    for i in range(len(table["params"])):
        score, spent = table["mean_test_score"][i], table["mean_fit_time"][i]
        best = max(best, np.nan_to_num(score, nan=-np.inf))
        configuration = search.configurations_[i]
        brief = get_family(configuration.family, kind).describe(configuration)
        print(
            f"{i + 1:>3} {score:7.4f} {best:7.4f} {expected_best(cv, cv, i + 1):7.4f} {spent:6.2f}"
            f"  {table['reason'][i]}: {brief[:72]}"
        )
    print(
        f"test {scoring}: sk_metalearn {search.score(X_test, y_test):.4f} with {N_EVALUATIONS} "
        f"evaluations ({seconds:.0f} s)"
    )
    for k in (N_EVALUATIONS, N_RANDOM):
        print(f"  random search, expected with {k}: {expected_best(cv, test, k):.4f}")
    print(f"  ({N_RANDOM} random evaluations took {random_seconds:.0f} s)")


if __name__ == "__main__":
    compare("breast_cancer", load_breast_cancer, "classification")
    compare("digits", load_digits, "classification")
    compare("diabetes", load_diabetes, "regression")
