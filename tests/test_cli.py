"""The command line does what the Python calls do."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from sk_metalearn import cli
from sk_metalearn.knowledge import Evaluation, KnowledgeBase, KnowledgeStore, Source, Task, task_id
from sk_metalearn.metafeatures import MetaFeatureExtractor
from sk_metalearn.spaces import load_pool

POOL = load_pool("classification")[:3]


def make(number, X, y, name):
    task = Task(task_id("cli", name), name, "classification", name, *X.shape, len(set(y)))
    evaluations = [
        Evaluation(task.id, own.id, "ok", {"accuracy": (0.5 + 0.1 * number,)}, source="cli")
        for own in POOL
    ]
    features = {task.id: MetaFeatureExtractor().extract(X, y)}
    return KnowledgeBase.from_evaluations(
        [task], POOL, evaluations, features, sources=[Source("cli", "BSD-3-Clause")]
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two bases, and a table near the first one's only task."""
    folder = tmp_path_factory.mktemp("cli")
    X, y = load_breast_cancer(return_X_y=True)
    make(0, X[:400], y[:400], "large").save(folder / "a.npz")
    make(1, X[:60, :3], y[:60], "small").save(folder / "b.npz")
    return folder


def run(capsys, *arguments):
    status = cli.main([str(own) for own in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def counts(out):
    """Datasets and measured cells of the first table that was printed."""
    head, row = out.splitlines()[:2]
    found = dict(zip(re.split("  +", head), re.split("  +", row), strict=True))
    return int(found["datasets"]), int(found["measured"])


def test_info(files, capsys):
    status, out, _ = run(capsys, "kb", "info", files / "a.npz")
    head, row, _, sources, source = out.splitlines()
    counted = dict(zip(re.split("  +", head), re.split("  +", row), strict=True))
    assert status == 0 and counted["kind"] == "classification"
    assert [counted[own] for own in ("datasets", "configurations", "measured")] == ["1", "3", "3"]
    assert "BSD-3-Clause" in source and sources.startswith("source")
    status, out, _ = run(capsys, "kb", "info", files / "a.npz", "--json")
    assert json.loads(out)["tables"][0]["cells"] == 3


def test_merge_and_check(files, capsys, tmp_path):
    status, out, _ = run(
        capsys, "kb", "merge", files / "a.npz", files / "b.npz", tmp_path / "ab.npz"
    )
    assert status == 0 and counts(out) == (2, 6)
    assert run(capsys, "kb", "check", tmp_path / "ab.npz")[:2] == (0, "no problems found\n")
    content = bytearray((tmp_path / "ab.npz").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "ab.npz").write_bytes(content)
    status, out, err = run(capsys, "kb", "check", tmp_path / "ab.npz")
    assert status == 1 and "ab.npz" in out + err


def test_export_and_import(files, capsys, tmp_path):
    assert run(capsys, "kb", "export", files / "a.npz", tmp_path / "a.jsonl")[0] == 0
    assert run(capsys, "kb", "import", tmp_path / "a.jsonl", tmp_path / "own.db")[0] == 0
    assert run(capsys, "kb", "import", files / "b.npz", tmp_path / "own.db")[0] == 0
    assert KnowledgeStore(tmp_path / "own.db").count()["evaluations"] == 6
    path = (tmp_path / "own.db").as_posix()
    for name in (path, f"sqlite:///{path}", f"sqlite:///file:{path}?mode=ro&uri=true"):
        status, out, _ = run(capsys, "kb", "info", name)
        assert status == 0 and counts(out) == (2, 6)
    assert run(capsys, "kb", "export", tmp_path / "own.db", tmp_path / "back.npz")[0] == 0
    whole = KnowledgeBase.open(files / "a.npz").merge(KnowledgeBase.open(files / "b.npz"))
    report = KnowledgeBase.open(tmp_path / "back.npz").diff(whole)
    assert not any(report["classification/main"].values())


def test_export_can_be_read_before_it_is_sent(files, capsys):
    _, out, _ = run(capsys, "kb", "export", files / "a.npz", "-", "--anonymous")
    records = [json.loads(line) for line in out.splitlines()]
    assert "large" not in out
    assert {own["record"] for own in records} >= {"task", "evaluation", "metafeatures"}


def test_anonymous_needs_lines(files, capsys, tmp_path):
    status, _, err = run(capsys, "kb", "export", files / "a.npz", tmp_path / "x.npz", "--anonymous")
    assert status == 1 and ".jsonl" in err


def test_neighbors(files, capsys, tmp_path):
    pytest.importorskip("pandas")
    frame = load_breast_cancer(as_frame=True).frame
    frame.to_csv(tmp_path / "data.csv", index=False)
    run(capsys, "kb", "merge", files / "a.npz", files / "b.npz", tmp_path / "ab.npz")
    words = ["kb", "neighbors", tmp_path / "data.csv", "--knowledge", tmp_path / "ab.npz", "-n", 1]
    status, out, _ = run(capsys, *words, "--target", "target")
    assert status == 0 and out.startswith("large (distance") and len(out.splitlines()) == 1
    status, out, _ = run(capsys, *words, "--target", "target", "--json")
    assert status == 0 and json.loads(out)[0]["dataset"] == "large"
    status, _, err = run(capsys, *words, "--target", "nothing")
    assert status == 1 and "No column 'nothing'" in err


def test_errors_are_one_line(capsys, tmp_path):
    status, out, err = run(capsys, "kb", "info", tmp_path / "nothing.npz")
    assert status == 1 and out == ""
    assert err.startswith("error: There is no knowledge base") and len(err.splitlines()) == 1


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """Change to a folder of files that cannot be read."""
    monkeypatch.chdir(tmp_path)
    np.save("array.npy", np.arange(5))
    for name, content in {
        "binary.jsonl": b"\xff\xfe\x00abc",
        "text.npz": b"hello",
        "bad.csv": b"a,b\n1,2,3\n4,5,6,7\n",
        "empty.csv": b"",
        "latin.csv": "a,ß,target\n1,2,0\n".encode("latin1"),
        "words.csv": b"a,target\n" + 20 * b"1,x\n2,y\n",
        "broken.parquet": b"nope",
        "file": b"",
    }.items():
        Path(name).write_bytes(content)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("info missing.jsonl", "There is no knowledge base at 'missing.jsonl'"),
        ("info missing.db", "There is no knowledge base at 'missing.db'"),
        ("check sqlite:///missing.sqlite", "There is no knowledge base at 'missing.sqlite'"),
        ("info array.npy", "array.npy"),
        ("info text.npz", "text.npz"),
        ("info binary.jsonl", "binary.jsonl', line 1"),
        ("info ://x", "names no database"),
        ("import {a} file/x.db", "file/x.db"),
        ("export {a} nowhere/x.jsonl", "nowhere/x.jsonl"),
        ("export {a} nowhere/x.npz", "nowhere/x.npz"),
        ("neighbors missing.csv --target target", "'missing.csv' cannot be read"),
        ("neighbors bad.csv --target target", "'bad.csv' cannot be read"),
        ("neighbors empty.csv --target target", "'empty.csv' cannot be read"),
        (
            "neighbors latin.csv --target goal",
            "the table has ['a', 'ß', 'target']",
        ),
        ("neighbors broken.parquet --target target", "'broken.parquet' cannot be read"),
        ("neighbors words.csv --target target --knowledge {a} -n 0", "n_neighbors must be from 1"),
        ("neighbors words.csv --target target --kind regression", "'x'"),
        ("build {a} out.npz", "No dataset found"),
        ("build describe {a} out", ""),
    ],
)
def test_what_cannot_be_read_or_written_is_an_error(broken, files, capsys, command, said):
    if "neighbors" in command:
        pytest.importorskip("pandas")
    if "parquet" in command:
        pytest.importorskip("pyarrow")
    before = sorted(Path().iterdir())
    words = command.format(a=files / "a.npz").split()
    status, out, err = run(capsys, "kb", *words)
    assert status == 1 and out == ""
    assert err.startswith("error: ") and said in err and len(err.splitlines()) == 1
    assert sorted(Path().iterdir()) == before


