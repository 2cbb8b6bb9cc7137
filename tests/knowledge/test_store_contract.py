"""SQLite and PostgreSQL keep the same word."""

import sqlite3
from types import SimpleNamespace

import pytest

from sk_metalearn.knowledge import KnowledgeStore, _sqlite
from sk_metalearn.knowledge.testing import STORE_CHECKS, check_store


@pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
def test_stores(url, check):
    check(lambda: KnowledgeStore(url))


def test_all_checks_at_once(tmp_path):
    check_store(lambda place: KnowledgeStore(tmp_path / f"{place}.db"))


class Forgetful(KnowledgeStore):
    """Loses meta-features, and every second evaluation."""

    def add(self, tasks, configurations, evaluations, metafeatures=None, sources=()):
        super().add(tasks, configurations, list(evaluations)[::2], None, sources)


def test_a_store_that_loses_something_is_found(tmp_path):
    failed = []
    for check in STORE_CHECKS:
        try:
            check(lambda place=check.__name__: Forgetful(tmp_path / f"{place}.db"))
        except (AssertionError, LookupError):
            failed.append(check.__name__)
    assert {"check_added_is_read", "check_metafeatures_are_completed", "check_many_write"} <= set(
        failed
    )


class Locked:
    """A connection to a file that others hold, each longer than a writer waits."""

    def __init__(self, times, others_write):
        self.now, self.times, self.others_write, self.version = 0.0, times, others_write, 1

    def execute(self, statement):
        if statement == "PRAGMA data_version":
            return SimpleNamespace(fetchone=lambda: (self.version,))
        if self.times:
            self.times -= 1
            self.now += 5.0
            self.version += self.others_write
            raise sqlite3.OperationalError("database is locked")


@pytest.mark.parametrize(
    "times, others_write, comes", [(0, 0, True), (9, 1, True), (1, 0, False), (99, 1, False)]
)
def test_a_writer_waits_while_others_write(monkeypatch, times, others_write, comes):
    """It gives up on one that holds the file for its own patience, and on a queue without end."""
    locked = Locked(times, others_write)
    clock = SimpleNamespace(monotonic=lambda: locked.now, sleep=lambda seconds: None)
    monkeypatch.setattr(_sqlite, "time", clock)
    if comes:
        _sqlite._execute_patiently(locked, "BEGIN IMMEDIATE", 5.0)
    else:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            _sqlite._execute_patiently(locked, "BEGIN IMMEDIATE", 5.0)
        assert locked.now <= 12 * 5.0
