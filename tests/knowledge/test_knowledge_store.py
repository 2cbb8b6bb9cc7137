"""The store, on SQLite and on a PostgreSQL that the tests start themselves."""

import json
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sk_metalearn
from sk_metalearn.exceptions import KnowledgeError
from sk_metalearn.knowledge import (
    Evaluation,
    KnowledgeBase,
    KnowledgeStore,
    Source,
    Status,
    Task,
    user_store_url,
)
from sk_metalearn.knowledge._store_schema import SCHEMA
from sk_metalearn.knowledge._urls import is_store

sqlalchemy = pytest.importorskip("sqlalchemy")
ROOT = Path(sk_metalearn.__file__).parents[1]


def _flat(pools):
    return [own for pool in pools.values() for own in pool]


def test_what_is_added_is_loaded(url, parts):
    tasks, pools, evaluations, metafeatures = parts()
    store = KnowledgeStore(url)
    store.add(tasks, _flat(pools), evaluations, metafeatures, [Source("invented", "BSD")])
    whole = KnowledgeBase.from_evaluations(tasks, pools, evaluations, metafeatures)
    loaded = KnowledgeBase.open(url)
    for report in loaded.diff(whole).values():
        assert not any(report.values())
    table, expected = loaded.table("regression"), whole.table("regression")
    rows = [table.row(task.id) for task in expected.tasks]
    columns = table.columns_of(expected.configurations)
    assert np.array_equal(
        table.fold_scores("r2")[np.ix_(rows, columns)], expected.fold_scores("r2"), equal_nan=True
    )
    assert loaded.sources == (Source("invented", "BSD"),)


def test_nothing_is_doubled(url, parts):
    tasks, pools, evaluations, metafeatures = parts()
    store = KnowledgeStore(url)
    for _ in range(2):
        store.add(tasks, _flat(pools), [*evaluations, *evaluations], metafeatures)
    count = store.count()
    assert count["evaluations"] == len(evaluations)
    assert count["tasks"] == len(tasks) == count["metafeatures"]


def test_only_a_success_replaces_a_failure(url, parts):
    tasks, pools, evaluations, _ = parts(1, 2, ("classification",))
    good = replace(evaluations[1], status="ok", metrics={"accuracy": (0.9,)})
    bad = replace(good, status="crashed", metrics={})
    other = replace(good, metrics={"accuracy": (0.1,)})
    store = KnowledgeStore(url)
    for evaluation, expected in ((bad, None), (good, 0.9), (other, 0.9), (bad, 0.9)):
        store.add(tasks, _flat(pools), [evaluation])
        table = KnowledgeBase.open(store.url).table("classification")
        if expected is None:
            assert table.status.tolist() == [[Status.crashed]] and table.metrics == ()
        else:
            assert table.scores("accuracy").tolist() == [[expected]]
        assert store.count()["evaluations"] == 1


@pytest.mark.parametrize(
    ("order", "expected"), [("gb", 0.9), ("bg", 0.9), ("go", 0.9), ("og", 0.1), ("bgo", 0.9)]
)
def test_the_first_that_went_well_is_kept_within_a_batch(tmp_path, parts, order, expected):
    tasks, pools, evaluations, _ = parts(1, 2, ("classification",))
    good = replace(evaluations[1], status="ok", metrics={"accuracy": (0.9,)})
    batch = {
        "g": good,
        "b": replace(good, status="crashed", metrics={}),
        "o": replace(good, metrics={"accuracy": (0.1,)}),
    }
    store = KnowledgeStore(tmp_path / "own.db")
    store.add(tasks, _flat(pools), [batch[name] for name in order])
    assert store.count()["evaluations"] == 1
    assert KnowledgeBase.open(store.url).table("classification").scores("accuracy").tolist() == [
        [expected]
    ]


def test_a_base_is_written_at_once(url, base, monkeypatch):
    store = KnowledgeStore(url)
    seen = []
    add = KnowledgeStore.add

    def add_and_look(self, *arguments):
        add(self, *arguments)
        seen.append(KnowledgeBase.open(url))

    monkeypatch.setattr(KnowledgeStore, "add", add_and_look)
    store.add_base(base)
    assert [own.tasks for own in seen] == [KnowledgeBase.open(url).tasks]
    for report in seen[0].diff(base).values():
        assert not any(report.values())


def test_a_store_written_to_itself_gains_nothing(url, parts):
    tasks, pools, evaluations, metafeatures = parts(1, 3, ("classification",))
    store = KnowledgeStore(url)
    own = [replace(e, seed=7 + i) for i, e in enumerate(evaluations)]
    store.add(tasks, _flat(pools), own, metafeatures)
    before = store.count()
    store.add_base(KnowledgeBase.open(url))
    assert store.count() == before


