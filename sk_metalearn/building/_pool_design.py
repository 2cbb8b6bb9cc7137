"""How the pool is laid out: slices of 32 configurations, each balanced over the families.

The first slice holds every family's scikit-learn default and settings known to do well; later
slices add the defaults still missing and fill the ranges with a scrambled Sobol sequence per
family. What these lack is in `design_further`. A slice, once measured, is never changed.
"""

import zlib
from collections import Counter

import numpy as np
from scipy.stats import qmc

from ..spaces import SLICE, Categorical, Configuration, families, get_family

__all__ = ["DRAWN", "design", "design_optional", "make_configuration"]

# Slices that `design` laid out.
DRAWN = {"classification": 4, "regression": 3}

OPTIONAL_SIZE = 16

# One family after the other in each later slice; a family listed n times gets n points.
_LATER = {
    "classification": (
        {"hist_gradient_boosting": 6, "svm": 6, "mlp": 5, "random_forest": 3, "extra_trees": 3}
        | {"logistic_regression": 2, "linear_svc": 1, "ridge": 1, "k_neighbors": 3},
        ("qda", "lda", "gaussian_nb", "decision_tree", "adaboost", "bernoulli_nb"),
    ),
    "regression": (
        {"hist_gradient_boosting": 7, "svm": 6, "mlp": 5, "random_forest": 3, "extra_trees": 3}
        | {"ridge": 1, "elastic_net": 1, "k_neighbors": 3, "kernel_ridge": 1},
        ("huber", "linear_svr", "gaussian_process", "bayesian_ridge", "decision_tree", "adaboost"),
    ),
}


def _first_slice(kind):
    forest = "sqrt" if kind == "classification" else 0.4
    layers = {"hidden_layer_sizes": (64, 64), "alpha": 0.01}
    common = [
        ("dummy", {}),
        ("hist_gradient_boosting", {}),
        ("hist_gradient_boosting", {"learning_rate": 0.06, "max_leaf_nodes": 12}),
        (
            "hist_gradient_boosting",
            {"learning_rate": 0.1, "max_iter": 60, "max_leaf_nodes": 6, "min_samples_leaf": 5},
        ),
        (
            "hist_gradient_boosting",
            {"learning_rate": 0.05, "max_iter": 300, "early_stopping": True, "max_features": 0.5},
        ),
        (
            "hist_gradient_boosting",
            {"learning_rate": 0.15, "max_leaf_nodes": 4, "l2_regularization": 1.0},
        ),
        ("random_forest", {}),
        ("random_forest", {"max_features": forest, "min_samples_leaf": 3}),
        ("random_forest", {"max_features": 0.6, "n_estimators": 150}),
        ("extra_trees", {}),
        ("extra_trees", {"max_features": 0.6, "min_samples_leaf": 2}),
        ("extra_trees", {"max_features": 1.0, "n_estimators": 150, "min_samples_split": 5}),
        ("svm", {}),
        ("svm", {}, {"scaler": "none"}),
        ("svm", {"C": 10.0, "gamma": 0.01}),
        ("svm", {"C": 100.0, "gamma": 0.1}),
        ("svm", {"C": 1000.0, "gamma": 0.001}),
        ("k_neighbors", {}),
        ("k_neighbors", {"n_neighbors": 15, "weights": "distance", "p": 1}),
        ("mlp", {}),
        ("mlp", layers),
        ("decision_tree", {}),
        ("adaboost", {}),
    ]
    if kind == "classification":
        return common + [
            ("k_neighbors", {"n_neighbors": 1}),
            ("mlp", {"hidden_layer_sizes": (32,), "solver": "lbfgs", "alpha": 1.0}),
            ("logistic_regression", {}),
            ("logistic_regression", {"C": 0.05, "class_weight": "balanced", "max_iter": 500}),
            ("logistic_regression", {"C": 50.0, "max_iter": 1000}),
            ("linear_svc", {"C": 0.1}),
            ("ridge", {}),
            ("gaussian_nb", {}),
            ("lda", {}),
        ]
    return common + [
        ("mlp", {"hidden_layer_sizes": (32,), "solver": "lbfgs", "alpha": 1.0}),
        ("ridge", {}),
        ("ridge", {"alpha": 100.0}),
        ("elastic_net", {}),
        ("elastic_net", {"alpha": 0.01, "l1_ratio": 0.9}),
        ("huber", {}),
        ("linear_svr", {}),
        ("kernel_ridge", {}),
        ("kernel_ridge", {"alpha": 0.01, "gamma": 0.03}),
    ]


