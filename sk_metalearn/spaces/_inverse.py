"""From a user's estimator back to the catalogue: the inverse of building a configuration."""

import inspect
import math
from functools import lru_cache

import numpy as np

from ._catalogue import families
from ._parameters import Categorical, Float, Integer, plain_value

__all__ = ["Inexpressible", "find_family", "read_model", "unwrap"]

# Settings of speed, precision and bookkeeping, and those that a family's reader has looked at.
_IRRELEVANT = frozenset(
    "algorithm beta_1 beta_2 break_ties cache_size categorical_features copy_X copy "
    "decision_function_shape dual intercept_scaling leaf_size learning_rate max_fun max_iter "
    "momentum multi_class n_components n_iter_no_change n_jobs n_restarts_optimizer "
    "nesterovs_momentum oob_score power_t precompute probability random_state scoring selection "
    "shrinking shuffle solver store_covariance tol validation_fraction verbose warm_start".split()
)
# Another class that is a family's at one setting.
_SPECIAL_CASES = {"Lasso": ("elastic_net", {"l1_ratio": 1.0})}
_AUTO_STOPPING_ROWS = 10_000


class Inexpressible(Exception):
    """The catalogue has no word for an estimator; the message says which."""


def find_family(estimator, kind=None):
    """Give the catalogue's family of an estimator, of its last step if it is a pipeline.

    Parameters
    ----------
    estimator : estimator
        Bare, a pipeline, or one of these under a `TransformedTargetRegressor` or alone in a
        `VotingClassifier` of probabilities.
    kind : {"classification", "regression"}, optional
        By default both are looked through.

    Returns
    -------
    Family or None
        None if the estimator's class (not a parent of it) is in no family.
    """
    model = unwrap(estimator).model
    name = type(model).__name__
    special = _SPECIAL_CASES.get(name, ("", {}))[0]
    for own in ("classification", "regression") if kind is None else (kind,):
        for family in families(own) + families(own, optional=True):
            if family.path.endswith("." + name) and family.estimator_class is type(model):
                return family
            if family.name == special and type(model).__module__.startswith("sklearn."):
                return family
    return None


class Unwrapped:
    """An estimator taken apart.

    Attributes
    ----------
    model : object
        The innermost last step.
    prefix : str
        What stands before the names of its parameters, such as ``"model__"``.
    steps : list
        The transformers before it, in order.
    target : list
        What the target is transformed with; a callable stands for itself.
    """

    def __init__(self, model):
        self.model, self.prefix, self.steps, self.target = model, "", [], []


def unwrap(estimator):
    """Take pipelines, `TransformedTargetRegressor` and votings of one apart, however nested.

    Parameters
    ----------
    estimator : object

    Returns
    -------
    Unwrapped
    """
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.ensemble import VotingClassifier
    from sklearn.pipeline import Pipeline

    parts = Unwrapped(estimator)
    while True:
        if isinstance(parts.model, Pipeline) and len(parts.model.steps):
            *before, (name, last) = parts.model.steps
            parts.steps += [step for _, step in before]
            parts.model, parts.prefix = last, f"{parts.prefix}{name}__"
        elif type(parts.model) is TransformedTargetRegressor and parts.model.regressor is not None:
            wrapper = parts.model
            change = wrapper.transformer if wrapper.transformer is not None else wrapper.func
            parts.target += [] if change is None else [change]
            parts.model, parts.prefix = wrapper.regressor, f"{parts.prefix}regressor__"
        elif (
            type(parts.model) is VotingClassifier
            and parts.model.voting == "soft"
            and len(parts.model.estimators) == 1
        ):
            ((name, parts.model),) = parts.model.estimators
            parts.prefix = f"{parts.prefix}{name}__"
        else:
            return parts


@lru_cache(maxsize=128)
def _defaults(cls):
    signature = inspect.signature(cls.__init__)
    return {name: own.default for name, own in signature.parameters.items()}


