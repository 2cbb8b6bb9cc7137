"""From a configuration to the scikit-learn pipeline it stands for, on each supported version.

Everything made here holds scikit-learn and numpy objects only, so that a fitted pipeline can be
used where sk_metalearn is not installed; where a column is not stored as scikit-learn reads it,
`TableReader` is the one exception.
"""

import importlib.util
import operator
from dataclasses import dataclass

import numpy as np
import sklearn
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectPercentile, f_classif, f_regression
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import Pipeline
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
from sklearn.utils import check_array

from ..exceptions import SpaceError
from ..tables import TableReader
from ._catalogue import get_family
from ._family import PREPROCESSING
from ._outputs import of_several
from ._parameters import shown

__all__ = ["build_estimator", "build_model"]

# Rarer levels share one; below the 255 bins of histogram gradient boosting.
MAX_LEVELS = {"native": 250, "ordinal": 250, "onehot": 32}
# Fewer rows in a class than this and an inner validation split may miss the class.
MIN_CLASS_FOR_EARLY_STOPPING = 10

_VERSION = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
#: Directions to which the words of a text are reduced, and its pieces of words. A hundred in all
#: serve every family better than thirty (benchmarks/tables_text.py).
_TEXT_DIRECTIONS = 50
# Of all columns of text together; more of them have fewer each.
_ALL_TEXT_DIRECTIONS = 200
_SCALED_TARGET = ("svm", "linear_svr", "mlp", "kernel_ridge", "huber", "gaussian_process")
# Their splits serve all outputs at once: without one scale, those of the largest numbers.
_SCALED_OUTPUTS = ("decision_tree", "random_forest", "extra_trees")


def build_estimator(configuration, schema, random_state=None):
    """Build the pipeline of a configuration for a dataset.

    Parameters
    ----------
    configuration : Configuration
        Its model and the steps before it.
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
        If the catalogue does not know the family, one of its parameters or steps, or a value that
        no model can be made with.
    """
    kind = "classification" if schema.n_classes else "regression"
    family = get_family(configuration.family, kind)
    if set(configuration.params) - set(family.parameters):
        raise SpaceError(
            f"{family.name} has the parameters {sorted(family.parameters)}; got "
            f"{shown(sorted(configuration.params))}."
        )
    _check_preprocessing(configuration.preprocessing)
    try:
        return _build(configuration, family, schema, kind, random_state)
    except (TypeError, ValueError, AttributeError, LookupError) as error:
        if isinstance(error, SpaceError | ImportError):
            raise
        raise SpaceError(
            f"{family.name} cannot be built from {shown(configuration.params)}: "
            f"{type(error).__name__}: {shown(str(error))}."
        ) from error


def _check_preprocessing(steps):
    if set(steps) != set(PREPROCESSING):
        raise SpaceError(
            f"Preprocessing has the steps {sorted(PREPROCESSING)}; got {shown(sorted(steps))}."
        )
    for step, word in steps.items():
        if not isinstance(word, str) or word not in PREPROCESSING[step]:
            raise SpaceError(
                f"The {step} is one of {list(PREPROCESSING[step])}; got {shown(word)}."
            )


