"""How columns go together: correlations, principal components, and ties to the target."""

import numpy as np

from ._encode import pairs_matrix
from ._moments import block_moments
from ._registry import NotComputable, intermediate, quantity

CLASSES, NUMBERS = ("classification",), ("regression",)
MICHIE, CASTIELLO, KALOUSIS = "Michie et al. 1994", "Castiello et al. 2005", "Kalousis 2002"
FEURER = "Feurer et al. 2015"


@intermediate
def scaled_covariance(task):
    """Covariance matrix (n - 1) of the encoded columns, each divided by its largest deviation,
    and these deviations (1 for a constant column): no product over- or underflows."""
    matrix = pairs_matrix(task)
    centred = matrix - matrix.mean(axis=0)
    scale = np.abs(centred).max(axis=0)
    scale[~varying(task)] = 1.0
    if not np.isfinite(scale).all():
        raise NotComputable("the values of a column are too large to be summed")
    centred /= scale
    return centred.T @ centred / (len(matrix) - 1), scale


@intermediate
def covariance(task):
    """Covariance matrix (n - 1) of the encoded columns."""
    found, scale = scaled_covariance(task)
    found = found * scale * scale[:, None]
    if not np.isfinite(found).all():
        raise NotComputable("products of the values are too large for a number")
    return found


@intermediate
def scales(task):
    """Standard deviations (n - 1) of the encoded columns that vary."""
    found, scale = scaled_covariance(task)
    return (np.sqrt(np.diag(found)) * scale)[varying(task)]


@intermediate
def varying(task):
    """Which encoded columns are not constant in the rows of cost class "pairs"."""
    matrix = pairs_matrix(task)
    found = matrix.max(axis=0) > matrix.min(axis=0)
    if not found.any():
        raise NotComputable("every column is constant")
    return found


@intermediate
def varying_matrix(task):
    """Encoded rows of cost class "pairs", without the columns that are constant there."""
    keep = varying(task)
    return pairs_matrix(task) if keep.all() else pairs_matrix(task)[:, keep]


@intermediate
def correlation(task):
    """Correlation matrix of the encoded columns that are not constant."""
    keep = varying(task)
    found = scaled_covariance(task)[0][np.ix_(keep, keep)]
    scale = np.sqrt(np.diag(found))
    return np.clip(found / np.outer(scale, scale), -1, 1)


@intermediate
def pair_correlations(task):
    """Absolute correlations of the pairs of columns that are not constant."""
    found = correlation(task)
    if len(found) < 2:
        raise NotComputable("fewer than two columns that are not constant")
    return np.abs(found[np.tril_indices(len(found), -1)])


@intermediate
def principal(task):
    """Eigenvalues (descending) and eigenvectors of the correlation matrix."""
    task.check_time()
    values, vectors = np.linalg.eigh(correlation(task))
    return np.maximum(values[::-1], 0), vectors[:, ::-1]


@intermediate
def canonical_correlations(task):
    """Canonical correlations between the encoded columns and the classes."""
    matrix = varying_matrix(task)
    codes = np.unique(task.y[task.rows("pairs")], return_inverse=True)[1]
    means, counts = class_means(matrix, codes)
    if len(counts) < 2:
        raise NotComputable("the target has a single class")
    centre = counts @ means / len(codes)
    scale = scales(task) * np.sqrt((len(matrix) - 1) / len(matrix))
    values, vectors = principal(task)
    real = values > 1e-10 * values[0]
    whitened = (means - centre) / scale @ vectors[:, real] / np.sqrt(values[real])
    found = np.linalg.svd(whitened * np.sqrt(counts / len(codes))[:, None], compute_uv=False)
    return np.minimum(found[: min(len(counts) - 1, real.sum())], 1.0)


def class_means(matrix, codes):
    """Average the rows of each class.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_columns)
        Numbers.
    codes : ndarray of int, shape (n_rows,)
        Class of each row; every one of 0 .. n_classes - 1 occurs.

    Returns
    -------
    means : ndarray of shape (n_classes, n_columns)
        The averages.
    counts : ndarray of shape (n_classes,)
        Rows of each class.
    """
    counts = np.bincount(codes)
    member = (codes[:, None] == np.arange(len(counts))).astype(float)
    return member.T @ matrix / counts[:, None], counts


def _structure(name, definition, range="[0, 1]", source=MICHIE, unit="1", cost="pairs", **more):
    return quantity(
        name,
        group="structure",
        definition=definition,
        range=range,
        source=source,
        unit=unit,
        cost=cost,
        **more,
    )


@_structure(
    "correlation",
    "Absolute correlation of two columns.",
    source=CASTIELLO,
    summaries=("mean", "sd", "q1", "median", "q3", "max"),
    pymfe="cor",
)
def absolute_correlation(task):
    return pair_correlations(task)