def read_model(family, model, params, schema, target_scale=None):
    """Translate an estimator's parameters into the hyperparameters of its family.

    Parameters
    ----------
    family : Family
    model : estimator
        Of the family.
    params : mapping of str to object
        Its parameters; they may differ from those that `model` holds.
    schema : Schema
    target_scale : float, optional
        Factor by which the target is larger than the one the catalogue would fit on.

    Returns
    -------
    point : dict
        The active hyperparameters.
    remarks : list of str
        What the catalogue does not cover; the point is then the nearest that it has.

    Raises
    ------
    Inexpressible
        If the catalogue has no hyperparameters for it.
    """
    cls = type(model)
    params = {**params, **_SPECIAL_CASES.get(cls.__name__, ("", {}))[1]}
    read = _READERS.get(family.name, _booster if family.extra else _plain)
    values, used = read(family, dict(params), schema)
    if target_scale is not None:
        values = {**values, **_unit_target(family, values, target_scale)}
    remarks = [
        f"{name}={plain_value(params[name])!r} is not in the catalogue"
        for name, default in _defaults(cls).items()
        if name in params
        and name not in family.parameters
        and name not in used
        and name not in _IRRELEVANT
        and not _equal(params[name], default)
    ]

    def choose(name, parameter):
        value, remark = _fit(name, parameter, _jsonable(name, values[name]))
        if remark:
            remarks.append(remark)
        return value

    return family.branch.fill(choose), remarks


def _unit_target(family, values, scale):
    """Hyperparameters that do on a target of unit variance what the given ones do on the target."""
    if family.name in ("svm", "linear_svr"):
        return {"C": values["C"] / scale, "epsilon": values["epsilon"] / scale}
    if family.name == "huber":
        return {"alpha": values["alpha"] * scale}
    return {}


def _equal(a, b):
    try:
        return a is b or bool(a == b)
    except (TypeError, ValueError):
        return False


