"""Orders of candidates judged by the mixtures that they end in."""

import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def orders(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import ensemble_orders

    yield ensemble_orders
    for name in ("ensemble_orders", "wider_pool", "transfer", "_replay"):
        sys.modules.pop(name, None)


class _Table:
    """Scores of five configurations on one task."""

    configurations = ()
    tasks = ()

    def __init__(self, told):
        self._told = told
        self.configurations = [type("Own", (), {"id": f"c{i}"})() for i in range(len(told))]
        self.tasks = [type("Task", (), {"family": "f"})()]

    def scores(self, metric):
        assert metric == "r2"
        return self._told[None]


def _recording(orders, seed=0):
    """The first is the best; the third and fourth are poor, and their errors cancel."""
    rng = np.random.default_rng(seed)
    y, y_outer = rng.normal(size=(2, 120))
    errors = rng.normal(size=(5, 240))
    errors[3] = -errors[2] + 0.05 * errors[3]
    errors *= np.array([0.4, 0.45, 0.6, 0.6, 0.9])[:, None]
    errors[1] = errors[0] + 0.05 * errors[1]
    predictions = np.r_[y, y_outer] + errors
    arrays = {
        "names": np.array([f"c{i}" for i in range(5)]),
        "folds": predictions[:, :120],
        "outer": predictions[:, 120:],
        "y": y,
        "y_outer": y_outer,
        "fold_of": np.arange(120) % 3,
        "n_classes": np.int16(0),
    }
    return orders.Recording(arrays, _Table(1 - (errors[:, :120] ** 2).mean(axis=1)), 0)


def test_a_portfolio_of_ensembles_takes_what_goes_together(orders, monkeypatch):
    recordings = [_recording(orders, seed) for seed in range(4)]
    monkeypatch.setattr(orders, "N_FIRST", 3)
    assert orders.greedy(recordings, 5, mixed=False)[0] == 0
    assert set(orders.greedy(recordings, 5, mixed=True)) == {0, 2, 3}


def test_losses_are_put_between_the_best_and_the_median(orders):
    recording = _recording(orders)
    scores = recording.judge_outer(recording.outer)
    assert recording.loss(scores.max()) == 0
    assert recording.loss(np.median(scores)) == pytest.approx(1)
    # What cancels is better than the best by itself.
    assert recording.of_first([2, 3, 0, 1, 4])[-1] < -0.5
    assert recording.of_first([4])[0] > 1


def test_errors_that_cancel_are_not_alike(orders):
    recordings = [_recording(orders, seed) for seed in range(3)]
    alike = orders.error_correlations(recordings, ["a", "a", "b", "c", "d"])
    assert alike[0, 1] > 0.9 and alike[2, 3] < -0.9
    assert abs(alike[0, 4]) < 0.2


def test_a_configuration_that_was_not_measured_everywhere_may_be_taken(orders, monkeypatch):
    whole, part = _recording(orders), _recording(orders, 1)
    for name in ("columns", "told", "folds", "outer"):
        setattr(part, name, getattr(part, name)[1:])
    monkeypatch.setattr(orders, "N_FIRST", 2)
    assert len(set(orders.greedy([whole, part], 5, mixed=True))) == 2
