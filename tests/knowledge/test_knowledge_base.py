"""The knowledge base: tables, leaving out, merging, recording, counting."""

import copy
import math
import pickle
from dataclasses import replace

import numpy as np
import pytest

from sk_metalearn.exceptions import KnowledgeError, KnowledgeWarning
from sk_metalearn.knowledge import (
    Evaluation,
    KnowledgeBase,
    Source,
    Status,
    Task,
    _bundled,
    task_id,
)


def test_scores_are_means_over_folds(parts):
    tasks, pools, evaluations, metafeatures = parts()
    base = KnowledgeBase.from_evaluations(tasks, pools, evaluations, metafeatures)
    table = base.table("classification")
    assert table.configurations == pools["classification"]
    by_key = {(own.task, own.configuration): own for own in evaluations}
    for i, task in enumerate(table.tasks):
        for j, configuration in enumerate(table.configurations):
            own = by_key[task.id, configuration.id]
            assert table.status[i, j] == own.status
            assert table.seconds[i, j] == pytest.approx(own.seconds)
            for metric in ("accuracy", "f1_macro", "neg_log_loss"):
                score = table.scores(metric)[i, j]
                if own.status == Status.ok:
                    assert score == pytest.approx(np.mean(own.metrics[metric]))
                    assert table.scores("outer:" + metric)[i, j] == own.outer[metric][0]
                else:
                    assert math.isnan(score)
            folds = table.fold_scores("accuracy")[i, j]
            expected = own.metrics.get("accuracy", (math.nan,) * 3)
            assert np.array_equal(folds, expected, equal_nan=True)
    row = table.metafeatures[2]
    named = dict(zip(table.metafeature_names, row, strict=True))
    assert named["probe_one_nn"] == metafeatures[table.tasks[2].id]["probe_one_nn"]


def test_failures_can_count_as_the_dummy(base):
    table = base.table("regression")
    failed = table.status == Status.timeout
    assert failed.any()
    scores = table.scores("r2", failures="dummy")
    assert np.isfinite(scores).all()
    expected = np.broadcast_to(table.baseline("r2")[:, None], scores.shape)
    assert np.array_equal(scores[failed], expected[failed])
    assert np.array_equal(scores[~failed], table.scores("r2")[~failed])
    outside = table.scores("outer:r2", failures="dummy")
    dummy = [own.family for own in table.configurations].index("dummy")
    assert np.array_equal(table.baseline("outer:r2"), table.scores("outer:r2")[:, dummy])
    assert np.array_equal(
        outside[failed], np.broadcast_to(outside[:, [dummy]], failed.shape)[failed]
    )
    with pytest.raises(KnowledgeError, match="failures is"):
        table.scores("r2", failures="zero")


def test_baseline_without_a_dummy_is_unknown(base):
    table = base.table("regression").take(columns=[1, 2])
    assert np.isnan(table.baseline("r2")).all()


def test_unknown_metric_lists_those_stored(base):
    table = base.table("classification")
    with pytest.raises(KnowledgeError, match=r"'recall'.*accuracy.*nearest_metric"):
        table.scores("recall")
    with pytest.raises(KnowledgeError, match="fold"):
        table.fold_scores("f1_macro")
    assert table.nearest_metric("roc_auc") == ("accuracy", False)


def test_arrays_are_read_only(base):
    with pytest.raises(ValueError, match="read-only"):
        base.table("classification").scores("accuracy")[0, 0] = 2.0


def test_columns_and_rows_by_id(base):
    table = base.table("classification")
    some = [table.configurations[3], table.configurations[0].id, "unknown"]
    assert table.columns_of(some).tolist() == [3, 0, -1]
    assert table.row(table.tasks[4].id) == 4
    with pytest.raises(KnowledgeError, match="No classification task"):
        table.row("nothing")


def test_take_keeps_cells_together(base):
    table = base.table("classification")
    part = table.take([4, 1], [2, 0])
    assert part.tasks == (table.tasks[4], table.tasks[1])
    assert np.array_equal(part.status, table.status[np.ix_([4, 1], [2, 0])])
    folds = table.fold_scores("accuracy")[np.ix_([4, 1], [2, 0])]
    assert np.array_equal(part.fold_scores("accuracy"), folds, equal_nan=True)
    assert np.array_equal(part.metafeatures, table.metafeatures[[4, 1]], equal_nan=True)