def _jsonable(name, value):
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray | list | tuple):
        return tuple(_jsonable(name, item) for item in value)
    if isinstance(value, dict):
        return {str(key): _jsonable(name, item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    what = "a function" if callable(value) else f"an object of type {type(value).__name__}"
    raise Inexpressible(f"{name} is {what}")


def _fit(name, parameter, value):
    """Give a value in the parameter's own type, and what the catalogue says of it."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and not math.isfinite(value):
        if isinstance(parameter, Categorical) or value != math.inf:
            raise Inexpressible(f"{name} is {value}")
        high = parameter.high
        return parameter._cast(high), f"{name}=inf lies above the catalogue's {high}"
    if value == "precomputed":
        raise Inexpressible(f"{name} is 'precomputed'")
    if isinstance(parameter, Categorical):
        for choice in parameter.choices:
            if parameter.contains(value) and parameter.index(value) == parameter.index(choice):
                return choice, ""
        if name in _QUANTITIES and not isinstance(value, str):
            return value, ""
        known = list(parameter.choices)
        return value, f"{name}={plain_value(value)!r} is none of the catalogue's {known}"
    if number and isinstance(parameter, Float):
        value = float(value)
    elif number and isinstance(parameter, Integer) and float(value).is_integer():
        value = int(value)
    if parameter.contains(value):
        return value, ""
    if number:
        span = f"{parameter.low} to {parameter.high}"
        return value, f"{name}={plain_value(value)!r} lies outside the catalogue's {span}"
    return value, f"{name}={plain_value(value)!r} is not in the catalogue"


# Choices that stand for amounts: the performance model places other amounts between them.
_QUANTITIES = frozenset({"max_features", "hidden_layer_sizes", "p"})


def _plain(family, params, schema):
    return params, ()


def _booster(family, params, schema):
    # XGBoost and CatBoost say None, or nothing, where they mean their own default.
    defaults = {name: parameter.default for name, parameter in family.parameters.items()}
    given = {name: value for name, value in params.items() if value is not None}
    return {**defaults, **given}, ()


def _logistic_regression(family, params, schema):
    penalty, ratio = params.get("penalty"), params.get("l1_ratio")
    if penalty in ("l1", "l2"):
        ratio = 1.0 if penalty == "l1" else 0.0
    elif penalty is None and "penalty" in params:
        params["C"] = math.inf
    params["l1_ratio"] = 0.0 if ratio is None else ratio
    return params, ("penalty",)


def _hist_gradient_boosting(family, params, schema):
    if params["early_stopping"] == "auto":
        params["early_stopping"] = schema.n_rows > _AUTO_STOPPING_ROWS
    return params, ()


def _forest(family, params, schema):
    amount = params["max_features"]
    whole = isinstance(amount, int | np.integer) and not isinstance(amount, bool)
    if amount is None:
        params["max_features"] = 1.0
    elif whole:
        params["max_features"] = min(1.0, float(amount) / max(schema.n_features, 1))
    return _tree(family, params, schema)


def _tree(family, params, schema):
    for name in ("min_samples_leaf", "min_samples_split"):
        if isinstance(params[name], float | np.floating) and params[name] < 1:
            params[name] = max(1, math.ceil(params[name] * schema.n_rows))
    params["criterion"] = {"log_loss": "entropy", "friedman_mse": "squared_error"}.get(
        params["criterion"], params["criterion"]
    )
    return params, ()


_DISTANCES = {"manhattan": 1, "cityblock": 1, "l1": 1, "euclidean": 2, "l2": 2}


def _k_neighbors(family, params, schema):
    metric = params["metric"]
    if isinstance(metric, str) and metric in _DISTANCES:
        params["p"] = _DISTANCES[metric]
    elif metric != "minkowski":
        params["p"] = _jsonable("metric", metric)
    return params, ("metric",)


def _mlp(family, params, schema):
    layers = params["hidden_layer_sizes"]
    if isinstance(layers, int | np.integer):
        params["hidden_layer_sizes"] = (int(layers),)
    return params, ("epsilon",)


def _adaboost(family, params, schema):
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    tree = params["estimator"]
    cls = DecisionTreeClassifier if family.kind == "classification" else DecisionTreeRegressor
    if tree is None:
        depth = family.parameters["max_depth"].default
    elif type(tree) is cls:
        depth = tree.max_depth
        others = set(tree.get_params()) - {"max_depth", "random_state"}
        changed = [n for n in sorted(others) if getattr(tree, n) != _defaults(cls)[n]]
        if changed:
            raise Inexpressible(f"the trees under it set {', '.join(changed)}")
    else:
        raise Inexpressible(f"the estimator under it is a {type(tree).__name__}")
    return {**params, "max_depth": depth}, ("estimator",)


def _gaussian_process(family, params, schema):
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, Sum, WhiteKernel

    kernel, noise = params["kernel"], params["alpha"]
    if type(kernel) is Sum and type(kernel.k2) is WhiteKernel:
        kernel, noise = kernel.k1, kernel.k2.noise_level
    if type(getattr(kernel, "k1", None)) is ConstantKernel:
        kernel = kernel.k2
    name = "rbf" if type(kernel) is RBF else f"matern-{getattr(kernel, 'nu', '')}"
    if type(kernel) not in (RBF, Matern) or np.ndim(noise):
        raise Inexpressible("its kernel is none of constant * (RBF or Matern) + white noise")
    anisotropic = bool(np.ndim(kernel.length_scale))
    used = ("alpha", "normalize_y")
    return {"kernel": name, "anisotropic": anisotropic, "noise": noise}, used


_READERS = {
    "logistic_regression": _logistic_regression,
    "hist_gradient_boosting": _hist_gradient_boosting,
    "random_forest": _forest,
    "extra_trees": _forest,
    "decision_tree": _tree,
    "k_neighbors": _k_neighbors,
    "mlp": _mlp,
    "adaboost": _adaboost,
    "gaussian_process": _gaussian_process,
}
