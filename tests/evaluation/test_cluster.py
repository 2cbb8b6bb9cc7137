"""On a cluster as at home: losses, failures, the user's own code."""

import asyncio
import os
import pickle
import signal
import sys
import tempfile
import threading
import time
import types
import warnings

import pytest
from joblib import parallel_config

from sk_metalearn.evaluation import _on_node, make_executor
from sk_metalearn.evaluation import _remote as remote
from sk_metalearn.evaluation._shared import pack
from sk_metalearn.evaluation._user_code import dumps
from sk_metalearn.evaluation.testing import ProbeClassifier, make_payload
from sk_metalearn.exceptions import FallbackWarning

LONG = 200.0


class Cluster:
    """A real one on this machine, with two workers.

    `executor(payload)` makes an executor on it, `pids()` gives its worker processes.
    """


@pytest.fixture(scope="module")
def dask():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        own = Cluster()

        def executor(payload):
            with parallel_config("dask", client=client):
                return make_executor(payload)

        own.executor, own.pids = executor, lambda: list(client.run(os.getpid).values())
        own.run = lambda function: list(client.run(function).values())
        yield own


@pytest.fixture(scope="module")
def ray():
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    register_ray()
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": paths}},
    )
    own = Cluster()

    def executor(payload):
        with parallel_config("ray", n_jobs=2):
            return make_executor(payload)

    def run(function):
        # Long enough that each worker takes one.
        def slow():
            time.sleep(0.5)
            return function()

        return ray.get([ray.remote(slow).remote() for _ in range(2)])

    own.executor, own.run, own.pids = executor, run, lambda: run(os.getpid)
    yield own
    ray.shutdown()


@pytest.fixture(params=["dask", "ray"])
def cluster(request):
    return request.getfixturevalue(request.param)


def all_of(executor, n_jobs):
    found = {}
    for _ in range(n_jobs):
        done = executor.next(timeout=LONG)
        assert done is not None, "it hangs"
        found[done.key] = done
    return found


