"""What a person's searches record: found again by every later search, and nothing that leaks."""

import json
import os
import platform
import sqlite3
import stat
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_iris, load_wine, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from sk_metalearn import AutoClassifier, KnowledgeBase, MetaSearchCV, cli
from sk_metalearn.exceptions import KnowledgeError
from sk_metalearn.knowledge import share_records
from sk_metalearn.knowledge._private import failure_type, kept_settings, keyed_hash
from sk_metalearn.search._memory import memory_of, metric_name, stack_past
from sk_metalearn.search._past_lookup import performance_of

pytest.importorskip("sqlalchemy")
IRIS, WINE = load_iris(return_X_y=True), load_wine(return_X_y=True)
CANCER = load_breast_cancer(return_X_y=True)
QUIET = {"knowledge": None, "refit": False, "random_state": 0, "cv": 3}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Give the folder of the user's own store."""
    monkeypatch.setenv("SK_METALEARN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def grid_search(data, remember=True, **options):
    search = MetaSearchCV(SVC(), {"C": [0.1, 1, 10]}, remember=remember, **QUIET, **options)
    return search.fit(*data)


def auto_search(data, remember=True):
    auto = AutoClassifier(
        n_iter=3, families=["lda", "svm"], remember=remember, knowledge=None, random_state=0
    )
    return auto.fit(*data)


def test_what_a_grid_search_recorded_stands_in_the_catalogues_words(home):
    search = grid_search(WINE)
    table = KnowledgeBase.open("user").table("classification")
    svm = [own for own in table.configurations if own.family == "svm"]
    assert {own.params["C"] for own in svm} == {0.1, 1.0, 10.0}
    scores = table.scores("accuracy")[0, table.columns_of(svm)]
    assert sorted(scores) == pytest.approx(sorted(search.cv_results_["mean_test_score"]))
    past = performance_of(svm, "accuracy", table)
    assert np.isfinite(past.scores).all()


@pytest.mark.slow
@pytest.mark.parametrize("order", ["AG", "GA", "GAA", "AGG", "G", "A"])
def test_the_users_base_guides_whatever_was_searched_in_whatever_order(home, order):
    for kind, data in zip(order, (IRIS, WINE, CANCER), strict=False):
        {"A": auto_search, "G": grid_search}[kind](data)
    X, y = make_classification(random_state=0)
    for search in (
        MetaSearchCV(SVC(), {"C": [0.1, 1, 10]}, **{**QUIET, "knowledge": "user"}),
        AutoClassifier(
            n_iter=2, families=["lda", "svm"], knowledge="user", scoring="accuracy", random_state=0
        ),
    ):
        search.fit(X, y)
        assert search.knowledge_report_["used"], search.knowledge_report_
        # A dataset on which one point of a family was tried says nothing of the others' order.
        assert search.knowledge_report_["tasks"] >= max(1, len(order) - 1)


def test_datasets_can_be_named_and_are_listed(home, capsys):
    grid_search(IRIS)
    grid_search(WINE, remember="wines of 1991")
    grid_search(IRIS, remember="flowers")
    names = {task.name for task in KnowledgeBase.open("user").tasks}
    assert names == {"flowers", "wines of 1991"}
    assert cli.main(["kb", "info", "user"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (line,) = (line for line in lines if line.startswith("wines of 1991"))
    assert line.split()[3:] == ["classification", "178", "13", "6"]
    with pytest.raises(KnowledgeError, match="at most 255 characters"):
        memory_of("x" * 300, "classification", "accuracy")


@pytest.mark.parametrize("remember", [False, np.False_, None, ""])
def test_nothing_is_remembered_unasked(home, remember):
    assert memory_of(remember, "classification", "accuracy") is None
    assert not home.exists()


def test_what_an_estimator_is_known_by():
    base = KnowledgeBase()

    def family(estimator, *searched):
        return memory_of(base, "classification", "accuracy", estimator, searched).family

    # What the search sets, and what changes nothing, does not count.
    assert family(SVC(C=1), "C") == family(SVC(C=10), "C")
    assert family(SVC(random_state=1, verbose=True), "C") == family(SVC(), "C")
    assert family(SVC(gamma=1.0), "C") != family(SVC(), "C")
    assert family(SVC(), "C") != family(LogisticRegression(), "C")

    def pipe(**options):
        return make_pipeline(StandardScaler(), SVC(**options))

    assert family(pipe(C=1), "svc__C") == family(pipe(C=2), "svc__C")
    assert family(pipe(gamma=1.0), "svc__C") != family(pipe(), "svc__C")
    assert family(pipe(gamma=1.0), "svc") == family(pipe(), "svc")
    assert family(SVC(), "C") != memory_of(KnowledgeBase(), "classification", "a", SVC()).family


def test_equal_metrics_have_one_name():
    assert metric_name(None, "classification") == metric_name("accuracy", "classification")
    assert metric_name("roc_auc", "classification") == "roc_auc_ovr"
    assert metric_name("f1_micro", "classification") == "accuracy"
    assert metric_name("neg_mean_squared_error", "regression") == "neg_mean_squared_error"
    assert metric_name(make_scorer(accuracy_score), "classification") == "accuracy"
    assert metric_name(lambda *_: 0.0, "classification").startswith("own:")


class Leaky(ClassifierMixin, BaseEstimator):
    """An estimator of one's own, with parameters of every kind."""

    def __init__(self, path=None, weights=None, mode="quick", call=None, size=1.0):
        self.path = path
        self.weights = weights
        self.mode = mode
        self.call = call
        self.size = size

    def fit(self, X, y):
        if self.size > 5:
            raise ValueError(f"could not convert: 'SECRET_CELL'\nKeyError: {self.path}")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def secret_function(value):
    return value


def secret_score(y, prediction):
    return float((y == prediction).mean())


SECRETS = ("SECRET", "secret", "/home/jane")


def leaky_searches(remember):
    warnings.simplefilter("ignore")
    y = np.where(IRIS[1] == 0, "SECRET_SICK", "SECRET_WELL")
    grid = {
        "path": ["/home/jane/cancer.csv"],
        "weights": [{"SECRET_SICK": 5, "SECRET_WELL": 1}, ["SECRET_SICK"]],
        "mode": ["quick", "SECRET_MODE"],
        "call": [secret_function],
        "size": [1.0, 9.0],
    }
    own = make_scorer(secret_score)
    search = MetaSearchCV(Leaky(), grid, scoring=own, n_iter="all", remember=remember, **QUIET)
    search.fit(IRIS[0], y)
    weights = [{"SECRET_SICK": 5, "SECRET_WELL": 1}, "balanced", None]
    SvmWeights = {"class_weight": weights, "kernel": ["rbf", "linear"]}
    MetaSearchCV(SVC(), SvmWeights, n_iter="all", remember=remember, **QUIET).fit(IRIS[0], y)
    encoder = OneHotEncoder(categories=[["SECRET_RED", "SECRET_BLUE"]], handle_unknown="ignore")
    frame = np.column_stack([IRIS[0], np.where(IRIS[1] > 1, "SECRET_RED", "SECRET_BLUE")])
    columns = ColumnTransformer([("secret_step", encoder, [4])], remainder="drop")
    pipe = make_pipeline(columns, SVC())
    MetaSearchCV(pipe, {"svc__C": [1.0, 2.0]}, remember=remember, **QUIET).fit(
        frame.astype(object), y
    )


def test_nothing_leaks_into_a_store_or_an_export(home, tmp_path):
    leaky_searches(True)
    base = KnowledgeBase.open("user")
    base.save(tmp_path / "all.npz")
    base.save(tmp_path / "all.jsonl")
    base.save(tmp_path / "anonymous.jsonl", anonymous=True)
    base._store.close()
    files = [*home.iterdir(), *(tmp_path / name for name in os.listdir(tmp_path))]
    contents = {str(file): file.read_bytes() for file in files if file.is_file()}
    header = np.load(tmp_path / "all.npz")["header"].tobytes()
    contents["header"] = header
    assert len(contents) >= 5
    for name, content in contents.items():
        for secret in SECRETS:
            assert secret.encode() not in content, (name, secret)
        assert f'"{platform.node()}"'.encode() not in content
    # It is no empty promise: numbers, options and types are there.
    text = contents[str(tmp_path / "all.jsonl")].decode()
    assert '"kernel":"rbf"' in text and '"class_weight":"balanced"' in text
    connection = sqlite3.connect(home / "knowledge.db")
    reasons = {
        json.loads(text).get("reason")
        for (text,) in connection.execute("SELECT record FROM sk_metalearn_evaluations")
    }
    connection.close()
    assert reasons == {None, "ValueError"}
    # Hashes need the key, which no export holds.
    key = KnowledgeBase.open("user").secret()
    assert len(key) == 64
    for name in ("all.npz", "all.jsonl", "anonymous.jsonl"):
        assert key.encode() not in contents[str(tmp_path / name)]
    assert key.encode() not in header


def test_hashed_settings_match_within_a_store_only(home):
    leaky_searches(True)
    first = {own.id for own in KnowledgeBase.open("user").table("classification").configurations}
    leaky_searches(True)
    again = {own.id for own in KnowledgeBase.open("user").table("classification").configurations}
    assert first == again
    other = KnowledgeBase()
    leaky_searches(other)
    others = {own for own in other.table("classification").configurations if "own:" in own.family}
    assert not {own.id for own in others} & first


def test_anonymous_lines_hold_nothing_of_ones_own(home):
    leaky_searches(True)
    grid_search(WINE, remember="wines")
    base = KnowledgeBase.open("user")
    records = list(share_records(base, anonymous=True))
    text = json.dumps(records)
    for word in ("own:", "own-", "own searches", "wines", "Leaky", "secret_step", "svc__"):
        assert word not in text
    assert not [task.id for task in base.tasks if task.id in text]
    assert {own["family"] for own in records if own["record"] == "configuration"} == {"svm"}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (1, True),
        (0.5, True),
        (np.float64(2.0), True),
        (True, True),
        (None, True),
        ("scale", True),
        ("someone's path", False),
        ([1, 2], False),
        ({"a": 1}, False),
        (float("inf"), False),
        (10**30, False),
        (secret_function, False),
    ],
)
def test_settings_that_are_kept(value, kept):
    found = kept_settings(SVC(), {"gamma": value}, "key", repr)["gamma"]
    assert (not isinstance(found, dict)) == kept
    if not kept:
        assert found == {"hash": keyed_hash("key", repr(value))}


def test_settings_of_nested_estimators():
    pipe = make_pipeline(StandardScaler(), SVC())
    params = {"svc__kernel": "rbf", "svc__degree": 3, "standardscaler": "passthrough"}
    kept = kept_settings(pipe, params, "key", repr)
    assert kept["svc__kernel"] == "rbf" and kept["svc__degree"] == 3
    assert isinstance(kept["standardscaler"], dict)
    swapped = {"svc": LogisticRegression(), "svc__solver": "saga"}
    assert kept_settings(pipe, swapped, "key", repr)["svc__solver"] == "saga"


@pytest.mark.parametrize(
    ("failure", "name"),
    [
        ("", ""),
        ("ValueError('a cell')", "ValueError"),
        ("ValueError: a cell", "ValueError"),
        ("Traceback (most recent call last):\n  File x\n    y\nKeyError: 'cell'\n", "KeyError"),
        ("ValueError: a\nHIV_POSITIVE: b", "ValueError"),
        ("HIV_POSITIVE: b", ""),
        ("numpy.linalg.LinAlgError: singular", "LinAlgError"),
        ("os.path: x", ""),
        ("a cell of data", ""),
    ],
)
def test_of_a_failure_only_the_type_is_kept(failure, name):
    assert failure_type(failure) == name


@pytest.mark.skipif(sys.platform == "win32", reason="files have no such rights there")
def test_files_are_for_their_owner_alone(home, tmp_path):
    grid_search(IRIS)
    base = KnowledgeBase.open("user")
    base.save(tmp_path / "a.npz")
    base.save(tmp_path / "a.jsonl")
    base.save(tmp_path / "deep" / "er" / "a.db")
    rights = {
        str(path.relative_to(tmp_path)): stat.S_IMODE(path.stat().st_mode)
        for path in tmp_path.rglob("*")
    }
    assert len(rights) >= 6
    for name, mode in rights.items():
        assert mode == (0o700 if (tmp_path / name).is_dir() else 0o600), name
    # Rights that somebody gave a file stay.
    os.chmod(tmp_path / "a.npz", 0o644)
    base.save(tmp_path / "a.npz")
    assert stat.S_IMODE((tmp_path / "a.npz").stat().st_mode) == 0o644


def test_drawn_values_of_other_types_are_candidates_again(home):
    space = {"size": loguniform(0.1, 2), "mode": ["quick", "slow"], "path": ["a", "b"]}
    options = {**QUIET, "n_iter": 4, "remember": True}
    MetaSearchCV(Leaky(), space, **{**options, "random_state": 1}).fit(*IRIS)
    memory = memory_of(True, "classification", "accuracy", Leaky(), tuple(space))
    found = MetaSearchCV(Leaky(), space, **{**options, "random_state": 2}).fit(*WINE)
    assert len(memory.known_params()) < 8
    assert found.knowledge_report_["own_tasks"] == 1


def test_more_folds_than_are_kept(home):
    X, y = IRIS[0][::1], IRIS[1]
    MetaSearchCV(SVC(), {"C": [1, 2]}, remember=True, **{**QUIET, "cv": 50}).fit(X, y)
    from sklearn.model_selection import LeaveOneOut

    MetaSearchCV(SVC(), {"C": [3, 4]}, remember=True, **{**QUIET, "cv": LeaveOneOut()}).fit(X, y)
    table = KnowledgeBase.open("user").table("classification")
    assert np.isfinite(table.scores("accuracy")).all() and len(table.tasks) == 1


def test_the_table_of_what_each_file_holds(home, tmp_path):
    """The guide's table, held: every field that a file may have is named there."""
    leaky_searches(True)
    base = KnowledgeBase.open("user")
    pages = Path(__file__).parents[2] / "docs" / "guide"
    page = (pages / "what_can_go_wrong.rst").read_text(encoding="utf-8")
    fields = {
        name
        for record in share_records(base)
        for name in (record if record["record"] != "metafeatures" else ())
    }
    fields -= {"record", "format", "version", "lines"}
    connection = sqlite3.connect(home / "knowledge.db")
    for table in ("tasks", "configurations", "evaluations", "sources"):
        for (text,) in connection.execute(f"SELECT record FROM sk_metalearn_{table}"):
            fields |= set(json.loads(text))
    fields |= {f"meta: {key}" for (key,) in connection.execute("SELECT key FROM sk_metalearn_meta")}
    connection.close()
    missing = {name for name in fields if f"``{name}``" not in page}
    assert not missing


def test_a_store_that_is_asked_twice_counts_once(home):
    grid_search(WINE, remember="wines")
    grid_search(IRIS, remember="flowers")
    memory = memory_of(True, "classification", "accuracy", SVC(), ("C",))
    candidates = [{"C": 0.1}, {"C": 1}, {"C": 10}]
    past = memory.past(candidates)
    both = stack_past(past, past)
    assert sorted(both.tasks) == ["flowers", "wines"] and both.scores.shape == (2, 3)
    grid_search(CANCER, remember="cells")
    more = stack_past(past, memory.past(candidates))
    assert sorted(more.tasks) == ["cells", "flowers", "wines"]
    assert np.isfinite(more.scores).all() and len(more.metafeatures) == 3
