import html
from html.parser import HTMLParser
from itertools import permutations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.svm import SVC

from sk_metalearn import AutoClassifier, AutoRegressor, MetaSearchCV, recommend
from sk_metalearn.inspection import (
    ColumnImportanceDisplay,
    EnsembleWeightsDisplay,
    ParallelCoordinatesDisplay,
    SearchHistoryDisplay,
    SimilarDatasetsDisplay,
    explain,
    report,
)
from sk_metalearn.search import OneStandardError, to_code

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")


def one_metric(estimator, X, y):
    return estimator.score(X, y)


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


def test_history_counts_seconds_from_the_begin_of_the_search(search):
    ended = SearchHistoryDisplay.from_estimator(search).ended
    results = search.cv_results_
    # One after the other: each begins where the one before it ended.
    assert (np.diff(ended) > 0).all() and (np.diff(results["begun"]) > 0).all()
    assert ended[-1] >= results["elapsed"].sum() - 1e-9


def test_history_shows_raced_candidates_hollow_and_whole_numbers():
    X, y = load_wine(return_X_y=True)
    grid = {"C": list(np.logspace(-4, 3, 12))}
    raced = MetaSearchCV(SVC(), grid, n_iter="all", racing=True, random_state=0).fit(X, y)
    display = SearchHistoryDisplay.from_estimator(raced)
    hollow = np.isfinite(display.estimates)
    assert hollow.sum() == (raced.cv_results_["status"] == "raced").sum() > 0
    axes = display.plot().ax_
    marks = [m for m in axes.collections if not len(m.get_facecolors())]
    drawn = np.concatenate([m.get_offsets().compressed() for m in marks if len(m.get_offsets())])
    assert np.isfinite(drawn).sum() > 0
    ticks = axes.get_xticks()
    assert (ticks == np.round(ticks)).all()
    matplotlib.pyplot.close("all")


def test_history_knows_what_chance_would_have_given(search):
    scores = [0.3, np.nan, 0.9, 0.5]
    display = SearchHistoryDisplay(scores=scores, reasons=["a"] * 4, ended=range(4))
    bests = np.array([np.fmax.accumulate(order) for order in permutations(scores)])
    np.testing.assert_allclose(display.random_order, np.nanmean(bests, axis=0))
    display = SearchHistoryDisplay.from_estimator(search)
    line = next(own for own in display.plot().ax_.lines if "random order" in own.get_label())
    assert line.get_ydata()[-1] == pytest.approx(search.best_score_)
    matplotlib.pyplot.close("all")


@pytest.mark.parametrize(
    "scoring, name", [("f1_macro", "f1_macro"), (None, "accuracy"), (one_metric, "one_metric")]
)
def test_displays_name_the_metric(scoring, name):
    X, y = load_wine(return_X_y=True)
    fitted = MetaSearchCV(SVC(), {"C": [1, 2]}, scoring=scoring, knowledge=None, cv=2).fit(X, y)
    assert SearchHistoryDisplay.from_estimator(fitted).metric == name


@pytest.fixture(scope="module")
def ensemble():
    X, y = load_breast_cancer(as_frame=True, return_X_y=True)
    X = X.iloc[::3, :5].rename(columns={"mean radius": "<i>radius & $x$"})
    families = ["lda", "gaussian_nb", "k_neighbors", "decision_tree"]
    auto = AutoClassifier(
        n_iter=10, cv=3, families=families, scoring="neg_log_loss", random_state=0
    )
    return auto.fit(X, y[::3]), X, y[::3]


def test_weights_of_an_ensemble(ensemble, search):
    auto = ensemble[0]
    display = EnsembleWeightsDisplay.from_estimator(auto)
    assert len(display.names) == len(auto.ensemble_) > 1
    assert display.weights.sum() == pytest.approx(1) and (np.diff(display.weights) <= 0).all()
    assert display.scores.max() <= auto.best_score_
    axes = display.plot().ax_
    axes.figure.canvas.draw()
    right = axes.get_window_extent().x1
    assert all(text.get_window_extent().x1 <= right for text in axes.texts)
    matplotlib.pyplot.close("all")
    with pytest.raises(ValueError, match="MetaSearchCV has no ensemble"):
        EnsembleWeightsDisplay.from_estimator(search)


