"""How the pool is designed, and how the boosting of its last slice is measured."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_wine

from sk_metalearn.building import _merge_shards, _run
from sk_metalearn.building._measure import measure_fold
from sk_metalearn.building._merge_shards import merge
from sk_metalearn.building._pool_design import DRAWN, design, design_optional
from sk_metalearn.building._pool_further import UNFINISHED, design_further, pool_to_measure
from sk_metalearn.building._run import _Cell, _effort, plan, run
from sk_metalearn.building._tasks import TaskSource, list_tasks, prepare
from sk_metalearn.search import StoppedPipeline
from sk_metalearn.spaces import (
    KINDS,
    SLICE,
    build_estimator,
    catalogue_space,
    is_stopped_by_folds,
    load_pool,
    to_point,
)


@pytest.mark.parametrize("kind", KINDS)
def test_the_pool_is_what_was_designed(kind):
    designed = design(kind, DRAWN[kind]) + design_further(kind)
    assert [*pool_to_measure(kind)] == designed and len(designed) % SLICE == 0
    pool = load_pool(kind)
    assert [*pool] == designed[: len(pool)] and len(pool) % SLICE == 0
    assert [*load_pool(kind, optional=True)] == design_optional(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_one_more_slice_of_the_catalogue(kind):
    whole, space = pool_to_measure(kind), catalogue_space(kind)
    assert len({own.id for own in whole}) == len(whole)
    assert all(space.contains(to_point(own)) for own in whole[1:])
    assert len(design_further(kind)) == SLICE


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_is_designed_is_measured(tmp_path, kind):
    sources = [TaskSource(tmp_path / "a.csv", "a", kind, "a", 200)]
    slices = [number for _, number, *_ in plan(sources, kinds=[kind])]
    assert slices == [*range(DRAWN[kind] + 1)]


def test_a_base_holds_what_is_no_part_of_the_pool_where_it_is_asked_to(tmp_path, monkeypatch):
    X, y = load_wine(return_X_y=True)
    table = pd.DataFrame(X, columns=[f"c{i}" for i in range(X.shape[1])])
    table["target"] = ["abc"[k] for k in y]
    table.to_parquet(tmp_path / "wine.parquet")
    outside = next(own for own in design_further("classification") if own.family == "k_neighbors")
    pool = load_pool("classification")[:1]
    monkeypatch.setattr(_run, "pool_to_measure", lambda kind: (*pool, outside))
    run(tmp_path, tmp_path / "shards", kinds=["classification"], n_workers=1, progress=False)
    monkeypatch.setattr(_merge_shards, "pool_to_measure", lambda kind: (*pool, outside))
    for beyond_pool, expected in ((False, pool), (True, (*pool, outside))):
        base = merge(tmp_path / "shards", beyond_pool=beyond_pool)
        assert tuple(base.table("classification").configurations) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_unfinished_boosting_is_there_once_more_and_finished(kind):
    settings = [
        {**own.params, "max_iter": None, "early_stopping": None, **own.preprocessing}
        for own in design_further(kind)
        if is_stopped_by_folds(own)
    ]
    unfinished = [
        own
        for own in design(kind, DRAWN[kind])
        if own.family == "hist_gradient_boosting"
        and own.params["learning_rate"] * own.params["max_iter"] < UNFINISHED
    ]
    assert len(unfinished) >= 5
    for own in unfinished:
        assert not is_stopped_by_folds(own)
        changed = {**own.params, "max_iter": None, "early_stopping": None, **own.preprocessing}
        assert changed in settings


@pytest.mark.parametrize("name", ["wine", "diabetes"])
def test_boosting_is_measured_as_a_search_grows_it(tmp_path, name):
    load = {"wine": load_wine, "diabetes": load_diabetes}[name]
    X, y = load(return_X_y=True)
    table = pd.DataFrame(X, columns=[f"c{i}" for i in range(X.shape[1])])
    table["target"] = np.array(["abc"[k] for k in y]) if name == "wine" else y
    table.to_parquet(tmp_path / f"{name}.parquet")
    (source,) = list_tasks(tmp_path)
    configuration = next(own for own in design_further(source.kind) if is_stopped_by_folds(own))
    record = measure_fold(source, "main", configuration.to_dict(), 1)
    task = prepare(source)
    train, test = task.fold(1)
    pipeline = build_estimator(configuration, task.schema, random_state=task.seed(1))
    model = StoppedPipeline(pipeline.steps).fit(
        task.X.iloc[train], task.y[train], X_val=task.X.iloc[test], y_val=task.y[test]
    )
    assert 1 < record["n_iter"] == model.n_iter < 1000
    metric = "accuracy" if source.kind == "classification" else "r2"
    expected = model.score(task.X.iloc[test], task.y[test])
    assert record["metrics"][metric] == pytest.approx(expected, rel=1e-5)
    plain = measure_fold(source, "main", load_pool(source.kind)[1].to_dict(), 1)
    assert "n_iter" not in plain


def test_a_timeout_says_nothing_of_trees_that_the_fold_decides(tmp_path):
    source = TaskSource(tmp_path / "a.csv", "a", "classification", "a", 200)
    own = next(own for own in design_further("classification") if is_stopped_by_folds(own))
    assert _effort(_Cell(source, "a", own, 1.0)) is None
    assert _effort(_Cell(source, "a", load_pool("classification")[1], 1.0)) is not None
