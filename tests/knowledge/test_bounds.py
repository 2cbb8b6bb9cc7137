"""What is not ours is not touched; small files fill no memory; threads and growth."""

import io
import json
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sk_metalearn
from sk_metalearn import cli
from sk_metalearn.exceptions import KnowledgeError, KnowledgeWarning
from sk_metalearn.knowledge import (
    Evaluation,
    KnowledgeBase,
    KnowledgeStore,
    Source,
    Task,
    normalize_name,
    task_id,
)
from sk_metalearn.knowledge._urls import without_password
from sk_metalearn.spaces import Configuration

sys.path.insert(0, str(Path(__file__).parent))
from _mutants import read_archive, write_archive  # noqa: E402

pytest.importorskip("sqlalchemy")
ROOT = Path(sk_metalearn.__file__).parents[1]


def a_record(number=0, n=3):
    """Give the parts of a record: one dataset, n configurations."""
    task = Task(task_id("own", number), f"set {number}", "classification", "", 100 + number, 4, 2)
    configurations = [Configuration("svm", {"C": float(k + 1)}, {}) for k in range(n)]
    evaluations = [
        Evaluation(task.id, own.id, "ok", {"accuracy": (0.5, 0.6)}, source="t")
        for own in configurations
    ]
    return task, evaluations, {"a": 1.0}, configurations


def snapshot(folder):
    """Give the content and time of change of every file."""
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in Path(folder).rglob("*")
        if path.is_file()
    }


# What is not ours


@pytest.fixture
def foreign(tmp_path):
    """Files of other programs, some with names that a store could have."""
    connection = sqlite3.connect(tmp_path / "places.sqlite")
    connection.execute("CREATE TABLE places (url TEXT)")
    connection.execute("INSERT INTO places VALUES ('https://example.org')")
    connection.commit()
    connection.close()
    connection = sqlite3.connect(tmp_path / "empty_but_marked.db")
    connection.execute("PRAGMA application_id = 1234")
    connection.execute("PRAGMA user_version = 3")
    connection.commit()
    connection.close()
    (tmp_path / "text.npz").write_text("a diary")
    (tmp_path / "text.jsonl").write_text('{"my": "lines"}\n')
    (tmp_path / "text.db").write_text("no database at all")
    np.savez(tmp_path / "arrays.npz", a=np.arange(3))
    return tmp_path


def test_opening_changes_nothing(foreign):
    before = snapshot(foreign)
    for path in sorted(before):
        with pytest.raises(KnowledgeError, match=path.name):
            KnowledgeBase.open(path)
        if path.suffix in (".db", ".sqlite"):
            with pytest.raises(KnowledgeError, match=path.name):
                KnowledgeBase.open(f"sqlite:///{path}")
    assert snapshot(foreign) == before


def test_saving_replaces_nothing_that_is_not_ours(foreign, base):
    before = snapshot(foreign)
    for path in sorted(before):
        with pytest.raises(KnowledgeError, match=path.name):
            base.save(path)
    assert snapshot(foreign) == before


def test_a_checkpoint_is_no_store(tmp_path):
    from sklearn.datasets import load_iris
    from sklearn.svm import SVC

    from sk_metalearn import MetaSearchCV

    path = tmp_path / "search.db"
    grid = {"C": [1, 2]}
    MetaSearchCV(SVC(), grid, knowledge=None, checkpoint=path).fit(*load_iris(return_X_y=True))
    before = snapshot(tmp_path)
    with pytest.raises(KnowledgeError, match="no knowledge store"):
        KnowledgeBase.open(path)
    assert snapshot(tmp_path) == before


def test_reading_a_store_changes_nothing(tmp_path, base):
    base.save(tmp_path / "own.db")
    before = snapshot(tmp_path)
    opened = KnowledgeBase.open(tmp_path / "own.db")
    assert len(opened.tasks) == 12 and opened.check() == []
    assert opened.table("regression", configurations=[]).tasks == ()
    assert snapshot(tmp_path) == before
    assert sqlite3.connect(tmp_path / "own.db").execute("PRAGMA application_id").fetchone()[0]


def test_a_store_that_is_not_there_is_empty_and_not_made(tmp_path):
    base = KnowledgeBase.open(tmp_path / "new" / "own.db")
    assert base.tasks == () and base.kinds == () and base.check() == []
    assert base.secret() == ""
    assert not (tmp_path / "new").exists()
    task, evaluations, features, configurations = a_record()
    base.record(task, evaluations, features, configurations)
    assert [own.name for own in base.tasks] == ["set 0"]
    assert len(KnowledgeBase.open(tmp_path / "new" / "own.db").secret()) == 64


