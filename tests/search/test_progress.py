"""What a search prints while it runs."""

import re
import warnings
from unittest import mock

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sk_metalearn import AutoClassifier, MetaSearchCV

X, y = load_iris(return_X_y=True)
OPTIONS = {"cv": 3, "random_state": 0, "knowledge": None}


def test_a_line_says_what_differs_in_at_most_100_characters(capsys):
    pipeline = make_pipeline(StandardScaler(), SVC())
    grid = {"svc__C": [1.0, 10.0], "svc__kernel": ["rbf", "wrong"]}
    with pytest.warns(Warning):
        MetaSearchCV(pipeline, grid, n_iter="all", verbose=1, **OPTIONS).fit(X, y)
    head, *lines = capsys.readouterr().out.splitlines()
    assert "4 candidates" in head and len(lines) == 4
    assert all(len(line) <= 100 for line in lines)
    found = {re.split(r"  +", line.strip())[4]: re.split(r"  +", line.strip())[3] for line in lines}
    assert found == {
        "as given": "ok",
        "C=10": "ok",
        "kernel=wrong": "crashed",
        "C=10, kernel=wrong": "crashed",
    }
    assert "best 0.9" in lines[-1] and lines[-1].endswith("0 s left")


@pytest.mark.parametrize("budget", [{"n_iter": 6}, {"time_budget": 500.0, "patience": 2}])
def test_lines_of_an_auto_search(capsys, budget):
    options = {**OPTIONS, **budget, "families": ["hist_gradient_boosting", "lda"]}
    auto = AutoClassifier(verbose=1, **options).fit(X, y)
    head, *lines = capsys.readouterr().out.splitlines()
    assert ("as many as there is time for" in head) == ("time_budget" in budget)
    assert len(lines) >= 2 and all(len(line) <= 100 for line in lines)
    assert all("hist_gradient_boosting" in line or "lda" in line for line in lines)
    statuses = {re.split(r"  +", line.strip())[3] for line in lines}
    assert statuses <= set(auto.cv_results_["status"])


def test_a_bar_is_told_in_parts_where_a_line_cannot_be_written_over(capsys):
    values = list(np.logspace(-3, 3, 40))
    search = MetaSearchCV(SVC(), {"C": values}, n_iter=40, verbose="bar", **OPTIONS).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert 1 <= len(lines) <= 10 and "40/40" in lines[-1]
    assert f"best {search.best_score_:.4f}" in lines[-1] and "[####" in lines[-1]


def test_verbose_is_checked():
    with pytest.raises(ValueError, match="verbose"):
        MetaSearchCV(SVC(), {"C": [1]}, verbose="bars").fit(X, y)
    with pytest.raises(ValueError, match="verbose"):
        AutoClassifier(verbose="bars").fit(X, y)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_warnings_of_candidates_are_told_once(n_jobs):
    model = MLPClassifier(max_iter=2, random_state=0)
    search = MetaSearchCV(
        model, {"alpha": [1e-4, 1e-3]}, refit=False, n_iter=2, n_jobs=n_jobs, **OPTIONS
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.fit(X, y)
    told = [own for own in caught if own.category is ConvergenceWarning]
    assert len(told) == 1
    assert "[6 such warnings from the fits of 2 candidates: " in str(told[0].message)
    assert "\n" not in str(told[0].message) and "converged" in str(told[0].message)


def test_a_warning_names_the_candidates_that_gave_it():
    networks = [{"model": [MLPClassifier(random_state=0)], "model__max_iter": [1, 2, 3, 4, 5]}]
    space = [*networks, {"model": [SVC()], "model__C": [1.0, 10.0]}]
    search = MetaSearchCV(
        Pipeline([("model", SVC())]), space, refit=False, n_iter=7, racing=False, **OPTIONS
    )
    with pytest.warns(ConvergenceWarning) as caught:
        search.fit(X, y)
    told = [str(own.message) for own in caught if own.category is ConvergenceWarning]
    assert len(told) == 1 and "from the fits of 5 candidates: " in told[0]
    named = told[0].partition("candidates: ")[2]
    assert named.count("max_iter=") == 3 and "and 2 more]" in named and "SVC" not in named


def test_nobody_is_told_that_a_pipeline_of_the_catalogue_needs_more_iterations():
    options = {"families": ["mlp"], "n_iter": 3, "ensemble_size": 0, **OPTIONS}
    found = AutoClassifier(**options)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found.fit(X, y)
    assert not [own for own in caught if own.category is ConvergenceWarning]
    # There was such a warning, and of an estimator of the user's it is told.
    with mock.patch("sk_metalearn.search._watcher.is_own", return_value=True):
        with pytest.warns(ConvergenceWarning, match="such warning"):
            found.fit(X, y)


def test_filters_of_warnings_hold_in_candidates():
    model = MLPClassifier(max_iter=2, random_state=0)
    search = MetaSearchCV(model, {"alpha": [1e-4, 1e-3]}, refit=False, n_iter=2, **OPTIONS)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", ConvergenceWarning)
        search.fit(X, y)
    assert not [own for own in caught if own.category is ConvergenceWarning]
    with warnings.catch_warnings(), pytest.raises(ValueError):
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", ConvergenceWarning)
        search.fit(X, y)


class Interrupting(ClassifierMixin, BaseEstimator):
    """Somebody presses Ctrl-C at the fifth fit."""

    n_fits = 0

    def __init__(self, a=0):
        self.a = a

    def fit(self, X, y):
        type(self).n_fits += 1
        if type(self).n_fits == 5:
            raise KeyboardInterrupt
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))


@pytest.mark.parametrize("refit", [True, False])
def test_one_line_says_that_ctrl_c_was_understood(capsys, refit):
    Interrupting.n_fits = 0
    search = MetaSearchCV(Interrupting(), {"a": [1, 2, 3]}, n_iter=3, refit=refit, **OPTIONS)
    search.fit(X, y)
    assert search.stop_reason_ == "interrupted"
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1
    assert "Interrupted after 1 candidate:" in err
    assert ("Ctrl-C again" in err) == refit


@pytest.mark.parametrize(
    "scoring, refit, named",
    [("neg_log_loss", True, "neg_log_loss"), (["accuracy", "f1_macro"], "f1_macro", "f1_macro")],
)
def test_the_metric_is_named(capsys, scoring, refit, named):
    grid = {"n_neighbors": [3, 5]}
    options = {**OPTIONS, "scoring": scoring, "refit": refit}
    MetaSearchCV(KNeighborsClassifier(), grid, verbose=1, **options).fit(X, y)
    head, *_ = capsys.readouterr().out.splitlines()
    assert head == f"Fitting 3 folds for each of 2 candidates, totalling 6 fits; scores are {named}"


def test_what_a_checkpoint_knows_is_said(capsys, tmp_path):
    options = {**OPTIONS, "checkpoint": tmp_path / "c", "verbose": 1, "strategy": "grid"}
    grid = {"C": [1, 2, 3]}
    MetaSearchCV(SVC(), grid, n_iter=2, **options).fit(X, y)
    assert "checkpoint" not in capsys.readouterr().out
    MetaSearchCV(SVC(), grid, n_iter=3, **options).fit(X, y)
    _, told, *lines = capsys.readouterr().out.splitlines()
    assert told == "The checkpoint knows 6 fits; these are not made again" and len(lines) == 3
