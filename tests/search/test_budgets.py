"""Budgets hold, limits are kept, and every stop says why.

The arithmetic of budgets is tested by a clock that does not run, in `test_loop`. What is timed
here has one bound, wide enough for a machine with several other programs.
"""

import time
import warnings

import numpy as np
import pytest
from _faulty import Faulty, unscorable
from _slow import Lock, SizedModel, Slow, Unpicklable
from sklearn.datasets import load_iris
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.svm import SVC

from sk_metalearn import AutoClassifier, AutoRegressor, CandidateLimits, MetaSearchCV
from sk_metalearn.evaluation import Completed, FoldResult
from sk_metalearn.evaluation.testing import FakeClock, FakeExecutor, FakeResult
from sk_metalearn.exceptions import FallbackWarning
from sk_metalearn.search import OneStandardError, _auto_search, _meta_search
from sk_metalearn.search._budget import Budget
from sk_metalearn.search._fold_models import FoldModels
from sk_metalearn.search._loop import Trial
from sk_metalearn.strategies import Proposal

X, y = load_iris(return_X_y=True)
OPTIONS = {"knowledge": None, "strategy": "random", "cv": 3, "random_state": 0}
# What a budget of a few seconds may take where every core has several programs.
WIDE = 60


@pytest.mark.parametrize("n_jobs", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_budget_holds_against_candidates_that_hang(n_jobs):
    space = {"fault": ["", "hang"], "shrink": list(np.linspace(0, 1, 50))}
    search = MetaSearchCV(Faulty(), space, time_budget=4, n_jobs=n_jobs, **OPTIONS)
    begun = time.monotonic()
    try:
        search.fit(X, y)
    except ValueError as error:
        # On a machine that is busy enough not even one fit ends in time.
        assert "No candidate was finished" in str(error)
    else:
        assert search.stop_reason_ == "time_budget"
        assert set(search.cv_results_["status"]) <= {"ok", "unfinished"}
    assert time.monotonic() - begun < WIDE


@pytest.mark.parametrize(
    "Auto", [AutoClassifier, pytest.param(AutoRegressor, marks=pytest.mark.slow)]
)
def test_auto_keeps_its_budget_and_is_never_without_a_model(Auto):
    target = y if Auto is AutoClassifier else X[:, 0]
    for budget in (1, 4):
        begun = time.monotonic()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FallbackWarning)
            auto = Auto(time_budget=budget, cv=3, n_jobs=2, random_state=0).fit(X, target)
        assert time.monotonic() - begun < WIDE
        assert auto.stop_reason_ == "time_budget" and auto.score(X, target) > 0.7
        assert "dummy" not in auto.refit_on_


