import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.svm import SVC

from sk_metalearn import AutoClassifier, AutoRegressor, MetaSearchCV, recommend
from sk_metalearn.inspection import SearchHistoryDisplay, SimilarDatasetsDisplay, explain
from sk_metalearn.search import OneStandardError

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")


@pytest.fixture(scope="module")
def search():
    X, y = load_wine(return_X_y=True)
    grid = {"C": [0.1, 1, 10], "gamma": [1e-3, "wrong"]}
    with pytest.warns(Warning):
        return MetaSearchCV(SVC(), grid, n_iter="all", random_state=0).fit(X, y)


def test_history_follows_the_search(search):
    display = SearchHistoryDisplay.from_estimator(search)
    best = display.best_so_far
    assert len(best) == 6 and np.nanmax(best) == search.best_score_
    assert (np.diff(best[np.isfinite(best)]) >= 0).all()
    for against in ("evaluations", "seconds"):
        assert display.plot(against=against).ax_.get_xlabel() == against
    matplotlib.pyplot.close("all")


def test_history_refuses_what_it_cannot_show(search):
    with pytest.raises(ValueError, match="no metric 'r2'"):
        SearchHistoryDisplay.from_estimator(search, metric="r2")
    with pytest.raises(ValueError, match="against must be"):
        SearchHistoryDisplay.from_estimator(search).plot(against="time")


def test_explanation_tells_every_candidate_and_its_failure(search):
    account = explain(search)
    assert len(account.rows) == 6
    assert {row["status"] for row in account.rows} == {"ok", "crashed"}
    assert str(account).count("gamma=wrong") == 3
    assert "<table>" in account._repr_html_() and search.stop_reason_ in str(account)


@pytest.mark.parametrize("auto", [AutoClassifier, AutoRegressor])
def test_auto_estimators_are_explained(auto):
    X, y = load_wine(return_X_y=True)
    options = {"families": ["k_neighbors"], "knowledge": None, "n_iter": 2, "cv": 2}
    options["ensemble_size"] = 0
    fitted = auto(random_state=0, **options).fit(X, y)
    display = SearchHistoryDisplay.from_estimator(fitted)
    assert display.metric == "score" and np.max(display.scores) == fitted.best_score_
    scores = [row["score"] for row in explain(fitted).rows]
    np.testing.assert_array_equal(scores, fitted.cv_results_["mean_test_score"])


def _last(results):
    return len(results["params"]) - 1


@pytest.mark.parametrize(
    "refit, scoring, metric",
    [
        ("one_standard_error", None, "score"),
        (OneStandardError(metric="f1_macro"), ["accuracy", "f1_macro"], "f1_macro"),
        (_last, ["accuracy", "f1_macro"], "accuracy"),
        (False, ["accuracy", "f1_macro"], "accuracy"),
        (False, None, "score"),
        ("f1_macro", ["accuracy", "f1_macro"], "f1_macro"),
    ],
)
def test_the_metric_shown_is_the_one_that_chose(refit, scoring, metric):
    X, y = load_wine(return_X_y=True)
    fitted = MetaSearchCV(
        SVC(), {"gamma": [1e-3, 1e-2]}, refit=refit, scoring=scoring, knowledge=None, cv=2
    ).fit(X, y)
    assert SearchHistoryDisplay.from_estimator(fitted).metric == metric
    scores = [row["score"] for row in explain(fitted).rows]
    np.testing.assert_array_equal(scores, fitted.cv_results_[f"mean_test_{metric}"])


def test_the_similar_datasets_are_those_that_guided_the_search():
    X, y = load_breast_cancer(return_X_y=True)
    auto = AutoClassifier(n_iter=1, families=["lda"], random_state=0).fit(X, y)
    display = SimilarDatasetsDisplay.from_estimator(auto)
    named = list(zip(display.names, display.weights, strict=True))
    assert named == auto.knowledge_report_["similar"] and len(named) == 5
    assert (np.diff(display.weights) <= 0).all() and 0 < display.weights.sum() < 1
    assert all(name in str(auto.knowledge_report_) for name in display.names)
    # What recommends is what guides.
    evidence = recommend(X, y, n=1, families=["lda"])[0].evidence
    assert [name for name, *_ in evidence] == list(display.names[: len(evidence)])
    display.names = ("a $ and another $", *display.names[1:])
    axes = display.plot().ax_
    axes.figure.canvas.draw()
    assert [text.get_text() for text in axes.get_yticklabels()] == list(display.names)
    matplotlib.pyplot.close("all")
    cold = AutoClassifier(n_iter=1, families=["lda"], knowledge=None).fit(X, y)
    with pytest.raises(ValueError, match="No past dataset counted more.*none was asked for"):
        SimilarDatasetsDisplay.from_estimator(cold)
