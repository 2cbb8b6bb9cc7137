"""Statistics of single columns: where they lie, how they spread and what shape they have."""

import numpy as np

from ._columns import numeric_moments, sorted_columns
from ._encode import encoded_moments, encoded_sorted
from ._normality import shapiro_p_values
from ._registry import NotComputable, quantity

MICHIE, CASTIELLO, ALI = "Michie et al. 1994", "Castiello et al. 2005", "Ali & Smith 2006"
BOTH = ("mean", "sd")
ANY = "(-inf, inf)"


def _column(name, definition, range=ANY, source=MICHIE, unit="data", cost="scan", **more):
    """Register a statistic of every encoded column (numbers, and indicators of levels)."""
    more.setdefault("summaries", BOTH)
    return quantity(
        name,
        group="statistical",
        definition=definition,
        range=range,
        source=source,
        unit=unit,
        cost=cost,
        **more,
    )


@_column("mean", "Mean of a column.", pymfe="mean")
def mean(task):
    return encoded_moments(task).mean


@_column("sd", "Standard deviation (n - 1) of a column.", "[0, inf)", pymfe="sd")
def sd(task):
    return encoded_moments(task).sd


@_column("variance", "Variance (n - 1) of a column.", "[0, inf)", CASTIELLO, pymfe="var")
def variance(task):
    return encoded_moments(task).variance


@_column(
    "skewness",
    "Skewness of a column: third central moment (divisor n) over the cubed standard deviation "
    "(n - 1).",
    unit="1",
    pymfe="skewness",
)
def skewness(task):
    found = encoded_moments(task)
    return found.skewness * ((found.count - 1) / found.count) ** 1.5


@_column(
    "kurtosis",
    "Excess kurtosis of a column: fourth central moment (divisor n) over the squared variance "
    "(n - 1), minus 3.",
    "[-3, inf)",
    unit="1",
    pymfe="kurtosis",
)
def kurtosis(task):
    found = encoded_moments(task)
    return (found.kurtosis + 3) * (1 - 1 / found.count) ** 2 - 3


@_column("min", "Smallest value of a column.", source=CASTIELLO, pymfe="min")
def smallest(task):
    return encoded_moments(task).min


@_column("max", "Largest value of a column.", source=CASTIELLO, pymfe="max")
def largest(task):
    return encoded_moments(task).max


@_column("range", "Largest minus smallest value of a column.", "[0, inf)", ALI, pymfe="range")
def value_range(task):
    found = encoded_moments(task)
    return found.max - found.min


@_column("median", "Median of a column.", source=CASTIELLO, cost="order", pymfe="median")
def median(task):
    return encoded_sorted(task).quantile(0.5)


@_column(
    "interquartile_range",
    "Third minus first quartile of a column.",
    "[0, inf)",
    ALI,
    cost="order",
    pymfe="iq_range",
)
def interquartile_range(task):
    low, high = encoded_sorted(task).quantile([0.25, 0.75]).T
    return high - low


@_column(
    "mad",
    "Median absolute deviation from the median of a column, times 1.4826.",
    "[0, inf)",
    ALI,
    cost="order",
    pymfe="mad",
)
def mad(task):
    return 1.4826 * encoded_sorted(task).median_deviation()


@_column(
    "trimmed_mean",
    "Mean of a column without its smallest and largest fifths.",
    source="Engels & Theusinger 1998",
    cost="order",
    pymfe="t_mean",
)
def trimmed_mean(task):
    found = encoded_sorted(task)
    cut = (0.2 * found.count).astype(np.int64)
    if np.ptp(found.count) == 0:
        return found.values[:, cut[0] : found.count[0] - cut[0]].mean(axis=1)
    parts = zip(found.values, found.count, cut, strict=True)
    return np.array([v[c : n - c].mean() if n else np.nan for v, n, c in parts])


@_column(
    "geometric_mean",
    "Geometric mean of a column without negative values.",
    "[0, inf)",
    ALI,
    cost="order",
    pymfe="g_mean",
)
def geometric_mean(task):
    found = encoded_sorted(task)
    first = found.values[:, 0]
    result = np.where(first < 0, np.nan, 0.0)
    positive = first >= 1e-10
    logs = np.nansum(np.log(found.values[positive]), axis=1)
    result[positive] = np.exp(logs / found.count[positive])
    return result


