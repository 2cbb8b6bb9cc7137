"""The metrics that an evaluation records, one fold at a time, vectorised over classes.

Names are scikit-learn's scoring names and higher is better: losses are negated. A metric that is
undefined on a fold is NaN.
"""

import numpy as np
from scipy.stats import rankdata

from ..knowledge import METRICS

__all__ = [
    "CLASSIFICATION_METRICS",
    "REGRESSION_METRICS",
    "classification_scores",
    "confusion_counts",
    "label_scores",
    "regression_scores",
]

CLASSIFICATION_METRICS, REGRESSION_METRICS = METRICS["classification"], METRICS["regression"]

# Probabilities are kept this far from 0 and 1 before a logarithm is taken.
CLIP = 1e-7


def confusion_counts(truth, predicted, n_classes):
    """Count how often class i was taken for class j.

    Parameters
    ----------
    truth, predicted : ndarray of int, shape (n_rows,)
        Class codes below `n_classes`.
    n_classes : int

    Returns
    -------
    list of [int, int, int]
        Class, predicted class and count, for counts above zero.
    """
    table = np.bincount(truth * n_classes + predicted, minlength=n_classes**2)
    cells = np.flatnonzero(table)
    return [[int(c // n_classes), int(c % n_classes), int(table[c])] for c in cells]


def label_scores(counts):
    """Compute the metrics of predicted labels from a confusion table.

    Parameters
    ----------
    counts : sequence of [int, int, int]
        From `confusion_counts`. Classes absent from both truth and prediction do not count.

    Returns
    -------
    dict of str to float
    """
    counts = np.asarray(counts, dtype=float).reshape(-1, 3)
    classes, codes = np.unique(counts[:, :2], return_inverse=True)
    codes = codes.reshape(-1, 2)
    table = np.zeros((len(classes), len(classes)))
    table[codes[:, 0], codes[:, 1]] = counts[:, 2]
    total, hits = table.sum(), np.diag(table)
    true, guessed = table.sum(1), table.sum(0)
    recall = np.divide(hits, true, out=np.zeros_like(hits), where=true > 0)
    precision = np.divide(hits, guessed, out=np.zeros_like(hits), where=guessed > 0)
    f1 = np.divide(2 * hits, true + guessed, out=np.zeros_like(hits), where=true + guessed > 0)
    covariance = hits.sum() * total - true @ guessed
    scale = np.sqrt((total**2 - guessed @ guessed) * (total**2 - true @ true))
    return {
        "accuracy": hits.sum() / total,
        "balanced_accuracy": recall[true > 0].mean(),
        "f1_macro": f1.mean(),
        "f1_weighted": f1 @ true / total,
        "precision_macro": precision.mean(),
        "recall_macro": recall.mean(),
        "matthews_corrcoef": covariance / scale if scale > 0 else 0.0,
    }


def _ranking_scores(truth, scores):
    """One-vs-rest area under the ROC curve and average precision of the classes present."""
    n_rows, n_classes = scores.shape
    positive = truth[:, None] == np.arange(n_classes)
    n_positive = positive.sum(0)
    usable = (n_positive > 0) & (n_positive < n_rows)
    if not usable.any():
        return {}
    positive, n_positive = positive[:, usable], n_positive[usable]
    ranks = rankdata(scores[:, usable], axis=0)
    pairs = n_positive * (n_rows - n_positive)
    auc = ((ranks * positive).sum(0) - n_positive * (n_positive + 1) / 2) / pairs
    precision = np.array(
        [_average_precision(p, s) for p, s in zip(positive.T, scores[:, usable].T, strict=True)]
    )
    return {
        "roc_auc_ovr": auc.mean(),
        "roc_auc_ovr_weighted": auc @ n_positive / n_positive.sum(),
        "average_precision": precision.mean(),
    }


def _average_precision(positive, score):
    order = np.argsort(-score, kind="stable")
    last_of_ties = np.append(np.diff(score[order]) != 0, True)
    hits = np.cumsum(positive[order])[last_of_ties]
    seen = np.flatnonzero(last_of_ties) + 1
    return float(np.sum(np.diff(hits, prepend=0) * hits / seen) / hits[-1])


def classification_scores(truth, predicted, n_classes, probabilities=None, decision=None):
    """Score the predictions for one fold of a classification task.

    Parameters
    ----------
    truth, predicted : ndarray of int, shape (n_rows,)
        Class codes.
    n_classes : int
        Classes of the whole task.
    probabilities : ndarray of shape (n_rows, n_classes), optional
        Padded with zeros for classes unseen in training.
    decision : ndarray of shape (n_rows, n_classes), optional
        Decision values: ranking metrics use these, where probabilities are made of them.

    Returns
    -------
    dict of str to float
        `CLASSIFICATION_METRICS`; NaN where undefined.
    """
    scores = dict.fromkeys(CLASSIFICATION_METRICS, np.nan)
    scores.update(label_scores(confusion_counts(truth, predicted, n_classes)))
    ranking = decision if decision is not None else probabilities
    if ranking is not None and np.isfinite(ranking).all():
        if n_classes == 2:
            # Two classes: the metrics of the second class, as scikit-learn's scorers have it.
            binary = _ranking_scores((truth == 1).astype(int), np.c_[-ranking[:, 1], ranking[:, 1]])
            positive = truth == 1
            if 0 < positive.sum():
                binary["average_precision"] = _average_precision(positive, ranking[:, 1])
            scores.update(binary)
        else:
            scores.update(_ranking_scores(truth, ranking))
    if probabilities is not None and np.isfinite(probabilities).all():
        clipped = np.clip(probabilities, CLIP, 1 - CLIP)
        clipped /= clipped.sum(1, keepdims=True)
        onehot = truth[:, None] == np.arange(n_classes)
        brier = ((clipped - onehot) ** 2).sum(1).mean()
        scores["neg_log_loss"] = float(np.log(clipped[onehot]).mean())
        scores["neg_brier_score"] = -float(brier / 2 if n_classes == 2 else brier)
    return {name: float(value) for name, value in scores.items()}


def regression_scores(truth, predicted, scale):
    """Score the predictions for one fold of a regression task.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_rows,)
    scale : float
        Standard deviation of y over the whole task; errors are in this unit.

    Returns
    -------
    dict of str to float
        `REGRESSION_METRICS`; NaN where undefined.
    """
    scores = dict.fromkeys(REGRESSION_METRICS, np.nan)
    if np.isfinite(predicted).all():
        error = (predicted - truth) / scale
        spread = np.mean(((truth - truth.mean()) / scale) ** 2)
        absolute = np.abs(error)
        scores["r2"] = 1 - np.mean(error**2) / spread if spread > 0 else np.nan
        scores["neg_root_mean_squared_error"] = -np.sqrt(np.mean(error**2))
        scores["neg_mean_absolute_error"] = -absolute.mean()
        scores["neg_median_absolute_error"] = -np.median(absolute)
        scores["neg_max_error"] = -absolute.max()
        if np.ptp(predicted) > 0 and np.ptp(truth) > 0:
            scores["spearman"] = np.corrcoef(rankdata(truth), rankdata(predicted))[0, 1]
        else:
            scores["spearman"] = 0.0
    return {name: float(value) for name, value in scores.items()}
