"""Random search over a list of dicts draws as scikit-learn's ParameterSampler does."""

import numpy as np
from scipy.stats import uniform
from sklearn.datasets import load_iris
from sklearn.model_selection import ParameterGrid, ParameterSampler
from sklearn.svm import SVC

from sk_metalearn import MetaSearchCV
from sk_metalearn.spaces import Branch, Categorical, Float, Space
from sk_metalearn.strategies import Context, get_strategy

DICTS = [{"kernel": ["linear"]}, {"C": uniform(0, 1)}, {"tol": [0.1, 0.2]}]
SPACE = Space(
    [
        Branch({"kernel": Categorical(("linear",))}),
        Branch({"C": Float(0.0, 1.0)}),
        Branch({"tol": Categorical((0.1, 0.2))}),
    ]
)


def _first(context):
    (proposal,) = get_strategy("random").start(context).ask(1)
    return next(iter(context.candidates[proposal.candidate]))


def test_the_dict_is_drawn_before_the_point():
    drawn = list(ParameterSampler(DICTS, 256, random_state=0))
    points = list({repr(sorted(point.items())): point for point in drawn}.values())
    counts = {}
    for seed in range(600):
        name = _first(Context(candidates=points, space=SPACE, n_evaluations=5, seed=seed))
        counts[name] = counts.get(name, 0) + 1
    # A third each, though one dict has one point, one has two and one has the other 80 or so.
    assert len(points) > 60
    for name in ("kernel", "C", "tol"):
        np.testing.assert_allclose(counts[name] / 600, 1 / 3, atol=0.07)


def test_of_lists_alone_every_point_has_the_same_chance():
    grid = [{"kernel": ["linear"]}, {"C": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]}]
    points = list(ParameterGrid(grid))
    names = [_first(Context(candidates=points, n_evaluations=5, seed=seed)) for seed in range(600)]
    np.testing.assert_allclose(names.count("kernel") / 600, 0.1, atol=0.04)


def test_nothing_comes_twice_and_everything_comes():
    points = [{"kernel": "linear"}, {"tol": 0.1}, {"tol": 0.2}, {"C": 0.5}]
    context = Context(candidates=points, space=SPACE, n_evaluations=4, seed=0)
    proposals = get_strategy("random").start(context).ask(4)
    assert sorted(own.candidate for own in proposals) == [0, 1, 2, 3]


def test_a_search_visits_the_small_dict():
    X, y = load_iris(return_X_y=True)
    found = []
    for seed in range(6):
        search = MetaSearchCV(
            SVC(max_iter=100),
            param_distributions=[{"kernel": ["linear"]}, {"C": uniform(0.1, 1)}],
            strategy="random",
            knowledge=None,
            n_iter=8,
            cv=2,
            random_state=seed,
            refit=False,
        ).fit(X[::3], y[::3])
        found.append(any("kernel" in params for params in search.cv_results_["params"]))
    assert all(found)
