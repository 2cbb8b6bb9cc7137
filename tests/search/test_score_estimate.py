"""What to expect of the final model, without the optimism of having chosen it."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.metrics import get_scorer, make_scorer, mean_squared_error

from sk_metalearn import AutoClassifier, AutoRegressor
from sk_metalearn.evaluation import FoldResult
from sk_metalearn.search._evidence import evidence_of
from sk_metalearn.search._score_estimate import estimate_score

QUICK = ["lda", "gaussian_nb", "logistic_regression"]


def _estimated(errors, tests, scorer, ensemble_size, deadline=np.inf, in_time=False):
    """Of candidates that are wrong by so much on each of the rows."""
    n_rows = 1 + max(max(test) for test in tests)
    splits = [(np.setdiff1d(np.arange(n_rows), test), np.array(test)) for test in tests]
    if in_time:
        splits = [(train[train < test.min()], test) for train, test in splits]
    payload = SimpleNamespace(X=np.zeros((n_rows, 1)), y=np.zeros(n_rows), splits=splits)
    payload.score_params = {}
    folds = {
        i: [FoldResult("ok", predictions=np.array(own, dtype=float)[test]) for test in tests]
        for i, own in enumerate(errors)
    }
    problem = SimpleNamespace(
        kind="regression", whole=(payload.X, payload.y), scorer=scorer, splits=splits, seed=0
    )
    options = SimpleNamespace(ensemble_size=ensemble_size, threshold=None)
    evidence = evidence_of(payload, folds, "regression")
    return estimate_score(None, evidence, problem, options, deadline)


SCORERS = {
    "quick": get_scorer("neg_mean_squared_error"),
    "slow": make_scorer(lambda y, p: -mean_squared_error(y, p)),
}


@pytest.mark.parametrize("kind", SCORERS)
def test_each_fold_is_judged_by_what_the_others_choose(kind):
    tests = [[0, 1], [2, 3], [4, 5]]
    errors = [[0, 0, 0, 0, 2, 2], [1] * 6]
    found = _estimated(errors, tests, SCORERS[kind], 1)
    # The second is chosen for the first two folds, the first for the last.
    assert found.score == pytest.approx(-2) and found.standard_error == pytest.approx(1)
    assert found.single == found.score and np.isnan(found.dummy)
    # The opposite errors of a mixture cancel.
    mixed = _estimated([[1] * 6, [-1] * 6], tests, SCORERS[kind], 30)
    assert mixed.score == pytest.approx(0) and mixed.single == pytest.approx(-1)


def test_a_fold_in_order_of_time_is_judged_by_what_those_before_it_choose():
    tests = [[1], [2], [3], [4]]
    # The second is better until the last fold, and all folds together say the first.
    errors = [[0, 3, 3, 3, 1], [0, 2, 2, 2, 9]]
    for ensemble_size in (1, 12):
        found = _estimated(errors, tests, SCORERS["quick"], ensemble_size, in_time=True)
        assert found.single == pytest.approx(-np.mean([4, 4, 81]))
    assert _estimated(errors, tests, SCORERS["quick"], 1).single == pytest.approx(
        -np.mean([9, 9, 9, 81])
    )


def test_folds_that_share_rows_do_not_choose_by_those_that_judge():
    tests = [[0, 1], [2, 3], [4, 5], [0, 2], [1, 4], [3, 5]]
    # The first is better on all rows together, and worse on those that judge not the first fold.
    errors = [[0, 0, 2.2, 2.2, 2.2, 2.2], [2] * 6]
    found = _estimated(errors, tests, SCORERS["quick"], 1)
    # Which of them the other rows choose, and what its squared errors are on the fold.
    assert found.score == pytest.approx(-np.mean([4, 4.84, 4.84, 2.42, 2.42, 4.84]))


def test_there_is_none_without_time():
    assert _estimated([[1] * 3], [[0], [1], [2]], SCORERS["quick"], 1, deadline=0) is None


@pytest.mark.parametrize("ensemble_size", [0, 30])
def test_of_noise_nothing_is_expected(ensemble_size):
    X, y = np.random.default_rng(0).normal(size=(200, 5)), np.arange(200) % 2
    families = ["k_neighbors", "gaussian_nb", "decision_tree"]
    auto = AutoClassifier(
        n_iter=12, families=families, ensemble_size=ensemble_size, scoring="roc_auc", random_state=0
    ).fit(X, y)
    estimate = auto.score_estimate_
    assert estimate.score < auto.best_score_ - 0.01
    assert abs(estimate.score - 0.5) < 3 * estimate.standard_error
    assert estimate.dummy == 0.5 and "dummy 0.5" in str(estimate)


def test_it_is_of_the_model_that_predicts(monkeypatch):
    from sk_metalearn.search import _auto_model

    X, y = load_diabetes(return_X_y=True)
    y = y > 140
    options = {"n_iter": 8, "families": QUICK, "scoring": "neg_log_loss", "random_state": 0}
    whole = AutoClassifier(**options).fit(X, y).score_estimate_
    assert whole.score != whole.single
    # The ensemble cannot be fitted.
    monkeypatch.setattr(_auto_model, "_fit_ensemble", lambda *arguments: None)
    single = AutoClassifier(**options).fit(X, y).score_estimate_
    assert single.score == single.single == whole.single


def test_it_is_there_under_a_budget_too():
    X, y = load_wine(return_X_y=True)
    auto = AutoClassifier(time_budget=120, patience=3, families=QUICK, random_state=0).fit(X, y)
    assert auto.score_estimate_.score > 0.9
    dummy = AutoRegressor(n_iter=1, families=["ridge"], cv=2, random_state=0).fit(X, X[:, 0])
    assert dummy.score_estimate_.score > 0.9
