"""Configurations, spaces and checkpoints made of altered parts: our own error, or sound ones.

With SK_METALEARN_LONG=SECONDS each test runs that long; otherwise a bounded number of mutants. The
cases that were found so far stand at the end as seeds.
"""

import json
import sqlite3
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from sk_metalearn.evaluation import FoldResult, StoredTrial, open_journal
from sk_metalearn.exceptions import CheckpointError, SkMetalearnError, SpaceError
from sk_metalearn.knowledge import KnowledgeBase
from sk_metalearn.spaces import (
    Branch,
    Categorical,
    Condition,
    Configuration,
    Float,
    Integer,
    Schema,
    Space,
    build_estimator,
    load_pool,
)

sys.path.insert(0, str(Path(__file__).parent))
from _mutants import VALUES, altered_bytes, altered_json, rounds  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
ODD = (*VALUES, float("nan"), np.float64("nan"), np.array([1, 2]), object(), b"x", {1, 2})
SCHEMA = {
    kind: Schema.from_data(np.random.default_rng(0).normal(size=(60, 3)), y, kind)
    for kind, y in (("classification", np.arange(60) % 2), ("regression", np.arange(60) / 60))
}


def pick(rng, values=ODD):
    return values[int(rng.integers(len(values)))]


def taken(make, counts, error=SkMetalearnError):
    """Count how a door took something; give what it made, None if it was refused."""
    try:
        made = make()
    except error as refusal:
        assert str(refusal).isprintable() and len(str(refusal)) < 2000, str(refusal)
        counts["refused"] += 1
        return None
    counts["accepted"] += 1
    return made


def test_records_of_configurations(record_property):
    counts = Counter()
    for seed, rng in rounds(400):
        kind = pick(rng, ("classification", "regression"))
        record = altered_json(pick(rng, load_pool(kind)).to_dict(), rng)
        try:
            own = taken(lambda record=record: Configuration.from_dict(record), counts)
            if own is None:
                continue
            assert Configuration.from_dict(json.loads(own.text)) == own
            assert len(own.id) == 12 and str(own) and hash(own) == hash(own.id)
            built = taken(lambda own=own, kind=kind: build_estimator(own, SCHEMA[kind], 0), counts)
            assert built is None or isinstance(built, BaseEstimator)
        except Exception as error:
            raise AssertionError(f"mutant {seed}: {record!r:.300}") from error
    record_property("configurations", dict(counts))
    assert counts["refused"] and counts["accepted"]


MAKERS = (
    lambda a, b, c, d: Float(a, b, log=c, default=d),
    lambda a, b, c, d: Integer(a, b, log=c, default=d),
    lambda a, b, c, d: Float(0.1, 2.0, specials=a, default=b),
    lambda a, b, c, d: Categorical(a),
    lambda a, b, c, d: Categorical((a, b, c, d)),
    lambda a, b, c, d: Categorical(("x", "y"), default=a),
    lambda a, b, c, d: Branch({"p": a, "q": b}),
    lambda a, b, c, d: Branch(a, b, c),
    lambda a, b, c, d: Condition(a, b, c),
    lambda a, b, c, d: Space(a),
    lambda a, b, c, d: Space([Branch({"p": Float(0, 1)})], a),
    lambda a, b, c, d: Space([a, b]),
)


def test_parts_of_spaces(record_property):
    counts = Counter()
    for seed, rng in rounds(800):
        number, parts = int(rng.integers(len(MAKERS))), [pick(rng) for _ in range(4)]
        try:
            made = taken(lambda number=number, parts=parts: MAKERS[number](*parts), counts)
            if made is not None:
                assert repr(made)
        except Exception as error:
            raise AssertionError(f"mutant {seed}: maker {number} of {parts!r:.300}") from error
    record_property("parts of spaces", dict(counts))
    assert counts["refused"] and counts["accepted"]


SPACE = Space(
    [
        Branch(
            {
                "kernel": Categorical(("rbf", "linear", None)),
                "gamma": Float(1e-3, 1e3, log=True, specials=("scale",)),
                "depth": Integer(1, 9, specials=(None,)),
            },
            (Condition("gamma", "kernel", ("rbf",)),),
        ),
    ]
)


def test_points_of_a_space(record_property):
    counts = Counter()
    for seed, rng in rounds(400):
        point = altered_json(SPACE.sample(rng), rng)
        if isinstance(point, dict) and point and rng.random() < 0.5:
            point = {**point, pick(rng, list(point)): pick(rng)}
        try:
            inside = SPACE.contains(point)
            counts["inside" if inside else "outside"] += 1
            for ask in (SPACE.branch_of, lambda own: SPACE.encode([own])):
                found = taken(lambda ask=ask, point=point: ask(point), counts)
                assert found is not None or not inside
            if inside:
                assert SPACE.contains(SPACE.neighbor(point, rng))
                assert SPACE.contains(SPACE.crossover(point, SPACE.sample(rng), rng))
        except Exception as error:
            raise AssertionError(f"mutant {seed}: {point!r:.300}") from error
    record_property("points of a space", dict(counts))
    assert counts["inside"] and counts["outside"]


