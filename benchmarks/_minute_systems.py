"""The systems that ``minute.py`` compares: for each a function that imports it and gives a function
``fit(X, y) -> predict``; ``predict(X)`` gives numbers, or probabilities in the order of the classes.

All are asked for AUC for two classes, log loss for more, R2 for numbers. Each runs in an environment
of its own, so this file keeps to Python 3.9.
"""

import tempfile
import time
import warnings

import numpy as np


def ours(about, seconds, jobs, seed, options):
    """sk_metalearn without what it knows of the dataset's kin; `options` go to the estimator."""
    from sk_metalearn import AutoClassifier, AutoRegressor, KnowledgeBase

    make = AutoRegressor if about["kind"] == "regression" else AutoClassifier
    settings = {
        "scoring": _metric(about, "r2", "roc_auc", "neg_log_loss"),
        "knowledge": KnowledgeBase.bundled().without(tasks=about["kin"]),
        "time_budget": seconds,
        "n_jobs": jobs,
        "random_state": seed,
    }
    search = make(**{**settings, **options})

    def fit(X, y):
        search.fit(X, y)
        return _predictor(search, about)

    def note():
        status = [str(own) for own in search.cv_results_["status"]]
        return {
            "candidates": len(status),
            "status": {own: status.count(own) for own in sorted(set(status))},
            "members": len(search.ensemble_),
            "best": str(search.configurations_[search.best_index_].family)
            if search.best_index_ >= 0
            else "dummy",
            "stop_reason": str(search.stop_reason_),
            "refit_on": str(search.refit_on_),
            "refit_seconds": float(search.refit_time_),
        }

    return fit, note


def flaml(about, seconds, jobs, seed, options):
    """FLAML with its default estimators."""
    from flaml import AutoML

    settings = {
        "task": about["kind"],
        "metric": _metric(about, "r2", "roc_auc", "log_loss"),
        "time_budget": seconds,
        "n_jobs": jobs,
        "seed": seed,
        "verbose": 0,
        "log_file_name": "",
    }

    def fit(X, y):
        search = AutoML()
        search.fit(X, y, **{**settings, **options})
        return _predictor(search, about)

    return fit, dict


def autogluon(preset):
    """AutoGluon with every model its environment has."""

    def prepare(about, seconds, jobs, seed, options):
        from autogluon.tabular import TabularPredictor

        problem = _metric(about, "regression", "binary", "multiclass")
        metric = _metric(about, "r2", "roc_auc", "log_loss")
        found = []

        def fit_within(X, y, limit, **more):
            return TabularPredictor(
                "target",
                problem_type=problem,
                eval_metric=metric,
                path=tempfile.mkdtemp(prefix="minute-"),
                verbosity=0,
            ).fit(
                X.assign(target=y),
                presets=preset,
                time_limit=limit,
                num_cpus=jobs,
                num_gpus=0,
                **{**options, **more},
            )

        def fit(X, y):
            started = time.perf_counter()
            try:
                predictor = fit_within(X, y, seconds)
            except AssertionError:
                # "Learner is already fit": its trial of stacking had no time to fit a model.
                left = seconds - (time.perf_counter() - started)
                predictor = fit_within(X, y, max(left, 1), dynamic_stacking=False)
            found.append(predictor)
            if about["kind"] == "regression":
                return lambda X: predictor.predict(X).to_numpy()
            return lambda X: predictor.predict_proba(X).to_numpy()

        def note():
            return {"best": found[0].model_best, "models": len(found[0].model_names())}

        return fit, note

    return prepare


def autosklearn(about, seconds, jobs, seed, options):
    """auto-sklearn 0.15; it wants 30 seconds or more."""
    from autosklearn import metrics
    from autosklearn.classification import AutoSklearnClassifier
    from autosklearn.regression import AutoSklearnRegressor

    make = AutoSklearnRegressor if about["kind"] == "regression" else AutoSklearnClassifier
    settings = {
        "metric": _metric(about, metrics.r2, metrics.roc_auc, metrics.log_loss),
        "time_left_for_this_task": int(seconds),
        "per_run_time_limit": max(5, int(seconds) // 10),
        "memory_limit": 6000,
        "n_jobs": jobs,
        "seed": seed,
    }

    def fit(X, y):
        return _predictor(make(**{**settings, **options}).fit(X, y), about)

    return fit, dict


SYSTEMS = {
    "agbest": autogluon("best_quality"),
    "agmedium": autogluon("medium_quality"),
    "flaml": flaml,
    "autosklearn": autosklearn,
}
#: The environment that each runs in.
ENVIRONMENTS = {
    "agbest": "agfull",
    "agmedium": "agfull",
    "flaml": "flaml",
    "autosklearn": "askl39",
}
PACKAGES = {
    "agbest": "autogluon.tabular",
    "agmedium": "autogluon.tabular",
    "flaml": "flaml",
    "autosklearn": "auto-sklearn",
}


def _metric(about, numbers, two, several):
    if about["kind"] == "regression":
        return numbers
    return two if about["n_classes"] == 2 else several


def _predictor(model, about):
    def predict(X):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if about["kind"] == "regression":
                return np.asarray(model.predict(X), dtype=float).ravel()
            return np.asarray(model.predict_proba(X), dtype=float)

    return predict
