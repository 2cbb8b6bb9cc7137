"""A user's candidates find their place in the catalogue."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, DotProduct, Matern, WhiteKernel
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.model_selection import ParameterGrid
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier

from sk_metalearn.spaces import KINDS, Schema, build_estimator, load_pool
from sk_metalearn.spaces._match import match_candidates

RNG = np.random.default_rng(0)
X = RNG.uniform(0, 50, size=(200, 10))
Y = np.arange(200) % 2
SCHEMA = Schema.from_data(X, Y)


def match(estimator, candidate=None, x=X, y=Y, kind="classification"):
    schema = Schema.from_data(x, y, kind)
    return match_candidates(estimator, [candidate or {}], schema, kind, x, y)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_pool_member_is_found_again(kind):
    schema = Schema.from_data(X, Y, kind)
    changed = []
    for number, configuration in enumerate(load_pool(kind)):
        estimator = build_estimator(configuration, schema, random_state=0)
        own = match_candidates(estimator, [{}], schema, kind, X, None)[0]
        if own.pool != number:
            changed.append((configuration, own))
    # A batch larger than a fold is cut when it is built; nothing else may differ.
    for configuration, own in changed:
        assert configuration.family == "mlp" and own.kind in ("same", "exact"), own
        assert configuration.params["batch_size"] > own.configuration.params["batch_size"]
    assert len(changed) <= 5


def test_every_pool_member_is_found_again_on_mixed_data():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, columns=[f"c{i}" for i in range(10)])
    table["c0"] = pandas.Categorical(np.where(X[:, 0] > 20, "a", "b"))
    table.loc[3, "c1"] = np.nan
    schema = Schema.from_data(table, Y)
    for number, configuration in enumerate(load_pool("classification")):
        if configuration.family in ("mlp", "dummy"):
            continue
        estimator = build_estimator(configuration, schema, random_state=0)
        own = match_candidates(estimator, [{}], schema, "classification", table, Y)[0]
        assert own.pool == number, (configuration, own)


def test_a_pipeline_with_any_names_and_a_grid():
    grid = list(ParameterGrid({"last__C": [1, 1.0, 7.0], "last__kernel": ["rbf", "linear"]}))
    pipeline = Pipeline([("first", StandardScaler()), ("last", SVC(random_state=3))])
    matches = match_candidates(pipeline, grid, SCHEMA, "classification", X, Y)
    kinds = {(c["last__C"], c["last__kernel"]): m.kind for c, m in zip(grid, matches, strict=True)}
    assert kinds[1, "rbf"] == "exact" and kinds[7.0, "rbf"] == "same"
    assert matches[0].configuration == matches[2].configuration
    assert "gamma" not in matches[1].configuration.params
    assert matches.families == {"svm": 6}
    assert matches.counts["unknown"] == 0 and "6 candidates" in str(matches)
    assert all(str(own) for own in matches)


def test_bare_is_unscaled_unless_the_data_are_scaled_already():
    assert match(SVC()).configuration.preprocessing["scaler"] == "none"
    scaled = StandardScaler().fit_transform(X)
    assert match(SVC(), x=scaled).configuration.preprocessing["scaler"] == "standard"
    assert match(SVC(), x=X / 50).configuration.preprocessing["scaler"] == "minmax"
    assert match(SVC(), x=scaled).kind == "exact"


def test_differences_that_make_none():
    usual = match(RandomForestClassifier())
    assert usual.kind == "exact"
    imputed = make_pipeline(SimpleImputer(strategy="mean"), RandomForestClassifier())
    scaled = make_pipeline(StandardScaler(), RandomForestClassifier(n_jobs=2, random_state=1))
    assert match(imputed) == usual
    assert match(scaled) == usual
    assert match(make_pipeline(StandardScaler(), SVC())).kind == "exact"
    with_missing = X.copy()
    with_missing[0, 0] = np.nan
    boosting = HistGradientBoostingClassifier()
    imputer = make_pipeline(SimpleImputer(strategy="median"), boosting)
    assert match(imputer) == match(boosting)
    assert match(boosting, x=with_missing).kind == "exact"
    assert match(imputer, x=with_missing).kind == "other"


def test_preprocessing_is_read_off_a_column_transformer():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": X[:, 0], "b": np.where(X[:, 1] > 9, "u", "v")})
    blocks = [
        ("n", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), ["a"]),
        ("c", OneHotEncoder(handle_unknown="ignore"), ["b"]),
        ("rest", "drop", []),
    ]
    estimator = make_pipeline(ColumnTransformer(blocks), LogisticRegression())
    own = match(estimator, x=table)
    assert own.kind == "exact" and own.configuration.family == "logistic_regression"
    quantile = {"columntransformer__n__standardscaler": QuantileTransformer()}
    own = match(estimator, quantile, x=table)
    assert own.configuration.preprocessing["scaler"] == "quantile" and own.kind == "same"


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ("passthrough", "same"),
        (FunctionTransformer(), "same"),
        (PolynomialFeatures(), "other"),
        (FunctionTransformer(np.log1p), "other"),
    ],
)
def test_other_steps(step, kind):
    pipeline = Pipeline([("step", step), ("model", SVC(C=3))])
    own = match(pipeline)
    assert own.kind == kind
    assert (type(step).__name__ in own.reason) == (kind == "other")


def test_steps_that_are_searched_over():
    pipeline = Pipeline([("scale", StandardScaler()), ("model", SVC())])
    grid = [
        {"scale": ["passthrough", StandardScaler()], "model": [SVC()], "model__C": [1.0, 10]},
        {"model": [RandomForestClassifier()], "model__min_samples_leaf": [1, 3]},
        {"model": [make_pipeline(StandardScaler(), SVC())], "model__svc__C": [1.0]},
        {"model": [None]},
    ]
    candidates = list(ParameterGrid(grid))
    svc = candidates[0]["model"]
    matches = match_candidates(pipeline, candidates, SCHEMA, "classification", X, Y)
    assert matches.families == {"svm": 5, "random_forest": 2}
    assert [m.configuration.params.get("C") for m in matches[:4]] == [1.0, 1.0, 10.0, 10.0]
    found = [m.configuration.preprocessing["scaler"] for m in matches[:4]]
    assert sorted(found) == ["none", "none", "standard", "standard"]
    assert matches[-1].kind == "unknown"
    assert svc.C == 1.0, "the user's own objects are left alone"
    assert pipeline.get_params()["model"].C == 1.0


class _Mine(SVC):
    pass


@pytest.mark.parametrize(
    ("estimator", "candidate", "why"),
    [
        (_Mine(), {}, "_Mine"),
        (CalibratedClassifierCV(SVC()), {}, "CalibratedClassifierCV"),
        (SVC(), {"kernel": "precomputed"}, "precomputed"),
        (SVC(), {"kernel": np.dot}, "function"),
        (SVC(), {"wrong": 1}, "wrong"),
        (SVC(), {"C": float("nan")}, "nan"),
        (make_pipeline(StandardScaler(), SVC()), {"svc__wrong": 1}, "wrong"),
        (make_pipeline(StandardScaler(), SVC()), {"other__C": 1}, "other"),
        (KNeighborsClassifier(), {"weights": np.exp}, "function"),
        (KNeighborsClassifier(), {"metric": "precomputed"}, "precomputed"),
        (AdaBoostClassifier(estimator=SVC()), {}, "SVC"),
        (AdaBoostClassifier(DecisionTreeClassifier(min_samples_leaf=4)), {}, "min_samples_leaf"),
        (Ridge(), {}, "Ridge"),
    ],
)
def test_what_the_catalogue_cannot_express(estimator, candidate, why):
    own = match(estimator, candidate)
    assert own.kind == "unknown" and own.configuration is None and own.family == ""
    assert why in own.reason and why in str(own)


@pytest.mark.parametrize(
    ("candidate", "why"),
    [
        ({"C": 1e6}, "outside"),
        ({"C": float("inf")}, "inf"),
        ({"class_weight": {0: 1, 1: 5}}, "class_weight"),
        ({"max_iter": 7}, ""),
        ({"probability": True, "tol": 1e-4, "cache_size": 500}, ""),
    ],
)
def test_near_the_catalogue(candidate, why):
    own = match(
        make_pipeline(StandardScaler(), SVC()), {f"svc__{k}": v for k, v in candidate.items()}
    )
    assert own.kind == ("other" if why else "exact")
    assert why in own.reason


def test_other_settings_count_as_near():
    own = match(RandomForestClassifier(max_leaf_nodes=9))
    assert own.kind == "other" and "max_leaf_nodes=9" in own.reason


def _params(estimator, candidate=None, **more):
    return match(estimator, candidate, **more).configuration.params


def test_logistic_regression_on_every_version():
    plain = match(make_pipeline(StandardScaler(), LogisticRegression()))
    assert plain.kind == "exact" and plain.configuration.params["l1_ratio"] == 0.0
    if "penalty" in LogisticRegression().get_params():
        lasso = LogisticRegression(penalty="l1", solver="liblinear")
        assert _params(lasso)["l1_ratio"] == 1.0
        assert match(LogisticRegression(penalty=None)).kind == "other"
        mixed = LogisticRegression(penalty="elasticnet", l1_ratio=0.3, solver="saga")
        assert _params(mixed)["l1_ratio"] == 0.3


def test_translations_of_single_families():
    assert _params(AdaBoostClassifier())["max_depth"] == 1
    deep = AdaBoostClassifier(DecisionTreeClassifier(max_depth=4))
    assert _params(deep)["max_depth"] == 4
    assert _params(deep, {"estimator__max_depth": 2})["max_depth"] == 2
    assert _params(MLPClassifier(hidden_layer_sizes=50))["hidden_layer_sizes"] == [50]
    assert match(MLPClassifier(hidden_layer_sizes=[50, 50])).kind == "same"
    assert _params(RandomForestClassifier(max_features=2))["max_features"] == 0.2
    assert _params(RandomForestClassifier(max_features=None))["max_features"] == 1.0
    assert _params(RandomForestClassifier(min_samples_leaf=0.05))["min_samples_leaf"] == 10
    assert _params(RandomForestClassifier(criterion="log_loss"))["criterion"] == "entropy"
    assert _params(KNeighborsClassifier(metric="manhattan"))["p"] == 1
    assert match(KNeighborsClassifier(), {"metric": "chebyshev"}).kind == "other"
    assert _params(HistGradientBoostingClassifier())["early_stopping"] is False
    many = Schema(n_rows=20_000, n_features=3, numeric=(0, 1, 2), n_classes=2, min_class_count=99)
    own = match_candidates(HistGradientBoostingClassifier(), [{}], many, "classification")[0]
    assert own.configuration.params["early_stopping"] is True


def test_gaussian_processes_are_read_by_their_kernel():
    y = RNG.normal(size=200)
    kernel = 1.0 * Matern(nu=1.5) + WhiteKernel(0.01)
    own = match(GaussianProcessRegressor(kernel, normalize_y=True), y=y, kind="regression")
    assert own.configuration.params == {"kernel": "matern-1.5", "anisotropic": False, "noise": 0.01}
    wide = GaussianProcessRegressor(RBF(np.ones(10)), alpha=0.1, normalize_y=True)
    assert _params(wide, y=y, kind="regression")["anisotropic"] is True
    own = match(GaussianProcessRegressor(DotProduct()), y=y, kind="regression")
    assert own.kind == "unknown" and "kernel" in own.reason


def test_lasso_is_an_elastic_net():
    own = match(Lasso(alpha=0.5), y=RNG.normal(size=200), kind="regression")
    assert own.family == "elastic_net" and own.configuration.params["l1_ratio"] == 1.0


def test_a_regressor_on_a_large_target_is_translated_to_unit_scale():
    y = 100 * np.sin(X[:, 0]) + 500
    scaled = StandardScaler().fit_transform(X)
    user = SVR(C=150.0, epsilon=8.0)
    own = match(user, x=scaled, y=y, kind="regression")
    unit = SVR(C=own.configuration.params["C"], epsilon=own.configuration.params["epsilon"])
    # On a target of unit variance the translation is the same model.
    wrapped = TransformedTargetRegressor(unit, transformer=StandardScaler()).fit(scaled, y)
    user.fit(scaled, y)
    np.testing.assert_allclose(user.predict(scaled), wrapped.predict(scaled), atol=0.5)
    direct = TransformedTargetRegressor(SVR(C=1.0), transformer=StandardScaler())
    pipeline = TransformedTargetRegressor(make_pipeline(StandardScaler(), SVR()), func=np.log)
    assert match(direct, x=scaled, y=y, kind="regression").kind == "exact"
    assert "target" in match(pipeline, y=y, kind="regression").reason
    nested = Pipeline([("s", StandardScaler()), ("t", direct)])
    own = match(nested, {"t__regressor__C": 5.0}, y=y, kind="regression")
    assert own.kind == "same" and own.configuration.params["C"] == 5.0
    assert match(MLPRegressor(), x=scaled, y=y, kind="regression").kind == "other"
    small = (y - y.mean()) / y.std()
    assert match(MLPRegressor(), x=scaled, y=small, kind="regression").kind == "exact"


def test_any_container_will_do():
    kinds = {str(match(SVC(), x=X.tolist())), str(match(SVC(), x=X.astype(object)))}
    holes = X.astype(object)
    holes[3, 2], holes[4, 1] = None, float("nan")
    kinds.add(str(match(SVC(), x=holes)))
    kinds.add(str(match(SVC(), x=sparse.csr_matrix(X))))
    pandas = pytest.importorskip("pandas")
    kinds.add(str(match(SVC(), x=pandas.DataFrame(X))))
    polars = pytest.importorskip("polars")
    kinds.add(str(match(SVC(), x=polars.DataFrame(X))))
    holes[3, 2] = pandas.NA
    kinds |= {str(match(SVC(), x=holes)), str(match(SVC(), x=pandas.DataFrame(holes)))}
    assert len(kinds) == 2, "an imputer is missed where values are missing, else all are alike"
    infinite = X.copy()
    infinite[0, 0] = np.inf
    assert match(SVC(), x=infinite).kind == "exact"
    assert match(SVR(), y=np.array(["a"] * 200), kind="regression").kind == "other"
