"""What a search loses when candidates, workers or the search itself fail.

    python benchmarks/faults.py --out faults.csv

Each row is a fault, how it was met, how often it happened and what was lost by it. For the faults
of a candidate, lost are rows of ``cv_results_`` that are missing, that have no reason, or that
failed although their candidate is sound. For the end of a worker, evaluations that differ from
those of an undisturbed search. For the ends of the search itself, evaluations that were finished
and are then missing, made again, or other than those of an uninterrupted search. For a broken
environment, evaluations that differ from those of an undisturbed search, files that are gone or
left behind, and promises that were not kept; a search that hangs or ends with an error loses a
million.

The search is killed at random moments: a child process runs it with a checkpoint, dies by SIGKILL,
and another one goes on, until one comes to the end; then the next search begins. Needs an operating
system that can fork.
"""

import argparse
import contextlib
import csv
import ctypes
import os
import random
import resource
import signal
import sqlite3
import sys
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

from sk_metalearn import AutoClassifier, CandidateLimits, MetaSearchCV

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
        if "child" in self.fault and os.fork() == 0:
            os.setsid()
            time.sleep(600)
            os._exit(0)
        if "with a child in a session" in self.fault:
            time.sleep(600)
        if "with a child that holds" in self.fault:
            os._exit(7)
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
    ("hangs", {"fold_seconds": 0.5}, "timeout"),
    ("hangs in C", {"fold_seconds": 0.5}, "timeout"),
    ("hangs, with a child in a session of its own", {"fold_seconds": 0.5}, "timeout"),
    ("dies, with a child that holds its pipes", {"fold_seconds": 60}, "died"),
    ("eats memory", {"memory_bytes": 600 * 2**20}, "memory"),
    ("segmentation fault", {"fold_seconds": 60}, "died"),
    ("os._exit", {"fold_seconds": 60}, "died"),
)


def faulty_candidates(fault, limits, status, n_jobs, times):
    """Mix `times` faulty candidates with as many sound ones."""
    values = [float(v) for v in np.linspace(0.0, 0.5, times)]
    grid = [{"shrink": [v], "fault": [own]} for v in values for own in ("", fault)]
    limits = CandidateLimits(**limits) if limits else None
    found = search(grid, n_jobs=n_jobs, limits=limits).cv_results_
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
            try:
                found = search(grid, n_jobs=n_jobs, checkpoint=path)
            except KeyboardInterrupt:
                found = None
            timer.cancel()
            done = Counter(shrink for shrink, _ in recorded(path))
            finished = {shrink for shrink, count in done.items() if count == N_FOLDS}
            if found is None:
                # Passed on where nothing was finished yet.
                lost += len(finished)
                continue
            rows = {params["shrink"] for params in found.cv_results_["params"]}
            lost += len(finished - rows) + (found.stop_reason_ != "interrupted")
            lost += not hasattr(found, "best_estimator_")
    return times, lost, "ok"


def raced_crashes(n_jobs, times):
    """Let candidates crash in a race; none of them may be called raced."""
    values = [float(v) for v in np.linspace(0.0, 0.5, 3 * times)]
    grid = [{"shrink": [v], "fault": [own]} for v in values for own in ("", "raises")]
    found = search(grid, n_jobs=n_jobs, racing=True).cv_results_
    bad = np.array([params["fault"] == "raises" for params in found["params"]])
    return int((found["status"][bad] != "crashed").sum())


GRID = {"shrink": [float(v) for v in np.linspace(0, 0.9, 8)]}


def missing(found, whole):
    """Evaluations of a search that an undisturbed one has and it has not."""
    return int((found.cv_results_["mean_test_score"] != whole).sum())


def in_its_own_process(function):
    """Run a function that gives a number in a forked process; 10**6 where it fails or hangs."""
    with tempfile.TemporaryDirectory() as folder:

        def kept():
            (Path(folder) / "lost").write_text(str(function(folder)))

        pid, deadline = in_child(kept), time.monotonic() + 120
        while time.monotonic() < deadline and not os.waitpid(pid, os.WNOHANG)[0]:
            time.sleep(0.05)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        result = Path(folder) / "lost"
        return int(result.read_text()) if result.exists() else 10**6


def no_workers(n_jobs, whole):
    """There is no interpreter that a worker could be started with."""

    def lost(folder):
        sys.executable = "/no/such/python"
        return missing(search(GRID, n_jobs=n_jobs), whole)

    return in_its_own_process(lost)


def full_disk(n_jobs, whole):
    """No file may grow beyond some bytes: the checkpoint cannot be written any more."""

    def lost(folder):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
        return missing(search(GRID, n_jobs=n_jobs, checkpoint=f"{folder}/checkpoint"), whole)

    return in_its_own_process(lost)


def no_temp_folder(n_jobs, whole):
    """The folder for temporary files is not there."""

    def lost(folder):
        tempfile.tempdir = os.environ["TMPDIR"] = f"{folder}/gone"
        return missing(search(GRID, n_jobs=n_jobs), whole)

    return in_its_own_process(lost)


