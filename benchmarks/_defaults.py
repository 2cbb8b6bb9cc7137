"""Every learner with its default settings: what it reaches, and the seconds of meta-training."""

import numpy as np
from _few_shot import digit_sets
from _meta_measures import asked, interval, meta_fit
from sklearn.base import is_regressor
from sklearn.metrics import mean_squared_error
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sk_metalearn import metalearners as ml

N_EPISODES = 300


def learners():
    """All few-shot learners, made without any setting but the seed."""
    found = [getattr(ml, name) for name in ml.__all__]
    for kind in found:
        if isinstance(kind, type) and hasattr(kind, "meta_fit") and hasattr(kind, "fit"):
            yield kind.__name__, kind(random_state=0)


def defaults(options):
    """Each learner on left-out sine waves, or on left-out classes of digits."""
    # Other waves, classes and episodes than those on which the defaults were chosen (seeds 2, 3, 0).
    waves = [
        ml.make_sine_tasks(n, n_samples, seed)
        for n, n_samples, seed in ((1000, 50, 0), (600, 110, 4))
    ]
    draw = {"kind": "regression", "n_shots": 10, "n_query": 100, "random_state": 5}
    episodes = list(ml.sample_episodes(waves[1], N_EPISODES, **draw))
    zero = np.mean([(episode[3] ** 2).mean() for episode in episodes])
    _, (train, validation, test), _ = next(digit_sets(seed=7))
    draw = {"n_shots": 5, "n_query": 3, "n_way": 5, "random_state": 7}
    problems = list(ml.sample_episodes([test], N_EPISODES, **draw))
    scale = StandardScaler().fit(train[0])
    neighbours = {
        "1-NN regression": KNeighborsRegressor(1),
        "1-NN classification": KNeighborsClassifier(1),
        "1-NN classification, standardised": make_pipeline(
            FunctionTransformer(scale.transform), KNeighborsClassifier(1)
        ),
    }
    for name, learner in (*neighbours.items(), *learners()):
        if not asked(options, name):
            continue
        regression = is_regressor(learner)
        seconds, updates = 0.0, 0
        if hasattr(learner, "meta_fit"):
            tasks = [waves[0]] if regression else [[train], [validation]]
            seconds = meta_fit(learner, *tasks)
            updates = learner.history_["iteration"][-1]
        if regression:
            scores = ml.few_shot_scores(learner, episodes, mean_squared_error) / zero
        else:
            scores = ml.few_shot_scores(learner, problems)
        yield {
            "method": name,
            "kind": "regression" if regression else "classification",
            "reached": round(scores.mean(), 3),
            "interval": round(interval(scores), 3),
            "updates": updates,
            "seconds": seconds,
        }
