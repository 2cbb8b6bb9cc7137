"""From a configuration to the scikit-learn pipeline it stands for, on each supported version.

Everything made here holds scikit-learn, numpy and pandas objects only, so that a fitted pipeline
can be used where sk_metalearn is not installed.
"""

import operator
from datetime import datetime, timedelta

import numpy as np
import sklearn
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectPercentile, f_classif, f_regression
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    StandardScaler,
    TargetEncoder,
)

from ..exceptions import SpaceError
from ._catalogue import get_family

__all__ = ["build_estimator", "build_model"]

# Rarer levels share one; below the 255 bins of histogram gradient boosting.
MAX_LEVELS = {"native": 250, "ordinal": 250, "onehot": 32}
# Fewer rows in a class than this and an inner validation split may miss the class.
MIN_CLASS_FOR_EARLY_STOPPING = 10

_VERSION = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
_SCALED_TARGET = ("svm", "linear_svr", "mlp", "kernel_ridge", "huber", "gaussian_process")


def build_estimator(configuration, schema, random_state=None):
    """Build the pipeline of a configuration for a dataset.

    Parameters
    ----------
    configuration : Configuration
    schema : Schema
        Of the data to fit on: which columns are numbers, categories, dates.
    random_state : int, optional
        Set on every step that has one.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Steps ``"preprocessing"`` (where there is any) and ``"model"``.

    Raises
    ------
    SpaceError
        If the catalogue does not know the family or one of its parameters.
    """
    kind = "classification" if schema.n_classes else "regression"
    family = get_family(configuration.family, kind)
    if set(configuration.params) - set(family.parameters):
        raise SpaceError(
            f"{family.name} has the parameters {sorted(family.parameters)}; got "
            f"{sorted(configuration.params)}."
        )
    steps = _preprocessing(configuration.preprocessing, schema, family, kind, random_state)
    model = build_model(family, configuration.params, schema, configuration.preprocessing)
    pipeline = Pipeline([*steps, ("model", model)])
    if random_state is not None:
        seeds = {
            name: random_state
            for name in pipeline.get_params()
            if name.split("__")[-1] == "random_state" and "__cv__" not in name
        }
        # The encoder's own seed is deprecated where its folds can be given instead.
        pipeline.set_params(
            **{k: v for k, v in seeds.items() if not _is_target_encoder(pipeline, k)}
        )
    return pipeline


def _is_target_encoder(pipeline, name):
    owner = name.rpartition("__")[0]
    return isinstance(pipeline.get_params().get(owner), TargetEncoder)


def _preprocessing(choice, schema, family, kind, random_state):
    numeric = _numeric_steps(choice, schema)
    if family.name == "dummy":
        return []
    numbers, boxed = schema.numeric, schema.boxed
    if choice["imputer"] == "none":
        numbers = tuple(i for i in numbers if i not in schema.blank) or numbers
        boxed = tuple(i for i in boxed if i not in schema.blank) or boxed
    if len(numbers) == schema.n_features:
        steps = list(numeric)
    else:
        blocks = []
        encoder = _encoder(choice["encoder"], kind, random_state)
        # Categories come first: their positions are then known to a model that takes them as such.
        if schema.categorical:
            blocks.append(("category", encoder, list(schema.categorical)))
        for role in ("mixed", "nullable"):
            if getattr(schema, role):
                again = _encoder(choice["encoder"], kind, random_state)
                block = Pipeline([("cast", _cast(schema, role)), ("encode", again)])
                blocks.append((role, block, list(getattr(schema, role))))
        for role in ("datetime", "duration"):
            if getattr(schema, role):
                days = Pipeline([("days", _days(schema, role)), *numeric])
                blocks.append((role, days, list(getattr(schema, role))))
        if boxed:
            blocks.append(("boxed", Pipeline([("cast", _unboxed()), *numeric]), list(boxed)))
        if numbers:
            blocks.append(("numeric", _chain(numeric), list(numbers)))
        steps = [("columns", ColumnTransformer(blocks, sparse_threshold=0))]
    if schema.sparse and family.needs_dense:
        dense = FunctionTransformer(operator.methodcaller("toarray"), accept_sparse=True)
        steps.append(("dense", dense))
    if choice["reducer"] == "pca":
        # A sparse matrix is reduced by its leading directions only, without being made dense.
        steps.append(("pca", PCA(0.95) if not schema.sparse else PCA(50, svd_solver="arpack")))
    elif choice["reducer"] == "select":
        test = f_classif if kind == "classification" else f_regression
        steps.append(("select", SelectPercentile(test, percentile=50)))
    return [("preprocessing", _chain(steps))] if steps else []