def test_parallel_coordinates(ensemble, search):
    display = ParallelCoordinatesDisplay.from_estimator(search)
    assert display.names == ["C", "gamma"]
    assert [list(own) for own in display.values] == [
        [params[name] for params in search.cv_results_["params"]] for name in ("C", "gamma")
    ]
    axes = display.plot().ax_
    lines = [line for line in axes.lines if len(line.get_xdata()) == 3]
    assert len(lines) == np.isfinite(display.scores).sum()
    best = next(line for line in lines if line.get_label() == "best")
    assert best.get_ydata()[-1] == pytest.approx(1)
    auto = ensemble[0]
    assert "family" in ParallelCoordinatesDisplay.from_estimator(auto).names
    neighbors = ParallelCoordinatesDisplay.from_estimator(auto, family="k_neighbors")
    assert "n_neighbors" in neighbors.names and "family" not in neighbors.names
    neighbors.plot().figure_.canvas.draw()
    matplotlib.pyplot.close("all")
    with pytest.raises(ValueError, match="No candidate is of the family 'svm'; got"):
        ParallelCoordinatesDisplay.from_estimator(auto, family="svm")
    same = MetaSearchCV(SVC(), {"C": [1]}, knowledge=None, cv=2).fit(*load_wine(return_X_y=True))
    with pytest.raises(ValueError, match="nothing to compare"):
        ParallelCoordinatesDisplay.from_estimator(same)


