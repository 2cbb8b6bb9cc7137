"""What the final model of an Auto estimator is made of."""

import pickle
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine, make_classification
from sklearn.ensemble import VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.metrics import get_scorer, log_loss
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, TimeSeriesSplit
from sklearn.svm import LinearSVC

from sk_metalearn import AutoClassifier, AutoRegressor, CandidateLimits
from sk_metalearn.evaluation import MarginScorer, Payload, SetParams, calibrate, run_fold
from sk_metalearn.evaluation._margins import unseen_probabilities
from sk_metalearn.search._budget import Budget
from sk_metalearn.search._ending import choose_ending
from sk_metalearn.search._ensemble import _GivenClassifier, _GivenRegressor, select_members
from sk_metalearn.search._fast_scores import fast_score, proper_score
from sk_metalearn.search._reserve import Reserve

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

QUICK = ["lda", "gaussian_nb", "logistic_regression"]


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "name", ["accuracy", "balanced_accuracy", "neg_log_loss", "neg_brier_score", "roc_auc"]
)
def test_metrics_of_many_classifications_at_once_are_those_of_scikit_learn(name, n_classes):
    rng = np.random.RandomState(0)
    P = rng.dirichlet(np.ones(n_classes), size=(4, 90))
    y = rng.randint(n_classes, size=90)
    function = fast_score(get_scorer(name), n_classes)
    if name == "roc_auc" and n_classes == 3:
        assert function is None
        return
    given = [_GivenClassifier(own, np.arange(n_classes)) for own in P]
    expected = [get_scorer(name)(own, np.arange(90)[:, None], y) for own in given]
    assert np.allclose(function(y, P), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "name",
    [
        "r2",
        "neg_mean_squared_error",
        "neg_root_mean_squared_error",
        "neg_mean_absolute_error",
    ],
)
def test_metrics_of_many_values_at_once_are_those_of_scikit_learn(name):
    rng = np.random.RandomState(0)
    P, y = rng.randn(4, 90), rng.randn(90)
    rows = np.arange(90)[:, None]
    expected = [get_scorer(name)(_GivenRegressor(own), rows, y) for own in P]
    assert np.allclose(fast_score(get_scorer(name), 0)(y, P), expected, rtol=1e-12)


def test_other_metrics_are_left_to_their_scorer():
    for name in ("f1_macro", "roc_auc_ovr", "matthews_corrcoef"):
        assert fast_score(get_scorer(name), 3) is None
    assert fast_score(get_scorer("neg_median_absolute_error"), 0) is None
    assert fast_score(lambda estimator, X, y: 0.0, 2) is None


def test_equal_scores_are_told_apart_by_how_probable_they_make_the_classes():
    y = np.array([0, 1] * 20)
    sure, unsure = np.where(y == 1, 0.9, 0.1), np.where(y == 1, 0.6, 0.4)
    out = [np.column_stack([1 - p, p]) for p in (unsure, sure)]
    weights, score = select_members(
        out, y, get_scorer("accuracy"), [np.arange(40)], np.array([0, 1])
    )
    assert weights == {1: 1} and score == 1.0
    assert np.argmax(proper_score(y, np.stack(out), 2)) == 1


def test_decision_values_become_probabilities_by_what_other_rows_say():
    X, y = load_breast_cancer(return_X_y=True)
    train, test = np.arange(0, len(y), 2), np.arange(1, len(y), 2)
    model = LinearSVC(C=1e-6).fit(X[train], y[train])
    seen = unseen_probabilities(model, X[test], y[test])
    assert np.allclose(seen.sum(axis=1), 1)
    dull = np.full_like(seen, 0.5)
    assert log_loss(y[test], seen) < log_loss(y[test], dull)
    # The classes of a row have no part in its own probabilities.
    order = np.argsort(y[test], kind="stable")
    changed, other = y[test].copy(), order[::2][:5]
    changed[other] = 1 - changed[other]
    again = unseen_probabilities(model, X[test], y[test])
    assert np.array_equal(again, seen)


