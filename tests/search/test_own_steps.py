"""Steps of the user's own before all that an Auto estimator searches."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, StandardScaler

from sk_metalearn import AutoClassifier, AutoRegressor, KnowledgeBase
from sk_metalearn.exceptions import CheckpointError, FallbackWarning
from sk_metalearn.search import to_code
from sk_metalearn.search._own_steps import set_apart
from sk_metalearn.strategies import PastPerformance

X, y = load_wine(return_X_y=True)
RNG = np.random.default_rng(0)
SIGNS = RNG.normal(size=(200, 6))
PRODUCT = SIGNS[:, 0] * SIGNS[:, 1] + 0.1 * RNG.normal(size=200)
PAIRS = PolynomialFeatures(2, interaction_only=True, include_bias=False)


def auto(before, **options):
    options = {"n_iter": 6, "cv": 3, "random_state": 0, "families": ["lda", "svm"], **options}
    return AutoClassifier(before=before, **options)


def lines(frame):
    """Two numbers and a text of each row, of a column of records as databases give them."""
    first = frame["line"].str.split(";", expand=True)
    return pd.DataFrame(
        {"a": first[0].astype(float), "b": first[1].astype(float), "c": first[2]}, frame.index
    )


class Dropping(TransformerMixin, BaseEstimator):
    """Gives fewer rows than it gets."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X[1:]


class Counting(TransformerMixin, BaseEstimator):
    """Remembers which rows it was fitted on."""

    rows = []

    def fit(self, X, y=None):
        self.rows.append(len(X))
        return self

    def transform(self, X):
        return X


def test_a_transformer_stands_before_every_model_and_meets_training_rows_only():
    Counting.rows.clear()
    found = auto(Counting(), ensemble_size=0).fit(X, y)
    assert (found.cv_results_["status"] == "ok").all()
    assert {name for name, _ in found.best_estimator_.steps[:1]} == {"before"}
    # Once to see what it makes, once for the final model, otherwise on folds.
    assert Counting.rows.count(len(X)) == 2
    assert {n for n in Counting.rows if n < len(X)} == {118, 119}
    assert "before" not in found.best_params_


def test_a_step_that_looks_at_y_does_not_flatter_the_search():
    noise = np.random.default_rng(1).normal(size=(60, 2000))
    labels = np.arange(60) % 2
    inside = auto(SelectKBest(k=5), n_iter=3).fit(noise, labels)
    outside = make_pipeline(SelectKBest(k=5), auto(None, n_iter=3)).fit(noise, labels)
    assert outside[-1].best_score_ > 0.8 > 0.7 > inside.best_score_


@pytest.mark.parametrize("options", [{}, {"final": "bag"}, {"time_budget": 6, "n_iter": None}])
def test_all_endings_keep_it(options):
    steps = make_pipeline(StandardScaler(), PCA(4))
    found = auto(steps, scoring="neg_log_loss", **options).fit(X[::2], y[::2])
    assert found.score(X[1::2], y[1::2]) > -0.4
    members = getattr(found.best_estimator_, "estimators", [("", found.best_estimator_)])
    assert all("PCA" in repr(member) for _, member in members)
    assert not hasattr(clone(found.best_estimator_), "classes_")
    again = found.refit(X[1::2], y[1::2])
    assert again.score(X[::2], y[::2]) > -0.4
    same = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(same.predict(X), found.predict(X))
    assert "PCA(n_components=4" in to_code(found)


def test_a_sample_is_searched_and_the_model_fitted_on_all_rows():
    many = np.tile(X, (4, 1)) + np.random.default_rng(0).normal(size=(4 * len(X), 13)) * 0.01
    found = auto(PCA(5), max_rows=200).fit(many, np.tile(y, 4))
    assert found.refit_on_ == "all rows" and found.score(X, y) > 0.9
    timed = auto(PCA(5), max_rows=200, n_iter=None, time_budget=6).fit(many, np.tile(y, 4))
    assert timed.score(X, y) > 0.9


