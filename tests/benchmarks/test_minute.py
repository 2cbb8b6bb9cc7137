"""benchmarks/minute.py: what it draws, that it goes on where it was ended, and its arithmetic."""

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import _minute_draw  # noqa: E402
import _minute_fit  # noqa: E402
import _minute_process  # noqa: E402
import _minute_score  # noqa: E402
import _minute_tables  # noqa: E402
import minute  # noqa: E402

sys.path.remove(str(BENCHMARKS))

SIZES = (200, 400, 2000, 5000, 20_000)


def index_of(n_families, kin=2):
    """An index in which each family has datasets of several kinds and sizes."""
    rng = np.random.default_rng(0)
    rows = []
    for family in range(n_families):
        for member in range(kin):
            n_classes = int(rng.choice([0, 2, 5]))
            rows.append(
                {
                    "slug": f"d{family}-{member}",
                    "name": f"D {family} {member}",
                    "task": "classification" if n_classes else "regression",
                    "n_rows": str(rng.choice(SIZES)),
                    "n_classes": f"{n_classes}.0" if n_classes else "",
                    "group": f"f{family}",
                }
            )
    return rows


class TestDraw:
    def test_the_same_seed_draws_the_same_list(self):
        index = index_of(120)
        first = _minute_draw.draw(index, set(), 24, 3)
        assert _minute_draw.draw(index[::-1], set(), 24, 3) == first
        assert _minute_draw.draw(index, set(), 24, 4) != first

    @pytest.mark.parametrize("seed", range(5))
    def test_families_are_different_and_unused(self, seed):
        used = {f"f{i}" for i in range(0, 120, 3)}
        drawn = _minute_draw.draw(index_of(120), used, 24, seed)
        families = [row["family"] for row in drawn]
        assert len(set(families)) == 24
        assert not used & set(families)

    @pytest.mark.parametrize("n", [12, 24])
    def test_kinds_and_sizes_are_balanced(self, n):
        drawn = _minute_draw.draw(index_of(200), set(), 24, 0)[:n]
        kinds = [row["kind"] for row in drawn]
        assert {kinds.count(kind) for kind in _minute_draw.KINDS} == {n // 3}
        assert sum(row["n_rows"] > 10_000 for row in drawn) == n // 4
        assert min(row["n_rows"] for row in drawn) >= 300

    def test_too_few_families_are_told(self):
        with pytest.raises(ValueError, match="families"):
            _minute_draw.draw(index_of(10), set(), 24, 0)

    def test_the_list_that_is_kept_is_of_families_on_which_nothing_was_chosen(self):
        drawn = _minute_draw.read_drawn(minute.DRAWN)
        families = [row["family"] for row in drawn]
        assert len(drawn) >= 24
        assert len(set(families)) == len(families)
        assert not _minute_draw.used_families() & set(families)

    @pytest.mark.parametrize("results, column", [("live.csv", "family")])
    def test_families_of_other_benchmarks_are_used(self, results, column):
        named = set(pd.read_csv(minute.RESULTS / results)[column])
        assert named <= _minute_draw.used_families()


def write_dataset(folder, slug, y, **columns):
    pd.DataFrame({**columns, "target": y}).to_parquet(folder / f"{slug}.parquet")


class TestSplit:
    @pytest.fixture
    def data(self, tmp_path):
        rng = np.random.default_rng(0)
        levels = np.array(["a, b", "NA", 'say "x"', " spaced  out ", None], dtype=object)
        write_dataset(
            tmp_path,
            "flowers",
            pd.Categorical(np.repeat(["red", "blue", "rare"], [60, 40, 5])),
            size=np.where(rng.random(105) < 0.1, np.nan, rng.normal(size=105)),
            colour=pd.Categorical(levels[rng.integers(0, 5, 105)]),
            wet=rng.random(105) < 0.5,
        )
        write_dataset(tmp_path, "prices", rng.normal(size=80), size=rng.normal(size=80))
        rows = [
            ("flowers", "Flowers", "classification", "3", "plants"),
            ("leaves", "Leaves", "classification", "2", "plants"),
            ("prices", "Prices", "regression", "", "prices"),
        ]
        names = ("slug", "name", "task", "n_classes", "group")
        pd.DataFrame(rows, columns=names).assign(n_rows=100).to_csv(
            tmp_path / "index.csv", index=False
        )
        return tmp_path

    def split(self, data, slug, max_rows=1000):
        index = _minute_draw.read_index(data)
        _minute_draw.split(data, data / "splits", slug, max_rows, index)
        return _minute_tables.read_split(data / "splits", slug)

    def test_what_is_read_is_what_was_written(self, data):
        about, X, y, X_test, y_test = self.split(data, "flowers")
        assert about["kin"] == ["Flowers", "Leaves"]
        assert about["n_classes"] == 2  # the rare class is left out
        assert (len(y), len(y_test)) == (70, 30)
        assert set(y) == set(y_test) == {0, 1}
        known = {'say "x"', "a, b", "NA", "spaced out"}
        assert set(X["f1"].cat.categories) == known
        assert list(X["f1"].cat.categories) == list(X_test["f1"].cat.categories)
        source = pd.read_parquet(data / "flowers.parquet").iloc[:100]
        for column, name in (("f0", "size"), ("f1", "colour")):
            together = pd.concat([X[column], X_test[column]])
            assert together.isna().sum() == source[name].isna().sum()
        together = np.sort(np.r_[X["f0"].dropna(), X_test["f0"].dropna()])
        assert (together == np.sort(source["size"].dropna())).all()

    def test_numbers(self, data):
        about, _, y, _, y_test = self.split(data, "prices", max_rows=50)
        assert about["kind"] == "regression"
        assert (len(y), len(y_test)) == (50, 24)
        assert set(np.r_[y, y_test]) <= set(pd.read_parquet(data / "prices.parquet")["target"])

    @pytest.mark.parametrize("name", ["numbers-300x5", "classes-300x5", "text-300x4"])
    def test_generated(self, name):
        about, X, y, X_test, y_test = _minute_tables.read_split(None, name)
        again = _minute_tables.generate(name)
        pd.testing.assert_frame_equal(X, again[1])
        assert (y == again[2]).all()
        assert X.shape == X_test.shape == (300, int(name[-1]))
        assert len(y) == len(y_test) == 300
        if about["kind"] == "classification":
            assert set(y) == {0, 1}
        if name.startswith("text"):
            assert X["f0"].str.split().map(len).between(3, 12).all()


class TestScoreOfAPrediction:
    def test_two_classes(self):
        y = np.array([0, 0, 1, 1])
        p = np.array([0.1, 0.6, 0.4, 0.9])
        row = _minute_fit.score(
            {"kind": "classification", "n_classes": 2}, y, np.column_stack([1 - p, p])
        )
        assert row["metric"] == "auc" and row["score"] == 0.75
        assert row["accuracy"] == 0.5
        assert row["log_loss"] == pytest.approx(-np.log([0.9, 0.4, 0.4, 0.9]).mean())

    def test_several_classes(self):
        y = np.array([0, 1, 2])
        p = np.array([[0.5, 0.5, 0], [0, 0, 2], [0.2, 0.2, 0.6]])
        row = _minute_fit.score({"kind": "classification", "n_classes": 3}, y, p)
        assert row["metric"] == "log_loss"
        wrong = _minute_fit.LEAST / (2 + 2 * _minute_fit.LEAST)
        expected = np.log([0.5 / (1 + _minute_fit.LEAST), wrong, 0.6]).mean()
        assert row["score"] == pytest.approx(expected)

    def test_numbers(self):
        row = _minute_fit.score({"kind": "regression"}, np.array([1.0, 2, 3]), [1, 2, 4])
        assert row == {"metric": "r2", "score": 0.5}

    @pytest.mark.parametrize("p", [np.ones((3, 2)), np.full((3, 3), np.nan)])
    def test_what_cannot_be_scored_is_an_error(self, p):
        with pytest.raises(ValueError):
            _minute_fit.score({"kind": "classification", "n_classes": 3}, np.array([0, 1, 2]), p)


def row_of(dataset, system, score, metric="auc", **more):
    kind = "regression" if metric == "r2" else "classification"
    return {
        "dataset": dataset,
        "system": system,
        "score": score,
        "metric": metric,
        "kind": kind,
        "n_classes": {"auc": 2, "log_loss": 4, "r2": 0}[metric],
        "n_train": 70,
        "n_test": 500,
        "budget": 10.0,
        "jobs": 2,
        "seed": 0,
        "fit_seconds": 9.0,
        "predict_seconds": 1.0,
        "peak_mb": 100.0,
        **more,
    }


def failed(dataset, system):
    return {
        **{"dataset": dataset, "system": system, "budget": 10.0, "jobs": 2, "seed": 0},
        **{"peak_mb": 5.0, "wall_seconds": 1.0, "error": "ValueError: no"},
    }


class TestScore:
    def test_ranks_share_what_is_equal(self):
        scores = {"a": 0.9, "b": 0.90005, "c": 0.5, "d": -math.inf, "e": -math.inf}
        assert _minute_score.ranks(scores) == {"a": 1.5, "b": 1.5, "c": 3, "d": 4.5, "e": 4.5}
        assert _minute_score.first_places(scores) == {"a": 0.5, "b": 0.5, "c": 0, "d": 0, "e": 0}

    @pytest.mark.parametrize("seed", range(10))
    def test_ranks_sum_to_the_same(self, seed):
        rng = np.random.default_rng(seed)
        scores = dict(enumerate(rng.integers(0, 4, 5) * 0.7e-4))
        assert sum(_minute_score.ranks(scores).values()) == 15
        assert sum(_minute_score.first_places(scores).values()) == pytest.approx(1)

    def test_only_what_all_have_run_is_compared(self):
        rows = [row_of("x", "a", 0.9), row_of("x", "b", 0.8), row_of("y", "a", 0.7)]
        systems, groups = _minute_score.complete(rows)
        assert systems == ["a", "b"]
        assert [set(group) for group in groups] == [{"a", "b"}]
        assert len(_minute_score.complete(rows, ["a"])[1]) == 2

    def test_summary(self):
        rows = [
            row_of("x", "a", 0.9, fit_seconds=12.5),
            row_of("x", "b", 0.8),
            row_of("y", "a", -0.5, "log_loss", n_train=20_000),
            row_of("y", "b", -0.4, "log_loss", n_train=20_000),
            failed("z", "a"),
            row_of("z", "b", 0.1, "r2"),
        ]
        systems, groups = _minute_score.complete(rows)
        table = _minute_score.summary(systems, groups)
        assert table["a"]["rank"] == pytest.approx(5 / 3)
        assert (table["a"]["first"], table["b"]["first"]) == (1, 2)
        assert table["a"]["two classes"] == 1
        assert table["a"]["several classes"] == table["a"]["numbers"] == table["a"]["large"] == 2
        assert (table["a"]["failed"], table["b"]["failed"]) == (1, 0)
        assert table["a"]["overrun"] == 2.5 and table["b"]["overrun"] == -1
        assert table["a"]["seconds"] == 10.75
        assert table["b"]["predict"] == 2
        low, high = table["a"]["interval"]
        assert 1 <= low <= 5 / 3 <= high <= 2

    def test_pairs(self):
        rows = [
            row_of("x", "a", 0.9),
            row_of("x", "b", 0.8),
            row_of("y", "a", -0.5, "log_loss"),
            row_of("y", "b", -0.5, "log_loss"),
            failed("z", "b"),
            row_of("z", "a", 0.1, "r2"),
        ]
        pairs = _minute_score.pairs(*_minute_score.complete(rows), "a")
        assert (pairs["b"]["better"], pairs["b"]["worse"], pairs["b"]["equal"]) == (2, 0, 1)
        assert pairs["b"]["share"] == pytest.approx(5 / 6)
        assert pairs["b"]["p"] == 0.5  # two of two
        # Losses .1 and .2 on x, equal ones on y; z has no loss of b.
        assert pairs["b"]["loss"] == pytest.approx(math.sqrt(0.5))
        other = _minute_score.pairs(*_minute_score.complete(rows), "b")
        assert other["a"]["worse"] == 2
        assert other["a"]["loss"] == pytest.approx(math.sqrt(2))

    def test_files(self, tmp_path, capsys):
        rows = [row_of("x", "ours", 0.9), row_of("x", "flaml", 0.8), row_of("y", "ours", 0.7)]
        rows.append(failed("y", "flaml"))
        table, guide = tmp_path / "runs.csv", tmp_path / "guide.txt"
        _minute_score.report(rows, csv_path=table, rst_path=guide)
        written = pd.read_csv(table)
        assert written["score"].tolist()[:3] == [0.9, 0.8, 0.7]
        assert len(written) == 4 and "checkout" not in written
        text = guide.read_text()
        assert text.count(".. list-table::") == 2
        assert "sk_metalearn against" in text and "FLAML" in text
        assert "rank 1.00" in capsys.readouterr().out

    def test_a_table_of_runs_is_read_as_the_runs_were(self, tmp_path):
        rows = [failed("x", "flaml"), row_of("x", "ours", 0.75), row_of("y", "ours", 0.5)]
        rows.append(row_of("y", "flaml", 0.25))
        table, lines = tmp_path / "runs.csv", tmp_path / "again.jsonl"
        _minute_score.report(rows, csv_path=table, rst_path=tmp_path / "guide.txt")
        _minute_score.report(minute.read_rows(table), rst_path=tmp_path / "read.txt")
        assert (tmp_path / "read.txt").read_text() == (tmp_path / "guide.txt").read_text()
        lines.write_text(json.dumps(row_of("x", "flaml", 0.5)))
        scores = [row["score"] for row in minute.read_rows(table, lines)]
        assert scores == [0.5, 0.75, 0.5, 0.25]

    def test_nothing_to_compare_is_told(self):
        with pytest.raises(SystemExit, match="all of"):
            _minute_score.report([row_of("x", "a", 0.9), row_of("y", "b", 0.9)])


SETTINGS = {"budget": 10.0, "jobs": 2, "seed": 0}


class TestRun:
    def test_a_run_goes_on_where_it_was_ended(self, tmp_path, capsys):
        out = tmp_path / "rows.jsonl"
        ran = []

        def run(job):
            if len(ran) == 3:
                raise KeyboardInterrupt
            ran.append((job["dataset"], job["system"]))
            return row_of(job["dataset"], job["system"], 0.5)

        def left():
            return minute.plan(["x", "y"], ["a", "b"], minute.read_rows(out), SETTINGS)

        assert len(left()) == 4
        with pytest.raises(KeyboardInterrupt):
            minute.run_all(left(), out, run)
        with out.open("a") as file:
            file.write('{"dataset": "y", "sys')
        assert len(left()) == 1
        first = ran.copy()
        ran.clear()
        minute.run_all(left(), out, run)
        assert sorted(first + ran) == [(d, s) for d in "xy" for s in "ab"]
        assert left() == []
        assert len(minute.read_rows(out)) == 4

    def test_each_system_begins_in_turn(self):
        jobs = minute.plan(["x", "y"], ["a", "b"], [], SETTINGS)
        named = [(job["dataset"], job["system"]) for job in jobs]
        assert named == [("x", "a"), ("x", "b"), ("y", "b"), ("y", "a")]

    def test_another_budget_is_another_run(self):
        done = [row_of("x", "a", 0.9)]
        assert minute.plan(["x"], ["a"], done, SETTINGS) == []
        assert len(minute.plan(["x"], ["a"], done, {**SETTINGS, "budget": 60.0})) == 1

    def test_what_failed_is_repeated_when_asked(self, tmp_path, capsys):
        done = [failed("x", "a")]
        assert minute.plan(["x"], ["a"], done, SETTINGS) == []
        jobs = minute.plan(["x"], ["a"], done, SETTINGS, again=True)
        assert len(jobs) == 1
        out = tmp_path / "rows.jsonl"
        out.write_text(json.dumps(done[0]) + "\n")
        minute.run_all(jobs, out, lambda job: row_of("x", "a", 0.9))
        assert [row.get("error") for row in minute.read_rows(out)] == [None]

    def test_checkouts_have_names_and_options(self):
        path, name, options = minute.parse_ours("first")
        assert (path, name, options) == (Path("first").resolve(), "ours", {})
        path, name, options = minute.parse_ours('.:no_race:{"racing": false, "cv": 3}')
        assert (path, name) == (Path().resolve(), "no_race")
        assert options == {"racing": False, "cv": 3}


class TestWatch:
    def watch(self, tmp_path, code, limit=60):
        command = [sys.executable, "-c", code]
        return _minute_process.watch(command, dict(os.environ), limit, tmp_path)

    def test_the_last_marked_line_is_read(self, tmp_path):
        row = self.watch(tmp_path, "print('noise'); print('MINUTE {\"score\": 1}')")
        assert row["score"] == 1 and "error" not in row

    def test_the_end_of_a_process_that_says_nothing_is_told(self, tmp_path):
        row = self.watch(tmp_path, "raise SystemExit('no such module')")
        assert row["error"] == "ended with code 1: no such module"

    def test_a_process_over_the_limit_is_ended(self, tmp_path):
        row = self.watch(tmp_path, "import time; time.sleep(600)", limit=0.5)
        assert row["error"] == "ended after 0 seconds"

    def test_memory_of_children_counts_and_they_are_ended(self, tmp_path):
        told = tmp_path / "told"
        child = (
            "import os, pathlib, time; held = b'x' * 200_000_000\n"
            f"new = pathlib.Path({str(tmp_path / 'new')!r}); new.write_text(str(os.getpid()))\n"
            f"new.rename({str(told)!r}); time.sleep(600)"
        )
        code = (
            "import subprocess, sys\n"
            f"subprocess.Popen([sys.executable, '-c', {child!r}], start_new_session=True).wait()"
        )
        process = subprocess.Popen([sys.executable, "-c", code])
        peak = _minute_process.Peak(process.pid)
        while not told.exists():
            assert process.poll() is None
            time.sleep(0.05)
        peak.look()
        peak.stop()
        assert peak.bytes > 200_000_000
        assert not psutil.pid_exists(int(told.read_text()))
        process.wait()


def test_a_job_runs_from_its_command_to_its_row(tmp_path):
    job = {"dataset": "numbers-200x3", "system": "ours", **SETTINGS, "budget": 3.0, "jobs": 1}
    options = {"families": ["ridge"], "n_iter": 2, "time_budget": None}
    job |= {"options": options, "checkout": str(BENCHMARKS.parent), "splits": str(tmp_path)}
    row = _minute_process.run_job(job)
    assert row.get("error") is None
    assert row["metric"] == "r2" and row["score"] <= 1
    assert row["note"]["candidates"] == 2
    assert (row["n_train"], row["n_test"], row["n_columns"]) == (200, 200, 3)
    assert set(minute.KEY) <= set(row)


def test_a_system_that_fails_gives_a_row(tmp_path):
    job = {"dataset": "numbers-200x3", "system": "ours", **SETTINGS, "jobs": 1}
    job |= {"options": {"families": ["none such"]}, "splits": str(tmp_path)}
    row = _minute_fit.run(job)
    assert "none such" in row["error"]
    assert row["n_train"] == 200