def test_rows_of_classes_that_a_model_does_not_know_teach_no_sigmoid():
    X, y = load_wine(return_X_y=True, as_frame=True)
    names = y.map({0: "a", 1: "b", 2: "c"}).to_numpy()
    known = np.flatnonzero(names != "c")
    model = RidgeClassifier().fit(X.iloc[known], names[known])
    calibrated = calibrate(model, X, names)
    assert list(calibrated.classes_) == ["a", "b"]
    assert calibrated.predict_proba(X).shape == (len(y), 2)


def test_classifiers_with_decision_values_only_have_a_log_loss():
    X, y = load_wine(return_X_y=True)
    model = RidgeClassifier().fit(X[::2], y[::2])
    score = MarginScorer(get_scorer("neg_log_loss"))(model, X[1::2], y[1::2])
    assert -0.6 < score < 0
    calibrated = calibrate(model, X[1::2], y[1::2])
    assert calibrated.predict_proba(X).shape == (len(y), 3)


def test_families_with_decision_values_serve_a_metric_of_probabilities():
    X, y = load_wine(return_X_y=True)
    auto = AutoClassifier(
        n_iter=4, families=["ridge", "linear_svc"], scoring="neg_log_loss", random_state=0
    ).fit(X, y)
    assert np.isfinite(auto.cv_results_["mean_test_score"]).all()
    assert auto.best_score_ > -0.5
    assert np.allclose(auto.predict_proba(X).sum(axis=1), 1)


def test_the_models_of_the_folds_are_the_final_model():
    X, y = load_wine(return_X_y=True)
    auto = AutoClassifier(n_iter=6, families=QUICK, final="bag", random_state=0).fit(X, y)
    assert auto.refit_on_ == "training rows of each fold"
    expected = np.zeros((len(y), 3))
    for row, weight in auto.ensemble_.items():
        outer = dict(auto.best_estimator_.estimators)[f"candidate_{row}"]
        for train, _ in StratifiedKFold(5, shuffle=True, random_state=_seed_of(auto)).split(X, y):
            fitted = clone(outer).fit(X[train], y[train])
            expected += weight / 5 * fitted.predict_proba(X)
    expected /= sum(auto.ensemble_.values())
    assert np.allclose(auto.predict_proba(X), expected)


def _seed_of(auto):
    return int(np.random.RandomState(auto.random_state).randint(2**31 - 1))


@pytest.mark.parametrize("n_jobs", [2])
def test_it_is_the_same_with_any_number_of_jobs(n_jobs):
    X, y = load_diabetes(return_X_y=True)
    families = ["ridge", "decision_tree"]
    alone = AutoRegressor(n_iter=5, families=families, final="bag", random_state=0)
    beside = clone(alone).set_params(n_jobs=n_jobs)
    assert np.array_equal(alone.fit(X, y).predict(X), beside.fit(X, y).predict(X))
    assert isinstance(alone.best_estimator_, VotingRegressor)


def test_a_clone_of_it_has_learned_nothing_and_fits_its_members_anew():
    X, y = load_wine(return_X_y=True)
    auto = AutoClassifier(n_iter=6, families=QUICK, final="bag", random_state=0).fit(X, y)
    fresh = clone(auto.best_estimator_)
    with pytest.raises(NotFittedError):
        fresh.predict(X)
    few = np.flatnonzero(y < 2)
    assert fresh.fit(X[few], y[few]).predict_proba(X).shape == (len(y), 2)


def test_after_a_break_members_are_fitted_again(tmp_path):
    X, y = load_wine(return_X_y=True)
    path = tmp_path / "search.sqlite"
    auto = AutoClassifier(n_iter=6, families=QUICK, final="bag", random_state=0, checkpoint=path)
    first = auto.fit(X, y).predict_proba(X)
    assert np.array_equal(clone(auto).fit(X, y).predict_proba(X), first)


@pytest.mark.parametrize(
    ("changes", "fitted_on"),
    [
        ({}, "all rows"),
        ({"final": "refit"}, "all rows"),
        ({"final": "bag"}, "training rows of each fold"),
        ({"ensemble_size": 0}, "all rows"),
        ({"ensemble_size": 0, "final": "bag"}, "training rows of each fold"),
        ({"cv": TimeSeriesSplit(3), "final": "bag"}, "training rows of each fold"),
        ({"max_rows": 100}, "all rows"),
        ({"max_rows": 100, "final": "bag"}, "training rows of each fold"),
    ],
)
def test_what_the_final_model_is_made_of(changes, fitted_on):
    X, y = load_diabetes(return_X_y=True)
    auto = AutoRegressor(n_iter=3, families=["ridge"], random_state=0, **changes).fit(X, y)
    assert auto.refit_on_ == fitted_on
    assert auto.score(X, y) > 0.3


