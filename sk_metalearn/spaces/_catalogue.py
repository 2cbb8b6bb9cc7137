"""The catalogue: the model families of scikit-learn that the knowledge base speaks of.

The names of families and hyperparameters are part of the identity
of every configuration ever measured: they are added to, never changed.
"""

from functools import lru_cache

from ..exceptions import SpaceError
from ._boosters import booster_families
from ._family import KINDS, Family
from ._parameters import Categorical, Float, Integer, shown
from ._space import Branch, Condition

__all__ = ["CATALOGUE_VERSION", "MOST_TREES", "families", "get_family"]

CATALOGUE_VERSION = 1
#: The most trees of histogram gradient boosting.
MOST_TREES = 500
_TREE = {"imputer": "median", "scaler": "none", "encoder": "ordinal", "reducer": "none"}
_SCALED = {"imputer": "median", "scaler": "standard", "encoder": "onehot", "reducer": "none"}
_NATIVE = {"imputer": "none", "scaler": "none", "encoder": "native", "reducer": "none"}
_BARE = {"imputer": "median", "scaler": "none", "encoder": "onehot", "reducer": "none"}

#: For columns of many levels, of which one-hot encoding loses most.
_TARGET = ({"encoder": "target"},)
_TREE_ALTERNATIVES = ({"encoder": "onehot"}, {"encoder": "target"}, {"reducer": "select"})
_SCALED_ALTERNATIVES = (
    {"scaler": "none"},
    {"scaler": "quantile"},
    {"reducer": "pca"},
    {"encoder": "target"},
    {"scaler": "power"},
    {"reducer": "select"},
    {"scaler": "minmax"},
)


_WEIGHT = Categorical((None, "balanced"))
_C = Float(1e-4, 1e4, log=True, default=1.0)
_GAMMA = Float(1e-5, 10.0, log=True, default="scale", specials=("scale", "auto"))
_MAX_FEATURES = ("sqrt", "log2", 0.2, 0.4, 0.6, 0.8, 1.0)
_LAYERS = Categorical(
    ((100,), (16,), (32,), (64,), (128,), (256,), (32, 32), (64, 64), (128, 64), (128, 128)),
    default=(100,),
)


def _boosting():
    return {
        "learning_rate": Float(0.01, 0.5, log=True, default=0.1),
        "max_iter": Integer(20, MOST_TREES, log=True, default=100),
        "max_leaf_nodes": Integer(3, 127, log=True, default=31, specials=(None,)),
        "max_depth": Integer(2, 16, log=True, default=None, specials=(None,)),
        "min_samples_leaf": Integer(1, 100, log=True, default=20),
        "l2_regularization": Float(1e-6, 100.0, log=True, default=0.0, specials=(0.0,)),
        "max_features": Float(0.2, 1.0, default=1.0),
        "early_stopping": Categorical((False, True)),
    }


def _forest(criteria, max_features, bootstrap, weighted):
    parameters = {
        "n_estimators": Integer(20, 500, log=True, default=100),
        "max_features": Categorical(_MAX_FEATURES, default=max_features),
        "max_depth": Integer(2, 40, log=True, default=None, specials=(None,)),
        "min_samples_leaf": Integer(1, 30, log=True, default=1),
        "min_samples_split": Integer(2, 40, log=True, default=2),
        "criterion": Categorical(criteria),
        "bootstrap": Categorical((True, False), default=bootstrap),
    }
    return {**parameters, "class_weight": _WEIGHT} if weighted else parameters


def _neighbors():
    return {
        "n_neighbors": Integer(1, 100, log=True, default=5),
        "weights": Categorical(("uniform", "distance")),
        "p": Categorical((2, 1)),
    }


def _network():
    return {
        "hidden_layer_sizes": _LAYERS,
        "alpha": Float(1e-7, 10.0, log=True, default=1e-4),
        "solver": Categorical(("adam", "lbfgs")),
        "activation": Categorical(("relu", "tanh")),
        "max_iter": Integer(20, 500, log=True, default=200),
        "learning_rate_init": Float(1e-4, 0.1, log=True, default=1e-3),
        "batch_size": Integer(16, 512, log=True, default="auto", specials=("auto",)),
        "early_stopping": Categorical((False, True)),
    }


