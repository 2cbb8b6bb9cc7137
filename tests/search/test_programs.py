"""Programs written for GridSearchCV and RandomizedSearchCV, with only the class changed.

Each function is such a program; it takes the class of the search and gives what is compared.
"""

import tempfile

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.stats import loguniform, randint, uniform
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_iris,
    make_multilabel_classification,
)
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier, StackingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso, LogisticRegression, Ridge, SGDClassifier
from sklearn.metrics import fbeta_score, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    PredefinedSplit,
    RandomizedSearchCV,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
    TunedThresholdClassifierCV,
    cross_val_score,
)
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KernelDensity, KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sk_metalearn import MetaSearchCV

X, y = load_iris(return_X_y=True)
X_binary, y_binary = (part[::4] for part in load_breast_cancer(return_X_y=True))
X_numbers, y_numbers = (part[::4] for part in load_diabetes(return_X_y=True))


def nested_cross_validation(Search):
    search = Search(make_pipeline(StandardScaler(), SVC()), {"svc__C": [0.1, 1, 10]}, cv=3)
    return cross_val_score(search, X, y, cv=3)


def column_transformer(Search):
    frame = pd.DataFrame(X, columns=list("abcd"))
    frame["e"] = np.where(frame["a"] > 5, "long", "short")
    frame.loc[::7, "b"] = np.nan
    numbers = Pipeline([("impute", SimpleImputer()), ("scale", StandardScaler())])
    columns = ColumnTransformer(
        [("numbers", numbers, list("abcd")), ("names", OneHotEncoder(), ["e"])]
    )
    pipeline = Pipeline([("columns", columns), ("model", LogisticRegression(max_iter=500))])
    grid = {"columns__numbers__impute__strategy": ["mean", "median"], "model__C": [0.1, 1]}
    search = Search(pipeline, grid, cv=3).fit(frame, y)
    return search.predict(frame), list(search.feature_names_in_)


def text(Search):
    words = ["good great fine", "bad awful poor", "fine good", "poor bad", "great", "awful"] * 6
    labels = [1, 0, 1, 0, 1, 0] * 6
    pipeline = Pipeline([("words", TfidfVectorizer()), ("model", SGDClassifier(random_state=0))])
    grid = {"words__ngram_range": [(1, 1), (1, 2)], "model__alpha": [1e-4, 1e-2]}
    return Search(pipeline, grid, cv=3).fit(words, labels).score(words, labels)


def own_scorer(Search):
    scorer = make_scorer(fbeta_score, beta=2)
    search = Search(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 3]}, scoring=scorer)
    return search.fit(X_binary, y_binary).score(X_binary, y_binary)


def several_metrics(Search):
    search = Search(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [1, 2, 3]},
        scoring={"accuracy": "accuracy", "auc": "roc_auc"},
        refit="auc",
        return_train_score=True,
    ).fit(X_binary, y_binary)
    assert search.multimetric_ and set(search.scorer_) == {"accuracy", "auc"}
    return search.cv_results_["mean_test_accuracy"].max(), search.best_score_


def time_series(Search):
    search = Search(Ridge(), {"alpha": [0.1, 1, 10]}, cv=TimeSeriesSplit(3))
    return search.fit(X_numbers, y_numbers).best_params_["alpha"]


def groups(Search):
    search = Search(LogisticRegression(max_iter=500), {"C": [0.1, 1]}, cv=GroupKFold(3))
    return search.fit(X, y, groups=np.arange(150) % 10).best_score_


def feature_union(Search):
    union = FeatureUnion([("pca", PCA(n_components=1)), ("kbest", SelectKBest(k=1))])
    pipeline = Pipeline([("features", union), ("svm", SVC(kernel="linear"))])
    grid = {"features__pca__n_components": [1, 2], "features__kbest__k": [1, 2], "svm__C": [1]}
    return Search(pipeline, grid, cv=3).fit(X, y).best_score_


def caching_pipeline(Search):
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Pipeline([("pca", PCA()), ("model", KNeighborsClassifier())], memory=folder)
        grid = {"pca__n_components": [2, 3], "model__n_neighbors": [3, 5]}
        return Search(pipeline, grid, cv=3).fit(X, y).best_score_


def exchanged_steps(Search):
    pipeline = Pipeline([("reduce", PCA()), ("model", SVC())])
    grid = [
        {"reduce": [PCA(2), "passthrough"], "model__C": [1, 10]},
        {"reduce": ["passthrough"], "model": [LogisticRegression(max_iter=500)], "model__C": [1]},
    ]
    return Search(pipeline, grid, cv=3).fit(X, y).best_score_


