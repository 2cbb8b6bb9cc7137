"""Classes as whole numbers where a model cannot take them as they are, and metrics of them."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import VotingClassifier
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import Bunch
from sklearn.utils.metaestimators import available_if

from .._compat import ranks_classes, takes_labels, with_labels
from ._target_column import with_index

__all__ = ["LabelScorer", "Labels"]


@dataclass(frozen=True)
class Labels:
    """The classes of a target, and the numbers that models may meet in their place.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted.
    coded : bool, default=False
        Whether models meet the places of the classes.
    """

    classes: np.ndarray
    coded: bool = False
    n_outputs = 1

    @classmethod
    def of(cls, y):
        """Read the classes of a target.

        Parameters
        ----------
        y : array-like of shape (n_rows,)

        Returns
        -------
        Labels
            Coded for text that reads as numbers, which scikit-learn cannot weigh.
        """
        classes = np.unique(y)
        return cls(classes, any(map(_reads_as_number, classes)))

    def encode(self, y):
        """Give a target as models meet it.

        Parameters
        ----------
        y : ndarray or pandas.Series of shape (n_rows,)

        Returns
        -------
        ndarray or pandas.Series of shape (n_rows,)
            With its index, if it has one.
        """
        return with_index(np.searchsorted(self.classes, np.asarray(y)), y) if self.coded else y

    def decode(self, codes):
        """Give codes as classes.

        Parameters
        ----------
        codes : ndarray or pandas.Series of shape (n_rows,)

        Returns
        -------
        ndarray or pandas.Series of shape (n_rows,)
        """
        if not self.coded:
            return codes
        return with_index(self.classes[np.ravel(codes).astype(np.intp)], codes)

    def judge(self, scorer):
        """Give a scorer of models that may meet codes, and not every class.

        Parameters
        ----------
        scorer : callable

        Returns
        -------
        callable
            The scorer itself where nothing is to be said to it.
        """
        if not (self.coded or ranks_classes(scorer)):
            return scorer
        return LabelScorer(scorer, self)

    def judge_final(self, scorer):
        """Give a scorer of the final model, which names the classes: rows may lack some.

        Parameters
        ----------
        scorer : callable

        Returns
        -------
        callable
        """
        return replace(self, coded=False).judge(scorer)

    def plain(self, predicted):
        """Give predictions as an array of shape (n_rows,)."""
        # CatBoost gives a column where there are several classes.
        return np.ravel(predicted)

    def speak(self, model):
        """Give a fitted model that names the classes.

        Parameters
        ----------
        model : estimator
            Fitted on codes, if there are any.

        Returns
        -------
        estimator
            The model itself, or a `VotingClassifier` of it alone, as that names classes.
        """
        if not self.coded:
            return model
        if not isinstance(model, VotingClassifier):
            voting = VotingClassifier([("model", model)], voting="soft")
            voting.estimators_ = [model]
            voting.named_estimators_ = Bunch(model=model)
            if hasattr(model, "feature_names_in_"):
                voting.feature_names_in_ = model.feature_names_in_
        else:
            voting = model
        # A model of one fold may know fewer classes.
        voting.le_ = LabelEncoder().fit(self.decode(model.classes_))
        voting.classes_ = voting.le_.classes_
        return voting


def _reads_as_number(value):
    if not isinstance(value, str):
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True


class LabelScorer:
    """Scores a model by the classes as the user named them, all of which it knows.

    Parameters
    ----------
    scorer : callable
    labels : Labels
    """

    def __init__(self, scorer, labels):
        self.scorer, self.labels = scorer, labels

    def __call__(self, estimator, X, y, **params):
        labels, scorer = self.labels, self.scorer
        found, known = np.unique(y), np.asarray(estimator.classes_)
        shown = None
        if takes_labels(scorer) and not len(known) == len(labels.classes) == len(found):
            # A class that the rows lack has probability 0, and a column all the same.
            scorer, shown = with_labels(scorer, labels.classes), labels.classes
        elif ranks_classes(scorer) and not np.isin(found, known).all():
            shown = labels.decode(np.union1d(found, known))
        if shown is not None or labels.coded:
            estimator = _Speaking(estimator, labels, shown)
        return scorer(estimator, X, labels.decode(y), **params)


def _model_has(name):
    return available_if(lambda self: hasattr(self.model, name))


class _Speaking(ClassifierMixin, BaseEstimator):
    """A fitted model of which a scorer sees classes in place of codes, also such as it lacks."""

    def __init__(self, model, labels, shown=None):
        self.model = model
        self.labels = labels
        self.shown = shown

    @property
    def classes_(self):
        return self._known() if self.shown is None else self.shown

    def _known(self):
        return self.labels.decode(np.asarray(self.model.classes_))

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X, y):
        return self

    def predict(self, X):
        return self.labels.decode(np.ravel(self.model.predict(X)))

    @_model_has("predict_proba")
    def predict_proba(self, X):
        own = np.asarray(self.model.predict_proba(X))
        if self.shown is not None and own.dtype == np.float32:
            # Metrics cut probabilities at the precision of their type.
            own = own.astype(float)
            own /= own.sum(axis=1, keepdims=True)
        return self._spread(own, 0.0)

    @_model_has("decision_function")
    def decision_function(self, X):
        own = np.asarray(self.model.decision_function(X))
        if self.shown is None or len(self.shown) == 2:
            return own
        own = np.column_stack([-own, own]) if own.ndim == 1 else own
        return self._spread(own, own.min(axis=1) - 1)

    def _spread(self, own, least):
        """Give numbers of the known classes a column for each class that is shown."""
        if self.shown is None:
            return own
        whole = np.empty((len(own), len(self.shown)))
        whole.T[:] = least
        whole[:, np.searchsorted(self.shown, self._known())] = own
        return whole
