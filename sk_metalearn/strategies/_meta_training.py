"""Meta-train the strategies: searches on past tasks are the tasks to learn from.

    python -m sk_metalearn.strategies._meta_training --out FOLDER

writes the weights of every method for both kinds, meta-trained on the bundled knowledge. What is
there already and was learned from the same knowledge is left as it is, so that an interrupted run
goes on where it stopped.
"""

import argparse
import hashlib
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from .. import __version__
from ..knowledge import KnowledgeBase
from ..metalearners import MetaWeights, OuterLoop
from ..metalearners._backend import namespace, softmax, value_and_grad
from ..metalearners._embedding import embed
from ..spaces import catalogue_space, to_point
from ._active_greedy import ActiveGreedy
from ._base import Context, Outcome, PastPerformance, Proposal
from ._meta_attention import metafeature_table
from ._meta_base import LearnedChoice, weights_path
from ._meta_matching import Matching
from ._meta_memory import Memory
from ._meta_network import MetaNetwork
from ._meta_prototypical import Prototypical
from ._meta_siamese import Siamese, contrastive_loss
from ._meta_surrogate import MAML, SNAIL, Reptile
from ._past import PastMatrix
from ._points import Encoder, point_key

__all__ = ["METHODS", "PastSearches", "bundled_searches", "meta_train"]

METHODS = {
    kind.method: kind
    for kind in (Matching, Prototypical, Siamese, Memory, MetaNetwork, MAML, Reptile, SNAIL)
}
CHOICE = OuterLoop(
    max_iter=600, batch_size=64, learning_rate=0.02, validation_interval=25, n_iter_no_change=8
)
METRIC = OuterLoop(
    max_iter=400, batch_size=32, learning_rate=2e-3, validation_interval=25, n_iter_no_change=5
)
N_PROTOTYPES = (4, 8, 16)

STEPS = (0, 1, 2, 3, 4, 6, 8, 11, 15, 20, 27, 36)
_SHARPNESS = 4.0
_PER_TASK = ("evidence", "reference", "cosine", "evicted")