def test_without_a_member_leaves_out_its_family(base):
    first, kin = base.table("classification").tasks[:2]
    assert first.family == kin.family
    for options in (
        {"families": [first.family.upper().replace(" ", "_")]},
        {"openml_ids": [first.openml_id]},
        {"tasks": [first.id]},
        {"tasks": [first.name]},
        {"tasks": [first]},
    ):
        less = base.without(**options)
        left = {task.id for task in less.tasks}
        assert first.id not in left and kin.id not in left
        assert len(left) == len(base.tasks) - 2
        assert less.left_out == {first.family}
        scores = less.table("classification").scores("accuracy")
        assert np.array_equal(
            scores, base.table("classification").scores("accuracy")[2:], equal_nan=True
        )
        again = less.without(**options)
        assert again.left_out == less.left_out


def test_an_unknown_openml_id_is_warned_of(base):
    known = base.tasks[0]
    with pytest.warns(KnowledgeWarning, match=r"ids \[987654321\].*tasks=") as caught:
        less = base.without(openml_ids=[987_654_321, known.openml_id])
    assert caught[0].filename == __file__
    assert less.left_out == {known.family}


def test_without_nothing_is_everything(base):
    less = base.without()
    assert [task.id for task in less.tasks] == [task.id for task in base.tasks]


def test_without_a_task_from_elsewhere(base):
    known = base.table("regression").tasks[2]
    stranger = Task("f" * 12, "x", "regression", "", known.n_rows, known.n_features, 0)
    assert base.without(tasks=[stranger]).left_out == {known.family}


def test_without_explains_what_is_unknown(base):
    with pytest.raises(KnowledgeError, match="Did you mean 'classification family 0 1'"):
        base.without(families=["classification family 0 11"])
    with pytest.raises(KnowledgeError, match="Unknown task 'nothing at all'"):
        base.without(tasks=["nothing at all"])
    with pytest.raises(KnowledgeError, match=r"families=\['iris'\]"):
        base.without(families="iris")
    with pytest.raises(KnowledgeError, match=r"Write tasks=\[Task\("):
        base.without(tasks=base.tasks[0])


def test_merge_unites_tasks_configurations_and_cells(parts):
    tasks, pools, evaluations, metafeatures = parts()
    kind = "classification"
    halves = [
        KnowledgeBase.from_evaluations(
            tasks[start::2],
            {kind: pools[kind][: 5 + 3 * start]},
            [
                own
                for own in evaluations
                if own.task in {task.id for task in tasks[start::2] if task.kind == kind}
                and own.configuration in {c.id for c in pools[kind][: 5 + 3 * start]}
            ],
            metafeatures,
            sources=[Source(f"half {start}")],
        )
        for start in (0, 1)
    ]
    merged = halves[0].merge(halves[1])
    table, whole = merged.table(kind), KnowledgeBase.from_evaluations(*parts()).table(kind)
    rows = [whole.row(task.id) for task in table.tasks]
    assert sorted(rows) == list(range(6))
    columns = whole.columns_of(table.configurations)
    measured = table.status != Status.missing
    assert measured.sum() == 3 * 5 + 3 * 8
    for metric in ("accuracy", "f1_macro"):
        expected = np.where(measured, whole.scores(metric)[np.ix_(rows, columns)], np.nan)
        assert np.array_equal(table.scores(metric), expected, equal_nan=True)
    assert [own.name for own in merged.sources] == ["half 1", "half 0"]
    assert merged.diff(halves[0])["classification/main"]["cells_only_here"] == 24
    assert halves[0].diff(merged)["classification/main"]["cells_only_there"] == 24


