"""Every door of the room takes altered files, rows and words: our own error, or sound knowledge.

With SK_METALEARN_LONG=SECONDS each test runs that long; otherwise a bounded number of mutants. The
cases that were found so far stand at the end as seeds.
"""

import json
import sqlite3
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sk_metalearn import cli
from sk_metalearn.exceptions import KnowledgeError, KnowledgeWarning
from sk_metalearn.knowledge import KnowledgeBase, Source, share_records

sys.path.insert(0, str(Path(__file__).parent))
from _mutants import (  # noqa: E402
    VALUES,
    altered_array,
    altered_bytes,
    altered_json,
    dumps,
    outcome,
    read_archive,
    rounds,
    write_archive,
)

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]


@pytest.fixture
def small(parts):
    tasks, pools, evaluations, metafeatures = parts(3, 3)
    return KnowledgeBase.from_evaluations(
        tasks, pools, evaluations, metafeatures, sources=[Source("invented", "BSD-3-Clause")]
    )


def opened(path):
    """Open a file, quietly."""

    def call():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", KnowledgeWarning)
            return KnowledgeBase.open(path)

    return call


def run(mutants, open_base, folder, record_property, name):
    """Try mutants and count how they were taken."""
    counts = Counter()
    for seed in mutants:
        try:
            counts[outcome(open_base, folder)] += 1
        except Exception as error:
            raise AssertionError(f"mutant {seed} of {name}") from error
    record_property(name, dict(counts))
    assert counts["refused"] + counts["accepted"] > 0


def test_bytes_of_an_archive(small, tmp_path, record_property):
    path = tmp_path / "kb.npz"
    small.save(path)
    whole = path.read_bytes()

    def mutants():
        for seed, rng in rounds(150):
            path.write_bytes(altered_bytes(whole, rng))
            yield seed

    run(mutants(), opened(path), tmp_path, record_property, "archive bytes")


def test_header_of_an_archive(small, tmp_path, record_property):
    path = tmp_path / "kb.npz"
    small.save(path)
    header, members = read_archive(path)

    def mutants():
        for seed, rng in rounds(200):
            write_archive(path, altered_json(header, rng), members)
            yield seed

    run(mutants(), opened(path), tmp_path, record_property, "archive header")


def test_arrays_of_an_archive(small, tmp_path, record_property):
    path = tmp_path / "kb.npz"
    small.save(path)
    header, members = read_archive(path)

    def mutants():
        for seed, rng in rounds(150):
            changed = dict(members)
            name = sorted(members)[int(rng.integers(len(members)))]
            changed[name] = altered_array(members[name], rng)
            write_archive(path, header, changed)
            yield seed

    run(mutants(), opened(path), tmp_path, record_property, "archive arrays")


def test_bytes_of_lines(small, tmp_path, record_property):
    path = tmp_path / "kb.jsonl"
    small.save(path)
    whole = path.read_bytes()

    def mutants():
        for seed, rng in rounds(150):
            path.write_bytes(altered_bytes(whole, rng))
            yield seed

    run(mutants(), opened(path), tmp_path, record_property, "bytes of lines")


def test_records_of_lines(small, tmp_path, record_property):
    path = tmp_path / "kb.jsonl"
    records = list(share_records(small))

    def mutants():
        for seed, rng in rounds(200):
            changed = list(records)
            for _ in range(int(rng.integers(1, 6))):
                number = int(rng.integers(len(records)))
                changed[number] = altered_json(records[number], rng)
            path.write_text("".join(dumps(own) + "\n" for own in changed))
            yield seed

    run(mutants(), opened(path), tmp_path, record_property, "records of lines")


def test_bytes_of_a_store(small, tmp_path, record_property):
    pytest.importorskip("sqlalchemy")
    path = tmp_path / "kb.db"
    small.save(path)
    whole = path.read_bytes()

    def mutants():
        for seed, rng in rounds(100):
            path.write_bytes(altered_bytes(whole, rng))
            yield seed

    run(mutants(), opened(path), tmp_path, record_property, "bytes of a store")


def test_rows_of_a_store(small, tmp_path, record_property):
    pytest.importorskip("sqlalchemy")
    path = tmp_path / "kb.db"
    small.save(path)
    whole = path.read_bytes()
    tables = ("tasks", "configurations", "metafeatures", "evaluations", "sources", "meta")

    def mutants():
        for seed, rng in rounds(150):
            path.write_bytes(whole)
            connection = sqlite3.connect(path)
            for _ in range(int(rng.integers(1, 4))):
                table = f"sk_metalearn_{tables[int(rng.integers(len(tables)))]}"
                column = "value" if table.endswith("meta") else "record"
                rows = connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
                number, text = rows[int(rng.integers(len(rows)))]
                if column == "record" and rng.random() < 0.8:
                    try:
                        text = dumps(altered_json(json.loads(text), rng))
                    except ValueError:
                        text = "{"
                else:
                    odd = VALUES[int(rng.integers(len(VALUES)))]
                    text = odd if isinstance(odd, str | None) else dumps(odd)
                    text = b"\xff\x00" if rng.random() < 0.2 else text or "null"
                change = f"UPDATE {table} SET {column} = ? WHERE rowid = ?"
                connection.execute(change, (text, number))
            connection.commit()
            connection.close()
            yield seed

    run(mutants(), opened(path), tmp_path, record_property, "rows of a store")


