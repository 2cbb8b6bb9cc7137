"""Complexity of a classification problem: overlap, neighbourhoods, linearity, dimension.

Distances are Gower distances; measures of pairs of classes look at every pair (with
``fidelity="sampled"``: of the ten largest classes; otherwise of at most a hundred).
"""

from itertools import combinations

import numpy as np
from sklearn.svm import LinearSVC

from ._distances import (
    class_data,
    distances,
    enemies,
    gower,
    interpolate,
    neighbours,
    spanning_tree,
    unit_rows,
)
from ._registry import NotComputable, intermediate, quantity
from ._structure import covariance, ties_to_target
from ._target import class_counts

MOST_CLASSES = 10
#: All pairs of more classes, a model for each, would take hours.
MOST_CLASSES_IN_FULL = 100
LORENA, HO = "Lorena et al. 2019", "Ho & Basu 2002"
PAIR = ("mean", "sd")


def _complexity(name, definition, range="[0, 1]", source=LORENA, cost="distances", **more):
    more.setdefault("kinds", ("classification",))
    more.setdefault("pymfe", name)
    return quantity(
        name,
        group="complexity",
        definition=definition,
        range=range,
        source=source,
        cost=cost,
        target=True,
        **more,
    )


@intermediate
def class_pairs(task):
    """For each pair of classes, the positions of the rows of the one and of the other."""
    _, codes, counts = class_data(task)
    labels = np.arange(len(counts))
    if task.fidelity == "sampled":
        labels = np.sort(np.argsort(-counts, kind="stable")[:MOST_CLASSES])
    elif len(labels) > MOST_CLASSES_IN_FULL:
        raise NotComputable(f"more than {MOST_CLASSES_IN_FULL} classes have too many pairs")
    rows = [np.flatnonzero(codes == label) for label in labels]
    return list(combinations(rows, 2))


def _each_pair(task, function):
    matrix, _, _ = class_data(task)
    found = []
    for one, other in class_pairs(task):
        task.check_time()
        found.append(function(matrix[one], matrix[other]))
    return np.array(found)


@_complexity(
    "f1",
    "Fisher's discriminant ratio of a column as 1 / (1 + r): share of its variance within classes.",
    source=HO,
    cost="pairs",
    summaries=(*PAIR, "min"),
)
def f1(task):
    return 1 - ties_to_target(task) ** 2


@_complexity(
    "f1v",
    "Directional-vector Fisher ratio of a pair of classes as 1 / (1 + r).",
    summaries=PAIR,
)
def f1v(task):
    def one_pair(a, b):
        if min(len(a), len(b)) < 2:
            return np.nan
        d = a.shape[1]
        if d > len(a) + len(b):
            # the rows span fewer dimensions: turn to these
            center = np.vstack([a, b]).mean(axis=0)
            axes = np.linalg.svd(np.vstack([a, b]) - center, full_matrices=False)[2]
            a, b, d = (a - center) @ axes.T, (b - center) @ axes.T, len(axes)
        within = len(a) * np.cov(a, rowvar=False) + len(b) * np.cov(b, rowvar=False)
        if not np.isfinite(within).all():
            return np.nan
        between = a.mean(axis=0) - b.mean(axis=0)
        inverse = np.linalg.pinv(within.reshape(d, d) / (len(a) + len(b)), hermitian=True)
        return 1 / (1 + between @ inverse @ between)

    return _each_pair(task, one_pair)


def _overlap(a, b):
    """Ends of the interval of each column in which two classes overlap."""
    low = np.maximum(a.min(axis=0), b.min(axis=0))
    return low, np.minimum(a.max(axis=0), b.max(axis=0))


@_complexity(
    "f2",
    "Volume of the overlap of two classes: product over the columns of overlap over range.",
    source=HO,
    summaries=PAIR,
)
def f2(task):
    def one_pair(a, b):
        low, high = _overlap(a, b)
        span = np.maximum(a.max(axis=0), b.max(axis=0)) - np.minimum(a.min(axis=0), b.min(axis=0))
        varies = span > 0
        return np.prod(np.maximum(high - low, 0)[varies] / span[varies])

    return _each_pair(task, one_pair)


