"""OpenML's qualities, under OpenML's names and by OpenML's definitions.

They count the target among the features, read all rows in the order of the data, and were written
for OpenML's server; that is why some differ in a factor from their twins in other groups.
"""

import numpy as np

from ._columns import numeric_moments
from ._information import contingency_entropies
from ._missing import missing_per_column, missing_rows
from ._moments import Moments, block_moments
from ._registry import NotComputable, intermediate, quantity
from ._target import class_counts, entropy

SOURCE = "Bischl et al. 2021"
CLASSES = ("classification",)


def _openml(name, definition, range="[0, inf)", **more):
    return quantity(
        name,
        group="openml",
        definition=definition,
        range=range,
        source=SOURCE,
        openml=name,
        target=True,
        **more,
    )


def percentile(values, q):
    """Percentile at place q (n + 1) of the sorted values, between neighbours by distance.

    Parameters
    ----------
    values : ndarray of shape (n,)
        At least one number.
    q : float
        Between 0 and 1.

    Returns
    -------
    float
        The percentile.
    """
    values = np.sort(values)
    place = min(max(q * (len(values) + 1), 1), len(values))
    below = int(place)
    above = min(below, len(values) - 1)
    return values[below - 1] + (place - below) * (values[above] - values[below - 1])


AGGREGATES = {
    "Mean": ("Mean", np.mean),
    "Min": ("Smallest", np.min),
    "Max": ("Largest", np.max),
    "Quartile1": ("First quartile", lambda values: percentile(values, 0.25)),
    "Quartile2": ("Median", lambda values: percentile(values, 0.5)),
    "Quartile3": ("Third quartile", lambda values: percentile(values, 0.75)),
}


@intermediate
def numbers_with_target(task):
    """Moments of the numeric columns, and of the target if it is a number."""
    if task.kind == "classification":
        return numeric_moments(task)
    target = block_moments(task.y[:, None])
    if not task.table.n_numeric:
        return target
    fields = ("count", "mean", "m2", "m3", "m4", "min", "max")
    parts = (numeric_moments(task), target)
    return Moments(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))


def _means(task):
    return numbers_with_target(task).mean


def _deviations(task):
    return numbers_with_target(task).sd


def _skewness(task):
    found = numbers_with_target(task)
    n = found.count
    return np.sqrt(n * (n - 1)) / (n - 2) * found.skewness


def _kurtosis(task):
    found = numbers_with_target(task)
    n = found.count
    unbiased = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * found.kurtosis + 6)
    return np.where(n > 3, unbiased, np.nan)


_STATISTICS = {
    "Means": ("mean", _means, "(-inf, inf)", "data"),
    "StdDev": ("standard deviation (n - 1)", _deviations, "[0, inf)", "data"),
    "Skewness": ("skewness (unbiased)", _skewness, "(-inf, inf)", "1"),
    "Kurtosis": ("excess kurtosis (unbiased)", _kurtosis, "(-inf, inf)", "1"),
}


def _register_statistic(aggregate, statistic):
    words, summarise = AGGREGATES[aggregate]
    what, function, interval, unit = _STATISTICS[statistic]

    @_openml(
        f"{aggregate}{statistic}OfNumericAtts",
        f"{words} over the numeric attributes, a numeric target included, of the {what}.",
        interval,
        unit=unit,
    )
    def summary(task):
        values = function(task)
        values = values[np.isfinite(values)]
        if not values.size:
            raise NotComputable(f"no numeric column has a {what}")
        return summarise(values)


for _statistic in _STATISTICS:
    for _aggregate in AGGREGATES:
        _register_statistic(_aggregate, _statistic)


@_openml("NumberOfInstances", "Number of rows.", "[2, inf)", unit="rows")
def number_of_instances(task):
    return task.n_rows


@_openml("NumberOfFeatures", "Number of columns, the target included.", unit="columns")
def number_of_features(task):
    return task.n_columns + 1


@_openml("Dimensionality", "Columns (the target included) divided by rows.")
def dimensionality(task):
    return (task.n_columns + 1) / task.n_rows


@_openml("NumberOfClasses", "Number of classes; 0 for regression.", unit="classes")
def number_of_classes(task):
    return task.n_classes


@_openml("NumberOfMissingValues", "Number of missing values.", unit="values")
def number_of_missing_values(task):
    return missing_per_column(task).sum()


@_openml(
    "PercentageOfMissingValues",
    "Missing values, of all values (the target included).",
    "[0, 100]",
    unit="%",
)
def percentage_of_missing_values(task):
    return 100 * missing_per_column(task).sum() / (task.n_rows * (task.n_columns + 1))


@_openml("NumberOfInstancesWithMissingValues", "Rows with a missing value.", unit="rows")
def number_of_instances_with_missing_values(task):
    return np.count_nonzero(missing_rows(task))


@_openml(
    "PercentageOfInstancesWithMissingValues", "Rows with a missing value.", "[0, 100]", unit="%"
)
def percentage_of_instances_with_missing_values(task):
    return 100 * np.count_nonzero(missing_rows(task)) / task.n_rows


@_openml("NumberOfNumericFeatures", "Numeric columns, a numeric target included.", unit="columns")
def number_of_numeric_features(task):
    return task.table.n_numeric + (task.kind == "regression")