def test_a_budget_alone_is_used_whole():
    clock = {"n_iter": None, "time_budget": 3, "families": ["gaussian_nb"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FallbackWarning)
        auto = AutoClassifier(cv=2, knowledge=None, **clock).fit(X, y)
    assert auto.stop_reason_ in ("time_budget", "exhausted")
    assert AutoClassifier().n_iter is AutoRegressor().n_iter is MetaSearchCV(SVC()).n_iter is None


def test_no_candidate_in_time():
    search = MetaSearchCV(Slow(seconds=600), {"shrink": [0, 1]}, time_budget=1, **OPTIONS)
    with pytest.raises(ValueError, match="No candidate was finished.*larger time_budget"):
        search.fit(X, y)


def test_unpicklable_estimator_is_said_to_void_the_promise():
    search = MetaSearchCV(
        Unpicklable(lock=Lock()), {"shrink": [0.0, 0.5]}, time_budget=WIDE, **OPTIONS
    )
    with pytest.warns(FallbackWarning, match="cannot be pickled.*time_budget"):
        search.fit(X, y)
    assert search.stop_reason_ == "n_iter" and search.score(X, y) > 0.8


class Deaf:
    """Stands before a real executor and does not come to the end of a final fit."""

    def __init__(self, executor, why="timeout"):
        self.executor, self.why = executor, why

    def __getattr__(self, name):
        return getattr(self.executor, name)

    def call(self, function, *args, wall_seconds=None, n_threads=None):
        self.executor.cancel([])
        return Completed(None, self.why, None, "Was not done in time.", wall_seconds or 0.0)


def deaf(module, monkeypatch):
    """Have the searches of a module end without a final fit on all rows."""
    run_search = module.run_search

    def run_deaf(*arguments, **options):
        run = run_search(*arguments, **options)
        object.__setattr__(run, "executor", Deaf(run.executor))
        return run

    monkeypatch.setattr(module, "run_search", run_deaf)


@pytest.mark.parametrize("refit", [True, "one_standard_error", lambda results: 1])
def test_a_refit_that_overruns_gives_way(refit, monkeypatch):
    deaf(_meta_search, monkeypatch)
    grid = {"shrink": [0.0, 0.05, 0.9]}
    options = {**OPTIONS, "strategy": "grid", "n_iter": "all", "time_budget": 2 * WIDE}
    with pytest.warns(FallbackWarning, match="did not end well within the time budget"):
        search = MetaSearchCV(Faulty(), grid, refit=refit, **options).fit(X, y)
    assert search.refit_on_ == "training rows of fold 0"
    assert search.best_estimator_.get_params()["shrink"] == search.best_params_["shrink"]
    assert search.score(X, y) > 0.8


def test_an_auto_whose_refit_gives_way_still_has_probabilities(monkeypatch):
    deaf(_auto_search, monkeypatch)
    options = {"cv": 2, "families": ["svm"], "ensemble_size": 0, "random_state": 0}
    auto = AutoClassifier(time_budget=2 * WIDE, n_iter=2, **options)
    with pytest.warns(FallbackWarning, match="did not end well within the time budget"):
        auto.fit(X, y)
    assert auto.refit_on_ == "training rows of fold 0"
    np.testing.assert_allclose(auto.predict_proba(X).sum(axis=1), 1)
    assert auto.score(X, y) > 0.8


def trial_with_model(models, number, estimate, n_bytes):
    import cloudpickle

    name = f"{number}.model"
    with open(f"{models.folder}/{name}", "wb") as file:
        file.write(cloudpickle.dumps(b"x" * n_bytes))
    trial = Trial(number, Proposal(number, {}), str(number), status="ok", estimate=estimate)
    trial.folds[0] = FoldResult("ok", estimate, model=name)
    return trial


def test_models_to_fall_back_on_keep_to_their_space():
    models = FoldModels(most_bytes=2500)
    trials = [trial_with_model(models, i, score, 1000) for i, score in enumerate([0.5, 0.9, 0.7])]
    for trial in trials:
        models.keep(trial)
    first, second, third = (trial.folds[0] for trial in trials)
    assert models.load(first) is None and not models.has(first)
    assert models.load(second) and models.load(third) and models.load(None) is None
    assert models.size(trials[1]) > 1000 and models.size(trials[0]) == 0
    models.forget(trials[2])
    assert models.load(third) is None
    models.close()
    assert models.load(second) is None


def test_what_is_kept_for_the_end_is_at_most_most_of_the_budget():
    clock = FakeClock(5.0)
    budget = Budget(10.0, clock(), clock)
    assert budget.deadline() == 15.0 and budget.deadline(2.0) == 13.0
    assert budget.deadline(1e9) == 9.0
    assert 10.0 <= budget.left() <= 11.0
    clock.advance(11.5)
    assert budget.left() < 0
    assert Budget(None, 0.0).deadline() is Budget(None, 0.0).left() is None


def test_the_fake_executor_keeps_limits_of_time():
    clock = FakeClock()
    executor = FakeExecutor(lambda seconds: FakeResult(seconds, seconds), clock, n_workers=2)
    for seconds, wall in ((3.0, None), (1.0, None), (9.0, 2.0)):
        executor.submit((seconds,), seconds, wall_seconds=wall)
    done = [executor.next() for _ in range(3)]
    assert [(own.key, own.status) for own in done] == [(1.0, "ok"), (3.0, "ok"), (9.0, "timeout")]
    assert clock() == 3.0 and executor.next() is None


def patient_accuracy(y, predicted):
    """Takes half a second for each score."""
    time.sleep(0.5)
    return accuracy_score(y, predicted)


def test_choosing_an_ensemble_keeps_to_the_budget():
    auto = AutoClassifier(
        time_budget=4,
        n_iter=2,
        cv=2,
        n_jobs=2,
        families=["lda", "gaussian_nb"],
        scoring=make_scorer(patient_accuracy),
    )
    begun = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FallbackWarning)
        auto.fit(X, y)
    assert time.monotonic() - begun < WIDE
    assert len(auto.ensemble_) <= 1 and auto.predict_proba(X).shape == (150, 3)


