"""What memory a search needs is said beforehand, and done with less where there is less."""

import os
import subprocess
import sys
import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import LinearRegression, Ridge

from sk_metalearn import AutoClassifier, AutoRegressor, MetaSearchCV
from sk_metalearn.evaluation._free_memory import FreeMemory, free_memory
from sk_metalearn.exceptions import FallbackWarning
from sk_metalearn.search import CandidateLimits, _auto_search, _memory_needed
from sk_metalearn.search._memory_needed import fit_in_memory, too_large
from sk_metalearn.search._options import SearchOptions
from sk_metalearn.tables import check_columns

GIB = 2**30
rng = np.random.default_rng(0)
X = rng.standard_normal((2000, 50))
LAYOUT = check_columns(X)
# As of a table of 800 MB: the values are never looked at.
LARGE = np.lib.stride_tricks.as_strided(X, (2_000_000, 50), (0, 8), writeable=False)
OPTIONS = SearchOptions(
    # NaN, the default, is not equal to itself.
    error_score="raise",
    n_jobs=2,
    time_budget=60,
    max_rows=10_000,
    ensemble_size=12,
    final="auto",
)


def planned(options=OPTIONS, table=LARGE, layout=LAYOUT, **free):
    """Give options and rows, and what was warned of."""
    free = FreeMemory(**{"together": 64 * GIB, **free})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        changed, n_rows = fit_in_memory(table, layout, options, free)
    assert all(own.category is FallbackWarning for own in caught)
    return changed, n_rows, [str(own.message) for own in caught]


