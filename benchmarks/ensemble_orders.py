"""In which order to try candidates when the end is an ensemble: recorded predictions of the pool.

    sk-metalearn kb build run DATA SHARDS --keep KEPT
    python benchmarks/ensemble_orders.py pack KEPT --data DATA --out PREDICTIONS.npz
    python benchmarks/ensemble_orders.py judge PREDICTIONS.npz \\
        --out benchmarks/results/ensemble_orders.csv

`pack` makes a small file of what the configurations predicted: at most 250 rows of the folds and as
many outside them, in half precision, decision values as the probabilities that a search makes of them.

`judge` replays a search on each dataset without what is known of its family, and mixes what was tried
first as a search does. Printed is the loss of the mixture outside the folds (AUC, log loss, R2), 0 for
the best configuration there and 1 for their median, and the paired difference to ``auto`` with its
standard error. The orders:

- ``auto``: the strategy as it is.
- ``portfolio of ensembles``: first twelve that, one after the other, lower the mean loss of a mixture
  on the other datasets most, then ``auto``.
- ``portfolio of single models``: twelve that lower the mean loss of the best of them most.
- ``gain of the ensemble``: ``auto``, but the expected improvement of a candidate counts the more the
  less its errors go with those of the best found so far, by what is known of their model families.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _replay import replay, without
from joblib import Parallel, delayed
from sklearn.metrics import get_scorer
from wider_pool import MARGINS, write

from sk_metalearn import KnowledgeBase
from sk_metalearn.building._kept_predictions import KeptPredictions
from sk_metalearn.building._tasks import list_tasks, prepare
from sk_metalearn.evaluation import calibrate, unseen_probabilities
from sk_metalearn.evaluation._margins import _Given
from sk_metalearn.search._ensemble import mix, select_members
from sk_metalearn.search._fast_scores import fast_score
from sk_metalearn.search._past_lookup import performance_of
from sk_metalearn.spaces import KINDS, load_pool
from sk_metalearn.strategies._auto_strategy import Auto

MOST_ROWS = 250
N_FIRST = 12
AT = (3, 5, 8, 12, 20, 30)
LEAST = 1e-6
SHARES = np.array([0.1, 0.2, 0.35, 0.5, 0.7])


def rows_of(n, rng):
    """Draw the rows that are kept."""
    return np.sort(rng.permutation(n)[:MOST_ROWS])


def as_probabilities(task, folds, outer):
    """Give the probabilities that a search makes of decision values, of the folds and outside."""
    y = task.y[task.development]
    folds, outer = (own[:, 1] if own.shape[1] == 2 else own for own in (folds, outer))
    classes = np.arange(task.n_classes)
    given, found = _Given(folds.astype(float), classes), np.empty((len(y), task.n_classes))
    for fold in np.unique(task.fold_of):
        rows = np.flatnonzero(task.fold_of == fold)
        own = _Given(folds[rows].astype(float), classes)
        found[rows] = unseen_probabilities(own, np.arange(len(rows))[:, None], y[rows])
    mapped = calibrate(given, np.arange(len(y))[:, None], y)
    mapped.estimator.values = outer.astype(float)
    return found, mapped.predict_proba(np.arange(len(outer))[:, None])


def pack_task(kept, task, families):
    """Give the arrays of a task."""
    truth, predictions = kept.of_task(task.id)
    n, rng = len(task.development), np.random.default_rng(0)
    rows = rows_of(n, rng), rows_of(len(truth) - n, rng)
    names, parts = [], ([], [])
    for name, both in sorted(predictions.items()):
        if task.n_classes and families[name] in MARGINS:
            try:
                both = as_probabilities(task, *both)
            except ValueError:
                continue
        if task.n_classes == 2:
            both = [own[:, 1] for own in both]
        if all(np.isfinite(own).all() for own in both):
            names.append(name)
            for part, own, chosen in zip(parts, both, rows, strict=True):
                part.append(own[chosen].astype(np.float16))
    return {
        "names": np.array(names),
        "folds": np.array(parts[0]),
        "outer": np.array(parts[1]),
        "y": truth[:n][rows[0]],
        "y_outer": truth[n:][rows[1]],
        "fold_of": task.fold_of[rows[0]].astype(np.int8),
        "n_classes": np.int16(task.n_classes),
    }


def pack(options):
    """Write the small file."""
    kept = KeptPredictions(options.kept)
    held = {task for task, _, _ in kept.held()}
    families = {own.id: own.family for kind in KINDS for own in load_pool(kind)}
    arrays = {}
    for source in list_tasks(options.data):
        task = prepare(source)
        if task.id in held:
            for name, own in pack_task(kept, task, families).items():
                arrays[f"{task.id}/{name}"] = own
    np.savez_compressed(options.out, **arrays)
    print(f"{options.out}: {len(arrays) // 7} datasets, {options.out.stat().st_size:,} bytes")


class Recording:
    """What the configurations predicted of one dataset.

    Parameters
    ----------
    arrays : dict of str to ndarray
        As `pack_task` gives them.
    table : PerformanceTable
    """

    def __init__(self, arrays, table, row):
        self.row, self.family = row, table.tasks[row].family
        self.n_classes = int(arrays["n_classes"])
        # As the knowledge base names them.
        self.metric = {0: "r2", 2: "roc_auc_ovr"}.get(self.n_classes, "neg_log_loss")
        self.scorer = get_scorer("roc_auc" if self.n_classes == 2 else self.metric)
        self.fast = fast_score(self.scorer, self.n_classes)
        place = {own.id: i for i, own in enumerate(table.configurations)}
        known = [i for i, name in enumerate(arrays["names"]) if str(name) in place]
        self.columns = np.array([place[str(arrays["names"][i])] for i in known])
        self.y, self.y_outer = (self._target(arrays[name]) for name in ("y", "y_outer"))
        self.folds, self.outer = (self._complete(arrays[k][known]) for k in ("folds", "outer"))
        fold_of = arrays["fold_of"]
        self.tests = [np.flatnonzero(fold_of == fold) for fold in np.unique(fold_of)]
        told = table.scores(self.metric)[row, self.columns]
        self.told = np.where(np.isfinite(told), told, np.nanmin(told))
        losses = -self.judge_outer(self.outer)
        self.low, self.middle = losses.min(), np.median(losses)

    def _target(self, y):
        return y.astype(int) if self.n_classes else y.astype(float)

    def _complete(self, predictions):
        predictions = predictions.astype(float)
        if self.n_classes == 2:
            predictions = np.stack([1 - predictions, predictions], axis=-1)
        return np.maximum(predictions, LEAST) if self.n_classes else predictions

    def judge_folds(self, mixtures):
        """Score mixtures on the rows of all folds."""
        return self.fast(self.y, mixtures)

    def judge_outer(self, mixtures):
        """Score mixtures outside the folds."""
        return self.fast(self.y_outer, mixtures)

    def loss(self, scores):
        """Put scores outside the folds between the best configuration and the median."""
        return np.clip((-scores - self.low) / max(self.middle - self.low, 1e-9), -1, 2)

    def of_first(self, order):
        """Loss of the mixture of the first so many."""
        found, classes = [], np.arange(self.n_classes) if self.n_classes else None
        for n in AT:
            own = order[:n]
            given = [self.folds[i] for i in own]
            weights, _ = select_members(given, self.y, self.scorer, self.tests, classes=classes)
            mixture = mix([self.outer[i] for i in own], weights)
            found.append(self.loss(self.judge_outer(mixture[None]))[0])
        return found


def greedy(recordings, n_columns, mixed):
    """Give columns, each the one that lowers the mean loss of the mixture, or best, so far most."""
    states = [(None, None, -np.inf, 1.0) for _ in recordings]
    order = []
    for _ in range(N_FIRST):
        steps = [step(own, *state, mixed) for own, state in zip(recordings, states, strict=True)]
        total = np.zeros(n_columns)
        for own, state, (_, _, _, after) in zip(recordings, states, steps, strict=True):
            # One that was not measured there changes nothing.
            change = np.full(n_columns, state[3])
            change[own.columns] = after
            total += change
        total[order] = np.inf
        order.append(int(total.argmin()))
        for k, (own, (folds, outer, told, after)) in enumerate(zip(recordings, steps, strict=True)):
            for i in np.flatnonzero(own.columns == order[-1]):
                states[k] = folds(i), outer(i), told[i], after[i]
    return order


def step(recording, folds, outer, told, loss, mixed):
    """What each configuration makes of a mixture: predictions, score told, and loss outside."""
    shares = np.array([1.0]) if folds is None or not mixed else SHARES
    scores, losses = (
        [np.full(len(recording.columns), told)],
        [np.full(len(recording.columns), loss)],
    )
    for share in shares:
        scores.append(recording.judge_folds(blend(folds, recording.folds, share)))
        own = recording.judge_outer(blend(outer, recording.outer, share))
        losses.append(recording.loss(own))
    best = np.argmax(scores, axis=0)
    taken, places = np.r_[0.0, shares], np.arange(len(best))

    def after(own, given):
        return lambda i: blend(own, given[i], taken[best[i]])

    chosen = np.array(scores)[best, places], np.array(losses)[best, places]
    return after(folds, recording.folds), after(outer, recording.outer), *chosen


def blend(own, other, share):
    """Mix in a share of another."""
    return other if own is None or share == 1.0 else (1 - share) * own + share * other


def error_correlations(recordings, families):
    """Mean correlation of errors between configurations, by the pair of their families."""
    names = sorted(set(families))
    of_column = np.array([names.index(own) for own in families])
    total, n = np.zeros((2, len(names), len(names)))
    for own in recordings:
        truth = np.eye(own.n_classes)[own.y] if own.n_classes else own.y
        with np.errstate(invalid="ignore"):
            found = np.corrcoef((own.folds - truth).reshape(len(own.folds), -1))
        pairs = np.ix_(of_column[own.columns], of_column[own.columns])
        others = np.isfinite(found) & ~np.eye(len(found), dtype=bool)
        np.add.at(total, tuple(np.broadcast_arrays(*pairs)), np.where(others, found, 0))
        np.add.at(n, tuple(np.broadcast_arrays(*pairs)), others)
    mean = np.where(n > 0, total / np.maximum(n, 1), 0.0)
    return mean[np.ix_(of_column, of_column)]


@dataclass
class Listed(Auto):
    """``auto`` after a list of candidates."""

    first: tuple = ()

    def propose(self):
        if self.n_done < len(self.first):
            return self.make(candidate=self.first[self.n_done], reason="portfolio")
        return super().propose()


@dataclass
class Diverse(Auto):
    """``auto`` whose expected improvement counts less where errors go with those of the best."""

    alike: tuple = ()
    power: float = 1.0

    def utility(self):
        utility, details = super().utility()
        indices, scores, _ = self.observed()
        if self.n_done < self._n_portfolio or not len(scores):
            return utility, details
        leaders = indices[np.argsort(-scores)[:4]]
        rho = np.asarray(self.alike)[:, leaders].mean(axis=1)
        return utility * np.maximum(1 - rho, 0.05) ** self.power, details


def judge_task(recording, table, orders):
    """Give the losses of all orders on a dataset: (order, time)."""
    columns = recording.columns
    pool = [table.configurations[i] for i in columns]
    past = performance_of(pool, recording.metric, without(table, recording.family))
    features = dict(zip(table.metafeature_names, table.metafeatures[recording.row], strict=True))
    found = []
    for kind, given in orders.items():
        if kind.startswith("portfolio"):
            place = {own: i for i, own in enumerate(columns.tolist())}
            strategy = Listed(first=tuple(place[own] for own in given if own in place))
        elif kind.startswith("gain"):
            power = float(kind.rpartition(" ")[2])
            strategy = Diverse(alike=given[np.ix_(columns, columns)], power=power)
        else:
            strategy = Auto()
        n = min(max(AT), len(pool))
        order = replay(pool, recording.told, table.kind, past, features, n, strategy)
        found.append(recording.of_first(order))
    return found


def judge_kind(arrays, table, n_jobs):
    """Give the losses on all datasets of a kind: (dataset, order, time), and the names of orders."""
    rows = {task.id: i for i, task in enumerate(table.tasks)}
    recordings = [Recording(own, table, rows[name]) for name, own in arrays if name in rows]
    recordings = [own for own in recordings if own.middle > own.low]
    families = sorted({own.family for own in recordings})
    groups = np.random.default_rng(0).permutation(len(families)) % 5
    group_of = dict(zip(families, groups, strict=True))
    dummies = {i for i, own in enumerate(table.configurations) if own.family == "dummy"}
    for own in recordings:
        keep = ~np.isin(own.columns, list(dummies))
        own.columns, own.told = own.columns[keep], own.told[keep]
        own.folds, own.outer = own.folds[keep], own.outer[keep]
    kinds = [own.family for own in table.configurations]
    work = []
    for group in range(5):
        others = [own for own in recordings if group_of[own.family] != group]
        n = len(table.configurations)
        alike = error_correlations(others, kinds)
        orders = {
            "auto": None,
            "portfolio of ensembles": greedy(others, n, True),
            "portfolio of single models": greedy(others, n, False),
            "gain of the ensemble, to the power of 1": alike,
            "gain of the ensemble, to the power of 2": alike,
        }
        own = [own for own in recordings if group_of[own.family] == group]
        work += [delayed(judge_task)(recording, table, orders) for recording in own]
    return np.array(Parallel(n_jobs)(work)), list(orders)


def judge(options):
    """Compare the orders."""
    base, table = KnowledgeBase.bundled(), []
    with np.load(options.predictions) as file:
        tasks = sorted({name.partition("/")[0] for name in file.files})
        arrays = [
            (
                task,
                {
                    part.partition("/")[2]: file[part]
                    for part in file.files
                    if part.startswith(task)
                },
            )
            for task in tasks
        ]
    for kind in KINDS:
        losses, names = judge_kind(arrays, base.table(kind), options.jobs)
        for k, n in enumerate(AT):
            for i, name in enumerate(names):
                gain = losses[:, i, k] - losses[:, 0, k]
                error = gain.std(ddof=1) / len(gain) ** 0.5
                numbers = (f"{own:.3f}" for own in (losses[:, i, k].mean(), gain.mean(), error))
                better, worse = (gain < -0.005).sum(), (gain > 0.005).sum()
                table.append((kind, len(losses), n, name, *numbers, better, worse))
    head = "kind", "datasets", "tried", "order", "loss", "difference", "error", "better", "worse"
    write(options.out, [head, *table])
    for row in (head, *table):
        print(*row, sep="\t")


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    packing = commands.add_parser("pack")
    packing.add_argument("kept", type=Path)
    packing.add_argument("--data", required=True)
    packing.set_defaults(call=pack)
    judging = commands.add_parser("judge")
    judging.add_argument("predictions", type=Path)
    judging.add_argument("--jobs", type=int, default=2)
    judging.set_defaults(call=judge)
    for own in (packing, judging):
        own.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.call(options)


if __name__ == "__main__":
    main()
