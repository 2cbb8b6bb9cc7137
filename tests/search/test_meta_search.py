"""What MetaSearchCV adds to GridSearchCV's contract."""

import tracemalloc
from contextlib import ExitStack

import numpy as np
import pandas as pd
import pytest
from _faulty import Faulty
from scipy.stats import expon, loguniform, norm, randint
from sklearn.base import is_classifier
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier, IsolationForest, RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.linear_model import Lasso, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, TimeSeriesSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import Bunch

from sk_metalearn import MetaSearchCV
from sk_metalearn.exceptions import FallbackWarning, KnowledgeWarning
from sk_metalearn.search import OneStandardError
from sk_metalearn.search._grid_choices import choose_from_grid
from sk_metalearn.search._options import SearchOptions
from sk_metalearn.search._problem import pose_problem

X, y = load_iris(return_X_y=True)
X_cancer, y_cancer = load_breast_cancer(return_X_y=True)
COLD = {"knowledge": None, "random_state": 0, "cv": 3}
PIPELINE = make_pipeline(StandardScaler(), SVC())
GRID = {"svc__C": [0.01, 0.1, 1, 10, 100], "svc__gamma": [1e-4, 1e-3, 1e-2, 1e-1, "scale"]}


def columns(search):
    return list(search.cv_results_)


def test_columns_of_grid_search_come_first_and_in_order():
    ours = MetaSearchCV(SVC(), {"C": [1, 10]}, return_train_score=True, **COLD).fit(X, y)
    theirs = GridSearchCV(SVC(), {"C": [1, 10]}, return_train_score=True, cv=3).fit(X, y)
    assert columns(ours)[: len(columns(theirs))] == columns(theirs)
    assert columns(ours)[len(columns(theirs)) :] == [
        "reason",
        "predicted_score",
        "predicted_seconds",
        "estimate",
        "status",
        "failure",
        "begun",
        "elapsed",
    ]
    assert len(pd.DataFrame(ours.cv_results_)) == 2


def test_same_attributes_as_grid_search():
    ours = MetaSearchCV(SVC(), {"C": [1, 10]}, **COLD).fit(X, y)
    theirs = GridSearchCV(SVC(), {"C": [1, 10]}, cv=3).fit(X, y)
    assert {name for name in vars(theirs) if name.endswith("_")} <= set(vars(ours))


def test_knowledge_guides_a_grid():
    search = MetaSearchCV(PIPELINE, GRID, random_state=0, n_iter=5).fit(X_cancer, y_cancer)
    report = search.knowledge_report_
    assert report["used"] and report["tasks"] > 10
    assert sum(report["matches"].values()) == 25 == report["candidates"]
    assert "past classification tasks guided the search" in str(report)
    assert "The best candidate" in str(report)
    assert set(search.cv_results_["reason"]) & {"portfolio", "surrogate"}
    assert np.isfinite(search.cv_results_["predicted_seconds"]).all()
    assert search.best_score_ > 0.96
    assert repr(report) == str(report)


def test_the_default_and_what_the_search_gained():
    grid = {"svc__C": [1.0, 10], "svc__gamma": ["scale"]}
    search = MetaSearchCV(PIPELINE, grid, **COLD).fit(X, y)
    report = search.knowledge_report_
    default = search.cv_results_["params"].index({"svc__C": 1.0, "svc__gamma": "scale"})
    assert report["default"] == search.cv_results_["mean_test_score"][default]
    assert report["gain"] == pytest.approx(report["best"] - report["default"])
    assert "The default gave" in str(report)