def test_reading_does_not_make_the_users_store(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("SK_METALEARN_HOME", str(tmp_path / "home"))
    status, _, err = run(capsys, "kb", "info", "user")
    assert status == 1 and "home/knowledge.db" in err
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("name", ["own.npz", "own.jsonl", "own.db"])
def test_import_adds_to_what_is_there(files, capsys, tmp_path, name):
    for source in ("a.npz", "b.npz", "a.npz"):
        assert run(capsys, "kb", "import", files / source, tmp_path / name)[0] == 0
    status, out, _ = run(capsys, "kb", "info", tmp_path / name)
    assert status == 0 and counts(out) == (2, 6)


def test_tables_that_are_missing(capsys, tmp_path):
    status, _, err = run(capsys, "kb", "import", "oboe", tmp_path / "x.npz", "--tables", tmp_path)
    assert status == 1 and "openml_qualities.csv.gz" in err


@pytest.mark.parametrize("step", ["run", "describe", "merge"])
def test_the_steps_of_building_are_the_builders_own_commands(capsys, step):
    with pytest.raises(SystemExit) as stop:
        cli.main(["kb", "build", step, "--help"])
    assert stop.value.code == 0
    assert "shards" in capsys.readouterr().out


def test_openml(capsys, tmp_path, monkeypatch):
    pytest.importorskip("openml")
    pytest.importorskip("pyarrow")
    sys.path.insert(0, str(Path(__file__).parent / "building"))
    from openml_server import OpenMLServer

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with OpenMLServer() as server:
        options = ["--server", server.url, "--cache", tmp_path / "cache", "--suite", 99]
        status, out, _ = run(capsys, "kb", "import", "openml-datasets", tmp_path / "data", *options)
        assert status == 0 and out.startswith("2 datasets")
        assert "dropped task 59: a copy of scikit-learn's iris" in out
        status, out, _ = run(
            capsys, "kb", "import", "openml-evaluations", tmp_path / "kb.npz", *options
        )
        assert status == 0 and "dropped 1: flow of weka, not scikit-learn" in out
        status, _, err = run(capsys, "kb", "import", "openml-all", tmp_path / "x.npz", *options)
        assert status == 1 and "openml-datasets or openml-evaluations" in err
    assert KnowledgeBase.open(tmp_path / "kb.npz").kinds == ("classification", "regression")


def test_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit):
        cli.main(["kb", "--help"])
    out = capsys.readouterr().out
    for command in ("info", "build", "import", "export", "merge", "check", "neighbors"):
        assert command in out


