"""auto-sklearn's base: the best configuration found on each of a few hundred datasets."""

import csv
import io
import tarfile

import numpy as np

from ..exceptions import KnowledgeError
from ..knowledge import Evaluation, KnowledgeBase, Source, Task, exclusion, task_id
from ._imported import FIDELITY, Imported
from ._table_files import read_value
from ._tables_mapping import Mapper

__all__ = ["read_autosklearn"]

AUTOSKLEARN = Source(
    "auto-sklearn",
    "BSD-3-Clause",
    "https://github.com/automl/auto-sklearn",
    "the best configuration found per dataset, on a held-out third (Feurer et al., NeurIPS 2015)",
)
# Their folder, the kind, our metric, and how their loss becomes our score.
_SCENARIOS = (
    ("accuracy_binary.classification_dense", "classification", "accuracy", lambda loss: 1 - loss),
    ("accuracy_multiclass.classification_dense", "classification", "accuracy", lambda x: 1 - x),
    ("r2_regression_dense", "regression", "r2", lambda loss: 1 - loss),
)
_CLASSES = {
    "adaboost": ("AdaBoostClassifier", "AdaBoostRegressor"),
    "ard_regression": (None, "ARDRegression"),
    "bernoulli_nb": ("BernoulliNB", None),
    "decision_tree": ("DecisionTreeClassifier", "DecisionTreeRegressor"),
    "extra_trees": ("ExtraTreesClassifier", "ExtraTreesRegressor"),
    "gaussian_nb": ("GaussianNB", None),
    "gaussian_process": (None, "GaussianProcessRegressor"),
    "gradient_boosting": ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"),
    "k_nearest_neighbors": ("KNeighborsClassifier", "KNeighborsRegressor"),
    "lda": ("LinearDiscriminantAnalysis", None),
    "liblinear_svc": ("LinearSVC", None),
    "liblinear_svr": (None, "LinearSVR"),
    "libsvm_svc": ("SVC", None),
    "libsvm_svr": (None, "SVR"),
    "mlp": ("MLPClassifier", "MLPRegressor"),
    "qda": ("QuadraticDiscriminantAnalysis", None),
    "random_forest": ("RandomForestClassifier", "RandomForestRegressor"),
}
_RESCALING = {
    "none": "none",
    "standardize": "standard",
    "minmax": "minmax",
    "quantile_transformer": "quantile",
    "power_transformer": "power",
}
# Settings of precision and bookkeeping that move a score less than its noise.
_IGNORED = (
    "tol n_iter_no_change validation_fraction scoring max_bins beta_1 beta_2 epsilon shuffle "
    "shrinking intercept_scaling fit_intercept multi_class dual early_stop loss fit_prior"
).split()
# They grow 512 trees or iterations; the catalogue ends at 500.
_SIZE = 500


def read_autosklearn(folder):
    """Import auto-sklearn's winners for accuracy and R2 on dense data.

    Parameters
    ----------
    folder : path-like
        Holds ``autosklearn/metalearning.tar.xz``.

    Returns
    -------
    Imported
    """
    path = folder / "autosklearn" / "metalearning.tar.xz"
    if not path.is_file():
        raise KnowledgeError(f"There is no file {str(path)!r}; give the folder that holds it.")
    tasks, configurations, evaluations, metafeatures = {}, {}, [], {}
    mappers = {kind: Mapper(kind) for kind in ("classification", "regression")}
    excluded = {}
    with tarfile.open(path) as archive:
        for scenario, kind, metric, score in _SCENARIOS:
            settings = {row["idx"]: row for row in _table(archive, scenario, "configurations.csv")}
            features = {
                row["instance_id"]: row for row in _table(archive, scenario, "feature_values.arff")
            }
            for run in _table(archive, scenario, "algorithm_runs.arff"):
                name = run["instance_id"]
                setting = settings.get(run["algorithm"])
                if setting is None or run["runstatus"] != "ok":
                    mappers[kind].drop("no configuration or no success")
                    continue
                numbers = _numbers(features.get(name, {}))
                classes = int(numbers.get("NumberOfClasses", 0)) if kind != "regression" else 0
                # Their counts are of the training part of a split: no fingerprint to compare by.
                task = Task(
                    task_id("auto-sklearn", name, kind),
                    name,
                    kind,
                    "",
                    0,
                    0,
                    classes,
                    source=AUTOSKLEARN.name,
                )
                copied = exclusion(name, kind=kind)
                if copied:
                    excluded[name] = copied
                    continue
                found = _configuration(mappers[kind], setting, kind, numbers)
                if found is None:
                    continue
                tasks[task.id], configurations[found.id] = task, found
                metafeatures[task.id] = _metafeatures(numbers, kind)
                evaluations.append(
                    Evaluation(
                        task.id,
                        found.id,
                        "ok",
                        {metric: (score(float(run[_last(run)])),)},
                        fidelity=FIDELITY,
                        source=AUTOSKLEARN.name,
                    )
                )
    base = KnowledgeBase.from_evaluations(
        tasks.values(),
        configurations.values(),
        evaluations,
        metafeatures,
        sources=[AUTOSKLEARN],
    )
    dropped = mappers["classification"].dropped + mappers["regression"].dropped
    return Imported(base, dropped, excluded)


def _last(run):
    (name,) = set(run) - {"instance_id", "repetition", "algorithm", "runstatus"}
    return name


