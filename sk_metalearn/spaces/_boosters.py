"""Families of optional packages: LightGBM, XGBoost and CatBoost (extra ``boosting``).

They stand beside the catalogue: a search without a word about them does not change when one of
the packages is installed. Their configurations have a pool of their own.
"""

from ._family import Family
from ._parameters import Categorical, Float, Integer
from ._space import Branch

__all__ = ["booster_families"]

# Boosters know missing values; categories reach them as whole numbers.
_CODED = {"imputer": "none", "scaler": "none", "encoder": "ordinal", "reducer": "none"}
_ALTERNATIVES = ({"encoder": "onehot"}, {"encoder": "target"})

_WEIGHT = Categorical((None, "balanced"))
_PENALTY = Float(1e-6, 100.0, log=True, default=0.0, specials=(0.0,))


def _lightgbm(kind):
    parameters = {
        "n_estimators": Integer(20, 500, log=True, default=100),
        "learning_rate": Float(0.01, 0.5, log=True, default=0.1),
        "num_leaves": Integer(3, 127, log=True, default=31),
        "min_child_samples": Integer(1, 100, log=True, default=20),
        "colsample_bytree": Float(0.2, 1.0, default=1.0),
        "reg_alpha": _PENALTY,
        "reg_lambda": _PENALTY,
    }
    return {**parameters, "class_weight": _WEIGHT} if kind == "classification" else parameters


def _xgboost(kind):
    return {
        "n_estimators": Integer(20, 500, log=True, default=100),
        "learning_rate": Float(0.01, 0.5, log=True, default=0.3),
        "max_depth": Integer(1, 12, default=6),
        "min_child_weight": Float(0.1, 20.0, log=True, default=1.0),
        "subsample": Float(0.4, 1.0, default=1.0),
        "colsample_bytree": Float(0.2, 1.0, default=1.0),
        "reg_lambda": Float(1e-6, 100.0, log=True, default=1.0),
    }


def _catboost(kind):
    # The package derives the default rate from the rows and iterations.
    parameters = {
        "n_estimators": Integer(50, 1000, log=True, default=1000),
        "learning_rate": Float(0.01, 0.5, log=True, default=None, specials=(None,)),
        "max_depth": Integer(2, 10, default=6),
        "reg_lambda": Float(0.1, 100.0, log=True, default=3.0),
        "colsample_bylevel": Float(0.2, 1.0, default=1.0),
    }
    if kind == "classification":
        return {**parameters, "auto_class_weights": Categorical(("None", "Balanced"))}
    return parameters


_BOOSTERS = {
    "lightgbm": ("lightgbm.LGBM", _lightgbm),
    "xgboost": ("xgboost.XGB", _xgboost),
    "catboost": ("catboost.CatBoost", _catboost),
}


def _effort(params):
    size = params.get("num_leaves") or 2 ** params["max_depth"]
    return (True, params["n_estimators"] * size**0.5)


def booster_families(kind):
    """List the families of the optional packages, installed or not.

    Parameters
    ----------
    kind : {"classification", "regression"}

    Returns
    -------
    tuple of Family
    """
    suffix = "Classifier" if kind == "classification" else "Regressor"
    return tuple(
        Family(
            name,
            kind,
            path + suffix,
            Branch(parameters(kind), (), name),
            _CODED,
            alternatives=_ALTERNATIVES,
            needs_dense=True,
            effort=_effort,
            extra="boosting",
        )
        for name, (path, parameters) in _BOOSTERS.items()
    )
