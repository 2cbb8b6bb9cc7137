"""Several metrics in the Auto estimators: the first decides, the others are told."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.metrics import f1_score, get_scorer, make_scorer
from sklearn.model_selection import cross_val_score

from sk_metalearn import AutoClassifier, AutoRegressor
from sk_metalearn.exceptions import CheckpointError
from sk_metalearn.inspection import SearchHistoryDisplay

X, Y = load_breast_cancer(return_X_y=True)
X, Y = X[::2], Y[::2]
SEVERAL = ["roc_auc", "f1", "neg_log_loss"]
FAMILIES = ["lda", "svm", "logistic_regression", "gaussian_nb"]


def auto(scoring=SEVERAL, **changes):
    options = {"n_iter": 5, "cv": 3, "families": FAMILIES, "random_state": 0}
    return AutoClassifier(scoring=scoring, **{**options, **changes})


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_further_metrics_change_nothing_and_are_told(n_jobs):
    alone = auto("roc_auc").fit(X, Y)
    several = auto(n_jobs=n_jobs).fit(X, Y)
    results = several.cv_results_
    assert several.ensemble_ == alone.ensemble_
    np.testing.assert_array_equal(several.predict_proba(X), alone.predict_proba(X))
    np.testing.assert_array_equal(results["mean_test_score"], alone.cv_results_["mean_test_score"])
    np.testing.assert_array_equal(results["mean_test_score"], results["mean_test_roc_auc"])
    assert several.score(X, Y) == alone.score(X, Y)
    board = several.leaderboard()
    assert list(board.columns[:3]) == ["score", "f1", "neg_log_loss"]
    shown = board[board["row"] >= 0].set_index("row").sort_index()
    np.testing.assert_array_equal(shown["f1"], results["mean_test_f1"])


def test_they_are_those_of_scikit_learn():
    search = auto(n_iter=1, families=["lda"], ensemble_size=0).fit(X, Y)
    folds = [(train, test) for train, test in _folds_of(search)]
    for name in SEVERAL:
        own = cross_val_score(search.best_estimator_, X, Y, cv=folds, scoring=name)
        np.testing.assert_allclose(own.mean(), search.cv_results_[f"mean_test_{name}"][0])


def _folds_of(search):
    from sk_metalearn.search._folds import shuffled_folds

    seed = int(np.random.RandomState(0).randint(2**31 - 1))
    return shuffled_folds(3, Y, "classification", seed).split(X, Y)


def test_the_ensemble_has_them_too():
    families = ["lda", "gaussian_nb", "decision_tree", "svm"]
    X, y = load_breast_cancer(return_X_y=True)
    search = auto(["neg_log_loss", "f1"], n_iter=6, families=families).fit(X[::3], y[::3])
    assert len(search.ensemble_) > 1
    row = search.leaderboard().query("family == 'ensemble'").iloc[0]
    single = search.leaderboard().query("row >= 0")
    assert row["score"] == search.best_score_ and single["f1"].min() <= row["f1"] <= 1


def test_a_metric_that_fails_is_empty_and_costs_nothing():
    def fails(y, predicted):
        raise RuntimeError("no such metric")

    scoring = {"auc": "roc_auc", "fails": make_scorer(fails), "f1": make_scorer(f1_score)}
    search = auto(scoring).fit(X, Y)
    assert set(search.cv_results_["status"]) == {"ok"}
    assert "mean_test_fails" not in search.cv_results_
    assert {"auc", "f1"} <= {name[10:] for name in search.cv_results_ if "mean_test" in name}
    assert "fails" not in search.leaderboard()
    assert SearchHistoryDisplay.from_estimator(search).metric == "auc"


def test_of_numbers_with_weights():
    X, y = load_diabetes(return_X_y=True)
    weight = np.linspace(0.1, 2, len(y))
    scoring = ["neg_root_mean_squared_error", "r2"]
    options = {"n_iter": 3, "families": ["ridge", "decision_tree"], "random_state": 0}
    search = AutoRegressor(scoring=scoring, **options).fit(X, y, sample_weight=weight)
    plain = AutoRegressor(scoring=scoring, **options).fit(X, y)
    assert (search.cv_results_["mean_test_r2"] != plain.cv_results_["mean_test_r2"]).all()
    assert search.score(X, y) == get_scorer(scoring[0])(search, X, y)


def test_a_checkpoint_knows_them(tmp_path):
    path = tmp_path / "search.jsonl"
    first = auto(n_iter=2, checkpoint=path).fit(X, Y)
    more = auto(n_iter=4, checkpoint=path).fit(X, Y)
    names = [name for name in first.cv_results_ if name.startswith("mean_test_")]
    for name in names:
        np.testing.assert_array_equal(more.cv_results_[name][:2], first.cv_results_[name])
    with pytest.raises(CheckpointError, match="scoring"):
        auto(["roc_auc", "accuracy"], checkpoint=path).fit(X, Y)


def test_with_a_threshold_and_in_time():
    search = auto(["f1", "precision", "recall"], threshold="tune", time_budget=8).fit(X, Y)
    assert np.isfinite(search.leaderboard().query("status == 'ok' and row >= 0")["recall"]).all()


@pytest.mark.parametrize(
    "scoring, message",
    [
        ([], "one metric or more"),
        ({"score": "f1"}, "none of them named 'score'"),
        ([make_scorer(f1_score)], "dict of names"),
        (["roc_auc", "acuracy"], "accuracy"),
    ],
)
def test_what_is_no_list_of_metrics_is_refused(scoring, message):
    with pytest.raises(ValueError, match=message):
        auto(scoring).fit(X, Y)
