import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import get_scorer
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sk_metalearn.search._ensemble import select_members
from sk_metalearn.search._voting import voting_estimator


@pytest.mark.parametrize("metric", ["accuracy", "neg_log_loss", "roc_auc_ovr"])
def test_classification_ensemble_is_never_worse_than_its_best_member(metric):
    X, y = load_wine(return_X_y=True)
    folds = list(StratifiedKFold(3, shuffle=True, random_state=0).split(X, y))
    models = [GaussianNB(), KNeighborsClassifier(), DecisionTreeClassifier(max_depth=3)]
    out = [cross_val_predict(m, X, y, cv=folds, method="predict_proba") for m in models]
    scorer = get_scorer(metric)
    tests = [test for _, test in folds]
    weights, score = select_members(out, y, scorer, tests, np.unique(y))
    singles = [cross_val_score(m, X, y, cv=folds, scoring=metric).mean() for m in models[:2]]
    assert score >= max(singles) - 1e-9
    assert set(weights) <= {0, 1, 2} and sum(weights.values()) <= 12


def test_regression_ensemble_mixes_models_that_complement_each_other():
    X, y = load_diabetes(return_X_y=True)
    folds = list(KFold(5, shuffle=True, random_state=0).split(X))
    models = [Ridge(0.1), KNeighborsRegressor(20), DecisionTreeRegressor(max_depth=3)]
    out = [cross_val_predict(m, X, y, cv=folds) for m in models]
    tests = [test for _, test in folds]
    weights, score = select_members(out, y, get_scorer("r2"), tests)
    best = max(cross_val_score(m, X, y, cv=folds, scoring="r2").mean() for m in models)
    assert len(weights) > 1 and score > best


@pytest.fixture(scope="module")
def many_models():
    """Predictions of twelve models of noisy columns, each of which sees its own part of them."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=150)
    out = [y + rng.normal(size=150) * (1 + 0.05 * i) for i in range(12)]
    return out, y, get_scorer("r2"), [np.arange(i, 150, 3) for i in range(3)]


def test_halves_of_the_candidates_choose(many_models):
    weights, score = select_members(*many_models)
    # Errors that have nothing in common: nearly all members help.
    assert len(weights) >= 8 and score > 0.8
    assert sum(weights.values()) > 12 and min(weights.values()) >= 0.03 * sum(weights.values())
    assert len(select_members(*many_models, n_rounds=1)[0]) == 1


def test_a_single_member_is_returned_as_it_is():
    y = np.array([0, 1] * 10)
    perfect = np.eye(2)[y]
    weights, score = select_members(
        [perfect, 1 - perfect], y, get_scorer("accuracy"), [np.arange(20)], np.array([0, 1])
    )
    assert weights == {0: 1} and score == 1.0


def test_ensembles_are_scikit_learn_estimators():
    pair = [("a", GaussianNB()), ("b", KNeighborsClassifier())]
    assert isinstance(voting_estimator(pair, [1, 2], "classification"), VotingClassifier)
    assert isinstance(voting_estimator(pair, [1, 2], "regression"), VotingRegressor)


def test_without_time_for_a_round_there_is_no_ensemble():
    y = np.array([0, 1] * 10)
    out = [np.eye(2)[y], np.eye(2)[1 - y]]
    arguments = out, y, get_scorer("accuracy"), [np.arange(20)], np.array([0, 1])
    assert select_members(*arguments, deadline=0.0) == ({}, -np.inf)
