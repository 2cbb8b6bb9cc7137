"""Landmarkers: how well simple learners do in ten-fold cross-validation."""

import numpy as np
from scipy import stats
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier

from ._learners import discriminant, naive_bayes, nearest, ridge
from ._model import fit_tree, full_tree, model_data, tree_data
from ._registry import NotComputable, intermediate, quantity

FOLDS = 10
PFAHRINGER, BENSUSAN = "Pfahringer et al. 2000", "Bensusan & Giraud-Carrier 2000"
CLASSES = ("classification",)
SCORED = " in ten folds: accuracy (classification) or R^2 (regression) on a fold."


@intermediate
def folds(task):
    """Train and test positions of each fold: stratified by class, rows in order."""
    matrix, y = model_data(task)
    if len(y) < FOLDS:
        raise NotComputable(f"fewer than {FOLDS} rows")
    if task.kind == "regression":
        return list(KFold(FOLDS).split(matrix))
    if np.unique(y, return_counts=True)[1].max() < FOLDS:
        raise NotComputable(f"every class has fewer than {FOLDS} rows")
    return list(StratifiedKFold(FOLDS).split(matrix, y))


@intermediate
def column_ranks(task):
    """For each fold, columns from the least to the most important in an unpruned tree.

    The tree of the training rows of the fold with ``fidelity="exact"``, else one tree of all rows.
    """
    if not task.exact:
        return [np.argsort(full_tree(task).feature_importances_)] * len(folds(task))
    matrix, y = tree_data(task)
    trees = (fit_tree(task, matrix[train], y[train]) for train, _ in folds(task))
    return [np.argsort(tree.feature_importances_) for tree in trees]


def cross_validate(task, predict, columns=None, data=model_data):
    """Score a learner on every fold.

    Parameters
    ----------
    task : Task
        The task.
    predict : callable
        ``predict(task, X_train, y_train, X_test)`` returns predictions.
    columns : list of int or None
        For each fold the only column used; None for all columns.
    data : callable
        ``data(task)`` returns rows and target.

    Returns
    -------
    ndarray of shape (n_folds,)
        Accuracy or R^2 per fold.
    """
    matrix, y = data(task)
    found = []
    for fold, (train, test) in enumerate(folds(task)):
        task.check_time()
        chosen = matrix if columns is None else matrix[:, [columns[fold]]]
        predicted = predict(task, chosen[train], y[train], chosen[test])
        found.append(fold_score(task, y[test], predicted))
    return np.array(found)


def fold_score(task, y, predicted):
    """Accuracy, or R^2.

    Parameters
    ----------
    task : Task
        Tells the kind.
    y, predicted : ndarray of shape (n_rows,)
        Truth and prediction.

    Returns
    -------
    float
        The score; NaN for R^2 if the truth is constant.
    """
    if task.kind == "classification":
        return np.mean(y == predicted)
    total = np.sum((y - y.mean()) ** 2)
    return 1 - np.sum((y - predicted) ** 2) / total if total else np.nan


def _landmark(name, definition, source=PFAHRINGER, **more):
    return quantity(
        name,
        group="landmarking",
        definition=definition + SCORED,
        range="(-inf, 1]",
        source=source,
        cost="fits",
        target=True,
        summaries=("mean", "sd"),
        **more,
    )


@_landmark("one_nn", "One nearest neighbour", pymfe="one_nn")
@intermediate
def one_nn(task):
    matrix, y = model_data(task)
    parts = np.empty(len(y), dtype=np.int64)
    for fold, (_, test) in enumerate(folds(task)):
        parts[test] = fold
    found = nearest(task, matrix, parts)
    return np.array([fold_score(task, y[test], y[found[test]]) for _, test in folds(task)])


@_landmark(
    "elite_nn",
    "One nearest neighbour in the column that a tree finds most important",
    pymfe="elite_nn",
)
@intermediate
def elite_nn(task):
    return cross_validate(task, _neighbour, [ranks[-1] for ranks in column_ranks(task)])