def multioutput(Search):
    targets = np.column_stack([y_numbers, y_numbers**2])
    search = Search(MultiOutputRegressor(Lasso()), {"estimator__alpha": [0.1, 1.0]}, cv=3)
    return search.fit(X_numbers, targets).predict(X_numbers).shape


def multilabel(Search):
    data, labels = make_multilabel_classification(80, random_state=0)
    search = Search(KNeighborsClassifier(), {"n_neighbors": [1, 5]}, cv=3, scoring="f1_micro")
    return search.fit(data, labels).best_score_


def calibrated(Search):
    model = CalibratedClassifierCV(SVC(), cv=2)
    search = Search(model, {"estimator__C": [0.1, 1]}, scoring="neg_log_loss", cv=3)
    return search.fit(X, y).predict_proba(X).shape


def stacking(Search):
    model = StackingClassifier(
        [("tree", DecisionTreeClassifier(random_state=0)), ("knn", KNeighborsClassifier())], cv=2
    )
    grid = {"tree__max_depth": [1, 3], "knn__n_neighbors": [3, 5]}
    return Search(model, grid, cv=2).fit(X, y).best_score_


def tuned_threshold(Search):
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    model = TunedThresholdClassifierCV(pipeline, cv=2, thresholds=10)
    inner = "estimator__logisticregression__"
    grid = {inner + "C": [0.1, 1], inner + "class_weight": [None, "balanced"]}
    search = Search(model, grid, cv=2, scoring="balanced_accuracy")
    return search.fit(X_binary, y_binary).best_score_


def transformed_target(Search):
    model = TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1)
    return Search(model, {"regressor__alpha": [0.1, 1, 10]}).fit(X_numbers, y_numbers).best_score_


def sample_weights(Search):
    weights = np.where(y == 0, 10.0, 1.0)
    search = Search(LogisticRegression(max_iter=500), {"C": [0.01, 1]}, cv=3)
    return search.fit(X, y, sample_weight=weights).best_estimator_.coef_


def clustering(Search):
    search = Search(KMeans(n_init=2, random_state=0), {"n_clusters": [2, 3]}, cv=3).fit(X)
    return search.predict(X), search.transform(X).shape


def density(Search):
    return Search(KernelDensity(), {"bandwidth": [0.1, 0.5, 1.0]}).fit(X).best_params_["bandwidth"]


def sparse_data(Search):
    search = Search(LogisticRegression(max_iter=500), {"C": [0.1, 1]}, cv=3)
    return search.fit(sparse.csr_matrix(X), y).best_score_


def precomputed_kernel(Search):
    return Search(SVC(kernel="precomputed"), {"C": [0.1, 1]}, cv=3).fit(X @ X.T, y).best_score_


def given_splits(Search):
    fold = np.where(np.arange(150) % 5 == 0, 0, -1)
    search = Search(SVC(), {"C": [0.1, 1]}, cv=PredefinedSplit(fold)).fit(X, y)
    pairs = [(np.arange(0, 150, 2), np.arange(1, 150, 2))]
    return search.n_splits_, Search(SVC(), {"C": [1, 2]}, cv=pairs).fit(X, y).best_score_


def repeated_folds(Search):
    cv = RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0)
    return Search(SVC(), {"C": [0.1, 1]}, cv=cv).fit(X, y).n_splits_


def refit_by_rule(Search):
    def simplest(results):
        good = results["mean_test_score"] >= results["mean_test_score"].max() - 0.02
        return int(np.argmin(np.where(good, results["param_max_depth"].astype(int), 99)))

    search = Search(
        DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2, 3, 8]}, refit=simplest
    ).fit(X, y)
    assert not hasattr(search, "best_score_")
    return search.best_params_["max_depth"]


def no_refit(Search):
    search = Search(SVC(), {"C": [0.1, 1]}, refit=False).fit(X, y)
    assert not hasattr(search, "best_estimator_") and not hasattr(search, "predict")
    return search.best_score_


class Selector(TransformerMixin, BaseEstimator):
    def __init__(self, columns=None):
        self.columns = columns

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X if self.columns is None else X[:, list(self.columns)]


