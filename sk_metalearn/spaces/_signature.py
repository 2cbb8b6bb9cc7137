"""The preprocessing of a user's pipeline in the four words of the catalogue."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse

from ..tables import read_as, view_of
from ._build import _SCALED_TARGET

__all__ = ["Traits", "common_form", "covered", "read_steps"]

_SAMPLE = 2000
# Monotone changes of a column do not change where trees cut.
_SCALE_FREE = frozenset(
    {
        "dummy",
        "hist_gradient_boosting",
        "random_forest",
        "extra_trees",
        "decision_tree",
        "adaboost",
    }
)
# Class -> (step, the catalogue's word, whether that is just what the class does).
_WORDS = {
    "StandardScaler": ("scaler", "standard", True),
    "RobustScaler": ("scaler", "standard", False),
    "MinMaxScaler": ("scaler", "minmax", True),
    "MaxAbsScaler": ("scaler", "minmax", False),
    "QuantileTransformer": ("scaler", "quantile", True),
    "PowerTransformer": ("scaler", "power", True),
    "KNNImputer": ("imputer", "median", False),
    "IterativeImputer": ("imputer", "median", False),
    "OneHotEncoder": ("encoder", "onehot", True),
    "OrdinalEncoder": ("encoder", "ordinal", True),
    "TargetEncoder": ("encoder", "target", True),
    "PCA": ("reducer", "pca", True),
    "TruncatedSVD": ("reducer", "pca", False),
    "SelectPercentile": ("reducer", "select", True),
    "SelectKBest": ("reducer", "select", True),
    "SelectFpr": ("reducer", "select", False),
    "SelectFdr": ("reducer", "select", False),
    "SelectFwe": ("reducer", "select", False),
    "SelectFromModel": ("reducer", "select", False),
}
_NOTHING = frozenset({"VarianceThreshold", "MissingIndicator"})


@dataclass(frozen=True)
class Traits:
    """What the data at hand make irrelevant.

    Parameters
    ----------
    encoded : bool
        Whether some columns are no numbers and have to be encoded.
    missing : bool
        Whether X has missing values.
    scaler : str
        What the columns look as if they had been through.
    target_scale : float or None
        Standard deviation of a numeric target, None where not known.
    target_shift : float
        Its mean in units of the standard deviation.
    """

    encoded: bool = False
    missing: bool = False
    scaler: str = "none"
    target_scale: float | None = None
    target_shift: float = 0.0

    @classmethod
    def of(cls, X, y, schema, kind):
        """Read the traits of a dataset; without X or y assume the common ones."""
        encoded = bool(schema.categorical)
        missing, scaler = (False, "none") if X is None else _of_columns(X, schema)
        if y is None or kind != "regression":
            return cls(encoded, missing, scaler)
        try:
            y = np.asarray(y, dtype=float)
        except (TypeError, ValueError):
            return cls(encoded, missing, scaler)
        deviation = float(np.std(y)) or 1.0
        return cls(encoded, missing, scaler, deviation, float(np.mean(y)) / deviation)

    def target(self, family, parts):
        """Say how much larger the target is than the catalogue's, and what stands in the way.

        Returns
        -------
        scale : float or None
            None where the family's hyperparameters do not refer to it.
        remark : str
        """
        if family.kind != "regression":
            return None, ""
        affine = ("StandardScaler", "MinMaxScaler", "RobustScaler", "MaxAbsScaler")
        names = [getattr(type(change), "__name__", "") for change in parts.target]
        for name in names:
            if name not in affine:
                return None, "the transformation of the target is not in the catalogue"
        if family.name not in _SCALED_TARGET or names[-1:] == ["StandardScaler"]:
            return None, ""
        if getattr(parts.model, "normalize_y", False):
            return None, ""
        if names or self.target_scale is None:
            return None, f"{family.name} was measured on a standardised target"
        if family.name in ("svm", "linear_svr", "huber"):
            return self.target_scale, ""
        near = 0.5 < self.target_scale < 2 and abs(self.target_shift) < 0.5
        return None, "" if near else f"{family.name} was measured on a standardised target"


def _of_columns(X, schema):
    if issparse(X):
        return bool(np.isnan(X.data).any()) if X.dtype.kind == "f" else False, "none"
    step = max(1, schema.n_rows // _SAMPLE)
    if isinstance(X, np.ndarray) and X.dtype.kind in "fiu":
        missing = X.dtype.kind == "f" and bool(np.isnan(X).any())
        return missing, _looks_scaled(X[::step].astype(float))
    view = view_of(X)
    columns = [view.column(i) for i in range(schema.n_features)]
    numbers = [read_as(columns[i], "number")[0][::step] for i in schema.numeric]
    missing = any(column.missing.any() for column in columns)
    return missing, _looks_scaled(np.column_stack(numbers) if numbers else np.empty((0, 0)))


def _looks_scaled(numbers):
    if numbers.size == 0 or len(numbers) < 2:
        return "none"
    seen = np.isfinite(numbers)
    count = np.maximum(seen.sum(axis=0), 1)
    mean = np.where(seen, numbers, 0.0).sum(axis=0) / count
    deviation = np.sqrt((np.where(seen, numbers - mean, 0.0) ** 2).sum(axis=0) / count)
    varying = deviation > 0
    if not varying.any():
        return "none"
    near = (np.abs(mean) < 0.25) & (np.abs(deviation - 1) < 0.25)
    if near[varying].mean() > 0.9:
        return "standard"
    low = np.where(seen, numbers, np.inf).min(axis=0)
    high = np.where(seen, numbers, -np.inf).max(axis=0)
    inside = (low > -0.1) & (high < 1.1) & (high - low > 0.5)
    return "minmax" if inside[varying].mean() > 0.9 else "none"


def read_steps(steps, traits):
    """Read the transformers before a model.

    Parameters
    ----------
    steps : sequence of transformers
    traits : Traits

    Returns
    -------
    words : dict of str to str
        The imputer, scaler, encoder and reducer.
    foreign : list of str
        Names of the transformers that the catalogue has no word for.
    """
    words = {"imputer": "none", "scaler": "none", "encoder": "native", "reducer": "none"}
    foreign = []
    for step in _leaves(steps):
        name = type(step).__name__
        if name in _NOTHING or (name == "FunctionTransformer" and step.func is None):
            continue
        if not type(step).__module__.startswith("sklearn."):
            foreign.append(name)
        elif name == "SimpleImputer":
            same = step.strategy in ("median", "mean")
            words["imputer"] = step.strategy if same else "median"
        elif name in _WORDS:
            kind, word, same = _WORDS[name]
            words[kind] = word
            if not same and (kind != "imputer" or traits.missing):
                foreign.append(name)
        else:
            foreign.append(name)
    if words["scaler"] == "none":
        words["scaler"] = traits.scaler
    return words, foreign


def _leaves(steps):
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import FeatureUnion, Pipeline

    for step in steps:
        if step is None or isinstance(step, str):
            continue
        if isinstance(step, Pipeline):
            yield from _leaves([inner for _, inner in step.steps])
        elif type(step) is ColumnTransformer:
            yield from _leaves([block[1] for block in step.transformers])
        elif type(step) is FeatureUnion and len(step.transformer_list) == 1:
            yield from _leaves([inner for _, inner in step.transformer_list])
        else:
            yield step


def common_form(family, steps, encoded=True, sparse=False, missing=True):
    """Put the family's usual word where, on these data, a difference from it makes none.

    Parameters
    ----------
    family : Family
    steps : mapping of str to str
    encoded : bool, default=True
        Whether any column has to be encoded.
    sparse : bool, default=False
        Whether the data are sparse.
    missing : bool, default=True
        Whether any value is missing.

    Returns
    -------
    dict of str to str
    """
    usual, steps = family.preprocessing, dict(steps)
    if not missing or steps["imputer"] == "mean":
        steps["imputer"] = usual["imputer"]
    if not encoded:
        steps["encoder"] = usual["encoder"]
    if family.name in _SCALE_FREE:
        steps["scaler"] = usual["scaler"]
    elif sparse and steps["scaler"] != "none":
        # Whatever the word, a sparse matrix is divided by its columns' largest values.
        steps["scaler"] = usual["scaler"]
    return steps


def covered(family, steps):
    """Tell whether the pool measures the family after these steps."""
    forms = [{}, *family.alternatives]
    return any({**family.preprocessing, **change} == dict(steps) for change in forms)
