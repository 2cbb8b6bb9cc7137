"""What is shared can be read first, and holds no data."""

import json
from dataclasses import replace

import numpy as np
import pytest

from sk_metalearn.exceptions import KnowledgeError
from sk_metalearn.knowledge import KnowledgeBase, export_lines, read_lines, share_records
from sk_metalearn.knowledge._share import evaluations_of


def test_lines_hold_everything(base, tmp_path):
    path = tmp_path / "shared.jsonl"
    number = export_lines(base, path)
    assert number == len(path.read_text().splitlines()) == len(list(share_records(base)))
    again = read_lines(path)
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
    export_lines(base, tmp_path / "lines.jsonl")
    base.save(tmp_path / "kb.npz")
    saved = KnowledgeBase.open(tmp_path / "kb.npz")
    for own in (base, read_lines(tmp_path / "lines.jsonl"), saved):
        table = own.table("classification")
        scores = table.scores("roc_auc_ovr")[:, 0]
        assert np.allclose(scores, [nan, nan, 0.5], equal_nan=True)
        assert np.allclose(
            table.fold_scores("roc_auc_ovr")[:, 0],
            [[0.9, nan, 0.1], [0.9, 0.1, nan], [0.9, 0.1, nan]],
            equal_nan=True,
        )
        assert np.allclose(table.scores("accuracy"), 0.5)
        assert [e.seed for e in evaluations_of(table)] == [5, 5, 5]


def test_anonymous_records_name_nothing(base):
    text = "\n".join(json.dumps(record) for record in share_records(base, anonymous=True))
    tasks = [own for own in share_records(base, anonymous=True) if own["record"] == "task"]
    for task, own in zip(base.tasks, tasks, strict=True):
        assert task.name not in text and task.family not in text
        assert own["openml_id"] is None
    assert "machine A" not in text
    # Kin stay kin: a later judgement can still leave them out together.
    families = [own["family"] for own in tasks]
    assert len(set(families)) == len({task.family for task in base.tasks})
    assert families[0] == families[1] != families[2]


def test_only_descriptions_and_scores_leave(base):
    kinds = {record["record"] for record in share_records(base)}
    assert kinds == {"format", "source", "task", "configuration", "metafeatures", "evaluation"}
    for record in share_records(base):
        if record["record"] == "metafeatures":
            assert all(isinstance(value, float) for value in record["values"].values())


@pytest.mark.parametrize(
    "line",
    ["{", '{"record": "task"}', '{"record": "secret"}', "[1, 2]", '{"record": "format"}'],
)
def test_a_bad_line_is_named(base, tmp_path, line):
    path = tmp_path / "shared.jsonl"
    export_lines(base, path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:3], line, *lines[3:]]))
    with pytest.raises(KnowledgeError, match=r"shared\.jsonl', line 4"):
        read_lines(path)


def test_an_empty_base_is_shared_as_nothing():
    assert len(list(share_records(KnowledgeBase()))) == 1
