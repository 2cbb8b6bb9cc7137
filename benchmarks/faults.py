"""What a search loses when candidates, workers or the search itself fail.

    python benchmarks/faults.py --out faults.csv

Each row is a fault, how it was met, how often it happened and what was lost by it. For the faults
of a candidate, lost are rows of ``cv_results_`` that are missing, that have no reason, or that
failed although their candidate is sound. For the end of a worker, evaluations that differ from
those of an undisturbed search. For the ends of the search itself, evaluations that were finished
and are then missing, made again, or other than those of an uninterrupted search.

The search is killed at random moments: a child process runs it with a checkpoint, dies by SIGKILL,
and another one goes on, until one comes to the end; then the next search begins. Needs an operating
system that can fork.
"""

import argparse
import csv
import ctypes
import os
import random
import signal
import sqlite3
import tempfile
import threading
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris

from sk_metalearn import MetaSearchCV

N_ROWS, N_FOLDS = 150, 3
X, y = load_iris(return_X_y=True)
# The number of the row tells an estimator which fold it is fitted on.
X = np.column_stack([X, np.arange(N_ROWS)])
ORDER = np.random.default_rng(0).permutation(N_ROWS)
X, y = X[ORDER], y[ORDER]
X[:, -1] = np.arange(N_ROWS)
FOLDS = [
    (np.setdiff1d(np.arange(N_ROWS), test), test)
    for test in np.array_split(np.arange(N_ROWS), N_FOLDS)
]
FIELDS = ("fault", "n_jobs", "limit", "times", "lost", "status", "seconds")


class Candidate(ClassifierMixin, BaseEstimator):
    """The nearest class mean, with a fault."""

    def __init__(self, shrink=0.0, fault="", seconds=0.0, log=None):
        self.shrink = shrink
        self.fault = fault
        self.seconds = seconds
        self.log = log

    def fit(self, X, y):
        if self.log is not None:
            # The refit on all rows has no fold.
            fold = next((f for f, (_, test) in enumerate(FOLDS) if test[0] not in X[:, -1]), -1)
            with open(self.log, "a") as file:
                file.write(f"{self.shrink!r} {fold}\n")
        time.sleep(self.seconds)
        if self.fault == "raises":
            raise RuntimeError("this candidate does not work")
        if self.fault == "hangs":
            time.sleep(600)
        if self.fault == "hangs in C":
            ctypes.PyDLL(None).sleep(600)
        if self.fault == "eats memory":
            self.blocks_ = []
            while True:
                self.blocks_.append(np.ones(2**20))
                time.sleep(0.001)
        if self.fault == "segmentation fault":
            ctypes.string_at(0)
        if self.fault == "os._exit":
            os._exit(7)
        self.classes_ = np.unique(y)
        means = np.array([X[y == c, :-1].mean(axis=0) for c in self.classes_])
        self.means_ = (1 - self.shrink) * means + self.shrink * means.mean(axis=0)
        return self

    def predict(self, X):
        distance = ((X[:, None, :-1] - self.means_[None]) ** 2).sum(axis=2)
        return self.classes_[distance.argmin(axis=1)]

    def score(self, X, y):
        return np.nan if self.fault == "scores NaN" else super().score(X, y)


def search(grid, **options):
    options = {"cv": FOLDS, "knowledge": None, "strategy": "grid", "n_iter": "all", **options}
    return MetaSearchCV(Candidate(), grid, **options).fit(X, y)


# Fault, what limits it, and the status of its row.
FAULTS = (
    ("raises", {}, "crashed"),
    ("scores NaN", {}, "invalid"),
    ("hangs", {"candidate_timeout": 0.5}, "timeout"),
    ("hangs in C", {"candidate_timeout": 0.5}, "timeout"),
    ("eats memory", {"candidate_memory": 600 * 2**20}, "memory"),
    ("segmentation fault", {"candidate_timeout": 60}, "died"),
    ("os._exit", {"candidate_timeout": 60}, "died"),
)


def faulty_candidates(fault, limits, status, n_jobs, times):
    """Mix `times` faulty candidates with as many sound ones."""
    values = [float(v) for v in np.linspace(0.0, 0.5, times)]
    grid = [{"shrink": [v], "fault": [own]} for v in values for own in ("", fault)]
    found = search(grid, n_jobs=n_jobs, **limits).cv_results_
    sound = [params["fault"] == "" for params in found["params"]]
    right = [
        own == "ok" if good else (own == status and bool(reason))
        for own, good, reason in zip(found["status"], sound, found["failure"], strict=True)
    ]
    return 2 * times - sum(right), status


def killed_workers(n_jobs, times):
    """Kill worker processes from outside while they fit."""
    from sk_metalearn.evaluation._in_workers import _idle

    grid = {"shrink": [float(v) for v in np.linspace(0, 0.9, 12 * times)], "seconds": [0.1]}
    whole = search(grid, n_jobs=n_jobs)
    pool = next(pool for pool, _ in _idle if pool.n_workers == n_jobs)
    killed = set()

    def kill():
        while len(killed) < times:
            for pid in pool.pids if pool.pending else ():
                if len(killed) < times and pid not in killed:
                    killed.add(pid)
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.3)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    again = search(grid, n_jobs=n_jobs)
    thread.join(timeout=1)
    same = again.cv_results_["mean_test_score"] == whole.cv_results_["mean_test_score"]
    return len(killed), int((~same).sum()), "ok"


