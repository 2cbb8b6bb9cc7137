"""What is shared can be read first, and holds no data."""

import json
from dataclasses import replace

import numpy as np
import pytest

from sk_metalearn.exceptions import KnowledgeError, KnowledgeWarning
from sk_metalearn.knowledge import KnowledgeBase, share_records


def test_lines_hold_everything(base, tmp_path):
    path = tmp_path / "shared.jsonl"
    base.save(path)
    assert len(path.read_text().splitlines()) == len(list(share_records(base)))
    again = KnowledgeBase.open(path)
    for report in again.diff(base).values():
        assert not any(report.values())
    for kind in base.kinds:
        table, other = base.table(kind), again.table(kind)
        columns = other.columns_of(table.configurations)
        metric = table.fold_metrics[0]
        assert np.array_equal(
            other.fold_scores(metric)[:, columns], table.fold_scores(metric), equal_nan=True
        )
        assert np.allclose(other.seconds[:, columns], table.seconds, equal_nan=True)
    assert again.sources == base.sources
    assert [task.family for task in again.tasks] == [task.family for task in base.tasks]


def test_missing_folds_stay_missing_and_seeds_stay(parts, tmp_path):
    nan = np.nan
    tasks, pools, evaluations, _ = parts(3, 1, ("classification",))
    folds = [(0.9, nan, 0.1), (0.9, 0.1, nan), (0.9, 0.1)]
    evaluations = [
        replace(own, seed=5, metrics={"accuracy": (0.5,) * len(f), "roc_auc_ovr": f})
        for own, f in zip(evaluations, folds, strict=True)
    ]
    base = KnowledgeBase.from_evaluations(tasks, pools, evaluations)
    base.save(tmp_path / "lines.jsonl")
    base.save(tmp_path / "kb.npz")
    saved = KnowledgeBase.open(tmp_path / "kb.npz")
    for own in (base, KnowledgeBase.open(tmp_path / "lines.jsonl"), saved):
        table = own.table("classification")
        scores = table.scores("roc_auc_ovr")[:, 0]
        assert np.allclose(scores, [nan, nan, 0.5], equal_nan=True)
        assert np.allclose(
            table.fold_scores("roc_auc_ovr")[:, 0],
            [[0.9, nan, 0.1], [0.9, 0.1, nan], [0.9, 0.1, nan]],
            equal_nan=True,
        )
        assert np.allclose(table.scores("accuracy"), 0.5)
        assert [e.seed for e in table.evaluations()] == [5, 5, 5]


def test_anonymous_records_name_nothing(base):
    records = list(share_records(base, anonymous=True))
    text = "\n".join(json.dumps(record) for record in records)
    for task in base.tasks:
        assert task.id not in text and task.name not in text and task.family not in text
        assert str(task.openml_id) not in text
    assert "machine A" not in text and "invented" not in text
    # Kin stay kin: a later judgement can still leave them out together.
    tasks = [own for own in records if own["record"] == "task"]
    families = [own["family"] for own in tasks]
    assert len(set(families)) == len({task.family for task in base.tasks})
    assert sorted(map(families.count, set(families))) == [2] * 6
    # The salt is drawn anew: nobody can tell an id by trying all ids.
    again = [own for own in share_records(base, anonymous=True) if own["record"] == "task"]
    assert not {own["id"] for own in tasks} & {own["id"] for own in again}


def test_anonymous_lines_hold_the_same_scores(base, tmp_path):
    base.save(tmp_path / "a.jsonl", anonymous=True)
    again = KnowledgeBase.open(tmp_path / "a.jsonl")
    for kind in base.kinds:
        here, there = base.table(kind), again.table(kind)
        metric = here.metrics[0]
        columns = there.columns_of(here.configurations)
        assert np.allclose(
            np.sort(np.nanmean(here.scores(metric), axis=1)),
            np.sort(np.nanmean(there.scores(metric)[:, columns], axis=1)),
        )


def test_only_descriptions_and_scores_leave(base):
    kinds = {record["record"] for record in share_records(base)}
    assert kinds == {
        "format",
        "source",
        "task",
        "configuration",
        "metafeatures",
        "evaluation",
        "end",
    }
    for record in share_records(base):
        if record["record"] == "metafeatures":
            assert all(isinstance(value, float) for value in record["values"].values())


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "",
        '{"record": "task"}',
        '{"record": "secret"}',
        "[1, 2]",
        '{"record": "format"}',
        '{"record": "metafeatures", "task": [], "values": {}}',
        '{"record": "evaluation", "task": "a", "configuration": "b", "status": []}',
        '{"record": "configuration", "family": "svm", "params": null, "preprocessing": {}}',
        "[" * 100_000,
        '{"record": "task", "id": "a", "name": "a", "kind": "regression", "family": "a", '
        '"n_rows": 1e999, "n_features": 1}',
        '{"record": "task", "id": "' + "a" * 2_000_000 + '"}',
    ],
)
def test_a_bad_line_costs_that_line_and_is_named(base, tmp_path, line):
    path = tmp_path / "shared.jsonl"
    base.save(path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:3], line, *lines[3:], ""]))
    with pytest.warns(KnowledgeWarning, match=r"shared\.jsonl', line 4"):
        again = KnowledgeBase.open(path)
    assert again.tasks == base.tasks
    assert any("line 4" in problem for problem in again.check())


def test_lines_that_were_cut_short_are_noticed(base, tmp_path):
    path = tmp_path / "shared.jsonl"
    base.save(path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-20]) + "\n")
    with pytest.warns(KnowledgeWarning, match="lines are missing"):
        KnowledgeBase.open(path)


@pytest.mark.parametrize("first", ["", "{}", "[]", '{"record":"format","format":"x","version":1}'])
def test_lines_of_another_kind_are_refused(tmp_path, first):
    path = tmp_path / "other.jsonl"
    path.write_text(first + "\n" + '{"a": 1}')
    with pytest.raises(KnowledgeError, match=r"other\.jsonl', line 1"):
        KnowledgeBase.open(path)


def test_lines_of_the_first_version_are_read(base, tmp_path):
    path = tmp_path / "old.jsonl"
    base.save(path)
    lines = path.read_text().splitlines()
    lines[0] = lines[0].replace('"version":2', '"version":1')
    path.write_text("\n".join(lines[:-1]))
    assert KnowledgeBase.open(path).tasks == base.tasks


def test_an_empty_base_is_shared_as_nothing():
    assert [own["record"] for own in share_records(KnowledgeBase())] == ["format", "end"]
