"""Cheap candidates run at once, in this process, until a worker is there."""

import os

import pytest

from sk_metalearn.evaluation import _in_workers as in_workers
from sk_metalearn.evaluation import _supervisor as supervisor
from sk_metalearn.evaluation import make_executor
from sk_metalearn.evaluation.testing import make_payload

pytestmark = pytest.mark.slow

LONG = 100.0


@pytest.fixture(autouse=True)
def slow_start(monkeypatch, tmp_path):
    """Workers that need more time to start than a job takes."""
    in_workers._idle.clear()
    (tmp_path / "needs_long.py").write_text("import time; time.sleep(1.5)")
    monkeypatch.syspath_prepend(tmp_path)
    start = supervisor.WorkerProcess
    monkeypatch.setattr(
        supervisor,
        "WorkerProcess",
        lambda niceness, preload: start(niceness, ["needs_long"]),
    )


def place_of(tmp_path, **limits):
    """Tell in which process a job ran."""
    note = tmp_path / "note"
    with make_executor(make_payload(), isolated=True, n_jobs=2) as executor:
        executor.submit(({"note": str(note)}, 0), "one", **limits)
        assert executor.next(timeout=LONG).value.status == "ok"
        here = int(note.read_text()) == os.getpid()
        if here:
            # The workers take over when they are there.
            while executor.pool.n_ready == 0:
                pass
            executor.submit(({"note": str(note)}, 0), "two", **limits)
            assert executor.next(timeout=LONG).value.status == "ok"
            assert int(note.read_text().split()[-1]) != os.getpid()
    return "here" if here else "worker"


@pytest.mark.parametrize(
    "limits, place",
    [
        ({"expected_seconds": 0.1}, "here"),
        ({"expected_seconds": 0.1, "wall_seconds": 60.0}, "here"),
        ({"expected_seconds": 0.1, "wall_seconds": 1.0}, "worker"),
        ({"expected_seconds": 0.1, "memory_bytes": 2**40}, "worker"),
        ({}, "worker"),
        *(
            pytest.param(limits, "worker", marks=pytest.mark.slow)
            for limits in (
                {"expected_seconds": 0.5, "wall_seconds": 60.0},
                {"expected_seconds": float("nan")},
            )
        ),
    ],
)
def test_where_the_first_job_runs(tmp_path, limits, place):
    assert place_of(tmp_path, **limits) == place
