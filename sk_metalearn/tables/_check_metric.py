"""Whether a metric fits a target."""

import warnings
from difflib import get_close_matches
from inspect import signature

import numpy as np
from sklearn import metrics
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import get_scorer, get_scorer_names

__all__ = ["check_metric", "check_metric_name"]

# What others call them.
_SHORT = {
    "auc": "roc_auc",
    "mae": "neg_mean_absolute_error",
    "mape": "neg_mean_absolute_percentage_error",
    "mse": "neg_mean_squared_error",
    "rmse": "neg_root_mean_squared_error",
}


def check_metric(scoring, y, kind):
    """Check that a metric can be computed on a target, before any model is fitted for it.

    Parameters
    ----------
    scoring : str
        Name of a scorer.
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
    kind : {"classification", "regression"}

    Raises
    ------
    ValueError
        If not even a constant prediction can be scored: a metric for two classes, and y has three.
    """
    dummy = DummyClassifier() if kind == "classification" else DummyRegressor()
    X = np.zeros((len(y), 1))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Of several labels scikit-learn takes each row for the probabilities of classes.
            warnings.filterwarnings("error", message=".*do not sum to one")
            get_scorer(scoring)(dummy.fit(X, y), X, y)
    except (ValueError, AttributeError, UserWarning) as error:
        raise ValueError(
            f"scoring={scoring!r} cannot be computed on this target: {str(error).rstrip('.')}. "
            f"{_advice(scoring, y, kind)}"
        ) from error


def check_metric_name(scoring):
    """Check that a metric named by a text exists.

    Parameters
    ----------
    scoring : object
        Anything but a text is passed over.

    Raises
    ------
    ValueError
        If there is none of that name; the nearest names are told.
    """
    names = get_scorer_names()
    if not isinstance(scoring, str) or scoring in names:
        return
    asked = scoring.lower().replace("-", "_").replace(" ", "_")
    near = [_SHORT[asked]] if asked in _SHORT else get_close_matches(asked, names, n=3)
    meant = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise ValueError(
        f"scoring={scoring!r} is not a valid scoring value: scikit-learn has no metric of that "
        f"name.{meant} sklearn.metrics.get_scorer_names() lists all."
    )


def _advice(scoring, y, kind):
    """What to give in the place of a metric that y does not allow."""
    if np.ndim(y) == 2 and kind == "classification":
        return "Give a metric of several labels such as 'f1_macro', 'accuracy' or 'roc_auc'."
    if kind == "regression":
        return "Give a metric of numbers such as 'r2' or 'neg_root_mean_squared_error'."
    classes = np.unique(y)
    parts = [f"{scoring}{end}" for end in ("_ovr", "_ovo", "_macro", "_weighted")]
    several = [repr(own) for own in parts if own in get_scorer_names()]
    if len(classes) > 2 and several:
        return (
            f"y has {len(classes)} classes, and {scoring!r} is a metric of two. Give "
            f"scoring={several[0]}" + "".join(f" or {own}" for own in several[1:]) + "."
        )
    names = {"f1": "f1_score", "precision": "precision_score", "recall": "recall_score"}
    name = names.get(scoring, f"{scoring}_score")
    function = getattr(metrics, name, None)
    if len(classes) == 2 and function and "pos_label" in signature(function).parameters:
        positive = classes[-1].item() if hasattr(classes[-1], "item") else classes[-1]
        return (
            f"Say which class counts: scoring=make_scorer({name}, pos_label={positive!r}), with "
            "both from sklearn.metrics."
        )
    return "Give a metric of classes such as 'accuracy' or 'roc_auc_ovr', or None for the default."