def make_configuration(family, changes, steps=()):
    """Give a family's default with some settings, and some steps before it, changed.

    Parameters
    ----------
    family : Family
    changes : mapping of str to value
        Hyperparameters that differ from the family's defaults.
    steps : mapping of str to str, default=()
        Steps of preprocessing that differ from the family's usual ones.

    Returns
    -------
    Configuration
    """
    point = family.branch.fill(lambda name, parameter: changes.get(name, parameter.default))
    return Configuration(family.name, point, {**family.preprocessing, **dict(steps)})


def _sobol(family, number):
    """Give a family's sequence up to `number`: its default, then space-filling points."""
    names = list(family.parameters)
    seed = zlib.crc32(f"{family.kind}/{family.name}".encode())
    sampler = qmc.Sobol(len(names) + 1, seed=np.random.default_rng(seed))
    units = sampler.random_base2(int(np.ceil(np.log2(max(number, 2)))))[:number]
    configurations = [make_configuration(family, {})]
    for row in units:
        place = dict(zip(names, row[:-1], strict=True))

        def choose(name, parameter, place=place):
            return _from_unit(parameter, place[name])

        params = _affordable(family, family.branch.fill(choose))
        change = {}
        if family.alternatives and row[-1] < 0.28:
            pick = int(row[-1] / 0.28 * len(family.alternatives))
            change = family.alternatives[pick]
        configurations.append(
            Configuration(family.name, params, {**family.preprocessing, **change})
        )
    return configurations


def _from_unit(parameter, u):
    if isinstance(parameter, Categorical):
        return parameter.choices[min(int(u * len(parameter.choices)), len(parameter.choices) - 1)]
    if parameter.specials and u < 0.3:
        return parameter.specials[
            min(int(u / 0.3 * len(parameter.specials)), len(parameter.specials) - 1)
        ]
    return parameter.from_unit((u - 0.3) / 0.7 if parameter.specials else u)


def _affordable(family, params):
    """Keep a point within the seconds a fit may take on a dataset of many classes."""
    if family.name == "hist_gradient_boosting":
        leaves = params["max_leaf_nodes"] or 31
        if not params["early_stopping"]:
            cap = int(1200 / leaves**0.6)
            params = {**params, "max_iter": int(np.clip(params["max_iter"], 20, max(cap, 40)))}
        # Fewer steps need larger ones.
        least = 2.0 / params["max_iter"]
        params = {**params, "learning_rate": max(params["learning_rate"], least)}
    elif family.name in ("random_forest", "extra_trees"):
        params = {**params, "n_estimators": int(np.clip(params["n_estimators"], 50, 200))}
    elif family.name == "mlp":
        params = {**params, "max_iter": int(np.clip(params["max_iter"], 50, 300))}
        if params.get("batch_size") not in (None, "auto"):
            params["batch_size"] = max(params["batch_size"], 64)
    elif family.extra:
        params = {**params, "n_estimators": int(np.clip(params["n_estimators"], 50, 200))}
        if params["learning_rate"] is not None:
            least = 2.0 / params["n_estimators"]
            params["learning_rate"] = max(params["learning_rate"], least)
    elif family.name == "adaboost":
        params = {**params, "n_estimators": min(params["n_estimators"], 150)}
    return params


def design(kind, n_slices):
    """Lay out the first slices of the pool.

    Parameters
    ----------
    kind : {"classification", "regression"}
    n_slices : int
        Number of slices of 32.

    Returns
    -------
    list of Configuration
    """
    pool = [
        make_configuration(get_family(entry[0], kind), *entry[1:]) for entry in _first_slice(kind)
    ]
    known = {configuration.id for configuration in pool}
    drawn = Counter()
    for number in range(1, n_slices):
        quota, small = _LATER[kind]
        rotation = [small[(2 * number + i) % len(small)] for i in range(2)]
        for name, n in (Counter(quota) + Counter(rotation)).items():
            sequence = _sobol(get_family(name, kind), 8 * SLICE)
            new = []
            while len(new) < n:
                candidate = sequence[drawn[name]]
                drawn[name] += 1
                if candidate.id not in known:
                    known.add(candidate.id)
                    new.append(candidate)
            pool.extend(new)
    return pool


def design_optional(kind):
    """Lay out the pool of the optional packages: each one's default, then space-filling points.

    Parameters
    ----------
    kind : {"classification", "regression"}

    Returns
    -------
    list of Configuration
    """
    sequences = [
        _sobol(family, OPTIONAL_SIZE - 1)[:OPTIONAL_SIZE]
        for family in families(kind, optional=True)
    ]
    return [configuration for turn in zip(*sequences, strict=True) for configuration in turn]