def _table(archive, scenario, file):
    content = archive.extractfile(f"metalearning/files/{scenario}/{file}").read().decode()
    if file.endswith(".csv"):
        return list(csv.DictReader(io.StringIO(content)))
    head, _, body = content.partition("@DATA")
    names = [line.split()[1] for line in head.splitlines() if line.upper().startswith("@ATTR")]
    return [
        dict(zip(names, line.split(","), strict=True))
        for line in body.splitlines()
        if line.strip() and not line.startswith("%")
    ]


def _numbers(row):
    numbers = {}
    for name, text in row.items():
        try:
            numbers[name] = float(text)
        except ValueError:
            continue
    return numbers


def _metafeatures(numbers, kind):
    rows, columns = numbers.get("NumberOfInstances", 0), numbers.get("NumberOfFeatures", 0)
    found = {}
    if rows > 0 and columns > 0:
        # Measured on two thirds of the rows.
        found["log_n_rows"] = float(np.log(rows * 1.5))
        found["log_n_columns"] = float(np.log(columns))
        found["fraction_numeric"] = numbers.get("NumberOfNumericFeatures", 0) / columns
        found["fraction_missing"] = numbers.get("PercentageOfMissingValues", 0.0)
    if kind == "classification":
        classes = numbers.get("NumberOfClasses", 0)
        if classes > 1:
            found["log_n_classes"] = float(np.log(classes))
            found["class_entropy_normalised"] = numbers.get("ClassEntropy", 0) / np.log2(classes)
        found["class_share_max"] = numbers.get("ClassProbabilityMax", np.nan)
        found["class_share_min"] = numbers.get("ClassProbabilityMin", np.nan)
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _configuration(mapper, setting, kind, numbers):
    """Map a winner, without the preprocessing of features that the catalogue has no word for."""
    role = "classifier" if kind == "classification" else "regressor"
    choice = setting[f"{role}:__choice__"]
    name = _CLASSES.get(choice, (None, None))[kind == "regression"]
    if name is None:
        mapper.drop(f"{choice}: no such family in the catalogue")
        return None
    steps = _steps(setting)
    if isinstance(steps, str):
        mapper.drop(steps)
        return None
    prefix = f"{role}:{choice}:"
    params = {
        key[len(prefix) :]: read_value(value)
        for key, value in setting.items()
        if key.startswith(prefix) and value != ""
    }
    columns = int(numbers.get("NumberOfFeatures", 10)) or 10
    params = _modern(choice, params, setting, columns)
    return mapper.map(name, params, steps, int(numbers.get("NumberOfInstances", 1000)), columns)


def _steps(setting):
    part = "data_preprocessor:feature_type:"
    number = part + "numerical_transformer:"
    strategy = setting[number + "imputation:strategy"]
    scaling = setting[number + "rescaling:__choice__"]
    coding = setting[part + "categorical_transformer:categorical_encoding:__choice__"]
    reducer = setting["feature_preprocessor:__choice__"]
    if reducer != "no_preprocessing":
        return f"feature preprocessor {reducer} is not in the catalogue"
    if scaling not in _RESCALING:
        return f"rescaling {scaling} is not in the catalogue"
    return {
        "imputer": strategy if strategy in ("mean", "median") else "median",
        "encoder": "onehot" if coding == "one_hot_encoding" else "ordinal",
        "scaler": _RESCALING[scaling],
        "reducer": "none",
    }


def _modern(choice, params, setting, columns):
    """Say in scikit-learn's parameters what auto-sklearn computes from its own."""
    stopping = params.get("early_stop", params.pop("early_stopping", None))
    params = {key: value for key, value in params.items() if key not in _IGNORED}
    params.pop("min_weight_fraction_leaf", None)
    if params.get("min_impurity_decrease") == 0:
        del params["min_impurity_decrease"]
    if choice in ("random_forest", "extra_trees"):
        # The exponent of the number of columns.
        share = columns ** float(params["max_features"]) / columns
        params = {**params, "max_features": max(share, 1 / columns), "n_estimators": _SIZE}
    elif choice == "gradient_boosting":
        params |= {"max_iter": _SIZE, "early_stopping": stopping in ("valid", "train")}
    elif choice == "mlp":
        depth, width = params.pop("hidden_layer_depth"), params.pop("num_nodes_per_layer")
        params["hidden_layer_sizes"] = (width,) * depth
        params["early_stopping"] = stopping == "valid"
    elif choice == "lda":
        kind, factor = params.pop("shrinkage"), params.pop("shrinkage_factor", None)
        shrinkage = {"None": None, None: None, "auto": "auto"}.get(kind, factor)
        params |= {"shrinkage": shrinkage, "solver": "svd" if shrinkage is None else "lsqr"}
    elif choice == "decision_tree":
        factor = params.pop("max_depth_factor", None)
        if factor is not None:
            params["max_depth"] = max(1, round(factor * columns))
        params.pop("max_features", None)
    elif choice in ("libsvm_svc", "libsvm_svr") and params.get("max_iter") == -1:
        del params["max_iter"]
        if params["kernel"] == "rbf":
            params = {key: params[key] for key in params if key not in ("coef0", "degree")}
    elif choice == "adaboost":
        params["estimator__max_depth"] = params.pop("max_depth")
    if setting.get("balancing:strategy") == "weighting" and choice in (
        "random_forest",
        "extra_trees",
        "libsvm_svc",
        "liblinear_svc",
        "decision_tree",
    ):
        params["class_weight"] = "balanced"
    return params
