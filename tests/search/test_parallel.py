"""The same search, in the same words, wherever its candidates run."""

import os
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from _slow import Slow
from joblib import parallel_config
from scipy.stats import loguniform
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sk_metalearn import AutoClassifier, MetaSearchCV

X, y = load_iris(return_X_y=True)
COMPARED = ("mean_test_score", "std_test_score", "rank_test_score", "status", "reason")


def make(**options):
    options = {"n_iter": 8, "cv": 3, "knowledge": None, "random_state": 3, **options}
    space = {"svc__C": loguniform(1e-2, 1e3), "svc__gamma": loguniform(1e-3, 1e1)}
    return MetaSearchCV(make_pipeline(StandardScaler(), SVC()), space, **options)


@pytest.fixture(scope="module")
def alone():
    return make().fit(X, y)


def same(search, other):
    assert search.cv_results_["params"] == other.cv_results_["params"]
    for name in COMPARED:
        np.testing.assert_array_equal(search.cv_results_[name], other.cv_results_[name])


@pytest.mark.parametrize("n_jobs", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_processes(alone, n_jobs):
    same(make(n_jobs=n_jobs).fit(X, y), alone)


@pytest.mark.parametrize(
    "backend", ["threading", "loky", pytest.param("multiprocessing", marks=pytest.mark.slow)]
)
def test_joblib_backends(alone, backend):
    with parallel_config(backend, n_jobs=2):
        same(make().fit(X, y), alone)


def test_a_backend_of_somebody_else(alone):
    from joblib import register_parallel_backend
    from joblib._parallel_backends import ThreadingBackend

    class Foreign(ThreadingBackend):
        pass

    register_parallel_backend("foreign", Foreign)
    with parallel_config("foreign", n_jobs=2):
        same(make().fit(X, y), alone)


def test_knowledge_and_auto_do_not_depend_on_the_workers():
    options = {"n_iter": 5, "cv": 3, "random_state": 0, "families": ["lda", "svm", "ridge"]}
    one, two = (AutoClassifier(n_jobs=n, **options).fit(X, y) for n in (None, 2))
    assert one.configurations_ == two.configurations_ and one.ensemble_ == two.ensemble_
    same(one, two)
    np.testing.assert_array_equal(one.predict(X), two.predict(X))


def test_lookahead_changes_what_is_known_and_nothing_else():
    one = make(lookahead=1).fit(X, y)
    same(make(lookahead=1, n_jobs=2).fit(X, y), one)
    assert one.cv_results_["params"][:4] == make().fit(X, y).cv_results_["params"][:4]


def test_asynchronous_search_is_complete():
    search = make(lookahead=None, n_jobs=2).fit(X, y)
    assert len(search.cv_results_["params"]) == 8
    assert set(search.cv_results_["status"]) == {"ok"}


@pytest.fixture
def ctrl_c():
    """Press Ctrl-C as soon as a condition holds; also where a shell runs the tests in the back."""
    if not hasattr(signal, "pthread_kill"):
        pytest.skip("sends a signal")
    main = threading.get_ident()

    def press(condition):
        while not condition():
            time.sleep(0.05)
        signal.pthread_kill(main, signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda condition: threading.Thread(target=press, args=(condition,), daemon=True).start()
    signal.signal(signal.SIGINT, before)


@dataclass
class CountedAccuracy:
    """A scorer that leaves a byte in a file for each fold scored."""

    path: Path

    def __call__(self, estimator, X, y):
        with open(self.path, "ab") as file:
            file.write(b".")
        return estimator.score(X, y)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_ctrl_c_keeps_what_is_done_and_refits(n_jobs, ctrl_c, tmp_path):
    scored = tmp_path / "scored"
    space = {"seconds": [0.1], "shrink": list(np.linspace(0, 0.5, 50))}
    search = MetaSearchCV(
        Slow(),
        space,
        n_iter=50,
        knowledge=None,
        strategy="grid",
        cv=2,
        n_jobs=n_jobs,
        scoring=CountedAccuracy(scored),
    )
    ctrl_c(lambda: scored.exists() and scored.stat().st_size > 12)
    search.fit(X, y)
    assert search.stop_reason_ == "interrupted"
    n_done = len(search.cv_results_["params"])
    status = search.cv_results_["status"]
    assert 1 <= n_done < 50 and "ok" in status and set(status) <= {"ok", "unfinished"}
    assert search.score(X, y) > 0.8


def test_ctrl_c_before_anything_is_done_is_passed_on(ctrl_c):
    begun = time.monotonic()
    ctrl_c(lambda: time.monotonic() > begun + 0.5)
    with pytest.raises(KeyboardInterrupt):
        MetaSearchCV(Slow(seconds=3), {"shrink": [0, 1]}, knowledge=None, cv=2).fit(X, y)


def kill_a_worker(pids, after):
    def kill():
        time.sleep(after)
        os.kill(pids()[0], signal.SIGKILL)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    return thread


SLOW = {"seconds": [0.2], "shrink": list(np.linspace(0, 0.5, 8))}


def slow_search(**options):
    options = {"knowledge": None, "n_iter": 8, "cv": 3, "random_state": 0, **options}
    return MetaSearchCV(Slow(), SLOW, **options)


def test_a_worker_killed_from_outside_costs_nothing():
    from sk_metalearn.evaluation._in_workers import _idle

    search = slow_search(n_jobs=2).fit(X, y)
    pool = next(pool for pool, _ in _idle if pool.n_workers == 2)
    thread = kill_a_worker(lambda: pool.pids, 0.5)
    again = slow_search(n_jobs=2).fit(X, y)
    thread.join()
    same(again, search)


def test_dask(alone):
    distributed = pytest.importorskip("distributed")
    search = slow_search().fit(X, y)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
        parallel_config("dask"),
    ):
        same(make().fit(X, y), alone)
        thread = kill_a_worker(lambda: list(client.run(os.getpid).values()), 0.7)
        same(slow_search().fit(X, y), search)
        thread.join()


def test_ray(alone):
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    register_ray()
    search = slow_search().fit(X, y)
    paths = os.pathsep.join(path or os.getcwd() for path in os.sys.path)
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": paths}},
    )
    try:
        with parallel_config("ray", n_jobs=2):
            same(make().fit(X, y), alone)
            pid_of_worker = ray.remote(lambda: os.getpid())
            pids = ray.get([pid_of_worker.remote() for _ in range(4)])
            thread = kill_a_worker(lambda: pids, 0.7)
            same(slow_search().fit(X, y), search)
            thread.join()
    finally:
        ray.shutdown()