class PastSearches:
    """Searches on past tasks, each with the tasks of other families as its past.

    Parameters
    ----------
    past : PastPerformance
    groups : sequence of shape (n_tasks,)
        Family of each task; what is learned from a search never saw a task of its family.
    candidates : sequence of dict
    space : Space, optional
    kind : {"classification", "regression"}
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
        self._records = {}
        self._orders(rng)

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
        digest = hashlib.sha256(np.nan_to_num(np.asarray(self.past.scores, dtype=float)).tobytes())
        for point in self.candidates:
            digest.update(repr(point_key(point)).encode())
        return digest.hexdigest()[:16]

    def _orders(self, rng):
        """Candidates as a search tried them: most by active greedy, a third by chance."""
        n = min(max(STEPS), len(self.candidates) - 2)
        self.orders = np.zeros((len(self.tasks), n), dtype=int)
        for i, task in enumerate(self.tasks):
            told = np.asarray(self.past.scores, dtype=float)[task]
            searcher = ActiveGreedy().start(self.context(i))
            for k in range(n):
                if rng.random() < 1 / 3:
                    left = searcher.untried
                    measured = left[np.isfinite(told[left])]
                    proposal = searcher.make(
                        candidate=rng.choice(measured if len(measured) else left)
                    )
                else:
                    proposal = searcher.ask()[0]
                self.orders[i, k] = proposal.candidate
                searcher.tell([Outcome(proposal, float(told[proposal.candidate]))])

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


def choice_loss(rating, own, tried, scale):
    """Regret expected to be left after the next choice, in units of that before, on average.

    The choice is drawn from the softmax of the rating over the candidates not tried; its
    sharpness lets the best candidate have most of the probability without hiding the others.

    Parameters
    ----------
    rating : array of shape (n_searches, n_candidates)
    own : array of shape (n_searches, n_candidates)
        Regret of the candidates on the task searched.
    tried : array of shape (n_searches, n_candidates)
        1 for what was tried, else 0.
    scale : array of shape (n_searches,)
        One over the mean regret of all searches at the same step, which makes steps comparable.

    Returns
    -------
    scalar
    """
    xp = namespace(rating)
    chance = softmax(_SHARPNESS * rating - 1e9 * tried)
    # The best so far: 1 before the first result.
    current = 1.0 - xp.amax(tried * (1.0 - own), -1)
    gain = xp.clip(current[..., None] - own, 0.0, None)
    return ((current - (chance * gain).sum(-1)) * scale).mean()


def learn_choice(kind_of, start, states, searches, outer, rng):
    """Learn the weights of a choice by its loss on recorded searches.

    Parameters
    ----------
    kind_of : type
        A `LearnedChoice`.
    start : dict of str to ndarray
    states : dict of str to ndarray
        See `PastSearches.record`.
    searches : PastSearches
    outer : OuterLoop
    rng : numpy.random.RandomState

    Returns
    -------
    params : dict of str to ndarray
    history : dict of str to list
    """
    names = [name for name in states if name != "task"]
    regret = np.ones((len(searches.past.scores), searches.regret.shape[1]), dtype=np.float32)
    regret[searches.matrix.rows] = searches.matrix.regret
    families = searches.groups[searches.tasks]
    held = rng.permutation(np.unique(families))
    held = held[: max(1, round(outer.validation_fraction * len(held)))]
    is_held = np.isin(families, held)[states["task"].astype(int)]
    train, validation = np.flatnonzero(~is_held), np.flatnonzero(is_held)

    def loss(params, *arrays):
        state = dict(zip(names, arrays, strict=False))
        if len(arrays) > len(names):
            state["regret"] = arrays[-1]
        return choice_loss(
            kind_of.rate(params, state), state["own"], state["tried"], state["scale"]
        )

    def batch(rows):
        extra = [regret] if "reference" in names else []
        return [states[name][rows] for name in names] + extra

    def gradient(params):
        return value_and_grad(loss, params, *batch(rng.choice(train, outer.batch_size)))

    def validate(params):
        parts = [
            validation[i : i + outer.batch_size]
            for i in range(0, len(validation), outer.batch_size)
        ]
        losses = [loss(params, *batch(part)) for part in parts]
        return np.average(losses, weights=[len(part) for part in parts])

    return outer.run(start, gradient, validate, kind_of.method)


def like_profiles(normal):
    """Pairs of tasks on which the same candidates do well: the tenth of highest correlation.

    Parameters
    ----------
    normal : ndarray of shape (n_tasks, n_candidates)
        Normal scores.

    Returns
    -------
    ndarray of shape (n_tasks, n_tasks), dtype bool
    """
    likeness = np.nan_to_num(np.corrcoef(normal))
    return likeness >= np.quantile(likeness[np.triu_indices(len(normal), 1)], 0.9)


def learn_metric(params, table, alike, outer, rng):
    """Learn the embedding of a siamese network by the contrastive loss.

    Parameters
    ----------
    params : dict of str to ndarray
    table : ndarray of shape (n_tasks, n_metafeatures)
        Standardised meta-features.
    alike : ndarray of shape (n_tasks, n_tasks), dtype bool
        Pairs of tasks to bring together.
    outer : OuterLoop
    rng : numpy.random.RandomState

    Returns
    -------
    dict of str to ndarray
    """
    table = table.astype(np.float32)
    pairs = np.column_stack(np.triu_indices(len(table), 1))
    alike = alike[pairs[:, 0], pairs[:, 1]]
    held = rng.permutation(len(table))[: max(2, round(outer.validation_fraction * len(table)))]
    inside = np.isin(pairs, held)
    train, validation = ~inside.any(axis=1), inside.all(axis=1)
    # Distances begin at about 1, that of the margin.
    scale = np.float32(1.0 / np.sqrt(2.0 * table.shape[1]))
    params = params | {"linear": params["linear"] * scale}

    def loss(params, first, second, different):
        return contrastive_loss(embed(params, first), embed(params, second), different)

    def batch(chosen):
        first, second = pairs[chosen].T
        return table[first], table[second], (~alike[chosen]).astype(np.float32)

    def gradient(params):
        parts = (train & alike, train & ~alike)
        half = outer.batch_size
        chosen = np.concatenate([rng.choice(np.flatnonzero(part), half) for part in parts])
        return value_and_grad(loss, params, *batch(chosen))

    def validate(params):
        parts = (validation & alike, validation & ~alike)
        return np.mean([loss(params, *batch(part)) for part in parts if part.any()])

    return outer.run(params, gradient, validate, "siamese metric")[0]


def meta_train(method, searches, seed=0, verbose=False):
    """Meta-train a strategy on searches of past tasks.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    searches : PastSearches
    seed : int, default=0
        Of initial weights, episodes and the families held out for early stopping.
    verbose : bool, default=False
        Whether to draw a progress bar.

    Returns
    -------
    MetaWeights
        For the option `weights` of the strategy.
    """
    kind_of = METHODS[method]
    about = {"knowledge": searches.fingerprint, "package": __version__, "seed": str(seed)}
    if issubclass(kind_of, LearnedChoice):
        params, n_features = _train_choice(kind_of, searches, seed, verbose), 0
        if method == "siamese":
            n_features = len(params["linear"])
        return MetaWeights(f"search_{method}", searches.kind, n_features, params, {}, about)
    return _train_surrogate(kind_of, searches, seed, verbose, about)


def _train_surrogate(kind_of, searches, seed, verbose, about):
    matrix = PastMatrix(searches.past)
    encoder = Encoder(searches.candidates, searches.space)
    rows = encoder.candidates[matrix.known]
    families = searches.groups[matrix.rows]
    held = np.random.RandomState(seed).permutation(np.unique(families))
    is_held = np.isin(families, held[: max(1, len(held) // 5)])
    tasks = [(rows, normal) for normal in matrix.normal[:, matrix.known]]
    learner = kind_of.learner(len(rows)).set_params(random_state=seed)
    learner.set_params(outer=replace(learner.outer, verbose=verbose))
    learner.meta_fit(
        [task for task, out in zip(tasks, is_held, strict=True) if not out],
        [task for task, out in zip(tasks, is_held, strict=True) if out],
    )
    own = learner.meta_weights_
    return MetaWeights(
        f"search_{kind_of.method}",
        searches.kind,
        own.n_features,
        own.params,
        own.scaling,
        about | {"space": encoder.space.fingerprint},
    )


def _train_choice(kind_of, searches, seed, verbose):
    rng = np.random.RandomState(seed)
    table, _ = metafeature_table(
        searches.past, searches.context(0).metafeatures, searches.matrix.rows
    )
    start = kind_of.initial_params(rng, table.shape[1])
    starts = [start]
    if kind_of is MetaNetwork:
        starts = [start | _train_choice(Matching, searches, seed, verbose)]
    elif kind_of is Siamese and table.shape[1]:
        alike = like_profiles(searches.matrix.normal)
        outer = replace(METRIC, verbose=verbose)
        starts = [learn_metric(start, table, alike, outer, rng)]
    elif kind_of is Prototypical:
        starts = [start | {"n_prototypes": np.float32(n)} for n in N_PROTOTYPES]
    best, lowest = start, np.inf
    for start in starts:
        weights = MetaWeights(f"search_{kind_of.method}", searches.kind, 0, start, {})
        # What Siamese and MetaNetwork describe depends on what was learned before.
        fixed = kind_of in (Matching, Memory, Prototypical)
        key = (kind_of.method, float(start.get("n_prototypes", 0.0))) if fixed else None
        states = searches.record(lambda w=weights: kind_of(weights=w), key)
        outer = replace(CHOICE, verbose=verbose)
        split = np.random.RandomState(seed)  # the same families are held out for every start
        params, history = learn_choice(kind_of, start, states, searches, outer, split)
        if min(history["validation_loss"]) < lowest:
            best, lowest = params, min(history["validation_loss"])
    return best


def bundled_searches(kind, **options):
    """The bundled knowledge as `PastSearches`, with the metric that is the default of its kind."""
    table = KnowledgeBase.bundled().table(kind)
    metric = "accuracy" if kind == "classification" else "r2"
    past = PastPerformance(
        scores=np.asarray(table.scores(metric), dtype=float),
        seconds=np.asarray(table.seconds, dtype=float),
        baseline=np.asarray(table.baseline(metric), dtype=float),
        tasks=tuple(task.name for task in table.tasks),
        metafeatures=np.asarray(table.metafeatures, dtype=float),
        metafeature_names=table.metafeature_names,
    )
    points = [to_point(configuration) for configuration in table.configurations]
    families = [task.family for task in table.tasks]
    return PastSearches(past, families, points, catalogue_space(kind), kind, **options)


def main(arguments=None):
    """Meta-train what is missing or was learned from other knowledge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the weights")
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=list(METHODS))
    kinds = ["classification", "regression"]
    parser.add_argument("--kinds", nargs="*", default=kinds, choices=kinds)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for kind in options.kinds:
        searches = bundled_searches(kind)
        for method in options.methods:
            path = weights_path(method, kind, options.out)
            if path.exists():
                about = MetaWeights.load(path).about
                if about.get("knowledge") == searches.fingerprint:
                    print(f"{path.name}: up to date")
                    continue
            begin = time.perf_counter()
            meta_train(method, searches, options.seed, verbose=True).save(path)
            print(f"{path.name}: {time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
