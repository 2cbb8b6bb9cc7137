"""A checkpoint is data: checked when it is read, kept whatever the disk does."""

import io
import json
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sk_metalearn.evaluation import FoldResult, StoredTrial, open_journal
from sk_metalearn.evaluation._journal import check_fingerprint
from sk_metalearn.exceptions import CheckpointError, FallbackWarning

ROWS = np.arange(6)
SPLITS = [(ROWS[:4], ROWS[4:]), (ROWS[2:], ROWS[:2])]
FINGERPRINT = {"the data": "abc", "cv": "5"}
META = {**FINGERPRINT, "seed": "7"}


def fill(journal, n_trials=2):
    journal.begin(META, SPLITS)
    for number in range(n_trials):
        journal.add_trial(StoredTrial(number, str(number), {"point": {"C": number}}))
        for fold in (0, 1):
            result = FoldResult("ok", 0.5 * fold, predictions=np.array([0.1, 0.9]))
            journal.add_fold(str(number), fold, result)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "checkpoint"
    journal = open_journal(path, FINGERPRINT)
    fill(journal)
    journal.close()
    return path


def change(path, statement, *values):
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, values)
    connection.close()


def npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def huge(shape, rest=b"\0" * 80):
    """An array whose head promises more than there is."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "<i8", "fortran_order": False, "shape": shape}
    )
    return head.getvalue() + rest


class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/evil",)


def content(**fields):
    return json.dumps({"status": "ok", "scores": 0.5, **fields})


DAMAGES = {
    "no seed": ("DELETE FROM meta WHERE name = 'seed'", ()),
    "a seed of words": ("UPDATE meta SET value = 'many' WHERE name = 'seed'", ()),
    "meta of bytes": ("UPDATE meta SET value = x'00ff'", ()),
    "no fold 0": ("DELETE FROM splits WHERE fold = 0", ()),
    "a fold of 10 billion rows": ("UPDATE splits SET train = ?", (huge((10**10,)),)),
    "a fold of negative size": ("UPDATE splits SET train = ?", (huge((-1,)),)),
    "a fold beyond all numbers": ("UPDATE splits SET train = ?", (huge((2**40, 2**40)),)),
    "rows that are texts": ("UPDATE splits SET test = ?", (npy(np.array(["a"])),)),
    "rows that are objects": (
        "UPDATE splits SET test = ?",
        (npy(np.array([Evil()], dtype=object), allow_pickle=True),),
    ),
    "rows that do not exist": ("UPDATE splits SET train = ?", (npy(np.array([0, 6])),)),
    "a fold that is a text": ("UPDATE splits SET train = 'all'", ()),
    "no rows of a fold": ("UPDATE splits SET train = NULL", ()),
    "half an array": ("UPDATE splits SET train = ?", (npy(ROWS)[:-3],)),
    "a pickle": ("UPDATE folds SET predictions = ?", (pickle.dumps(Evil()),)),
    "a trial that is a list": ("UPDATE trials SET content = '[1]'", ()),
    "a trial that is no JSON": ("UPDATE trials SET content = '{'", ()),
    "deep nesting": ("UPDATE trials SET content = ?", ("[" * 10**5 + "]" * 10**5,)),
    "a negative number": ("UPDATE trials SET number = -1 WHERE number = 0", ()),
    "a status of its own": ("UPDATE folds SET content = ?", (content(status="won"),)),
    "a score that is a text": ("UPDATE folds SET content = ?", (content(scores="0.5"),)),
    "scores that are texts": ("UPDATE folds SET content = ?", (content(scores={"a": "1"}),)),
    "a score that is true": ("UPDATE folds SET content = ?", (content(scores=True),)),
    "seconds that are a list": ("UPDATE folds SET content = ?", (content(fit_seconds=[1]),)),
    "negative seconds": ("UPDATE folds SET content = ?", (content(fit_seconds=-1),)),
    "a failure that is a number": ("UPDATE folds SET content = ?", (content(failure=1),)),
    "a result of no fold": ("UPDATE folds SET fold = 9 WHERE fold = 0", ()),
    "predictions for others": ("UPDATE folds SET predictions = ?", (npy(np.ones(3)),)),
    "predictions of pointers": (
        "UPDATE folds SET predictions = ?",
        (npy(np.array([{}, {}], dtype=object), allow_pickle=True),),
    ),
    "a later version": ("PRAGMA user_version = 99", ()),
    "another application": ("PRAGMA application_id = 1", ()),
    "no table": ("DROP TABLE folds", ()),
    "another table": ("ALTER TABLE folds RENAME COLUMN content TO something", ()),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_told(path, damage):
    statement, values = DAMAGES[damage]
    change(path, statement, *values)
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match="damaged|no checkpoint") as caught:
        open_journal(path, FINGERPRINT, n_rows=6)
    assert str(path) in str(caught.value) and "Give another path" in str(caught.value)
    assert path.read_bytes() == before
    # It is not locked, though the traceback lives.
    change(path, "PRAGMA user_version = 1")
    assert not os.path.exists("/tmp/evil")


def test_the_place_of_the_damage_is_told(path):
    change(path, "UPDATE folds SET content = ? WHERE key = '1'", content(scores="0.5"))
    with pytest.raises(CheckpointError, match=r"in folds, at row 3: ValueError: scores is '0.5'"):
        open_journal(path, FINGERPRINT)


def test_no_model_comes_from_a_checkpoint(path):
    """A path in the file is not read, and nothing else that has no place in it."""
    change(path, "UPDATE folds SET content = ?", content(model="/etc/passwd", error="x", stop=True))
    journal = open_journal(path, FINGERPRINT)
    assert len(journal.folds) == 4
    for result in journal.folds.values():
        assert result.model == "" and result.error is None and result.stop is False
    journal.close()


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 2**20), bytes_=st.binary(min_size=1, max_size=40))
def test_whatever_happens_to_the_bytes(tmp_path_factory, place, bytes_):
    """A checkpoint is sound, or refused by name."""
    path = tmp_path_factory.mktemp("altered") / "checkpoint"
    path.write_bytes(whole(tmp_path_factory))
    with open(path, "r+b") as file:
        file.seek(place % os.path.getsize(path))
        file.write(bytes_)
    try:
        journal = open_journal(path, FINGERPRINT, n_rows=6)
    except CheckpointError as error:
        assert "checkpoint" in str(error)
    else:
        journal.close()


_whole = []


def whole(tmp_path_factory):
    if not _whole:
        path = tmp_path_factory.mktemp("whole") / "checkpoint"
        journal = open_journal(path, FINGERPRINT)
        fill(journal, 5)
        journal.close()
        _whole.append(path.read_bytes())
    return _whole[0]


def test_only_its_owner_can_read_it(path):
    assert os.stat(path).st_mode & 0o777 == 0o600
    with sqlite3.connect(path) as connection:
        (mark,) = connection.execute("PRAGMA application_id").fetchone()
    assert mark == int.from_bytes(b"skmc", "big")


def test_nothing_is_written_before_the_search_begins(tmp_path):
    path = tmp_path / "checkpoint"
    journal = open_journal(path, FINGERPRINT)
    assert os.path.getsize(path) == 0
    with pytest.raises(CheckpointError, match="Another search may be using it"):
        open_journal(path, FINGERPRINT)
    journal.close()
    assert not path.exists()
    # A file that was there stays.
    path.touch()
    open_journal(path, {}).close()
    assert path.exists()


def test_another_search_is_refused_before_anything_is_written(path):
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(CheckpointError, match="it differs in cv"):
            open_journal(path, {**FINGERPRINT, "cv": "3"})
    assert path.read_bytes() == before
    journal = open_journal(path, FINGERPRINT)
    check_fingerprint(journal, FINGERPRINT, "it")
    journal.close()


@pytest.mark.parametrize("kind", ["text", "database", "folder", "missing folder"])
def test_no_checkpoint_at_all(tmp_path, kind):
    path = tmp_path / "something"
    if kind == "text":
        path.write_text("something of mine" * 100)
    elif kind == "database":
        change(path, "CREATE TABLE mine (a)")
    elif kind == "folder":
        path.mkdir()
    else:
        path = path / "checkpoint"
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(CheckpointError, match="something"):
        open_journal(path, FINGERPRINT)
    if before is not None:
        assert path.read_bytes() == before


def test_odd_results_can_be_kept(tmp_path):
    path = tmp_path / "checkpoint"
    journal = open_journal(path, {})
    journal.begin(META, [(np.array([True, False] * 3), np.array([False, True] * 3))])
    odd = FoldResult("invalid", {"a": np.float32(0.5), "b": np.inf}, np.nan, np.float64(1.0))
    odd.classes = np.array(["x", "longer"], dtype=object)
    odd.predictions = np.asfortranarray(np.ones((3, 2), dtype=np.float32))
    journal.add_fold("a", 0, odd)
    journal.close()
    again = open_journal(path, {}, n_rows=6)
    found = again.folds["a", 0]
    assert found.scores == {"a": 0.5, "b": np.inf} and list(found.classes) == ["x", "longer"]
    assert found.predictions.dtype == np.float32
    np.testing.assert_array_equal(again.splits[0][0], [True, False] * 3)
    again.close()


# A disk that is full, or away.


class Failing:
    """A connection that refuses to write while it is told to."""

    def __init__(self, connection):
        self.connection, self.full = connection, True

    def execute(self, statement, *values):
        if self.full and statement.startswith(("INSERT", "CREATE", "COMMIT")):
            raise sqlite3.OperationalError("database or disk is full")
        return self.connection.execute(statement, *values)

    @property
    def in_transaction(self):
        return self.connection.in_transaction

    def close(self):
        self.connection.close()


@pytest.mark.parametrize("full_from", ["the start", "the second candidate"])
@pytest.mark.parametrize("recovers", ["at the next fold", "at the end", "never"])
def test_a_full_disk(tmp_path, full_from, recovers):
    path = tmp_path / "checkpoint"
    journal = open_journal(path, FINGERPRINT)
    if full_from != "the start":
        fill(journal, 1)
    disk = journal.connection = Failing(journal.connection)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fill(journal, 2)
        journal.begin(META, SPLITS)
        for number in (2, 3):
            journal.add_trial(StoredTrial(number, str(number), {}))
            journal.add_fold(str(number), 0, FoldResult("ok", 1.0))
            if recovers == "at the next fold":
                disk.full = False
        disk.full = recovers == "never"
        assert len(journal.folds) == 6, "the search goes on"
        journal.close()
    texts = [str(own.message) for own in caught if own.category is FallbackWarning]
    assert len(texts) == 1 and str(path) in texts[0] and "disk is full" in texts[0]
    if recovers == "never":
        if full_from == "the start":
            assert not path.exists()
            return
        again = open_journal(path, FINGERPRINT)
        assert len(again.folds) == 2 and len(again.trials) == 1
    else:
        again = open_journal(path, FINGERPRINT)
        assert len(again.folds) == 6 and len(again.trials) == 4
    again.close()


@pytest.mark.parametrize("away", ["file", "folder"])
def test_a_file_that_is_removed_meanwhile(tmp_path, away):
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "checkpoint"
    journal = open_journal(path, FINGERPRINT)
    fill(journal, 1)
    path.unlink()
    if away == "folder":
        shutil.rmtree(folder)
        with pytest.warns(FallbackWarning, match="goes on"):
            fill(journal, 2)
        folder.mkdir()
    fill(journal, 3)
    journal.close()
    again = open_journal(path, FINGERPRINT)
    assert len(again.folds) == 6 and len(again.trials) == 3
    assert os.stat(path).st_mode & 0o777 == 0o600
    again.close()


def test_another_file_in_its_place_is_left_alone(path):
    journal = open_journal(path, FINGERPRINT)
    path.unlink()
    path.write_text("mine")
    with pytest.warns(FallbackWarning, match="another file has taken its place"):
        fill(journal, 3)
    journal.close()
    assert path.read_text() == "mine" and len(journal.folds) == 6


def test_a_limit_of_file_size(tmp_path):
    """The real thing: the system refuses to write."""
    code = (
        "import resource, sys, warnings\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "from test_checkpoint_file import *\n"
        "journal = open_journal(sys.argv[1], FINGERPRINT)\n"
        "fill(journal, 2)\n"
        "size = os.path.getsize(sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size, -1))\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    fill(journal, 200)\n"
        "print(len(caught), len(journal.folds))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))\n"
        "journal.close()\n"
        "print(len(open_journal(sys.argv[1], FINGERPRINT).folds))\n"
    )
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "checkpoint", os.path.dirname(__file__)],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["1", "400", "400"], done