@_complexity(
    "f3",
    "Share of the rows of two classes that the most efficient column leaves in the overlap.",
    source=HO,
    summaries=PAIR,
)
def f3(task):
    def one_pair(a, b):
        low, high = _overlap(a, b)
        both = np.vstack([a, b])
        return np.mean((both >= low) & (both <= high), axis=0).min()

    return _each_pair(task, one_pair)


@_complexity(
    "f4",
    "Share of the rows of two classes that all columns, used one after the other, leave in the "
    "overlap.",
    source=HO,
    summaries=PAIR,
)
def f4(task):
    def one_pair(a, b):
        n, columns = len(a) + len(b), np.arange(a.shape[1])
        while len(columns) and len(a) and len(b):
            low, high = _overlap(a[:, columns], b[:, columns])
            inside = [(part[:, columns] >= low) & (part[:, columns] <= high) for part in (a, b)]
            best = (inside[0].sum(axis=0) + inside[1].sum(axis=0)).argmin()
            a, b = a[inside[0][:, best]], b[inside[1][:, best]]
            columns = np.delete(columns, best)
        # a class that is gone leaves no overlap
        return (len(a) + len(b)) / n if len(a) and len(b) else 0.0

    return _each_pair(task, one_pair)


@_complexity(
    "n1",
    "Share of the rows that an edge of the minimum spanning tree joins to another class.",
    source=HO,
)
def n1(task):
    _, codes, _ = class_data(task)
    one, other = spanning_tree(task)
    border = codes[one] != codes[other]
    return len(np.union1d(one[border], other[border])) / len(codes)


@_complexity(
    "n2",
    "Distance r of a row to its nearest friend over that to its nearest enemy, as 1 - 1 / (1 + r).",
    source=HO,
    summaries=PAIR,
)
def n2(task):
    _, codes, _ = class_data(task)
    friends = np.where(codes[:, None] == codes, distances(task), np.inf)
    np.fill_diagonal(friends, np.inf)
    extra, _ = enemies(task)
    ratio = friends.min(axis=1) / extra
    return 1 - 1 / (1 + ratio)


@_complexity(
    "n3",
    "Error of one nearest neighbour, each row left out in turn.",
    source=HO,
    summaries=PAIR,
)
def n3(task):
    _, codes, _ = class_data(task)
    return (codes[neighbours(task)] != codes).astype(float)


@_complexity(
    "n4",
    "Error of one nearest neighbour on points between random rows of the same class.",
    source=HO,
    summaries=PAIR,
    pymfe=None,
)
def n4(task):
    _, codes, counts = class_data(task)
    unit = unit_rows(task)
    groups = [np.flatnonzero(codes == label) for label in range(len(counts))]
    points = interpolate(unit, groups, np.random.RandomState(task.seed))
    task.check_time()
    predicted = codes[gower(points, unit).argmin(axis=1)]
    return (predicted != np.repeat(np.arange(len(counts)), counts)).astype(float)


@_complexity(
    "t1",
    "Share of the hyperspheres around the rows (up to half way to the nearest enemy's sphere) that "
    "are left when those inside others are absorbed.",
    "(0, 1]",
)
def t1(task):
    inside = distances(task) <= _radii(*enemies(task))
    count = np.ones(len(inside), dtype=np.int64)
    for center in np.argsort(-inside.sum(axis=0)):
        if count[center]:
            members = np.flatnonzero(inside[:, center])
            total = count[members].sum()
            count[members] = 0
            count[center] = total
    return np.count_nonzero(count) / len(count)


def _radii(distance, enemy):
    """Radius of the sphere of each row: what the sphere of its nearest enemy leaves."""
    radius = np.full(len(enemy), -1.0)
    for row in range(len(enemy)):
        chain = []
        while radius[row] < 0 and enemy[enemy[row]] != row:
            chain.append(row)
            radius[row] = 0.0
            row = enemy[row]
        if radius[row] < 0:
            radius[row] = radius[enemy[row]] = distance[row] / 2
        for before in reversed(chain):
            radius[before] = abs(distance[before] - radius[row])
            row = before
    return radius


