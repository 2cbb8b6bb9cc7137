"""Meta-features of the target alone, and of how it moves with single columns."""

import numpy as np
from scipy import stats

from ._columns import numeric_moments, sorted_columns
from ._moments import block_moments
from ._registry import NotComputable, intermediate, quantity

CLASSES, NUMBERS = ("classification",), ("regression",)
MICHIE, LORENA = "Michie et al. 1994", "Lorena et al. 2018"
KOPF = "Köpf et al. 2000"


@intermediate
def class_counts(task):
    """How many rows each class has, in the order of the classes."""
    return np.bincount(task.y.astype(np.int64), minlength=task.n_classes)


@intermediate
def target_moments(task):
    """Moments of a numeric target."""
    found = block_moments(task.y[:, None])
    if found.constant[0]:
        raise NotComputable("the target is constant")
    return found


def entropy(counts, base=2.0):
    """Shannon entropy of counts.

    Parameters
    ----------
    counts : ndarray of shape (n,)
        Counts; zeros add nothing.
    base : float
        Base of the logarithm.

    Returns
    -------
    float
        The entropy.
    """
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log(p)).sum() / np.log(base))


def _classes(name, definition, range="[0, 1]", source=MICHIE, **more):
    return quantity(
        name,
        group="target",
        definition=definition,
        range=range,
        source=source,
        kinds=CLASSES,
        **more,
    )


def _numbers(name, definition, range="[0, 1]", source=KOPF, **more):
    return quantity(
        name,
        group="target",
        definition=definition,
        range=range,
        source=source,
        kinds=NUMBERS,
        **more,
    )


@_classes("n_classes", "Number of classes.", "[1, inf)", unit="classes", pymfe="nr_class")
def n_classes(task):
    return task.n_classes


@_classes("log_n_classes", "Natural logarithm of the number of classes.", "[0, inf)")
def log_n_classes(task):
    return np.log(task.n_classes)


@_classes(
    "class_share",
    "Share of the rows that a class has.",
    summaries=("mean", "sd", "min", "max"),
    pymfe="freq_class",
)
def class_share(task):
    return class_counts(task) / task.n_rows


@_classes(
    "class_entropy_normalised",
    "Entropy of the class shares divided by its largest possible value, log(n_classes).",
    source=LORENA,
    pymfe="c1",
)
def class_entropy_normalised(task):
    if task.n_classes < 2:
        raise NotComputable("the target has a single class")
    return entropy(class_counts(task), task.n_classes)


@_classes("class_gini", "One minus the sum of the squared class shares.", "[0, 1)")
def class_gini(task):
    return 1 - np.sum((class_counts(task) / task.n_rows) ** 2)


@_classes(
    "imbalance_ratio",
    "Rows of the largest class divided by rows of the smallest.",
    "[1, inf)",
    "this package",
)
def imbalance_ratio(task):
    return class_counts(task).max() / class_counts(task).min()


@_classes(
    "log_smallest_class",
    "Natural logarithm of the number of rows of the smallest class.",
    "[0, inf)",
    "this package",
)
def log_smallest_class(task):
    return np.log(class_counts(task).min())


@_classes(
    "n_rare_classes",
    "Number of classes with fewer than 15 rows.",
    "[0, inf)",
    "Rivolli et al. 2022",
    unit="classes",
    pymfe="sc",
)
def n_rare_classes(task):
    return np.sum(class_counts(task) < 15)


@_numbers("target_mean", "Mean of the target.", "(-inf, inf)", unit="target")
def target_mean(task):
    return task.y.mean()


@_numbers("target_sd", "Standard deviation (n - 1) of the target.", "[0, inf)", unit="target")
def target_sd(task):
    return task.y.std(ddof=1)


@_numbers("target_min", "Smallest value of the target.", "(-inf, inf)", unit="target")
def target_min(task):
    return task.y.min()


@_numbers("target_max", "Largest value of the target.", "(-inf, inf)", unit="target")
def target_max(task):
    return task.y.max()


@_numbers(
    "target_variation",
    "Coefficient of variation: standard deviation of the target over the absolute mean.",
    "[0, inf)",
)
def target_variation(task):
    if task.y.mean() == 0:
        raise NotComputable("the mean of the target is zero")
    return task.y.std(ddof=1) / abs(task.y.mean())


