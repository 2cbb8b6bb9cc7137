"""The names of the metrics kept, and the closest one to any metric a user may ask for."""

from functools import lru_cache

from ..exceptions import KnowledgeError
from ._records import KINDS

__all__ = ["FOLD_METRICS", "METRICS", "nearest_metric"]

METRICS = {
    "classification": (
        "accuracy",
        "balanced_accuracy",
        "f1_macro",
        "f1_weighted",
        "precision_macro",
        "recall_macro",
        "matthews_corrcoef",
        "roc_auc_ovr",
        "roc_auc_ovr_weighted",
        "average_precision",
        "neg_log_loss",
        "neg_brier_score",
    ),
    "regression": (
        "r2",
        "neg_root_mean_squared_error",
        "neg_mean_absolute_error",
        "neg_median_absolute_error",
        "neg_max_error",
        "spearman",
    ),
}

# Kept fold by fold; of the others the mean over folds is kept.
FOLD_METRICS = ("accuracy", "roc_auc_ovr", "neg_log_loss", "r2", "neg_mean_absolute_error")

# Another name -> (ours, whether it orders configurations in the same way).
_CLASSIFICATION = {
    "f1_micro": ("accuracy", True),
    "precision_micro": ("accuracy", True),
    "recall_micro": ("accuracy", True),
    "recall_weighted": ("accuracy", True),
    "recall_macro": ("balanced_accuracy", True),
    "roc_auc": ("roc_auc_ovr", True),
    "roc_auc_ovo": ("roc_auc_ovr", False),
    "roc_auc_ovo_weighted": ("roc_auc_ovr_weighted", False),
    "f1": ("f1_macro", False),
    "jaccard": ("f1_macro", False),
    "jaccard_macro": ("f1_macro", False),
    "jaccard_micro": ("accuracy", False),
    "jaccard_weighted": ("f1_weighted", False),
    "precision": ("precision_macro", False),
    "precision_macro": ("f1_macro", False),
    "precision_weighted": ("f1_weighted", False),
    "recall": ("balanced_accuracy", False),
    "d2_log_loss_score": ("neg_log_loss", False),
    "d2_brier_score": ("neg_brier_score", False),
    "top_k_accuracy": ("neg_log_loss", False),
}
_REGRESSION = {
    "neg_mean_squared_error": ("neg_root_mean_squared_error", False),
    "explained_variance": ("r2", False),
    "neg_mean_squared_log_error": ("neg_root_mean_squared_error", False),
    "neg_root_mean_squared_log_error": ("neg_root_mean_squared_error", False),
    "neg_mean_poisson_deviance": ("neg_root_mean_squared_error", False),
    "neg_mean_gamma_deviance": ("neg_root_mean_squared_error", False),
    "neg_mean_absolute_percentage_error": ("neg_mean_absolute_error", False),
    "d2_absolute_error_score": ("neg_mean_absolute_error", False),
}
_RELATED = {"classification": _CLASSIFICATION, "regression": _REGRESSION}
_FALLBACK = {"classification": "accuracy", "regression": "r2"}


@lru_cache(maxsize=1)
def _names_of_scorers():
    from sklearn.metrics import get_scorer, get_scorer_names

    return {_text(get_scorer(name)): name for name in get_scorer_names()}


def _text(scorer):
    # The shipped scorers of averaged metrics differ from a user's own by this alone.
    return repr(scorer).replace(", pos_label=None", "")


def nearest_metric(metric, kind, available=None):
    """Find the stored metric closest to the one asked for.

    Parameters
    ----------
    metric : str, callable or None
        A scikit-learn scoring name or scorer; None for the estimator's own `score`, which is
        accuracy or R2.
    kind : {"classification", "regression"}
    available : sequence of str, optional
        Names stored. Default: the package's own list for `kind`.

    Returns
    -------
    name : str
    exact : bool
        Whether it is the same metric (up to a positive factor per task), so that it orders
        configurations in the same way.

    Raises
    ------
    KnowledgeError
        If `kind` is unknown or `available` is empty.
    """
    if kind not in KINDS:
        raise KnowledgeError(f"kind must be one of {list(KINDS)}; got {kind!r}.")
    available = METRICS[kind] if available is None else tuple(available)
    if not available:
        raise KnowledgeError(f"No {kind} metric is stored.")
    name = _FALLBACK[kind] if metric is None else metric
    if not isinstance(name, str):
        name = _names_of_scorers().get(_text(metric), "")
    exact = True
    while name not in available and name in _RELATED[kind]:
        name, same = _RELATED[kind][name]
        exact = exact and same
    if name not in available:
        name = _FALLBACK[kind] if _FALLBACK[kind] in available else available[0]
        exact = False
    return name, exact
