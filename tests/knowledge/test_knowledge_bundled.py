"""The knowledge that comes with the package."""

import numpy as np
import pytest

from sk_metalearn.knowledge import KnowledgeBase, Status, excluded_tasks
from sk_metalearn.knowledge._bundled import read_bundled
from sk_metalearn.spaces import load_pool


@pytest.fixture(scope="module")
def bundled():
    return KnowledgeBase.bundled()


def test_it_is_sound(bundled):
    assert bundled.check() == []
    assert bundled.kinds == ("classification", "regression")
    assert all(source.licence for source in bundled.sources)


def test_it_holds_none_of_scikit_learns_datasets(bundled):
    assert excluded_tasks(bundled.tasks) == []


def test_it_is_small():
    assert read_bundled()[1].stat().st_size <= 8_000_000


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_its_columns_are_the_pool(bundled, kind):
    table = bundled.table(kind)
    pool = load_pool(kind)
    assert set(pool) <= set(table.configurations) <= {*pool, *load_pool(kind, optional=True)}
    named = {own.family for own in table.configurations}
    assert {"lightgbm", "xgboost", "catboost"} <= named
    assert table.configurations[0] == pool[0] and pool[0].family == "dummy"
    metric = table.nearest_metric(None)[0]
    measured = (table.status != Status.missing).any(axis=1)
    assert np.isfinite(table.baseline(metric)[measured]).mean() > 0.95
    applicable = table.status[(table.status != 0) & (table.status != Status.not_applicable)]
    assert (applicable == Status.ok).mean() >= 0.97


def test_some_model_beats_the_dummy_nearly_everywhere(bundled):
    table = bundled.table("classification")
    scores = table.scores("roc_auc_ovr")
    scores = scores[np.isfinite(scores).any(axis=1)]
    best = np.where(np.isfinite(scores), scores, -np.inf).max(axis=1)
    assert (best > 0.55).mean() > 0.9
    baseline = table.baseline("roc_auc_ovr")
    assert np.allclose(baseline[np.isfinite(baseline)], 0.5, atol=1e-3)


def test_each_base_is_its_own_and_shares_the_arrays():
    first, second = KnowledgeBase.bundled(), KnowledgeBase.bundled()
    assert first is not second
    assert first.table("regression") is second.table("regression")