def _neighbour(task, train, y_train, test):
    if task.exact and task.kind == "classification":
        return KNeighborsClassifier(n_neighbors=1).fit(train, y_train).predict(test)
    order = np.argsort(train[:, 0], kind="stable")
    values = train[order, 0]
    right = np.clip(np.searchsorted(values, test[:, 0]), 1, len(values) - 1)
    nearer = test[:, 0] - values[right - 1] <= values[right] - test[:, 0]
    return y_train[order[right - nearer]]


@_landmark("naive_bayes", "Gaussian naive Bayes", kinds=CLASSES, pymfe="naive_bayes")
@intermediate
def naive_bayes_landmark(task):
    return cross_validate(task, naive_bayes)


@_landmark(
    "linear_discriminant", "Linear discriminant analysis", kinds=CLASSES, pymfe="linear_discr"
)
@intermediate
def linear_discriminant(task):
    return cross_validate(task, discriminant)


@_landmark(
    "linear",
    "Ridge regression of the standardised columns (of the class indicators, for classification)",
    BENSUSAN,
)
@intermediate
def linear(task):
    return cross_validate(task, ridge)


def _tree_scores(task, depth, columns=None):
    def predict(task, train, y_train, test):
        return fit_tree(task, train, y_train, depth).predict(test, check_input=False)

    return cross_validate(task, predict, columns, tree_data)


@_landmark("best_node", "A tree with one split", BENSUSAN, pymfe="best_node")
@intermediate
def best_node(task):
    return _tree_scores(task, 1)


@_landmark(
    "random_node",
    "A tree with one split, of a column drawn at random",
    BENSUSAN,
    pymfe="random_node",
)
@intermediate
def random_node(task):
    matrix, _ = model_data(task)
    column = np.random.RandomState(task.seed).randint(0, matrix.shape[1])
    return _tree_scores(task, 1, [column] * FOLDS)


@_landmark(
    "worst_node",
    "A tree with one split, of the column that a tree finds least important",
    BENSUSAN,
    pymfe="worst_node",
)
@intermediate
def worst_node(task):
    return _tree_scores(task, 1, [ranks[0] for ranks in column_ranks(task)])


@_landmark("small_tree", "A tree of depth three", "this package")
@intermediate
def small_tree(task):
    return _tree_scores(task, 3)


PYMFE = {
    "best_node": best_node,
    "elite_nn": elite_nn,
    "linear_discr": linear_discriminant,
    "naive_bayes": naive_bayes_landmark,
    "one_nn": one_nn,
    "random_node": random_node,
    "worst_node": worst_node,
}


@intermediate
def ranks(task):
    """Ranks of the mean scores of pymfe's landmarkers, ties averaged."""
    return dict(
        zip(
            PYMFE, stats.rankdata([learner(task).mean() for learner in PYMFE.values()]), strict=True
        )
    )


def _register_rank(name):
    own = {"linear_discr": "linear_discriminant"}.get(name, name)

    @quantity(
        f"{own}_rank",
        group="landmarking",
        definition=f"Rank (1: worst) of the mean score of {own} among the seven landmarkers of "
        "pymfe; ties share their mean rank.",
        range="[1, 7]",
        source="Fürnkranz & Petrak 2001",
        cost="fits",
        kinds=CLASSES,
        pymfe=f"{name}.mean.relative",
    )
    def rank(task):
        return ranks(task)[name]


for _name in PYMFE:
    _register_rank(_name)


def _register_gain(name, first, second, words):
    @quantity(
        name,
        group="landmarking",
        definition=f"{words}: difference of the mean scores in ten folds.",
        range="(-inf, inf)",
        source="Fürnkranz & Petrak 2001",
        cost="fits",
        target=True,
    )
    def gain(task):
        return np.nanmean(first(task)) - np.nanmean(second(task))


_register_gain("one_nn_gain", one_nn, linear, "One nearest neighbour less a linear model")
_register_gain("small_tree_gain", small_tree, linear, "A tree of depth three less a linear model")
_register_gain("depth_gain", small_tree, best_node, "A tree of depth three less one split")