class _Page(HTMLParser):
    """Checks that tags are closed in order, and notes what would be fetched or run."""

    def __init__(self):
        super().__init__()
        self.open, self.wanted, self.seen = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.wanted += [v for n, v in attrs if n in ("src", "href", "onload", "action")]
        if tag not in ("meta", "br", "circle", "path", "line"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in ("circle", "path", "line"):
            assert self.open.pop() == tag


def test_a_report_is_one_page_that_asks_for_nothing(ensemble, tmp_path):
    auto, X, y = ensemble
    path = report(auto, tmp_path / "report.html", X=X, y=y)
    text = path.read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    assert page.open == [] and page.wanted == []
    assert not {"script", "link", "img", "iframe", "i"} & set(page.seen)
    assert "&lt;i&gt;radius &amp; $x$" in text
    assert text.count("<circle") == np.isfinite(auto.cv_results_["estimate"]).sum()
    for name, _ in auto.knowledge_report_["similar"]:
        assert html.escape(name) in text
    for part in ("Columns", "The final model", "What the predictions depend on", "neg_log_loss"):
        assert part in text
    assert html.escape(to_code(auto)) in text


def test_a_report_of_a_grid(search, tmp_path):
    text = report(search, tmp_path / "report.html").read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    assert page.open == [] and "gamma=wrong" in text and "depend on" not in text
    with pytest.raises(ValueError, match="both X and y"):
        report(search, tmp_path / "report.html", X=[[1]])


def test_a_report_where_nothing_was_chosen(tmp_path):
    X, y = load_wine(return_X_y=True)
    options = {"scoring": ["accuracy", "f1_macro"], "refit": False, "knowledge": None, "cv": 2}
    fitted = MetaSearchCV(SVC(), {"C": [1, 2]}, **options).fit(X, y)
    assert "<svg" in report(fitted, tmp_path / "r.html").read_text(encoding="utf-8")


def test_the_html_of_a_fitted_auto_shows_its_final_model(ensemble):
    auto = ensemble[0]
    shown = auto._repr_html_()
    assert "best_estimator_: VotingClassifier" in shown and "candidate_" in shown
    assert "VotingClassifier" not in AutoClassifier()._repr_html_()


def test_the_report_of_the_knowledge_shows_itself(ensemble):
    shown = ensemble[0].knowledge_report_._repr_html_()
    for own in ensemble[0].knowledge_report_["advice"]:
        assert html.escape(own["dataset"]) in shown and html.escape(own["settings"]) in shown


def test_the_report_tells_of_the_ensemble_and_what_it_gained(ensemble):
    auto = ensemble[0]
    report = auto.knowledge_report_
    assert report["ensemble"] == auto.best_score_ > report["best"]
    assert report["gain"] == pytest.approx(auto.best_score_ - report["default"])
    assert f"mixes {len(auto.ensemble_)} candidates" in str(report)


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
    assert (
        display.metric == fitted._default_scoring and np.max(display.scores) == fitted.best_score_
    )
    scores = [row["score"] for row in explain(fitted).rows]
    np.testing.assert_array_equal(scores, fitted.cv_results_["mean_test_score"])


def _last(results):
    return len(results["params"]) - 1


@pytest.mark.parametrize(
    "refit, scoring, metric",
    [
        ("one_standard_error", None, "accuracy"),
        (OneStandardError(metric="f1_macro"), ["accuracy", "f1_macro"], "f1_macro"),
        (_last, ["accuracy", "f1_macro"], "accuracy"),
        (False, ["accuracy", "f1_macro"], "accuracy"),
        (False, None, "accuracy"),
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
    column = metric if isinstance(scoring, list) else "score"
    np.testing.assert_array_equal(scores, fitted.cv_results_[f"mean_test_{column}"])


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


def test_a_display_says_what_it_shows_and_how_to_see_it():
    X, y = load_wine(return_X_y=True)
    auto = AutoClassifier(n_iter=3, families=["lda", "decision_tree"], random_state=0).fit(X, y)
    displays = {
        SearchHistoryDisplay.from_estimator(auto): "3 candidates by accuracy",
        EnsembleWeightsDisplay.from_estimator(auto): "members, first ",
        SimilarDatasetsDisplay.from_estimator(auto): "5 past datasets, first ",
        ParallelCoordinatesDisplay.from_estimator(auto): "of 3 candidates by accuracy",
        ColumnImportanceDisplay.from_estimator(auto, X, y, n_repeats=1): "13 columns by the acc",
    }
    for display, content in displays.items():
        assert content in repr(display) and repr(display).endswith("draw it with .plot()>")
        assert repr(display.plot()).endswith("drawn in .figure_>")
    matplotlib.pyplot.close("all")
    assert repr(explain(auto)) == "<Explanation of 3 candidates; read it with print()>"


def test_a_legend_holds_the_whole_reason():
    reasons = (
        "the data have columns of many levels",
        "neighbour of iris",
        "neighbour of wine",
        "x",
    )
    scores = [0.1, 0.2, 0.3, np.nan]
    display = SearchHistoryDisplay(scores=scores, reasons=reasons, ended=[1, 2, 3, 4])
    assert display.kinds == [reasons[0], "neighbour", "neighbour", "x"]
    labels = [own.get_text() for own in display.plot().ax_.get_legend().get_texts()]
    assert reasons[0] in labels and labels.count("neighbour") == 1 and "x" not in labels
    matplotlib.pyplot.close("all")


@pytest.mark.parametrize("seconds, told", [(1e9, "178 of the rows"), (1e-9, "100 of the rows")])
def test_a_slow_model_shuffles_less_for_a_report(search, tmp_path, monkeypatch, seconds, told):
    X, y = load_wine(return_X_y=True)
    monkeypatch.setattr("sk_metalearn.inspection._page._SECONDS", seconds)
    page = report(search, tmp_path / "report.html", X=X, y=y).read_text(encoding="utf-8")
    times = "3 times" if seconds > 1 else "once"
    assert f"{told} given, each column shuffled {times}" in page
