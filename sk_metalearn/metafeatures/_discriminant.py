"""How far the classes lie apart, in the language of discriminant analysis."""

import numpy as np

from ._encode import pairs_matrix
from ._registry import NotComputable, quantity
from ._structure import canonical_correlations, class_means, covariance

MICHIE, KALOUSIS = "Michie et al. 1994", "Kalousis 2002"


def _discriminant(name, definition, range="[0, inf)", source=MICHIE, **more):
    return quantity(
        name,
        group="statistical",
        definition=definition,
        range=range,
        source=source,
        cost="pairs",
        kinds=("classification",),
        **more,
    )


def _classes(task):
    codes = task.y[task.rows("pairs")].astype(np.int64)
    codes = np.unique(codes, return_inverse=True)[1]
    counts = np.bincount(codes)
    if len(counts) < 2:
        raise NotComputable("the target has a single class")
    return codes, counts


def _eigenvalues(task):
    squares = canonical_correlations(task) ** 2
    if squares.max() > 1 - 1e-10:
        raise NotComputable("a linear function of the columns tells the classes apart exactly")
    return squares / (1 - squares)


@_discriminant(
    "canonical_correlation",
    "Canonical correlation between the columns and the indicators of the classes.",
    "[0, 1]",
    KALOUSIS,
    summaries=("mean", "sd", "max"),
    pymfe="can_cor",
)
def canonical_correlation(task):
    return canonical_correlations(task)


@_discriminant(
    "n_discriminants",
    "Number of canonical correlations.",
    source="Lindner & Studer 1999",
    pymfe="nr_disc",
)
def n_discriminants(task):
    return len(canonical_correlations(task))


@_discriminant("wilks_lambda", "Wilks' lambda of the classes.", "[0, 1]", pymfe="w_lambda")
def wilks_lambda(task):
    return np.prod(1 - canonical_correlations(task) ** 2)


@_discriminant(
    "pillai_trace",
    "Pillai's trace: sum of the squared canonical correlations.",
    source="Rivolli et al. 2022",
    pymfe="p_trace",
)
def pillai_trace(task):
    return np.sum(canonical_correlations(task) ** 2)


@_discriminant(
    "lawley_hotelling_trace",
    "Lawley-Hotelling trace: sum of r^2 / (1 - r^2) over the canonical correlations.",
    source="Rivolli et al. 2022",
    pymfe="lh_trace",
)
def lawley_hotelling_trace(task):
    return _eigenvalues(task).sum()


@_discriminant(
    "roy_root",
    "Roy's largest root: r^2 / (1 - r^2) of the largest canonical correlation.",
    source="Rivolli et al. 2022",
    pymfe="roy_root",
)
def roy_root(task):
    return _eigenvalues(task).max()


@_discriminant(
    "gravity",
    "Distance between the centres of the largest and the smallest class.",
    source="Ali & Smith 2006",
    unit="data",
    pymfe="gravity",
)
def gravity(task):
    codes, counts = _classes(task)
    largest = counts.argmax()
    smallest = np.where(np.arange(len(counts)) == largest, np.inf, counts).argmin()
    means, _ = class_means(pairs_matrix(task), codes)
    return np.linalg.norm(means[largest] - means[smallest])


@_discriminant(
    "sd_ratio",
    "Geometric mean ratio of the standard deviations of the classes to the pooled one (Box's M): "
    "1 if the classes have the same covariance.",
    "(0, inf)",
)
def sd_ratio(task):
    codes, counts = _classes(task)
    matrix = pairs_matrix(task)
    n, d = matrix.shape
    k, free = len(counts), counts - 1.0
    if free.min() < d:
        raise NotComputable("a class has no more rows than there are columns")
    pooled, determinants = np.zeros_like(covariance(task)), []
    for label in range(k):
        task.check_time()
        found = np.cov(matrix[codes == label], rowvar=False).reshape(d, d)
        pooled += free[label] * found / (n - k)
        determinants.append(_log_determinant(found))
    gamma = 1 - (2 * d**2 + 3 * d - 1) / (6 * (d + 1) * (k - 1)) * (np.sum(1 / free) - 1 / (n - k))
    m = gamma * ((n - k) * _log_determinant(pooled) - free @ determinants)
    return np.exp(m / (d * (n - k)))


def _log_determinant(matrix):
    sign, value = np.linalg.slogdet(matrix)
    if sign <= 0:
        raise NotComputable("the covariance matrix of a class is singular")
    return value
