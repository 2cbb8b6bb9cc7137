"""Faults of the machine: nothing hangs, nothing is lost, and the cause is told in words."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import warnings

import psutil
import pytest

from sk_metalearn.evaluation import WorkerPool, make_executor
from sk_metalearn.evaluation import _in_workers as in_workers
from sk_metalearn.evaluation._supervisor import Supervisor
from sk_metalearn.evaluation.testing import make_payload
from sk_metalearn.exceptions import FallbackWarning

pytestmark = pytest.mark.slow

LONG = 100.0


@pytest.fixture(autouse=True)
def no_idle_pool():
    """Each test starts its own processes."""
    for pool, _ in in_workers._idle:
        pool.close()
    in_workers._idle.clear()


@contextlib.contextmanager
def one_warning(match):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    texts = [str(own.message) for own in caught if own.category is FallbackWarning]
    assert len(texts) == 1, texts
    assert match in texts[0] and "cannot be kept" in texts[0], texts


def evaluate(n_jobs=2, jobs=4, **limits):
    """Evaluate some candidates; give the statuses of their jobs."""
    with make_executor(make_payload(), n_jobs=n_jobs, isolated=True) as executor:
        for key in range(jobs):
            executor.submit(({"shrink": 0.1 * key}, key % 2), key, **limits)
        found = [executor.next(timeout=LONG) for _ in range(jobs)]
        assert executor.next(timeout=0) is None
    assert all(done is not None for done in found), "it hangs"
    return [done.value.status if done.status == "ok" else done.status for done in found]


# Workers that cannot start.


def test_no_interpreter(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/python")
    with one_warning("/no/python"):
        assert evaluate() == ["ok"] * 4


def test_no_name_of_an_interpreter(monkeypatch):
    monkeypatch.setattr(sys, "executable", "")
    with one_warning("does not name a Python interpreter"):
        assert evaluate(jobs=2) == ["ok"] * 2


@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), MemoryError("no memory")])
def test_nothing_left_to_start_with(monkeypatch, error):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(subprocess, "Popen", fail)
    with one_warning(str(error)):
        assert evaluate() == ["ok"] * 4


@pytest.mark.slow
def test_a_package_that_is_broken_since(monkeypatch, tmp_path):
    (tmp_path / "cloudpickle.py").write_text("raise ImportError('half of it is missing')")
    monkeypatch.syspath_prepend(tmp_path)
    with one_warning("half of it is missing"):
        assert evaluate() == ["ok"] * 4


def test_dies_at_birth(monkeypatch, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import os; os._exit(3)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with one_warning("exit code 3"):
        assert evaluate() == ["ok"] * 4


def test_talks_at_birth(monkeypatch, tmp_path):
    """What a library prints is no answer."""
    (tmp_path / "sitecustomize.py").write_text("print('hello ' * 10_000, flush=True)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("error", FallbackWarning)
        assert evaluate(memory_bytes=2**40) == ["ok"] * 4


def test_the_data_cannot_be_loaded(monkeypatch, tmp_path):
    """A worker cannot import what the caller could: no fault of a candidate."""
    (tmp_path / "gone_meanwhile.py").write_text("def score(estimator, X, y): return 1.0")
    monkeypatch.syspath_prepend(tmp_path)
    import gone_meanwhile

    from sk_metalearn.evaluation import _user_code

    monkeypatch.setattr(_user_code, "is_users", lambda name: False)
    _user_code._users_modules.cache_clear()
    payload = make_payload(scoring=gone_meanwhile.score)
    (tmp_path / "gone_meanwhile.py").unlink()
    with one_warning("No module named 'gone_meanwhile'"):
        with make_executor(payload, n_jobs=2) as executor:
            executor.submit(({}, 0), "one")
            assert executor.next(timeout=LONG).value.scores == 1.0
            assert not executor.kills and executor.here and executor.n_workers == 1
            assert executor.call(divmod, 7, 2).value == (3, 1)
            executor.share(payload)
            executor.submit(({}, 1), "two")
            executor.submit(({}, 1), "three")
            executor.cancel(["two"])
            assert executor.next().key == "three"
    _user_code._users_modules.cache_clear()


def test_the_final_fit_where_no_worker_starts(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/python")
    with one_warning("/no/python"):
        with make_executor(make_payload(), n_jobs=2) as executor:
            assert executor.call(divmod, 7, 2, wall_seconds=LONG).value == (3, 1)


def test_the_pool_says_that_nothing_started(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/python")
    with WorkerPool(2) as pool:
        for _ in range(3):
            pool.submit(divmod, 7, 2)
        for _ in range(3):
            with pytest.raises(RuntimeError, match="could start: .*/no/python"):
                pool.next(timeout=LONG)
        assert pool.next(timeout=0) is None and pool.pending == 0
        # The machine may be well again.
        monkeypatch.undo()
        deadline = time.monotonic() + LONG
        value = None
        while value is None and time.monotonic() < deadline:
            pool.submit(divmod, 7, 2)
            with contextlib.suppress(RuntimeError):
                value = pool.next(timeout=LONG).value
        assert value == (3, 1)


def test_a_pool_whose_thread_is_gone(monkeypatch):
    def fail(pool):
        raise RuntimeError("a fault of ours")

    with one_warning("a fault of ours"):
        with make_executor(make_payload(), n_jobs=2) as executor:
            executor.submit(({"seconds": 1.0}, 0), "one")
            monkeypatch.setattr(Supervisor, "_judge", fail)
            assert executor.next(timeout=LONG).value.status == "ok"
    assert not in_workers._idle


SCRIPT = """
import os, resource, sys, tempfile, warnings
warnings.simplefilter("always")
from sk_metalearn.evaluation import make_executor
from sk_metalearn.evaluation.testing import make_payload

