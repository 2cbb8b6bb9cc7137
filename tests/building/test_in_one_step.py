"""A knowledge base of a folder of tables in one call."""

from functools import partial

import pytest
from sklearn.datasets import load_diabetes

from sk_metalearn.building import _in_one_step, build_base, merge, run
from sk_metalearn.knowledge import KnowledgeBase

pytest.importorskip("pandas")


def test_a_base_in_one_step_is_that_of_the_steps(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    table = load_diabetes(as_frame=True).frame.iloc[::8]
    table.to_csv(tmp_path / "data" / "clinic.csv", index=False)
    output = tmp_path / "base.npz"
    assert build_base(tmp_path / "data", output, time_limit=0.0, n_workers=1) is None
    assert not output.exists()
    # A part of the pool is measured as the whole is.
    part = partial(run, slices=[0], progress=False, niceness=0)
    monkeypatch.setattr(_in_one_step, "run", part)
    base = build_base(tmp_path / "data", output, n_workers=1, source="the lab", licence="CC-BY")
    stored = KnowledgeBase.open(output)
    (source,) = stored.sources
    assert (source.name, source.licence) == ("the lab", "CC-BY")
    assert stored.table("regression").metafeature_names
    steps = merge(f"{output}.shards", source="the lab", licence="CC-BY")
    assert not any(base.diff(steps)["regression/main"].values())