@_structure(
    "covariance",
    "Absolute covariance of two columns.",
    "[0, inf)",
    CASTIELLO,
    unit="data^2",
    summaries=("mean", "sd"),
    pymfe="cov",
)
def absolute_covariance(task):
    found = covariance(task)
    return np.abs(found[np.tril_indices(len(found), -1)])


@_structure(
    "correlated_share",
    "Share of the pairs of columns whose absolute correlation is at least 0.5.",
    source="Salama et al. 2013",
    pymfe="nr_cor_attr",
)
def correlated_share(task):
    d = len(covariance(task))
    return np.sum(pair_correlations(task) >= 0.5) * 2 / (d * (d - 1))


@_structure(
    "duplicate_share",
    "Share of the columns whose absolute correlation with another is above 0.99.",
    source="this package",
)
def duplicate_share(task):
    found = np.abs(correlation(task)) - np.eye(len(correlation(task)))
    return np.mean(found.max(axis=0) > 0.99)


@_structure(
    "eigenvalue",
    "Eigenvalue of the covariance matrix of the columns.",
    "[0, inf)",
    "Ali & Smith 2006",
    unit="data^2",
    summaries=("mean", "sd"),
    pymfe="eigenvalues",
)
def eigenvalue(task):
    task.check_time()
    return np.linalg.eigvalsh(covariance(task))


def _components(task, share):
    values, _ = principal(task)
    return 1 + np.searchsorted(np.cumsum(values) / values.sum(), share - 1e-12)


for _share in (50, 75, 95, 99):

    def _pca(task, share=_share):
        return _components(task, share / 100) / len(correlation(task))

    _structure(
        f"pca_{_share}",
        f"Share of the principal components of the standardised columns that hold {_share} % of "
        "the variance.",
        "(0, 1]",
        FEURER,
    )(_pca)


@_structure(
    "pca_first",
    "Share of the variance of the standardised columns in the first principal component.",
    "(0, 1]",
    FEURER,
)
def pca_first(task):
    values, _ = principal(task)
    return values[0] / values.sum()


@_structure(
    "effective_rank_share",
    "Effective rank of the correlation matrix, exp(entropy of its normalised eigenvalues), over "
    "the number of columns.",
    "(0, 1]",
    "Roy & Vetterli 2007",
)
def effective_rank_share(task):
    values, _ = principal(task)
    p = values[values > 0] / values.sum()
    return np.exp(-(p * np.log(p)).sum()) / len(values)


@_structure(
    "log_condition",
    "Logarithm of the condition number of the correlation matrix, at most log(1e12).",
    "[0, 27.7]",
    "this package",
)
def log_condition(task):
    values, _ = principal(task)
    return np.log(values[0] / max(values[-1], 1e-12 * values[0]))


@intermediate
def first_component(task):
    """Moments of the scores on the first principal component."""
    scores = varying_matrix(task) @ (principal(task)[1][:, 0] / scales(task))
    return block_moments(scores[:, None])


@_structure(
    "pca_abs_skewness",
    "Absolute skewness of the scores on the first principal component.",
    "[0, inf)",
    FEURER,
)
def pca_abs_skewness(task):
    return abs(first_component(task).skewness[0])


@_structure(
    "pca_kurtosis",
    "Excess kurtosis of the scores on the first principal component.",
    "[-2, inf)",
    FEURER,
)
def pca_kurtosis(task):
    return first_component(task).kurtosis[0]


@intermediate
def ties_to_target(task):
    """Absolute correlation of each column with the target; with classes, the square root of the
    share of the column's variance that lies between classes."""
    matrix, y = varying_matrix(task), task.y[task.rows("pairs")]
    total = scales(task) * np.sqrt(len(y) - 1)
    if task.kind == "regression":
        y = y - y.mean()
        if not y.any():
            raise NotComputable("the target is constant")
        shared = y @ (matrix - matrix.mean(axis=0))
        return np.minimum(np.abs(shared) / total / np.sqrt(y @ y), 1)
    means, counts = class_means(matrix, np.unique(y, return_inverse=True)[1])
    between = counts @ ((means - counts @ means / len(y)) / total) ** 2
    return np.sqrt(np.minimum(between, 1))


@_structure(
    "target_correlation",
    "Tie between a column and the target: absolute correlation, or (classes) the square root of "
    "the share of the column's variance that lies between classes.",
    source="Kalousis 2002",
    target=True,
    summaries=("mean", "sd", "median", "max"),
)
def target_correlation(task):
    return ties_to_target(task)


@_structure(
    "target_correlated_share",
    "Share of the columns whose tie to the target is above 0.3.",
    source="this package",
    target=True,
)
def target_correlated_share(task):
    return np.mean(ties_to_target(task) > 0.3)
