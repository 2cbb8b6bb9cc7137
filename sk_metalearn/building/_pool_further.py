"""The last slice, measured and no part of the pool: what the scores of the others call for.

Small learning rates with as many trees as help, the leaves, rows per leaf and shares of columns of
published tables of defaults; extra trees that see most columns at each split; networks held small
by their penalty; many neighbours on columns spread evenly; and once more, finished, the boosting
whose learning rate times trees was below 3.

References
----------
.. [1] D. Holzmueller et al. Better by default: strong pre-tuned MLPs and boosted trees on tabular
   data. NeurIPS 2024.
.. [2] N. Erickson et al. TabArena: a living benchmark for machine learning on tabular data. 2025.
"""

from ..spaces import MOST_TREES, SLICE, get_family, load_pool
from ._pool_design import make_configuration

__all__ = ["UNFINISHED", "design_further", "pool_to_measure"]

# Learning rate times trees of boosting that had grown too few of them.
UNFINISHED = 3.0

_NAMES = (
    "learning_rate",
    "max_leaf_nodes",
    "min_samples_leaf",
    "max_features",
    "l2_regularization",
)
# As many as a slice has room for.
_BOOSTING = (
    (0.05, 31, 20, 1.0, 0.0),
    (0.05, 8, 5, 0.5, 0.0),
    (0.04, 50, 40, 0.75, 0.0),
    (0.05, 100, 3, 0.7, 0.0),
    (0.04, 3, 3, 0.8, 0.0),
    (0.05, 16, 10, 0.4, 0.0),
    (0.05, 5, 40, 0.6, 10.0),
    (0.03, 31, 3, 0.4, 1.0),
    (0.1, 4, 10, 1.0, 0.0),
    (0.02, 12, 15, 0.6, 0.0),
    (0.05, 24, 8, 0.5, 1.0),
)

# Family, what differs from its defaults, and from its usual steps.
_OTHERS = (
    ("extra_trees", {"max_features": 1.0, "n_estimators": 200}, {}),
    ("extra_trees", {"max_features": 1.0, "n_estimators": 200, "min_samples_split": 10}, {}),
    ("extra_trees", {"max_features": 0.8, "n_estimators": 200, "min_samples_split": 5}, {}),
    ("extra_trees", {"max_features": 0.6, "n_estimators": 200}, {}),
    ("extra_trees", {"max_features": 0.6, "n_estimators": 200, "min_samples_split": 20}, {}),
    ("extra_trees", {"max_features": 1.0, "n_estimators": 200, "min_samples_split": 32}, {}),
    ("random_forest", {"max_features": 0.4, "n_estimators": 200}, {}),
    ("random_forest", {"max_features": 0.8, "n_estimators": 200, "min_samples_split": 5}, {}),
    ("mlp", {"hidden_layer_sizes": (128,), "alpha": 1.0, "learning_rate_init": 0.003}, {}),
    ("mlp", {"hidden_layer_sizes": (64, 64), "alpha": 0.3, "activation": "tanh"}, {}),
    ("mlp", {"hidden_layer_sizes": (256,), "alpha": 0.1, "early_stopping": True}, {}),
    ("mlp", {"hidden_layer_sizes": (128, 64), "alpha": 3.0}, {"scaler": "quantile"}),
    (
        "mlp",
        {"hidden_layer_sizes": (16,), "alpha": 0.3, "solver": "lbfgs"},
        {"scaler": "quantile"},
    ),
    ("k_neighbors", {"n_neighbors": 30, "weights": "distance", "p": 1}, {"scaler": "quantile"}),
    ("k_neighbors", {"n_neighbors": 100, "weights": "distance"}, {"scaler": "quantile"}),
    ("k_neighbors", {"n_neighbors": 60, "p": 1}, {"scaler": "quantile"}),
)


def design_further(kind):
    """Lay out the slice that complements those before it.

    Parameters
    ----------
    kind : {"classification", "regression"}

    Returns
    -------
    list of Configuration
    """
    stopped = {"early_stopping": True, "max_iter": MOST_TREES}
    finished = [
        (own.family, {**own.params, **stopped}, own.preprocessing)
        for own in load_pool(kind)
        if own.family == "hist_gradient_boosting"
        and own.params["learning_rate"] * own.params["max_iter"] < UNFINISHED
    ]
    designed = [
        ("hist_gradient_boosting", {**dict(zip(_NAMES, row, strict=True)), **stopped}, {})
        for row in _BOOSTING[: SLICE - len(finished) - len(_OTHERS)]
    ]
    return [
        make_configuration(get_family(name, kind), changes, steps)
        for name, changes, steps in (*designed, *finished, *_OTHERS)
    ]


def pool_to_measure(kind):
    """Give the pool and, at its end, what of the last slice is no part of it.

    Parameters
    ----------
    kind : {"classification", "regression"}

    Returns
    -------
    tuple of Configuration
    """
    return tuple(dict.fromkeys((*load_pool(kind), *design_further(kind))))
