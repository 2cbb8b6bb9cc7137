"""What a search ranks: candidates, ensemble, baseline."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC, SVR

from sk_metalearn import MetaSearchCV
from sk_metalearn.search import leaderboard_rows

X, y = load_iris(return_X_y=True)
OPTIONS = {"cv": 3, "random_state": 0, "knowledge": None}


def test_a_grid_is_ranked_with_a_dummy():
    grid = {"C": [1e-3, 1.0, 10.0], "kernel": ["rbf", "wrong"]}
    with pytest.warns(Warning):
        search = MetaSearchCV(SVC(), grid, n_iter="all", scoring="f1_macro", **OPTIONS).fit(X, y)
    board = search.leaderboard()
    assert list(board.index) == list(range(1, 8)) and "weight" not in board
    assert board["score"].iloc[0] == search.best_score_
    assert board["row"].iloc[0] == search.best_index_
    assert board["score"].dropna().is_monotonic_decreasing
    assert list(board["status"])[-3:] == ["crashed"] * 3
    pandas = pytest.importorskip("pandas")
    with pandas.option_context("display.width", 80, "display.max_columns", 0):
        assert "C=10" in repr(board.assign(settings="C=10, " + 30 * "_"))
    assert {"as given", "C=10"} <= set(board["settings"])
    dummy = cross_val_score(DummyClassifier(), X, y, cv=3, scoring="f1_macro").mean()
    assert board.loc[board["reason"] == "baseline", "score"].item() == pytest.approx(dummy)
    spread = search.cv_results_["std_test_score"][search.best_index_]
    assert board["spread"].iloc[0] == spread


def test_a_raced_candidate_stands_where_its_estimate_is():
    grid = {"C": list(np.logspace(-4, 3, 15))}
    search = MetaSearchCV(SVC(), grid, n_iter="all", racing=True, **OPTIONS).fit(X, y)
    rows = [row for row in leaderboard_rows(search) if row["row"] >= 0]
    raced = [row for row in rows if row["status"] == "raced"]
    assert raced and all(
        row["score"] == search.cv_results_["estimate"][row["row"]] for row in raced
    )
    scores = [row["score"] for row in rows]
    assert scores == sorted(scores, reverse=True)


def test_the_metric_that_chose_ranks():
    search = MetaSearchCV(
        SVC(), {"C": [0.01, 1]}, scoring=["accuracy", "f1_macro"], refit="f1_macro", **OPTIONS
    ).fit(X, y)
    best = leaderboard_rows(search)[0]
    assert best["score"] == search.cv_results_["mean_test_f1_macro"][search.best_index_]
    dummy = cross_val_score(DummyClassifier(), X, y, cv=3, scoring="f1_macro").mean()
    assert search.knowledge_report_["dummy"] == pytest.approx(dummy)


class OddScore(SVC):
    """Is scored by something of its own."""

    def score(self, X, y, sample_weight=None):
        return 7.0


def one(estimator, X, y):
    raise AssertionError if isinstance(estimator, DummyClassifier) else ValueError


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("model, scoring", [(OddScore(), None), (SVC(), one)])
def test_a_score_of_the_users_own_has_no_dummy(model, scoring):
    search = MetaSearchCV(model, {"C": [1, 2]}, scoring=scoring, refit=False, **OPTIONS)
    search.fit(X, y)
    assert np.isnan(search.knowledge_report_["dummy"])
    assert "dummy" not in str(search.knowledge_report_)


def test_what_is_neither_classified_nor_regressed_has_no_dummy():
    search = MetaSearchCV(KMeans(n_init=1), {"n_clusters": [2, 3]}, **OPTIONS).fit(X)
    assert np.isnan(search.knowledge_report_["dummy"])
    board = search.leaderboard()
    assert len(board) == 2 and not (board["reason"] == "baseline").any()


def test_several_outputs_have_a_dummy():
    from sklearn.multioutput import MultiOutputRegressor

    model = MultiOutputRegressor(SVR())
    search = MetaSearchCV(model, {"estimator__C": [1, 2]}, **OPTIONS).fit(X[:, :2], X[:, 2:])
    assert search.knowledge_report_["dummy"] < search.best_score_
    assert "dummy" in set(search.leaderboard()["settings"])
