"""Boosting that finds its number of trees by rows that it does not train on."""

import copy

import numpy as np
from scipy.special import logit
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import available_if

from .._compat import safe_indexing

__all__ = ["StoppedPipeline", "found_params", "settle", "stops"]

# The most trees, and how many in a row may bring nothing.
_MOST, _PATIENCE = 1000, 20
# As scikit-learn's: by so much a loss has to fall.
_TOLERANCE = 1e-7
# Rows are told in so many parts, with the trees that the other parts call for.
_PARTS = 10

# The losses that a search lets boosting minimise, a value a row.
_LOSSES = {
    "squared_error": lambda y, p, quantile: (y - p) ** 2,
    "absolute_error": lambda y, p, quantile: np.abs(y - p),
    "quantile": lambda y, p, quantile: np.maximum(quantile * (y - p), (quantile - 1) * (y - p)),
}


def _gives(name):
    return available_if(lambda pipeline: hasattr(pipeline.steps[-1][1], name))


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
        y_val = np.asarray(y_val)
        known = np.arange(len(y_val))
        if is_classifier(model):
            # A class that is not trained on says nothing about when to stop.
            known = np.flatnonzero(np.isin(y_val, np.unique(np.asarray(y))))
        if len(self.steps) > 1:
            X = self[:-1].fit_transform(X, y)
            X_val = self[:-1].transform(X_val)
        model.set_params(max_iter=_MOST, early_stopping=True, n_iter_no_change=_PATIENCE)
        own = {key.removeprefix(f"{name}__"): value for key, value in params.items()}
        model.fit(X, y, X_val=safe_indexing(X_val, known), y_val=y_val[known], **own)
        self._unseen = _unseen_predictions(model, X_val, y_val, known)
        return self

    def judged_on(self, X):
        """Give what stands for the pipeline when it is scored on the rows that stopped it.

        These rows would be told too well: each tenth of them is predicted with the trees at which
        the others stop.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows, in the order in which they stopped it. Other rows are predicted with all
            trees.

        Returns
        -------
        StoppedPipeline
        """
        judged = copy.copy(self)
        judged._rows = X
        return judged

    def _stopped_by(self, X):
        return X is not None and X is getattr(self, "_rows", None)

    @_gives("predict")
    def predict(self, X, **params):
        """Predict, as `Pipeline` does."""
        if not self._stopped_by(X):
            return super().predict(X, **params)
        if not is_classifier(self):
            return self._unseen
        return self.classes_[self._unseen.argmax(axis=1)]

    @_gives("predict_proba")
    def predict_proba(self, X, **params):
        """Predict probabilities, as `Pipeline` does."""
        return self._unseen if self._stopped_by(X) else super().predict_proba(X, **params)

    @_gives("decision_function")
    def decision_function(self, X, **params):
        """Give decision values, as `Pipeline` does."""
        if not self._stopped_by(X):
            return super().decision_function(X, **params)
        own = self._unseen
        return logit(own[:, 1]) if own.shape[1] == 2 else np.log(own)

    @property
    def n_iter(self):
        """Number of trees of a class that were grown."""
        return int(self.steps[-1][1].n_iter_)

    def plain(self):
        """Give the pipeline of scikit-learn with the same steps."""
        return Pipeline(self.steps)


def _unseen_predictions(model, X, y, known):
    """Predict rows, each part with the trees at which the loss on the other parts stops falling."""
    # Parts alike in y, of which the rows of no known class have their share.
    order = np.r_[
        known[np.argsort(y[known], kind="stable")], np.setdiff1d(np.arange(len(y)), known)
    ]
    part = np.empty(len(y), dtype=int)
    part[order] = np.arange(len(y)) % _PARTS
    n_others = len(known) - np.bincount(part[known], minlength=_PARTS)
    predicted, losses, going = None, [], np.ones(_PARTS, dtype=bool)
    stages = model.staged_predict_proba if is_classifier(model) else model.staged_predict
    for stage in stages(X):
        if predicted is None:
            predicted = stage.copy()
        own = np.bincount(part[known], _row_losses(model, y[known], stage[known]), _PARTS)
        losses.append((own.sum() - own) / np.maximum(n_others, 1))
        rows = going[part]
        predicted[rows] = stage[rows]
        if len(losses) > _PATIENCE:
            before = losses[-_PATIENCE - 1] - _TOLERANCE
            going &= np.min(losses[-_PATIENCE:], axis=0) < before
        if not going.any():
            break
    return predicted


def _row_losses(model, y, predicted):
    if is_classifier(model):
        own = predicted[np.arange(len(y)), np.searchsorted(model.classes_, y)]
        return -np.log(np.maximum(own, np.finfo(float).tiny))
    return _LOSSES[model.loss](y, predicted, model.quantile)


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
