"""What past tasks say about a user's own candidates."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from scipy.stats import spearmanr
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import ParameterGrid
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVC

from sk_metalearn import MetaSearchCV
from sk_metalearn.exceptions import FallbackWarning
from sk_metalearn.knowledge import KnowledgeBase, PerformanceTable, Status, Task
from sk_metalearn.search import _many_rows
from sk_metalearn.search._catalogue_choices import match_configurations
from sk_metalearn.search._grid_choices import place_of_columns
from sk_metalearn.search._past_lookup import past_performance, performance_of
from sk_metalearn.spaces import (
    Configuration,
    Schema,
    fidelity_pool,
    get_family,
    load_pool,
    to_point,
)
from sk_metalearn.spaces._match import match_candidates
from sk_metalearn.strategies import Context, PastPerformance, get_strategy

RNG = np.random.default_rng(0)
X = RNG.uniform(0, 9, size=(300, 8))
Y = np.arange(300) % 2
SCHEMA = Schema.from_data(X, Y)
N_TASKS = 50
PIPELINE = Pipeline([("scale", StandardScaler()), ("model", SVC())])
GRID = list(
    ParameterGrid({"model__C": list(np.logspace(-2, 3, 6)), "model__gamma": [1e-3, 1e-2, 0.1, 1]})
)


def response(params, n_features):
    """Score of an RBF machine with a peak at C = 10 and gamma = 0.5 over the columns."""
    gamma = params["gamma"]
    gamma = 1 / n_features if isinstance(gamma, str) else gamma
    away = (np.log10(params["C"]) - 1) ** 2 / 8 + (np.log10(gamma * n_features) + 0.3) ** 2 / 3
    return 0.6 + 0.35 * np.exp(-away)


@pytest.fixture(scope="module")
def knowledge():
    rng = np.random.default_rng(1)
    svm = get_family("svm", "classification")
    extra = [
        Configuration(
            "svm",
            {"kernel": "rbf", "C": c, "gamma": g, "class_weight": None},
            {**svm.preprocessing},
        )
        for c, g in zip(10 ** rng.uniform(-3, 4, 20), 10 ** rng.uniform(-4, 1, 20), strict=True)
    ]
    pool = [
        own
        for own in load_pool("classification")
        if own.family in ("dummy", "random_forest")
        or (own.family == "svm" and own.params["kernel"] == "rbf")
    ]
    configurations = [*pool, *extra]
    tasks = [
        Task(f"{i:012x}", f"t{i}", "classification", f"f{i // 2}", 400 + 10 * i, 4 + i % 5, 2)
        for i in range(N_TASKS)
    ]
    shape = N_TASKS, len(configurations)
    scores = np.full(shape, 0.55)
    for j, own in enumerate(configurations):
        if own.family == "svm":
            scores[:, j] = [response(own.params, task.n_features) for task in tasks]
        elif own.family == "random_forest":
            scores[:, j] = 0.8 - 0.002 * own.params["min_samples_leaf"]
    scores[:, 1:] += rng.normal(0, 0.003, (N_TASKS, len(configurations) - 1))
    losses = -np.log(scores)
    losses[:, [j for j, own in enumerate(configurations) if own.family == "svm"]] = np.nan
    arrays = {
        "mean:accuracy": scores,
        "mean:neg_log_loss": -losses,
        "seconds": np.full(shape, 0.01),
        "status": np.full(shape, Status.ok, dtype=np.uint8),
        "metafeatures": np.zeros((N_TASKS, 1)),
    }
    table = PerformanceTable("classification", tasks, configurations, arrays, ("size",))
    return KnowledgeBase({("classification", "main"): table})


def ask(knowledge, estimator=PIPELINE, grid=GRID, metric="accuracy", kind="classification"):
    matches = match_candidates(estimator, grid, SCHEMA, kind, X, Y)
    place = place_of_columns(X, SCHEMA)
    found = past_performance(matches, kind, metric, knowledge, SCHEMA, place)
    return SimpleNamespace(matches=matches, **vars(found))


def test_every_candidate_of_the_grid_gets_a_past(knowledge):
    found = ask(knowledge)
    past, report = found.past, found.report
    assert isinstance(past, PastPerformance)
    assert past.scores.shape == past.seconds.shape == past.spread.shape == (N_TASKS, len(GRID))
    assert np.isfinite(past.scores).all() and (past.seconds > 0).all()
    truth = [
        response({"C": own["model__C"], "gamma": own["model__gamma"]}, SCHEMA.n_features)
        for own in GRID
    ]
    assert spearmanr(past.scores.mean(axis=0), truth)[0] > 0.9
    assert report["families"] == {"svm": len(GRID)}
    assert report["tasks"] == N_TASKS and report["task_families"] == N_TASKS // 2
    assert report["metric"] == "accuracy" and report["metric_is_exact"]
    assert report["reliability"]["svm"] > 0.5
    assert sum(report["matches"].values()) == len(GRID)


def test_pool_members_keep_what_was_measured(knowledge):
    table = knowledge.table("classification")
    grid = [{"model__C": 1.0}, {"model__C": 3.0}, {"model__C": 10.0, "model__gamma": 0.01}]
    prior = ask(knowledge, grid=grid)
    assert [own.kind for own in prior.matches] == ["exact", "same", "exact"]
    columns = table.columns_of([own.configuration for own in prior.matches])
    for i in (0, 2):
        np.testing.assert_array_equal(
            prior.past.scores[:, i], table.scores("accuracy")[:, columns[i]]
        )
        assert (prior.past.spread[:, i] == 0).all()
    assert (prior.past.spread[:, 1] > 0).all()
    np.testing.assert_array_equal(prior.past.baseline, 0.55)


def test_what_differs_from_the_catalogue_is_less_certain(knowledge):
    foreign = make_pipeline(PolynomialFeatures(), StandardScaler(), SVC(C=3.0))
    other = ask(knowledge, foreign, [{}])
    same = ask(knowledge, grid=[{"model__C": 3.0}])
    assert other.matches[0].kind == "other"
    # Nothing but that candidate is there to compare with, so the spread of the family counts.
    both = ask(
        knowledge,
        Pipeline([("extra", "passthrough"), *PIPELINE.steps]),
        [
            {"model__C": own, "extra": step}
            for own in (0.1, 3.0)
            for step in (None, PolynomialFeatures())
        ],
    )
    kinds = [own.kind for own in both.matches]
    assert kinds == ["same", "other", "same", "other"]
    assert (both.past.spread[:, 3] > both.past.spread[:, 2]).all()
    assert np.isfinite(same.past.spread).all()


def test_candidates_without_a_past_have_none(knowledge):
    steps = [{"model": [SVC(), RandomForestClassifier(), CalibratedClassifierCV(SVC())]}]
    found = ask(knowledge, PIPELINE, list(ParameterGrid(steps)))
    past, report = found.past, found.report
    assert np.isfinite(past.scores[:, :2]).all() and np.isnan(past.scores[:, 2]).all()
    assert report["matches"]["unknown"] == 1
    assert any("CalibratedClassifierCV" in reason for reason in report["reasons"])


@pytest.mark.parametrize(
    ("estimator", "kind", "why"),
    [
        (CalibratedClassifierCV(SVC()), "classification", "CalibratedClassifierCV"),
        (KNeighborsClassifier(), "classification", "k_neighbors"),
        (SVC(), "regression", "regression"),
    ],
)
def test_nothing_known(knowledge, estimator, kind, why):
    prior = ask(knowledge, estimator, [{}], kind=kind)
    assert prior.past is None and why in prior.report["why"]


def test_no_candidates(knowledge):
    assert ask(knowledge, grid=[]).past is None


def test_the_nearest_metric_is_used_and_said(knowledge):
    found = ask(knowledge, metric="recall_weighted")
    past, report = found.past, found.report
    assert report["metric"] == "accuracy" and report["metric_is_exact"]
    found = ask(knowledge, metric="jaccard_micro")
    past, report = found.past, found.report
    assert report["metric"] == "accuracy" and not report["metric_is_exact"]
    # Support vector machines were measured without probabilities.
    found = ask(knowledge, metric="neg_log_loss")
    past, report = found.past, found.report
    assert report["metric"] == "accuracy" and not report["metric_is_exact"]
    assert np.isfinite(past.scores).all()
    found = ask(knowledge, RandomForestClassifier(), [{}], metric="neg_log_loss")
    past, report = found.past, found.report
    assert report["metric"] == "neg_log_loss" and report["metric_is_exact"]


def test_left_out_families_leave_the_model_too(knowledge):
    rest = knowledge.without(families=[f"f{i}" for i in range(5)])
    found = ask(rest)
    past, report = found.past, found.report
    assert past.scores.shape[0] == N_TASKS - 10 == report["tasks"]


def test_a_search_over_the_grid_finds_its_peak_early(knowledge):
    past = ask(knowledge).past
    truth = np.array(
        [
            response({"C": own["model__C"], "gamma": own["model__gamma"]}, SCHEMA.n_features)
            for own in GRID
        ]
    )
    strategy = get_strategy("auto")
    strategy.start(Context(candidates=GRID, past=past))
    (proposal,) = strategy.ask(1)
    assert truth[proposal.candidate] > np.quantile(truth, 0.85)


def test_configurations_can_be_asked_for_directly(knowledge):
    table = knowledge.table("classification")
    own = [table.configurations[0], None, table.configurations[2]]
    past = performance_of(own, "accuracy", table)
    np.testing.assert_array_equal(past.scores[:, 0], table.scores("accuracy")[:, 0])
    assert np.isnan(past.scores[:, 1]).all()


def test_same_question_same_answer(knowledge):
    first, second = ask(knowledge), ask(knowledge)
    np.testing.assert_array_equal(first.past.scores, second.past.scores)
    np.testing.assert_array_equal(first.past.spread, second.past.spread)


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "boolean"])
def test_columns_with_pandas_own_missing_values(dtype):
    values = [True, None, False] if dtype == "boolean" else [1, None, 3]
    frame = pd.DataFrame({"a": np.arange(90.0), "b": pd.array(values * 30, dtype=dtype)})
    model = make_pipeline(SimpleImputer(), SVC())
    search = MetaSearchCV(model, {"svc__C": [0.1, 1, 10]}, n_iter=2, cv=2, random_state=0)
    search.fit(frame, np.arange(90) > 45)
    assert search.knowledge_report_["used"] and np.isfinite(search.best_score_)


def test_an_error_in_the_past_stops_no_search(monkeypatch):
    def fails(*arguments, **options):
        raise RuntimeError("the past is broken")

    X, y = np.arange(60.0).reshape(-1, 2), np.arange(30) % 2
    monkeypatch.setattr("sk_metalearn.search._past.past_performance", fails)
    with pytest.warns(FallbackWarning, match="RuntimeError: the past is broken"):
        search = MetaSearchCV(SVC(), {"C": [0.1, 1]}, cv=2).fit(X, y)
    assert not search.knowledge_report_["used"] and len(search.cv_results_["params"]) == 2


class Tolerant(RegressorMixin, BaseEstimator):
    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y):
        self.mean_ = self.factor * np.nanmean(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)

    def score(self, X, y):
        return -np.nanmean((y - self.predict(X)) ** 2)


@pytest.mark.parametrize("knowledge", [None, "bundled"])
@pytest.mark.filterwarnings("ignore::sk_metalearn.exceptions.FallbackWarning")
def test_a_target_with_gaps_is_up_to_the_estimator(knowledge):
    X, y = np.arange(40.0)[:, None], np.r_[np.nan, np.arange(39)]
    search = MetaSearchCV(Tolerant(), {"factor": [0.5, 1.0]}, knowledge=knowledge).fit(X, y)
    assert np.isfinite(search.best_score_)


def test_a_sparse_multilabel_target_is_named():
    X = np.arange(60.0).reshape(-1, 2)
    y = csr_matrix(np.column_stack([np.arange(30) % 2, np.arange(30) % 3 == 0]).astype(int))
    search = MetaSearchCV(KNeighborsClassifier(), {"n_neighbors": [1, 2]}, cv=2)
    with pytest.warns(FallbackWarning, match="no multilabel-indicator tasks"):
        search.fit(X, y)


def with_many_rows(knowledge, n_tasks):
    """The base with what some tasks scored on many rows, where only support vectors gained."""
    table = knowledge.table("classification")
    columns = np.array(
        [j for j in table.columns_of(fidelity_pool("classification")) if j >= 0], dtype=int
    )
    large = table.take(rows=np.arange(N_TASKS)[::-1][:n_tasks], columns=columns)
    scores = large.scores("accuracy").copy()
    scores[:, [own.family == "svm" for own in large.configurations]] += 0.3
    arrays = {
        "mean:accuracy": scores,
        "seconds": large.seconds,
        "status": large.status,
        "metafeatures": large.metafeatures,
    }
    own = PerformanceTable(
        "classification", large.tasks, large.configurations, arrays, ("size",), "large"
    )
    return KnowledgeBase({("classification", "main"): table, ("classification", "large"): own})


def ask_pool(knowledge, schema):
    table = knowledge.table("classification")
    matches = match_configurations([to_point(own) for own in table.configurations[1:]])
    return past_performance(matches, "classification", "accuracy", knowledge, schema, {})


def test_a_search_on_many_rows_asks_what_was_measured_on_many_rows(knowledge, monkeypatch):
    monkeypatch.setattr(_many_rows, "_N_TASKS", 30)
    base, many = with_many_rows(knowledge, 20), replace(SCHEMA, n_rows=_many_rows.MANY_ROWS)
    before, found = ask_pool(base, SCHEMA), ask_pool(base, many)
    assert not before.report["many_rows"] and before.report["tasks"] == N_TASKS
    assert found.report["many_rows"] and found.report["tasks"] == 30
    # The largest, and all that was measured on many rows.
    kept = np.arange(N_TASKS)[-30:]
    assert found.past.tasks == tuple(before.past.tasks[i] for i in kept)
    assert found.report["task_families"] == 15
    assert found.past.metafeatures.shape == (30, 1) and len(found.past.baseline) == 30
    family = np.array([own.family for own in base.table("classification").configurations[1:]])
    gain = found.past.scores - before.past.scores[kept]
    np.testing.assert_allclose(gain[:, family == "random_forest"], 0.0, atol=1e-12)
    np.testing.assert_allclose(gain[10:, family == "svm"], 0.3)
    # Those not measured move by the same share of their spread.
    assert (gain[:10, family == "svm"] > 0.1).all()


def test_what_was_only_measured_on_many_rows_says_nothing_of_gains(knowledge):
    base, many = with_many_rows(knowledge, 20), replace(SCHEMA, n_rows=_many_rows.MANY_ROWS)
    large, main = (base.table("classification", own) for own in ("large", "main"))
    kept = [j for j, own in enumerate(main.configurations) if own != large.configurations[-1]]
    table = main.take(columns=kept)
    tables = {("classification", "main"): table, ("classification", "large"): large}
    less = KnowledgeBase(tables)
    expected = [0.3 * (own.family == "svm") for own in table.configurations[1:]]
    gain = ask_pool(less, many).past.scores - ask_pool(less, SCHEMA).past.scores
    assert large.configurations[-1].family == "svm" and len(gain) == N_TASKS
    np.testing.assert_allclose(gain[-20:], np.tile(expected, (20, 1)), atol=1e-12)


@pytest.mark.parametrize("n_tasks", [0, 9])
def test_few_tasks_of_many_rows_change_nothing(knowledge, n_tasks):
    base, many = with_many_rows(knowledge, n_tasks), replace(SCHEMA, n_rows=10**6)
    np.testing.assert_array_equal(
        ask_pool(base, many).past.scores, ask_pool(base, SCHEMA).past.scores
    )
    np.testing.assert_array_equal(
        ask_pool(knowledge, many).past.scores, ask_pool(knowledge, SCHEMA).past.scores
    )