@pytest.mark.parametrize(
    "model, name, data",
    [
        (SVC(), "C", (X, y)),
        (PIPELINE, "svc__C", (X, y)),
        (Ridge(), "alpha", load_diabetes(return_X_y=True)),
        (make_pipeline(StandardScaler(), SVR()), "svr__C", (X[:, :3], X[:, 3])),
    ],
    ids=["classifier", "pipeline", "regressor", "regression pipeline"],
)
def test_no_grid_takes_the_space_of_the_catalogue(model, name, data):
    search = MetaSearchCV(model, n_iter=4, random_state=0, cv=3).fit(*data)
    assert len(search.cv_results_["params"]) == 4
    assert all(name in params for params in search.cv_results_["params"])
    assert search.knowledge_report_["used"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_every_family_of_the_catalogue_can_be_searched_without_a_grid(kind):
    from sk_metalearn.spaces import families

    # Neighbours have to be among the training rows of a fold.
    rows = slice(None, None, 2)
    data = (X[rows], y[rows]) if kind == "classification" else (X[rows, :3], X[rows, 3])
    options = {"knowledge": None, "strategy": "random", "random_state": 0, "cv": 2}
    for family in families(kind):
        if family.name != "dummy":
            model = family.estimator_class()
            search = MetaSearchCV(model, n_iter=1, refit=False, **options).fit(*data)
            assert set(search.cv_results_["status"]) == {"ok"}, family.name


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        Lasso(),
        make_pipeline(StandardScaler(), Lasso()),
        ExtraTreesClassifier(5, oob_score=True, bootstrap=True),
        RandomForestClassifier(5, max_samples=0.5),
        LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.1),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores")
def test_settings_of_the_model_go_with_every_point_of_the_catalogue(model):
    data = (X, y) if is_classifier(model) else (X[:, :3], X[:, 3])
    options = {"knowledge": None, "strategy": "random", "random_state": 0, "cv": 2}
    search = MetaSearchCV(model, n_iter=8, refit=False, **options).fit(*data)
    assert set(search.cv_results_["status"]) == {"ok"}


def test_a_default_outside_the_catalogue_is_no_obstacle():
    # Its kernel is none that the catalogue has.
    search = MetaSearchCV(GaussianProcessRegressor(), n_iter=2, **COLD).fit(X[::2, :3], X[::2, 3])
    assert set(search.cv_results_["status"]) == {"ok"}


@pytest.mark.filterwarnings("ignore:Scoring failed", "ignore:One or more of the test scores")
def test_a_score_that_fails_says_why():
    search = MetaSearchCV(KNeighborsClassifier(), {"n_neighbors": [5, 500]}, **COLD).fit(X, y)
    assert set(search.cv_results_["status"]) == {"ok", "invalid"}
    failures = dict(zip(search.cv_results_["status"], search.cv_results_["failure"], strict=True))
    assert "n_neighbors <= n_samples_fit" in failures["invalid"]


def test_an_unknown_estimator_is_searched_cold_and_said():
    with pytest.warns(FallbackWarning, match="cannot guide this search"):
        search = MetaSearchCV(Faulty(), {"shrink": [0.0, 0.5]}, random_state=0).fit(X, y)
    assert not search.knowledge_report_["used"] and search.best_score_ > 0.9
    with pytest.raises(ValueError, match="no search space in the catalogue.*param_grid"):
        MetaSearchCV(Faulty()).fit(X, y)
    with pytest.raises(ValueError, match="DummyClassifier has no search space") as caught:
        MetaSearchCV(DummyClassifier()).fit(X, y)
    assert str(caught.value).count("Dummy") == 1


@pytest.mark.parametrize("second", [y == 1, (y + 1) % 3], ids=["multilabel", "multioutput"])
def test_several_outputs_fall_back_and_say_so(second):
    labels = np.column_stack([y == 0 if second.dtype == bool else y, second]).astype(int)
    with pytest.warns(FallbackWarning, match="the knowledge has no multi"):
        MetaSearchCV(
            KNeighborsClassifier(),
            {"n_neighbors": [1, 3]},
            cv=3,
            scoring=lambda model, X, y: -abs(model.n_neighbors - 3),
        ).fit(X, labels)


@pytest.mark.parametrize("cv", [GroupKFold(3), TimeSeriesSplit(3)])
def test_folds_by_group_or_time_bring_a_warning(cv):
    order = np.random.default_rng(0).permutation(150)
    groups = np.arange(150) % 7
    with pytest.warns(KnowledgeWarning, match="follow groups or time"):
        MetaSearchCV(PIPELINE, {"svc__C": [0.1, 1]}, cv=cv).fit(X[order], y[order], groups=groups)