def test_merge_keeps_the_first_unless_only_the_second_went_well(parts):
    tasks, pools, evaluations, _ = parts(1, 2, ("classification",))
    good = replace(evaluations[1], status="ok", metrics={"accuracy": (0.9,) * 3}, source="a")
    better = replace(good, metrics={"accuracy": (0.99,) * 3}, source="b", machine="machine B")
    bad = replace(good, status="crashed", metrics={}, source="b")

    def score(*order):
        bases = [KnowledgeBase.from_evaluations(tasks, pools, [own]) for own in order]
        table = bases[0].merge(bases[1]).table("classification")
        return table.scores("accuracy")[0, 1], table.sources[table.origin[0, 1]]

    assert score(good, better) == (pytest.approx(0.9), "a")
    assert score(better, good) == (pytest.approx(0.99), "b")
    assert score(bad, good) == (pytest.approx(0.9), "a")
    assert score(good, bad) == (pytest.approx(0.9), "a")


def test_more_than_256_sources_and_machines(parts, tmp_path):
    tasks, pools, (own, *_), _ = parts(1, 1, ("classification",))
    tasks = [replace(tasks[0], id=f"{i:012x}", name=f"task {i}", openml_id=i) for i in range(400)]
    evaluations = [
        replace(own, task=task.id, source=f"source {i}", machine=f"machine {i}")
        for i, task in enumerate(tasks)
    ]
    whole = KnowledgeBase.from_evaluations(tasks, pools, evaluations)
    halves = [
        KnowledgeBase.from_evaluations(tasks[part], pools, evaluations[part])
        for part in (slice(200), slice(200, None))
    ]
    merged = halves[0].merge(halves[1])
    merged.save(tmp_path / "kb.npz")
    for base in (whole, merged, KnowledgeBase.open(tmp_path / "kb.npz")):
        table = base.table("classification")
        assert table.origin.dtype == table.machine.dtype == np.uint16
        for i, task in enumerate(table.tasks):
            number = int(task.id, 16)
            assert table.sources[table.origin[i, 0]] == f"source {number}"
            assert table.machines[table.machine[i, 0]] == f"machine {number}"
    assert halves[0].table("classification").origin.dtype == np.uint8


def test_a_cell_measured_twice_keeps_what_went_well(parts):
    tasks, pools, evaluations, _ = parts(1, 2, ("classification",))
    good = replace(evaluations[1], status="ok", metrics={"accuracy": (0.9,) * 3})
    bad = replace(good, status="memory", metrics={})
    for order in ([good, bad], [bad, good]):
        table = KnowledgeBase.from_evaluations(tasks, pools, order).table("classification")
        assert table.status[0, 1] == Status.ok
        assert table.scores("accuracy")[0, 1] == pytest.approx(0.9)
    later = replace(good, metrics={"accuracy": (0.1,) * 3})
    table = KnowledgeBase.from_evaluations(tasks, pools, [bad, good, later])
    assert table.table("classification").scores("accuracy")[0, 1] == pytest.approx(0.9)


def test_diff_counts_changed_cells(parts):
    tasks, pools, evaluations, metafeatures = parts()
    changed = list(evaluations)
    at = next(i for i, own in enumerate(changed) if own.status == Status.ok)
    changed[at] = replace(changed[at], metrics={"accuracy": (0.0, 0.0, 0.0)})
    here = KnowledgeBase.from_evaluations(tasks, pools, evaluations, metafeatures)
    there = KnowledgeBase.from_evaluations(tasks, pools, changed, metafeatures)
    report = here.diff(there)
    assert report["classification/main"]["cells_changed"] == 1
    assert report["regression/main"]["cells_changed"] == 0
    assert report["classification/main"]["tasks_only_here"] == []


def test_record_adds_to_the_base(base, parts):
    _, pools, _, _ = parts()
    task = Task(task_id("mine"), "mine", "classification", "mine", 333, 9, 3)
    known = pools["classification"][3]
    new = replace(known, params={**known.params, "learning_rate": 0.123})
    own = [
        Evaluation(task.id, c.id, "ok", {"accuracy": (0.7, 0.8)}, source="user")
        for c in (known, new)
    ]
    with pytest.raises(KnowledgeError, match="unknown configurations"):
        base.record(task, own)
    base.record(task, own, {"log_n_rows": 5.8}, configurations=[new])
    table = base.table("classification")
    i = table.row(task.id)
    columns = table.columns_of([known, new])
    assert np.allclose(table.scores("accuracy")[i, columns], 0.75)
    assert np.isnan(np.delete(table.scores("accuracy")[i], columns)).all()
    assert base.without(tasks=["mine"]).left_out == {"mine"}
    with pytest.raises(KnowledgeError, match="other tasks"):
        base.record(replace(task, id="0" * 12), own)