class Centroid(ClassifierMixin, BaseEstimator):
    def __init__(self, power=2):
        self.power = power

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.centres_ = np.array([X[y == c].mean(axis=0) for c in self.classes_])
        return self

    def predict(self, X):
        distance = np.abs(X[:, None] - self.centres_[None]) ** self.power
        return self.classes_[distance.sum(axis=2).argmin(axis=1)]


def own_estimators(Search):
    pipeline = Pipeline([("select", Selector()), ("model", Centroid())])
    grid = {"select__columns": [None, (0, 1), [2, 3]], "model__power": [1, 2]}
    return Search(pipeline, grid, cv=3).fit(X, y).best_score_


def pandas_output(Search):
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), LogisticRegression())
    frame = pd.DataFrame(X, columns=list("abcd"))
    search = Search(pipeline, {"logisticregression__C": [0.1, 1]}, cv=3).fit(frame, y)
    return list(search.best_estimator_[-1].feature_names_in_)


def results_as_frame(Search):
    search = Search(SVC(), [{"C": [1]}, {"kernel": ["linear"], "degree": [2]}]).fit(X, y)
    frame = pd.DataFrame(search.cv_results_).sort_values("rank_test_score")
    return frame[["param_C", "param_kernel", "mean_test_score"]].shape


GRID_PROGRAMS = [
    nested_cross_validation,
    column_transformer,
    text,
    own_scorer,
    several_metrics,
    time_series,
    groups,
    feature_union,
    caching_pipeline,
    exchanged_steps,
    multioutput,
    multilabel,
    calibrated,
    stacking,
    tuned_threshold,
    transformed_target,
    sample_weights,
    clustering,
    density,
    sparse_data,
    precomputed_kernel,
    given_splits,
    repeated_folds,
    refit_by_rule,
    no_refit,
    own_estimators,
    pandas_output,
    results_as_frame,
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("program", GRID_PROGRAMS, ids=lambda program: program.__name__)
def test_grid_search_programs(program):
    # These grids are small, so that both searches visit all of their points.
    found, expected = program(MetaSearchCV), program(GridSearchCV)
    for ours, theirs in (
        zip(np.atleast_1d(found), np.atleast_1d(expected), strict=True)
        if not (isinstance(found, tuple))
        else zip(found, expected, strict=True)
    ):
        if np.asarray(ours).dtype.kind in "fi":
            np.testing.assert_allclose(ours, theirs)
        else:
            assert ours == theirs


def randomized_forest(Search):
    space = {"max_depth": randint(1, 10), "max_features": uniform(0.1, 0.9)}
    model = RandomForestClassifier(n_estimators=10, random_state=0)
    return Search(model, space, n_iter=5, cv=3, random_state=0).fit(X, y)


def randomized_pipeline(Search):
    pipeline = make_pipeline(StandardScaler(), SVC())
    space = {"svc__C": loguniform(1e-2, 1e2), "svc__kernel": ["linear", "rbf"]}
    return Search(pipeline, param_distributions=space, n_iter=5, random_state=0).fit(X, y)


def randomized_splits(Search):
    cv = ShuffleSplit(3, random_state=0)
    space = [{"C": loguniform(1e-2, 1e2)}, {"C": [1.0], "kernel": ["linear"]}]
    return Search(SVC(), space, n_iter=5, cv=cv, random_state=0, scoring="f1_macro").fit(X, y)


def randomized_with_another_distribution(Search):
    class Odd:
        def rvs(self, random_state=None):
            return 2 * random_state.randint(5) + 1

    return Search(KNeighborsClassifier(), {"n_neighbors": Odd()}, n_iter=3, random_state=0).fit(
        X, y
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "program",
    [
        randomized_forest,
        randomized_pipeline,
        randomized_splits,
        randomized_with_another_distribution,
    ],
    ids=lambda program: program.__name__,
)
def test_randomized_search_programs(program):
    ours, theirs = program(MetaSearchCV), program(RandomizedSearchCV)
    assert len(ours.cv_results_["params"]) == len(theirs.cv_results_["params"])
    # Which dicts of a list were tried, and with them the columns of parameters, may differ.
    columns = {name for name in theirs.cv_results_ if not name.startswith("param_")}
    columns |= {f"param_{name}" for point in ours.cv_results_["params"] for name in point}
    assert columns <= set(ours.cv_results_)
    # One flower of the 45 test rows more or less.
    assert ours.best_score_ >= theirs.best_score_ - 0.023
    assert ours.predict(X).shape == (150,)