def test_n_iter_semantics():
    grid = {"C": list(np.logspace(-2, 2, 8))}
    assert len(MetaSearchCV(SVC(), grid, **COLD).fit(X, y).cv_results_["params"]) == 8
    grid = {"C": list(np.logspace(-2, 2, 30)), "gamma": [0.01, 0.1, 1, 10]}
    with pytest.warns(UserWarning, match="has 120 points; 12 of them will be visited"):
        search = MetaSearchCV(SVC(), grid, **COLD).fit(X, y)
    assert len(search.cv_results_["params"]) == 12
    search = MetaSearchCV(SVC(), grid, n_iter="all", strategy="random", refit=False, **COLD)
    search.fit(X, y)
    assert len({str(params) for params in search.cv_results_["params"]}) == 120
    search = MetaSearchCV(SVC(), {"C": loguniform(0.1, 10)}, **COLD).fit(X, y)
    assert len(search.cv_results_["params"]) == 10


def test_n_iter_of_distributions():
    def found(values, **options):
        search = MetaSearchCV(SVC(), values, strategy="random", refit=False, **COLD)
        return search.set_params(**options).fit(X, y).cv_results_["params"]

    assert len(found({"C": expon()})) == 10
    for values in ({"C": expon()}, {"C": loguniform(1, 2)}):
        with pytest.raises(ValueError, match="values without end"):
            found(values, n_iter="all")
    whole = found({"degree": randint(1, 5), "C": [1, 2]}, n_iter="all")
    assert len({str(params) for params in whole}) == len(whole) == 8
    assert len(found({"degree": randint(1, 5)})) == 4
    assert len(found({"degree": randint(1, 100), "C": [1, 2]})) == 10
    assert found({"degree": randint(3, 4)}, n_iter="all") == [{"degree": 3}]


def test_all_of_a_grid_and_what_is_enqueued():
    options = {"n_iter": "all", "enqueue": [{"C": 77}, {"C": 1}], "refit": False, **COLD}
    search = MetaSearchCV(SVC(), {"C": [1, 2, 3, 1]}, **options).fit(X, y)
    assert [params["C"] for params in search.cv_results_["params"]][:2] == [77, 1]
    assert sorted(search.cv_results_["param_C"].tolist()) == [1, 1, 2, 3, 77]


def test_a_warning_promises_what_can_be_kept():
    grid = {"C": list(np.logspace(-3, 3, 300)), "gamma": list(np.logspace(-3, 3, 100))}
    with pytest.warns(UserWarning, match="30000 points; 2000 of them"):
        assert len(choices(grid).points) == choices(grid).n_iter == 2000
    assert len(choices(grid, n_iter=np.int64(2500)).points) == 2500


def choices(grid, **options):
    estimator, options = SVC(), SearchOptions(**options)
    routed = Bunch(estimator=Bunch(fit={}), scorer=Bunch(score={}), splitter=Bunch(split={}))
    with ExitStack() as stack:
        problem = pose_problem(X, y, routed, None, "score", options, stack, estimator=estimator)
    return choose_from_grid(estimator, grid, None, problem, options)


@pytest.mark.parametrize("n_values", [10, 10**5])
def test_points_of_a_huge_grid_are_drawn_without_listing_it(n_values):
    names = ("C", "gamma", "coef0", "tol", "degree", "cache_size", "max_iter", "shrinking")
    grid = {name: range(1, n_values + 1) for name in names} | {"kernel": ["rbf"] * 10}
    tracemalloc.start()
    with pytest.warns(UserWarning, match="2000 of them"):
        points = choices(grid).points
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(points) > 1900
    assert peak < 50e6


def test_points_of_a_large_grid_differ_where_a_value_stands_in_it_twice():
    grid = {"C": range(1, 41), "gamma": range(1, 41), "kernel": ["rbf"] * 10}
    with pytest.warns(UserWarning, match="of them will be visited"):
        points = choices(grid).points
    assert len({str(point) for point in points}) == len(points)