def test_a_lost_worker_costs_what_it_was_doing(cluster):
    """Neither a candidate nor the data nor the others are lost."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", FallbackWarning)
        with cluster.executor(make_payload()) as executor:
            for key in range(8):
                executor.submit(({"seconds": 0.5, "shrink": 0.1 * key}, key % 2), key)
            found = all_of(executor, 2)
            os.kill(cluster.pids()[0], signal.SIGKILL)
            found.update(all_of(executor, 6))
            assert len(found) == 8
            assert {done.value.status for done in found.values()} == {"ok"}, found


def test_a_worker_killed_while_it_fits(cluster, tmp_path):
    note = tmp_path / "note"
    with cluster.executor(make_payload()) as executor:
        executor.submit(({"seconds": 3.0, "note": str(note)}, 0), "one", wall_seconds=LONG)

        def kill():
            while not note.exists() or not note.read_text().endswith("\n"):
                time.sleep(0.02)
            os.kill(int(note.read_text()), signal.SIGKILL)

        thread = threading.Thread(target=kill)
        thread.start()
        done = executor.next(timeout=LONG)
        thread.join()
        assert done.status == "ok" and done.value.status == "ok"
        first, second = note.read_text().split()
        assert first != second


def words(done):
    """Tell of a failure what does not depend on the clock or the place."""
    value = done.value
    return done.status, done.error, value and (value.status, value.failure.splitlines()[-1:])


def test_a_failure_looks_as_it_does_at_home(cluster):
    jobs = {
        "raise": {},
        "sys.exit": {},
        "exit": {},
        "sleep": {"wall_seconds": 1.0},
    }

    def failures(executor):
        found = []
        for action, limits in jobs.items():
            executor.submit(({"action": action}, 0), action, **limits)
            found.append(words(executor.next(timeout=LONG)))
        return found

    with make_executor(make_payload(), n_jobs=2) as executor:
        at_home = failures(executor)
    with cluster.executor(make_payload()) as executor:
        assert failures(executor) == at_home


def test_a_cancelled_candidate_ends_there(cluster, tmp_path):
    note = tmp_path / "note"
    with cluster.executor(make_payload()) as executor:
        executor.submit(({"action": "sleep", "note": str(note)}, 0), "one")
        while not note.exists() or not note.read_text():
            time.sleep(0.02)
        pid = int(note.read_text())
        executor.cancel(["one"])
        deadline = time.monotonic() + LONG
        while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not os.path.exists(f"/proc/{pid}")


def test_code_that_only_the_caller_has(cluster, monkeypatch):
    module = types.ModuleType("only_here")
    module.__file__ = os.path.join(tempfile.gettempdir(), "only_here.py")
    source = "def score(estimator, X, y):\n    return float(VALUE)\n\nVALUE = 7\n"
    exec(compile(source, module.__file__, "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, "only_here", module)
    module.Own = type("Own", (ProbeClassifier,), {"__module__": "only_here"})
    payload = make_payload(module.Own(), scoring=module.score)
    with cluster.executor(payload) as executor:
        executor.submit(({}, 0), "one")
        assert executor.next(timeout=LONG).value.scores == 7.0
        done = executor.call(fit, module.Own(), payload)
        assert type(done.value) is module.Own
        pickle.dumps(done.value)


def fit(estimator, payload):
    return estimator.fit(payload.X, payload.y)


def test_data_travel_once(cluster, monkeypatch):
    packed, sizes = [], []
    pack, dumps = remote.pack, remote.dumps
    monkeypatch.setattr(remote, "pack", lambda own: packed.append(own) or pack(own))
    monkeypatch.setattr(remote, "dumps", lambda own: sizes.append(len(dumps(own))) or dumps(own))
    payload = make_payload()
    with cluster.executor(payload) as executor:
        for key in range(6):
            executor.submit(({}, key % 2), key)
        assert len(all_of(executor, 6)) == 6
        assert executor.call(fit, ProbeClassifier(), payload).status == "ok"
    assert len(packed) == 1 and len(sizes) == 7 and max(sizes) < 2000


def test_models_come_from_machines_without_the_folder(cluster, tmp_path, monkeypatch):
    folder = tmp_path / "models"
    payload = make_payload(keep_models=str(folder))
    with cluster.executor(payload) as executor:
        executor.submit(({"seconds": 1.0}, 0), "one")
        done = executor.next(timeout=LONG)
        assert done.value.status == "ok" and done.value.model == "", "there is no folder here"
        executor.submit(({"seconds": 1.0}, 0), "two")
        monkeypatch.setattr(executor, "_fetch_model", lambda result: models.append(result.model))
        models = []
        executor.next(timeout=LONG)
        assert type(pickle.loads(models[0])) is ProbeClassifier
        monkeypatch.undo()
        executor.submit(({}, 0), "three")
        ended = executor._wait(LONG)
        folder.mkdir()
        result = ended[1].value
        executor._fetch_model(result)
        assert type(pickle.loads((folder / result.model).read_bytes())) is ProbeClassifier


def test_a_call_that_is_ended_before_it_begins_does_not_run():
    """A cluster may bring the order to end a call before the call."""
    asyncio.run(_on_node.end_on_node(["early"]))
    call, content = dumps((time.sleep, (600,))), b"".join(pack(make_payload()))
    done = _on_node.run_on_node("early", call, "data", content, None, LONG, None)
    asyncio.run(_on_node.forget_on_node("data"))
    assert done.status == "cancelled"


def files_here():
    return len(_on_node._files)


def test_data_leave_a_dask_cluster_with_the_search(dask):
    with dask.executor(make_payload()) as executor:
        for key in range(6):
            executor.submit(({"seconds": 0.2}, key % 2), key)
        all_of(executor, 6)
        assert sum(dask.run(files_here)) >= 1
    deadline = time.monotonic() + LONG
    while sum(dask.run(files_here)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert sum(dask.run(files_here)) == 0


def test_where_the_cluster_cannot_do_it(dask, monkeypatch):
    """A cluster without the package, or a broken one: the work is done here, with the reason."""

    def broken(*arguments):
        raise ModuleNotFoundError("No module named 'sk_metalearn'")

    from sk_metalearn.evaluation import _on_dask

    monkeypatch.setattr(_on_dask, "run_on_node", broken)
    with pytest.warns(FallbackWarning, match="No module named 'sk_metalearn'"):
        with dask.executor(make_payload()) as executor:
            executor.submit(({}, 0), "one")
            assert executor.next(timeout=LONG).value.status == "ok"
            assert executor.here and not executor.kills


@pytest.mark.parametrize("backend", ["threading", "foreign"])
@pytest.mark.parametrize("isolated", [True, False])
def test_where_limits_cannot_be_kept_that_is_said(backend, isolated):
    from joblib import register_parallel_backend
    from joblib._parallel_backends import ThreadingBackend

    register_parallel_backend("foreign", type("Foreign", (ThreadingBackend,), {}))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with parallel_config(backend, n_jobs=2):
            make_executor(make_payload(), n_jobs=2, isolated=isolated).close()
    texts = [str(own.message) for own in caught if own.category is FallbackWarning]
    assert len(texts) == isolated
    assert all("cannot be enforced" in text for text in texts)