@pytest.mark.parametrize(
    ("n_searched", "changes", "ending"),
    [
        (100, {}, "bag"),
        (100, {"cv": GroupKFold(5)}, "bag"),
        (100, {"time_budget": None}, "refit"),
        (100, {"ensemble_size": 0}, "refit"),
        (100, {"limits": CandidateLimits(model_bytes=1000)}, "refit"),
        (100, {"cv": TimeSeriesSplit(3)}, "refit"),
        (100, {"cv": 2}, "refit"),
        (60, {}, "holdout"),
        (60, {"cv": GroupKFold(5)}, "refit"),
        (60, {"final": "bag"}, "bag"),
    ],
)
def test_what_auto_ends_with_under_a_budget(n_searched, changes, ending):
    X, groups = np.zeros((n_searched, 1)), np.arange(n_searched) % 10
    options = {"final": "auto", "ensemble_size": 30, "cv": None, "time_budget": 60, **changes}
    options = {"limits": CandidateLimits(), **options}
    cv = options["cv"]
    folds = cv if hasattr(cv, "split") else KFold(cv or 5)
    problem = SimpleNamespace(
        whole=(np.zeros((100, 1)), None),
        n_rows=n_searched,
        splits=list(folds.split(X, groups=groups)),
    )
    timed = options["time_budget"] is not None
    assert choose_ending(problem, SimpleNamespace(timed=timed, **options)) == ending


def test_a_network_of_all_rows_is_the_mean_of_several_random_starts():
    X, y = load_wine(return_X_y=True)
    # Labels that are wrong: no model is perfect, and a mixture the best.
    y[::6] = 0
    auto = AutoClassifier(n_iter=4, families=["mlp", "lda"], scoring="neg_log_loss", random_state=0)
    members = auto.fit(X, y).best_estimator_.named_estimators_
    networks = [
        own
        for name, own in members.items()
        if auto.cv_results_["param_family"][int(name.split("_")[1])] == "mlp"
    ]
    assert networks
    for network in networks:
        first, second, third = (own.predict_proba(X) for own in network.estimators_)
        assert not np.array_equal(first, second)
        assert np.allclose(network.predict_proba(X), (first + second + third) / 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seconds", "fitted_on"),
    [
        (1e-4, "all rows, and training rows of each fold"),
        (1e4, "training rows of each fold"),
        ("the first", "all rows, and training rows of each fold"),
    ],
)
def test_members_are_fitted_on_all_rows_where_there_is_time(monkeypatch, seconds, fitted_on):
    from sk_metalearn.search import _auto_model

    seen = []

    def predicted(trial, problem, n_starts=1):
        seen.append(trial.number)
        return 1e4 * (trial.number != seen[0]) if seconds == "the first" else seconds

    monkeypatch.setattr(_auto_model, "predict_refit_seconds", predicted)
    X, y = load_wine(return_X_y=True)
    options = {"time_budget": 120, "n_iter": 6, "strategy": "random", "knowledge": None}
    auto = AutoClassifier(**options, families=QUICK, random_state=0).fit(X, y)
    assert len(auto.ensemble_) > 1
    assert auto.refit_on_ == fitted_on and auto.score(X, y) > 0.9
    n_whole = {1e-4: len(auto.ensemble_), 1e4: 0}.get(seconds, 1)
    both = [own for own in auto.best_estimator_.estimators_ if len(own.estimators_) == 2]
    assert len(both) == n_whole
    for member in both:
        folds, whole = member.estimators_
        assert len(folds.estimators_) == 5
        assert np.allclose(
            member.predict_proba(X), (folds.predict_proba(X) + whole.predict_proba(X)) / 2
        )