_NETWORK_CONDITIONS = tuple(
    Condition(name, "solver", ("adam",))
    for name in ("learning_rate_init", "batch_size", "early_stopping")
)


def _support_vectors():
    return {
        "kernel": Categorical(("rbf", "linear", "poly", "sigmoid")),
        "C": Float(1e-3, 1e4, log=True, default=1.0),
        "gamma": _GAMMA,
        "degree": Integer(2, 5, default=3),
        "coef0": Float(0.0, 1.0, default=0.0),
    }


_KERNEL_CONDITIONS = (
    Condition("gamma", "kernel", ("rbf", "poly", "sigmoid")),
    Condition("degree", "kernel", ("poly",)),
    Condition("coef0", "kernel", ("poly", "sigmoid")),
)


def _stump_boosting(depths):
    return {
        "n_estimators": Integer(10, 300, log=True, default=50),
        "learning_rate": Float(0.01, 2.0, log=True, default=1.0),
        "max_depth": Integer(1, 10, default=depths),
    }


def _tree(criteria, weighted):
    parameters = {
        "max_depth": Integer(1, 30, log=True, default=None, specials=(None,)),
        "min_samples_leaf": Integer(1, 50, log=True, default=1),
        "min_samples_split": Integer(2, 100, log=True, default=2),
        "criterion": Categorical(criteria),
        "ccp_alpha": Float(1e-5, 0.1, log=True, default=0.0, specials=(0.0,)),
    }
    return {**parameters, "class_weight": _WEIGHT} if weighted else parameters


def _boosting_effort(params):
    stopped = params["early_stopping"]
    return (stopped, params["max_iter"] * (params["max_leaf_nodes"] or 256) ** 0.5)


def _forest_effort(params):
    return (params["bootstrap"], params["n_estimators"])


def _classification():
    def family(name, path, parameters, preprocessing, conditions=(), **more):
        branch = Branch(parameters, conditions, name)
        return Family(name, "classification", "sklearn." + path, branch, preprocessing, **more)

    weighted_svm = {**_support_vectors(), "class_weight": _WEIGHT}
    return (
        family(
            "dummy",
            "dummy.DummyClassifier",
            {"strategy": Categorical(("prior",))},
            _NATIVE,
        ),
        family(
            "hist_gradient_boosting",
            "ensemble.HistGradientBoostingClassifier",
            {**_boosting(), "class_weight": _WEIGHT},
            _NATIVE,
            alternatives=({"encoder": "target"}, {"encoder": "ordinal"}),
            needs_dense=True,
            effort=_boosting_effort,
        ),
        family(
            "random_forest",
            "ensemble.RandomForestClassifier",
            _forest(("gini", "entropy"), "sqrt", True, True),
            _TREE,
            alternatives=_TREE_ALTERNATIVES,
            effort=_forest_effort,
        ),
        family(
            "extra_trees",
            "ensemble.ExtraTreesClassifier",
            _forest(("gini", "entropy"), "sqrt", False, True),
            _TREE,
            alternatives=_TREE_ALTERNATIVES,
            effort=_forest_effort,
        ),
        family(
            "logistic_regression",
            "linear_model.LogisticRegression",
            {
                "C": _C,
                "l1_ratio": Float(0.01, 0.99, default=0.0, specials=(0.0, 1.0)),
                "class_weight": _WEIGHT,
                "max_iter": Integer(50, 2000, log=True, default=100),
            },
            _SCALED,
            alternatives=_SCALED_ALTERNATIVES,
        ),
        family(
            "linear_svc",
            "svm.LinearSVC",
            {
                "C": _C,
                "loss": Categorical(("squared_hinge", "hinge")),
                "class_weight": _WEIGHT,
                "max_iter": Integer(100, 5000, log=True, default=1000),
            },
            _SCALED,
            alternatives=_SCALED_ALTERNATIVES,
        ),
        family(
            "ridge",
            "linear_model.RidgeClassifier",
            {"alpha": Float(1e-3, 1e5, log=True, default=1.0), "class_weight": _WEIGHT},
            _SCALED,
            alternatives=_SCALED_ALTERNATIVES,
        ),
        family(
            "svm",
            "svm.SVC",
            weighted_svm,
            _SCALED,
            _KERNEL_CONDITIONS,
            alternatives=_SCALED_ALTERNATIVES,
        ),
        family(
            "k_neighbors",
            "neighbors.KNeighborsClassifier",
            _neighbors(),
            _SCALED,
            alternatives=_SCALED_ALTERNATIVES,
        ),
        family(
            "mlp",
            "neural_network.MLPClassifier",
            _network(),
            _SCALED,
            _NETWORK_CONDITIONS,
            alternatives=_SCALED_ALTERNATIVES,
        ),
        family(
            "gaussian_nb",
            "naive_bayes.GaussianNB",
            {"var_smoothing": Float(1e-10, 1.0, log=True, default=1e-9)},
            _BARE,
            alternatives=({"scaler": "quantile"}, {"scaler": "power"}, {"reducer": "pca"}),
            later=_TARGET,
            needs_dense=True,
        ),
        family(
            "bernoulli_nb",
            "naive_bayes.BernoulliNB",
            {"alpha": Float(1e-3, 100.0, log=True, default=1.0)},
            _SCALED,
            alternatives=({"scaler": "quantile"},),
            later=_TARGET,
        ),
        family(
            "lda",
            "discriminant_analysis.LinearDiscriminantAnalysis",
            {
                "solver": Categorical(("svd", "lsqr")),
                "shrinkage": Float(0.001, 1.0, log=True, default=None, specials=(None, "auto")),
            },
            _SCALED,
            (Condition("shrinkage", "solver", ("lsqr",)),),
            alternatives=({"scaler": "quantile"}, {"scaler": "power"}),
            later=_TARGET,
            needs_dense=True,
        ),
        family(
            "qda",
            "discriminant_analysis.QuadraticDiscriminantAnalysis",
            {"reg_param": Float(1e-3, 1.0, log=True, default=1e-2)},
            _SCALED,
            alternatives=({"reducer": "pca"}, {"scaler": "quantile"}),
            later=_TARGET,
            needs_dense=True,
        ),
        family(
            "decision_tree",
            "tree.DecisionTreeClassifier",
            _tree(("gini", "entropy"), True),
            _TREE,
            alternatives=_TREE_ALTERNATIVES,
        ),
        family(
            "adaboost",
            "ensemble.AdaBoostClassifier",
            _stump_boosting(1),
            _TREE,
            alternatives=_TREE_ALTERNATIVES,
        ),
    )