ROWS = np.arange(6)
FINGERPRINT = {"the data": "abc", "cv": "5"}


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "checkpoint"
    journal = open_journal(path, FINGERPRINT)
    journal.begin({**FINGERPRINT, "seed": "7"}, [(ROWS[:4], ROWS[4:]), (ROWS[2:], ROWS[:2])])
    for number in range(3):
        journal.add_trial(StoredTrial(number, str(number), {"point": {"C": number}}))
        for fold in (0, 1):
            result = FoldResult("ok", 0.5 * fold, predictions=np.array([0.1, 0.9]))
            journal.add_fold(str(number), fold, result)
    journal.close()
    return path


def read(path):
    journal = open_journal(path, FINGERPRINT, n_rows=6)
    try:
        held = [journal.meta, journal.splits, journal.trials, journal.folds]
        assert all(result.status for result in journal.folds.values())
        return repr(held)
    finally:
        journal.close()


def test_bytes_of_a_checkpoint(checkpoint, record_property):
    counts, whole = Counter(), checkpoint.read_bytes()
    for seed, rng in rounds(150):
        checkpoint.write_bytes(altered_bytes(whole, rng))
        try:
            taken(lambda: read(checkpoint), counts, CheckpointError)
        except Exception as error:
            raise AssertionError(f"mutant {seed}") from error
    record_property("bytes of a checkpoint", dict(counts))
    assert counts["refused"]


def test_rows_of_a_checkpoint(checkpoint, record_property):
    counts, whole = Counter(), checkpoint.read_bytes()
    columns = {
        "meta": ["name", "value"],
        "splits": ["fold", "train", "test"],
        "trials": ["number", "key", "content"],
        "folds": ["key", "fold", "content", "predictions", "classes"],
    }
    for seed, rng in rounds(200):
        checkpoint.write_bytes(whole)
        table = pick(rng, sorted(columns))
        column = pick(rng, columns[table])
        connection = sqlite3.connect(checkpoint)
        rows = connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
        number, value = pick(rng, rows)
        if isinstance(value, bytes) and rng.random() < 0.8:
            value = altered_bytes(value, rng)
        elif column == "content" and rng.random() < 0.8:
            value = json.dumps(altered_json(json.loads(value), rng))
        else:
            value = pick(rng, (None, -1, 7, 2**62, 0.5, "", "x", "{}", "[]", b"\xff\x00", "1e999"))
        try:
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, number))
            connection.commit()
        except sqlite3.IntegrityError:
            counts["twice"] += 1
        connection.close()
        try:
            taken(lambda: read(checkpoint), counts, CheckpointError)
        except Exception as error:
            raise AssertionError(f"mutant {seed}: {table}.{column} = {value!r:.200}") from error
    record_property("rows of a checkpoint", dict(counts))
    assert counts["refused"] and counts["accepted"]


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


GOOD = {"family": "svm", "params": {"C": 1.0}, "preprocessing": {}}


@pytest.mark.parametrize(
    "change",
    [
        {"params": None},
        {"params": [1]},
        {"params": 3},
        {"preprocessing": None},
        {"preprocessing": "none"},
        {"family": None},
        {"family": 3},
        {"family": ""},
        {"family": ["svm"]},
        {"params": {"C": 10**5000}},
        {"params": {"C": float("inf")}},
        {"params": {"C": nested(100_000)}},
        {"params": {"C": object()}},
        {"another": 1},
    ],
)
def test_configurations_found_before_are_refused(change):
    with pytest.raises(SpaceError) as caught:
        Configuration.from_dict({**GOOD, **change})
    assert len(str(caught.value)) < 500
    for record in (None, [], "svm", {}, 3):
        with pytest.raises(SpaceError):
            Configuration.from_dict(record)


def test_the_error_of_a_checkpoint_steers_no_terminal(checkpoint):
    connection = sqlite3.connect(checkpoint)
    with connection:
        odd = b'{"status": \x1b[2J\xff\n'
        connection.execute("UPDATE folds SET content = CAST(? AS TEXT)", (odd,))
    connection.close()
    with pytest.raises(CheckpointError, match="in folds, at row") as caught:
        read(checkpoint)
    assert str(caught.value).isprintable()


def test_a_checkpoint_whose_tables_have_no_readable_names(checkpoint):
    whole, counts = checkpoint.read_bytes(), Counter()
    start = whole.index(b"CREATE TABLE meta")
    for place in range(start, start + 60):
        checkpoint.write_bytes(whole[:place] + b"\x8a" + whole[place + 1 :])
        taken(lambda: read(checkpoint), counts, CheckpointError)
    assert counts["refused"] > 10


def test_a_base_leaves_out_odd_configurations(base, tmp_path):
    path = tmp_path / "odd.jsonl"
    base.save(path)
    head, *lines = path.read_text().splitlines()
    found = next(i for i, line in enumerate(lines) if '"configuration"' in line[:30])
    lines[found] = json.dumps({**json.loads(lines[found]), "params": None})
    path.write_text("\n".join([head, *lines]) + "\n")
    with pytest.warns(UserWarning, match="cannot be read"):
        opened = KnowledgeBase.open(path)
    assert len(opened.tasks) == len(base.tasks)
    assert opened.check()
