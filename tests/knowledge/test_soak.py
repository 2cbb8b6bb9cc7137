"""Four processes share one store and are killed at random: nothing that was told is lost.

Half a minute by default; with SK_METALEARN_LONG=SECONDS that long.
"""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import sk_metalearn
from sk_metalearn.knowledge import KnowledgeBase, KnowledgeStore

pytest.importorskip("sqlalchemy")
ROOT = Path(sk_metalearn.__file__).parents[1]
WRITER = """
    import random, sys
    from sk_metalearn.exceptions import KnowledgeError
    from sk_metalearn.knowledge import Evaluation, KnowledgeBase, Task, task_id
    from sk_metalearn.spaces import Configuration

    url, seed = sys.argv[1:]
    rng = random.Random(seed)
    base = KnowledgeBase.open(url)
    number = 0
    while True:
        number += 1
        # Some datasets are everybody's, most are this writer's own.
        name = f"shared {rng.randrange(5)}" if rng.random() < 0.3 else f"{seed} {number}"
        task = Task(task_id(name), name, "classification", name, 100, 4, 2, source="own searches")
        own = [Configuration("svm", {"C": round(rng.uniform(0.1, 9), 4)}, {}) for _ in range(5)]
        found = [
            Evaluation(task.id, one.id, "ok", {"accuracy": (rng.random(),) * 3}, source=seed)
            for one in own
        ]
        try:
            base.record(task, found, {"a": rng.random()}, own)
        except KnowledgeError as error:
            # Another writer held the store for too long: it is said, and not told as written.
            print("refused", str(error).replace(chr(10), " "), flush=True)
            continue
        # One line at once: a line that is there was written after the record.
        print("".join(f"{task.id} {one.id};" for one in own), flush=True)
        if number % 20 == 0:
            base.table("classification", configurations=own)
"""


def start(url, seed, out):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), url, seed],
        stdout=out.open("a"),
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs signal 9")
def test_writers_that_are_killed_lose_nothing_that_they_told(url, tmp_path, record_property):
    seconds = float(os.environ.get("SK_METALEARN_LONG", 15))
    rng, started, killed, looks = random.Random(0), 0, 0, 0
    out, running = tmp_path / "told", []
    out.mkdir()
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            while len(running) < 4:
                place = out / str(started)
                running.append((start(url, f"writer {started}", place), place))
                started += 1
            time.sleep(rng.uniform(0.05, 1.0))
            for process, _ in running:
                assert process.poll() is None, process.stderr.read().decode()
            # One that has not begun to write would tell nothing.
            writing = [own for own in running if own[1].exists() and own[1].stat().st_size]
            if not writing:
                end += 1 if time.monotonic() > end - 1 and not killed else 0
                continue
            chosen = rng.choice(writing)
            running.remove(chosen)
            process = chosen[0]
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
            if killed % 5 == 0:
                looks += 1
                assert KnowledgeBase.open(url).check() == []
    finally:
        for process, _ in running:
            process.kill()
            process.wait()
    told, refused = set(), 0
    for path in out.iterdir():
        # The last line may be half a line.
        for line in path.read_text().splitlines(keepends=True):
            if line.startswith("refused"):
                refused += 1
            elif line.endswith(";\n"):
                told.update(tuple(pair.split()) for pair in line.strip().strip(";").split(";"))
    base = KnowledgeBase.open(url)
    table = base.table("classification")
    cells = table.cells()
    stored = {
        (table.tasks[i].id, table.configurations[j].id)
        for i, j in zip(cells.rows.tolist(), cells.columns.tolist(), strict=True)
    }
    record_property(
        "soak",
        f"told {len(told)}, stored {len(stored)}, killed {killed}, "
        f"refused {refused}, looked at {looks} times, lost {len(told - stored)}",
    )
    assert len(told) > 20 and killed >= 2
    assert not told - stored
    assert base.check() == []
    count = KnowledgeStore(url).count()
    assert count["tasks"] == len(table.tasks)
    if url.startswith("sqlite"):
        path = url.removeprefix("sqlite:///")
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
