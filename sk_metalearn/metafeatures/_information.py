"""Information theory: entropies of columns and what they tell of the classes.

As in the literature, numeric columns are first cut into n^(1/3) bins of equal frequency.
"""

import numpy as np

from ._columns import sorted_columns
from ._registry import NotComputable, intermediate, quantity
from ._target import class_counts, entropy
from ._task import column_hashes

CLASSES = ("classification",)
MICHIE, KALOUSIS = "Michie et al. 1994", "Kalousis & Hilario 2001"
#: Columns between which concentration coefficients are computed.
MOST_CONCENTRATED = 12
#: Added to every cell of a table of shares, as pymfe does.
EPSILON = 1e-8


@intermediate
def binned(task):
    """Codes and numbers of levels of the columns with a value, numbers cut into bins, and which
    columns they are (places in the order: categorical, numeric). Missing values are -1."""
    rows = task.rows("order")
    codes = task.table.codes[rows]
    parts, levels = [codes], [task.table.levels]
    if task.table.n_numeric:
        found = sorted_columns(task)
        block = task.table.rows(rows)
        n_bins = max(1, int(len(block) ** (1 / 3)))
        edges = found.quantile(np.linspace(0, 1, n_bins + 1)[1:]).T
        # an edge that repeats the one before bounds no bin
        edges = np.where(np.diff(edges, axis=0, prepend=-np.inf) > 1e-8, edges, np.inf)
        small = np.zeros_like(block, dtype=np.int8 if n_bins < 127 else np.int32)
        for edge in edges:
            small += block > edge
        task.check_time()
        bins = small.astype(np.int32)
        bins[np.isnan(block)] = -1
        parts.append(bins)
        levels.append(np.where(found.count > 0, n_bins + 1, 0))
    levels = np.concatenate(levels).astype(np.int64)
    columns = np.flatnonzero(levels)
    if not columns.size:
        raise NotComputable("no column has a value")
    codes = np.hstack(parts)
    return codes if columns.size == levels.size else codes[:, columns], levels[columns], columns


def contingency(codes, levels, y, n_classes):
    """Count every pair of a level of a column and a class.

    Parameters
    ----------
    codes : ndarray of int, shape (n_rows, n_columns)
        Codes; -1 is left out.
    levels : ndarray of int, shape (n_columns,)
        Number of levels of each column.
    y : ndarray of int, shape (n_rows,)
        Class of each row.
    n_classes : int
        Number of classes.

    Returns
    -------
    counts : ndarray of shape (sum of levels, n_classes)
        The tables of all columns, one below the other.
    start : ndarray of int, shape (n_columns,)
        Where the table of each column begins.
    """
    start = np.r_[0, np.cumsum(levels)[:-1]].astype(np.int64)
    cells = (codes + start) * n_classes + y[:, None]
    cells = cells[codes >= 0] if (codes < 0).any() else cells.ravel()
    counts = np.bincount(cells, minlength=levels.sum() * n_classes)
    return counts.reshape(-1, n_classes), start


def contingency_entropies(codes, levels, y, n_classes):
    """Compute the entropy of columns and their mutual information with the classes.

    Parameters
    ----------
    codes, levels, y, n_classes
        See `contingency`; columns without a value are left out.

    Returns
    -------
    entropies : ndarray of shape (n_columns,)
        In bits; rows where the column is missing are left out.
    mutual : ndarray of shape (n_columns,)
        In bits.
    """
    codes, levels = codes[:, levels > 0], levels[levels > 0]
    counts, start = contingency(codes, levels, y, n_classes)
    by_level = counts.sum(axis=1)
    by_class = np.add.reduceat(counts, start, axis=0)
    n = by_class.sum(axis=1)
    level = _entropy_of(np.add.reduceat(_xlogx(by_level), start), n)
    joint = _entropy_of(np.add.reduceat(_xlogx(counts).sum(axis=1), start), n)
    classes = _entropy_of(_xlogx(by_class).sum(axis=1), n)
    return level, np.maximum(level + classes - joint, 0.0)


def _xlogx(counts):
    return counts * np.log2(np.maximum(counts, 1))


def _entropy_of(total, n):
    return np.log2(n) - total / n


@intermediate
def counted(task):
    """Tables of levels and classes of all columns, levels per column, and where tables begin.

    Without classes each table has one column.
    """
    codes, levels, _ = binned(task)
    y, n_classes = np.zeros(len(codes), dtype=np.int64), 1
    if task.kind == "classification":
        y = np.unique(task.y[task.rows("order")].astype(np.int64), return_inverse=True)[1]
        n_classes = y.max() + 1
    counts, start = contingency(codes, levels, y, n_classes)
    return counts.astype(float), levels, start


@intermediate
def column_entropies(task):
    """Entropy of each column, and the number of its levels that occur."""
    counts, _, start = counted(task)
    by_level = counts.sum(axis=1)
    n = np.add.reduceat(by_level, start)
    found = _entropy_of(np.add.reduceat(_xlogx(by_level), start), n)
    return found, np.add.reduceat(by_level > 0, start, dtype=float)


@intermediate
def tables(task):
    """Per column: joint entropy with the class, mutual information, concentration."""
    counts, levels, start = counted(task)
    n = np.add.reduceat(counts.sum(axis=1), start)
    share = counts / np.repeat(n, levels)[:, None] + EPSILON
    terms = (share * np.log2(share)).sum(axis=1)
    # levels that do not occur have no row in the table
    terms[counts.sum(axis=1) == 0] = 0.0
    joint = -np.add.reduceat(terms, start)
    classes = np.add.reduceat(counts, start, axis=0)
    mutual = column_entropies(task)[0] + _entropy_of(_xlogx(classes).sum(axis=1), n) - joint
    return joint, mutual, _concentration(counts, n, levels, start)


