"""Nothing stays behind: data, processes, pools."""

import gc
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import psutil
import pytest

from sk_metalearn.evaluation import SearchFolder, WorkerPool, make_executor
from sk_metalearn.evaluation import _in_workers as in_workers
from sk_metalearn.evaluation._folders import remove_orphans
from sk_metalearn.evaluation._left_behind import end_left_behind
from sk_metalearn.evaluation._shared import SharedObject, load_shared, pack
from sk_metalearn.evaluation._supervisor import close_all
from sk_metalearn.evaluation.testing import make_payload

pytestmark = pytest.mark.slow

LONG = 100.0


@pytest.fixture(autouse=True)
def own_temp_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def wait_until(condition):
    deadline = time.monotonic() + LONG
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_a_shared_object_is_what_it_was(own_temp_folder):
    value = {"a": np.arange(10.0), "b": [np.ones((3, 4), order="F"), "text"], "c": np.array([])}
    with SearchFolder():
        shared = SharedObject(pack(value))
        again = load_shared(shared.path)
        shared.close()
        shared.close()
    np.testing.assert_array_equal(again["a"], value["a"])
    np.testing.assert_array_equal(again["b"][0], value["b"][0])
    assert not again["a"].flags.writeable and again["b"][1] == "text"
    assert not os.listdir(own_temp_folder)


def test_folders_are_private_and_go(own_temp_folder):
    folder = SearchFolder()
    assert os.stat(folder.path).st_mode & 0o077 == 0
    path = folder.path
    del folder
    gc.collect()
    assert not os.path.exists(path)


def test_the_data_of_a_failed_start_go(own_temp_folder, monkeypatch):
    def fail(*arguments, **options):
        raise OSError("nothing left")

    monkeypatch.setattr(in_workers, "WorkerPool", fail)
    in_workers._idle.clear()
    with pytest.warns(UserWarning, match="nothing left"):
        make_executor(make_payload(), n_jobs=2).close()
    assert not os.listdir(own_temp_folder)


@pytest.mark.parametrize("number", [9, pytest.param(15, marks=pytest.mark.slow)])
def test_what_a_killed_search_left_is_removed_later(own_temp_folder, number):
    code = (
        "import time\n"
        "from sk_metalearn.evaluation import make_executor\n"
        "from sk_metalearn.evaluation.testing import make_payload\n"
        "executor = make_executor(make_payload(), n_jobs=2)\n"
        "executor.submit(({}, 0), 0)\n"
        "print(executor.next().status, flush=True)\n"
        "time.sleep(600)\n"
    )
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert process.stdout.readline() == "ok\n"
    (left,) = os.listdir(own_temp_folder)

    def grow_old():
        os.utime(own_temp_folder / left, (0, 0))

    grow_old()
    remove_orphans()
    assert os.listdir(own_temp_folder) == [left], "the search is alive"
    process.send_signal(number)
    process.wait(timeout=LONG)

    def gone():
        grow_old() if os.path.exists(own_temp_folder / left) else None
        remove_orphans()
        return not os.listdir(own_temp_folder)

    assert wait_until(gone)


def test_folders_of_others_are_left_alone(own_temp_folder):
    (own_temp_folder / "somebody").mkdir()
    (own_temp_folder / "sk_metalearn-search-file").write_text("no folder")
    os.utime(own_temp_folder / "somebody", (0, 0))
    (own_temp_folder / "sk_metalearn-another").mkdir()
    os.utime(own_temp_folder / "sk_metalearn-another", (0, 0))
    remove_orphans()
    names = {"somebody", "sk_metalearn-search-file", "sk_metalearn-another"}
    assert set(os.listdir(own_temp_folder)) == names


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_idle_workers_forget_the_data(own_temp_folder):
    with make_executor(make_payload(), n_jobs=2) as executor:
        for key in range(8):
            executor.submit(({"seconds": 0.1}, key % 2), key)
        for _ in range(8):
            executor.next(timeout=LONG)
        pool = executor.pool
        assert any(mapped(pid) for pid in pool.pids)
    assert not os.listdir(own_temp_folder)
    assert wait_until(lambda: not any(mapped(pid) for pid in pool.pids))
    assert pool.usable and len(pool.pids) >= 1


def mapped(pid):
    with open(f"/proc/{pid}/maps") as file:
        return "sk_metalearn-" in file.read()


def test_at_most_one_pool_is_kept(monkeypatch):
    for n_jobs in (2, 3, 2):
        make_executor(make_payload(), n_jobs=n_jobs).close()
        (kept,) = [pool for pool, _ in in_workers._idle]
        assert kept.n_workers == n_jobs and kept.usable
    with make_executor(make_payload(), n_jobs=2) as executor:
        assert executor.pool is kept and not in_workers._idle
        with make_executor(make_payload(), n_jobs=2) as other:
            assert other.pool is not kept
    assert len(in_workers._idle) == 1
    make_executor(make_payload(), isolated=True, fresh=True).close()
    assert len(in_workers._idle) == 1
    # Workers have the environment of their start.
    kept = in_workers._idle[0][0]
    monkeypatch.setenv("SOMETHING", "else")
    with make_executor(make_payload(), n_jobs=kept.n_workers) as executor:
        assert executor.pool is not kept and not kept.usable


def test_a_pool_that_was_not_closed_ends_with_the_program():
    pool = WorkerPool(1, preload=())
    pool.submit(os.getpid)
    assert pool.next(timeout=LONG).status == "ok"
    close_all()
    assert pool.closed and not pool.usable
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(os.getpid)


def test_descriptors_and_threads_do_not_grow():
    def used():
        return len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0

    counts = []
    for _ in range(3):
        with make_executor(make_payload(), n_jobs=2) as executor:
            executor.submit(({}, 0), 0)
            executor.next(timeout=LONG)
            executor.submit(({"action": "exit"}, 0), 1)
            executor.next(timeout=LONG)
        wait_until(lambda: executor.pool.n_ready == 2)
        counts.append(used())
    assert max(counts) == counts[0], counts


STARTS_A_PROCESS = """
import subprocess, sys, time
from sk_metalearn.evaluation import WorkerPool

def start(place):
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    child = subprocess.Popen(command, start_new_session=True)
    with open(place, "w") as file:
        file.write(str(child.pid))

with WorkerPool(1, preload=()) as pool:
    pool.submit(start, sys.argv[1])
    print(pool.next().status, flush=True)
    time.sleep(600)
"""


def _runs(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_what_candidates_of_a_killed_program_started_is_ended_by_the_next(tmp_path):
    command = [sys.executable, "-c", STARTS_A_PROCESS, str(tmp_path / "number")]
    search = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert search.stdout.readline() == "ok\n"
        child = psutil.Process(int((tmp_path / "number").read_text()))
        end_left_behind()
        assert _runs(child), "its program still runs"
        search.kill()
        search.wait()
        assert _runs(child), "nothing to show"
        with WorkerPool(1, preload=()):
            assert wait_until(lambda: not _runs(child))
    finally:
        search.kill()
        search.stdout.close()
