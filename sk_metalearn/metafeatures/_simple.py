"""Meta-features that are read off the shape of the table and the types of its columns."""

import numpy as np

from ._columns import distinct_counts, level_counts, numeric_moments
from ._registry import NotComputable, quantity

MICHIE, KALOUSIS, FEURER = "Michie et al. 1994", "Kalousis 2002", "Feurer et al. 2015"


def ratio(a, b, what):
    """Divide, or say what there is none of."""
    if b == 0:
        raise NotComputable(f"there is no {what}")
    return a / b


def _simple(name, definition, range="[0, inf)", source=MICHIE, **more):
    return quantity(name, group="simple", definition=definition, range=range, source=source, **more)


@_simple("n_rows", "Number of rows.", "[2, inf)", unit="rows", pymfe="nr_inst")
def n_rows(task):
    return task.n_rows


@_simple("n_columns", "Number of feature columns.", "[1, inf)", unit="columns", pymfe="nr_attr")
def n_columns(task):
    return task.n_columns


@_simple("log_n_rows", "Natural logarithm of the number of rows.", source=FEURER)
def log_n_rows(task):
    return np.log(task.n_rows)


@_simple("log_n_columns", "Natural logarithm of the number of columns.", source=FEURER)
def log_n_columns(task):
    return np.log(task.n_columns)


@_simple("n_numeric", "Number of numeric columns (dates included).", unit="columns", pymfe="nr_num")
def n_numeric(task):
    return task.table.n_numeric


@_simple(
    "n_categorical",
    "Number of categorical columns (strings, categories and booleans).",
    unit="columns",
    pymfe="nr_cat",
)
def n_categorical(task):
    return task.table.n_categorical


@_simple(
    "n_dates", "Number of columns of dates or durations.", unit="columns", source="this package"
)
def n_dates(task):
    return task.table.n_dates


@_simple(
    "n_binary",
    "Number of columns with exactly two different values.",
    unit="columns",
    cost="order",
    pymfe="nr_bin",
)
def n_binary(task):
    return np.sum(distinct_counts(task) == 2)


@_simple(
    "n_constant",
    "Number of columns with fewer than two different values.",
    unit="columns",
    source="this package",
)
def n_constant(task):
    constant = np.sum(task.table.levels < 2)
    if task.table.n_numeric:
        constant += np.sum(numeric_moments(task).constant)
    return constant


@_simple("fraction_numeric", "Share of the columns that are numeric.", "[0, 1]", FEURER)
def fraction_numeric(task):
    return task.table.n_numeric / task.n_columns


@_simple("fraction_categorical", "Share of the columns that are categorical.", "[0, 1]", FEURER)
def fraction_categorical(task):
    return task.table.n_categorical / task.n_columns


@_simple(
    "fraction_binary",
    "Share of the columns with exactly two different values.",
    "[0, 1]",
    cost="order",
)
def fraction_binary(task):
    return np.mean(distinct_counts(task) == 2)


@_simple(
    "fraction_constant",
    "Share of the columns with fewer than two different values.",
    "[0, 1]",
    "this package",
)
def fraction_constant(task):
    return n_constant(task) / task.n_columns


@_simple("columns_per_row", "Columns divided by rows.", "(0, inf)", KALOUSIS, pymfe="attr_to_inst")
def columns_per_row(task):
    return task.n_columns / task.n_rows


@_simple("rows_per_column", "Rows divided by columns.", "(0, inf)", KALOUSIS, pymfe="inst_to_attr")
def rows_per_column(task):
    return task.n_rows / task.n_columns


@_simple(
    "log_columns_per_row",
    "Natural logarithm of columns divided by rows.",
    "(-inf, inf)",
    FEURER,
)
def log_columns_per_row(task):
    return np.log(task.n_columns / task.n_rows)


@_simple(
    "categorical_to_numeric",
    "Categorical columns divided by numeric columns.",
    source=FEURER,
    pymfe="cat_to_num",
)
def categorical_to_numeric(task):
    return ratio(task.table.n_categorical, task.table.n_numeric, "numeric column")


@_simple(
    "numeric_to_categorical",
    "Numeric columns divided by categorical columns.",
    source=FEURER,
    pymfe="num_to_cat",
)
def numeric_to_categorical(task):
    return ratio(task.table.n_numeric, task.table.n_categorical, "categorical column")


@_simple(
    "n_levels",
    "Number of levels of a categorical column.",
    "[0, inf)",
    FEURER,
    unit="levels",
    summaries=("mean", "sd", "min", "max"),
)
def n_levels(task):
    if not task.table.n_categorical:
        raise NotComputable("there is no categorical column")
    return task.table.levels


@_simple(
    "n_levels_sum",
    "Number of levels of all categorical columns together.",
    source=FEURER,
    unit="levels",
)
def n_levels_sum(task):
    return task.table.levels.sum()


@_simple(
    "log_n_encoded",
    "Natural logarithm of the number of columns after one-hot encoding (two levels: one column).",
    source="this package",
)
def log_n_encoded(task):
    levels = task.table.levels
    return np.log(max(1, task.table.n_numeric + np.where(levels == 2, 1, levels).sum()))


@_simple(
    "rare_level_share",
    "Share of the levels of all categorical columns that occur fewer than ten times.",
    "[0, 1]",
    "this package",
)
def rare_level_share(task):
    if not task.table.levels.sum():
        raise NotComputable("there is no categorical column")
    return np.mean(np.concatenate(level_counts(task)) < 10)


@_simple(
    "distinct_share",
    "Share of a column's values that differ, (distinct - 1) / (rows - 1).",
    "[0, 1]",
    "this package",
    cost="order",
    summaries=("mean", "sd", "min", "max"),
)
def distinct_share(task):
    return np.maximum(distinct_counts(task) - 1, 0) / (_n_sorted(task) - 1)


@_simple(
    "sparsity",
    "How often a column repeats its values: (rows / distinct - 1) / (rows - 1).",
    "[0, 1]",
    "Salama et al. 2013",
    cost="order",
    summaries=("mean", "sd"),
    pymfe="sparsity",
)
def sparsity(task):
    n, distinct = _n_sorted(task), distinct_counts(task)
    return (n / np.where(distinct > 0, distinct, np.nan) - 1) / (n - 1)


def _n_sorted(task):
    rows = task.rows("order")
    return task.n_rows if isinstance(rows, slice) else len(rows)