def _chain(steps):
    if not steps:
        return "passthrough"
    return steps[0][1] if len(steps) == 1 else Pipeline(steps)


def _numeric_steps(choice, schema):
    steps = []
    if choice["imputer"] != "none":
        imputer = SimpleImputer(strategy=choice["imputer"], keep_empty_features=True)
        steps.append(("impute", imputer))
    scaler = choice["scaler"]
    if schema.sparse and scaler != "none":
        steps.append(("scale", MaxAbsScaler()))
    elif scaler == "standard":
        steps.append(("scale", StandardScaler()))
    elif scaler == "minmax":
        steps.append(("scale", MinMaxScaler()))
    elif scaler == "quantile":
        quantiles = int(np.clip(schema.n_rows // 2, 10, 100))
        transformer = QuantileTransformer(n_quantiles=quantiles, output_distribution="normal")
        steps.append(("scale", transformer))
    elif scaler == "power":
        steps.append(("scale", PowerTransformer()))
    return steps


def _encoder(name, kind, random_state):
    if name in ("native", "ordinal"):
        missing = np.nan if name == "native" else -2
        return OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=np.nan if name == "native" else -1,
            encoded_missing_value=missing,
            max_categories=MAX_LEVELS[name],
        )
    if name == "onehot":
        return OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            max_categories=MAX_LEVELS[name],
            sparse_output=False,
        )
    if _VERSION < (1, 9):
        return TargetEncoder(random_state=random_state)
    folds = StratifiedKFold if kind == "classification" else KFold
    return TargetEncoder(cv=folds(5, shuffle=True, random_state=random_state or 0))


def _cast(schema, role):
    """Make a column of several types, or with pandas' own NA, one that an encoder accepts."""
    if schema.container == "pandas":
        import pandas as pd

        if role == "nullable":
            plain = FunctionTransformer(pd.DataFrame.astype, kw_args={"dtype": object})
            gone = {"cond": pd.isna, "other": np.nan}
            return make_pipeline(plain, FunctionTransformer(pd.DataFrame.mask, kw_args=gone))
        return FunctionTransformer(pd.DataFrame.astype, kw_args={"dtype": str})
    if schema.container == "polars":
        import polars as pl

        return FunctionTransformer(pl.DataFrame.cast, kw_args={"dtypes": pl.String})
    return FunctionTransformer(np.ndarray.astype, kw_args={"dtype": str})


def _unboxed():
    """Make columns of numbers that may hold pandas' own NA, some as Python objects, plain."""
    import pandas as pd

    numbers = FunctionTransformer(pd.DataFrame.apply, kw_args={"func": pd.to_numeric})
    return make_pipeline(
        numbers, FunctionTransformer(pd.DataFrame.astype, kw_args={"dtype": float})
    )


def _days(schema, role):
    """Turn dates into days since 2000 (UTC) and lengths into days, what is missing into NaN.

    Only methods of the frame itself are used.
    """
    if schema.container == "pandas":
        import pandas as pd

        zone = {"func": pd.to_datetime, "utc": True}
        origin = {"other": pd.Timestamp("2000-01-01", tz="UTC")}
        since = [(pd.DataFrame.apply, zone), (pd.DataFrame.sub, origin)]
        count = [(pd.DataFrame.div, {"other": pd.Timedelta(days=1)})]
    else:
        import polars as pl

        origin = {"other": datetime(2000, 1, 1)}
        since = [(pl.DataFrame.cast, {"dtypes": pl.Datetime("us")}), (pl.DataFrame.__sub__, origin)]
        count = [
            (pl.DataFrame.cast, {"dtypes": pl.Duration("us")}),
            (pl.DataFrame.cast, {"dtypes": pl.Float64}),
            (pl.DataFrame.__truediv__, {"other": timedelta(days=1) / timedelta(microseconds=1)}),
        ]
    steps = [*since, *count] if role == "datetime" else count
    return make_pipeline(*(FunctionTransformer(own, kw_args=given) for own, given in steps))