@_openml(
    "PercentageOfNumericFeatures",
    "Numeric columns, a numeric target included.",
    "[0, 100]",
    unit="%",
)
def percentage_of_numeric_features(task):
    return 100 * number_of_numeric_features(task) / (task.n_columns + 1)


@_openml(
    "NumberOfSymbolicFeatures", "Categorical columns, a nominal target included.", unit="columns"
)
def number_of_symbolic_features(task):
    return task.table.n_categorical + (task.kind == "classification")


@_openml(
    "PercentageOfSymbolicFeatures",
    "Categorical columns, a nominal target included.",
    "[0, 100]",
    unit="%",
)
def percentage_of_symbolic_features(task):
    return 100 * number_of_symbolic_features(task) / (task.n_columns + 1)


@intermediate
def symbol_counts(task):
    """Number of levels of the categorical columns, then of a nominal target."""
    levels = task.table.levels.astype(float)
    return np.r_[levels, task.n_classes] if task.kind == "classification" else levels


@_openml(
    "NumberOfBinaryFeatures",
    "Categorical columns with two levels, a nominal target included.",
    unit="columns",
)
def number_of_binary_features(task):
    return np.sum(symbol_counts(task) == 2)


@_openml(
    "PercentageOfBinaryFeatures",
    "Categorical columns with two levels, a nominal target included.",
    "[0, 100]",
    unit="%",
)
def percentage_of_binary_features(task):
    return 100 * np.sum(symbol_counts(task) == 2) / (task.n_columns + 1)


def _sd_or_zero(values):
    return np.std(values, ddof=1) if len(values) > 1 else 0.0


for _name, _words, _function in (
    ("Mean", "Mean", np.mean),
    ("Min", "Smallest", np.min),
    ("Max", "Largest", np.max),
    ("Stdv", "Standard deviation (n - 1; 0 for one column) of the", _sd_or_zero),
):

    def _distinct(task, function=_function):
        if not len(symbol_counts(task)):
            raise NotComputable("there is no categorical column")
        return function(symbol_counts(task))

    _openml(
        f"{_name}NominalAttDistinctValues",
        f"{_words} number of levels of a categorical column, a nominal target included.",
        unit="levels",
    )(_distinct)


@_openml(
    "AutoCorrelation",
    "Classes: share of the rows with the same class as the row before. Regression: one minus the "
    "mean absolute difference of the target from the row before.",
    "(-inf, 1]",
)
def auto_correlation(task):
    if task.kind == "regression":
        return 1 - np.mean(np.abs(np.diff(task.y)))
    return np.mean(task.y[1:] == task.y[:-1])


@_openml("MajorityClassSize", "Rows of the largest class.", kinds=CLASSES, unit="rows")
def majority_class_size(task):
    return class_counts(task).max()


@_openml("MinorityClassSize", "Rows of the smallest class.", kinds=CLASSES, unit="rows")
def minority_class_size(task):
    return class_counts(task).min()


@_openml(
    "MajorityClassPercentage", "Rows of the largest class.", "(0, 100]", kinds=CLASSES, unit="%"
)
def majority_class_percentage(task):
    return 100 * class_counts(task).max() / task.n_rows


@_openml(
    "MinorityClassPercentage", "Rows of the smallest class.", "(0, 100]", kinds=CLASSES, unit="%"
)
def minority_class_percentage(task):
    return 100 * class_counts(task).min() / task.n_rows


@_openml("ClassEntropy", "Entropy of the classes.", kinds=CLASSES, unit="bits")
def class_entropy(task):
    return entropy(class_counts(task))


@intermediate
def symbol_entropies(task):
    """Entropy of each categorical column, and its mutual information with the classes."""
    if not task.table.levels.any():
        raise NotComputable("there is no categorical column with a value")
    y = task.y.astype(np.int64)
    return contingency_entropies(task.table.codes, task.table.levels, y, task.n_classes)


for _aggregate, (_words, _summarise) in AGGREGATES.items():

    def _attribute(task, summarise=_summarise):
        return summarise(symbol_entropies(task)[0])

    def _mutual(task, summarise=_summarise):
        return summarise(symbol_entropies(task)[1])

    _openml(
        f"{_aggregate}AttributeEntropy",
        f"{_words} over the categorical columns of the entropy.",
        kinds=CLASSES,
        unit="bits",
    )(_attribute)
    _openml(
        f"{_aggregate}MutualInformation",
        f"{_words} over the categorical columns of the mutual information with the class.",
        kinds=CLASSES,
        unit="bits",
    )(_mutual)


@_openml(
    "EquivalentNumberOfAtts",
    "Entropy of the classes divided by the mean mutual information of a categorical column.",
    kinds=CLASSES,
)
def equivalent_number_of_atts(task):
    mutual = symbol_entropies(task)[1].mean()
    if mutual <= 0:
        raise NotComputable("the categorical columns hold no information on the class")
    return entropy(class_counts(task)) / mutual


@_openml(
    "MeanNoiseToSignalRatio",
    "Mean entropy of a categorical column, less its mean mutual information, over the latter.",
    "[-1, inf)",
    kinds=CLASSES,
)
def mean_noise_to_signal_ratio(task):
    attribute, mutual = (values.mean() for values in symbol_entropies(task))
    if mutual <= 0:
        raise NotComputable("the categorical columns hold no information on the class")
    return (attribute - mutual) / mutual
