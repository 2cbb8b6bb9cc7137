"""Complexity of a regression problem: correlation, linearity and smoothness of the target."""

import numpy as np
from scipy import stats

from ._distances import distance_data, gower, neighbours, spanning_tree, unit_rows
from ._registry import NotComputable, intermediate, quantity

LORENA = "Lorena et al. 2018"


def _regression(name, definition, range="[0, 1]", **more):
    return quantity(
        name,
        group="complexity",
        definition=definition,
        range=range,
        source=LORENA,
        cost="distances",
        kinds=("regression",),
        **more,
    )


@intermediate
def unit_target(task):
    """Target of the rows of cost class "distances", scaled to [0, 1]."""
    _, y = distance_data(task)
    return (y - y.min()) / (y.max() - y.min())


@intermediate
def column_ranks(task):
    """Ranks of the columns that vary, and of the target."""
    unit = unit_rows(task)
    unit = unit[:, unit.max(axis=0) > 0]
    if not unit.shape[1]:
        raise NotComputable("every column is constant")
    return stats.rankdata(unit, axis=0), stats.rankdata(unit_target(task))


@intermediate
def spearman(task):
    """Absolute rank correlation of each column that varies with the target."""
    ranks, y = column_ranks(task)
    ranks, y = ranks - ranks.mean(axis=0), y - y.mean()
    return np.abs(y @ ranks) / np.sqrt((ranks**2).sum(axis=0) * (y @ y))


@_regression("reg_c1", "Largest absolute rank correlation of a column with the target.")
def reg_c1(task):
    return spearman(task).max()


@_regression("reg_c2", "Mean absolute rank correlation of a column with the target.")
def reg_c2(task):
    return spearman(task).mean()


@_regression(
    "reg_c3",
    "Least share of the rows that must go, those off the line of ranks first, for the rank "
    "correlation of some column with the target to exceed 0.9.",
)
def reg_c3(task):
    ranks, y = column_ranks(task)
    signs = np.sign((y - y.mean()) @ (ranks - ranks.mean(axis=0)))
    ranks = np.where(signs < 0, len(y) + 1 - ranks, ranks)
    shares = []
    for column in ranks.T:
        task.check_time()
        shares.append(_share_to_drop(column, y))
    return min(shares)


def _share_to_drop(x, y):
    """Share of the points, by falling |x - y|, without which their correlation exceeds 0.9."""
    order = np.argsort(np.abs(x - y), kind="stable")
    x, y = x[order], y[order]
    n = np.arange(1, len(x) + 1)
    sx, sy, sxx, syy, sxy = (np.cumsum(v) for v in (x, y, x * x, y * y, x * y))
    spread = (n * sxx - sx**2) * (n * syy - sy**2)
    r = (n * sxy - sx * sy) / np.sqrt(np.where(spread > 0, spread, np.nan))
    enough = np.flatnonzero(r > 0.9)
    return 1 - n[enough[-1]] / len(x) if enough.size else 1.0


@_regression(
    "reg_c4",
    "Share of the rows that lines in single columns, each fitted to the rows that the ones before "
    "left (most correlated column first), do not bring within a tenth of the target's range.",
)
def reg_c4(task):
    unit, y = unit_rows(task), unit_target(task)
    varies = np.flatnonzero(unit.max(axis=0) > 0)
    rows = np.arange(len(y))
    for column in varies[np.argsort(-spearman(task), kind="stable")]:
        if len(rows) < 2:
            break
        x, target = unit[rows, column], y[rows]
        slope = np.cov(x, target)[0, 1] / x.var(ddof=1) if x.var() > 0 else 0.0
        residual = target - target.mean() - slope * (x - x.mean())
        rows = rows[np.abs(residual) > 0.1]
    return len(rows) / len(y)


@intermediate
def linear_fit(task):
    """Coefficients (intercept last) of least squares on the columns and target in [0, 1]."""
    unit, y = unit_rows(task), unit_target(task)
    task.check_time()
    design = np.column_stack([unit, np.ones(len(unit))])
    return np.linalg.lstsq(design, y, rcond=1e-10)[0]


def _linear(task, rows):
    weights = linear_fit(task)
    return rows @ weights[:-1] + weights[-1]


@_regression("reg_l1", "Mean absolute residual of least squares (target in [0, 1]).")
def reg_l1(task):
    return np.mean(np.abs(unit_target(task) - _linear(task, unit_rows(task))))


@_regression("reg_l2", "Mean squared residual of least squares (target in [0, 1]).")
def reg_l2(task):
    return np.mean((unit_target(task) - _linear(task, unit_rows(task))) ** 2)


@intermediate
def between(task):
    """Points half way or so between rows with neighbouring targets: columns and target."""
    unit, y = unit_rows(task), unit_target(task)
    order = np.lexsort((np.arange(len(y)), y))
    both = np.column_stack([unit, y])[order]
    place = np.random.RandomState(task.seed).random_sample((len(both) - 1, 1))
    points = both[:-1] + place * (both[1:] - both[:-1])
    return points[:, :-1], points[:, -1]


@_regression(
    "reg_l3",
    "Mean squared error of least squares on points between rows with neighbouring targets.",
    "[0, inf)",
)
def reg_l3(task):
    points, y = between(task)
    return np.mean((y - _linear(task, points)) ** 2)


@_regression(
    "reg_s1", "Mean difference of the target along the edges of the minimum spanning tree."
)
def reg_s1(task):
    one, other = spanning_tree(task)
    y = unit_target(task)
    return np.mean(np.abs(y[one] - y[other]))


@_regression("reg_s2", "Mean distance between rows with neighbouring targets.")
def reg_s2(task):
    unit = unit_rows(task)[np.argsort(unit_target(task), kind="stable")]
    return np.mean(np.abs(np.diff(unit, axis=0)))


@_regression("reg_s3", "Mean squared error of one nearest neighbour, each row left out in turn.")
def reg_s3(task):
    y = unit_target(task)
    return np.mean((y - y[neighbours(task)]) ** 2)


@_regression(
    "reg_s4",
    "Mean squared error of one nearest neighbour on points between rows with neighbouring targets.",
)
def reg_s4(task):
    points, y = between(task)
    nearest = gower(points, unit_rows(task)).argmin(axis=1)
    return np.mean((y - unit_target(task)[nearest]) ** 2)
