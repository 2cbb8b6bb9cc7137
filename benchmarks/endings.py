"""What the end of a search is worth: recorded predictions of candidates under different endings.

    python benchmarks/endings.py --data DIR/larger
    python benchmarks/endings.py --data DIR/small

DIR holds a file of arrays a dataset: ``oof`` (out-of-fold predictions of each candidate, in the order
in which a search asked for them), ``bag`` (on the test rows, the mean of the models of the folds),
``ref`` (on the test rows, the model of all rows), ``y``, ``yt`` (targets of both), ``fold``, ``C`` (number
of classes; 1: regression) and ``info`` (JSON; ``dec``: probabilities made of decision values). Where
``fold`` has two axes there are several shuffles.

A candidate or a mixture is chosen as the search chooses it: by the mean score over folds, and by
`select_members`. Reported is the loss on the test rows (AUC, log loss, R2), 0 for the best
candidate and 1 for their median, with the paired difference to the first ending.

With ``--orders`` the candidates tried in a share of the time of all are mixed: in the order of the
search, and with the first candidate of each model family (``family`` in ``info``) before the second
of any.
"""

import argparse
import json
from pathlib import Path
from unittest import mock

import numpy as np
from sklearn.metrics import get_scorer

from sk_metalearn.evaluation._racing import Race
from sk_metalearn.search import _ensemble
from sk_metalearn.search._ensemble import select_members
from sk_metalearn.search._fast_scores import fast_score

N_CANDIDATES = (10, 20, 40)
N_LEADERS = 12
SHARES = (0.01, 0.03, 0.1, 0.25)
LEAST = 1e-6


class Recording:
    """What the candidates of one dataset predicted.

    Parameters
    ----------
    path : path-like
    """

    def __init__(self, path):
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        self.name = Path(path).stem
        n_classes = int(arrays["C"])
        self.n_classes = 0 if n_classes == 1 else n_classes
        self.scorer = get_scorer({1: "r2", 2: "roc_auc"}.get(n_classes, "neg_log_loss"))
        self.fast = fast_score(self.scorer, self.n_classes)
        folds = np.atleast_2d(arrays["fold"])
        several = arrays["fold"].ndim == 2
        self.y, self.y_test = arrays["y"], arrays["yt"]
        shuffled = {k: arrays[k] if several else arrays[k][:, None] for k in ("oof", "bag")}
        # Shuffles of the folds lie under each other.
        n_shuffles, n_rows = folds.shape
        self.shuffles = [self._complete(shuffled["oof"][:, r]) for r in range(n_shuffles)]
        self.bags = [self._complete(shuffled["bag"][:, r]) for r in range(n_shuffles)]
        self.refits = self._complete(arrays["ref"])
        self.tests = [
            [np.flatnonzero(own == fold) + r * n_rows for fold in np.unique(own)]
            for r, own in enumerate(folds)
        ]
        info = json.loads(str(arrays["info"]))
        # One logistic map of many decision values overfits.
        left_out = [bool(own.get("dec")) and n_classes > 2 for own in info]
        finite = np.isfinite(self.scores(1)) & np.isfinite(self.test_scores(self.refits))
        self.usable = np.flatnonzero(finite & ~np.array(left_out))
        self.families = [own["family"] for own in info]
        self.seconds = np.array([own["secs"] for own in info])

    def _complete(self, predictions):
        """Give values, or a probability of every class."""
        predictions = predictions.astype(float)
        if not self.n_classes:
            return predictions.reshape(predictions.shape[:2])
        if self.n_classes == 2:
            second = predictions.reshape(predictions.shape[:2])
            predictions = np.stack([1 - second, second], axis=-1)
        return np.maximum(predictions, LEAST)

    def fold_scores(self, n_shuffles):
        """Score each candidate on each fold of the first shuffles."""
        stacked, y, tests = self.evidence(n_shuffles)
        return np.array([self.fast(y[rows], stacked[:, rows]) for rows in tests]).T

    def scores(self, n_shuffles):
        """Score each candidate on the folds of the first shuffles."""
        return self.fold_scores(n_shuffles).mean(axis=1)

    def test_scores(self, predictions):
        """Score predictions, (m, n[, n_classes]), on the test rows."""
        return self.fast(self.y_test, predictions)

    def evidence(self, n_shuffles):
        """Give predictions, target and test rows of the first shuffles, under each other."""
        stacked = np.concatenate(self.shuffles[:n_shuffles], axis=1)
        tests = [rows for own in self.tests[:n_shuffles] for rows in own]
        return stacked, np.tile(self.y, n_shuffles), tests

    def one_selection(self, candidates, n_shuffles):
        """Choose members by one selection among all candidates, not by one of each half."""
        with mock.patch.object(_ensemble, "_bags", lambda n, judge: [np.arange(n)]):
            return self.ensemble(candidates, n_shuffles)

    def ensemble(self, candidates, n_shuffles=1):
        """Choose members among candidates; give a weight for each of all."""
        stacked, y, tests = self.evidence(n_shuffles)
        classes = np.arange(self.n_classes) if self.n_classes else None
        chosen, _ = select_members(
            [stacked[i] for i in candidates], y, self.scorer, tests, classes=classes
        )
        weights = np.zeros(len(stacked))
        for place, count in chosen.items():
            weights[candidates[place]] = count
        return weights / weights.sum()

    def single(self, candidates, n_shuffles=1):
        """Choose one candidate; give a weight for each of all."""
        scores = self.scores(n_shuffles)
        weights = np.zeros(len(scores))
        weights[max(candidates, key=lambda i: scores[i])] = 1
        return weights

    def leaders(self, candidates):
        """Give the best candidates by one shuffle."""
        scores = self.scores(1)
        return sorted(candidates, key=lambda i: -scores[i])[:N_LEADERS]

    def survivors(self, candidates):
        """Give the candidates that a race between them leaves."""
        by_fold = self.fold_scores(1)
        race, left = Race(by_fold.shape[1]), []
        for i in candidates:
            incumbent = race.incumbent()
            firsts = range(1, by_fold.shape[1])
            if not any(race.lost(incumbent, by_fold[i, :done]) for done in firsts):
                race.add(by_fold[i])
                left.append(i)
        return left

    def loss(self, weights, n_shuffles=0):
        """Loss on the test rows of models of all rows, or of the models of so many shuffles."""
        models = np.mean(self.bags[:n_shuffles], axis=0) if n_shuffles else self.refits
        candidates = -self.test_scores(self.refits[self.usable])
        low, high = candidates.min(), np.median(candidates)
        own = -self.test_scores(np.tensordot(weights, models, 1)[None])[0]
        return float(np.clip((own - low) / max(high - low, 1e-6), -1, 2))


