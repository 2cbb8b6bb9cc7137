"""Searches on past tasks: what the learned strategies are meta-trained on."""

import hashlib
from dataclasses import replace
from functools import cached_property

import numpy as np

from ..spaces import point_key
from ._active_testing import ActiveGreedy
from ._past_performance import PastMatrix
from ._strategy import Context, Outcome, Proposal

__all__ = ["PastSearches"]

STEPS = (0, 1, 2, 3, 4, 6, 8, 11, 15, 20, 27, 36)


_PER_TASK = ("evidence", "reference", "cosine", "evicted")


class PastSearches:
    """Searches on past tasks, each with the tasks of other families as its past.

    Parameters
    ----------
    past : PastPerformance
        Performance on the tasks to search.
    groups : sequence of shape (n_tasks,)
        Family of each task; what is learned from a search never saw a task of its family.
    candidates : sequence of dict
        Points, one for each column of the past.
    space : Space, optional
        Space of the candidates.
    kind : {"classification", "regression"}
        Kind of the tasks.
    n_searches : int, default=150
        Most searches to learn from; tasks beyond them serve as past alone.
    seed : int, default=0
        Determines which tasks are searched and what the searches tried.
    """

    def __init__(
        self, past, groups, candidates, space=None, kind="classification", n_searches=150, seed=0
    ):
        self.past, self.kind = past, kind
        self.candidates, self.space = candidates, space
        scores = np.asarray(past.scores, dtype=float)
        varied = [np.unique(row[np.isfinite(row)]).size > 1 for row in scores]
        self.groups = np.asarray(groups)
        rng = np.random.default_rng(seed)
        self.tasks = np.sort(rng.permutation(np.flatnonzero(varied))[:n_searches])
        best, worst = np.nanmax(scores[self.tasks], 1), np.nanmin(scores[self.tasks], 1)
        if past.baseline is not None:
            base = np.asarray(past.baseline, dtype=float)[self.tasks]
            worst = np.where(base < best, base, worst)
        regret = (best[:, None] - scores[self.tasks]) / (best - worst)[:, None]
        self.regret = np.clip(np.where(np.isfinite(regret), regret, 1.0), 0.0, 1.0)
        self.matrix = PastMatrix(past)
        self._records, self._rng = {}, rng

    def others(self, i):
        """Rows of the past that a search on the i-th task may know."""
        return np.flatnonzero(self.groups != self.groups[self.tasks[i]])

    def context(self, i):
        """Context of a search on the i-th task."""
        rows, past = self.others(i), self.past
        cut = {
            name: np.asarray(getattr(past, name))[rows]
            for name in ("scores", "seconds", "spread", "baseline", "metafeatures")
            if getattr(past, name) is not None
        }
        features = None
        if past.metafeatures is not None:
            own = np.asarray(past.metafeatures, dtype=float)[self.tasks[i]]
            features = dict(zip(past.metafeature_names, own, strict=True))
        return Context(
            candidates=self.candidates,
            space=self.space,
            kind=self.kind,
            past=replace(past, tasks=(), **cut),
            metafeatures=features,
        )

    @property
    def fingerprint(self):
        """Hash of what is learned from, 16 hexadecimal digits."""
        digest = hashlib.sha256(repr(self.groups.tolist()).encode())
        for values in (self.past.scores, self.past.baseline, self.past.metafeatures):
            if values is not None:
                digest.update(np.nan_to_num(np.asarray(values, dtype=float)).tobytes())
        for point in self.candidates:
            digest.update(repr(point_key(point)).encode())
        digest.update(repr(tuple(self.past.metafeature_names or ())).encode())
        return digest.hexdigest()[:16]

    @cached_property
    def orders(self):
        """Candidates as the searches tried them: most by active greedy, a third by chance."""
        n = min(max(STEPS), len(self.candidates) - 2)
        orders = np.zeros((len(self.tasks), n), dtype=int)
        for i, task in enumerate(self.tasks):
            told = np.asarray(self.past.scores, dtype=float)[task]
            searcher = ActiveGreedy().start(self.context(i))
            for k in range(n):
                if self._rng.random() < 1 / 3:
                    left = searcher.untried
                    measured = left[np.isfinite(told[left])]
                    proposal = searcher.make(
                        candidate=self._rng.choice(measured if len(measured) else left)
                    )
                else:
                    proposal = searcher.ask()[0]
                orders[i, k] = proposal.candidate
                searcher.tell([Outcome(proposal, float(told[proposal.candidate]))])
        return orders

    def record(self, make, key=None):
        """Describe the searches as a strategy sees them.

        Parameters
        ----------
        make : callable
            Gives a new strategy, a `LearnedChoice`.
        key : hashable, optional
            What was recorded under the same key is given again.

        Returns
        -------
        dict of str to ndarray
            Its descriptions of all states, stacked, with ``own``, ``tried`` and ``scale`` (see
            `choice_loss`), ``mask`` (past tasks it does not know) and ``task`` beside them.
        """
        if key in self._records:
            return self._records[key]
        steps = [k for k in STEPS if k <= self.orders.shape[1]]
        states, n_rows = [], len(self.past.scores)
        for i, task in enumerate(self.tasks):
            told = np.asarray(self.past.scores, dtype=float)[task]
            searcher = make().start(self.context(i))
            rows = self.others(i)[searcher.matrix.rows]
            hidden = np.full(n_rows, -1e9)
            hidden[rows] = 0.0
            for k in range(max(steps) + 1):
                if k:
                    candidate = int(self.orders[i, k - 1])
                    searcher.record.tried[candidate] = True
                    point = self.candidates[candidate]
                    outcome = Outcome(Proposal(k, point, candidate), float(told[candidate]))
                    searcher.tell([outcome])
                if k not in steps:
                    continue
                state = searcher.describe()
                state.pop("regret", None)
                for name in _PER_TASK:
                    if name in state:
                        wide = np.zeros((n_rows, *state[name].shape[1:]))
                        wide[rows] = state[name]
                        state[name] = wide
                seen = searcher.record.tried.copy()
                extra = {"own": self.regret[i], "tried": seen, "mask": hidden, "task": i}
                states.append(state | extra | {"scale": np.where(seen, self.regret[i], 1.0).min()})
        for place in range(len(steps)):
            same = states[place :: len(steps)]
            mean = np.mean([state["scale"] for state in same])
            for state in same:
                state["scale"] = 1.0 / max(mean, 1e-6)
        recorded = {
            name: np.stack([state[name] for state in states]).astype(np.float32)
            for name in states[0]
        }
        if key is not None:
            self._records[key] = recorded
        return recorded