READER = """
    import sys
    from sk_metalearn.exceptions import KnowledgeError
    from sk_metalearn.knowledge import KnowledgeBase, Task

    base = KnowledgeBase.open(sys.argv[1])
    assert len(base.tasks) == 12 and len(base.secret()) == 64, base.tasks
    try:
        base.record(Task("a" * 12, "a", "regression", "a", 10, 2), [])
    except KnowledgeError as error:
        print(error)
    else:
        print("written")
"""


def _give_up_the_rights_of_root():
    """Let the rights of files count for root too: what it runs next may not override them."""
    if not os.geteuid():
        import ctypes

        drop, override, search = 24, 1, 2
        for right in (override, search):
            ctypes.CDLL(None).prctl(drop, right, 0, 0, 0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="rights of files as on Linux")
@pytest.mark.parametrize("writer_is_there", [False, True])
def test_a_store_that_one_may_only_read(base, writer_is_there):
    folder = Path(tempfile.mkdtemp())
    try:
        base.save(folder / "own.db")
        other = None
        if writer_is_there:
            other = sqlite3.connect(folder / "own.db")
            other.execute("SELECT * FROM sk_metalearn_meta").fetchall()
            other.execute("BEGIN IMMEDIATE")
            other.execute("UPDATE sk_metalearn_meta SET value = value")
            other.execute("COMMIT")
        for path in folder.iterdir():
            path.chmod(0o444)
        folder.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(READER), str(folder / "own.db")],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(folder)},
            preexec_fn=_give_up_the_rights_of_root,
        )
        if other is not None:
            other.close()
        assert "gave an error" in done.stdout, done.stdout + done.stderr
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_url_may_ask_for_reading_only(tmp_path, base, monkeypatch):
    base.save(tmp_path / "own.db")
    monkeypatch.chdir(tmp_path)
    opened = KnowledgeBase.open("sqlite:///file:own.db?mode=ro&uri=true")
    assert len(opened.tasks) == 12
    with pytest.raises(KnowledgeError, match="read only"):
        opened.record(*a_record())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["own.db"]


def test_the_way_to_a_file_does_not_depend_on_the_folder(tmp_path, base, monkeypatch):
    monkeypatch.chdir(tmp_path)
    base.save("rel.npz")
    base.save("rel.db")
    opened = [KnowledgeBase.open(name) for name in ("rel.npz", "rel.db")]
    monkeypatch.chdir("/")
    for own in opened:
        assert own.table("regression").scores("r2").shape == (6, 8)


# What the command line may replace


def run(capsys, *arguments):
    status = cli.main(["kb", *map(str, arguments)])
    return status, *capsys.readouterr()


def test_merge_replaces_only_what_it_was_told_to(tmp_path, base, parts, capsys):
    a, b, c = (tmp_path / name for name in ("a.npz", "b.npz", "c.npz"))
    base.save(a)
    KnowledgeBase.from_evaluations(*parts(seed=1)).save(b)
    before = snapshot(tmp_path)
    status, _, err = run(capsys, "merge", a, b)
    assert status == 1 and "is there already" in err and "--force" in err
    assert snapshot(tmp_path) == before
    assert run(capsys, "merge", a, b, c)[0] == 0
    assert run(capsys, "merge", a, b, a)[0] == 0
    assert len(KnowledgeBase.open(a).tasks) == len(KnowledgeBase.open(c).tasks) == 24
    assert run(capsys, "merge", "--force", b, c)[0] == 0
    assert len(KnowledgeBase.open(c).tasks) == 12
    (tmp_path / "notes.txt").write_text("mine")
    assert run(capsys, "merge", "--force", b, tmp_path / "notes.txt")[0] == 1
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["out.npz", "out.jsonl", "out.db"])
def test_export_replaces_only_what_it_was_told_to(tmp_path, base, capsys, name):
    base.save(tmp_path / "a.npz")
    assert run(capsys, "export", tmp_path / "a.npz", tmp_path / name)[0] == 0
    before = snapshot(tmp_path)
    status, _, err = run(capsys, "export", tmp_path / "a.npz", tmp_path / name)
    assert status == 1 and "is there already" in err and snapshot(tmp_path) == before
    assert run(capsys, "export", "--force", tmp_path / "a.npz", tmp_path / name)[0] == 0


