"""Settings of scikit-learn's classes, as public sources write them, become configurations."""

import re
from collections import Counter
from functools import lru_cache

from ..exceptions import SpaceError
from ..spaces import KINDS, Configuration, Inexpressible, Schema, families, read_model

__all__ = ["Mapper"]

# Parameters that scikit-learn no longer has; harmless at these values.
_REMOVED = {
    "min_impurity_split": (None, 1e-7, 0.0),
    "presort": (False, "auto"),
    "min_weight_fraction_leaf": (0.0,),
    "iid": (True, False),
    "n_iter": (None,),
    "multi_class": ("ovr", "auto", "multinomial"),
    "probability": (True, False),
    "decision_function_shape": (None, "ovr", "ovo"),
}
# Values by which old versions announced a change of the default.
_PLACEHOLDERS = ("warn", "deprecated")
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?", re.IGNORECASE)


@lru_cache(maxsize=2)
def _by_class(kind):
    return {family.path.rpartition(".")[2]: family for family in families(kind)}


class Mapper:
    """Turn class names and parameters into configurations, and count what has no counterpart.

    Parameters
    ----------
    kind : {"classification", "regression"}

    Attributes
    ----------
    dropped : collections.Counter
        How many settings were dropped, by reason.
    """

    def __init__(self, kind="classification"):
        if kind not in KINDS:
            raise SpaceError(f"kind must be one of {list(KINDS)}; got {kind!r}.")
        self.kind = kind
        self.dropped = Counter()
        self._known = {}

    def map(self, name, params, preprocessing=None, n_rows=1000, n_features=10, count=1):
        """Give the configuration of a setting, None if the catalogue has none.

        Parameters
        ----------
        name : str
            Class, with or without its module.
        params : mapping of str to value
            Those set; others keep scikit-learn's default.
        preprocessing : mapping of str to str, optional
            Changes to the family's canonical preprocessing.
        n_rows, n_features : int
            Of the data; shares of them may be meant by a parameter.
        count : int, default=1
            How many evaluations are lost if it is dropped.

        Returns
        -------
        Configuration or None
        """
        key = repr((name, sorted(params.items()), preprocessing, n_rows, n_features))
        if key not in self._known:
            try:
                self._known[key] = self._map(name, params, preprocessing, n_rows, n_features)
            except (Inexpressible, SpaceError) as error:
                self._known[key] = str(error)
        found = self._known[key]
        if isinstance(found, str):
            self.drop(found, count)
            return None
        return found

    def drop(self, reason, count=1):
        """Count something that could not be mapped; numbers in the reason are left out."""
        self.dropped[_NUMBER.sub("#", reason)] += count

    def _map(self, name, params, preprocessing, n_rows, n_features):
        name = name.rpartition(".")[2]
        family = _by_class(self.kind).get(name)
        if family is None:
            raise Inexpressible(f"{name}: no such family in the catalogue")
        try:
            params = self._modern(family, dict(params))
            model = family.estimator_class()
            own = model.get_params(deep=False)
            unknown = sorted(set(params) - set(own))
            if unknown:
                raise Inexpressible(f"unknown parameter {unknown[0]}")
            schema = Schema(n_rows, n_features, tuple(range(n_features)), n_classes=2)
            point, remarks = read_model(family, model, {**own, **params}, schema)
        except Inexpressible as error:
            raise Inexpressible(f"{name}: {error}") from None
        if remarks:
            raise Inexpressible(f"{name}: {remarks[0]}")
        steps = {**family.preprocessing, **(preprocessing or {})}
        return Configuration(family.name, point, steps)

    def _modern(self, family, params):
        """Say in today's parameters what an older scikit-learn was told."""
        for parameter, value in list(params.items()):
            if isinstance(value, str) and value in _PLACEHOLDERS:
                del params[parameter]
            elif parameter in _REMOVED:
                if value not in _REMOVED[parameter]:
                    raise Inexpressible(f"{parameter}={value!r} is gone from scikit-learn")
                del params[parameter]
        if params.get("max_features") == "auto":
            params["max_features"] = "sqrt" if self.kind == "classification" else 1.0
        if family.name == "adaboost":
            if params.pop("algorithm", "SAMME") != "SAMME":
                raise Inexpressible("algorithm='SAMME.R' is gone from scikit-learn")
            names = ("base_estimator__max_depth", "estimator__max_depth")
            depths = [params.pop(name) for name in names if name in params]
            if depths:
                params["estimator"] = _tree(self.kind, depths[0])
        if family.name == "mlp" and params.get("solver") == "sgd":
            raise Inexpressible("solver='sgd' is not in the catalogue")
        return params


def _tree(kind, depth):
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    tree = DecisionTreeClassifier if kind == "classification" else DecisionTreeRegressor
    return tree(max_depth=depth)