{prelude}
with make_executor(make_payload(), n_jobs=2) as executor:
    for key in range(4):
        executor.submit(({{}}, key % 2), key)
    print("FOUND", [executor.next(timeout=100).value.status for _ in range(4)])
"""


def run_script(tmp_path, prelude):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT.format(prelude=textwrap.dedent(prelude)))
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    done = subprocess.run(
        [sys.executable, str(path)],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=2 * LONG,
    )
    assert "FOUND ['ok', 'ok', 'ok', 'ok']" in done.stdout, done
    return done.stderr


@pytest.mark.slow
def test_a_working_folder_that_was_removed(tmp_path):
    run_script(
        tmp_path,
        """
        folder = tempfile.mkdtemp()
        os.chdir(folder)
        os.rmdir(folder)
        """,
    )


@pytest.mark.parametrize(
    "left", [9, *(pytest.param(left, marks=pytest.mark.slow) for left in (2, 6, 14))]
)
def test_descriptors_used_up(tmp_path, left):
    run_script(
        tmp_path,
        f"""
        used = len(os.listdir("/proc/self/fd")) - 1
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + {left}, used + {left}))
        """,
    )


def test_no_room_for_the_data(tmp_path):
    stderr = run_script(tmp_path, "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))")
    assert "The temp folder cannot take the data" in stderr


def test_no_temp_folder(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/no/folder")
    with one_warning("The temp folder cannot take the data"):
        assert evaluate() == ["ok"] * 4


def test_the_temp_folder_is_cleaned_meanwhile(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("error", FallbackWarning)
        with make_executor(make_payload(), n_jobs=2) as executor:
            os.unlink(executor.shared.path)
            for key in range(4):
                executor.submit(({}, key % 2), key)
            assert [executor.next(timeout=LONG).value.status for _ in range(4)] == ["ok"] * 4
            assert executor.call(divmod, 7, 2).value == (3, 1)


def test_what_cannot_be_pickled():
    payload = make_payload(scoring=lambda estimator, X, y: 1.0)
    payload.fit_params = {"lock": threading.Lock()}
    with one_warning("cannot be pickled"):
        with make_executor(payload, n_jobs=2, isolated=True) as executor:
            assert not executor.kills


# Processes that a candidate starts.


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(condition):
    deadline = time.monotonic() + LONG
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


@pytest.mark.parametrize(
    "action, status",
    [("child", "timeout"), pytest.param("orphan", "died", marks=pytest.mark.slow)],
)
def test_a_child_in_a_session_of_its_own(tmp_path, action, status):
    note = tmp_path / "note"
    with make_executor(make_payload(), isolated=True) as executor:
        executor.submit(({"action": action, "note": str(note)}, 0), "one", wall_seconds=5.0)
        done = executor.next(timeout=LONG)
        assert done.status == status and done.wall_seconds < 30
        child = int(note.read_text().split()[-1])
        assert wait_until(lambda: not alive(child))


def fork_and_leave(note, detach):
    """Start a child that holds all descriptors, and end."""
    child = os.fork()
    if child == 0:
        if detach and os.fork() == 0:
            os.setsid()
            with open(note, "w") as file:
                file.write(str(os.getpid()))
        time.sleep(0 if detach and not os.path.exists(note) else 600)
        os._exit(0)
    if not detach:
        with open(note, "w") as file:
            file.write(str(child))
    while not os.path.exists(note) or not os.path.getsize(note):
        time.sleep(0.01)
    os._exit(7)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("detach", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_forked_child_that_outlives_its_worker(tmp_path, detach):
    note = tmp_path / "note"
    with WorkerPool(1, preload=()) as pool:
        pool.submit(fork_and_leave, str(note), detach)
        done = pool.next(timeout=LONG)
        assert done is not None and done.status == "died" and "exit code 7" in done.error
        child = int(note.read_text())
        assert wait_until(lambda: not alive(child))
        pool.submit(divmod, 7, 2)
        assert pool.next(timeout=LONG).value == (3, 1)


def start_child(note):
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    with open(note, "w") as file:
        file.write(str(child.pid))


def test_closing_ends_what_candidates_left(tmp_path):
    note = tmp_path / "note"
    with WorkerPool(1, preload=()) as pool:
        pool.submit(start_child, str(note))
        assert pool.next(timeout=LONG).status == "ok"
        child = int(note.read_text())
        assert alive(child)
    assert wait_until(lambda: not alive(child))


# Processes that are stopped and continued.


def test_a_worker_that_is_stopped_for_a_while():
    with WorkerPool(1, preload=()) as pool:
        pool.submit(os.getpid)
        pid = pool.next(timeout=LONG).value
        pool.submit(time.sleep, 1.0, wall_seconds=3.0)
        time.sleep(0.3)
        os.kill(pid, signal.SIGSTOP)
        assert pool.next(timeout=4.5) is None
        os.kill(pid, signal.SIGCONT)
        assert pool.next(timeout=LONG).status == "ok"


STOPPED = """
import os, time
from sk_metalearn.evaluation import WorkerPool
with WorkerPool(1, preload=()) as pool:
    pool.submit(os.getpid)
    print(pool.next().value, flush=True)
    pool.submit(time.sleep, 2.0, wall_seconds=4.0)
    print("STATUS", pool.next().status, flush=True)
    pool.submit(time.sleep, 60.0, wall_seconds=1.0)
    print("STATUS", pool.next().status, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("with_workers", [True, False])
def test_a_search_that_is_stopped_for_a_while(with_workers):
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)},
    )
    pids = [process.pid]
    worker = int(process.stdout.readline())
    pids += [worker] if with_workers else []
    time.sleep(0.5)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(5.0)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    found = [line.split() for line in process.stdout]
    assert found == [["STATUS", "ok"], ["STATUS", "timeout"]]
    process.wait(timeout=LONG)


def test_the_answer_counts_though_its_process_ended():
    """A thread of the user's that ends the process after the answer costs the next job nothing."""
    with WorkerPool(1, preload=()) as pool:
        for _ in range(2):
            pool.submit(answer_and_die)
            assert pool.next(timeout=LONG).value == "answered"


def answer_and_die():
    threading.Timer(0.05, os._exit, (9,)).start()
    return "answered"


def test_limits_of_this_test():
    """The tests above must not change what the next ones have."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