def endings(recording, n_candidates):
    """Give the loss of each ending."""
    r = recording
    known = [int(i) for i in r.usable if i < n_candidates]
    single, ensemble = r.single(known), r.ensemble(known)
    raced = r.ensemble(r.survivors(known))
    losses = {
        "single, refitted": r.loss(single),
        "single, fold models": r.loss(single, 1),
        "race, ensemble of the rest, refitted": r.loss(raced),
        "race, ensemble of the rest, fold models": r.loss(raced, 1),
        "ensemble, refitted": r.loss(ensemble),
        "ensemble, fold models": r.loss(ensemble, 1),
    }
    n = len(r.shuffles)
    leaders = r.leaders(known)
    losses |= {
        "one selection, refitted": r.loss(r.one_selection(leaders, n)),
        "a selection of each half, refitted": r.loss(r.ensemble(leaders, n)),
    }
    if n > 1:
        whole, leaders = r.ensemble(known, n), r.ensemble(leaders, n)
        losses |= {
            f"single by {n} shuffles, refitted": r.loss(r.single(known, n)),
            f"ensemble by {n} shuffles, refitted": r.loss(whole),
            f"ensemble by {n} shuffles, their fold models": r.loss(whole, n),
            f"{N_LEADERS} leaders by {n} shuffles, ensemble, refitted": r.loss(leaders),
            f"{N_LEADERS} leaders by {n} shuffles, ensemble, their fold models": r.loss(leaders, n),
        }
    return losses


def orders(recording, share):
    """Give the loss of a mixture of what is tried in a share of the time, by order."""
    r = recording
    known, first = [int(i) for i in r.usable], {}
    for i in known:
        first.setdefault(r.families[i], i)
    others = [i for i in known if i not in first.values()]
    losses = {}
    for name, order in (
        ("as the search asked", known),
        ("first of each family first", [*first.values(), *others]),
    ):
        passed = np.cumsum(r.seconds[order]) / r.seconds[known].sum()
        tried = order[: max(1, np.searchsorted(passed, share, side="right"))]
        losses[name] = r.loss(r.ensemble(r.leaders(tried)), 1)
    return losses


def show(what, losses):
    """Print the mean of each ending over datasets, and its difference to the first."""
    first = np.array([next(iter(own.values())) for own in losses])
    print(f"\n{what}, {len(losses)} datasets: loss, difference, better / worse")
    for ending in losses[0]:
        own = np.array([dataset[ending] for dataset in losses])
        difference = own - first
        error = difference.std(ddof=1) / np.sqrt(len(own)) if len(own) > 1 else np.nan
        better, worse = np.mean(difference < -0.005), np.mean(difference > 0.005)
        print(
            f"{ending:58} {own.mean():.3f}  {difference.mean():+.3f} ({error:.3f})  "
            f"{better:.0%} / {worse:.0%}"
        )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--candidates", type=int, nargs="*", default=N_CANDIDATES)
    parser.add_argument("--orders", action="store_true")
    parser.add_argument("--every", type=int, default=1, help="only each so many-th dataset")
    options = parser.parse_args()
    paths = sorted(options.data.glob("*.npz"))[:: options.every]
    if not paths:
        raise SystemExit(f"No recorded predictions (*.npz) are in {options.data}.")
    judge = orders if options.orders else endings
    losses = {n: [] for n in (SHARES if options.orders else options.candidates)}
    for path in paths:
        recording = Recording(path)
        for n, own in losses.items():
            own.append(judge(recording, n))
    for n, own in losses.items():
        show(f"{n:.0%} of the time" if options.orders else f"{n} candidates", own)


if __name__ == "__main__":
    main()