def test_what_it_makes_is_read_like_any_other_table():
    words = np.array(["low", "high"])[np.arange(120) % 2]
    frame = pd.DataFrame({"line": [f"{i % 7};{i % 2};{word}" for i, word in enumerate(words)]})
    target = np.where(np.arange(120) % 2, "yes", "no")
    reader = FunctionTransformer(lines)
    found = auto(reader, families=["logistic_regression", "decision_tree"]).fit(frame, target)
    assert found.score(frame, target) == 1.0
    assert found.predict({"line": "3;1;high"}).tolist() == ["yes"]
    assert found.predict(frame.assign(more=1)[["more", "line"]].head(2)).tolist() == ["no", "yes"]
    assert list(found.describe_columns()["column"]) == ["line"]
    with pytest.raises(ValueError, match="line"):
        found.predict(pd.DataFrame({"lines": ["3;1;high"]}))


@pytest.mark.parametrize("library", ["pandas", "polars", "arrow"])
def test_own_steps_meet_every_column_in_the_order_and_the_library_of_fit(library, recwarn):
    frame = pd.DataFrame(
        {"key": [f"{'ab'[i % 2]}{i:04}" for i in range(100)], "n": np.arange(100) % 2, "o": 1.0}
    )
    own = pytest.importorskip("polars").from_pandas(frame) if library == "polars" else frame
    if library == "arrow":
        own = pytest.importorskip("pyarrow").Table.from_pandas(frame)
    seen = []

    def kind(table):
        seen.append((type(table), list(table.columns)))
        return np.array([[ord(str(key)[0])] for key in table["key"]], dtype=float)

    found = auto(FunctionTransformer(kind), families=["decision_tree"], n_iter=2)
    found.fit(own, frame["n"])
    assert not [w for w in recwarn if "left out" in str(w.message)]
    shuffled = frame[["o", "n", "key"]]
    for rows in (own, shuffled, shuffled.to_dict("records"), shuffled.iloc[0].to_dict()):
        expected = frame["n"] if not isinstance(rows, dict) else [0]
        assert (found.predict(rows) == expected).all()
    assert len(set(map(repr, seen))) == 1
    with pytest.raises(ValueError, match="key"):
        found.predict(frame[["n", "o"]])


def test_both_own_steps_and_none_read_what_is_stored_in_another_way():
    frame = pd.DataFrame({"id": [f"u{i:04}" for i in range(100)], "n": np.arange(100.0) % 5})
    target = (frame["n"] > 2).astype(int)
    before = {"plain": "passthrough", "own": FunctionTransformer(_numbers)}
    with pytest.warns(FallbackWarning, match="left out"):
        found = auto(before, families=["lda", "decision_tree"], n_iter=6).fit(frame, target)
    assert found.score(frame, target) > 0.95
    rows = frame.assign(n=frame["n"].astype(int).astype(object))[["n", "id"]]
    assert (found.predict(rows) == target).mean() > 0.95
    assert (found.predict(rows.to_dict("records")) == target).mean() > 0.95


def _numbers(frame):
    return frame[["n"]].astype(float)


def test_an_array_with_a_column_of_no_use_reaches_own_steps_whole():
    table = np.column_stack([X, np.full(len(X), np.nan)])
    step = FunctionTransformer(np.nan_to_num)
    found = auto(step).fit(table, y)
    assert found.score(pd.DataFrame(table), y) > 0.9
    with pytest.raises(ValueError, match="features"):
        found.predict(X)


def test_a_sparse_table_of_words_is_searched():
    texts = [f"{'good' if i % 2 else 'bad'} thing number {i % 9}" for i in range(90)]
    steps = make_pipeline(FunctionTransformer(np.ravel), TfidfVectorizer())
    found = auto(steps, families=["logistic_regression", "linear_svc", "lda"])
    found.fit(np.array(texts, dtype=object)[:, None], np.arange(90) % 2)
    assert found.best_score_ == 1.0
    assert found.predict([["a good thing"], ["a bad one"]]).tolist() == [1, 0]


