"""Subsampling landmarkers: simple learners tried once on a small part of the rows."""

import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ._encode import probe_data
from ._registry import NotComputable, intermediate, quantity

PETRAK = "Fürnkranz & Petrak 2001"
SCORE = (
    " trained on one half and scored on the other half of at most 1,000 rows; 0 is the level of "
    "guessing, 1 is perfect (classification: balanced accuracy rescaled; regression: R^2, not "
    "below -1)."
)


@intermediate
def halves(task):
    """Train and test halves of the rows of cost class "probe"."""
    matrix, y = probe_data(task)
    if len(y) < 4:
        raise NotComputable("fewer than four rows")
    train, test = slice(0, None, 2), slice(1, None, 2)
    if len(np.unique(y[train])) < 2 or len(np.unique(y[test])) < 2:
        raise NotComputable("the target has a single value in one half of the sample")
    return matrix[train], y[train], matrix[test], y[test]


def score(task, y, predicted):
    """Score predictions so that 0 is guessing and 1 is perfect.

    Parameters
    ----------
    task : Task
        Tells the kind.
    y, predicted : ndarray of shape (n_rows,)
        Truth and prediction.

    Returns
    -------
    float
        Rescaled balanced accuracy, or R^2 not below -1.
    """
    if task.kind == "regression":
        return max(-1.0, 1.0 - np.sum((y - predicted) ** 2) / np.sum((y - y.mean()) ** 2))
    codes = y.astype(np.int64)
    counts = np.bincount(codes)
    hits = np.bincount(codes, weights=y == predicted, minlength=len(counts))
    present = counts > 0
    recall = np.mean(hits[present] / counts[present])
    chance = 1 / present.sum()
    return (recall - chance) / (1 - chance)


def _probe(name, definition, range="[-1, 1]", **more):
    return quantity(
        name,
        group="subsampling",
        definition=definition + SCORE,
        range=range,
        source=PETRAK,
        cost="probe",
        target=True,
        **more,
    )


@_probe("probe_one_nn", "One nearest neighbour (standardised columns)")
@intermediate
def probe_one_nn(task):
    train, y_train, test, y_test = halves(task)
    distance = (train**2).sum(axis=1) - 2 * test @ train.T
    return score(task, y_test, y_train[distance.argmin(axis=1)])


@_probe("probe_linear", "Ridge regression (of the class indicators, for classification)")
@intermediate
def probe_linear(task):
    train, y_train, test, y_test = halves(task)
    labels, target = _targets(task, y_train)
    center, offset = train.mean(axis=0), target.mean(axis=0)
    a, b = train - center, target - offset
    n, p = a.shape
    if p <= n:
        weights = np.linalg.solve(a.T @ a + np.eye(p), a.T @ b)
    else:
        weights = a.T @ np.linalg.solve(a @ a.T + np.eye(n), b)
    output = (test - center) @ weights + offset
    predicted = output[:, 0] if labels is None else labels[output.argmax(axis=1)]
    return score(task, y_test, predicted)


def _targets(task, y):
    if task.kind == "regression":
        return None, y[:, None]
    labels = np.unique(y)
    return labels, (y[:, None] == labels).astype(float)


@_probe("probe_naive_bayes", "Gaussian naive Bayes", kinds=("classification",))
@intermediate
def probe_naive_bayes(task):
    train, y_train, test, y_test = halves(task)
    labels, member = _targets(task, y_train)
    share = member.mean(axis=0)
    mean = member.T @ train / member.sum(axis=0)[:, None]
    variance = member.T @ train**2 / member.sum(axis=0)[:, None] - mean**2
    variance = np.maximum(variance, 0) + 1e-9 * max(train.var(axis=0).max(), 1e-12)
    log_likelihood = (
        np.log(share)
        - 0.5 * np.log(variance).sum(axis=1)
        - 0.5 * (test**2 @ (1 / variance).T - 2 * test @ (mean / variance).T)
        - 0.5 * (mean**2 / variance).sum(axis=1)
    )
    return score(task, y_test, labels[log_likelihood.argmax(axis=1)])


@_probe("probe_stump", "A decision tree with one split")
@intermediate
def probe_stump(task):
    return _tree(task, 1)


@_probe("probe_tree", "A decision tree with leaves of at least two rows")
@intermediate
def probe_tree(task):
    return _tree(task, None)


def _tree(task, depth):
    train, y_train, test, y_test = halves(task)
    model = DecisionTreeClassifier if task.kind == "classification" else DecisionTreeRegressor
    tree = model(max_depth=depth, min_samples_leaf=2, random_state=task.seed)
    tree.fit(train, y_train)
    return score(task, y_test, tree.predict(test))


def _difference(name, first, second, words):
    @_probe(name, f"{words}: difference of the scores, each", "[-2, 2]")
    def difference(task):
        return first(task) - second(task)


_difference("probe_one_nn_gain", probe_one_nn, probe_linear, "One nearest neighbour against ridge")
_difference("probe_tree_gain", probe_tree, probe_linear, "A tree against ridge")
_difference("probe_depth_gain", probe_tree, probe_stump, "A tree against one split")