def _build(configuration, family, schema, kind, random_state):
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
    if family.name == "dummy":
        return []
    numeric = _numeric_steps(choice, schema)
    reader = _reader(schema)
    columns = _read_columns(schema, reader) if reader else _plain_columns(schema)
    if choice["imputer"] == "none":
        known = [c for c in columns["number"] if c.position not in schema.blank]
        columns["number"] = known or columns["number"]
    ordinary = [c for c in columns["number"] if c.position not in schema.extreme]
    extreme = [c for c in columns["number"] if c.position in schema.extreme]
    steps = [("read", reader)] if reader else []
    if len(ordinary) == (len(reader.layout.outputs()) if reader else schema.n_features):
        steps += numeric
    else:
        blocks = []
        # Categories come first: their positions are then known to a model that takes them as such.
        if columns["category"]:
            encoder = _encoder(choice["encoder"], kind, random_state)
            if choice["encoder"] == "target" and schema.extreme_target:
                encoder = Pipeline([("encode", encoder), ("unit", StandardScaler())])
            blocks.append(("category", encoder, _keys(columns["category"])))
        if extreme:
            unit = Pipeline([("unit", MinMaxScaler()), *numeric])
            blocks.append(("extreme", unit, _keys(extreme)))
        if ordinary:
            blocks.append(("numeric", _chain(numeric), _keys(ordinary)))
        for column in columns["text"]:
            most = min(_TEXT_DIRECTIONS, _ALL_TEXT_DIRECTIONS // len(columns["text"]))
            blocks += _text_blocks(column, most, schema)
        transformer = ColumnTransformer(blocks, sparse_threshold=0)
        if (schema.container == "array" or _VERSION < (1, 9)) and not columns["text"]:
            # Frames made under a global `transform_output` would name columns by their position
            # in a block, and these names then clash. Before 1.9 blocks of polars 2 are not joined.
            transformer.set_output(transform="default")
        steps.append(("columns", transformer))
    if schema.sparse and family.needs_dense:
        dense = FunctionTransformer(
            operator.methodcaller("toarray"),
            accept_sparse=True,
            feature_names_out="one-to-one",
        )
        steps.append(("dense", dense))
    if choice["reducer"] == "pca":
        # A sparse matrix is reduced by its leading directions only, without being made dense.
        steps.append(("pca", PCA(0.95) if not schema.sparse else PCA(50, svd_solver="arpack")))
    elif choice["reducer"] == "select" and not _is_one_column(columns, choice):
        test = f_classif if kind == "classification" else f_regression
        steps.append(("select", SelectPercentile(test, percentile=50)))
    if family.extra:
        steps.append(("unnamed", _without_names()))
    return [("preprocessing", _chain(steps))] if steps else []


def _without_names():
    """Boosters refuse some names of columns, such as those with a bracket."""
    how = {"dtype": "numeric", "ensure_all_finite": False}
    unnamed = FunctionTransformer(check_array, kw_args=how, feature_names_out="one-to-one")
    return unnamed.set_output(transform="default")


def _is_one_column(columns, choice):
    """Whether a model meets one column, of which half cannot be chosen."""
    n_inputs = sum(map(len, columns.values()))
    return (
        n_inputs == 1
        and not columns["text"]
        and (not columns["category"] or choice["encoder"] != "onehot")
    )


@dataclass(frozen=True)
class _Input:
    """A column that meets the steps: how they find it, and where it stands in the data."""

    key: object
    position: int


def _keys(columns):
    return [column.key for column in columns]


def _plain_columns(schema):
    """The columns as they are stored, by name where that tells them apart."""
    named = schema.names and schema.container in ("pandas", "polars")

    def inputs(positions):
        return [_Input(schema.names[i] if named else i, i) for i in positions]

    return {
        "number": inputs(schema.numeric),
        "category": inputs(schema.categorical),
        "text": inputs(schema.text),
    }


def _reader(schema):
    """The step that reads the table, or None where it is plain."""
    if schema.layout is None:
        return None
    reader = TableReader(layout=schema.layout)
    # Encoders of scikit-learn know the gaps of pandas' text, those of polars they do not.
    return reader.set_output(transform="pandas" if _hands_on_names(schema) else "default")


def _hands_on_names(schema):
    held = schema.container != "array" or schema.text
    return bool(held) and importlib.util.find_spec("pandas") is not None


def _read_columns(schema, reader):
    columns = {"number": [], "category": [], "text": []}
    named = _hands_on_names(schema)
    for j, output in enumerate(reader.layout.outputs()):
        columns[output.kind].append(_Input(output.name if named else j, output.position))
    return columns


def _text_blocks(column, most, schema):
    """Words, and pieces of words, by TF-IDF and reduced to few directions."""
    name = "text_" + str(column.key).replace("__", "_")
    directions = max(2, min(most, schema.layout.plans[column.position].n_levels // 4))
    for suffix, how in (
        # Marks of punctuation are words, so that no text is without any.
        ("words", {"token_pattern": r"\w+|[^\w\s]+", "ngram_range": (1, 2)}),
        ("pieces", {"analyzer": "char_wb", "ngram_range": (3, 4)}),
    ):
        count = TfidfVectorizer(max_features=20_000, sublinear_tf=True, **how)
        steps = [("count", count), ("reduce", TruncatedSVD(directions, n_iter=2))]
        yield f"{name}_{suffix}", Pipeline(steps), column.key


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
    # By itself it takes whole numbers for classes.
    target = "auto" if kind == "classification" else "continuous"
    if _VERSION < (1, 9):
        return TargetEncoder(target_type=target, random_state=random_state)
    folds = StratifiedKFold if kind == "classification" else KFold
    cv = folds(5, shuffle=True, random_state=random_state or 0)
    return TargetEncoder(target_type=target, cv=cv)


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
        Wrapped to scale y where the model's hyperparameters suppose a target of unit variance, and
        to be fitted to each output by itself where it takes one only.
    """
    params = {
        name: tuple(value) if isinstance(value, list) else value for name, value in params.items()
    }
    make = _MAKERS.get(family.name, _plain)
    model = make(family, params, schema, preprocessing or family.preprocessing)
    scaled = schema.extreme_target or family.name in _SCALED_TARGET
    if schema.n_outputs > 1:
        model = of_several(model)
        scaled = scaled or family.name in _SCALED_OUTPUTS
    if family.kind == "regression" and scaled:
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
    categories = _count_categories(schema) if native else 0
    return family.estimator_class(categorical_features=list(range(categories)) or None, **params)


def _count_categories(schema):
    if schema.layout is None:
        return len(schema.categorical)
    return sum(output.kind == "category" for output in schema.layout.outputs())


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
    return _naming_classes(family, family.estimator_class(n_jobs=1, **params))


def _catboost(family, params, schema, preprocessing):
    quiet = {"thread_count": 1, "verbose": False, "allow_writing_files": False}
    return _naming_classes(family, family.estimator_class(**quiet, **params))


def _naming_classes(family, model):
    """A classifier that takes classes of any sort, of which a fold may lack some.

    XGBoost takes 0, 1, 2, ... only, and CatBoost gives truth values as text, and a column of them.
    """
    if family.kind == "regression":
        return model
    return VotingClassifier([(family.name, model)], voting="soft")


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
