import ctypes
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from sk_metalearn.evaluation import WorkerPool


def spin(seconds):
    begun = time.process_time()
    while time.process_time() - begun < seconds:
        pass
    return seconds


def allocate(megabytes):
    block = np.ones(megabytes * 2**17)
    time.sleep(5)
    return block.sum()


def hang_in_c():
    ctypes.PyDLL(None).sleep(60)  # a PyDLL call holds the interpreter lock


def unpicklable():
    return (i for i in range(3))


def threads():
    return os.environ["OMP_NUM_THREADS"]


def segfault():
    ctypes.string_at(0)


def hold_and_tell(seconds):
    time.sleep(seconds)
    return os.getpid()


@pytest.fixture(scope="module")
def pool():
    with WorkerPool(2, preload=()) as pool:
        yield pool


def test_results_and_keys(pool):
    tickets = {pool.submit(pow, 2, i, key=("power", i)): i for i in range(20)}
    assert pool.idle == 0
    for _ in range(20):
        done = pool.next(timeout=100)
        assert done.status == "ok" and done.value == 2 ** tickets.pop(done.ticket)
        assert done.key[0] == "power"
    assert not tickets and pool.idle == 2
    assert pool.next(timeout=0) is None


def test_functions_travel_by_value(pool):
    offset = 40
    pool.submit(lambda x: x + offset, 2)
    assert pool.next(timeout=100).value == 42


def test_one_thread(pool):
    pool.submit(threads)
    assert pool.next(timeout=100).value == "1"


def test_exception_is_a_crash(pool):
    pool.submit(divmod, 1, 0)
    done = pool.next(timeout=100)
    assert done.status == "crashed" and "ZeroDivisionError" in done.error


def test_unpicklable_result(pool):
    pool.submit(unpicklable)
    done = pool.next(timeout=100)
    assert done.status == "crashed" and "cannot be pickled" in done.error


@pytest.mark.parametrize(
    "function, args, limits, status",
    [
        (spin, (30,), {"cpu_seconds": 0.3}, "timeout"),
        (time.sleep, (30,), {"wall_seconds": 0.3}, "timeout"),
        (allocate, (800,), {"memory_bytes": 500 * 2**20}, "memory"),
        (os._exit, (3,), {}, "died"),
        (segfault, (), {}, "died"),
    ],
)
def test_limits_and_deaths(pool, function, args, limits, status):
    pool.submit(function, *args, **limits)
    done = pool.next(timeout=100)
    assert done.status == status and done.error
    if "cpu_seconds" in limits:
        assert 0.25 < done.cpu_seconds < 5
    if status == "memory":
        assert done.peak_bytes > 500 * 2**20
    pool.submit(abs, -1)
    assert pool.next(timeout=100).value == 1


def test_limit_holds_in_compiled_code(pool):
    pool.submit(hang_in_c, wall_seconds=0.5)
    assert pool.next(timeout=100).status == "timeout"


def test_the_other_worker_goes_on(pool):
    pool.submit(time.sleep, 1.0, key="slow")
    pool.submit(os._exit, 1, key="dead")
    pool.submit(abs, -5, key="next")
    found = {done.key: done for done in (pool.next(timeout=100) for _ in range(3))}
    assert found["slow"].status == "ok"
    assert found["dead"].status == "died"
    assert found["next"].value == 5


def test_killed_while_idle_is_replaced(pool):
    pool.submit(os.getpid)
    pid = pool.next(timeout=100).value
    os.kill(pid, signal.SIGKILL)
    while pid in pool.pids:
        time.sleep(0.01)
    for i in range(4):
        pool.submit(abs, i)
    assert [pool.next(timeout=100).status for _ in range(4)] == ["ok"] * 4


def test_cancel(pool):
    running = pool.submit(time.sleep, 60)
    time.sleep(0.1)
    pool.cancel(running)
    assert pool.next(timeout=10).status == "cancelled"


def test_bad_number_of_workers():
    with pytest.raises(ValueError, match="at least 1"):
        WorkerPool(0)


SCRIPT = """
    import os, sys, time
    from sk_metalearn.evaluation import WorkerPool

    class Local:
        def __call__(self):
            return os.getpid()

    pool = WorkerPool(1, preload=())
    pool.submit(Local())
    print(pool.next(timeout=100).value, flush=True)
    {end}
"""


def run_script(tmp_path, end):
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT).format(end=end))
    paths = os.pathsep.join(p or os.getcwd() for p in sys.path)
    return subprocess.Popen(
        [sys.executable, str(path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
    )


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    "end",
    [
        "",
        "pool.submit(time.sleep, 600); time.sleep(600)",
        pytest.param("time.sleep(600)", marks=pytest.mark.slow),
    ],
)
def test_workers_end_with_their_parent(tmp_path, end):
    # No ``if __name__ == "__main__"`` guard, a class of the main script, and no close().
    process = run_script(tmp_path, end)
    worker = int(process.stdout.readline())
    assert worker != process.pid
    if end:
        assert alive(worker)
        time.sleep(0.2)
        process.kill()
    process.wait(timeout=100)
    deadline = time.monotonic() + 60
    while alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(worker)


def test_a_cancelled_job_leaves_the_next_one_to_a_worker_that_is_ready():
    with WorkerPool(2) as pool:
        # On a busy machine the first may have done both before the second is there.
        while len(pool.pids) < 2:
            for _ in range(2):
                pool.submit(time.sleep, 0.5)
            while pool.pending:
                pool.next()
        processes = set(pool.pids)
        ticket = pool.submit(time.sleep, 60)
        time.sleep(0.2)
        pool.cancel(ticket)
        assert pool.next().status == "cancelled"
        pool.submit(os.getpid)
        assert pool.next().value in processes
        # With more to do than workers are ready, the other one comes back.
        for _ in range(2):
            pool.submit(hold_and_tell, 0.1)
        while len(pool.pids) < 2:
            time.sleep(0.01)