def test_an_enqueued_point_of_a_large_grid_is_counted_once():
    grid = {"C": list(range(1, 301)), "gamma": list(range(1, 101))}
    inside = [{"C": c, "gamma": 1} for c in range(1, 31)]
    found = choices(grid, enqueue=(*inside, {"C": 0.5, "gamma": 1}), n_iter=10**6)
    assert found.n_iter == 30_000 + 1


def _columns(n):
    return ColumnTransformer([("kept", "passthrough", list(range(n)))])


@pytest.mark.parametrize(
    "model, grid",
    [
        (GaussianProcessClassifier(), {"kernel": [RBF(100.0), RBF(100.0, "fixed")]}),
        # Their text is the same, because it leaves out what follows the first 30 columns.
        (make_pipeline(_columns(1), SVC()), {"columntransformer": [_columns(31), _columns(40)]}),
    ],
    ids=["bounds of a kernel", "long list"],
)
def test_candidates_that_print_alike_have_their_own_scores(model, grid):
    rng = np.random.default_rng(0)
    wide = np.hstack([rng.normal(size=(100, 36)), X[50:]])
    options = {"cv": 2, "refit": False}
    theirs = GridSearchCV(model, grid, **options).fit(wide, y[50:])
    ours = MetaSearchCV(model, grid, knowledge=None, random_state=0, **options).fit(wide, y[50:])
    (name,) = grid
    scores = {
        grid[name].index(params[name]): score
        for params, score in zip(
            ours.cv_results_["params"], ours.cv_results_["mean_test_score"], strict=True
        )
    }
    np.testing.assert_array_equal(
        [scores[i] for i in range(2)], theirs.cv_results_["mean_test_score"]
    )
    assert scores[0] != scores[1]


def test_a_huge_grid_is_not_written_out():
    grid = {"C": list(np.logspace(-3, 3, 1000)), "gamma": list(np.logspace(-3, 3, 1000))}
    search = MetaSearchCV(SVC(), grid, n_iter=3, **COLD).fit(X, y)
    assert len(search.cv_results_["params"]) == 3


@pytest.mark.parametrize("name", ["param_grid", "param_distributions"])
def test_distributions_under_either_name(name):
    search = MetaSearchCV(SVC(), **{name: {"C": norm(5, 1)}}, n_iter=4, **COLD).fit(X, y)
    assert len(search.cv_results_["params"]) == 4


def test_own_candidates_first():
    own = [{"C": 3.3}, {"C": 100.0}]
    search = MetaSearchCV(SVC(), {"C": [0.1, 1, 100.0]}, enqueue=own, n_iter=4, **COLD).fit(X, y)
    assert search.cv_results_["params"][:2] == own
    assert list(search.cv_results_["reason"][:2]) == ["enqueued"] * 2
    # The second one is a point of the grid and not tried again.
    assert [params["C"] for params in search.cv_results_["params"]].count(100.0) == 1


def test_one_standard_error():
    grid = {"max_depth": [1, 2, 3, 5, 8, 13]}
    model = DecisionTreeClassifier(random_state=0)
    rule = OneStandardError(cost="param_max_depth")
    search = MetaSearchCV(model, grid, refit=rule, **COLD).fit(X_cancer, y_cancer)
    results = search.cv_results_
    best = results["mean_test_score"].argmax()
    error = np.std([results[f"split{i}_test_score"][best] for i in range(3)], ddof=1) / 3**0.5
    good = results["mean_test_score"] >= results["mean_test_score"][best] - error
    assert search.best_params_["max_depth"] == results["param_max_depth"].astype(int)[good].min()
    named = MetaSearchCV(model, grid, refit="one_standard_error", **COLD).fit(X_cancer, y_cancer)
    assert named.best_score_ >= results["mean_test_score"][best] - error
    with pytest.raises(ValueError, match="no column 'param_depth'"):
        MetaSearchCV(model, grid, refit=OneStandardError(cost="param_depth"), **COLD).fit(X, y)