def _concentration(counts, n, levels, start):
    """Goodman and Kruskal's concentration of the columns of each table given its rows."""
    share = counts / np.repeat(n, levels)[:, None] + EPSILON
    share[counts.sum(axis=1) == 0] = 0.0
    by_class = np.add.reduceat(share, start, axis=0)
    squares = np.add.reduceat(share.sum(axis=1) ** 2, start)
    inner = np.add.reduceat(share**2, start, axis=0) / by_class
    return (inner.sum(axis=1) - squares) / (1.0 - squares)


def informative(task):
    """Return the mutual informations of the columns, if they are not all nothing."""
    mutual = tables(task)[1]
    if mutual.mean() < 1e-6:
        raise NotComputable("the columns hold no information on the class")
    return mutual


@intermediate
def concentrated_columns(task):
    """Codes, each 0 .. levels - 1, of the columns between which concentrations are computed."""
    codes, levels, columns = binned(task)
    chosen = np.arange(len(levels))
    if len(chosen) > MOST_CONCENTRATED and task.exact:
        state = np.random.RandomState(task.seed)
        chosen = state.choice(chosen, size=MOST_CONCENTRATED, replace=False)
    elif len(chosen) > MOST_CONCENTRATED:
        hashes = column_hashes(task)
        split = task.table.n_numeric
        hashes = np.r_[hashes[split:], hashes[:split]][columns]
        chosen = np.sort(np.argsort(hashes, kind="stable")[:MOST_CONCENTRATED])
    if len(chosen) < 2:
        raise NotComputable("fewer than two columns")
    return [np.unique(codes[:, column], return_inverse=True)[1] for column in chosen]


def _information(name, definition, range="[0, inf)", source=MICHIE, unit="bits", **more):
    more.setdefault("summaries", ("mean", "sd"))
    more.setdefault("cost", "order")
    return quantity(
        name,
        group="information",
        definition=definition,
        range=range,
        source=source,
        unit=unit,
        **more,
    )


@_information(
    "class_entropy",
    "Entropy of the classes.",
    cost="scan",
    summaries=(),
    kinds=CLASSES,
    pymfe="class_ent",
)
def class_entropy(task):
    return entropy(class_counts(task))


@_information(
    "attribute_entropy",
    "Entropy of a column.",
    summaries=("mean", "sd", "min", "max"),
    pymfe="attr_ent",
)
def attribute_entropy(task):
    return column_entropies(task)[0]


@_information(
    "attribute_entropy_normalised",
    "Entropy of a column divided by the largest that its number of levels allows.",
    "[0, 1]",
    "this package",
    unit="1",
)
def attribute_entropy_normalised(task):
    found, occurring = column_entropies(task)
    return found / np.log2(np.where(occurring > 1, occurring, np.nan))


@_information(
    "joint_entropy",
    "Joint entropy of a column and the class.",
    kinds=CLASSES,
    pymfe="joint_ent",
)
def joint_entropy(task):
    return tables(task)[0]


@_information(
    "mutual_information",
    "Mutual information of a column and the class (below zero by rounding only).",
    "[-0.0001, inf)",
    kinds=CLASSES,
    summaries=("mean", "sd", "min", "max"),
    pymfe="mut_inf",
)
def mutual_information(task):
    return tables(task)[1]


@_information(
    "uncertainty_coefficient",
    "Mutual information of a column and the class divided by the entropy of the class.",
    "[0, 1]",
    "Theil 1970",
    unit="1",
    kinds=CLASSES,
    summaries=("mean", "max"),
)
def uncertainty_coefficient(task):
    return np.clip(tables(task)[1] / entropy(class_counts(task)), 0, 1)


@_information(
    "class_concentration",
    "Goodman and Kruskal's concentration coefficient of the class given a column.",
    "[0, 1]",
    KALOUSIS,
    unit="1",
    kinds=CLASSES,
    pymfe="class_conc",
)
def class_concentration(task):
    return tables(task)[2]


@_information(
    "attribute_concentration",
    "Goodman and Kruskal's concentration coefficient of one column given another (12 columns are "
    "drawn if there are more).",
    "[0, 1]",
    KALOUSIS,
    unit="1",
    pymfe="attr_conc",
)
def attribute_concentration(task):
    columns = concentrated_columns(task)
    found = []
    for i, a in enumerate(columns):
        for b in columns[i + 1 :]:
            task.check_time()
            rows, width = a.max() + 1, b.max() + 1
            table = np.bincount(a * width + b, minlength=rows * width).reshape(rows, width)
            for counts in (table, table.T):
                one = np.array([0]), np.array([counts.shape[0]])
                total = np.array([float(len(a))])
                found.append(_concentration(counts, total, one[1], one[0])[0])
    return np.array(found)


@_information(
    "equivalent_columns",
    "Number of columns times the entropy of the class over the sum of the mutual informations.",
    unit="1",
    summaries=(),
    kinds=CLASSES,
    pymfe="eq_num_attr",
)
def equivalent_columns(task):
    mutual = informative(task)
    return len(mutual) * entropy(class_counts(task)) / mutual.sum()


@_information(
    "noise_to_signal",
    "Entropy of the columns that is not mutual information with the class, over that which is.",
    "[-1, inf)",
    unit="1",
    summaries=(),
    kinds=CLASSES,
    pymfe="ns_ratio",
)
def noise_to_signal(task):
    attribute, mutual = column_entropies(task)[0], informative(task)
    return (attribute.sum() - mutual.sum()) / mutual.sum()
