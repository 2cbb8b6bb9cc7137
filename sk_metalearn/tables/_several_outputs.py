"""Targets of several outputs: numbers, or labels of which a row may have any."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.metaestimators import available_if

from .._compat import num_samples, ranks_classes, scores_predictions
from ._target_column import check_target, target_values

__all__ = ["SeveralLabels", "SeveralNumbers", "check_outputs", "has_several", "output_values"]


def has_several(y):
    """Whether a target has more than one column.

    Parameters
    ----------
    y : object
        As given by the user.

    Returns
    -------
    bool
    """
    if y is None:
        return False
    if not hasattr(y, "shape"):
        try:
            y = np.asarray(y)
        except ValueError:
            return False
    return len(y.shape) == 2 and y.shape[1] > 1


def _columns(y):
    """Columns of a target of any container, in their order, each with its name or place."""
    if issparse(y):
        y = y.toarray()
    if hasattr(y, "iloc"):
        return [(name, y.iloc[:, j]) for j, name in enumerate(y.columns)]
    if hasattr(y, "column_names"):
        return list(zip(y.column_names, y.itercolumns(), strict=True))
    if hasattr(y, "get_columns"):
        return [(own.name, own) for own in y.get_columns()]
    return list(enumerate(np.asarray(y).T))


def output_values(y):
    """Give a target of any container as an array.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_outputs), sparse matrix or dataframe

    Returns
    -------
    ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Columns in the order of `y`.
    """
    if not has_several(y):
        return target_values(y)
    return np.column_stack([target_values(column) for _, column in _columns(y)])


def check_outputs(y, X, kind, estimator):
    """Check a target of several outputs.

    Parameters
    ----------
    y : array-like of shape (n_rows, n_outputs), sparse matrix or dataframe
    X : array-like
        Its rows must be as many.
    kind : {"classification", "regression"}
    estimator : estimator
        Named in messages.

    Returns
    -------
    ndarray of shape (n_rows, n_outputs)
        Numbers; of classification 0 and 1.

    Raises
    ------
    ValueError
        If y is of another length, a column holds no numbers, or one of classification more or less
        than the two values 0 and 1; the column is named.
    """
    if num_samples(y) != num_samples(X):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: "
            f"{[num_samples(X), num_samples(y)]}."
        )
    check = _check_label if kind == "classification" else check_target
    found = []
    for name, column in _columns(y):
        try:
            found.append(check(column, X, kind, estimator))
        except ValueError as error:
            raise ValueError(f"The column {name!r} of y: {error}") from error
    return np.column_stack(found)


def _check_label(column, X, kind, estimator):
    """Whether each row has a label, as 0 and 1."""
    name = type(estimator).__name__
    # Of numbers a gap is told as of any target.
    values = target_values(column)
    if values.dtype.kind in "fiub":
        values = check_target(column, X, "regression", estimator)
    found = set(values.tolist())
    if not found <= {0, 1}:
        shown = sorted(map(str, found - {0, 1}))[0]
        raise ValueError(
            f"it holds {shown}. Of several columns {name} takes labels that a row has (1) or has "
            "not (0), for scikit-learn has no metric of several columns of classes. Fit one model "
            f"a column with sklearn.multioutput.MultiOutputClassifier({name}()), or make labels "
            "with sklearn.preprocessing.MultiLabelBinarizer."
        )
    if len(found) < 2:
        raise ValueError(
            f"it holds one class only, {int(found.pop())}; {name} needs rows with the label and "
            "rows without it. Leave it out."
        )
    return values.astype(int)


@dataclass(frozen=True)
class SeveralNumbers:
    """A target of several columns of numbers.

    Parameters
    ----------
    n_outputs : int
    """

    n_outputs: int

    def encode(self, y):
        """Give a target as models meet it: as it is."""
        return y

    def judge(self, scorer):
        """Give a scorer of models: itself."""
        return scorer

    def judge_final(self, scorer):
        """Give a scorer of the final model: itself."""
        return scorer

    def speak(self, model):
        """Give a fitted model that predicts what the user knows: itself."""
        return model

    def plain(self, predicted):
        """Give predictions as an array of shape (n_rows, n_outputs)."""
        return np.asarray(predicted)


@dataclass(frozen=True)
class SeveralLabels(SeveralNumbers):
    """A target of labels of which a row may have any: a column of 0 and 1 for each.

    Parameters
    ----------
    n_outputs : int
    """

    @property
    def classes(self):
        """What each column holds, as scikit-learn has it: a list of arrays."""
        return [np.array([0, 1]) for _ in range(self.n_outputs)]

    def judge(self, scorer):
        """Give a scorer of models that say in one of several ways what they know.

        Parameters
        ----------
        scorer : callable

        Returns
        -------
        callable
            The scorer itself where it is the user's own, and may look at more than predictions.
        """
        known = scores_predictions(scorer) or ranks_classes(scorer)
        return LabelsScorer(scorer, self) if known else scorer

    judge_final = judge

    def plain(self, predicted):
        """Give predictions as whole numbers of shape (n_rows, n_labels)."""
        return np.asarray(predicted).astype(int)

    def probabilities(self, model, X):
        """Give the probability of each label.

        Parameters
        ----------
        model : estimator
            Fitted.
        X : array-like of shape (n_rows, n_features)

        Returns
        -------
        ndarray of shape (n_rows, n_labels)
        """
        given = model.predict_proba(X)
        if isinstance(given, np.ndarray) and given.ndim == 2:
            return given
        # A column a class, and only one where the rows of a fold knew one only.
        return np.column_stack(
            [
                own[:, -1] if own.shape[1] > 1 else np.full(len(own), float(known[0]))
                for own, known in zip(given, model.classes_, strict=True)
            ]
        )


class LabelsScorer:
    """Scores a model by its labels, or by a probability for each.

    Parameters
    ----------
    scorer : callable
    labels : SeveralLabels
    """

    def __init__(self, scorer, labels):
        self.scorer, self.labels = scorer, labels

    def __call__(self, estimator, X, y, **params):
        return self.scorer(_Labelling(estimator, self.labels), X, y, **params)


class _Labelling(ClassifierMixin, BaseEstimator):
    """A fitted model of several labels as any metric knows it."""

    def __init__(self, model, labels):
        self.model = model
        self.labels = labels

    @property
    def classes_(self):
        return self.labels.classes

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X, y):
        return self

    def predict(self, X):
        return self.labels.plain(self.model.predict(X))

    @available_if(lambda self: hasattr(self.model, "predict_proba"))
    def predict_proba(self, X):
        return [np.column_stack([1 - p, p]) for p in self.labels.probabilities(self.model, X).T]
