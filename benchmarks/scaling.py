"""Efficiency of several workers, here and on local clusters of Dask and Ray.

    python benchmarks/scaling.py --workers 2 4 --out scaling.csv

Candidates sleep for a second, so that other load of the machine hardly touches the figures: they
show what the search itself costs and how well it keeps its workers busy, not the speed of a
processor. The efficiency of n workers is the time of one worker divided by n times that of n
workers. The rows "one slow" have a single fold and one candidate that takes as long as six others:
"ordered" proposals (the default) wait for it after `lookahead` candidates, those "as they come" do
not. Their efficiency is the least time possible divided by that needed.
"""

import argparse
import csv
import os
import time
import warnings

import numpy as np
from joblib import parallel_config
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris

from sk_metalearn import MetaSearchCV

FIELDS = ("where", "workers", "proposals", "candidates", "seconds", "efficiency", "same_results")


class Sleeper(ClassifierMixin, BaseEstimator):
    """The nearest class mean, after some sleep."""

    def __init__(self, shrink=0.0, seconds=1.0):
        self.shrink = shrink
        self.seconds = seconds

    def fit(self, X, y):
        time.sleep(self.seconds)
        self.classes_ = np.unique(y)
        means = np.array([X[y == c].mean(axis=0) for c in self.classes_])
        self.means_ = (1 - self.shrink) * means + self.shrink * means.mean(axis=0)
        return self

    def predict(self, X):
        distance = ((X[:, None, :] - self.means_[None]) ** 2).sum(axis=2)
        return self.classes_[distance.argmin(axis=1)]


def search(grid, **options):
    """Run a search of one second per evaluation; give it and its seconds."""
    X, y = load_iris(return_X_y=True)
    found = MetaSearchCV(
        Sleeper(),
        grid,
        n_iter="all",
        strategy="grid",
        knowledge=None,
        refit=False,
        **{"cv": 2, **options},
    )
    begun = time.perf_counter()
    found.fit(X, y)
    return found, time.perf_counter() - begun


def grid_of(n_candidates):
    return {"shrink": [float(v) for v in np.linspace(0.0, 0.9, n_candidates)]}


def processes(workers):
    """Give the joblib configuration of the package's own processes."""
    return parallel_config("loky", n_jobs=workers), lambda: None


def dask(workers):
    """Start a local Dask cluster of processes."""
    import distributed

    cluster = distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
    )
    client = distributed.Client(cluster)

    def close():
        client.close()
        cluster.close()

    return parallel_config("dask", client=client), close


def ray(workers):
    """Start a local Ray cluster."""
    import ray
    from ray.util.joblib import register_ray

    register_ray()
    paths = os.pathsep.join(path or os.getcwd() for path in os.sys.path)
    ray.init(
        num_cpus=workers,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": paths}},
    )
    return parallel_config("ray", n_jobs=workers), ray.shutdown


PLACES = {"processes": processes, "dask": dask, "ray": ray}


def measure(places, n_candidates, workers):
    """Yield the rows of the table."""
    for place in places:
        alone = reference = None
        for n in (1, *workers):
            where, close = PLACES[place](n)
            try:
                with where:
                    # The first evaluations also wait for the workers to start.
                    search({"shrink": [0.1, 0.2], "seconds": [0.01]}, n_jobs=n)
                    found, seconds = search(grid_of(n_candidates), n_jobs=n)
                    scores = found.cv_results_["mean_test_score"]
                    if n == 1:
                        alone, reference = seconds, scores
                    same = bool((scores == reference).all())
                    efficiency = alone / (n * seconds)
                    yield place, n, "ordered", n_candidates, seconds, efficiency, same
                    if n == 1:
                        continue
                    slow = [{"shrink": [0.0], "seconds": [6.0]}, grid_of(12)]
                    least = max(6.0, (6.0 + 12) / n)
                    fold = [(np.arange(0, 150, 2), np.arange(1, 150, 2))]
                    for name, lookahead in (("ordered", 2), ("as they come", None)):
                        _, seconds = search(slow, n_jobs=n, cv=fold, lookahead=lookahead)
                        name = f"{name}, one slow"
                        yield place, n, name, 13, seconds, least / seconds, ""
            finally:
                close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", required=True, help="CSV file to write")
    parser.add_argument("--places", nargs="+", choices=list(PLACES), default=list(PLACES))
    parser.add_argument("--candidates", type=int, default=16)
    parser.add_argument("--workers", type=int, nargs="+", default=[2])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    with open(arguments.out, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FIELDS)
        rows = measure(arguments.places, arguments.candidates, arguments.workers)
        for place, n, proposals, candidates, seconds, efficiency, same in rows:
            row = place, n, proposals, candidates, round(seconds, 2), round(efficiency, 3), same
            writer.writerow(row)
            file.flush()
            print(*row, sep=" | ", flush=True)


if __name__ == "__main__":
    main()