def test_auto_without_time_has_a_quick_model_or_says_that_it_knows_nothing():
    auto = AutoClassifier(time_budget=0.01, random_state=0)
    with pytest.warns(FallbackWarning, match="a quick one that was not searched for"):
        auto.fit(X, y)
    assert auto.best_index_ == -1 and auto.ensemble_ == {} and auto.score(X, y) > 0.9
    assert auto.best_params_["family"] == "lda" and "a quick model" in auto.refit_on_
    with pytest.warns(FallbackWarning, match="only predicts"):
        auto.set_params(families=["svm"]).fit(X, y)
    assert auto.predict_proba(X).shape == (150, 3) and "dummy" in auto.refit_on_


def test_auto_does_not_blame_the_clock_for_a_metric_that_cannot_be_computed():
    auto = AutoClassifier(
        time_budget=2 * WIDE, n_iter=2, cv=2, families=["lda"], scoring=unscorable, knowledge=None
    )
    with pytest.raises(ValueError, match="could be scored.*2 of 2 failed with .*no score"):
        auto.fit(X, y)


def test_a_dummy_for_want_of_time_says_what_failed(monkeypatch):
    run_search = _auto_search.run_search

    def cut(*arguments, **options):
        run = run_search(*arguments, **options)
        object.__setattr__(run, "stop_reason", "time_budget")
        return run

    monkeypatch.setattr(_auto_search, "run_search", cut)
    auto = AutoClassifier(n_iter=2, cv=2, families=["lda"], scoring=unscorable, knowledge=None)
    with pytest.warns(FallbackWarning, match="only predicts.*2 of 2 failed with .*no score"):
        auto.fit(X, y)
    assert "dummy" in auto.refit_on_


def test_what_an_earlier_fit_found_is_gone():
    auto = AutoClassifier(n_iter=2, cv=2, families=["svm"], knowledge=None).fit(X, y)
    with pytest.warns(FallbackWarning, match="only predicts"):
        auto.set_params(time_budget=1e-3).fit(X, y)
    assert auto.ensemble_ == {} and not np.isfinite(auto.cv_results_["mean_test_score"]).any()


@pytest.mark.parametrize("name", ["time_budget", "n_iter", "patience", "lookahead"])
def test_a_budget_of_zero_is_refused(name):
    with pytest.raises(ValueError, match=f"'{name}' parameter"):
        MetaSearchCV(SVC(), {"C": [1]}, **{name: 0}).fit(X, y)


