"""The other fidelities: which configurations, which datasets, which rows, and their tables."""

import json
from collections import Counter

import numpy as np
import pytest
from sklearn.datasets import make_classification

from sk_metalearn.exceptions import KnowledgeError
from sk_metalearn.knowledge import Evaluation, KnowledgeBase, Task
from sk_metalearn.spaces import KINDS, fidelity_pool, get_family, load_pool

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

from sk_metalearn.building import _run  # noqa: E402
from sk_metalearn.building._fidelity_design import SIZE, choose, rising_families  # noqa: E402
from sk_metalearn.building._merge_shards import merge  # noqa: E402
from sk_metalearn.building._run import run  # noqa: E402
from sk_metalearn.building._shards import read_shard, shard_files  # noqa: E402

CHEAP = ("dummy", "decision_tree", "logistic_regression", "lda")


def _table(n_rows, seed, rare=0):
    X, y = make_classification(n_rows, 5, class_sep=0.8, random_state=seed)
    y[:rare] = 2
    return pd.DataFrame(X, columns=list("abcde")).assign(target=y)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Two datasets, one of them large, at all three fidelities with a few configurations."""
    data, shards = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("shards")
    _table(300, 0).to_csv(data / "short.csv", index=False)
    _table(6000, 1, rare=20).to_parquet(data / "long.parquet")
    kinds = ["classification"]
    few = tuple(own for own in load_pool(kinds[0])[:32] if own.family in CHEAP)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_run, "pool_to_measure", lambda kind: few)
        patch.setattr(_run, "fidelity_pool", lambda kind: few[:3])
        for fidelity in ("main", "small", "large"):
            assert run(
                data,
                shards,
                kinds=kinds,
                fidelity=fidelity,
                n_workers=1,
                niceness=0,
                progress=False,
            )
        before = {path.name: path.read_bytes() for path in shard_files(shards)}
        assert run(data, shards, kinds=kinds, fidelity="small", n_workers=1, progress=False)
    assert {path.name: path.read_bytes() for path in shard_files(shards)} == before
    return shards, few


@pytest.mark.parametrize("kind", KINDS)
def test_the_configurations_are_fixed_members_of_the_pool(kind):
    chosen, pool = fidelity_pool(kind), load_pool(kind)
    assert len({own.id for own in chosen}) == len(chosen) == SIZE
    assert {own.id for own in chosen} <= {own.id for own in pool}
    assert chosen[0] == pool[0]
    assert all(get_family(own.family, kind).max_train_rows is None for own in chosen)
    assert {"mlp", "hist_gradient_boosting", "random_forest"} <= {own.family for own in chosen}


def test_only_large_datasets_are_measured_in_shards_of_their_own(built):
    shards, _ = built
    names = {path.name for path in shard_files(shards)}
    assert {f"classification-{part}00-block00.jsonl.xz" for part in ("small", "large")} <= names
    for path in shard_files(shards):
        records = read_shard(path)
        tasks = {r["name"] for r in records if "family" in r}
        rows = {f["n_train"] + f["n_test"] for r in records for f in r.get("folds", ())}
        limits = [r["limits"] for r in records if "limits" in r]
        if "slice" in path.name:
            assert len(tasks) == 1
            continue
        assert tasks == {"long"}
        # Of 500 rows the rarest class has two, which is too few.
        assert rows == ({498} if "small" in path.name else {4500})
        assert limits == [{f"{path.name.split('-')[1][:5]}_cpu_seconds": 60.0}]


def test_merged_base_has_a_table_per_fidelity(built, tmp_path):
    shards, few = built
    merge(shards, tmp_path / "base.npz")
    base = KnowledgeBase.open(tmp_path / "base.npz")
    assert base.fidelities("classification") == ("main", "large", "small")
    assert base.table("classification").scores("accuracy").shape == (2, len(few))
    # The rarest class has too few rows to be seen at the small fidelity alone.
    assert {t.name: t.n_classes for t in base.table("classification").tasks}["long"] == 3
    for fidelity in ("small", "large"):
        table = base.table("classification", fidelity)
        assert [task.name for task in table.tasks] == ["long"]
        assert [own.id for own in table.configurations] == [own.id for own in few[:3]]
        scores = table.scores("accuracy")
        assert np.isfinite(scores).all() and (scores[0, 1:] > scores[0, 0]).all()
    limits = [own["limits"] for own in base.provenance["machines"].values()]
    assert all({"cpu_seconds", "small_cpu_seconds", "large_cpu_seconds"} <= set(o) for o in limits)
    assert base.check() == []


@pytest.mark.parametrize("options", [{"optional": True}, {"slices": [0]}])
def test_what_would_choose_other_configurations_is_refused(tmp_path, options):
    with pytest.raises(KnowledgeError, match="24 fixed configurations"):
        run(tmp_path, tmp_path, fidelity="small", **options)


def _base(kind, n_tasks=12, n_rows=9000):
    """Scores in which a configuration is best where its number says so."""
    pool = [*load_pool(kind)[:32], load_pool(kind, optional=True)[0]]
    tasks = [Task(f"{i:012x}", f"t{i}", kind, f"f{i // 2}", n_rows, 5, 2) for i in range(n_tasks)]
    rng = np.random.default_rng(0)
    metric = "accuracy" if kind == "classification" else "r2"
    evaluations = []
    for i, task in enumerate(tasks):
        for j, own in enumerate(pool):
            score = 0.2 if own.family == "dummy" else 0.6 + 0.1 * rng.random() + 0.2 * (j == i + 7)
            score = 0.99 if own.family == "lightgbm" else score
            evaluations.append(Evaluation(task.id, own.id, "ok", {metric: [score]}))
    return KnowledgeBase.from_evaluations(tasks, {kind: pool}, evaluations, {}), pool


@pytest.mark.parametrize("kind", KINDS)
def test_the_choice_holds_winners_and_rising_families(kind):
    base, pool = _base(kind)
    chosen = choose(base, kind, rising=("mlp", "no_such_family"))
    assert len({own.id for own in chosen}) == SIZE and chosen == choose(base, kind, ("mlp",))
    # Not every user has the package of the best.
    assert chosen[0].family == "dummy" and "lightgbm" not in {own.family for own in chosen}
    assert Counter(own.family for own in chosen)["mlp"] >= 3
    # Each of these is by far the best on one dataset: a portfolio must have them.
    winners = [own for own in pool[7:19]]
    assert set(winners) <= set(chosen[:16])
    with pytest.raises(KnowledgeError, match="on 0 such datasets"):
        choose(_base(kind, n_rows=4000)[0], kind)


def test_rising_families_are_those_whose_rank_improves():
    pool = load_pool("classification")
    own = {name: next(c for c in pool if c.family == name) for name in ("mlp", "ridge", "lda")}
    tasks = [Task(f"{i:012x}", f"t{i}", "classification", f"f{i}", 100, 5, 2) for i in range(20)]
    rng = np.random.default_rng(1)
    evaluations = []
    for task in tasks:
        for fidelity, rise in (("256 rows", -0.1), ("4096 rows", 0.1)):
            for name, c in own.items():
                score = 0.7 + 0.01 * rng.random() + (rise if name == "mlp" else 0.0)
                evaluations.append(
                    Evaluation(task.id, c.id, "ok", {"accuracy": [score]}, fidelity=fidelity)
                )
    base = KnowledgeBase.from_evaluations(tasks, own.values(), evaluations, {})
    rising = rising_families(base)
    assert list(rising) == ["mlp"] and rising["mlp"] == pytest.approx(2.0)
    with pytest.raises(KnowledgeError, match="at least two datasets"):
        rising_families(base.without(tasks=[task.id for task in tasks[1:]]))


def test_choice_is_kept_as_ids_in_the_order_chosen():
    from importlib.resources import files

    text = files("sk_metalearn.spaces").joinpath("data", "pool_fidelities.json").read_text()
    assert {k: [own.id for own in fidelity_pool(k)] for k in KINDS} == json.loads(text)
