"""What the Auto estimators promise beyond scikit-learn's contract."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_classification
from sklearn.metrics import balanced_accuracy_score

from sk_metalearn import AutoClassifier, AutoRegressor
from sk_metalearn.exceptions import KnowledgeWarning

X, y = load_iris(return_X_y=True)
X_cancer, y_cancer = (part[::3] for part in load_breast_cancer(return_X_y=True))
QUICK = ["lda", "gaussian_nb", "qda", "k_neighbors", "decision_tree"]


@pytest.fixture(scope="module")
def auto():
    names = np.array(["malignant", "benign"])[y_cancer]
    options = {"n_iter": 12, "cv": 3, "families": QUICK, "random_state": 0, "knowledge": None}
    return AutoClassifier(scoring="neg_log_loss", **options).fit(X_cancer, names)


def test_leaderboard(auto):
    board = auto.leaderboard()
    assert list(board.index) == list(range(1, 13))
    assert list(board.columns) == [
        "score",
        "seconds",
        "weight",
        "family",
        "configuration",
        "reason",
        "status",
    ]
    good = board[board["status"] == "ok"]
    assert good["score"].is_monotonic_decreasing and list(good.index) == list(
        range(1, len(good) + 1)
    )
    assert set(board["family"]) <= set(QUICK)
    assert board["weight"].sum() == sum(auto.ensemble_.values()) > 0


def test_ensemble_is_never_worse_than_the_best_single_on_its_own_folds(auto):
    single = np.nanmax(auto.cv_results_["mean_test_score"])
    assert auto.best_score_ >= single
    # Of this metric mixtures are better.
    assert len(auto.ensemble_) > 1 and auto.best_score_ > single
    alone = AutoClassifier(ensemble_size=0, n_iter=3, cv=3, families=QUICK, random_state=0)
    alone.fit(X_cancer, y_cancer)
    assert alone.ensemble_ == {alone.best_index_: 1}
    assert alone.best_score_ == np.nanmax(alone.cv_results_["mean_test_score"])


def test_classes_as_text_and_their_probabilities(auto):
    assert list(auto.classes_) == ["benign", "malignant"]
    probabilities = auto.predict_proba(X_cancer)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(
        auto.classes_[probabilities.argmax(axis=1)], auto.predict(X_cancer)
    )


def test_racing_is_on(auto):
    assert AutoClassifier().racing and AutoRegressor().racing
    status = auto.cv_results_["status"]
    assert "raced" in status
    # A candidate that was stopped has fewer folds and does not win.
    assert status[auto.best_index_] == "ok"


def test_large_data_are_searched_on_a_sample_and_fitted_whole():
    data, target = make_classification(600, 5, random_state=0)
    auto = AutoClassifier(
        n_iter=2, cv=2, families=["gaussian_nb"], max_rows=100, ensemble_size=0, random_state=0
    ).fit(data, target)
    assert auto.best_estimator_[-1].class_count_.sum() == 600
    fewer = AutoClassifier(
        n_iter=2, cv=2, families=["gaussian_nb"], ensemble_size=0, random_state=0
    ).fit(data[:100], target[:100])
    assert fewer.best_estimator_[-1].class_count_.sum() == 100
    values = auto.cv_results_["split0_test_score"]
    # Shares of 50 test rows.
    np.testing.assert_allclose(values * 50, np.round(values * 50))


def test_imbalance_is_respected():
    data, target = make_classification(
        400, 6, weights=[0.93], class_sep=0.6, flip_y=0.05, random_state=1
    )
    auto = AutoClassifier(
        n_iter=6, cv=3, families=["logistic_regression", "lda"], scoring="balanced_accuracy"
    ).fit(data, target)
    assert balanced_accuracy_score(target, auto.predict(data)) > 0.65


def test_regression_ensemble_and_its_leaderboard():
    data, target = load_diabetes(return_X_y=True)
    families = ["ridge", "svm", "decision_tree", "k_neighbors"]
    auto = AutoRegressor(n_iter=8, cv=3, families=families, random_state=0).fit(data, target)
    assert auto.best_score_ >= np.nanmax(auto.cv_results_["mean_test_score"]) > 0.4
    assert auto.leaderboard()["score"].iloc[0] == np.nanmax(auto.cv_results_["mean_test_score"])


def test_folds_by_group_bring_a_warning():
    from sklearn.model_selection import TimeSeriesSplit

    auto = AutoRegressor(n_iter=2, cv=TimeSeriesSplit(2), families=["ridge"], random_state=0)
    with pytest.warns(KnowledgeWarning, match="follow groups or time"):
        auto.fit(X[:, :3], X[:, 3])
    # Folds that leave rows out have no predictions of all rows to mix.
    assert len(auto.ensemble_) >= 1


def test_families_without_probabilities_are_left_out_where_the_metric_needs_them():
    X, y = load_iris(return_X_y=True)
    auto = AutoClassifier(n_iter=12, scoring="neg_log_loss", random_state=0).fit(X, y)
    tried = set(auto.leaderboard()["family"])
    assert len(tried) > 3 and not tried & {"svm", "linear_svc", "ridge"}
    with pytest.raises(ValueError, match="svm gives no probabilities, which neg_log_loss needs"):
        AutoClassifier(n_iter=2, scoring="neg_log_loss", families=["svm"]).fit(X, y)
