"""MetaSearchCV under the names and signatures of scikit-learn's searches."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import sklearn.model_selection as model_selection

from sk_metalearn import MetaSearchCV

OWN_COLUMNS = (
    "reason",
    "predicted_score",
    "predicted_seconds",
    "estimate",
    "status",
    "failure",
    "begun",
    "elapsed",
)


class _WithoutOwnColumns(MetaSearchCV):
    def fit(self, X, y=None, **params):
        super().fit(X, y, **params)
        self.cv_results_ = {
            name: column for name, column in self.cv_results_.items() if name not in OWN_COLUMNS
        }
        return self


class GridSearchCV(_WithoutOwnColumns):
    """The whole grid, in its order, without knowledge of the past."""

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        error_score=np.nan,
        return_train_score=False,
    ):
        super().__init__(
            estimator,
            param_grid,
            n_iter="all",
            strategy="grid",
            knowledge=None,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )

    _parameter_constraints = {
        **MetaSearchCV._parameter_constraints,
        "param_grid": [dict, list],
    }


class RandomizedSearchCV(_WithoutOwnColumns):
    """Random candidates, without knowledge of the past."""

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_iter=10,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        random_state=None,
        error_score=np.nan,
        return_train_score=False,
    ):
        super().__init__(
            estimator,
            param_distributions=param_distributions,
            n_iter=n_iter,
            strategy="random",
            knowledge=None,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            random_state=random_state,
            error_score=error_score,
            return_train_score=return_train_score,
        )

    _parameter_constraints = {
        **MetaSearchCV._parameter_constraints,
        "param_distributions": [dict, list],
    }


def scikit_learn_tests(module):
    """Load one of scikit-learn's test modules with our searches in the place of its own.

    Parameters
    ----------
    module : str
        Dotted name.

    Returns
    -------
    dict of str to object
        Its namespace.
    """
    path = Path(importlib.util.find_spec(module).origin)
    spec = importlib.util.spec_from_file_location(f"_ours_{path.stem}", path)
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    names = {"GridSearchCV": GridSearchCV, "RandomizedSearchCV": RandomizedSearchCV}
    kept = {name: getattr(model_selection, name) for name in names}
    try:
        for name, ours in names.items():
            setattr(model_selection, name, ours)
        spec.loader.exec_module(loaded)
    finally:
        for name, own in kept.items():
            setattr(model_selection, name, own)
    return vars(loaded)
