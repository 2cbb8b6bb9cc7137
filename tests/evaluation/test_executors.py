"""All executors and journals keep the same word."""

import os

import pytest
from joblib import parallel_config, register_parallel_backend
from joblib._parallel_backends import ThreadingBackend

from sk_metalearn.evaluation import make_executor, open_journal
from sk_metalearn.evaluation.testing import EXECUTOR_CHECKS, check_journal


class Foreign(ThreadingBackend):
    """Somebody else's."""


register_parallel_backend("foreign", Foreign)


def in_process(payload):
    return make_executor(payload)


def in_workers(payload):
    return make_executor(payload, n_jobs=2)


def in_one_worker(payload):
    return make_executor(payload, isolated=True, spare=True)


def in_threads(payload):
    with parallel_config("threading", n_jobs=2):
        return make_executor(payload)


def in_batches(payload):
    with parallel_config("foreign", n_jobs=2):
        return make_executor(payload, n_jobs=2)


PLACES = {
    "InProcess": [in_process],
    "InWorkers": [in_workers, in_one_worker],
    "InThreads": [in_threads],
    "InBatches": [in_batches],
}
CASES = [(kind, make) for kind, makes in PLACES.items() for make in makes]


# One worker alone is also what the tests of first jobs use.
CASES = [
    pytest.param(*own, marks=[pytest.mark.slow] if own[1] is in_one_worker else []) for own in CASES
]


@pytest.mark.parametrize("check", EXECUTOR_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind, make", CASES, ids=lambda own: getattr(own, "__name__", ""))
def test_executors(kind, make, check):
    def made(payload):
        executor = make(payload)
        assert type(executor).__name__ == kind
        return executor

    check(made)


@pytest.fixture(scope="module")
def dask():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
        parallel_config("dask"),
    ):
        yield


@pytest.mark.parametrize("check", EXECUTOR_CHECKS, ids=lambda check: check.__name__)
def test_dask(dask, check):
    def made(payload):
        with parallel_config("dask"):
            executor = make_executor(payload)
        assert type(executor).__name__ == "OnDask" and executor.kills
        return executor

    check(made)


@pytest.fixture(scope="module")
def ray():
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    register_ray()
    paths = os.pathsep.join(path or os.getcwd() for path in os.sys.path)
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": paths}},
    )
    yield
    ray.shutdown()


@pytest.mark.parametrize("check", EXECUTOR_CHECKS, ids=lambda check: check.__name__)
def test_ray(ray, check):
    def made(payload):
        with parallel_config("ray", n_jobs=2):
            executor = make_executor(payload)
        assert type(executor).__name__ == "OnRay" and executor.kills
        return executor

    check(made)


def test_journals_in_memory():
    check_journal(lambda place: open_journal(None, {}))


def test_journals_in_files(tmp_path):
    check_journal(lambda place: open_journal(tmp_path / place, {"the data": "abc"}))
