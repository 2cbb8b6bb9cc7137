"""SQLite and PostgreSQL keep the same word."""

import pytest

from sk_metalearn.knowledge import KnowledgeStore
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