def recorded(path):
    """Evaluations in a checkpoint: (shrink, fold) to score."""
    if not Path(path).exists():
        return {}
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute(
            "SELECT json_extract(trials.content, '$.point.shrink.value'), folds.fold, "
            "json_extract(folds.content, '$.scores') FROM folds JOIN trials USING (key)"
        ).fetchall()
    except sqlite3.OperationalError:
        # Killed before the tables were there.
        rows = []
    connection.close()
    return {(shrink, fold): score for shrink, fold, score in rows}


def in_child(function):
    """Run a function in a forked process; give its id."""
    pid = os.fork()
    if pid == 0:
        try:
            function()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return pid


def killed_searches(n_jobs, times, rng, longest):
    """Kill the whole search again and again, and let it go on from its checkpoint."""
    grid = {"shrink": [float(v) for v in np.linspace(0, 0.9, 20)], "seconds": [0.02]}
    whole = search(grid).cv_results_["mean_test_score"]
    kills, lost = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        part = 0
        while kills < times:
            part += 1
            path, log, result = (f"{folder}/{part}.{kind}" for kind in ("sqlite", "log", "npy"))

            def run(path=path, log=log, result=result):
                found = search({**grid, "log": [log]}, n_jobs=n_jobs, checkpoint=path)
                np.save(result, found.cv_results_["mean_test_score"])

            before = {}
            while True:
                begun = Path(log).stat().st_size if Path(log).exists() else 0
                pid = in_child(run)
                if kills < times:
                    time.sleep(rng.uniform(0.0, longest))
                    # A search that is over already cannot be killed.
                    ended, status = os.waitpid(pid, os.WNOHANG)
                    if not ended:
                        os.kill(pid, signal.SIGKILL)
                        os.waitpid(pid, 0)
                        kills += 1
                else:
                    _, status = os.waitpid(pid, 0)
                if status:
                    raise RuntimeError("A search that went on from its checkpoint failed.")
                time.sleep(0.1 if n_jobs > 1 else 0.0)
                after = recorded(path)
                fitted = []
                if Path(log).exists():
                    with open(log) as file:
                        file.seek(begun)
                        fitted = [line.split() for line in file]
                repeated = [own for own in fitted if (float(own[0]), int(own[1])) in before]
                gone = [own for own in before if after.get(own) != before[own]]
                lost += len(gone) + len(repeated)
                before = after
                if Path(result).exists():
                    break
            lost += int((np.load(result) != whole).sum())
    return kills, lost, "ok"


def interrupted_searches(n_jobs, times, rng):
    """Press Ctrl-C at random moments; what was finished has to be there, and a fitted model."""
    grid = {"shrink": [float(v) for v in np.linspace(0, 0.9, 60)], "seconds": [0.02]}
    lost, main = 0, threading.get_ident()
    with tempfile.TemporaryDirectory() as folder:
        for i in range(times):
            path = f"{folder}/{i}.sqlite"
            timer = threading.Timer(
                rng.uniform(1.0, 2.0), lambda: signal.pthread_kill(main, signal.SIGINT)
            )
            timer.start()
            found = search(grid, n_jobs=n_jobs, checkpoint=path)
            timer.cancel()
            done = Counter(shrink for shrink, _ in recorded(path))
            finished = {shrink for shrink, count in done.items() if count == N_FOLDS}
            rows = {params["shrink"] for params in found.cv_results_["params"]}
            lost += len(finished - rows) + (found.stop_reason_ != "interrupted")
            lost += not hasattr(found, "best_estimator_")
    return times, lost, "ok"


def measure(times, kills, n_jobs_list):
    """Yield the rows of the table."""
    for fault, limits, status in FAULTS:
        for n_jobs in n_jobs_list:
            begun = time.perf_counter()
            lost, seen = faulty_candidates(fault, limits, status, n_jobs, times)
            limit = ", ".join(f"{k}={v:,}" for k, v in limits.items())
            yield f"candidate {fault}", n_jobs, limit, times, lost, seen, begun
    rng = random.Random(0)
    begun = time.perf_counter()
    n, lost, seen = killed_workers(2, times)
    yield "worker process killed", 2, "", n, lost, seen, begun
    for n_jobs in n_jobs_list:
        begun = time.perf_counter()
        n, lost, seen = interrupted_searches(n_jobs, times, rng)
        yield "Ctrl-C", n_jobs, "", n, lost, seen, begun
    # A child starts its own workers, which takes longer.
    for n_jobs in n_jobs_list:
        begun = time.perf_counter()
        n = kills if n_jobs == 1 else max(1, kills // 5)
        n, lost, seen = killed_searches(n_jobs, n, rng, 1.0 if n_jobs == 1 else 6.0)
        yield "search killed (SIGKILL), resumed", n_jobs, "checkpoint", n, lost, seen, begun


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", required=True, help="CSV file to write")
    parser.add_argument("--times", type=int, default=5, help="times that each fault is tried")
    parser.add_argument("--kills", type=int, default=50, help="times that the search is killed")
    parser.add_argument("--n-jobs", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    # A shell that starts this in the background has it ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with open(arguments.out, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FIELDS)
        for *row, begun in measure(arguments.times, arguments.kills, arguments.n_jobs):
            row = *row, round(time.perf_counter() - begun, 1)
            writer.writerow(row)
            file.flush()
            print(*row, sep=" | ", flush=True)


if __name__ == "__main__":
    main()
