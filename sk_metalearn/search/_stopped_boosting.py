"""Boosting that finds its number of trees by rows that it does not train on."""

import numpy as np
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline

from .._compat import safe_indexing

__all__ = ["StoppedPipeline", "found_params", "settle", "stops"]

# The most trees, and how many in a row may bring nothing.
_MOST, _PATIENCE = 1000, 20


class StoppedPipeline(Pipeline):
    """A pipeline whose last step is histogram gradient boosting, stopped on rows left out.

    References
    ----------
    J. Friedman. Greedy function approximation: a gradient boosting machine. Annals of Statistics
    29(5), 2001.
    """

    def fit(self, X, y=None, X_val=None, y_val=None, **params):
        """Fit, and stop when the loss on the rows left out no longer falls.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        X_val, y_val : array-like, default=None
            The rows left out. None: all trees are grown.
        **params : dict
            As of `Pipeline`.

        Returns
        -------
        self
        """
        if X_val is None:
            return super().fit(X, y, **params)
        name, model = self.steps[-1]
        if is_classifier(model):
            # A class that is not trained on says nothing about when to stop.
            known = np.flatnonzero(np.isin(np.asarray(y_val), np.unique(np.asarray(y))))
            X_val, y_val = safe_indexing(X_val, known), safe_indexing(y_val, known)
        if len(self.steps) > 1:
            X = self[:-1].fit_transform(X, y)
            X_val = self[:-1].transform(X_val)
        model.set_params(max_iter=_MOST, early_stopping=True, n_iter_no_change=_PATIENCE)
        own = {key.removeprefix(f"{name}__"): value for key, value in params.items()}
        model.fit(X, y, X_val=X_val, y_val=y_val, **own)
        return self

    @property
    def n_iter(self):
        """Number of trees of a class that were grown."""
        return int(self.steps[-1][1].n_iter_)

    def plain(self):
        """Give the pipeline of scikit-learn with the same steps."""
        return Pipeline(self.steps)


def stops(pipeline):
    """Whether the last step of a pipeline can be stopped on rows left out.

    Parameters
    ----------
    pipeline : Pipeline

    Returns
    -------
    bool
    """
    model = pipeline[-1]
    return hasattr(model, "staged_predict") and "early_stopping" in model.get_params()


def _mean_found(trial):
    found = [result.n_iter for result in trial.folds.values() if result.n_iter]
    return round(np.mean(found)) if found else None


def found_params(trial):
    """Give the point of a candidate with the number of trees that was found on its folds.

    Parameters
    ----------
    trial : Trial

    Returns
    -------
    dict
    """
    point, found = dict(trial.proposal.point), _mean_found(trial)
    return point if found is None else {**point, "max_iter": found, "early_stopping": False}


def settle(pipeline, trial):
    """Give an unfitted pipeline the number of trees that was found on the folds.

    Parameters
    ----------
    pipeline : Pipeline
    trial : Trial

    Returns
    -------
    Pipeline
        Of scikit-learn.
    """
    if not isinstance(pipeline, StoppedPipeline):
        return pipeline
    plain, found = pipeline.plain(), _mean_found(trial)
    if found is not None:
        plain[-1].set_params(max_iter=found, early_stopping=False)
    return plain