@pytest.mark.parametrize("name", ["kb.npz", "kb.jsonl"])
def test_a_write_that_fails_leaves_the_old_file(tmp_path, base, parts, monkeypatch, name):
    path = tmp_path / name
    base.save(path)
    before = snapshot(tmp_path)
    other = KnowledgeBase.from_evaluations(*parts(seed=1))
    table = other.table("regression")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(table), "evaluations", full)
    monkeypatch.setattr("sk_metalearn.knowledge._bundle._entry", full)
    with pytest.raises(OSError, match="No space"):
        other.save(path)
    assert snapshot(tmp_path) == before


FULL = """
    import resource, signal, sys
    from sk_metalearn.exceptions import KnowledgeError
    from sk_metalearn.knowledge import Evaluation, KnowledgeBase, Task, task_id
    from sk_metalearn.spaces import Configuration

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    base = KnowledgeBase.open(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
    for i in range(10_000):
        task = Task(task_id(i), "n" * 200, "regression", "f" * 200, 10, 2)
        own = Configuration("svm", {"C": float(i)}, {})
        try:
            evaluation = Evaluation(task.id, own.id, "ok", {"r2": (0.5,)})
            base.record(task, [evaluation], configurations=[own])
        except KnowledgeError as error:
            print(i, error)
            break
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of the size of files")
def test_a_full_disk_is_an_error_and_what_was_written_stays(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL), str(tmp_path / "own.db")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
    )
    number, _, said = done.stdout.partition(" ")
    assert "gave an error" in said, done.stdout + done.stderr
    assert KnowledgeStore(tmp_path / "own.db").count()["tasks"] >= int(number)


# Passwords


def test_a_password_is_shown_and_saved_nowhere(monkeypatch):
    pytest.importorskip("psycopg")
    url = "postgresql://jane:s3cret%2F@127.0.0.1:1/team"
    shown = without_password(url)
    assert shown == "postgresql://jane@127.0.0.1:1/team"
    assert without_password("own.db") == "own.db"
    with pytest.raises(KnowledgeError) as caught:
        KnowledgeBase.open(url)
    assert "s3cret" not in str(caught.value)
    monkeypatch.setattr(KnowledgeStore, "schema", lambda self: None)
    base = KnowledgeBase.open(url)
    for text in (repr(base), repr(base._store), str(vars(base._store))):
        assert "s3cret" not in text and "s3cret%2F" not in text
    saved = pickle.dumps(base)
    assert b"s3cret" not in saved
    # The processes of a search find it in their environment.
    code = (
        "import pickle, sys; from sk_metalearn.knowledge import KnowledgeStore\n"
        "base = pickle.load(sys.stdin.buffer)\n"
        "print(base._store._writer.url.password == 's3cret/')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=saved,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.strip() == b"True", done.stderr


# Sizes


def test_lines_that_claim_much_cost_little(tmp_path):
    """Of 165 kB, 8.5 GB were made: cells without number times folds without number."""
    path = tmp_path / "bomb.jsonl"
    lines = [{"record": "format", "format": "sk_metalearn knowledge lines", "version": 1}]
    lines += [{"record": "task", **a_record(i)[0].to_dict()} for i in range(300)]
    own = [Configuration("svm", {"C": float(k + 1)}, {}) for k in range(300)]
    lines += [{"record": "configuration", **one.to_dict()} for one in own]
    evaluation = Evaluation(a_record(0)[0].id, own[0].id, "ok", {"accuracy": (0.5,)}).to_dict()
    lines += [
        {"record": "evaluation", **evaluation, "metrics": {"accuracy": [0.5] * 12_000}},
        {"record": "evaluation", **evaluation, "metrics": {f"m{k}": [1] for k in range(30_000)}},
        {"record": "evaluation", **evaluation, "metrics": {"r2": [0.5] * 90}},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.warns(KnowledgeWarning, match="line 602.*at most 100 numbers; got 12000"):
        base = KnowledgeBase.open(path)
    table = base.table("classification")
    assert table.cells().values["mean:r2"].shape == (1,)
    assert table.scores("r2").shape == (300, 1)


def test_a_table_too_large_is_not_made(tmp_path):
    task, evaluations, features, configurations = a_record()
    tasks = [replace(task, id=f"{i:012x}", name=str(i)) for i in range(6000)]
    own = [Configuration("svm", {"C": float(k + 1)}, {}) for k in range(6000)]
    found = [
        replace(evaluations[0], task=a.id, configuration=b.id)
        for a, b in zip(tasks, own, strict=True)
    ]
    base = KnowledgeBase.from_evaluations(tasks, own, found)
    table = base.table("classification")
    for ask in (lambda: table.scores("accuracy"), lambda: base.save(tmp_path / "x.npz")):
        with pytest.raises(KnowledgeError, match="at most 20,000,000 cells"):
            ask()
    assert list(tmp_path.iterdir()) == []
    # Everything that goes by cells does not need it.
    assert base.summary()["evaluations"] == {"classification": 6000} and base.check() == []
    base.save(tmp_path / "x.jsonl")
    assert base.diff(KnowledgeBase.open(tmp_path / "x.jsonl"))["classification/main"] == {
        "tasks_only_here": [],
        "tasks_only_there": [],
        "configurations_only_here": [],
        "configurations_only_there": [],
        "cells_only_here": 0,
        "cells_only_there": 0,
        "cells_changed": 0,
    }
    part = base.table("classification", configurations=own[:5])
    assert part.scores("accuracy").shape == (5, 5)
    assert len(table.narrowed(own[:3]).configurations) <= 260


@pytest.mark.parametrize("shape", [(10**12,), (2**62, 2), (0, 2**40), (-1, 3)])
def test_arrays_that_claim_much_are_refused_before_memory_is_taken(tmp_path, base, shape):
    path = tmp_path / "kb.npz"
    base.save(path)
    header, members = read_archive(path)
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        content, {"descr": "<u2", "fortran_order": False, "shape": shape}
    )
    write_archive(path, header, members)
    with zipfile.ZipFile(path) as old:
        entries = {name: old.read(name) for name in old.namelist()}
    entries["0/mean/accuracy.npy"] = content.getvalue() + b"\0" * 100
    with zipfile.ZipFile(path, "w") as archive:
        for name, own in entries.items():
            archive.writestr(name, own)
    with pytest.raises(KnowledgeError, match="mean/accuracy"):
        KnowledgeBase.open(path).table("classification").scores("accuracy")


def test_a_header_larger_than_any_is_not_read(tmp_path, base):
    path = tmp_path / "kb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        content = io.BytesIO()
        np.lib.format.write_array(content, np.full(65 * 2**20, 32, dtype=np.uint8))
        archive.writestr("header.npy", content.getvalue())
    assert path.stat().st_size < 10**6
    with pytest.raises(KnowledgeError, match="at most 67108864 are read"):
        KnowledgeBase.open(path)


def test_names_cost_little_and_steer_nothing():
    began = time.process_time()
    normalize_name("a" + " " * 400_000 + "b")
    # What is quadratic takes many minutes.
    assert time.process_time() - began < 60
    task = Task("a" * 12, "\x1b[2J\u202eevil\n", "regression", "f\x07", 10, 2, source="s\r")
    assert task.name == "\\x1b[2J\\u202eevil\\n" and task.family == "f\\x07"
    assert task.source == "s\\r" and Source("\x00").name == "\\x00"
    with pytest.raises(KnowledgeError, match="at most 255 characters; got 300"):
        Task("a" * 12, "x" * 300, "regression", "f", 10, 2)


@pytest.mark.parametrize(
    "change",
    [
        {"n_rows": -1},
        {"n_rows": 1.5},
        {"n_rows": float("inf")},
        {"n_rows": 10**13},
        {"n_rows": None},
        {"n_rows": True},
        {"id": ""},
        {"id": 3},
        {"name": None},
        {"kind": []},
        {"openml_id": "x"},
    ],
)
def test_tasks_of_other_types_are_refused(change):
    fields = {"id": "a", "name": "a", "kind": "regression", "family": "a"}
    with pytest.raises(KnowledgeError):
        Task(**{**fields, "n_rows": 10, "n_features": 2, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"status": []},
        {"metrics": None},
        {"metrics": {"r2": "x"}},
        {"metrics": {"r2": [10**400]}},
        {"metrics": {"r2": [[1.0]]}},
        {"metrics": {"r2": [True]}},
        {"metrics": {"r2": [0.5] * 101}},
        {"metrics": {f"m{k}": [0.5] for k in range(101)}},
        {"fit_seconds": [-1.0]},
        {"fit_seconds": [float("inf")]},
        {"seed": None},
        {"seed": 2**70},
        {"versions": {"a": 1}},
        {"versions": []},
        {"warnings": "abc"},
        {"confusions": [[[0, 1]]]},
        {"confusions": 3},
        {"n_train": -1},
        {"fidelity": "x" * 40},
        {"machine": None},
    ],
)
def test_evaluations_of_other_types_are_refused(change):
    with pytest.raises(KnowledgeError):
        Evaluation(**{"task": "a", "configuration": "b", "status": "ok", **change})


# One bad row


def test_one_bad_row_costs_that_row(tmp_path, base):
    path = tmp_path / "own.db"
    base.save(path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE sk_metalearn_evaluations SET record = '{' WHERE number = 7")
    connection.execute(
        "UPDATE sk_metalearn_tasks SET record = X'FF00' WHERE rowid = 1",
    )
    connection.commit()
    connection.close()
    opened = KnowledgeBase.open(path)
    with pytest.warns(KnowledgeWarning, match="sk_metalearn_evaluations, row 7"):
        assert len(opened.tasks) == 11
    problems = opened.check()
    assert any("sk_metalearn_tasks" in own for own in problems)
    assert any("row 7" in own for own in problems)


@pytest.mark.parametrize("schema", ["abc", "-1", "0", "", "99999999999", "\x1b", None])
def test_a_schema_that_is_none_is_an_error(tmp_path, base, schema):
    path = tmp_path / "own.db"
    base.save(path)
    connection = sqlite3.connect(path)
    if schema is None:
        connection.execute("DELETE FROM sk_metalearn_meta")
    else:
        connection.execute("UPDATE sk_metalearn_meta SET value = ?", (schema,))
    connection.commit()
    connection.close()
    with pytest.raises(KnowledgeError, match=r"own\.db.* is damaged: its schema"):
        KnowledgeBase.open(path)


# Threads and growth


@pytest.mark.parametrize("place", ["own.db", "sqlite://", None])
def test_threads_share_a_base(tmp_path, place):
    base = KnowledgeBase()
    if place is not None:
        base = KnowledgeBase.open(tmp_path / place if place == "own.db" else place)
    faults = []

    def work(number):
        try:
            for i in range(15):
                base.record(*a_record(100 * number + i))
                if i % 5 == 0:
                    base.table("classification")
                    base.families.names()
                if place == "own.db" and i == 7:
                    base.save(tmp_path / "shared.npz")
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert len(base.tasks) == 90
    assert base.table("classification").cells().shape == (90, 3)
    if place is not None:
        assert base._store.count()["tasks"] == 90
    assert not list(tmp_path.glob("*.part")) and not list(tmp_path.glob(".*.part"))


def test_a_store_grows_in_a_straight_line(tmp_path):
    """Points that each search draws anew are columns of no dense table."""
    sizes = {}
    for n in (50, 200):
        base = KnowledgeBase.open(tmp_path / f"{n}.db")
        for i in range(n):
            task = a_record(i)[0]
            own = [Configuration("svm", {"C": 1.0 + i + k / 10}, {}) for k in range(10)]
            found = [Evaluation(task.id, c.id, "ok", {"accuracy": (0.5,)}) for c in own]
            base.record(task, found, {}, own)
        assert base._loaded is False
        table = KnowledgeBase.open(tmp_path / f"{n}.db").table("classification")
        held = sum(values.nbytes for values in table.cells().values.values())
        sizes[n] = held
        assert len(table.cells()) == 10 * n
        # A search that asks about its candidates reads no more than these.
        part = base.table("classification", configurations=own)
        assert len(part.tasks) == 1 and len(part.configurations) == 10
    assert sizes[200] <= 4.1 * sizes[50]


def test_of_a_crowded_store_a_search_reads_a_part(tmp_path, monkeypatch):
    monkeypatch.setattr("sk_metalearn.knowledge._base._MOST_CELLS", 60)
    base = KnowledgeBase.open(tmp_path / "own.db")
    for i in range(40):
        base.record(*a_record(i))
    *_, configurations = a_record()
    part = base.table("classification", configurations=configurations)
    assert len(part.cells()) == 60
    # The last ones count.
    assert {task.name for task in part.tasks} == {f"set {i}" for i in range(20, 40)}
    about = base.table_about("classification", configurations)
    assert len(about.configurations) == 3