def test_names_steer_no_terminal(files, capsys, tmp_path):
    task = Task(task_id("evil"), "\x1b]0;owned\x07", "classification", "\x1b[2J", 10, 2, 2)
    base = KnowledgeBase.from_evaluations(
        [task], POOL, [], {task.id: {"log_n_rows": 2.0}}, sources=[Source("\x1b[31m")]
    )
    base.save(tmp_path / "evil.npz")
    for command in (["info"], ["check"], ["info", "--json"], ["export", "-"]):
        words = [command[0], tmp_path / "evil.npz", *command[1:]]
        _, out, err = run(capsys, "kb", *words)
        assert "\x1b" not in out + err and "\x07" not in out + err
    status, _, err = run(capsys, "kb", "info", tmp_path / "no\x1b[2Jne.npz")
    assert status == 1 and "\x1b" not in err


def test_the_version(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0 and capsys.readouterr().out.startswith("sk_metalearn ")


def test_build_is_one_step(files, capsys, tmp_path, monkeypatch):
    base, given = KnowledgeBase.open(files / "a.npz"), {}

    def build_base(data, output, **options):
        given.update(data=data, output=output, **options)
        return None if options["time_limit"] else base

    monkeypatch.setattr("sk_metalearn.building.build_base", build_base)
    words = ["kb", "build", tmp_path, tmp_path / "new.npz", "--source", "the lab", "--n-jobs", 2]
    status, out, _ = run(capsys, *words)
    assert status == 0 and counts(out) == (1, 3)
    assert given["data"] == str(tmp_path) and given["n_workers"] == 2
    assert given["source"] == "the lab" and given["kinds"] is None
    status, out, _ = run(capsys, *words, "--time-budget", 5)
    assert status == 1 and "Call again" in out
    words[3] = files / "a.npz"
    status, _, err = run(capsys, *words)
    assert status == 1 and "is there already" in err
