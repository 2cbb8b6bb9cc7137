"""Estimators of one output for targets of several."""

from sklearn.base import is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.utils import get_tags

__all__ = ["is_fitted_by_output", "of_several"]


def of_several(model):
    """Give an estimator that takes several outputs.

    Parameters
    ----------
    model : estimator
        Unfitted.

    Returns
    -------
    estimator
        The same where it takes them as they are; else scikit-learn's wrapper around it, which fits
        one to each output. Classifiers give probabilities.
    """
    tags = get_tags(model)
    if not is_classifier(model):
        return model if tags.target_tags.multi_output else MultiOutputRegressor(model)
    if not hasattr(model, "predict_proba"):
        folds = StratifiedKFold(3, shuffle=True, random_state=0)
        return MultiOutputClassifier(CalibratedClassifierCV(model, cv=folds, ensemble=False))
    return model if tags.classifier_tags.multi_label else MultiOutputClassifier(model)


def is_fitted_by_output(model):
    """Whether an estimator of `of_several` is fitted to each output by itself.

    Parameters
    ----------
    model : estimator

    Returns
    -------
    bool
    """
    return isinstance(model, MultiOutputClassifier | MultiOutputRegressor)