def build_model(family, params, schema, preprocessing=None):
    """Build the bare estimator of a family.

    Parameters
    ----------
    family : Family
    params : mapping of str to value
        Hyperparameters; those not given keep the family's default.
    schema : Schema
    preprocessing : mapping, optional
        The configuration's own, if not the canonical one.

    Returns
    -------
    estimator
        Wrapped to scale y where the model's hyperparameters suppose a target of unit variance.
    """
    params = {
        name: tuple(value) if isinstance(value, list) else value for name, value in params.items()
    }
    make = _MAKERS.get(family.name, _plain)
    model = make(family, params, schema, preprocessing or family.preprocessing)
    if family.kind == "regression" and family.name in _SCALED_TARGET:
        return TransformedTargetRegressor(model, transformer=StandardScaler())
    return model


def _plain(family, params, schema, preprocessing):
    return family.estimator_class(**params)


def _k_neighbors(family, params, schema, preprocessing):
    if "n_neighbors" in params:
        # No more than there are training rows in the first of three folds.
        most = max(1, schema.n_rows * 2 // 3)
        params = {**params, "n_neighbors": min(params["n_neighbors"], most)}
    return family.estimator_class(**params)


def _can_stop_early(params, schema):
    rare = schema.n_classes and schema.min_class_count < MIN_CLASS_FOR_EARLY_STOPPING
    if "early_stopping" in params and rare:
        return {**params, "early_stopping": False}
    return params


def _hist_gradient_boosting(family, params, schema, preprocessing):
    params = _can_stop_early(params, schema)
    native = preprocessing["encoder"] == "native"
    categories = len(schema.categorical + schema.mixed + schema.nullable) if native else 0
    return family.estimator_class(categorical_features=list(range(categories)) or None, **params)


def _mlp(family, params, schema, preprocessing):
    params = _can_stop_early(params, schema)
    if params.get("batch_size", "auto") != "auto":
        # A batch of more rows than a fold holds would be cut by scikit-learn with a warning.
        params = {**params, "batch_size": max(1, min(params["batch_size"], schema.n_rows // 2))}
    return family.estimator_class(**params)


def _logistic_regression(family, params, schema, preprocessing):
    params = dict(params)
    l1_ratio = params.pop("l1_ratio", 0.0)
    solver = "lbfgs" if l1_ratio == 0 else "saga"
    if _VERSION >= (1, 8):
        return family.estimator_class(l1_ratio=l1_ratio, solver=solver, **params)
    if l1_ratio == 0:
        return family.estimator_class(solver=solver, **params)
    return family.estimator_class(penalty="elasticnet", l1_ratio=l1_ratio, solver=solver, **params)


def _linear_svc(family, params, schema, preprocessing):
    dual = True if params.get("loss") == "hinge" else "auto"
    return family.estimator_class(dual=dual, **params)


def _adaboost(family, params, schema, preprocessing):
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    params = dict(params)
    tree = DecisionTreeClassifier if family.kind == "classification" else DecisionTreeRegressor
    depth = params.pop("max_depth", family.parameters["max_depth"].default)
    return family.estimator_class(estimator=tree(max_depth=depth), **params)


def _gaussian_process(family, params, schema, preprocessing):
    from sklearn.gaussian_process.kernels import RBF, Matern, WhiteKernel

    # Length scales and noise are fitted by marginal likelihood from these starting values.
    n_columns = schema.n_features
    numbers_only = len(schema.numeric) == n_columns
    scale = np.ones(n_columns) if params.get("anisotropic") and numbers_only else 1.0
    kernel, _, nu = params.get("kernel", "rbf").partition("-")
    scale = scale * np.sqrt(max(n_columns, 1))
    shape = RBF(scale) if kernel == "rbf" else Matern(scale, nu=float(nu))
    return family.estimator_class(kernel=1.0 * shape + WhiteKernel(params.get("noise", 0.1)))


def _svm(family, params, schema, preprocessing):
    # On unscaled data with a large C libsvm may never end; a million steps take seconds.
    return family.estimator_class(max_iter=1_000_000, **params)


def _lightgbm(family, params, schema, preprocessing):
    return family.estimator_class(n_jobs=1, verbosity=-1, **params)


def _xgboost(family, params, schema, preprocessing):
    return family.estimator_class(n_jobs=1, **params)


def _catboost(family, params, schema, preprocessing):
    quiet = {"thread_count": 1, "verbose": False, "allow_writing_files": False}
    return family.estimator_class(**quiet, **params)


_MAKERS = {
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
    "catboost": _catboost,
    "k_neighbors": _k_neighbors,
    "svm": _svm,
    "hist_gradient_boosting": _hist_gradient_boosting,
    "mlp": _mlp,
    "logistic_regression": _logistic_regression,
    "linear_svc": _linear_svc,
    "adaboost": _adaboost,
    "gaussian_process": _gaussian_process,
}