def test_of_two_seeds_the_first_is_shown_here_and_after_reopening(tmp_path, parts):
    tasks, pools, evaluations, _ = parts(1, 1, ("classification",))
    base = KnowledgeBase.open(tmp_path / "own.db")
    for seed, score in ((3, 0.8), (1, 0.2)):
        own = replace(evaluations[0], seed=seed, metrics={"accuracy": (score,)})
        base.record(tasks[0], [own], configurations=_flat(pools))
    for own in (base, KnowledgeBase.open(tmp_path / "own.db")):
        assert own.table("classification").scores("accuracy").tolist() == [[0.8]]


def test_meta_features_are_completed(url, parts):
    tasks, pools, evaluations, _ = parts(1, 1, ("classification",))
    base = KnowledgeBase.open(url)
    for features in (
        {"a": 1.0, "b": np.nan, "d": np.nan},
        {"a": 5.0, "b": 2.0, "c": 3.0},
        {"c": np.nan},
    ):
        base.record(tasks[0], evaluations, features, _flat(pools))
    for own in (base, KnowledgeBase.open(url)):
        table = own.table("classification")
        found = dict(zip(table.metafeature_names, table.metafeatures[0], strict=True))
        assert np.isnan(found.pop("d"))
        assert found == {"a": 1.0, "b": 2.0, "c": 3.0}


def test_reading_does_not_wait_for_a_writer(tmp_path, parts):
    tasks, pools, evaluations, _ = parts(1, 2, ("classification",))
    KnowledgeStore(tmp_path / "own.db").add(tasks, _flat(pools), evaluations)
    with sqlite3.connect(tmp_path / "own.db", isolation_level=None) as writer:
        writer.execute("BEGIN IMMEDIATE")
        store = KnowledgeStore(tmp_path / "own.db", patience=0.1)
        assert KnowledgeBase.open(store.url).tasks == tuple(tasks)
        assert store.count()["evaluations"] == len(evaluations)
        with pytest.raises(KnowledgeError, match="locked"):
            store.add(tasks, _flat(pools), evaluations)


def test_base_opened_from_a_store_keeps_what_it_records(url, parts):
    tasks, pools, evaluations, metafeatures = parts(1, 3, ("classification",))
    base = KnowledgeBase.open(url)
    assert base.tasks == ()
    base.record(tasks[0], evaluations, metafeatures[tasks[0].id], pools["classification"])
    for own in (base, KnowledgeBase.open(url), pickle.loads(pickle.dumps(base))):
        assert own.table("classification").status.shape == (1, 3)
    more = replace(evaluations[0], seed=1, source="again")
    pickle.loads(pickle.dumps(base)).record(tasks[0], [more])
    assert KnowledgeStore(url).count()["evaluations"] == 4


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_an_opened_base_holds_no_file_open(tmp_path, parts):
    tasks, pools, evaluations, _ = parts(1, 2, ("classification",))
    bases = [KnowledgeBase.open(tmp_path / "own.db") for _ in range(5)]
    held = [str(file.resolve()) for file in Path("/proc/self/fd").iterdir()]
    assert not [name for name in held if name.startswith(str(tmp_path))]
    for base in bases:
        base.record(tasks[0], evaluations, configurations=_flat(pools))
    assert KnowledgeStore(tmp_path / "own.db").count()["evaluations"] == len(evaluations)


def test_a_store_in_memory_outlives_its_loading(parts):
    tasks, pools, evaluations, _ = parts(1, 2, ("classification",))
    base = KnowledgeBase.open("sqlite://")
    base.record(tasks[0], evaluations, configurations=_flat(pools))
    assert base._store.count()["evaluations"] == len(evaluations)


