"""The two engines agree, and gradients are those of the loss."""

import numpy as np
import pytest
from _learners import small

from sk_metalearn.metalearners import make_sine_tasks
from sk_metalearn.metalearners._backend import value_and_grad
from sk_metalearn.metalearners._episodes import TaskSet
from sk_metalearn.metalearners._networks import init_mlp, mlp, mlp_gradient
from sk_metalearn.metalearners.testing import make_class_tasks

torch = pytest.importorskip("torch", reason="gradients of the outer loop need PyTorch")

# Learners whose gradient leaves something out on purpose, and what makes it exact.
ONE_STEP = {"LearnedOptimizer", "MetaControl"}
EXACT_PARTS = {"MetaNetwork": ("embedder_", "learner_", "log_scale")}


def _episodes(learner):
    make = make_class_tasks if learner.kind == "classification" else make_sine_tasks
    n_way = getattr(learner, "n_way", None)
    tasks = TaskSet(make(4, random_state=0), learner.kind, 3, 4, n_way)
    episodes = tasks.sample(np.random.RandomState(1), 3)
    return tasks, [part.astype(np.float64) / 2 for part in episodes]


def _method(learner):
    return type(learner).__name__.removesuffix("Classifier").removesuffix("Regressor")


def _params(learner, tasks):
    rng = np.random.RandomState(0)
    params = learner._initial_params(rng, tasks.n_features, tasks.n_outputs)
    return {
        key: value.astype(np.float64) + 0.1 * rng.standard_normal(value.shape)
        for key, value in params.items()
    }


def test_numpy_and_torch_compute_the_same(learner):
    tasks, episodes = _episodes(learner)
    params = _params(learner, tasks)
    expected = learner._episode_loss(params, *episodes, np.random.RandomState(0))
    value, _ = value_and_grad(
        lambda *args: learner._episode_loss(*args, np.random.RandomState(0)), params, *episodes
    )
    np.testing.assert_allclose(value, expected, rtol=1e-8)


def test_gradient_is_the_slope_of_the_outer_loss(learner):
    method = _method(learner)
    if method in ONE_STEP:
        learner.set_params(n_steps=1)
    tasks, episodes = _episodes(learner)
    params = _params(learner, tasks)

    def loss(params, *arrays):
        return learner._episode_loss(params, *arrays, np.random.RandomState(0))

    _, gradient = value_and_grad(loss, params, *episodes)
    rng = np.random.RandomState(2)
    direction = {
        key: rng.standard_normal(value.shape)
        if key.startswith(EXACT_PARTS.get(method, ""))
        else np.zeros_like(value)
        for key, value in params.items()
    }
    slope = sum((gradient[key] * direction[key]).sum() for key in params)
    moved = [
        loss({key: params[key] + step * direction[key] for key in params}, *episodes)
        for step in (-1e-6, 1e-6)
    ]
    assert abs(slope) > 1e-5
    np.testing.assert_allclose(slope, (moved[1] - moved[0]) / 2e-6, rtol=2e-4)


@pytest.mark.parametrize("sizes", [[3, 1], [3, 5, 2], [3, 4, 6, 2]])
def test_closed_form_gradient_of_the_perceptron(sizes):
    rng = np.random.RandomState(0)
    params = {k: v.astype(np.float64) for k, v in init_mlp(rng, sizes).items()}
    X, Y = rng.standard_normal((7, 3)), rng.standard_normal((7, sizes[-1]))
    _, expected = value_and_grad(lambda p, X, Y: ((mlp(p, X) - Y) ** 2).sum(), params, X, Y)
    gradient, _ = mlp_gradient(params, X, lambda output: 2 * (output - Y))
    for key in params:
        np.testing.assert_allclose(gradient[key], expected[key], rtol=1e-6, atol=1e-10)


def test_first_order_maml_takes_the_gradient_where_the_inner_loop_ends():
    learner = small("MAMLRegressor", first_order=True, n_steps=3, n_adapt_steps=None)
    tasks, episodes = _episodes(learner)
    episodes = [part[:1] for part in episodes]
    params = _params(learner, tasks)

    def loss(params, *arrays):
        return learner._episode_loss(params, *arrays, None)

    _, gradient = value_and_grad(loss, params, *episodes)
    adapted = learner._adapt(params, *episodes[:2])["net"]
    adapted = {key: value[0] for key, value in adapted.items()}
    X, Y = episodes[2:]
    _, expected = value_and_grad(lambda p, X, Y: ((mlp(p, X) - Y) ** 2).mean(), adapted, X, Y)
    for key in params:
        np.testing.assert_allclose(gradient[key], expected[key], rtol=1e-6, atol=1e-12)
    _, second = value_and_grad(
        lambda *args: learner.set_params(first_order=False)._episode_loss(*args, None),
        params,
        *episodes,
    )
    assert max(np.abs(second[key] - gradient[key]).max() for key in params) > 1e-4