def test_unsupervised_and_outlier_searches():
    search = MetaSearchCV(KMeans(n_init=1), {"n_clusters": [2, 3]}, **COLD).fit(X)
    assert search.predict(X).shape == (150,)
    search = MetaSearchCV(
        IsolationForest(n_estimators=5, random_state=0),
        {"max_samples": [10, 20]},
        scoring=lambda model, X, y=None: model.score_samples(X).mean(),
        **COLD,
    ).fit(X)
    assert search.score_samples(X).shape == (150,)


def test_polars_is_passed_through():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({name: X[:, i] for i, name in enumerate("abcd")})
    search = MetaSearchCV(PIPELINE, {"svc__C": [1, 10]}, random_state=0).fit(frame, y)
    theirs = GridSearchCV(PIPELINE, {"svc__C": [1]}).fit(frame, y)
    # Older scikit-learns do not know the frames of newer polars.
    names = [list(getattr(own, "feature_names_in_", [])) for own in (search, theirs)]
    assert names[0] == names[1]
    assert search.predict(frame).shape == (150,)


def test_a_metric_may_be_named_score():
    scoring = {"score": "accuracy", "f1": "f1_macro"}
    options = {"scoring": scoring, "refit": "score", "cv": 3}
    ours = MetaSearchCV(SVC(), {"C": [0.1, 10]}, knowledge=None, **options).fit(X, y)
    theirs = GridSearchCV(SVC(), {"C": [0.1, 10]}, **options).fit(X, y)
    assert ours.best_score_ == theirs.best_score_
    assert {"mean_test_score", "mean_test_f1"} <= set(ours.cv_results_)


def _cost_and_accuracy(model, X, y):
    return {"cost": -model.C, "accuracy": model.score(X, y)}


@pytest.mark.parametrize("refit", ["accuracy", OneStandardError(metric="accuracy")])
def test_the_metric_to_refit_on_guides_where_a_callable_gives_several(refit):
    search = MetaSearchCV(
        SVC(), {"C": [1e-3, 1, 10]}, scoring=_cost_and_accuracy, refit=refit, **COLD
    ).fit(X, y)
    results = search.cv_results_
    np.testing.assert_allclose(results["estimate"], results["mean_test_accuracy"])
    assert search.knowledge_report_["best"] == search.best_score_ > 0.9


@pytest.mark.filterwarnings("ignore")
def test_a_fit_that_fails_before_the_metrics_have_names():
    scoring = lambda model, X, y: {"score": 0.5, "accuracy": model.score(X, y)}  # noqa: E731
    options = {"scoring": scoring, "refit": "accuracy", "error_score": -1.0, "cv": 3}
    search = MetaSearchCV(SVC(), {"C": [-1, 1]}, knowledge=None, **options).fit(X, y)
    failed = [params["C"] for params in search.cv_results_["params"]].index(-1)
    assert search.cv_results_["mean_test_score"][failed] == -1.0
    assert search.cv_results_["mean_test_accuracy"][failed] == -1.0


def test_a_point_that_stands_in_a_grid_twice_has_two_rows_and_one_evaluation():
    X, y = load_iris(return_X_y=True)
    grid = {"C": [1.0, 10.0, 1.0]}
    expected = GridSearchCV(SVC(), grid, cv=3).fit(X, y).cv_results_["mean_test_score"]
    found = MetaSearchCV(SVC(), grid, n_iter="all", cv=3, knowledge=None).fit(X, y).cv_results_
    by_value = {1.0: expected[0], 10.0: expected[1]}
    assert sorted(own["C"] for own in found["params"]) == [1.0, 1.0, 10.0]
    assert [by_value[own["C"]] for own in found["params"]] == found["mean_test_score"].tolist()
    assert found["reason"].tolist().count("repeated") == 1
    twins = [i for i, own in enumerate(found["params"]) if own["C"] == 1.0]
    assert len(set(found["mean_fit_time"][twins])) == 1
    few = MetaSearchCV(SVC(), grid, n_iter=2, cv=3, knowledge=None).fit(X, y)
    assert sorted(own["C"] for own in few.cv_results_["params"]) == [1.0, 10.0]
