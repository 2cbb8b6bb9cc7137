"""Simple learners in closed form, for landmarkers."""

import numpy as np
from sklearn.neighbors import NearestNeighbors


def naive_bayes(task, train, y_train, test):
    """Gaussian naive Bayes.

    Parameters
    ----------
    task : Task
        Unused; for the signature of a learner.
    train, y_train : ndarray of shape (n_train, n_columns), (n_train,)
        Training rows and their classes.
    test : ndarray of shape (n_test, n_columns)
        Rows to predict.

    Returns
    -------
    ndarray of shape (n_test,)
        Predicted classes.
    """
    labels, member = np.unique(y_train, return_inverse=True)
    member = member[:, None] == np.arange(len(labels))
    counts = member.sum(axis=0)
    center = train.mean(axis=0)
    train, test = train - center, test - center
    mean = member.T @ train / counts[:, None]
    square = train * train
    variance = np.maximum(member.T @ square / counts[:, None] - mean**2, 0.0)
    variance += 1e-9 * square.mean(axis=0).max()
    precision = 1 / variance
    log_likelihood = (
        np.log(counts / len(train))
        - 0.5 * np.log(variance).sum(axis=1)
        - 0.5 * (mean**2 * precision).sum(axis=1)
        - 0.5 * (test**2) @ precision.T
        + test @ (mean * precision).T
    )
    return labels[log_likelihood.argmax(axis=1)]


def discriminant(task, train, y_train, test):
    """Linear discriminant analysis.

    Parameters
    ----------
    task, train, y_train, test
        As in `naive_bayes`.

    Returns
    -------
    ndarray of shape (n_test,)
        Predicted classes.
    """
    labels, codes = np.unique(y_train, return_inverse=True)
    member = (codes[:, None] == np.arange(len(labels))).astype(float)
    counts = member.sum(axis=0)
    center = train.mean(axis=0)
    mean = member.T @ train / counts[:, None]
    within = train - mean[codes]
    scale = np.sqrt(np.einsum("ij,ij->j", within, within) / len(train))
    scale[scale <= 1e-12 * np.abs(train).max(axis=0)] = 1.0
    within /= scale * np.sqrt(len(train))
    if within.shape[1] > len(within):
        _, values, vectors = np.linalg.svd(within, full_matrices=False)
        values, vectors = values**2, vectors.T
    else:
        values, vectors = np.linalg.eigh(within.T @ within)
    real = values > 1e-8
    whiten = vectors[:, real] / np.sqrt(values[real]) / scale[:, None]
    means = (mean - center) @ whiten
    output = (test - center) @ whiten @ means.T
    output += np.log(counts / len(train)) - 0.5 * (means**2).sum(axis=1)
    return labels[output.argmax(axis=1)]


def ridge(task, train, y_train, test):
    """Ridge regression with penalty 1 on standardised columns; of class indicators for classes.

    Parameters
    ----------
    task, train, y_train, test
        As in `naive_bayes`.

    Returns
    -------
    ndarray of shape (n_test,)
        Predicted classes or numbers.
    """
    if task.kind == "classification":
        labels = np.unique(y_train)
        target = (y_train[:, None] == labels).astype(float)
    else:
        labels, target = None, y_train[:, None]
    center, offset = train.mean(axis=0), target.mean(axis=0)
    scale = train.std(axis=0)
    scale[scale <= 1e-12 * np.abs(train).max(axis=0)] = np.inf
    a, b = (train - center) / scale, target - offset
    n, p = a.shape
    if p <= n:
        weights = np.linalg.solve(a.T @ a + np.eye(p), a.T @ b)
    else:
        weights = a.T @ np.linalg.solve(a @ a.T + np.eye(n), b)
    output = (test - center) / scale @ weights + offset
    return output[:, 0] if labels is None else labels[output.argmax(axis=1)]


def nearest(task, matrix, parts):
    """Find for each row the nearest row of another part.

    Parameters
    ----------
    task : Task
        Tells the kind, and whether ties are broken as scikit-learn's k-d tree breaks them.
    matrix : ndarray of shape (n_rows, n_columns)
        The rows.
    parts : ndarray of int, shape (n_rows,)
        Part (fold) of each row.

    Returns
    -------
    ndarray of int, shape (n_rows,)
        Position of the nearest row by Euclidean distance.
    """
    centred = np.ascontiguousarray(matrix - matrix.mean(axis=0))
    size = np.einsum("ij,ij->i", centred, centred)
    found = np.empty(len(centred), dtype=np.int64)
    tied = []
    for start in range(0, len(centred), 500):
        task.check_time()
        rows = slice(start, start + 500)
        distance = size - 2 * centred[rows] @ centred.T
        distance[parts[rows, None] == parts] = np.inf
        best = distance.argmin(axis=1)
        found[rows] = best
        if task.exact:
            margin = 1e-10 * (size[rows] + size[best])
            least = distance[np.arange(len(best)), best] + margin
            tied.append(start + np.flatnonzero(np.sum(distance <= least[:, None], axis=1) > 1))
    tied = np.concatenate(tied) if tied else np.empty(0, dtype=np.int64)
    for part in np.unique(parts[tied]):
        train, rows = np.flatnonzero(parts != part), tied[parts[tied] == part]
        tree = NearestNeighbors(n_neighbors=1, algorithm="kd_tree").fit(matrix[train])
        found[rows] = train[tree.kneighbors(matrix[rows], return_distance=False)[:, 0]]
    return found
