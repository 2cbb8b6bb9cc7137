"""Estimators of the user's own among the families of an Auto estimator."""

import pickle
import warnings

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_wine
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

from sk_metalearn import AutoClassifier, AutoRegressor, KnowledgeBase
from sk_metalearn.search import to_code
from sk_metalearn.search._own_families import read_families

X, y = load_wine(return_X_y=True)
CURVES = make_pipeline(StandardScaler(), SplineTransformer(n_knots=3), LogisticRegression())
SPACE = {"logisticregression__C": loguniform(1e-2, 1e2)}


class Failing(LogisticRegression):
    """Fails."""

    def fit(self, X, y):
        raise RuntimeError("it fails")


def auto(*own, **options):
    options = {"n_iter": 9, "cv": 3, "random_state": 0, **options}
    return AutoClassifier(families=["lda", "gaussian_nb", *own], **options)


def families_of(found):
    return list(found.cv_results_["param_family"])


def test_it_is_tried_early_and_with_other_settings():
    found = auto((CURVES, SPACE)).fit(X, y)
    tried = families_of(found)
    own = [i for i, name in enumerate(tried) if name == "own_logistic_regression"]
    assert own == [1, 5] and len(tried) == 9
    assert found.cv_results_["params"][1] == {"family": "own_logistic_regression"}
    assert 1e-2 <= found.cv_results_["params"][5]["logisticregression__C"] <= 1e2
    assert (found.cv_results_["status"] == "ok").all()
    table = found.leaderboard()
    assert "own_logistic_regression (defaults)" in set(table["settings"])
    assert any("logisticregression__C=" in text for text in table["settings"])
    assert found.configurations_[1].family == "own_logistic_regression"


def test_it_predicts_joins_and_goes_everywhere(tmp_path):
    found = auto(scoring="neg_log_loss")
    found.set_params(families=["decision_tree", (CURVES, SPACE)])
    found.fit(X[::2], y[::2])
    members = {families_of(found)[row] for row in found.ensemble_}
    assert "own_logistic_regression" in members
    assert found.score_estimate_ is not None
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.predict_proba(X), found.predict_proba(X))
    names = {}
    exec(to_code(found), names)
    model = names["model"].fit(X[::2], y[::2])
    np.testing.assert_allclose(model.predict_proba(X), found.predict_proba(X))
    assert found.refit(X, y).predict(X).shape == y.shape
    clone(found.best_estimator_).fit(X, y)
    assert np.isfinite(cross_val_score(found.set_params(n_iter=3), X, y, cv=2)).all()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_same_in_any_process_and_after_a_break(tmp_path, n_jobs):
    options = {"n_jobs": n_jobs, "checkpoint": tmp_path / "c"}
    auto((CURVES, SPACE), **{**options, "n_iter": 4}).fit(X, y)
    found = auto((CURVES, SPACE), **options).fit(X, y)
    whole = auto((CURVES, SPACE)).fit(X, y)
    scores = (own.cv_results_["mean_test_score"] for own in (found, whole))
    np.testing.assert_allclose(*scores)


def test_a_longer_search_begins_as_a_shorter_one():
    own = (LogisticRegression(), {"C": [0.01, 0.1, 1, 10, 100], "tol": [1e-4, 1e-3]})
    short, long = (auto(own, n_iter=n).fit(X, y).cv_results_["params"] for n in (6, 12))
    assert long[:6] == short


def test_any_other_estimator_stands_after_the_steps_of_a_linear_model():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X[:, :3], columns=list("abc")).assign(d=np.where(y == 1, "u", "v"))
    table.loc[::7, "a"] = np.nan
    found = auto(NearestCentroid(), GaussianProcessClassifier(), n_iter=5).fit(table, y)
    rows = {name: i for i, name in enumerate(families_of(found))}
    assert {"own_nearest_centroid", "own_gaussian_process_classifier"} <= set(rows)
    assert (found.cv_results_["status"] == "ok").all()


def test_a_failing_one_is_a_row():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = auto(Failing(), n_iter=4).fit(X, y)
    row = families_of(found).index("own_failing")
    assert found.cv_results_["status"][row] == "crashed"
    assert found.cv_results_["failure"][row]


def test_two_of_a_class_have_names_of_their_own():
    found = auto(LogisticRegression(C=1), LogisticRegression(C=10), n_iter=4).fit(X, y)
    assert {"own_logistic_regression", "own_logistic_regression_2"} <= set(families_of(found))


def test_numbers_and_all_families():
    X, y = load_diabetes(return_X_y=True)
    found = AutoRegressor(
        families=["all", (Ridge(), {"alpha": [0.1, 1.0]}), PoissonRegressor()],
        n_iter=10,
        cv=3,
        random_state=0,
    ).fit(X, y)
    assert {"own_ridge", "own_poisson_regressor"} < set(families_of(found))
    assert len(set(families_of(found))) > 4


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (None, None),
        (["all"], None),
        (["all", Ridge()], None),
        (["lda", "svm"], ["lda", "svm"]),
    ],
)
def test_all_stands_for_the_catalogue(entries, expected):
    assert read_families(entries, "regression")[0] == expected


def test_all_and_those_of_other_packages():
    names, _ = read_families(["all", "lightgbm"], "regression")
    assert names[-1] == "lightgbm" and "ridge" in names and "dummy" not in names


def test_nothing_of_it_is_remembered(tmp_path):
    memory = KnowledgeBase.open(tmp_path / "own.db")
    auto(CURVES, n_iter=4, remember=memory).fit(X, y)
    table = memory.table("classification")
    assert len(table.configurations) == 3
    assert not any(own.family.startswith("own_") for own in table.configurations)


def test_weights():
    weights = np.ones(len(y))
    with pytest.warns(UserWarning, match="NearestCentroid.*take no sample_weight"):
        found = auto(NearestCentroid(), LogisticRegression(), n_iter=4).fit(
            X, y, sample_weight=weights
        )
    assert "own_logistic_regression" in families_of(found)
    assert "own_nearest_centroid" not in families_of(found)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (Ridge(), "does not solve classification tasks"),
        (LogisticRegression, "a name, an estimator, or a pair"),
        ((LogisticRegression(), {"D": [1]}), r"no parameters \['D'\]"),
        ((LogisticRegression(), {}, 3), "or a pair"),
        (None, "or a pair"),
    ],
)
def test_what_cannot_be_is_said(own, message):
    with pytest.raises(ValueError, match=message):
        auto(own).fit(X, y)


def test_only_own_ones_are_for_the_other_search():
    with pytest.raises(ValueError, match=r"families=\['all', ...\]"):
        AutoClassifier(families=[LogisticRegression()]).fit(X, y)
