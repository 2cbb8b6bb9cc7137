"""The builder on real data: prepares tasks, measures the pool, resumes, merges."""

import json
import lzma
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.metrics import log_loss

from sk_metalearn.evaluation import unseen_probabilities
from sk_metalearn.exceptions import KnowledgeError
from sk_metalearn.knowledge import KnowledgeBase
from sk_metalearn.spaces import KINDS, SLICE, Configuration, build_estimator, load_pool

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

from sk_metalearn.building import _describe, _measure, _merge_shards, _run  # noqa: E402
from sk_metalearn.building._command import run_command  # noqa: E402
from sk_metalearn.building._describe import describe, read_metafeatures  # noqa: E402
from sk_metalearn.building._kept_predictions import KeptPredictions  # noqa: E402
from sk_metalearn.building._measure import measure_fold  # noqa: E402
from sk_metalearn.building._merge_shards import load_shards, merge  # noqa: E402
from sk_metalearn.building._run import plan, run  # noqa: E402
from sk_metalearn.building._shards import ShardWriter, read_shard, shard_files  # noqa: E402
from sk_metalearn.building._tasks import TaskSource, list_tasks, prepare  # noqa: E402
from sk_metalearn.building._verify import verify  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two small real datasets, as a user would lay them down."""
    path = tmp_path_factory.mktemp("data")
    wine = load_wine(as_frame=True).frame.iloc[::2]
    wine.assign(colour=np.where(wine["hue"] > 1, "dark", None)).to_parquet(path / "cellar.parquet")
    load_diabetes(as_frame=True).frame.iloc[::4].to_csv(path / "clinic.csv", index=False)
    return path


@pytest.fixture(scope="module")
def built(folder, tmp_path_factory):
    output = tmp_path_factory.mktemp("shards")
    assert run(folder, output, slices=[0], n_workers=2, niceness=0, progress=False)
    describe(folder, output)
    return output


def test_tasks_are_listed_with_their_kind(folder):
    sources = list_tasks(folder)
    assert [(s.name, s.kind) for s in sources] == [
        ("cellar", "classification"),
        ("clinic", "regression"),
    ]


def test_rows_and_folds_come_from_the_content_alone(folder, tmp_path):
    source = list_tasks(folder)[0]
    copy = tmp_path / "renamed.parquet"
    copy.write_bytes((folder / "cellar.parquet").read_bytes())
    first, again = prepare(source), prepare(list_tasks(tmp_path)[0])
    assert first.id == again.id
    np.testing.assert_array_equal(first.y, again.y)
    np.testing.assert_array_equal(first.fold_of, again.fold_of)


def test_folds_and_outer_split_are_disjoint_and_stratified(folder):
    for source in list_tasks(folder):
        task = prepare(source)
        assert not set(task.development) & set(task.outer)
        assert len(task.outer) == task.n_rows // 4
        tests = [task.fold(number)[1] for number in range(3)]
        assert sorted(np.concatenate(tests)) == sorted(task.development)
        for number in range(3):
            train, test = task.fold(number)
            assert not set(train) & set(test)
            if task.n_classes:
                shares = [np.bincount(task.y[rows]) / len(rows) for rows in (train, test)]
                np.testing.assert_allclose(*shares, atol=0.08)


def test_smaller_fidelities_are_subsets(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": np.arange(3000.0), "target": rng.normal(size=3000)})
    frame.to_parquet(tmp_path / "long.parquet")
    (source,) = list_tasks(tmp_path)
    rows = {f: prepare(source, f) for f in ("small", "main", "large")}
    values = {f: set(task.X["a"].iloc[task.development]) for f, task in rows.items()}
    assert [len(values[f]) for f in ("small", "main", "large")] == [500, 2000, 2250]
    assert values["small"] < values["main"] < values["large"]


def test_rare_classes_are_dropped_and_said(tmp_path):
    target = ["a"] * 40 + ["b"] * 40 + ["rare"]
    pd.DataFrame({"x": np.arange(81.0), "target": target}).to_csv(tmp_path / "t.csv", index=False)
    task = prepare(list_tasks(tmp_path)[0])
    assert task.dropped == ("rare",) and task.n_classes == 2
    assert set(task.y) == {0, 1}


def test_every_cell_is_measured_once(built):
    tasks, evaluations, provenance = load_shards(built)
    assert {task.name for task in tasks} == {"cellar", "clinic"}
    assert len(evaluations) == 2 * SLICE
    assert len({(e.task, e.configuration) for e in evaluations}) == 2 * SLICE
    assert {e.status.name for e in evaluations} <= {"ok", "not_applicable"}
    assert set(provenance["machines"]) and provenance["catalogue"] == 1


def test_running_again_measures_nothing_again(folder, built):
    before = {path.name: path.read_bytes() for path in shard_files(built)}
    assert run(folder, built, slices=[0], n_workers=1, progress=False)
    assert {path.name: path.read_bytes() for path in shard_files(built)} == before


def test_what_crashed_is_measured_again_when_asked(folder, built, tmp_path):
    path = next(path for path in shard_files(built) if "regression" in path.name)
    records = read_shard(path)
    broken = next(r for r in records if r.get("status") == "ok" and r["folds"])
    good = broken["folds"]
    broken.update(status="crashed", reason="ValueError: since repaired", folds=[])
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (tmp_path / path.name).write_bytes(lzma.compress(lines.encode()))
    options = {"kinds": ["regression"], "slices": [0], "n_workers": 1, "progress": False}
    assert run(folder, tmp_path, **options)
    assert len(shard_files(tmp_path)) == 1
    assert run(folder, tmp_path, again=True, **options)
    (further,) = tmp_path.glob("*-part2*")
    (cell,) = [r for r in read_shard(further) if "configuration" in r]
    assert [f["metrics"] for f in cell["folds"]] == [f["metrics"] for f in good]
    assert {e.status.name for e in load_shards(tmp_path)[1]} <= {"ok", "not_applicable"}


def test_measuring_again_gives_the_same_scores(folder, built):
    result = verify(folder, built, share=0.2)
    assert result.n_cells == round(0.2 * 2 * SLICE)
    assert result.n_exact == result.n_cells, str(result)


def test_merged_base_knows_what_was_measured(built, tmp_path):
    base = merge(built, tmp_path / "base.npz")
    opened = KnowledgeBase.open(tmp_path / "base.npz")
    for kind, metric in (("classification", "accuracy"), ("regression", "r2")):
        table = opened.table(kind)
        assert table.scores(metric).shape == (1, SLICE)
        np.testing.assert_allclose(
            table.scores(metric), base.table(kind).scores(metric), atol=1e-4, rtol=1e-3
        )
        assert table.scores(metric)[0].max() > table.scores(metric)[0, 0]
        assert np.isfinite(table.metafeatures).any()
    assert opened.check() == []


def test_kill_loses_and_doubles_nothing(folder, tmp_path):
    command = [sys.executable, "-m", "sk_metalearn", "kb", "build", "run", folder, tmp_path]
    command += ["--slices", "0", "--workers", "1", "--niceness", "0"]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and sum(map(_n_cells, shard_files(tmp_path))) < 8:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = sum(map(_n_cells, shard_files(tmp_path)))
    assert 8 <= kept < 2 * SLICE
    for journal in tmp_path.glob("*.jsonl"):
        journal.write_text(journal.read_text() + '{"task": "cut o')
    assert run(folder, tmp_path, slices=[0], n_workers=2, niceness=0, progress=False)
    cells = [r for p in shard_files(tmp_path) for r in read_shard(p) if "configuration" in r]
    assert len(cells) == len({(c["task"], c["configuration"]) for c in cells}) == 2 * SLICE


def _n_cells(path):
    return sum('"configuration"' in line for line in path.read_text(errors="ignore").splitlines())


def test_time_limit_stops_and_says_so(folder, tmp_path):
    assert not run(folder, tmp_path, time_limit=0.0, n_workers=1, progress=False)


def test_parts_share_the_work():
    sources = [
        TaskSource(f"{n}.parquet", f"data{n}", kind, f"data{n}", n_rows=100 * n)
        for n in range(40)
        for kind in ("classification", "regression")
    ]
    whole = plan(sources)
    parts = [plan(sources, shard=f"{i}/3") for i in range(3)]
    assert sorted(len(part) for part in parts)[-1] - len(whole) // 3 <= 1
    key = [{(kind, number, block) for kind, number, block, _ in part} for part in parts]
    assert set.union(*key) == {(kind, number, block) for kind, number, block, _ in whole}
    assert sum(map(len, key)) == len(whole)
    first = [members for kind, number, _, members in whole if (kind, number) == (KINDS[0], 0)]
    assert sorted(m.name for block in first for m in block) == sorted(f"data{n}" for n in range(40))
    # Sizes are interleaved: no block holds only small or only large tasks.
    assert all(min(m.n_rows for m in b) < 1700 < max(m.n_rows for m in b) for b in first)


def test_a_cell_holds_what_any_metric_needs(folder):
    source = list_tasks(folder)[0]
    record = measure_fold(source, "main", load_pool("classification")[6].to_dict(), 0)
    task = prepare(source)
    assert sum(count for _, _, count in record["confusion"]) == record["n_test"]
    assert record["n_train"] + record["n_test"] == len(task.development)
    assert record["metrics"]["accuracy"] > 0.8
    assert record["outer"]["accuracy"] > 0.8
    assert record["size"] > 1000 and record["fit_cpu"] > 0
    json.dumps(record, allow_nan=False)


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "catboost"])
@pytest.mark.parametrize("number", [0, 1])
def test_optional_families_are_measured_too(folder, name, number):
    pytest.importorskip(name)
    source = list_tasks(folder)[number]
    own = next(c for c in load_pool(source.kind, optional=True) if c.family == name)
    small = Configuration(name, {**own.params, "n_estimators": 20}, own.preprocessing)
    record = measure_fold(source, "main", small.to_dict(), 0)
    metric = "accuracy" if source.kind == "classification" else "r2"
    assert record["metrics"][metric] > (0.5 if number == 0 else 0.0)


def test_optional_families_enter_by_the_share_of_the_tasks_they_were_asked_of(tmp_path):
    main, boosters = load_pool("classification")[:2], load_pool("classification", True)[:3]
    journal = ShardWriter(tmp_path, "made-up")
    for i in range(8):
        task = f"{i:012x}"
        facts = {"n_rows": 99, "n_features": 4, "n_classes": 2, "openml_id": None, "origin": ""}
        journal.append(
            {"id": task, "name": task, "kind": "classification", "family": task, **facts}
        )
        asked = [*main[: 1 if i < 5 else 2], *(boosters[:2] if i < 3 else ())]
        for own in [*asked, *(boosters[2:] if i < 1 else ())]:
            fold = {"metrics": {"accuracy": 0.5}, "outer": {}, "warnings": []}
            fold |= {"fit_cpu": 0.1, "predict_cpu": 0.1, "n_train": 66, "n_test": 33}
            cell = {"task": task, "configuration": own.id, "fidelity": "main", "status": "ok"}
            journal.append({**cell, "reason": "", "machine": "m", "folds": [fold]})
    journal.finish()
    # Half of all eight tasks for the catalogue's, half of three for the optional packages'.
    assert merge(tmp_path).table("classification").configurations == (main[0], *boosters[:2])


def test_datasets_added_later_go_to_a_further_shard(folder, tmp_path, monkeypatch):
    few = load_pool("classification")[29:32]
    monkeypatch.setattr(_run, "pool_to_measure", lambda kind: few)
    data, output = tmp_path / "data", tmp_path / "shards"
    data.mkdir()
    (data / "cellar.parquet").write_bytes((folder / "cellar.parquet").read_bytes())
    options = {"kinds": ["classification"], "slices": [0], "n_workers": 1, "progress": False}
    assert run(data, output, **options)
    (first,) = shard_files(output)
    before = first.read_bytes()
    table = pd.read_parquet(data / "cellar.parquet")
    table.iloc[10:].to_parquet(data / "aside.parquet")
    assert run(data, output, **options)
    assert first.read_bytes() == before
    cells = [r for p in shard_files(output) for r in read_shard(p) if "configuration" in r]
    assert len(cells) == len({(c["task"], c["configuration"]) for c in cells}) == 2 * len(few)


def test_damaged_shards_are_named(tmp_path):
    journal = ShardWriter(tmp_path, "broken")
    journal.append({"a": 1})
    journal.finish()
    path = tmp_path / "broken.jsonl.xz"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(KnowledgeError, match=r"broken\.jsonl\.xz"):
        read_shard(path)


@pytest.mark.parametrize(
    "act, message",
    [
        (lambda d: list_tasks(d), "No dataset found"),
        (lambda d: plan([], shard="3/2"), "shard must be 'i/N'"),
        (lambda d: run(d, d, kinds=["x"]), r"kinds are some of .*\['x'\]"),
        (lambda d: run(d, d, fidelity="x"), "fidelity must be one of .*'x'"),
        (lambda d: verify(d, d, share=2), "share must lie"),
        (lambda d: merge(d / "typo", d / "base.npz"), "Nothing is measured in .*typo.*0 shards"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path, act, message):
    with pytest.raises(KnowledgeError, match=message):
        act(tmp_path)


def test_merging_a_folder_that_is_not_there_leaves_the_base_alone(tmp_path):
    (tmp_path / "base.npz").write_bytes(b"a base")
    assert run_command(["merge", str(tmp_path / "typo"), str(tmp_path / "base.npz")]) == 1
    assert (tmp_path / "base.npz").read_bytes() == b"a base"


def test_one_table_as_both_kinds_is_refused(built, tmp_path):
    table = load_diabetes(as_frame=True).frame.iloc[::8]
    table.assign(target=table["target"] % 5).to_parquet(tmp_path / "p.parquet")
    kinds = ("classification", "regression")
    rows = [{"slug": "p", "name": f"p {kind}", "task": kind} for kind in kinds]
    pd.DataFrame(rows).to_csv(tmp_path / "index.csv", index=False)
    with pytest.raises(KnowledgeError, match="p.parquet both as classification and as regression"):
        list_tasks(tmp_path)
    records = [r for path in shard_files(built) for r in read_shard(path) if "family" in r]
    for path in shard_files(built):
        shutil.copy(path, tmp_path)
    journal = ShardWriter(tmp_path, "other")
    other = next(kind for kind in kinds if kind != records[0]["kind"])
    journal.append({**records[0], "kind": other})
    journal.finish()
    with pytest.raises(KnowledgeError, match=f"as {other}, and another"):
        load_shards(tmp_path)


def test_the_index_of_fetched_datasets_names_source_licence_and_task(folder, tmp_path):
    shutil.copy(folder / "cellar.parquet", tmp_path)
    row = {"slug": "cellar", "name": "cellar", "task": "classification", "source": "OpenML"}
    pd.DataFrame([{**row, "openml_task_id": 59, "licence": "CC BY 4.0"}]).to_csv(
        tmp_path / "index.csv", index=False
    )
    source = list_tasks(tmp_path)[0]
    assert (source.origin, source.openml_task_id, source.licence) == ("OpenML", 59, "CC BY 4.0")
    task = _merge_shards._task(_run._describe(prepare(source)))
    assert (task.source, task.openml_task_id, task.licence) == ("OpenML", 59, "CC BY 4.0")


def test_describing_leaves_out_rows_without_target_and_goes_on_where_it_stopped(
    folder, tmp_path, monkeypatch, capsys
):
    table = pd.read_csv(folder / "clinic.csv")
    data, output = tmp_path / "data", tmp_path / "new" / "shards"
    data.mkdir()
    table.to_csv(data / "a.csv", index=False)
    holes = table.assign(target=table["target"].where(table.index % 9 > 0))
    holes.to_csv(data / "b.csv", index=False)
    table.assign(target=np.where(table.index == 3, np.inf, 0.5)).to_csv(data / "c.csv", index=False)
    measure = _describe.MetaFeatureExtractor.extract
    seen = []

    def stops(self, X, y, kind):
        seen.append(len(y))
        if len(seen) == 2:
            raise KeyboardInterrupt
        return measure(self, X, y, kind)

    monkeypatch.setattr(_describe.MetaFeatureExtractor, "extract", stops)
    with pytest.raises(KeyboardInterrupt):
        describe(data, output)
    assert len(read_metafeatures(output)) == 1
    found = describe(data, output)
    assert seen == [len(table), holes["target"].count(), holes["target"].count(), len(table)]
    assert len(found) == len(read_metafeatures(output)) == 2
    assert "c left out" in capsys.readouterr().err


def test_a_table_without_target_is_refused(tmp_path):
    pd.DataFrame({"a": [1, 2]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(KnowledgeError, match="no column 'target'"):
        list_tasks(tmp_path)


@pytest.mark.parametrize(
    "name, content",
    [
        ("odd.parquet", b"PAR1 and no table"),
        ("odd.csv", b'a,target\n1,2\n"x'),
        ("odd.csv", b"a,target\n\xff\xfe,1\n"),
        ("odd.csv", b"a,target\n1,2020-01-01\n2,2020-01-02\n"),
    ],
    ids=["parquet", "quote", "no utf-8", "dates"],
)
def test_a_table_that_cannot_be_read_is_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    if b"2020" in content:
        frame = pd.read_csv(tmp_path / name, parse_dates=["target"])
        (tmp_path / name).unlink()
        frame.to_parquet(tmp_path / (name := "odd.parquet"))
    with pytest.raises(KnowledgeError, match=name):
        list_tasks(tmp_path)


def test_measurements_bear_the_name_of_who_measured(built):
    base = merge(built)
    (source,) = base.sources
    assert (source.name, source.licence) == ("own measurements", "")
    assert "own measurements" in repr(base.summary()) and "BSD" not in repr(base.summary())
    (source,) = merge(built, source="the lab", licence="CC-BY").sources
    assert (source.name, source.licence) == ("the lab", "CC-BY")
    assert merge(built, source="the lab").check() == []


@pytest.fixture(scope="module")
def kept(folder, tmp_path_factory):
    """Shards of the last part of the pool for both datasets, and what was predicted."""
    path = tmp_path_factory.mktemp("kept")
    options = {"slices": [2], "n_workers": 2, "niceness": 0, "progress": False}
    assert run(folder, path, keep=path / "kept.db", **options)
    return path


def test_what_was_predicted_gives_the_scores_again(folder, kept):
    store = KeptPredictions(kept / "kept.db")
    cells = {
        (r["task"], r["configuration"]): r
        for path in shard_files(kept)
        for r in read_shard(path)
        if r.get("status") == "ok"
    }
    assert {key[:2] for key in store.held()} == set(cells)
    for source in list_tasks(folder):
        task = prepare(source)
        truth, predictions = store.of_task(task.id)
        n_rows = len(task.development)
        assert len(truth) == n_rows + len(task.outer)
        for configuration, (of_folds, outer) in predictions.items():
            assert len(of_folds) == n_rows and len(outer) == len(task.outer)
            told = cells[task.id, configuration]["folds"][0]["metrics"]
            rows = task.fold(0)[1]
            if task.n_classes:
                share = (of_folds[rows].argmax(axis=1) == truth[rows]).mean()
                # Votes of pairs and their decision values may differ on a row.
                assert share == pytest.approx(told["accuracy"], abs=1.1 / len(rows))
            else:
                error = np.abs(of_folds[rows].astype(float) - truth[rows]).mean()
                assert error == pytest.approx(-told["neg_mean_absolute_error"], abs=0.01)


def test_cells_without_predictions_are_measured_for_them(folder, built, tmp_path):
    for path in shard_files(built):
        shutil.copy(path, tmp_path)
    options = {"kinds": ["regression"], "slices": [0], "n_workers": 2, "progress": False}
    assert run(folder, tmp_path, keep=tmp_path / "kept.db", **options)
    assert len(shard_files(tmp_path)) == 3
    assert run(folder, tmp_path, keep=tmp_path / "kept.db", **options)
    assert len(shard_files(tmp_path)) == 3
    merged = {e.configuration: e.metrics for e in load_shards(tmp_path)[1]}
    assert merged == {e.configuration: e.metrics for e in load_shards(built)[1]}


def test_decision_values_are_scored_as_the_probabilities_that_a_search_makes(folder, tmp_path):
    source = list_tasks(folder)[0]
    task = prepare(source)
    svm = next(own for own in load_pool("classification") if own.family == "svm")
    record = measure_fold(source, "main", svm.to_dict(), 0, keep=True)
    train, test = task.fold(0)
    model = build_estimator(svm, task.schema, random_state=task.seed(0))
    model.fit(task.X.iloc[train], task.y[train])
    found = unseen_probabilities(model, task.X.iloc[test], task.y[test])
    expected = -log_loss(task.y[test], found, labels=range(task.n_classes))
    assert record["metrics"]["neg_log_loss"] == pytest.approx(expected, abs=1e-4)
    np.testing.assert_array_equal(record["kept"][0], model.decision_function(task.X.iloc[test]))


def test_cells_without_a_log_loss_are_measured_again_when_asked(folder, built, tmp_path):
    path = next(path for path in shard_files(built) if "classification" in path.name)
    records, lacking = read_shard(path), 0
    for record in records:
        if record.get("status") == "ok" and lacking < 2:
            lacking += 1
            for fold in record["folds"]:
                fold["metrics"] = {**fold["metrics"], "neg_log_loss": None}
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (tmp_path / path.name).write_bytes(lzma.compress(lines.encode()))
    options = {"kinds": ["classification"], "slices": [0], "n_workers": 1, "progress": False}
    assert run(folder, tmp_path, **options) and len(shard_files(tmp_path)) == 1
    assert run(folder, tmp_path, again=True, **options)
    (further,) = tmp_path.glob("*-part2*")
    assert len([r for r in read_shard(further) if "configuration" in r]) == 2
    merged = [e for e in load_shards(tmp_path)[1] if e.status.name == "ok"]
    assert all(None not in own.metrics["neg_log_loss"] for own in merged)
    assert run(folder, tmp_path, again=True, **options) and len(shard_files(tmp_path)) == 2


def test_what_cannot_have_probabilities_is_not_measured_again_and_again(folder, monkeypatch):
    def too_few(*arguments):
        raise ValueError("every class needs two test rows")

    monkeypatch.setattr(_measure, "unseen_probabilities", too_few)
    svm = next(own for own in load_pool("classification") if own.family == "svm")
    fold = measure_fold(list_tasks(folder)[0], "main", svm.to_dict(), 0)
    assert fold["metrics"]["neg_log_loss"] is None and fold["metrics"]["accuracy"] > 0.5
    assert not _run._says_too_little({"status": "ok", "folds": [fold]})
    assert "too few rows" in fold.pop("without")
    assert _run._says_too_little({"status": "ok", "folds": [fold]})
