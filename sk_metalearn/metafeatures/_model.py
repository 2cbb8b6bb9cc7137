"""Meta-features of a model: the shape of an unpruned decision tree."""

import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ._encode import encode
from ._registry import NotComputable, intermediate, quantity

PENG, BENSUSAN, FILCHENKOV = (
    "Peng et al. 2002",
    "Bensusan et al. 2000",
    "Filchenkov & Pendryak 2015",
)
BOTH = ("mean", "sd")


@intermediate
def model_data(task):
    """Encoded rows and target of cost class "fits"."""
    rows = task.arranged("fits")
    matrix = np.ascontiguousarray(encode(task, rows))
    y = task.y[rows]
    if not (y != y[0]).any():
        raise NotComputable("the target has a single value in the rows read")
    return matrix, y


def tree_class(task):
    """Return the class of decision tree for a kind of task.

    Parameters
    ----------
    task : Task
        The task.

    Returns
    -------
    type
        A classifier or a regressor.
    """
    return DecisionTreeClassifier if task.kind == "classification" else DecisionTreeRegressor


@intermediate
def full_tree(task):
    """An unpruned decision tree fitted to `model_data`."""
    return fit_tree(task, *tree_data(task))


@intermediate
def tree_data(task):
    """`model_data` in the precision that scikit-learn's trees work in."""
    matrix, y = model_data(task)
    limit = np.finfo(np.float32).max
    return np.clip(matrix, -limit, limit).astype(np.float32), y


def fit_tree(task, matrix, y, depth=None):
    """Fit a decision tree.

    Parameters
    ----------
    task : Task
        Tells the kind and the seed.
    matrix : ndarray of float32, shape (n_rows, n_columns)
        Rows, C-contiguous.
    y : ndarray of shape (n_rows,)
        Target.
    depth : int or None
        Largest depth.

    Returns
    -------
    DecisionTreeClassifier or DecisionTreeRegressor
        The tree.
    """
    task.check_time()
    tree = tree_class(task)(max_depth=depth, random_state=task.seed)
    return tree.fit(matrix, y, check_input=False)


@intermediate
def node_depths(task):
    """Depth of each node of the tree; the root has 0."""
    tree = full_tree(task).tree_
    depths = np.zeros(tree.node_count, dtype=np.int64)
    level = np.array([0])
    while level.size:
        level = level[tree.children_left[level] >= 0]
        children = np.r_[tree.children_left[level], tree.children_right[level]]
        depths[children] = np.r_[depths[level], depths[level]] + 1
        level = children
    return depths


def _leaves(task):
    return full_tree(task).tree_.feature < 0


def _inner(task):
    found = full_tree(task).tree_.feature >= 0
    if not found.any():
        raise NotComputable("the tree has no split")
    return found


def _model(name, definition, range="[0, inf)", source=PENG, unit="1", **more):
    return quantity(
        name,
        group="model",
        definition=definition,
        range=range,
        source=source,
        unit=unit,
        cost="fits",
        target=True,
        **more,
    )


@_model("tree_leaves", "Number of leaves of the tree.", "[1, inf)", unit="leaves", pymfe="leaves")
def tree_leaves(task):
    return full_tree(task).tree_.n_leaves


@_model("tree_nodes", "Number of inner nodes of the tree.", unit="nodes", pymfe="nodes")
def tree_nodes(task):
    tree = full_tree(task).tree_
    return tree.node_count - tree.n_leaves


@_model(
    "tree_nodes_per_column",
    "Inner nodes per encoded column.",
    source=BENSUSAN,
    pymfe="nodes_per_attr",
)
def tree_nodes_per_column(task):
    return tree_nodes(task) / full_tree(task).tree_.n_features


@_model(
    "tree_nodes_per_row",
    "Inner nodes per row read.",
    "[0, 1]",
    BENSUSAN,
    pymfe="nodes_per_inst",
)
def tree_nodes_per_row(task):
    return tree_nodes(task) / full_tree(task).tree_.n_node_samples[0]


@_model(
    "tree_depth",
    "Depth of a node, leaves included.",
    unit="levels",
    summaries=(*BOTH, "max"),
    pymfe="tree_depth",
)
def tree_depth(task):
    return node_depths(task)


@_model("leaf_depth", "Depth of a leaf.", unit="levels", summaries=BOTH, pymfe="leaves_branch")
def leaf_depth(task):
    return node_depths(task)[_leaves(task)]


@_model(
    "leaf_share",
    "Share of the rows that reach a leaf.",
    "(0, 1]",
    BENSUSAN,
    summaries=BOTH,
    pymfe="leaves_corrob",
)
def leaf_share(task):
    rows = full_tree(task).tree_.n_node_samples
    return rows[_leaves(task)] / rows[0]


def _leaf_entropies(task):
    depth = node_depths(task)[_leaves(task)]
    return depth * 2.0**-depth


@_model(
    "tree_shape",
    "Term d 2^-d of a leaf at depth d in the entropy of a random walk from the root.",
    "[0, 0.5]",
    BENSUSAN,
    unit="bits",
    summaries=BOTH,
    pymfe="tree_shape",
)
def tree_shape(task):
    return _leaf_entropies(task)


@_model(
    "leaf_homogeneity",
    "Number of leaves over the term d 2^-d of a leaf.",
    "[2, inf)",
    BENSUSAN,
    summaries=BOTH,
    pymfe="leaves_homo",
)
def leaf_homogeneity(task):
    return tree_leaves(task) / _leaf_entropies(task)


@_model(
    "tree_imbalance",
    "Term -q log2 q of a depth, where q = 2^-(number of leaves at the depth d times 2^-d).",
    "[0, 0.54]",
    BENSUSAN,
    unit="bits",
    summaries=BOTH,
    pymfe="tree_imbalance",
)
def tree_imbalance(task):
    depths, counts = np.unique(node_depths(task)[_leaves(task)], return_counts=True)
    exponent = counts * 2.0**-depths
    return 2.0**-exponent * exponent


@_model(
    "leaf_class_share",
    "Share of the leaves that predict a class (classes without a leaf left out).",
    "(0, 1]",
    FILCHENKOV,
    summaries=BOTH,
    kinds=("classification",),
    pymfe="leaves_per_class",
)
def leaf_class_share(task):
    values = full_tree(task).tree_.value[_leaves(task), 0]
    return np.unique(values.argmax(axis=1), return_counts=True)[1] / len(values)


@_model(
    "nodes_per_level",
    "Number of inner nodes at a depth.",
    unit="nodes",
    summaries=BOTH,
    pymfe="nodes_per_level",
)
def nodes_per_level(task):
    return np.unique(node_depths(task)[_inner(task)], return_counts=True)[1]


@_model(
    "nodes_repeated",
    "Number of inner nodes that split by the same column (columns not used left out).",
    unit="nodes",
    source=BENSUSAN,
    summaries=BOTH,
    pymfe="nodes_repeated",
)
def nodes_repeated(task):
    return np.unique(full_tree(task).tree_.feature[_inner(task)], return_counts=True)[1]


@_model(
    "column_importance",
    "Gini (variance) importance of a column in the tree.",
    "[0, 1]",
    BENSUSAN,
    summaries=(*BOTH, "max"),
    pymfe="var_importance",
)
def column_importance(task):
    return full_tree(task).feature_importances_
