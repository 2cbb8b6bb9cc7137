"""The outer loop."""

import numpy as np
import pytest

from sk_metalearn.metalearners import OuterLoop

TARGET = np.array([1.0, -2.0, 3.0], dtype=np.float32)


def _gradient(params):
    error = params["x"] - TARGET
    return float((error**2).sum()), {"x": 2 * error}


def _loss(params):
    return ((params["x"] - TARGET) ** 2).sum()


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_it_minimises(optimizer):
    start = {"x": np.zeros(3, dtype=np.float32)}
    loop = OuterLoop(max_iter=400, optimizer=optimizer, learning_rate=0.1, validation_interval=50)
    best, history = loop.run(start, _gradient, _loss)
    np.testing.assert_allclose(best["x"], TARGET, atol=1e-2)
    assert (start["x"] == 0).all(), "the start must not be changed"
    assert history["iteration"] == list(range(0, 401, 50))
    np.testing.assert_allclose(history["learning_rate"][-1], 0.01, rtol=0.05)
    assert history["seconds"] == sorted(history["seconds"])


def test_adam_takes_the_steps_of_the_paper():
    best, _ = OuterLoop(max_iter=1, learning_rate=0.1, validation_interval=1).run(
        {"x": np.zeros(3, dtype=np.float32)}, _gradient, lambda params: -params["x"][0]
    )
    np.testing.assert_allclose(best["x"], 0.1 * np.sign(TARGET), rtol=1e-5)


def test_the_best_weights_are_kept_and_waiting_ends():
    losses = iter([5.0, 3.0, 4.0, 4.0, 4.0, 1.0])
    seen = []

    def validate(params):
        seen.append(params["x"].copy())
        return next(losses)

    loop = OuterLoop(max_iter=100, validation_interval=1, n_iter_no_change=3, learning_rate=0.1)
    best, history = loop.run({"x": np.zeros(3, dtype=np.float32)}, _gradient, validate)
    assert len(history["loss"]) == 5
    np.testing.assert_array_equal(best["x"], seen[1])


def test_gradients_that_are_long_or_broken_do_no_harm():
    huge = OuterLoop(max_iter=1, optimizer="sgd", learning_rate=1.0, max_norm=0.5)
    best, _ = huge.run(
        {"x": np.zeros(3, dtype=np.float32)}, lambda p: (0.0, {"x": -1e9 * TARGET}), _loss
    )
    np.testing.assert_allclose(np.linalg.norm(best["x"]), 0.5, rtol=1e-5)
    best, _ = huge.run(
        {"x": np.zeros(3, dtype=np.float32)}, lambda p: (0.0, {"x": np.nan * TARGET}), _loss
    )
    assert (best["x"] == 0).all()


def test_divergence_is_an_error_that_says_what_to_do():
    with pytest.raises(FloatingPointError, match="Lower OuterLoop.learning_rate"):
        OuterLoop(max_iter=2).run({"x": TARGET}, _gradient, lambda params: np.nan)


def test_time_limit():
    loop = OuterLoop(max_iter=10**6, time_limit=0.05, n_iter_no_change=None)
    _, history = loop.run({"x": TARGET.copy()}, _gradient, _loss)
    assert 0 < history["iteration"][-1] < 10**6


def test_progress_bar(capsys):
    OuterLoop(max_iter=4, validation_interval=2, verbose=True).run(
        {"x": TARGET}, _gradient, _loss, "maml"
    )
    assert "4/4" in capsys.readouterr().err
    OuterLoop(max_iter=4).run({"x": TARGET}, _gradient, _loss)
    assert not any(capsys.readouterr())


@pytest.mark.parametrize(
    "name, value",
    [
        ("max_iter", 0),
        ("batch_size", 1.5),
        ("optimizer", "rmsprop"),
        ("learning_rate", 0.0),
        ("decay", 2.0),
        ("validation_fraction", 1.0),
    ],
)
def test_bad_settings_are_named(name, value):
    with pytest.raises(ValueError, match=f"{name}.*got {value!r}"):
        OuterLoop(**{name: value})