@pytest.mark.parametrize("families", [["lda", "gaussian_nb"], ["ridge"]])
def test_members_whose_folds_lack_a_class_are_fitted_on_all_rows(families):
    X, y = load_wine(return_X_y=True)
    keep = np.flatnonzero((y < 2) | (np.arange(len(y)) == len(y) - 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        auto = AutoClassifier(n_iter=4, families=families, random_state=0).fit(X[keep], y[keep])
    assert auto.predict_proba(X).shape == (len(y), 3)


def test_the_best_of_a_sample_are_fitted_on_nearly_all_rows():
    X, y = make_classification(6000, 8, random_state=0)
    # A class of a few rows stays with those that models train on.
    y[:5] = 2
    auto = AutoClassifier(
        time_budget=120, patience=5, max_rows=500, families=QUICK, random_state=0, n_jobs=2
    ).fit(X, y)
    assert auto.refit_on_ == "5401 of 6000 rows, the others chose"
    assert auto.n_splits_ == 3
    # Time was left: each member is the mean of models that lack other rows.
    for member in auto.best_estimator_.estimators_:
        assert len(member.estimators_) == 5
        first, second = (own.predict_proba(X) for own in member.estimators_[:2])
        assert not np.array_equal(first, second)
    assert auto.predict_proba(X).shape == (6000, 3)
    assert auto.score(X, y) > 0.8


def seen_of(monkeypatch, module, name):
    """What a function of a module gives from now on."""
    seen, function = [], getattr(module, name)

    def spy(*arguments):
        seen.append(function(*arguments))
        return seen[-1]

    monkeypatch.setattr(module, name, spy)
    return seen


def test_what_takes_long_on_a_sample_is_fitted_on_fewer_of_the_other_rows(monkeypatch):
    from sk_metalearn.search import _nearly_all_rows

    # One family is told to take far longer than there is time for.
    predict = _nearly_all_rows.predict_refit_seconds

    def slow(trial, problem, share=1.0):
        factor = 1e5 if trial.proposal.point["family"] == "logistic_regression" else 1
        return factor * share**8 * predict(trial, problem, share=share)

    monkeypatch.setattr(_nearly_all_rows, "predict_refit_seconds", slow)
    seen = seen_of(monkeypatch, _nearly_all_rows, "_evidence")
    X, y = make_classification(6000, 8, random_state=0)
    y[:5] = 2
    auto = AutoClassifier(
        time_budget=120, patience=8, max_rows=500, families=QUICK, random_state=0, n_jobs=2
    ).fit(X, y)
    assert auto.refit_on_ == "at most 5401 of 6000 rows, the others chose"
    splits = seen[-1].payload.splits
    sizes = [len(train) for train, _ in splits]
    assert np.allclose(sizes[:10], [5400] * 5 + [2700] * 5, atol=25) and sizes[-1] < 1400
    for train, test in splits:
        assert not np.intersect1d(train, test).size
        counts = np.bincount(y[train])
        assert counts[2] == 5 and abs(counts[0] / counts[1] - 1) < 0.05
    rows = {
        family: [i for i, own in enumerate(auto.configurations_) if own.family == family]
        for family in QUICK
    }
    judged = seen[-1].models
    few = [own for row in rows["logistic_regression"] for own in judged.get(row, [])]
    many = [own for row in rows["lda"] for own in judged.get(row, [])]
    assert few and many
    assert all(len(own) <= 5 for own in judged.values())
    held_out = len(splits[0][1])
    assert all(len(own.predictions) == held_out for own in (few[0], many[0]))


def test_time_is_kept_for_all_rows_once_there_is_what_can_be_fitted():
    loop = SimpleNamespace(trials=[], best_trial=None)
    problem = SimpleNamespace(
        kind="regression",
        y=np.zeros(1000),
        n_rows=1000,
        score_params={},
        scorer=get_scorer("r2"),
        whole=(np.zeros((90_000, 1)), None),
        splits=[(np.arange(667), None)],
    )
    options = SimpleNamespace(refit=True, ensemble_size=10)
    models = SimpleNamespace(size=lambda trial: 1)
    reserve = Reserve(Budget(60, 0.0), problem, options, "holdout", 2, models, 0.0, False, False)
    before = reserve.deadline(loop)
    fold = SimpleNamespace(fit_seconds=5.0, score_seconds=0.0)
    loop.trials = [
        SimpleNamespace(
            status="ok", estimate=0.5, folds={0: fold}, proposal=SimpleNamespace(point={})
        )
    ]
    assert before > 45 and reserve.deadline(loop) == before - 18


@pytest.mark.slow
def test_a_few_rows_are_shuffled_again_for_the_best(monkeypatch):
    from sk_metalearn.search import _auto_model

    seen = seen_of(monkeypatch, _auto_model, "confirm_leaders")
    X, y = load_wine(return_X_y=True)
    auto = AutoClassifier(time_budget=120, families=QUICK, patience=4, random_state=0).fit(X, y)
    (evidence,) = seen
    assert len(evidence.payload.splits) == 15
    assert set(auto.ensemble_) <= set(evidence.folds)
    shuffles = [evidence.payload.splits[i : i + 5] for i in (0, 5, 10)]
    for shuffle in shuffles:
        assert np.array_equal(
            np.sort(np.concatenate([test for _, test in shuffle])), np.arange(178)
        )
    assert not np.array_equal(shuffles[0][0][1], shuffles[1][0][1])
    assert auto.refit_on_ == "all rows, and training rows of each fold"


@pytest.mark.parametrize("travel", [True, False])
def test_models_of_other_machines_travel_when_they_are_chosen(travel, tmp_path):
    X, y = load_diabetes(return_X_y=True)
    payload = Payload(
        X=X,
        y=y,
        splits=[(np.arange(300), np.arange(300, 442))],
        make=SetParams(Ridge()),
        scorer=get_scorer("r2"),
        keep_models=str(tmp_path / "not here"),
        models_travel=travel,
    )
    result = run_fold(payload, {}, 0)
    assert result.status == "ok" and isinstance(result.model, bytes if travel else str)


def test_time_that_is_kept_for_an_ensemble_follows_from_rows_and_metric():
    kept = {}
    for scoring in ("neg_log_loss", "f1"):
        for n_rows in (100, 5000):
            X, y = make_classification(n_rows, random_state=0)
            problem = SimpleNamespace(
                kind="classification",
                y=y,
                n_rows=n_rows,
                score_params={},
                scorer=get_scorer(scoring),
            )
            reserve = Reserve(Budget(60, 0.0), problem, None, "bag", 2, None, 0.0, False, False)
            kept[scoring, n_rows] = reserve.choice_seconds([])
    assert kept["neg_log_loss", 100] < kept["neg_log_loss", 5000] < kept["f1", 100]
    assert kept["f1", 100] == kept["f1", 5000]


def test_members_stay_within_limits_together():
    y = np.zeros(40)
    # Errors that cancel: the more members, the better.
    predictions = [np.where(np.arange(40) % 4 == i, 3.0, -1.0) for i in range(4)]
    judge, tests = get_scorer("neg_mean_squared_error"), [np.arange(20), np.arange(20, 40)]
    free, _ = select_members(predictions, y, judge, tests)
    assert set(free) == {0, 1, 2, 3}
    costs = np.array([[0.3, 0.1], [0.3, 0.1], [0.3, 0.1], [0.3, 0.9]])
    bounded, _ = select_members(predictions, y, judge, tests, costs=costs)
    assert len(bounded) > 1 and (costs[list(bounded)].sum(axis=0) <= 1).all()


@pytest.mark.parametrize("final", [pytest.param("auto", marks=pytest.mark.slow), "bag"])
def test_limits_of_prediction_hold_for_the_whole_model(final):
    X, y = load_diabetes(return_X_y=True)
    families = ["random_forest", "extra_trees", "decision_tree", "ridge"]
    options = {"n_iter": 10, "families": families, "final": final, "random_state": 0}
    size = len(pickle.dumps(AutoRegressor(**options).fit(X, y).best_estimator_))
    limit = size // 3
    limited = AutoRegressor(limits=CandidateLimits(model_bytes=limit), **options).fit(X, y)
    assert len(pickle.dumps(limited.best_estimator_)) < 1.1 * limit
    assert limited.score(X, y) > 0.3