@_numbers("target_skewness", "Skewness of the target (divisor n).", "(-inf, inf)")
def target_skewness(task):
    return target_moments(task).skewness[0]


@_numbers("target_kurtosis", "Excess kurtosis of the target (divisor n).", "[-2, inf)")
def target_kurtosis(task):
    return target_moments(task).kurtosis[0]


@_numbers(
    "target_outlier_share",
    "Share of the target's values further than 1.5 interquartile ranges outside the quartiles.",
)
def target_outlier_share(task):
    low, high = np.quantile(task.y, [0.25, 0.75])
    margin = 1.5 * (high - low)
    return np.mean((task.y < low - margin) | (task.y > high + margin))


@_numbers(
    "target_distinct_share",
    "Share of the target's values that differ, (distinct - 1) / (rows - 1).",
)
def target_distinct_share(task):
    return (len(np.unique(task.y)) - 1) / (task.n_rows - 1)


@_numbers("target_top_share", "Share of the rows with the target's most frequent value.", "(0, 1]")
def target_top_share(task):
    return np.unique(task.y, return_counts=True)[1].max() / task.n_rows


@_numbers(
    "target_stationary",
    "One if the standard deviation of the target exceeds its absolute mean, else zero.",
    "{0, 1}",
)
def target_stationary(task):
    return float(task.y.std(ddof=1) > abs(task.y.mean()))


@_numbers(
    "target_tail_weight",
    "How heavy the tails are: (q99 - q01) / (q75 - q25) of the target, as a natural logarithm.",
    "[0, inf)",
    "this package",
)
def target_tail_weight(task):
    q01, q25, q75, q99 = np.quantile(task.y, [0.01, 0.25, 0.75, 0.99])
    if q75 == q25:
        raise NotComputable("the quartiles of the target are equal")
    return np.log((q99 - q01) / (q75 - q25))


@_numbers(
    "target_log_gain",
    "How much nearer to symmetric the target is on a log scale: |skewness of y| - |skewness of "
    "log(y - min(y) + interquartile range)|.",
    "(-inf, inf)",
    "this package",
)
def target_log_gain(task):
    low, high = np.quantile(task.y, [0.25, 0.75])
    if high == low:
        raise NotComputable("the quartiles of the target are equal")
    logged = block_moments(np.log(task.y - task.y.min() + high - low)[:, None])
    return abs(target_moments(task).skewness[0]) - abs(logged.skewness[0])


@_numbers(
    "target_stationarity_p",
    "Stationarity of the target along a numeric column: p-value of the Kruskal-Wallis test that "
    "the target has one distribution in the ten tenths of the rows sorted by the column.",
    "[0, 1]",
    "this package",
    cost="pairs",
    summaries=("mean", "min", "max"),
)
def target_stationarity_p(task):
    return _along_columns(task)[0]


@_numbers(
    "target_drift",
    "Share of the target's rank variance between the ten tenths of the rows sorted by a numeric "
    "column (0: stationary along it).",
    "[0, 1]",
    "this package",
    cost="pairs",
    summaries=("mean", "sd", "max"),
)
def target_drift(task):
    return _along_columns(task)[1]


@intermediate
def _along_columns(task):
    """Kruskal-Wallis p-values, and shares of rank variance, over tenths of each column."""
    numeric_moments(task), target_moments(task)
    rows = task.rows("pairs")
    block = task.table.rows(rows)
    ranks = stats.rankdata(task.y[rows])
    edges = sorted_columns(task).quantile(np.arange(1, 10) / 10)
    p_values, shares = [], []
    for column, cuts in zip(block.T, edges, strict=True):
        task.check_time()
        present = ~np.isnan(column)
        tenth = np.searchsorted(cuts, column[present], side="left")
        counts = np.bincount(tenth, minlength=10)
        filled = counts > 0
        if filled.sum() < 2:
            continue
        y = ranks[present]
        sums = np.bincount(tenth, weights=y, minlength=10)[filled]
        between = np.sum(sums**2 / counts[filled]) - y.sum() ** 2 / len(y)
        within = np.sum((y - y.mean()) ** 2)
        if within > 0:
            shares.append(between / within)
            p_values.append(stats.chi2.sf((len(y) - 1) * between / within, filled.sum() - 1))
    return np.array(p_values), np.array(shares)