def test_the_search_settles_on_the_better_of_several():
    found = AutoRegressor(
        before={"plain": "passthrough", "pairs": PAIRS, "one": PCA(1)},
        families=["ridge", "elastic_net", "huber"],
        n_iter=14,
        random_state=0,
        ensemble_size=0,
    ).fit(SIGNS, PRODUCT)
    tried = [params["before"] for params in found.cv_results_["params"]]
    assert set(tried) == {"plain", "pairs", "one"}
    assert tried.count("pairs") > 7 and found.best_params_["before"] == "pairs"
    assert found.best_score_ > 0.9
    assert found.leaderboard()["settings"].iloc[0].startswith("pairs, then ")
    assert found.cv_results_["param_before"][0] == tried[0]
    assert isinstance(found.best_estimator_.steps[0][1], PolynomialFeatures)


@pytest.mark.parametrize("strategy", ["random", "gp", "evolution"])
def test_every_strategy_chooses_among_them(strategy):
    found = auto({"plain": "passthrough", "pca": PCA(3)}, strategy=strategy, n_iter=12)
    found.fit(X, y)
    assert {params["before"] for params in found.cv_results_["params"]} == {"plain", "pca"}
    assert (found.cv_results_["status"] == "ok").all()


def test_alternatives_make_tables_of_their_own():
    dates = pd.date_range("2024-01-01", periods=140).strftime("%Y-%m-%d").to_numpy()
    frame = pd.DataFrame({"when": dates, "kind": list("abcdefg") * 20, "n": np.arange(140.0)})
    target = (np.arange(140) % 7 > 3).astype(int)
    before = {
        "as it is": "passthrough",
        "numbers": FunctionTransformer(_weekday),
        "sparse": make_pipeline(FunctionTransformer(_weekday), FunctionTransformer(_sparse)),
    }
    found = auto(before, n_iter=12, families=["logistic_regression", "decision_tree"])
    found.fit(frame, target)
    tried = {params["before"] for params in found.cv_results_["params"]}
    assert tried == set(before) and (found.cv_results_["status"] == "ok").all()
    assert found.score(frame, target) > 0.95


def _weekday(frame):
    days = pd.to_datetime(frame["when"]).dt.day_of_week
    return (days.to_numpy()[:, None] == np.arange(7)).astype(float)


def _sparse(table):
    return sparse.csr_matrix(table)


def test_estimators_of_ones_own_stand_behind_them_and_take_turns():
    own = LogisticRegression()
    space = {"C": [0.01, 0.1, 1.0, 10.0]}
    before = {"plain": "passthrough", "pca": PCA(3)}
    found = auto(before, families=["lda", (own, space)], n_iter=12).fit(X, y)
    points = [p for p in found.cv_results_["params"] if p["family"].startswith("own_")]
    assert [p["before"] for p in points[:2]] == ["plain", "pca"]
    assert found.configurations_[1].params == {}
    assert (found.cv_results_["status"] == "ok").all()


def test_a_checkpoint_goes_on_and_knows_other_steps(tmp_path):
    path = tmp_path / "search.jsonl"
    before = {"plain": "passthrough", "pca": PCA(3)}
    auto(before, checkpoint=path, n_iter=4).fit(X, y)
    longer = auto(before, checkpoint=path, n_iter=8).fit(X, y)
    whole = auto(before, n_iter=8).fit(X, y)
    assert longer.cv_results_["params"] == whole.cv_results_["params"]
    with pytest.raises(CheckpointError, match="before"):
        auto({"plain": "passthrough", "pca": PCA(4)}, checkpoint=path).fit(X, y)


def test_workers_find_the_same():
    before = {"plain": "passthrough", "pca": PCA(3)}
    alone = auto(before, n_iter=8).fit(X, y)
    two = auto(before, n_iter=8, n_jobs=2).fit(X, y)
    assert alone.cv_results_["params"] == two.cv_results_["params"]
    np.testing.assert_array_equal(
        alone.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )


def test_what_is_random_in_them_is_seeded():
    steps = PCA(3, svd_solver="randomized")
    scores = [auto(steps, ensemble_size=0).fit(X, y).predict_proba(X) for _ in range(2)]
    np.testing.assert_array_equal(*scores)
    assert steps.random_state is None


def test_it_is_a_parameter_like_others():
    found = auto(make_pipeline(StandardScaler(), PCA()), n_iter=2)
    found.set_params(before__pca__n_components=2)
    assert cross_val_score(clone(found), X, y, cv=3).mean() > 0.9


def test_several_outputs_weights_and_threshold():
    labels = np.column_stack([y == 0, y == 1]).astype(int)
    several = auto(PCA(4), n_iter=3).fit(X, labels)
    assert several.predict(X).shape == (len(X), 2)
    weighted = auto(PCA(4), n_iter=3).fit(X, y, sample_weight=np.ones(len(y)))
    assert weighted.score(X, y) > 0.9
    tuned = auto(PCA(4), n_iter=3, threshold="tune", scoring="f1").fit(X, (y == 1).astype(int))
    assert tuned.score(X, (y == 1).astype(int)) > 0.85


def test_scores_behind_them_are_not_remembered(tmp_path):
    memory = KnowledgeBase.open(tmp_path / "own.db")
    found = auto(PCA(3), remember=memory, n_iter=2).fit(X, y)
    assert "steps of your own" in found.knowledge_report_["not_remembered"]
    assert not len(memory.tasks)


@pytest.mark.parametrize(
    "before, message",
    [
        (PCA, "before must be a transformer"),
        ("pca", "before must be a transformer"),
        (LogisticRegression(), "before must be a transformer"),
        ([PCA()], "before must be a transformer"),
        ({}, "before is a transformer, or a dict"),
        ({1: PCA(), 2: "passthrough"}, "before is a transformer, or a dict"),
        ({"a": PCA(3), "b": 3}, r"before\['b'\] must be a transformer"),
        ({"a": PCA(3), "b": PCA(300)}, r"before\['b'\]=PCA.*makes no table that.*ValueError"),
        (Dropping(), "makes 177 rows of 178"),
        (FunctionTransformer(np.ravel), "makes no table that"),
    ],
)
def test_what_cannot_stand_there_is_said(before, message):
    with pytest.raises(ValueError, match=message):
        auto(before).fit(X, y)


def test_one_that_does_nothing_changes_nothing():
    plain = auto(None).fit(X, y)
    for nothing in ("passthrough", {"plain": "passthrough"}):
        found = auto(nothing).fit(X, y)
        assert found.cv_results_["params"] == plain.cv_results_["params"]
        assert isinstance(plain.best_estimator_, type(found.best_estimator_))


def test_a_step_that_works_in_place_leaves_the_users_table_alone():
    table, frame = X.copy(), pd.DataFrame(X)
    for own in (table, frame):
        auto(StandardScaler(copy=False), n_iter=2).fit(own, y)
        np.testing.assert_array_equal(np.asarray(own), X)


def test_alternatives_are_set_apart_by_an_error_that_they_share():
    nothing = [np.nan] * 4
    past = PastPerformance(np.array([[0.9, 0.5, 0.9, 0.5], [0.8, 0.6, 0.8, 0.6], nothing]))
    points = [{"before": name} for name in ("a", "a", "b", "b")]
    apart = set_apart(past, points)
    np.testing.assert_allclose(apart.spread[:, 0], [0.1, 0.05, np.nan])
    same = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]], float)
    np.testing.assert_allclose(apart.correlation, same)
    again = set_apart(apart, points)
    np.testing.assert_allclose(np.diag(again.correlation), 1)
    assert (np.linalg.eigvalsh(again.correlation) > -1e-9).all()


def test_a_pipeline_of_them_is_one_of_scikit_learn():
    found = auto(PCA(4), ensemble_size=0, families=["hist_gradient_boosting"], n_iter=2).fit(X, y)
    assert type(found.best_estimator_) is Pipeline
    assert "sk_metalearn" not in to_code(found)
