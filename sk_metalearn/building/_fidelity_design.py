"""Which configurations the other fidelities measure: the winners, and families that rise with n.

Fewer rows are cheap, many rows are costly: both are measured with the same few configurations, on
large datasets only. The choice is made once and stands beside the pool.
"""

import numpy as np
from scipy.stats import rankdata

from ..exceptions import KnowledgeError
from ..spaces import get_family
from ._tasks import LARGE

__all__ = ["SIZE", "choose", "rising_families"]

SIZE = 24
# So many are chosen to complement each other, the rest for their mean.
PORTFOLIO = 16
# Of a family that rises with n so many configurations are measured, where the pool has them.
EACH_RISING = 3
METRIC = {"classification": "accuracy", "regression": "r2"}
# A rise counts beyond so many standard errors.
SURE = 2.0


def rising_families(curves, few="256 rows", many="4096 rows"):
    """Find the families whose rank among all families improves with the number of rows.

    Parameters
    ----------
    curves : KnowledgeBase
        Learning curves: classification tables at the fidelities `few` and `many`. The score of a
        family is that of its best configuration; datasets on which a family is missing at one of
        the two sizes do not count.
    few, many : str

    Returns
    -------
    dict of str to float
        Mean rise in ranks of the families that rise by more than two standard errors, the
        steepest first.

    References
    ----------
    F. Mohr, T. J. Viering, M. Loog, J. N. van Rijn. LCDB 1.0: an extensive learning curves
    database for classification tasks. ECML-PKDD, 2022.
    """
    tables = [curves.table("classification", fidelity) for fidelity in (few, many)]
    shared = sorted(set.intersection(*({task.id for task in table.tasks} for table in tables)))
    names = sorted(
        set.intersection(*({own.family for own in table.configurations} for table in tables))
    )
    best = np.stack([_best_of_families(table, shared, names) for table in tables])
    best = best[:, np.isfinite(best).all(axis=(0, 2))]
    if best.shape[1] < 2:
        raise KnowledgeError(
            f"Ranks are compared on at least two datasets with all families at {few!r} and "
            f"{many!r}; there are {best.shape[1]}."
        )
    before, after = (rankdata(-own, axis=1) for own in best)
    rise = before - after
    mean, error = rise.mean(axis=0), rise.std(axis=0, ddof=1) / np.sqrt(len(rise))
    order = np.argsort(-mean, kind="stable")
    return {names[i]: float(mean[i]) for i in order if mean[i] > SURE * error[i]}


def _best_of_families(table, tasks, names):
    scores = table.scores(table.metrics[0])[[table.row(task) for task in tasks]]
    scores = np.where(np.isnan(scores), -np.inf, scores)
    families = np.array([own.family for own in table.configurations])
    return np.stack([scores[:, families == name].max(axis=1) for name in names], axis=1)


def _serves(family):
    return family.max_train_rows is None and not family.extra


def choose(base, kind, rising=(), size=SIZE):
    """Choose the configurations of the other fidelities from what was measured.

    The dummy estimator; of each rising family the three best in the mean; a greedy portfolio until
    there are 16: each next configuration is the one that lowers most the regret of the best chosen
    so far; then those of the lowest mean regret. Means are over dataset families, of the datasets
    of more than 4,000 rows. Families that serve only few rows, and those of
    optional packages, are left out.

    Parameters
    ----------
    base : KnowledgeBase
    kind : {"classification", "regression"}
    rising : iterable of str, default=()
        From `rising_families`; those that the kind lacks do not count.
    size : int, default=24

    Returns
    -------
    list of Configuration

    Raises
    ------
    KnowledgeError
        If fewer than `size` configurations were measured, or no dataset of so many rows.
    """
    table = base.table(kind)
    table = table.take(
        [task.n_rows > LARGE for task in table.tasks],
        [_serves(get_family(own.family, kind)) for own in table.configurations],
    )
    if len(table.configurations) < size or not table.tasks:
        raise KnowledgeError(
            f"{size} configurations are chosen among those measured on datasets of more than "
            f"{LARGE} rows; for {kind} there are {len(table.configurations)} on "
            f"{len(table.tasks)} such datasets."
        )
    regret, weight = _regret(table, METRIC[kind])
    mean = weight @ regret
    best_first = np.argsort(mean, kind="stable")
    families = np.array([own.family for own in table.configurations])[best_first]
    chosen = list(best_first[families == "dummy"])
    for name in rising:
        chosen.extend(best_first[families == name][:EACH_RISING])
    while len(chosen) < min(PORTFOLIO, size):
        current = regret[:, chosen].min(axis=1)
        gain = weight @ np.maximum(current[:, None] - regret, 0.0)
        gain[chosen] = -np.inf
        chosen.append(int(np.argmax(gain)))
    chosen.extend(i for i in best_first if i not in chosen)
    return [table.configurations[i] for i in chosen[:size]]


def _regret(table, metric):
    """Regret of each cell, 1 where nothing is known, and a weight per task, equal per family."""
    scores = table.scores(metric, failures="dummy")
    best, dummy = np.nanmax(scores, axis=1), table.baseline(metric)
    useful = best > dummy
    regret = (best[:, None] - scores)[useful] / (best - dummy)[useful, None]
    kin = [task.family for task, use in zip(table.tasks, useful, strict=True) if use]
    _, codes, counts = np.unique(kin, return_inverse=True, return_counts=True)
    return np.where(np.isnan(regret), 1.0, np.clip(regret, 0, 1)), 1 / counts[codes] / len(counts)