@_column(
    "harmonic_mean",
    "Harmonic mean of a column without negative values.",
    "[0, inf)",
    ALI,
    cost="order",
    pymfe="h_mean",
)
def harmonic_mean(task):
    found = encoded_sorted(task)
    first = found.values[:, 0]
    result = np.where(first < 0, np.nan, 0.0)
    positive = first > 0
    inverse = np.nansum(1.0 / found.values[positive], axis=1)
    result[positive] = found.count[positive] / inverse
    return result


@_column(
    "n_outlier_columns",
    "Number of columns with a value more than 1.5 interquartile ranges outside the quartiles.",
    "[0, inf)",
    "Kopf & Iglezakis 2002",
    unit="columns",
    cost="order",
    summaries=(),
    pymfe="nr_outliers",
)
def n_outlier_columns(task):
    found = encoded_sorted(task)
    smallest, low, high, largest = found.quantile([0.0, 0.25, 0.75, 1.0]).T
    margin = 1.5 * (high - low)
    return np.sum((low - margin > smallest) | (high + margin < largest))


@_column(
    "n_normal_columns",
    "Number of columns for which the Shapiro-Wilk test (of at most 5,000 rows) does not reject "
    "normality at 5 %.",
    "[0, inf)",
    "Köpf et al. 2000",
    unit="columns",
    cost="order",
    summaries=(),
    pymfe="nr_norm",
)
def n_normal_columns(task):
    return np.sum(shapiro_p_values(task) > 0.05)


@_column(
    "outlier_share",
    "Share of a numeric column's values more than 1.5 interquartile ranges outside the quartiles.",
    "[0, 1]",
    "this package",
    unit="1",
    cost="order",
    summaries=("mean", "max"),
)
def outlier_share(task):
    found = sorted_columns(task)
    low, high = found.quantile([0.25, 0.75]).T
    margin = 1.5 * (high - low)
    outside = (found.values < (low - margin)[:, None]) | (found.values > (high + margin)[:, None])
    return outside.sum(axis=1) / found.count


@_column(
    "zero_share",
    "Share of a numeric column's values that are zero.",
    "[0, 1]",
    "this package",
    unit="1",
    cost="order",
    summaries=("mean", "max"),
)
def zero_share(task):
    found = sorted_columns(task)
    return np.sum(found.values == 0, axis=1) / found.count


@_column(
    "integer_share",
    "Share of the numeric columns that hold whole numbers only.",
    "[0, 1]",
    "this package",
    unit="1",
    cost="order",
    summaries=(),
)
def integer_share(task):
    values = sorted_columns(task).values
    return np.mean(((values == np.floor(values)) | np.isnan(values)).all(axis=1))


@_column(
    "log_abs_skewness",
    "Logarithm of 1 + |skewness| of a numeric column.",
    "[0, inf)",
    "this package",
    unit="1",
    summaries=("mean", "sd", "max"),
)
def log_abs_skewness(task):
    return np.log1p(np.abs(numeric_moments(task).skewness))


@_column(
    "log_kurtosis",
    "Logarithm of the kurtosis (not in excess) of a numeric column.",
    "[0, inf)",
    "this package",
    unit="1",
    summaries=("mean", "sd", "max"),
)
def log_kurtosis(task):
    return np.log(numeric_moments(task).kurtosis + 3)


@_column(
    "log_scale",
    "Logarithm of the standard deviation of a numeric column; how much the scales differ.",
    "[0, inf)",
    "this package",
    unit="1",
    summaries=("sd",),
)
def log_scale(task):
    found = numeric_moments(task)
    return np.log(np.where(found.constant, np.nan, found.sd))


@_column(
    "log_variation",
    "Logarithm of 1 + |coefficient of variation| (sd / mean) of a numeric column.",
    "[0, inf)",
    "this package",
    unit="1",
    summaries=("mean", "sd"),
)
def log_variation(task):
    found = numeric_moments(task)
    if found.constant.all():
        raise NotComputable("every numeric column is constant")
    return np.log1p(found.sd / np.abs(np.where(found.mean == 0, np.nan, found.mean)))
