"""benchmarks/endings.py: what it makes of recorded predictions whose outcome is known."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import endings  # noqa: E402

sys.path.remove(str(BENCHMARKS))

N_ROWS, N_TEST, N_CANDIDATES = 90, 60, 6


def record(path, n_classes, n_shuffles=1, seed=0):
    """Candidates that differ in noise: number 3 has least, number 5 comes of decision values."""
    rng = np.random.default_rng(seed)
    noise = np.array([2.0, 1.5, 1.0, 0.5, 3.0, 0.2])
    axes = (n_shuffles,) if n_shuffles > 1 else ()
    if n_classes == 1:
        y, y_test = rng.normal(size=N_ROWS), rng.normal(size=N_TEST)
        truth, truth_test, last = y, y_test, ()
    else:
        y, y_test = np.arange(N_ROWS) % n_classes, np.arange(N_TEST) % n_classes
        truth, truth_test = np.eye(n_classes)[y], np.eye(n_classes)[y_test]
        last = (n_classes,)

    def predict(values, *more):
        shape = (N_CANDIDATES, *more, len(values), *last)
        errors = noise.reshape(-1, *[1] * (len(shape) - 1)) * rng.normal(size=shape)
        if n_classes == 1:
            return values + errors
        odds = np.exp(values + errors)
        p = odds / odds.sum(axis=-1, keepdims=True)
        return p[..., 1:] if n_classes == 2 else p

    folds = np.array([rng.permutation(N_ROWS) % 5 for _ in range(n_shuffles)])
    np.savez(
        path,
        oof=predict(truth, *axes),
        bag=predict(truth_test, *axes),
        ref=predict(truth_test),
        y=y,
        yt=y_test,
        fold=folds if n_shuffles > 1 else folds[0],
        C=n_classes,
        info=json.dumps(
            [
                {"dec": i == 5, "family": "first" if i < 3 else "second", "secs": 1.0 + i}
                for i in range(N_CANDIDATES)
            ]
        ),
    )
    return endings.Recording(path)


@pytest.mark.parametrize("n_classes", [1, 2, 4])
@pytest.mark.parametrize("n_shuffles", [1, 3])
def test_scores_are_those_of_scikit_learn(tmp_path, n_classes, n_shuffles):
    recording = record(tmp_path / "a.npz", n_classes, n_shuffles)
    stacked, y, tests = recording.evidence(n_shuffles)
    assert len(tests) == 5 * n_shuffles and len(y) == N_ROWS * n_shuffles
    metric = recording.scorer._score_func
    expected = []
    for own in stacked:
        own = own[..., 1] if n_classes == 2 else own
        if n_classes > 2:
            own = own / own.sum(axis=1, keepdims=True)
        expected.append(np.mean([recording.scorer._sign * metric(y[t], own[t]) for t in tests]))
    assert recording.scores(n_shuffles) == pytest.approx(np.array(expected))


@pytest.mark.parametrize("n_classes, best", [(1, 5), (2, 5), (4, 3)])
def test_the_best_candidate_is_chosen(tmp_path, n_classes, best):
    recording = record(tmp_path / "a.npz", n_classes)
    # Decision values of many classes are left out.
    assert (5 in recording.usable) == (n_classes < 3)
    known = [int(i) for i in recording.usable]
    weights = recording.single(known)
    assert weights.tolist() == [float(i == best) for i in range(N_CANDIDATES)]
    assert recording.loss(weights) == 0
    assert recording.leaders(known)[0] == best
    assert best in recording.survivors(known)


def test_the_median_candidate_has_a_loss_of_one(tmp_path):
    recording = record(tmp_path / "a.npz", 4)
    losses = [recording.loss(np.eye(N_CANDIDATES)[i]) for i in recording.usable]
    assert np.median(losses) == pytest.approx(1)
    assert min(losses) == 0


def test_models_of_further_shuffles_are_averaged(tmp_path):
    recording = record(tmp_path / "a.npz", 1, n_shuffles=3)
    one = np.eye(N_CANDIDATES)[4]
    mixed = np.mean([own[4] for own in recording.bags], axis=0)
    scores = -recording.test_scores(recording.refits[recording.usable])
    own = -recording.test_scores(mixed[None])[0]
    expected = np.clip((own - scores.min()) / (np.median(scores) - scores.min()), -1, 2)
    assert recording.loss(one, 3) == pytest.approx(expected)


@pytest.mark.parametrize("n_shuffles, n_endings", [(1, 8), (3, 13)])
def test_endings_are_shown(tmp_path, monkeypatch, capsys, n_shuffles, n_endings):
    for number, n_classes in enumerate((1, 2, 4)):
        record(tmp_path / f"d{number}.npz", n_classes, n_shuffles, seed=number)
    arguments = ["endings.py", "--data", str(tmp_path), "--candidates", "3", "6"]
    monkeypatch.setattr(sys, "argv", arguments)
    endings.main()
    lines = capsys.readouterr().out.strip().splitlines()
    heads = [line for line in lines if "3 datasets" in line]
    assert len(heads) == 2
    assert len([line for line in lines if "%" in line and "(" in line]) == 2 * n_endings
    # The first ending is what the others are compared with.
    assert "+0.000 (0.000)  0% / 0%" in lines[1]


def test_an_empty_folder_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["endings.py", "--data", str(tmp_path)])
    with pytest.raises(SystemExit, match="npz"):
        endings.main()


def test_of_each_family_one_candidate_comes_first(tmp_path):
    recording = record(tmp_path / "a.npz", 1)
    # Of 21 seconds the first five are those of the first and fourth, or of the first two.
    found = endings.orders(recording, 0.24)
    assert found["as the search asked"] == recording.loss(recording.ensemble([0, 1]), 1)
    assert found["first of each family first"] == recording.loss(recording.ensemble([0, 3]), 1)
    # A share too small for any still has the first.
    assert len({*endings.orders(recording, 1e-6).values()}) == 1


def test_orders_are_shown(tmp_path, capsys, monkeypatch):
    record(tmp_path / "a.npz", 2)
    monkeypatch.setattr(sys, "argv", ["endings.py", "--data", str(tmp_path), "--orders"])
    endings.main()
    shown = capsys.readouterr().out
    assert shown.count("% of the time") == len(endings.SHARES)
