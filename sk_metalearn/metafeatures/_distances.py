"""Distances between rows, and what follows from them: neighbours, enemies and interpolations."""

import numpy as np
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from ._encode import encode
from ._registry import NotComputable, intermediate

#: A matrix of all distances is not made for more rows.
MOST_ROWS = 15_000


@intermediate
def distance_data(task):
    """Encoded rows of cost class "distances", and target."""
    rows = task.arranged("distances")
    y = task.y[rows]
    if not (y != y[0]).any():
        raise NotComputable("the target has a single value in the rows read")
    return np.ascontiguousarray(encode(task, rows)), y


@intermediate
def class_data(task):
    """Encoded rows, codes of the classes that occur (0 .. k - 1), and their counts."""
    matrix, y = distance_data(task)
    codes = np.unique(y, return_inverse=True)[1]
    return matrix, codes, np.bincount(codes)


@intermediate
def unit_rows(task):
    """Encoded rows with every column scaled to [0, 1]; constant columns are zero."""
    matrix, _ = distance_data(task)
    low = matrix.min(axis=0)
    span = matrix.max(axis=0) - low
    return (matrix - low) / np.where(span > 0, span, 1.0)


@intermediate
def distances(task):
    """Gower distances between the rows: mean absolute difference of the columns in [0, 1]."""
    unit = unit_rows(task)
    if len(unit) > MOST_ROWS:
        raise NotComputable(f"the distances of more than {MOST_ROWS} rows do not fit in memory")
    task.check_time()
    # pymfe has them in single precision, which makes ties
    return gower(unit, unit).astype(np.float32 if task.exact else np.float64, copy=False)


def gower(a, b):
    """Mean absolute difference over columns.

    Parameters
    ----------
    a, b : ndarray of shape (n_a, n_columns), (n_b, n_columns)
        Rows with columns in [0, 1].

    Returns
    -------
    ndarray of shape (n_a, n_b)
        The distances.
    """
    return cdist(a, b, "cityblock") / a.shape[1]


@intermediate
def neighbours(task):
    """Position of the nearest other row of each row."""
    if task.exact:
        # ties fall as scikit-learn's partition of a row lets them fall
        search = NearestNeighbors(n_neighbors=1, metric="precomputed").fit(distances(task))
        return search.kneighbors(return_distance=False)[:, 0]
    found = distances(task).copy()
    np.fill_diagonal(found, np.inf)
    return found.argmin(axis=1)


@intermediate
def spanning_tree(task):
    """The two ends of each edge of the minimum spanning tree of the rows."""
    found = np.triu(distances(task), 1)
    if not task.exact:
        # scipy takes a zero for no edge: rows that are equal are neighbours all the same
        found[np.triu_indices_from(found, 1)] += 1e-300
    task.check_time()
    return minimum_spanning_tree(found, overwrite=True).nonzero()


@intermediate
def enemies(task):
    """Distance to, and position of, the nearest row of another class."""
    _, codes, _ = class_data(task)
    found = np.where(codes[:, None] == codes, np.inf, distances(task))
    nearest = found.argmin(axis=1)
    return found[np.arange(len(found)), nearest], nearest


def interpolate(matrix, groups, random_state):
    """Draw points between pairs of rows of the same group.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_columns)
        The rows.
    groups : list of ndarray of int
        Positions of the rows of each group.
    random_state : RandomState
        Draws the pairs and, column by column, the places between them.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        As many points per group as it has rows, group by group.
    """
    parts = []
    for rows in groups:
        one = matrix[rows[random_state.choice(len(rows), len(rows))]]
        other = matrix[rows[random_state.choice(len(rows), len(rows))]]
        parts.append(one + (other - one) * random_state.random_sample(one.shape))
    return np.vstack(parts)