@pytest.mark.parametrize("name", ["fold_seconds", "memory_bytes", "predict_seconds", "model_bytes"])
@pytest.mark.parametrize("value", [0, -1, np.nan, True, "1"])
def test_a_limit_that_is_none_is_refused(name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of CandidateLimits must be"):
        CandidateLimits(**{name: value})


def test_patience():
    grid = {"shrink": [0.0, *np.linspace(0.9, 1.0, 30)]}
    options = {**OPTIONS, "strategy": "grid", "n_iter": "all"}
    search = MetaSearchCV(Faulty(), grid, patience=4, **options).fit(X, y)
    assert search.stop_reason_ == "patience"
    assert len(search.cv_results_["params"]) in (5, 6)
    parallel = MetaSearchCV(Faulty(), grid, patience=4, n_jobs=2, **options).fit(X, y)
    assert parallel.cv_results_["params"] == search.cv_results_["params"]


def test_whole_grid_and_stop_reasons():
    search = MetaSearchCV(SVC(), {"C": [1, 2, 3]}, **OPTIONS).fit(X, y)
    assert search.stop_reason_ == "n_iter" and len(search.cv_results_["params"]) == 3
    search = MetaSearchCV(SVC(), {"C": [1, 2, 3]}, time_budget=2 * WIDE, **OPTIONS).fit(X, y)
    assert search.stop_reason_ in ("n_iter", "exhausted")


def test_racing_stops_losers_and_does_not_depend_on_the_workers():
    grid = {"shrink": [0.0, 0.1, 0.2, 0.97, 0.98, 0.99, 1.0]}
    options = {**OPTIONS, "cv": 5, "strategy": "grid", "n_iter": "all"}
    found = [
        MetaSearchCV(Faulty(), grid, racing=True, n_jobs=n_jobs, **options).fit(X, y)
        for n_jobs in (1, 2)
    ]
    whole = MetaSearchCV(Faulty(), grid, **options).fit(X, y)
    assert found[0].best_params_ == whole.best_params_
    status = found[0].cv_results_["status"]
    assert "raced" in status[3:] and set(status[:3]) == {"ok"}
    raced = status == "raced"
    assert np.isnan(found[0].cv_results_["mean_test_score"][raced]).all()
    assert np.isfinite(found[0].cv_results_["estimate"][raced]).all()
    assert np.isfinite(found[0].cv_results_["split0_test_score"][raced]).all()
    for name in ("status", "estimate", "split1_test_score", "rank_test_score"):
        np.testing.assert_array_equal(found[0].cv_results_[name], found[1].cv_results_[name])


def test_a_crash_in_a_race_is_a_crash():
    grid = {"shrink": [0.0, 0.1, 0.2], "fault": ["", "raise"]}
    options = {**OPTIONS, "strategy": "grid", "n_iter": "all", "racing": True}
    with pytest.warns(UserWarning):
        search = MetaSearchCV(Faulty(), grid, **options).fit(X, y)
    bad = np.array([params["fault"] == "raise" for params in search.cv_results_["params"]])
    assert set(search.cv_results_["status"][bad]) == {"crashed"}


@pytest.mark.parametrize(
    "limit, bad",
    [({"model_bytes": 10**5}, "megabytes"), ({"predict_seconds": 0.2}, "predict_seconds")],
)
def test_limits_of_the_model(limit, bad):
    value = {"megabytes": 1, "predict_seconds": 0.25}[bad]
    grid = [{"shrink": [0.9]}, {bad: [value]}]
    options = {**OPTIONS, "strategy": "grid", "n_iter": "all", "limits": CandidateLimits(**limit)}
    search = MetaSearchCV(SizedModel(), grid, **options).fit(X, y)
    assert list(search.cv_results_["status"]) == ["ok", "over_limit"]
    assert search.best_index_ == 0 and "limit is" in search.cv_results_["failure"][1]
    with pytest.warns(FallbackWarning, match="Every candidate exceeds"):
        MetaSearchCV(SizedModel(), {bad: [value]}, **options).fit(X, y)


def test_limits_hold_for_the_one_standard_error_rule_and_beside_failures():
    grid = [{"megabytes": [1], "shrink": [0.0]}, {"megabytes": [0], "shrink": [0.5]}]
    options = {**OPTIONS, "n_iter": "all", "limits": CandidateLimits(model_bytes=10**5)}
    rule = OneStandardError(cost="param_shrink")
    search = MetaSearchCV(SizedModel(), grid, refit=rule, **options).fit(X, y)
    assert search.best_params_["megabytes"] == 0
    free = MetaSearchCV(SizedModel(), grid, refit=rule, **{**options, "limits": None})
    assert free.fit(X, y).best_params_["megabytes"] == 1
    bad = {"megabytes": [1], "predict_seconds": [-1.0, 0.0]}
    with pytest.warns(FallbackWarning, match="Every candidate exceeds"):
        search = MetaSearchCV(SizedModel(), bad, **options).fit(X, y)
    assert np.isfinite(search.best_score_)


def test_the_one_standard_error_rule_says_which_metric_is_missing():
    options = {**OPTIONS, "scoring": ["accuracy", "f1_macro"], "refit": OneStandardError()}
    with pytest.raises(
        ValueError, match="no column 'mean_test_score'; it has .*mean_test_f1_macro"
    ):
        MetaSearchCV(SVC(), {"C": [1, 2]}, **options).fit(X, y)


def test_an_auto_whose_candidates_all_exceed_the_limit_has_a_score():
    limits = CandidateLimits(model_bytes=10)
    auto = AutoClassifier(
        n_iter=2, cv=2, families=["lda"], knowledge=None, limits=limits, random_state=0
    )
    with pytest.warns(FallbackWarning, match="Every candidate exceeds"):
        auto.fit(X, y)
    assert auto.best_score_ == np.max(auto.cv_results_["mean_test_score"])


def test_messages_tell_the_time_left(capsys):
    MetaSearchCV(SVC(), {"C": [1, 2, 3]}, verbose=1, **OPTIONS).fit(X, y)
    out = capsys.readouterr().out
    assert "Fitting 3 folds for each of 3 candidates, totalling 9 fits" in out
    assert out.count("s left") == 3


@pytest.mark.parametrize("limits", [{"time_budget": 2 * WIDE}, {"limits": None}])
def test_limits_that_a_backend_cannot_keep_are_said(limits):
    from joblib import parallel_config

    limits = {"limits": CandidateLimits(fold_seconds=9.0)} if "limits" in limits else limits
    with warnings.catch_warnings(record=True) as caught, parallel_config("threading", n_jobs=2):
        warnings.simplefilter("always")
        MetaSearchCV(SVC(), {"C": [1, 2]}, **limits, **OPTIONS).fit(X, y)
    assert any("cannot be enforced in threads" in str(own.message) for own in caught)