def absent_database(n_jobs, whole):
    """Neither the knowledge nor the store of one's own searches can be reached."""

    def lost(folder):
        os.environ["SK_METALEARN_HOME"] = f"{folder}/file"
        Path(folder, "file").write_text("no folder")
        Path(folder, "base.npz").write_text("no base")
        found = search(GRID, n_jobs=n_jobs, knowledge=f"{folder}/base.npz", remember=True)
        return missing(found, whole)

    return in_its_own_process(lost)


def stopped(n_jobs, whole):
    """All processes are stopped for longer than a candidate may take, and go on."""

    def lost(folder):
        grid = {**GRID, "seconds": [0.2]}

        def run():
            found = search(grid, n_jobs=n_jobs, limits=CandidateLimits(fold_seconds=3))
            Path(folder, "result").write_text(str(missing(found, whole)))

        pid = in_child(run)
        time.sleep(4)
        family = [pid, *children_of(pid)]
        for one in family:
            os.kill(one, signal.SIGSTOP)
        time.sleep(5)
        for one in family:
            os.kill(one, signal.SIGCONT)
        os.waitpid(pid, 0)
        return int(Path(folder, "result").read_text())

    return in_its_own_process(lost)


def children_of(pid):
    """Processes below a process."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found += [int(entry.name), *children_of(int(entry.name))]
    return found


def mistaken_options(n_jobs, whole):
    """A misspelt parameter, and then the right one with the same checkpoint."""

    def lost(folder):
        path = f"{folder}/checkpoint"
        with contextlib.suppress(ValueError):
            search({"shrunk": [0.1]}, n_jobs=n_jobs, checkpoint=path)
        return missing(search(GRID, n_jobs=n_jobs, checkpoint=path), whole)

    return in_its_own_process(lost)


def hostile_checkpoint(n_jobs, whole):
    """A checkpoint names a file of somebody else's as a model; it must stay where it is."""

    def lost(folder):
        path, precious = f"{folder}/checkpoint", Path(folder, "precious")
        precious.write_text("mine")
        search(GRID, n_jobs=n_jobs, checkpoint=path)
        connection = sqlite3.connect(path)
        connection.execute(
            "UPDATE folds SET content = json_set(content, '$.model', ?)", (str(precious),)
        )
        connection.commit()
        connection.close()
        try:
            found = search(GRID, n_jobs=n_jobs, checkpoint=path, time_budget=60)
        except ValueError:
            return int(not precious.exists())
        scores = np.sort(found.cv_results_["mean_test_score"])
        return int(not precious.exists()) + int((scores != np.sort(whole)).sum())

    return in_its_own_process(lost)


def data_left_behind(n_jobs, whole):
    """A search is killed; after the next one nothing of its data may lie in the temp folder."""

    def lost(folder):
        tempfile.tempdir = os.environ["TMPDIR"] = folder
        grid = {**GRID, "seconds": [0.2]}
        pid = in_child(lambda: search(grid, n_jobs=max(2, n_jobs)))
        deadline = time.monotonic() + 60
        while not any(Path(folder).glob("sk_metalearn-*/*")) and time.monotonic() < deadline:
            time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        # A folder of a few seconds may be another search's that has just begun.
        time.sleep(6)
        found = search(GRID, n_jobs=max(2, n_jobs))
        left = [own for own in Path(folder).glob("sk_metalearn-*/*") if own.is_file()]
        return missing(found, whole) + len([own for own in left if own.stat().st_size > 2000])

    return in_its_own_process(lost)


def short_budget(n_jobs, whole):
    """A budget of three seconds: an Auto estimator ends in time, with a sound model."""

    def lost(folder):
        begun = time.monotonic()
        auto = AutoClassifier(time_budget=3, n_jobs=n_jobs).fit(X[:, :-1], y)
        late = time.monotonic() - begun > 3 * 1.1 + 1
        return int(late) + int(auto.score(X[:, :-1], y) < 0.8)

    return in_its_own_process(lost)


ENVIRONMENTS = (
    ("no worker can start", no_workers),
    ("disk full: checkpoint", full_disk),
    ("no folder for temporary files", no_temp_folder),
    ("damaged knowledge, no store", absent_database),
    ("stopped (SIGSTOP) and continued", stopped),
    ("misspelt parameter, same checkpoint", mistaken_options),
    ("checkpoint that names a foreign file", hostile_checkpoint),
    ("search killed: data left behind", data_left_behind),
    ("budget of 3 s", short_budget),
)


def measure(times, kills, n_jobs_list):
    """Yield the rows of the table."""
    whole = search(GRID).cv_results_["mean_test_score"]
    for name, environment in ENVIRONMENTS:
        for n_jobs in n_jobs_list:
            begun = time.perf_counter()
            lost = sum(environment(n_jobs, whole) for _ in range(max(1, times // 2)))
            yield name, n_jobs, "", max(1, times // 2), lost, "ok", begun
    for n_jobs in n_jobs_list:
        begun = time.perf_counter()
        lost = raced_crashes(n_jobs, times)
        yield "crash in a race", n_jobs, "racing", 3 * times, lost, "crashed", begun
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
