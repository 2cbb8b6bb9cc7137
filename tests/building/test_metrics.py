import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import load_diabetes, load_iris

from sk_metalearn.building._fold_metrics import (
    classification_scores,
    confusion_counts,
    label_scores,
    regression_scores,
)


def _predictions(n_classes, seed):
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_classes, size=200)
    raw = rng.dirichlet(np.ones(n_classes), size=200) + 0.5 * np.eye(n_classes)[truth]
    probabilities = raw / raw.sum(1, keepdims=True)
    # Ties must be handled as scikit-learn handles them.
    probabilities = np.round(probabilities, 1) + 1e-3
    probabilities /= probabilities.sum(1, keepdims=True)
    return truth, probabilities.argmax(1), probabilities


@pytest.mark.parametrize("n_classes", [2, 3, 7])
@pytest.mark.parametrize("seed", [0, 1])
def test_classification_scores_are_those_of_scikit_learn(n_classes, seed):
    truth, predicted, probabilities = _predictions(n_classes, seed)
    scores = classification_scores(truth, predicted, n_classes, probabilities)
    one = probabilities[:, 1] if n_classes == 2 else probabilities
    onehot = np.eye(n_classes)[truth]
    brier = ((probabilities - onehot) ** 2).sum(1).mean()
    expected = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
        "f1_macro": metrics.f1_score(truth, predicted, average="macro"),
        "f1_weighted": metrics.f1_score(truth, predicted, average="weighted"),
        "precision_macro": metrics.precision_score(
            truth, predicted, average="macro", zero_division=0
        ),
        "recall_macro": metrics.recall_score(truth, predicted, average="macro"),
        "matthews_corrcoef": metrics.matthews_corrcoef(truth, predicted),
        "roc_auc_ovr": metrics.roc_auc_score(truth, one, multi_class="ovr"),
        "roc_auc_ovr_weighted": metrics.roc_auc_score(
            truth, one, multi_class="ovr", average="weighted"
        ),
        "neg_log_loss": -metrics.log_loss(truth, probabilities),
        "neg_brier_score": -(brier / 2 if n_classes == 2 else brier),
    }
    expected["average_precision"] = (
        metrics.average_precision_score(truth, one)
        if n_classes == 2
        else metrics.average_precision_score(onehot, probabilities)
    )
    assert scores == pytest.approx(expected, rel=1e-9)


def test_label_scores_ignore_absent_classes():
    truth, predicted = np.array([0, 0, 5]), np.array([0, 5, 5])
    scores = label_scores(confusion_counts(truth, predicted, 9))
    assert scores["f1_macro"] == pytest.approx(metrics.f1_score(truth, predicted, average="macro"))
    assert scores["balanced_accuracy"] == pytest.approx(0.75)


def test_scores_without_probabilities_are_nan_and_said_so():
    truth = load_iris().target
    scores = classification_scores(truth, truth, 3)
    assert scores["accuracy"] == 1.0
    assert np.isnan(scores["neg_log_loss"]) and np.isnan(scores["roc_auc_ovr"])


def test_regression_scores_are_in_units_of_the_target():
    truth = load_diabetes().target
    predicted = truth + np.random.default_rng(0).normal(scale=30, size=len(truth))
    scale = truth.std()
    scores = regression_scores(truth, predicted, scale)
    assert scores["r2"] == pytest.approx(metrics.r2_score(truth, predicted))
    assert scores["neg_mean_absolute_error"] == pytest.approx(
        -metrics.mean_absolute_error(truth, predicted) / scale
    )
    assert scores["neg_max_error"] == pytest.approx(-metrics.max_error(truth, predicted) / scale)
    assert 0 < scores["spearman"] < 1


def test_regression_scores_of_infinite_predictions_are_nan():
    scores = regression_scores(np.arange(4.0), np.array([1.0, np.inf, 2, 3]), 1.0)
    assert all(np.isnan(value) for value in scores.values())