def test_evaluations_of_unknown_things_are_refused(parts):
    tasks, pools, evaluations, _ = parts()
    with pytest.raises(KnowledgeError, match="speaks of the task"):
        KnowledgeBase.from_evaluations(tasks[1:], pools, evaluations)
    with pytest.raises(KnowledgeError, match="speaks of the configuration"):
        KnowledgeBase.from_evaluations(tasks, {"regression": pools["regression"]}, evaluations)


def test_a_flat_list_keeps_the_configurations_measured(parts):
    tasks, pools, evaluations, _ = parts()
    flat = [*pools["regression"], *pools["classification"]]
    base = KnowledgeBase.from_evaluations(tasks, flat, evaluations)
    for kind, pool in pools.items():
        assert {c.id for c in base.table(kind).configurations} == {c.id for c in pool}


def test_fidelities_are_tables_of_their_own(parts):
    tasks, pools, evaluations, _ = parts()
    own = replace(evaluations[0], fidelity="small")
    base = KnowledgeBase.from_evaluations(tasks, pools, [*evaluations, own])
    assert base.fidelities("classification") == ("main", "small")
    small = base.table("classification", "small")
    assert (len(small.tasks), len(small.configurations)) == (1, 1)
    with pytest.raises(KnowledgeError, match="no regression tasks at fidelity 'small'"):
        base.table("regression", "small")
    with pytest.raises(KnowledgeError, match="kind must be"):
        base.table("ranking")


def test_summary_counts(base):
    summary = base.summary()
    for entry in summary["tables"]:
        table = base.table(entry["kind"])
        assert entry["tasks"] == 6 and entry["families"] == 3 and entry["cells"] == 48
        ok = int((table.status == Status.ok).sum())
        assert entry["status"]["ok"] == ok
        assert entry["ok_share"] == pytest.approx(ok / 48)
        assert entry["cpu_hours"] == pytest.approx(table.seconds.sum() * 3 / 3600)
    (source,) = summary["sources"].values()
    assert source["cells"] == 96 and source["licence"] == "BSD-3-Clause"
    assert "6 tasks of 3 families x 8 configurations, 48 cells" in repr(summary)


def test_check_finds_contradictions(base, parts):
    assert base.check() == []
    tasks, pools, evaluations, _ = parts()
    wrong = [
        replace(own, metrics={**own.metrics, "accuracy": (1.5,) * 3})
        if own.status == Status.ok
        else own
        for own in evaluations
    ]
    bad = KnowledgeBase.from_evaluations(tasks, pools, wrong, sources=[Source("another")])
    problems = "\n".join(bad.check())
    assert "values of accuracy outside [0, 1]" in problems
    assert "sources without a description: ['invented']" in problems


def test_to_frame(base):
    frame = base.to_frame("regression")
    assert len(frame) == 48
    table = base.table("regression")
    row = frame.iloc[10]
    j = table.columns_of([row["configuration"]])[0]
    assert row["r2"] == table.scores("r2")[table.row(row["task"]), j] or row["status"] != "ok"
    assert set(frame["status"]) == {"ok", "timeout"}


def test_pickle_and_deepcopy(base, tmp_path):
    again = pickle.loads(pickle.dumps(base))
    assert again.diff(base) == base.diff(base)
    assert copy.deepcopy(base) is base
    base.save(tmp_path / "kb.npz")
    opened = pickle.loads(pickle.dumps(KnowledgeBase.open(tmp_path / "kb.npz")))
    assert opened.table("regression").scores("r2").shape == (6, 8)


def test_empty_base():
    base = KnowledgeBase()
    assert base.kinds == () and base.tasks == () and base.check() == []
    assert repr(base) == "<KnowledgeBase: empty>"
    assert repr(base.summary()) == "an empty knowledge base"


def test_bundled_says_when_it_is_missing(monkeypatch):
    _bundled.read_bundled.cache_clear()
    monkeypatch.setattr(_bundled, "_NAME", "nothing.npz")
    with pytest.raises(KnowledgeError, match="no bundled knowledge"):
        KnowledgeBase.bundled()
    _bundled.read_bundled.cache_clear()
