"""The file format: small, quick, checked, safe, and readable from older schemas."""

import json
import zipfile

import numpy as np
import pytest

from sk_metalearn.exceptions import KnowledgeError
from sk_metalearn.knowledge import KnowledgeBase, Source
from sk_metalearn.knowledge._bundle import SCHEMA, check_file, read_bundle, write_bundle


def _rewrite(path, change):
    """Write an archive again with changed members (name -> array)."""
    with np.load(path, allow_pickle=False) as archive:
        members = {name: archive[name] for name in archive.files}
    change(members)
    np.savez_compressed(path.with_suffix(""), **members)


def _header(members):
    return json.loads(bytes(members["header"]))


def _set_header(members, header):
    members["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)


def test_round_trip(base, tmp_path):
    path = tmp_path / "kb.npz"
    base.save(path)
    again = KnowledgeBase.open(path)
    assert again.tasks == base.tasks
    assert again.sources == base.sources and again.provenance == base.provenance
    assert again.check() == []
    for kind in base.kinds:
        old, new = base.table(kind), again.table(kind)
        assert new.configurations == old.configurations
        assert set(new.metrics) == set(old.metrics)
        assert np.array_equal(new.status, old.status)
        assert np.allclose(new.seconds, old.seconds, rtol=1e-3)
        for metric in old.metrics:
            assert np.allclose(new.scores(metric), old.scores(metric), atol=1e-4, equal_nan=True)
        metric = old.fold_metrics[0]
        assert np.allclose(
            new.fold_scores(metric), old.fold_scores(metric), atol=1e-4, equal_nan=True
        )
        assert np.allclose(new.metafeatures, old.metafeatures, rtol=1e-6, equal_nan=True)
    report = base.diff(again)
    assert all(own["cells_changed"] == 0 for own in report.values())


def test_saving_is_deterministic_and_stable(base, tmp_path):
    base.save(tmp_path / "a.npz")
    base.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    KnowledgeBase.open(tmp_path / "a.npz").save(tmp_path / "c.npz")
    first, again = (KnowledgeBase.open(tmp_path / name) for name in ("a.npz", "c.npz"))
    for metric in ("r2", "spearman"):
        assert np.array_equal(
            first.table("regression").scores(metric),
            again.table("regression").scores(metric),
            equal_nan=True,
        )


def test_holds_plain_arrays_only(base, tmp_path):
    base.save(tmp_path / "kb.npz")
    with np.load(tmp_path / "kb.npz", allow_pickle=False) as archive:
        assert all(archive[name].dtype.kind in "fu" for name in archive.files)


def test_reads_an_array_when_asked(base, tmp_path):
    path = tmp_path / "kb.npz"
    base.save(path)
    opened = KnowledgeBase.open(path)
    opened.table("classification").scores("accuracy")
    path.unlink()
    assert opened.table("classification").scores("accuracy").shape == (6, 8)
    with pytest.raises(KnowledgeError, match="f1_macro"):
        opened.table("classification").scores("f1_macro")


def test_a_file_replaced_after_it_was_opened_is_named(base, parts, tmp_path):
    path = tmp_path / "kb.npz"
    base.save(path)
    opened = KnowledgeBase.open(path)
    seen = opened.table("regression").scores("r2")
    KnowledgeBase.from_evaluations(*parts(seed=1)).save(path)
    assert opened.table("regression").scores("r2") is seen
    for metric in ("accuracy", "f1_macro"):
        with pytest.raises(KnowledgeError, match="was replaced after it was opened.*again"):
            opened.table("classification").scores(metric)
    assert KnowledgeBase.open(path).check() == []


def test_damage_is_named(base, tmp_path):
    path = tmp_path / "kb.npz"
    base.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(KnowledgeError, match=r"kb\.npz.*is damaged"):
        KnowledgeBase.open(path)
    path.write_bytes(b"something else")
    with pytest.raises(KnowledgeError, match=r"kb\.npz"):
        KnowledgeBase.open(path)
    with pytest.raises(KnowledgeError, match="There is no knowledge base"):
        KnowledgeBase.open(tmp_path / "nothing.npz")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(KnowledgeError, match=r"kb\.npz"):
        KnowledgeBase.open(path)


def test_every_flipped_byte_is_noticed(base, tmp_path):
    path = tmp_path / "kb.npz"
    base.save(path)
    whole = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path) as archive:
        spans = [
            (own.header_offset + 30 + len(own.filename), own.compress_size)
            for own in archive.infolist()
        ]
    for start, size in spans[:: max(1, len(spans) // 25)]:
        flipped = bytearray(whole)
        flipped[start + int(rng.integers(size))] ^= 0xFF
        path.write_bytes(flipped)
        assert check_file(path), (start, size)


def test_checksums_notice_a_changed_array(base, tmp_path):
    path = tmp_path / "kb.npz"
    base.save(path)

    def change(members):
        name = next(name for name in members if name.endswith("mean/accuracy"))
        members[name] = members[name] // 2

    _rewrite(path, change)
    (problem,) = KnowledgeBase.open(path).check()
    assert "mean/accuracy" in problem and "differs from its checksum" in problem


def test_objects_are_refused(base, tmp_path):
    path = tmp_path / "kb.npz"
    base.save(path)

    def change(members):
        members["header"] = np.array([{"format": "evil"}], dtype=object)

    _rewrite(path, change)
    with pytest.raises(KnowledgeError, match="allow_pickle=False"):
        KnowledgeBase.open(path)


def test_an_older_schema_is_read(base, tmp_path):
    path = tmp_path / "kb.npz"
    base.save(path)

    def age(members):
        header = _header(members)
        header["schema"] = 1
        del header["aliases"]
        for table in header["tables"]:
            del table["fidelity"], table["sources"], table["machines"]
            del table["arrays"]["machine"]
        _set_header(members, header)

    _rewrite(path, age)
    old = KnowledgeBase.open(path)
    assert old.tasks == base.tasks
    table = old.table("classification")
    assert table.sources == ("invented",) and table.fidelity == "main"
    assert np.allclose(
        table.scores("accuracy"),
        base.table("classification").scores("accuracy"),
        atol=1e-4,
        equal_nan=True,
    )
    old.save(path)
    assert KnowledgeBase.open(path).check() == []


def test_a_newer_schema_is_refused(base, tmp_path):
    path = tmp_path / "kb.npz"
    base.save(path)

    def change(members):
        _set_header(members, {**_header(members), "schema": SCHEMA + 1})

    _rewrite(path, change)
    with pytest.raises(KnowledgeError, match="Update sk_metalearn"):
        KnowledgeBase.open(path)


def test_an_incomplete_header_is_named(base, tmp_path):
    path = tmp_path / "kb.npz"
    base.save(path)

    def change(members):
        header = _header(members)
        del header["tasks"]
        _set_header(members, header)

    _rewrite(path, change)
    with pytest.raises(KnowledgeError, match="damaged, at tasks: KeyError"):
        KnowledgeBase.open(path)


def test_a_failed_save_leaves_the_old_file(base, tmp_path):
    path = tmp_path / "kb.npz"
    base.save(path)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write_bundle(path, base._tables.values(), provenance={"no": object()})
    assert path.read_bytes() == before
    assert [own.name for own in tmp_path.iterdir()] == ["kb.npz"]


def test_full_size_is_small(parts, tmp_path):
    """256 x 256 and 179 x 192 cells of noise, which compresses worst."""
    rng = np.random.default_rng(0)
    tables = []
    for kind, shape in (("classification", (256, 256)), ("regression", (179, 192))):
        tables.append(_full_table(kind, shape, rng))
    path = tmp_path / "kb.npz"
    write_bundle(path, tables, sources=[Source("noise")])
    assert path.stat().st_size <= 8_000_000
    scores = KnowledgeBase(*read_bundle(path)).table("classification").scores("accuracy")
    assert scores.shape == (256, 256)


def _full_table(kind, shape, rng):
    from sk_metalearn.knowledge import PerformanceTable, Task, task_id
    from sk_metalearn.knowledge._metrics import FOLD_METRICS, METRICS
    from sk_metalearn.spaces import Configuration

    arrays = {
        "status": rng.integers(1, 4, shape).astype(np.uint8),
        "origin": np.zeros(shape, dtype=np.uint8),
        "machine": np.zeros(shape, dtype=np.uint8),
        "seconds": rng.lognormal(size=shape),
        "metafeatures": rng.normal(size=(shape[0], 120)),
    }
    for metric in METRICS[kind]:
        sign = -1 if metric.startswith("neg_") else 1
        arrays["mean:" + metric] = sign * rng.uniform(size=shape)
        if metric in FOLD_METRICS:
            arrays["folds:" + metric] = sign * rng.uniform(size=(*shape, 3))
    tasks = [
        Task(task_id(kind, i), f"set {i}", kind, f"family {i}", 1000 + i, 10, source="noise")
        for i in range(shape[0])
    ]
    configurations = [
        Configuration("mlp", {f"p{k}": float(j + k) for k in range(9)}, {"scaler": "none"})
        for j in range(shape[1])
    ]
    names = [f"feature {k}" for k in range(120)]
    return PerformanceTable(kind, tasks, configurations, arrays, names, sources=("noise",))
