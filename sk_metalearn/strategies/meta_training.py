"""Meta-train the strategies: searches on past tasks are the tasks to learn from.

    python -m sk_metalearn.strategies.meta_training --out FOLDER

writes the weights of every method for both kinds, meta-trained on the bundled knowledge. What is
there already and was learned from the same knowledge is left as it is, so that an interrupted run
goes on where it stopped.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from .. import __version__
from ..knowledge import KnowledgeBase
from ..metalearners import MetaWeights, OuterLoop, namespace, softmax, value_and_grad
from ..spaces import Encoder, catalogue_space, load_pool, to_point
from ._alike import metafeature_table, profile_embedding
from ._learned_attention import Matching, Memory, Prototypical, Siamese
from ._learned_choice import LearnedChoice, weights_path
from ._learned_mixture import MetaNetwork
from ._learned_surrogate import MAML, SNAIL, Reptile
from ._past_performance import PastMatrix
from ._past_searches import PastSearches
from ._strategy import PastPerformance

__all__ = ["METHODS", "PastSearches", "bundled_searches", "meta_train"]

METHODS = {
    kind.method: kind
    for kind in (Matching, Prototypical, Siamese, Memory, MetaNetwork, MAML, Reptile, SNAIL)
}
CHOICE = OuterLoop(
    max_iter=600, batch_size=64, learning_rate=0.02, validation_interval=25, n_iter_no_change=8
)
N_PROTOTYPES = (4, 8, 16)

_SHARPNESS = 4.0


def choice_loss(rating, own, tried, scale):
    """Regret expected to be left after the next choice, in units of that before, on average.

    The choice is drawn from the softmax of the rating over the candidates not tried; its
    sharpness lets the best candidate have most of the probability without hiding the others.

    Parameters
    ----------
    rating : array of shape (n_searches, n_candidates)
        Of the candidates, on a logarithmic scale.
    own : array of shape (n_searches, n_candidates)
        Regret of the candidates on the task searched.
    tried : array of shape (n_searches, n_candidates)
        1 for what was tried, else 0.
    scale : array of shape (n_searches,)
        One over the mean regret of all searches at the same step, which makes steps comparable.

    Returns
    -------
    scalar
        Mean over the searches.
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
        Weights to start from.
    states : dict of str to ndarray
        See `PastSearches.record`.
    searches : PastSearches
        What is learned from.
    outer : OuterLoop
        Settings of the meta-training.
    rng : numpy.random.RandomState
        Draws the batches and the families held out.

    Returns
    -------
    params : dict of str to ndarray
        Weights with the lowest validation loss.
    history : dict of str to list
        As of :meth:`OuterLoop.run`.
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


def meta_train(method, searches, seed=0, verbose=False):
    """Meta-train a strategy on searches of past tasks.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    searches : PastSearches
        What is learned from.
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
    normal = matrix.normal[:, matrix.known]
    tasks = [(rows, own) for own in normal - normal.mean(axis=0)]
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
        starts = [start | {"linear": profile_embedding(table, searches.matrix.normal)}]
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
    """The bundled knowledge as `PastSearches`, with the metric that is the default of its kind.

    The candidates are those of a search on the catalogue, without the dummy estimators. What failed
    has the dummy's score, as in a search.
    """
    table = KnowledgeBase.bundled().table(kind, configurations=load_pool(kind))
    metric = "accuracy" if kind == "classification" else "r2"
    real = [i for i, found in enumerate(table.configurations) if found.family != "dummy"]
    past = PastPerformance(
        scores=np.asarray(table.scores(metric, failures="dummy"), dtype=float)[:, real],
        seconds=np.asarray(table.seconds, dtype=float)[:, real],
        baseline=np.asarray(table.baseline(metric), dtype=float),
        tasks=tuple(task.name for task in table.tasks),
        metafeatures=np.asarray(table.metafeatures, dtype=float),
        metafeature_names=table.metafeature_names,
    )
    points = [to_point(table.configurations[i]) for i in real]
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
