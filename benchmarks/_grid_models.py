"""The six grids, as users write them, and the estimators they are searched over."""

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC

__all__ = ["GRIDS", "SCALED", "make_estimator"]

GRIDS = {
    "svc": [
        {
            "kernel": ["rbf"],
            "C": [0.01, 0.1, 1, 10, 100, 1000],
            "gamma": ["scale", 1e-4, 1e-3, 1e-2, 0.1, 1],
            "class_weight": [None, "balanced"],
        },
        {
            "kernel": ["poly"],
            "C": [0.01, 0.1, 1, 10, 100],
            "gamma": ["scale", 1e-3, 1e-2, 0.1],
            "degree": [2, 3],
        },
        {"kernel": ["linear"], "C": [1e-3, 1e-2, 0.1, 1, 10]},
    ],
    "logistic": [
        {
            "l1_ratio": [0.0, 0.25, 0.5, 0.75, 1.0],
            "C": list(np.logspace(-3, 3, 10)),
            "class_weight": [None, "balanced"],
        },
    ],
    "knn": {
        "n_neighbors": [1, 2, 3, 4, 5, 7, 9, 11, 13, 15, 19, 23, 27, 31, 37, 43, 51, 61, 71, 81]
        + [91, 101, 111, 121, 131],
        "weights": ["uniform", "distance"],
        "p": [1, 2],
    },
    "forest": {
        "max_features": ["sqrt", "log2", 0.5, None],
        "max_depth": [3, 6, 10, None],
        "min_samples_leaf": [1, 3, 8, 20],
        "criterion": ["gini", "entropy"],
    },
    "boosting": {
        "learning_rate": [0.03, 0.1, 0.2, 0.4],
        "max_leaf_nodes": [4, 15, 31],
        "min_samples_leaf": [5, 20, 50],
        "l2_regularization": [0.0, 1.0, 10.0],
    },
    "mlp": {
        "hidden_layer_sizes": [(20,), (50,), (100,), (50, 50)],
        "alpha": [1e-5, 1e-3, 0.1, 1.0, 10.0],
        "learning_rate_init": [1e-4, 1e-3, 1e-2],
        "activation": ["relu", "tanh"],
    },
}

_MODELS = {
    "svc": SVC(max_iter=2_000),
    "logistic": LogisticRegression(solver="saga", max_iter=100),
    "knn": KNeighborsClassifier(),
    "forest": RandomForestClassifier(n_estimators=20),
    "boosting": HistGradientBoostingClassifier(max_iter=20),
    "mlp": MLPClassifier(max_iter=30),
}

# Trees do not see the scale: on numeric data they are the same bare and in a pipeline.
SCALED = ("svc", "logistic", "knn", "mlp")


def make_estimator(grid, variant, schema):
    """Give the estimator of a grid and what stands before the names of its parameters."""
    model = _MODELS[grid]
    if variant == "bare":
        return model, ""
    trees = grid in ("forest", "boosting")
    numbers = [SimpleImputer(strategy="median")] + ([] if trees else [StandardScaler()])
    numbers = make_pipeline(*numbers)
    categories = list(schema.categorical + schema.ordered)
    if not categories:
        return Pipeline([("prepare", numbers), ("clf", model)]), "clf__"
    unknown = {"handle_unknown": "use_encoded_value", "unknown_value": -1}
    unknown["encoded_missing_value"] = -2
    encoder = OrdinalEncoder(**unknown) if trees else OneHotEncoder(handle_unknown="ignore")
    blocks = [("numbers", numbers, list(schema.numeric)), ("categories", encoder, categories)]
    return Pipeline([("prepare", ColumnTransformer(blocks)), ("clf", model)]), "clf__"
