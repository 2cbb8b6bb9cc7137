"""The designed slice of the pool, and how its boosting is measured."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_wine

from sk_metalearn.building._measure import measure_fold
from sk_metalearn.building._pool_further import UNFINISHED, design_further
from sk_metalearn.building._run import _Cell, _effort, plan, run
from sk_metalearn.building._tasks import TaskSource, list_tasks, prepare
from sk_metalearn.exceptions import KnowledgeError
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
def test_it_is_one_more_slice_of_the_catalogue(kind):
    further, space = design_further(kind), catalogue_space(kind)
    assert len({own.id for own in further}) == len(further) == SLICE
    assert not {*further} & {*load_pool(kind)}
    assert all(space.contains(to_point(own)) for own in further)


def test_it_is_measured_where_it_is_asked_for(tmp_path):
    sources = [TaskSource(tmp_path / "a.csv", "a", "classification", "a", 200)]
    numbers = {further: [p[1] for p in plan(sources, further=further)] for further in (False, True)}
    assert numbers[True] == [*numbers[False], len(load_pool("classification")) // SLICE]


@pytest.mark.parametrize("other", [{"optional": True}, {"fidelity": "small"}])
def test_it_is_refused_where_it_has_no_place(tmp_path, other):
    with pytest.raises(KnowledgeError, match="further"):
        run(tmp_path, tmp_path / "shards", further=True, **other)


@pytest.mark.parametrize("kind", KINDS)
def test_unfinished_boosting_is_there_once_more_and_finished(kind):
    settings = [
        {**own.params, "max_iter": None, "early_stopping": None, **own.preprocessing}
        for own in design_further(kind)
        if is_stopped_by_folds(own)
    ]
    unfinished = [
        own
        for own in load_pool(kind)
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
