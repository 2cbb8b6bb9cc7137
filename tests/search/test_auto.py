"""What the Auto estimators promise beyond scikit-learn's contract."""

import numpy as np
import pytest
from _faulty import unscorable
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_classification
from sklearn.dummy import DummyClassifier
from sklearn.metrics import balanced_accuracy_score, make_scorer, roc_auc_score
from sklearn.model_selection import PredefinedSplit, StratifiedKFold, cross_val_score

from sk_metalearn import AutoClassifier, AutoRegressor, KnowledgeBase, recommend
from sk_metalearn.exceptions import KnowledgeWarning
from sk_metalearn.search._settings_text import configuration_text
from sk_metalearn.tables._rows import cut_folds

X, y = load_iris(return_X_y=True)
X_cancer, y_cancer = (part[::3] for part in load_breast_cancer(return_X_y=True))
QUICK = ["lda", "gaussian_nb", "qda", "k_neighbors", "decision_tree"]


@pytest.fixture(scope="module")
def auto():
    names = np.array(["malignant", "benign"])[y_cancer]
    options = {"n_iter": 12, "cv": 3, "families": QUICK, "random_state": 0, "knowledge": None}
    return AutoClassifier(scoring="neg_log_loss", **options).fit(X_cancer, names)


def settings_of(configuration):
    return configuration_text(configuration, "classification")


def test_leaderboard(auto):
    board = auto.leaderboard()
    # The candidates, the ensemble and the dummy.
    assert list(board.index) == list(range(1, 15))
    assert list(board.columns) == [
        "score",
        "weight",
        "spread",
        "seconds",
        "predict_seconds",
        "family",
        "reason",
        "status",
        "row",
        "settings",
    ]
    known = board["score"].dropna()
    assert known.is_monotonic_decreasing and list(known.index) == list(range(1, len(known) + 1))
    assert set(board["family"]) == {
        *(own.family for own in auto.configurations_),
        "ensemble",
        "baseline",
    }
    untouched = [i for i, own in enumerate(auto.configurations_) if settings_of(own) == own.family]
    marked = board["row"][board["settings"].str.endswith("(defaults)")]
    assert untouched and sorted(marked) == untouched
    assert board["weight"].sum() == sum(auto.ensemble_.values()) > 0
    assert sorted(board["row"]) == [-1, -1, *range(12)]
    ensemble = board[board["reason"] == "ensemble"].iloc[0]
    assert ensemble["score"] == auto.best_score_ and ensemble["seconds"] == auto.refit_time_
    folds = StratifiedKFold(3, shuffle=True)
    names = np.array(["malignant", "benign"])[y_cancer]
    dummy = cross_val_score(DummyClassifier(), X_cancer, names, cv=folds, scoring="neg_log_loss")
    baseline = board[board["reason"] == "baseline"].iloc[0]
    assert baseline["score"] == pytest.approx(dummy.mean(), abs=1e-3)


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


def test_a_race_stops_what_can_hardly_win():
    assert not AutoClassifier().racing and not AutoRegressor().racing
    auto = AutoClassifier(n_iter=12, families=QUICK, racing=True, random_state=0)
    auto.fit(X_cancer, y_cancer)
    status = auto.cv_results_["status"]
    assert "raced" in status
    # A candidate that was stopped has fewer folds, does not win and does not join.
    assert status[auto.best_index_] == "ok"
    assert all(status[row] == "ok" for row in auto.ensemble_)


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
    board = auto.leaderboard()
    assert board["score"].iloc[0] == auto.best_score_


def test_folds_by_group_bring_a_warning():
    from sklearn.model_selection import TimeSeriesSplit

    auto = AutoRegressor(n_iter=2, cv=TimeSeriesSplit(2), families=["ridge"], random_state=0)
    with pytest.warns(KnowledgeWarning, match="follow groups or time"):
        auto.fit(X[:, :3], X[:, 3])
    # Folds that leave rows out have no predictions of all rows to mix.
    assert len(auto.ensemble_) >= 1


COLD = {"knowledge": None, "random_state": 0, "n_iter": 2}


NAMED, WAVE = np.array(["no", "yes"])[y_cancer], np.linspace(-1.5, 1.5, len(y))


@pytest.mark.parametrize(
    "auto, data, target, scoring, message",
    [
        (AutoClassifier, X, y, "roc_auc", "scoring='roc_auc_ovr'"),
        (AutoClassifier, X, y, "f1", "scoring='f1_macro' or 'f1_weighted'"),
        (AutoClassifier, X, y, "neg_mean_poisson_deviance", "strictly positive"),
        (AutoClassifier, X_cancer, NAMED, "f1", r"pos_label='yes'"),
        (AutoRegressor, X, WAVE, "f1_macro", "continuous"),
        (AutoRegressor, X, WAVE, "neg_log_loss", "predict_proba"),
    ],
)
def test_an_impossible_metric_is_refused_before_the_search(auto, data, target, scoring, message):
    auto = auto(scoring=scoring, **COLD)
    with pytest.raises(ValueError, match=f"scoring='{scoring}' cannot be computed.*{message}"):
        auto.fit(data, target)
    assert not hasattr(auto, "knowledge_report_")


