"""Tasks and episodes."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from sk_metalearn.metalearners import (
    few_shot_scores,
    make_rotated_classes,
    make_sine_tasks,
    sample_episodes,
)
from sk_metalearn.metalearners._episodes import TaskSet


def _numbered(n_classes, n_samples):
    """A task whose only column is the number of the row."""
    y = np.repeat(np.arange(n_classes), n_samples)
    return np.arange(len(y), dtype=float)[:, None], y


def test_support_and_query_never_share_a_row():
    task = _numbered(7, 6)
    for X_support, y_support, X_query, y_query in sample_episodes(
        [task], 50, n_shots=2, n_query=3, n_way=4, random_state=0
    ):
        assert X_support.shape == (8, 1) and X_query.shape == (12, 1)
        assert not set(X_support[:, 0]) & set(X_query[:, 0])
        assert (np.bincount(y_support) == 2).all() and (np.bincount(y_query) == 3).all()
        # a label stands for one class, in the support as in the query
        for label in range(4):
            rows = np.r_[X_support[y_support == label], X_query[y_query == label]]
            assert len(set(task[1][rows[:, 0].astype(int)])) == 1


def test_labels_are_shuffled_between_episodes():
    first = {
        float(X[y == 0].min() // 6)
        for X, y, *_ in sample_episodes([_numbered(5, 6)], 30, n_shots=2, random_state=0)
    }
    assert len(first) > 2


def test_a_range_of_shots_and_few_rows():
    sizes = {
        len(y)
        for _, y, *_ in sample_episodes(
            [_numbered(3, 6)], 40, n_shots=(1, 9), n_way=3, random_state=0
        )
    }
    assert sizes == {3, 6, 9, 12, 15}, "at most 5 of 6 rows can be support"
    X_query = next(sample_episodes([_numbered(3, 6)], 1, n_shots=5, n_query=4))[2]
    assert X_query.shape == (12, 1), "a short query is drawn with replacement"


def test_validation_holds_out_tasks_or_classes():
    rng = np.random.RandomState(0)
    train, held = TaskSet(make_sine_tasks(10), "regression", 5, 5).split(0.2, rng)
    assert (len(train.tasks), len(held.tasks)) == (8, 2)
    train, held = TaskSet([_numbered(10, 6)], "classification", 2, 2, 5).split(0.3, rng)
    assert len(set(held.tasks[0][1])) == 3
    assert not set(train.tasks[0][1]) & set(held.tasks[0][1])
    with pytest.raises(ValueError, match="not enough to hold out"):
        TaskSet([_numbered(3, 6)], "classification", 2, 2, 5).split(0.3, rng)
    with pytest.raises(ValueError, match="not enough to hold out"):
        TaskSet(make_sine_tasks(1), "regression", 2, 2, 5).split(0.3, rng)


def test_scaling_is_that_of_all_rows_and_can_be_undone():
    tasks = TaskSet(make_sine_tasks(10, random_state=0), "regression", 5, 5)
    scaling = tasks.scaling()
    X, y = (np.concatenate(part) for part in zip(*tasks.scaled(scaling).tasks, strict=True))
    np.testing.assert_allclose([X.mean(), y.mean(), X.std(), y.std()], [0, 0, 1, 1], atol=1e-6)
    constant = TaskSet([(np.ones((9, 1)), np.arange(9.0))] * 2, "regression", 5, 3)
    assert constant.scaling()["x_scale"] == 1


@pytest.mark.parametrize(
    "tasks, match",
    [
        ([], "No tasks"),
        ([np.ones((3, 2))], "Task 0 is not a pair"),
        ([_numbered(3, 6), (np.ones((4, 1)), [0, 0, 1, 1])], "Task 1 has 2 class.*n_shots=2"),
        ([_numbered(3, 6), (np.ones((18, 2)), _numbered(3, 6)[1])], "task 1 has 2"),
        ([(np.full((6, 1), np.nan), [0, 0, 0, 1, 1, 1])], "Task 0: .*NaN"),
        ([_numbered(1, 9)], "Task 0 has 1 class"),
        ([(np.ones((9, 1)), np.linspace(0, 1, 9))], "Task 0: .*continuous"),
    ],
)
def test_bad_tasks_are_named(tasks, match):
    with pytest.raises(ValueError, match=match):
        TaskSet(tasks, "classification", 2, 2, 5)


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="Task 0 has 5 samples; n_shots=5"):
        TaskSet(make_sine_tasks(2, 5), "regression", 5, 5)
    with pytest.raises(ValueError, match=r"n_shots .* got \(4, 2\)"):
        TaskSet(make_sine_tasks(2), "regression", (4, 2), 5)
    with pytest.raises(ValueError, match="kind must be one of .*'ranking'"):
        next(sample_episodes(make_sine_tasks(2), 1, kind="ranking"))


def test_sine_tasks_are_those_of_the_paper():
    tasks = make_sine_tasks(400, n_samples=60, random_state=0)
    X, y = (np.stack(part) for part in zip(*tasks, strict=True))
    assert -5 <= X.min() < -4.9 and 4.9 < X.max() <= 5
    largest = np.abs(y).max(axis=1)
    assert largest.min() < 0.3 and 4.7 < largest.max() <= 5
    # amplitude * sin(x - phase) is a combination of sin and cos
    basis = np.c_[np.sin(X[0, :, 0]), np.cos(X[0, :, 0])]
    a, b = np.linalg.lstsq(basis, y[0], rcond=None)[0]
    np.testing.assert_allclose(basis @ [a, b], y[0], atol=1e-12)
    assert 0.1 <= np.hypot(a, b) <= 5 and 0 <= np.arctan2(-b, a) <= np.pi


def test_rotated_classes():
    digits = load_digits()
    X, y = make_rotated_classes(digits.images[:20], digits.target[:20])
    np.testing.assert_array_equal(X[:20], digits.data[:20])
    np.testing.assert_array_equal(X[20].reshape(8, 8), np.rot90(digits.images[0]))
    np.testing.assert_array_equal(y[40:60], 4 * digits.target[:20] + 2)


def test_scores_use_what_they_are_given():
    class Mean:
        def fit(self, X, y):
            self.mean = y.mean()
            return self

        def predict(self, X):
            return np.full(len(X), self.mean)

        def score(self, X, y):
            return 7.0

    def episodes():
        return sample_episodes(make_sine_tasks(4, random_state=0), 3, kind="regression")

    assert few_shot_scores(Mean(), episodes()).tolist() == [7.0] * 3
    worst = few_shot_scores(Mean(), episodes(), lambda y, predicted: len(y) + 0 * predicted[0])
    assert worst.tolist() == [5.0] * 3