WORDS = (
    ["kb", "info", "check", "neighbors", "export", "merge", "import", "bundled", "user"]
    + ["--json", "--anonymous", "--base", "--kind", "-n", "-1", "1e9", "classification", "--force"]
    + ["kb.npz", "kb.jsonl", "kb.db", "none.npz", "x.db", "out.jsonl", "out.npz", ".", "-", "", "@"]
    + ["sqlite://", "sqlite:///kb.db", "sqlite:///:memory:", "postgresql://h:x/y", "://", "a://b"]
    + ["\x1b[2J", "data.csv", "target", "oboe", "openml-datasets", "--tables", "\udcff", "a" * 400]
)


def test_words_of_the_command_line(small, tmp_path, capsys, monkeypatch, record_property):
    monkeypatch.setenv("SK_METALEARN_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    keep = {}
    for name in ("kb.npz", "kb.jsonl", "kb.db"):
        small.save(name)
        keep[name] = Path(name).read_bytes()
    Path("data.csv").write_text("a,target\n1,x\n2,y\n")
    counts = Counter()
    for seed, rng in rounds(200):
        chosen = [WORDS[int(k)] for k in rng.integers(len(WORDS), size=int(rng.integers(0, 5)))]
        words = ["kb", str(rng.choice(["info", "check", "export", "merge", "import", "neighbors"]))]
        if words[1] == "import" and any(own.startswith("openml") for own in chosen):
            continue  # needs a network
        try:
            status = cli.main([*words, *chosen])
        except SystemExit as stop:
            status = stop.code
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err, (seed, words, chosen)
        assert "\x1b" not in out + err, (seed, words, chosen)
        counts["well" if status == 0 else "refused"] += 1
        if words[1] not in ("import", "merge") and "--force" not in chosen:
            for name, content in keep.items():
                assert Path(name).read_bytes() == content, (seed, words, chosen)
        else:
            for name, content in keep.items():
                Path(name).write_bytes(content)
    record_property("command line", dict(counts))


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.update(schema=0),
        lambda header: header.update(schema=True),
        lambda header: header["tasks"].update(n_rows=[-3] * len(header["tasks"]["n_rows"])),
        lambda header: header["tasks"].update(n_rows=[1e999] * len(header["tasks"]["n_rows"])),
        lambda header: header["tasks"].update(openml_id=["x"] * len(header["tasks"]["id"])),
        lambda header: header["tables"][0]["arrays"]["status"].update(codec="evil"),
        lambda header: header["tables"][0]["arrays"]["status"].update(codec="linear"),
        lambda header: header["tables"][0].update(sources=[]),
        lambda header: header["tables"][0].update(kind="ranking"),
        lambda header: header["tables"].append(header["tables"][0]),
        lambda header: header["tables"][0]["tasks"].append(header["tables"][0]["tasks"][0]),
        lambda header: header["tables"][0].update(metafeature_names=["a"]),
        lambda header: header["tables"][0]["arrays"].pop("status"),
        lambda header: header.update(aliases=[[]]),
        lambda header: header.update(provenance=[]),
        lambda header: header["configurations"][0].update(params=None),
    ],
)
def test_headers_found_before_are_refused(small, tmp_path, change):
    path = tmp_path / "kb.npz"
    small.save(path)
    header, members = read_archive(path)
    change(header)
    write_archive(path, header, members)
    with pytest.raises(KnowledgeError, match=r"kb\.npz"):
        base = KnowledgeBase.open(path)
        problems = base.check()
        raise KnowledgeError("; ".join(problems))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("0/status", lambda values: np.full_like(values, 9)),
        ("0/origin", lambda values: values.astype(np.int64) - 5),
        ("0/mean/accuracy", lambda values: np.full(values.shape, "x")),
        ("0/mean/accuracy", lambda values: values[:2]),
        ("0/mean/accuracy/range", lambda values: values[:1]),
        ("0/mean/accuracy/range", lambda values: values * np.nan),
        ("0/metafeatures", lambda values: values.astype(complex)),
        ("0/folds/accuracy", lambda values: np.zeros((*values.shape[:2], 500), dtype=np.uint16)),
    ],
)
def test_arrays_found_before_are_named_by_check(small, tmp_path, name, change):
    path = tmp_path / "kb.npz"
    small.save(path)
    header, members = read_archive(path)
    members[name] = change(members[name])
    write_archive(path, header, members)
    problems = KnowledgeBase.open(path).check()
    assert problems and "kb.npz" in problems[0] and name.split("/")[1] in problems[0]