WRITER = """
    import os, sys
    from sk_metalearn.knowledge import Evaluation, KnowledgeStore, Task, task_id
    from sk_metalearn.spaces import Configuration

    url, n_writers, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    task = Task(task_id("shared"), "shared", "classification", "shared", 100, 4, 2)
    store = KnowledgeStore(url) if n_writers == 1 else None

    def write(writer, store):
        for i in range(n):
            # Every second record is written by all processes, the others by this one alone.
            mine = i if i % 2 else i + 1_000_000 * (writer + 1)
            configuration = Configuration("mlp", {"number": mine}, {})
            evaluation = Evaluation(
                task.id, configuration.id, "ok", {"accuracy": (0.5,)}, source="t"
            )
            store.add([task], [configuration], [evaluation], {task.id: {"log_n_rows": 4.6}})
            if n_writers == 1:
                print(i, flush=True)

    if n_writers == 1:
        write(0, store)
    else:
        children = []
        for writer in range(n_writers):
            child = os.fork()
            if child == 0:
                # They race to make the tables, too.
                write(writer, KnowledgeStore(url))
                os._exit(0)
            children.append(child)
        sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""


def _start(url, n_writers, n):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), url, str(n_writers), str(n)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the writers are forked")
@pytest.mark.parametrize("n", [60, pytest.param(500, marks=pytest.mark.slow)])
def test_eight_processes_write_at_once(url, n):
    writers = _start(url, 8, n)
    error = writers.communicate()[1]
    assert writers.returncode == 0, error
    count = KnowledgeStore(url).count()
    assert count["evaluations"] == count["configurations"] == 8 * n // 2 + n // 2
    assert count["tasks"] == 1


@pytest.mark.slow
def test_a_killed_writer_leaves_a_sound_store(url):
    writer = _start(url, 1, 100_000)
    for line in writer.stdout:
        if int(line) >= 60:
            break
    writer.kill()
    whole_lines = writer.stdout.read().rpartition("\n")[0]
    written = [int(line) for line in whole_lines.split()]
    writer.wait()
    count = KnowledgeStore(url).count()
    # The record that the kill met may or may not have been committed.
    told = (written[-1] if written else 60) + 1
    assert told <= count["evaluations"] <= told + 1
    assert count["evaluations"] == count["configurations"]
    again = _start(url, 1, told + 5)
    error = again.communicate()[1]
    assert again.returncode == 0, error
    assert KnowledgeStore(url).count()["evaluations"] == told + 5
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_store_survives_a_fork(url, parts):
    tasks, pools, evaluations, _ = parts(1, 2, ("classification",))
    store = KnowledgeStore(url)
    store.add(tasks, _flat(pools), evaluations[:1])
    child = os.fork()
    if child == 0:
        try:
            store.add(tasks, _flat(pools), evaluations[1:])
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert store.count()["evaluations"] == 2


def _write_first_schema(url, evaluations, tasks, configurations):
    """Make a store as schema 1 had it: without fidelities."""
    driver = url.replace("postgresql://", "postgresql+psycopg://")
    engine = sqlalchemy.create_engine(driver)
    number = "SERIAL" if url.startswith("postgresql") else "INTEGER"
    by_id = "(id VARCHAR(255) PRIMARY KEY, {}record TEXT NOT NULL)"
    with engine.begin() as connection:

        def run(statement, rows=None):
            connection.execute(sqlalchemy.text(statement), rows)

        run("CREATE TABLE sk_metalearn_meta (key VARCHAR(64) PRIMARY KEY, value TEXT NOT NULL)")
        run("INSERT INTO sk_metalearn_meta VALUES ('schema', '1')")
        for name in ("configurations", "sources", "metafeatures"):
            run(f"CREATE TABLE sk_metalearn_{name} {by_id.format('')}")
        run(f"CREATE TABLE sk_metalearn_tasks {by_id.format('kind VARCHAR(16) NOT NULL, ')}")
        run(
            "CREATE TABLE sk_metalearn_evaluations ("
            f"number {number} PRIMARY KEY, task VARCHAR(64) NOT NULL, "
            "configuration VARCHAR(64) NOT NULL, seed BIGINT NOT NULL, "
            "source VARCHAR(255) NOT NULL, status VARCHAR(16) NOT NULL, record TEXT NOT NULL)"
        )
        run(
            "CREATE UNIQUE INDEX sk_metalearn_evaluations_key ON sk_metalearn_evaluations "
            "(task, configuration, seed, source)"
        )
        run(
            "INSERT INTO sk_metalearn_tasks VALUES (:id, :kind, :record)",
            [{"id": t.id, "kind": t.kind, "record": json.dumps(t.to_dict())} for t in tasks],
        )
        run(
            "INSERT INTO sk_metalearn_configurations VALUES (:id, :record)",
            [{"id": c.id, "record": c.text} for c in configurations],
        )
        for own in evaluations:
            record = own.to_dict()
            del record["fidelity"]
            run(
                "INSERT INTO sk_metalearn_evaluations "
                "(task, configuration, seed, source, status, record) "
                "VALUES (:task, :configuration, :seed, :source, :status, :record)",
                {
                    **{name: record[name] for name in ("task", "configuration", "seed", "source")},
                    "status": own.status.name,
                    "record": json.dumps(record),
                },
            )
    engine.dispose()


def test_an_older_store_is_brought_up_to_date(url, parts, tmp_path):
    tasks, pools, evaluations, _ = parts(2, 3, ("classification",))
    (tmp_path / "folder").mkdir(exist_ok=True)
    _write_first_schema(url, evaluations, tasks, pools["classification"])
    store = KnowledgeStore(url)
    assert KnowledgeBase.open(url).table("classification").status.shape == (2, 3)
    store.add(tasks, _flat(pools), [*evaluations, replace(evaluations[0], fidelity="small")])
    assert store.count()["evaluations"] == len(evaluations) + 1
    assert KnowledgeBase.open(url).fidelities("classification") == ("main", "small")
    assert KnowledgeStore(url).count() == store.count()


def test_a_newer_store_is_refused(url):
    store = KnowledgeStore(url)
    store.add([], [], [])
    with store._writer.begin() as connection:
        connection.execute(sqlalchemy.text(f"UPDATE sk_metalearn_meta SET value = '{SCHEMA + 1}'"))
    with pytest.raises(KnowledgeError, match="Update sk_metalearn"):
        KnowledgeStore(url)


def test_a_damaged_store_is_named(tmp_path, parts):
    path = tmp_path / "own.db"
    tasks, pools, evaluations, _ = parts()
    store = KnowledgeStore(path)
    store.add(tasks, _flat(pools), evaluations)
    store.close()
    content = bytearray(path.read_bytes())
    content[2000 : len(content) // 2] = b"\xff" * (len(content) // 2 - 2000)
    path.write_bytes(content)
    with pytest.raises(KnowledgeError, match=r"own\.db.*gave an error"):
        KnowledgeBase.open(path)


def test_a_server_that_is_away_is_named():
    pytest.importorskip("psycopg")
    with pytest.raises(KnowledgeError, match="gave an error") as caught:
        KnowledgeStore("postgresql://someone:secret@127.0.0.1:1/nothing", patience=1)
    assert "secret" not in str(caught.value)


def test_other_databases_are_refused():
    with pytest.raises(KnowledgeError, match="sqlite:// or postgresql://"):
        KnowledgeStore("mysql://localhost/own")


def test_what_counts_as_a_store(tmp_path, base):
    base.save(tmp_path / "kb.npz")
    KnowledgeStore(tmp_path / "odd_name").add([], [], [])
    shutil.move(tmp_path / "odd_name", tmp_path / "odder")
    shutil.move(tmp_path / "odder", tmp_path / "odd_name")
    assert is_store("postgresql://host/base") and is_store(tmp_path / "new.db")
    assert is_store(tmp_path / "odd_name")
    assert not is_store(tmp_path / "kb.npz") and not is_store(tmp_path / "other.npz")


def test_user_store_is_made_only_when_opened(tmp_path, monkeypatch):
    monkeypatch.setenv("SK_METALEARN_HOME", str(tmp_path / "home"))
    assert user_store_url().endswith("home/knowledge.db")
    KnowledgeBase()
    assert not (tmp_path / "home").exists()
    base = KnowledgeBase.open("user")
    assert base.tasks == () and not (tmp_path / "home").exists()
    base.record(Task("a" * 12, "a", "regression", "a", 10, 2), [])
    assert (tmp_path / "home" / "knowledge.db").exists()
    monkeypatch.delenv("SK_METALEARN_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    if sys.platform.startswith("linux"):
        assert user_store_url() == f"sqlite:///{tmp_path}/share/sk_metalearn/knowledge.db"


def test_sqlalchemy_is_imported_only_when_a_store_is_opened():
    code = "import sys, sk_metalearn.knowledge; print('sqlalchemy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.strip() == "False", done.stderr


def test_nan_meta_features_survive(url):
    task = Task("a" * 12, "own", "classification", "own", 100, 3, 2)
    store = KnowledgeStore(url)
    evaluation = Evaluation(task.id, "b" * 12, "ok", {"accuracy": (0.5,)})
    from sk_metalearn.spaces import Configuration

    configuration = Configuration("mlp", {"alpha": 0.1}, {})
    evaluation = replace(evaluation, configuration=configuration.id)
    store.add([task], [configuration], [evaluation], {task.id: {"a": float("nan"), "b": 2.0}})
    table = KnowledgeBase.open(store.url).table("classification")
    assert np.array_equal(table.metafeatures, [[np.nan, 2.0]], equal_nan=True)