def _regression():
    def family(name, path, parameters, preprocessing, conditions=(), **more):
        branch = Branch(parameters, conditions, name)
        return Family(name, "regression", "sklearn." + path, branch, preprocessing, **more)

    epsilon = Float(1e-3, 1.0, log=True, default=0.1)
    return (
        family("dummy", "dummy.DummyRegressor", {"strategy": Categorical(("mean",))}, _NATIVE),
        family(
            "hist_gradient_boosting",
            "ensemble.HistGradientBoostingRegressor",
            {**_boosting(), "loss": Categorical(("squared_error", "absolute_error"))},
            _NATIVE,
            alternatives=({"encoder": "target"}, {"encoder": "ordinal"}),
            needs_dense=True,
            effort=_boosting_effort,
        ),
        family(
            "random_forest",
            "ensemble.RandomForestRegressor",
            _forest(("squared_error",), 1.0, True, False),
            _TREE,
            alternatives=_TREE_ALTERNATIVES,
            effort=_forest_effort,
        ),
        family(
            "extra_trees",
            "ensemble.ExtraTreesRegressor",
            _forest(("squared_error",), 1.0, False, False),
            _TREE,
            alternatives=_TREE_ALTERNATIVES,
            effort=_forest_effort,
        ),
        family(
            "ridge",
            "linear_model.Ridge",
            {"alpha": Float(1e-3, 1e5, log=True, default=1.0)},
            _SCALED,
            alternatives=_SCALED_ALTERNATIVES,
        ),
        family(
            "elastic_net",
            "linear_model.ElasticNet",
            {
                "alpha": Float(1e-4, 10.0, log=True, default=1.0),
                "l1_ratio": Float(0.01, 1.0, default=0.5),
                "max_iter": Integer(200, 5000, log=True, default=1000),
            },
            _SCALED,
            alternatives=_SCALED_ALTERNATIVES,
        ),
        family(
            "huber",
            "linear_model.HuberRegressor",
            {
                "epsilon": Float(1.0, 3.0, default=1.35),
                "alpha": Float(1e-6, 1e3, log=True, default=1e-4),
                "max_iter": Integer(50, 1000, log=True, default=100),
            },
            _SCALED,
            alternatives=_SCALED_ALTERNATIVES,
        ),
        family(
            "bayesian_ridge",
            "linear_model.BayesianRidge",
            {"max_iter": Integer(50, 1000, log=True, default=300)},
            _SCALED,
            alternatives=_SCALED_ALTERNATIVES,
            needs_dense=True,
        ),
        family(
            "linear_svr",
            "svm.LinearSVR",
            {
                "C": _C,
                "epsilon": Float(1e-3, 1.0, log=True, default=0.0, specials=(0.0,)),
                "max_iter": Integer(100, 5000, log=True, default=1000),
            },
            _SCALED,
            alternatives=_SCALED_ALTERNATIVES,
        ),
        family(
            "svm",
            "svm.SVR",
            {**_support_vectors(), "epsilon": epsilon},
            _SCALED,
            _KERNEL_CONDITIONS,
            alternatives=_SCALED_ALTERNATIVES,
        ),
        family(
            "k_neighbors",
            "neighbors.KNeighborsRegressor",
            _neighbors(),
            _SCALED,
            alternatives=_SCALED_ALTERNATIVES,
        ),
        family(
            "mlp",
            "neural_network.MLPRegressor",
            _network(),
            _SCALED,
            _NETWORK_CONDITIONS,
            alternatives=_SCALED_ALTERNATIVES,
        ),
        family(
            "kernel_ridge",
            "kernel_ridge.KernelRidge",
            {
                "kernel": Categorical(("rbf", "laplacian", "poly")),
                "alpha": Float(1e-5, 100.0, log=True, default=1.0),
                "gamma": Float(1e-5, 10.0, log=True, default=None, specials=(None,)),
                "degree": Integer(2, 4, default=3),
            },
            _SCALED,
            (Condition("degree", "kernel", ("poly",)),),
            alternatives=({"scaler": "quantile"}, {"reducer": "pca"}),
            later=_TARGET,
            max_train_rows=5000,
        ),
        family(
            "gaussian_process",
            "gaussian_process.GaussianProcessRegressor",
            {
                "kernel": Categorical(("rbf", "matern-2.5", "matern-1.5", "matern-0.5")),
                "anisotropic": Categorical((False, True)),
                "noise": Float(1e-4, 1.0, log=True, default=0.1),
            },
            _SCALED,
            alternatives=({"scaler": "quantile"}, {"reducer": "pca"}),
            later=_TARGET,
            max_train_rows=1000,
            needs_dense=True,
        ),
        family(
            "decision_tree",
            "tree.DecisionTreeRegressor",
            _tree(("squared_error",), False),
            _TREE,
            alternatives=_TREE_ALTERNATIVES,
        ),
        family(
            "adaboost",
            "ensemble.AdaBoostRegressor",
            {
                **_stump_boosting(3),
                "loss": Categorical(("linear", "square", "exponential")),
            },
            _TREE,
            alternatives=_TREE_ALTERNATIVES,
        ),
    )


@lru_cache(maxsize=4)
def families(kind, optional=False):
    """List the families of a kind.

    Parameters
    ----------
    kind : {"classification", "regression"}
    optional : bool, default=False
        Whether to list those of optional packages (LightGBM, XGBoost, CatBoost), installed or
        not, instead of scikit-learn's.

    Returns
    -------
    tuple of Family

    Raises
    ------
    SpaceError
        If there is no such kind.
    """
    if kind not in KINDS:
        raise SpaceError(f"kind must be one of {list(KINDS)}; got {kind!r}.")
    if optional:
        return booster_families(kind)
    return _classification() if kind == "classification" else _regression()


def get_family(name, kind):
    """Look a family up by name, among the optional ones too.

    Parameters
    ----------
    name : str
        As in `Configuration.family`.
    kind : {"classification", "regression"}

    Returns
    -------
    Family
        The family with the parameters it has for this kind of task.

    Raises
    ------
    SpaceError
        If the catalogue has no such family; the message lists those it has.
    """
    known = families(kind) + families(kind, optional=True)
    for family in known:
        if family.name == name:
            return family
    raise SpaceError(
        f"The catalogue has no {kind} family {shown(name)}; it has "
        f"{[family.name for family in known]}."
    )