@_complexity(
    "t2",
    "Encoded columns per row read.",
    "(0, inf)",
    cost="pairs",
    kinds=("classification", "regression"),
)
def t2(task):
    return len(covariance(task)) / _n_rows(task)


@_complexity(
    "t3",
    "Principal components (of the columns as they are) that hold 95 % of the variance, per row "
    "read.",
    "(0, inf)",
    cost="pairs",
    kinds=("classification", "regression"),
)
def t3(task):
    return _n_components(task) / _n_rows(task)


@_complexity(
    "t4",
    "Principal components (of the columns as they are) that hold 95 % of the variance, per column.",
    "(0, 1]",
    cost="pairs",
    kinds=("classification", "regression"),
)
def t4(task):
    return _n_components(task) / len(covariance(task))


def _n_rows(task):
    rows = task.rows("pairs")
    return task.n_rows if isinstance(rows, slice) else len(rows)


@intermediate
def _n_components(task):
    values = np.maximum(np.linalg.eigvalsh(covariance(task))[::-1], 0)
    if not values.sum() > 0:
        raise NotComputable("every column is constant")
    share = np.cumsum(values / values.sum())
    return np.searchsorted(share, 0.95, side="right") + 1


@_complexity(
    "lsc",
    "Local set cardinality: one minus the share of the pairs of rows that are nearer to each other "
    "than the second is to its nearest enemy.",
    source="Leyva et al. 2014",
)
def lsc(task):
    extra, _ = enemies(task)
    return 1 - np.sum(distances(task) < extra) / len(extra) ** 2


@intermediate
def _linear_machines(task):
    """L1, L2 and L3 of each pair of classes, from one linear support vector machine each."""
    matrix, _, _ = class_data(task)
    found = []
    for number, (one, other) in enumerate(class_pairs(task)):
        task.check_time()
        rows = np.sort(np.r_[one, other])
        first = np.isin(rows, one)
        block = matrix[rows]
        machine = LinearSVC(
            loss="hinge",
            C=2.0,
            tol=0.01,
            max_iter=100_000 if task.exact else 1_000,
            random_state=task.seed,
        )
        center, scale = block.mean(axis=0), block.std(axis=0)
        scale[scale <= 1e-12 * np.abs(block).max(axis=0)] = 1.0
        machine.fit((block - center) / scale, first)
        margin = machine.decision_function((block - center) / scale)
        wrong = (margin > 0) != first
        distance = np.abs(margin[wrong]).sum() / len(rows)
        groups = [np.flatnonzero(first), np.flatnonzero(~first)]
        state = np.random.RandomState((task.seed + number + 1) % 2**32)
        points = interpolate(block, groups, state)
        guess = machine.decision_function((points - center) / scale) > 0
        error = np.mean(guess != np.repeat([True, False], [len(one), len(other)]))
        found.append((1 - 1 / (1 + distance), wrong.mean(), error))
    return np.array(found).T


@_complexity(
    "l1",
    "Summed distance s of the rows on the wrong side of a linear support vector machine of two "
    "classes, per row, as 1 - 1 / (1 + s).",
    source=HO,
    summaries=PAIR,
)
def l1(task):
    return _linear_machines(task)[0]


@_complexity(
    "l2",
    "Training error of a linear support vector machine of two classes.",
    source=HO,
    summaries=PAIR,
)
def l2(task):
    return _linear_machines(task)[1]


@_complexity(
    "l3",
    "Error of a linear support vector machine of two classes on points between random rows of the "
    "same class.",
    source=HO,
    summaries=PAIR,
)
def l3(task):
    return _linear_machines(task)[2]


@_complexity(
    "c2",
    "Imbalance as 1 - 1 / r, where r = (k - 1) / k times the sum over the k classes of n_c / "
    "(n - n_c).",
    cost="scan",
)
def c2(task):
    counts = class_counts(task)
    if len(counts) < 2:
        raise NotComputable("the target has a single class")
    ratio = (len(counts) - 1) / len(counts) * np.sum(counts / (task.n_rows - counts))
    return 1 - 1 / ratio