@pytest.mark.parametrize(
    "auto, data, target, message",
    [
        (AutoClassifier(scoring=unscorable, families=["lda"], **COLD), X, y, "2 of 2.*no score"),
        (
            AutoClassifier(scoring="roc_auc_ovr", families=["gaussian_nb"], **COLD),
            X,
            np.r_[y[:-1], 3],
            "larger test parts",
        ),
        (AutoRegressor(cv=2, families=["ridge"], **COLD), X[:3], [0.0, 1.0, 2.0], "not finite"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
def test_a_metric_that_cannot_be_computed_is_said(auto, data, target, message):
    with pytest.raises(ValueError, match=f"No configuration could be scored by (.|\\n)*{message}"):
        auto.fit(data, target)


@pytest.mark.parametrize("family", ["svm", "linear_svc", "ridge"])
@pytest.mark.parametrize("n_rare", [1, 2])
@pytest.mark.filterwarnings("ignore:The least populated class")
def test_classes_of_one_or_two_rows_have_probabilities_too(family, n_rare):
    target = np.r_[np.zeros(75), np.ones(75 - n_rare), np.full(n_rare, 2)].astype(int)
    auto = AutoClassifier(families=[family], **COLD).fit(X, target)
    probabilities = auto.predict_proba(X)
    assert probabilities.shape == (150, 3) and auto.refit_on_ == "all rows"
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert auto.score(X, target) > 0.6


def _gain(model, X, y):
    assert model[-1] is not None
    return float(np.mean((model.predict(X) == y) * X["gain"]))


def test_a_scorer_of_ones_own_meets_pipelines_and_real_rows_only():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["gain", "b", "c", "d"])
    auto = AutoClassifier(families=["lda", "gaussian_nb"], scoring=_gain, **COLD).fit(frame, y)
    assert auto.ensemble_ == {auto.best_index_: 1}
    assert auto.best_score_ == np.nanmax(auto.cv_results_["mean_test_score"])


@pytest.mark.parametrize("response", ["predict_proba", "decision_function"])
def test_a_scorer_of_decision_values_takes_a_single_pipeline(response):
    scoring = make_scorer(roc_auc_score, response_method=response)
    families = ["logistic_regression", "lda"]
    auto = AutoClassifier(families=families, scoring=scoring, **COLD).fit(X_cancer, y_cancer)
    assert len(auto.ensemble_) == 1 or response == "predict_proba"
    assert auto.best_score_ > 0.9


@pytest.mark.parametrize("family", ["logistic_regression", "random_forest"])
def test_predictions_do_not_depend_on_the_other_rows(family):
    codes = np.array([["1", 0.1], ["2", 0.2], ["B", 0.3], ["B", 0.4]] * 20, dtype=object)
    auto = AutoClassifier(families=[family], cv=2, **COLD).fit(codes, [0, 0, 1, 1] * 20)
    whole = auto.predict_proba(codes[:3])
    for row in range(3):
        np.testing.assert_allclose(auto.predict_proba(codes[[row]]), whole[[row]])
        np.testing.assert_allclose(auto.predict_proba(codes[[row]].tolist()), whole[[row]])


def test_numbers_as_text_stay_numbers_in_predict():
    auto = AutoClassifier(families=["lda"], cv=2, **COLD).fit(X.astype(str), y)
    np.testing.assert_array_equal(auto.predict(X), auto.predict(X.astype(str)))
    # What cannot be read is a gap.
    rows = [["1", "2", "3", "x"], ["1", "2", "3", None]]
    first, second = auto.predict_proba(rows)
    np.testing.assert_array_equal(first, second)


def test_numbers_with_pandas_na_in_an_array_are_numbers():
    pd = pytest.importorskip("pandas")
    X, y = load_iris(return_X_y=True)
    boxed = X.astype(object)
    boxed[3, 1], boxed[5, 2] = pd.NA, None
    auto = AutoClassifier(n_iter=1, families=["lda"], cv=3, random_state=0).fit(boxed, y)
    assert auto.best_score_ > 0.9
    np.testing.assert_array_equal(auto.predict(boxed[3:6]), auto.predict(boxed)[3:6])


def test_folds_given_by_row_are_cut_to_the_sample():
    data, target = make_classification(200, 5, random_state=0)
    folds = PredefinedSplit(np.arange(200) // 100)
    auto = AutoClassifier(families=["lda"], cv=folds, max_rows=80, **COLD).fit(data, target)
    assert auto.n_splits_ == 2 and set(auto.cv_results_["status"]) <= {"ok", "raced"}
    rows = np.arange(1, 200, 3)
    splits = list(folds.split())
    cut = cut_folds(splits, rows, 200)
    for (train, test), (near_train, near_test) in zip(splits, cut, strict=True):
        assert set(rows[near_train]) == set(train) & set(rows)
        assert set(rows[near_test]) == set(test) & set(rows)
    assert cut_folds(splits, np.arange(200), 200) is splits
    with pytest.raises(ValueError, match="33 rows has 0 training and 33 test rows. Give max_rows"):
        cut_folds(splits, rows[:33], 200)


def test_no_family_at_all_is_refused():
    with pytest.raises(ValueError, match=r"families=\[\] names no family; give some of"):
        AutoClassifier(families=[]).fit(X, y)
    with pytest.raises(ValueError, match=r"families=\[\] names no family"):
        recommend(X, y, families=[])


def test_a_fit_that_raises_leaves_no_knowledge_base_behind():
    base = KnowledgeBase()
    auto = AutoClassifier(scoring=unscorable, families=["lda"], remember=base, **COLD)
    with pytest.raises(ValueError, match="No configuration could be scored"):
        auto.fit(X, y)
    assert not any(name.startswith("_") for name in vars(auto))