def test_with_enough_memory_nothing_is_changed_or_said():
    assert planned() == (OPTIONS, None, [])
    assert planned(each=64 * GIB) == (OPTIONS, None, [])
    # A small table fits almost anywhere; modules alone are no reason for an error.
    assert planned(table=X, together=GIB) == (OPTIONS, None, [])
    changed, n_rows, (message,) = planned(table=X, together=GIB // 8)
    assert changed.n_jobs == 1 and n_rows is None and "are free" in message
    assert planned(SearchOptions(n_jobs=1, max_rows=99), table=X, together=GIB // 50)[2] == []


def test_where_two_fits_are_too_many_there_is_one():
    changed, n_rows, (message,) = planned(together=8 * GIB)
    assert n_rows is None and changed == replace(OPTIONS, n_jobs=1)
    for part in ("2,000,000 rows", "4.47 GiB", "8.00 GiB are free", "n_jobs is 1"):
        assert part in message
    four, n_rows, (message,) = planned(replace(OPTIONS, n_jobs=4), together=14 * GIB)
    assert four.n_jobs == 2 and n_rows is None and "for 4 at once" in message


def test_of_a_sample_the_workers_may_be_many_where_one_fits_the_rest():
    alone = replace(OPTIONS, final="refit")
    assert planned(alone, together=8 * GIB) == (alone, None, [])


@pytest.mark.parametrize("free", [{"together": 2 * GIB}, {"each": 2 * GIB}])
def test_where_one_fit_is_too_large_it_has_fewer_rows(free):
    changed, n_rows, (message,) = planned(**free)
    assert changed == replace(OPTIONS, n_jobs=1)
    assert 1000 < n_rows < 2_000_000 and f"{n_rows:,} of the 2,000,000 rows" in message
    # No more is left unused than a step of a tenth.
    need = _memory_needed._need_of(LARGE, LAYOUT, OPTIONS)
    limit = FreeMemory(**{"together": 64 * GIB, **free})
    assert need.fits(limit, 1, n_rows) and not need.fits(limit, 1, int(n_rows / 0.9) + 1)
    here = SearchOptions(n_jobs=1, max_rows=10_000, ensemble_size=12, final="auto")
    assert 1000 < planned(here, **free)[1] < 2_000_000


def test_where_not_even_some_rows_fit_an_error_says_what_is_needed():
    for free in ({"together": GIB // 8}, {"each": GIB // 8}):
        changed, n_rows, (message,) = planned(**free)
        assert 1000 < n_rows < 50_000 and f"{n_rows:,} of the 2,000,000 rows" in message
        free = {name: 2**20 for name in free}
        with pytest.raises(MemoryError, match="2,000,000 rows takes about 4.47 GiB.*Not even"):
            planned(**free)
    wide = np.lib.stride_tricks.as_strided(X, (800, 1_000_000), (0, 0), writeable=False)
    plans = SimpleNamespace(plans=LAYOUT.plans[:1] * 10**6)
    plans.outputs = lambda: [SimpleNamespace(kind="number", position=0)] * 10**6
    with pytest.raises(MemoryError, match="Not even 800 rows fit"):
        planned(table=wide, layout=plans, together=GIB)


def test_rows_that_are_asked_for_are_kept():
    folds = [(np.arange(10), np.arange(10, 20))]
    for options in (replace(OPTIONS, cv=folds), replace(OPTIONS, final="latest")):
        changed, n_rows, (message,) = planned(options, together=2 * GIB)
        assert n_rows is None and changed == replace(options, n_jobs=1)
        assert "fewer columns or rows" in message


def test_of_an_estimator_of_the_users_only_the_rows_are_known():
    options = SearchOptions(n_jobs=3)
    assert planned(options, layout=None) == (options, None, [])
    changed, n_rows, (message,) = planned(options, layout=None, together=5 * GIB)
    assert changed.n_jobs == 2 and n_rows is None and "n_jobs is 2" in message
    changed, n_rows, (message,) = planned(options, layout=None, together=GIB)
    assert changed.n_jobs == 1 and n_rows is None
    # Of lists nothing is known.
    assert planned(options, table=[[1.0]] * 5, layout=None, together=1) == (options, None, [])


def test_a_row_is_as_wide_as_models_meet_it():
    frame = pd.DataFrame(
        {
            "number": np.arange(200.0),
            "few": pd.Categorical(["a", "b"] * 100),
            "many": pd.Categorical([f"level {i % 150}" for i in range(200)]),
        }
    )
    assert _memory_needed._bytes_of_row(frame, check_columns(frame)) == 8 * (1 + 2 + 32)
    known = check_columns(frame, {"few": "ignore"})
    assert _memory_needed._bytes_of_row(frame, known) == 8 * (1 + 32)
    wide = sparse.eye(1000, 20_000_000, format="csr")
    assert _memory_needed._bytes_of_row(wide, LAYOUT) == 12
    few = sparse.random(1000, 50, density=0.1, format="csr", random_state=0)
    assert _memory_needed._bytes_of_row(few, LAYOUT) == 8 * 50


def forest(number, **params):
    point = {"family": "random_forest", "n_estimators": 100, "bootstrap": True, **params}
    return SimpleNamespace(number=number, proposal=SimpleNamespace(point=point))


def test_a_forest_of_all_rows_may_be_too_large():
    problem = SimpleNamespace(whole=(LARGE, LARGE[:, 0]), kind="regression", y=X[:, 0])
    trials = [
        forest(0),
        SimpleNamespace(number=1, proposal=SimpleNamespace(point={"family": "ridge"})),
        forest(2, min_samples_leaf=20),
        forest(3, max_depth=5),
        forest(4, n_estimators=500, min_samples_leaf=None),
    ]

    def large(trials, together, n_members=12, **more):
        free = FreeMemory(together * GIB, more.pop("each", None))
        return too_large(trials, problem, n_members, free=free, **more)

    assert large(trials, 1000) == {}
    found = large(trials, 10)
    # Nodes of 72 bytes: two for each row that a tree is given.
    assert found == {0: 100 * 72 * 1.26 * 2e6, 4: 500 * 72 * 1.26 * 2e6}
    # What the first takes the next does not have; several at once need several times as much.
    assert set(large([forest(0), forest(5)], 25)) == {5}
    assert not large([forest(0), forest(5)], 40)
    assert set(large([forest(0)], 25, n_at_once=2)) == {0}
    assert set(large(trials, 1000, each=GIB)) == {0, 4}
    assert large(trials[1:2], 0) == {}
    # Those beyond the members take nothing.
    assert not large([forest(0), forest(5), forest(6)], 40, n_members=1)
    assert set(large([forest(0), forest(5), forest(6)], 40)) == {6}
    kernels = [forest(7, family="kernel_ridge"), forest(8, family="kernel_ridge")]
    assert large(kernels, 10) == dict.fromkeys((7, 8), 10 * 2_000_000**2)
    assert not large(kernels, 60_000)
    problem.y = X[:, :4]
    assert large([forest(0)], 0) == {0: 100 * (64 + 4 * 8) * 1.26 * 2e6}
    problem.kind, problem.y = "classification", np.arange(10) % 3
    assert large([forest(0)], 0) == {0: 100 * (64 + 3 * 8) * 0.5 * 0.63 * 2e6}


def test_forests_for_which_there_is_no_memory_are_left_out(monkeypatch):
    y = np.sin(3 * X[:, 0]) * X[:, 1] + X[:, 2]
    options = {"families": ["extra_trees", "ridge"], "n_iter": 6, "cv": 2, "random_state": 0}
    options |= {"knowledge": None, "max_rows": 200}
    monkeypatch.setattr(_memory_needed, "_NODE", 2**50)
    with pytest.warns(FallbackWarning, match="For all 600 rows these candidates need more memory"):
        auto = AutoRegressor(**options).fit(X[:600], y[:600])
    families = [auto.configurations_[row].family for row in auto.ensemble_]
    assert set(families) == {"ridge"} and auto.configurations_[auto.best_index_].family == "ridge"
    assert set(auto.cv_results_["status"]) == {"ok"}
    # One there must be.
    options |= {"families": ["extra_trees"], "n_iter": 2}
    with pytest.warns(FallbackWarning, match="candidates need more memory"):
        assert len(AutoRegressor(**options).fit(X[:600], y[:600]).ensemble_) == 1


def forests_in(model):
    if hasattr(model, "steps"):
        return forests_in(model.steps[-1][1])
    if hasattr(model, "n_estimators"):
        return [model]
    return [forest for own in model.estimators_ for forest in forests_in(own)]


def test_under_a_budget_forests_of_the_sample_stay(monkeypatch):
    y = np.sin(3 * X[:, 0]) * X[:, 1] + X[:, 2]
    monkeypatch.setattr(_memory_needed, "_NODE", 2**50)
    options = {"families": ["extra_trees"], "n_iter": 2, "max_rows": 100, "knowledge": None}
    auto = AutoRegressor(time_budget=100, random_state=0, **options).fit(X[:600], y[:600])
    forests = forests_in(auto.best_estimator_)
    assert forests and max(own[0].tree_.n_node_samples[0] for own in forests) < 100


@pytest.mark.parametrize("n_rows, max_rows", [(300, 10_000), (300, 100), (80, 100)])
def test_a_search_of_fewer_rows_says_so_and_fits_no_others(monkeypatch, n_rows, max_rows):
    """Also weights, and classes of which a sample keeps each."""
    monkeypatch.setattr(_auto_search, "fit_in_memory", lambda X, layout, options: (options, n_rows))
    y = (X[:600, 0] > 0).astype(int) + (X[:600, 1] > 1.5)
    options = {"n_iter": 2, "cv": 2, "knowledge": None, "random_state": 0, "max_rows": max_rows}
    options["families"] = ["decision_tree", "gaussian_nb"]
    weight = np.arange(600) + 1.0
    auto = AutoClassifier(**options).fit(X[:600], y, sample_weight=weight)
    fitted = int(auto.refit_on_.removesuffix(" of 600 rows"))
    # Rare classes keep some rows.
    assert n_rows <= fitted <= n_rows + 10
    assert auto.score(X[:600], y) > 0.5 and len(auto.classes_) == 3
    groups = np.arange(600) // 4
    assert auto.fit(X[:600], y, groups=groups).refit_on_ == f"{fitted} of 600 rows"


def test_several_outputs_are_cut_with_their_rows(monkeypatch):
    monkeypatch.setattr(_auto_search, "fit_in_memory", lambda X, layout, options: (options, 300))
    options = {"n_iter": 2, "cv": 2, "knowledge": None, "random_state": 0, "max_rows": 200}
    auto = AutoRegressor(families=["ridge"], **options).fit(X[:600], X[:600, :2])
    assert auto.refit_on_ == "300 of 600 rows" and auto.predict(X[:5]).shape == (5, 2)


def test_under_a_budget_the_rows_left_out_are_never_seen(monkeypatch):
    monkeypatch.setattr(_auto_search, "fit_in_memory", lambda X, layout, options: (options, 400))
    y = X[:600, 0]
    auto = AutoRegressor(
        time_budget=100, n_iter=2, max_rows=100, families=["ridge"], knowledge=None, random_state=0
    ).fit(X[:600], y)
    assert "of 400 rows, the others chose" in auto.refit_on_


def test_what_is_free(tmp_path):
    whole = free_memory(root=tmp_path, of_this_process=tmp_path / "none").together
    assert whole > 0

    def group(folder, names, limit, used, stat):
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in zip(names, (limit, used), strict=True):
            (folder / name).write_text(f"{value}\n")
        (folder / "memory.stat").write_text(stat)

    second = ("memory.max", "memory.current")
    (tmp_path / "second").write_text("0::/a/b\n")
    group(tmp_path, second, "max", 5, "")
    group(tmp_path / "a", second, 5000, 1500, "file 900\ninactive_file 500\n")
    group(tmp_path / "a" / "b", second, "max", 700, "")
    found = free_memory(root=tmp_path, of_this_process=tmp_path / "second")
    assert found.together == 4000
    first = ("memory.limit_in_bytes", "memory.usage_in_bytes")
    (tmp_path / "first").write_text("5:cpu,cpuacct:/\n4:memory:/job\n0::/\n")
    group(tmp_path / "memory", first, 2**63 - 4096, 10**6, "")
    # As in a container, which is not shown its own name.
    assert free_memory(tmp_path, tmp_path / "first").together > 4000
    group(tmp_path / "memory", first, 3000, 2500, "total_inactive_file 100\n")
    assert free_memory(tmp_path, tmp_path / "first").together == 600
    group(tmp_path / "memory" / "job", first, 3000, 4500, "no such line\n")
    assert free_memory(tmp_path, tmp_path / "first").together == 0


LIMITED = """
import resource, sys, warnings
import numpy as np, psutil
from sk_metalearn import {name}
rng = np.random.default_rng(0)
X = rng.standard_normal(({n_rows}, {n_columns}))
y = X[:, 0] * X[:, 1] + X[:, 2]
y = (y > 0).astype(int) if {name}.__name__ == "AutoClassifier" else y
limit = psutil.Process().memory_info().vms + {megabytes} * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    try:
        auto = {name}(n_iter=3, knowledge=None, random_state=0, {options}).fit(X, y)
        print("fitted on", auto.refit_on_, auto.score(X[:1000], y[:1000]))
    except MemoryError as error:
        print("error:", error)
for own in caught:
    print(own.category.__name__, own.message)
"""


def limited(**values):
    """Run a search under ``ulimit -v``; give what it printed."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED.format(**values)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ulimit -v holds on Linux only")
def test_under_a_real_limit_a_search_ends_well():
    families = "families=['ridge', 'lda', 'decision_tree']"
    for name in ("AutoClassifier", "AutoRegressor"):
        own = families.replace("'lda', ", "") if name == "AutoRegressor" else families
        printed = limited(name=name, n_rows=400_000, n_columns=30, megabytes=600, options=own)
        assert "of the 400,000 rows are used" in printed, printed
        assert "of 400000 rows" in printed.splitlines()[0], printed
    values = {"n_rows": 2000, "n_columns": 5000, "megabytes": 150, "options": families}
    printed = limited(name="AutoClassifier", **values)
    assert printed.startswith("error: A fit on 2,000 rows takes about 0.45 GiB"), printed


def test_limits_of_a_candidate_start_workers():
    limits = CandidateLimits(memory_bytes=GIB)
    here = SearchOptions(max_rows=10_000, ensemble_size=12, final="auto")
    inside = replace(here, limits=limits)
    # What a process has to itself, the other needs not.
    need = _memory_needed._need_of(LARGE, LAYOUT, here)
    each = int(need.of_each(1) / 0.9) + 2**20
    assert planned(here, each=each)[1] and planned(inside, each=each)[1] is None


def test_meta_search_says_it_too(monkeypatch):
    free = FreeMemory(together=2**20)
    monkeypatch.setattr(_memory_needed, "free_memory", lambda: free)
    rows = np.zeros((2000, 50)) + np.arange(50)
    search = MetaSearchCV(Ridge(), {"alpha": [1.0, 2.0]}, n_iter=2, knowledge=None, cv=2)
    with pytest.warns(FallbackWarning, match="2,000 rows takes about"):
        search.fit(rows, np.arange(2000.0))
    assert search.best_estimator_.n_features_in_ == 50
    small = MetaSearchCV(LinearRegression(), {"fit_intercept": [True]}, knowledge=None, cv=2)
    monkeypatch.setattr(_memory_needed, "free_memory", lambda: FreeMemory(GIB))
    with warnings.catch_warnings():
        warnings.simplefilter("error", FallbackWarning)
        small.fit(rows, np.arange(2000.0))
