"""Conformance tests of the meta-learner interface, for our own learners and for others'."""

import copy
import tempfile
from pathlib import Path

import numpy as np
from sklearn.base import clone, is_regressor

from ._episodes import make_sine_tasks, sample_episodes

__all__ = ["check_meta_learner", "make_class_tasks"]


def make_class_tasks(n_tasks, n_classes=6, n_samples=12, n_features=8, random_state=None):
    """Make classification tasks in which two directions matter and the others are noise.

    Parameters
    ----------
    n_tasks : int
        Number of tasks.
    n_classes : int, default=6
        Classes of each task.
    n_samples : int, default=12
        Samples of each class.
    n_features : int, default=8
        Number of columns; the noise columns are three times as wide as the classes lie apart.
    random_state : int, RandomState instance or None, default=None
        Determines the draws.

    Returns
    -------
    list of (X, y)
        One pair for each task.

    Examples
    --------
    >>> from sk_metalearn.metalearners.testing import make_class_tasks
    >>> X, y = make_class_tasks(3, random_state=0)[0]
    >>> X.shape
    (72, 8)
    """
    rng = np.random.RandomState(random_state)
    scale = np.array([0.3, 0.3] + [3.0] * (n_features - 2))
    tasks = []
    for _ in range(n_tasks):
        centers = np.zeros((n_classes, n_features))
        centers[:, :2] = rng.normal(scale=1.5, size=(n_classes, 2))
        y = np.repeat(np.arange(n_classes), n_samples)
        tasks.append((centers[y] + scale * rng.normal(size=(len(y), n_features)), y))
    return tasks


def check_meta_learner(learner, tasks=None, n_shots=5):
    """Check that a meta-learner keeps the contract of this room.

    Parameters
    ----------
    learner : estimator
        A classifier or regressor with `meta_fit`, `fit` and `predict`; configured so that
        `meta_fit` is short, with an integer `random_state`. Not changed.
    tasks : sequence of (X, y) or None, default=None
        Tasks to learn from; None makes 12 small ones.
    n_shots : int, default=5
        Support examples in the checks: of each class (classification) or in all (regression).

    Raises
    ------
    AssertionError
        If the learner breaks the contract.

    Examples
    --------
    >>> from sk_metalearn.metalearners import OuterLoop, ReptileRegressor
    >>> from sk_metalearn.metalearners.testing import check_meta_learner
    >>> learner = ReptileRegressor(n_shots=5, outer=OuterLoop(max_iter=5), random_state=0)
    >>> check_meta_learner(learner)
    """
    regression = is_regressor(learner)
    kind = "regression" if regression else "classification"
    if tasks is None:
        make = make_sine_tasks if regression else make_class_tasks
        tasks = make(12, random_state=0)
    episodes = list(
        sample_episodes(tasks, 2, kind=kind, n_shots=n_shots, n_query=4, n_way=3, random_state=1)
    )

    _check_bad_tasks(learner, tasks, regression)
    learner, original = clone(learner), learner
    before = learner.get_params()
    assert learner.meta_fit(tasks) is learner, "meta_fit must return the learner"
    after = learner.get_params()
    assert all(after[name] is before[name] for name in before), "meta_fit changed a parameter"

    first = _adapt_and_predict(learner, episodes[0], regression)
    second = _adapt_and_predict(learner, episodes[1], regression)
    assert not np.allclose(first, second), "the answer does not depend on the task"
    again = _adapt_and_predict(learner, episodes[0], regression)
    np.testing.assert_array_equal(again, first, "fit changed what was learned across tasks")

    twin = clone(original).meta_fit(tasks)
    same = _adapt_and_predict(twin, episodes[0], regression)
    np.testing.assert_array_equal(same, first, "meta_fit is not determined by random_state")
    other = copy.deepcopy(learner)
    same = _answer(other, episodes[0][2], regression)
    np.testing.assert_array_equal(same, first, "a copy of the learner answers differently")

    if "weights" in before and hasattr(learner, "meta_weights_"):
        _check_weights(learner, original, episodes[0], first, regression)
    _check_bad_support(learner, episodes[0], regression)


def _answer(learner, X, regression):
    """Predict with everything the interface offers, and check the shapes."""
    if regression:
        mean, std = learner.predict(X, return_std=True)
        assert mean.shape == std.shape == (len(X),), "predict must return one number per query"
        assert np.isfinite(mean).all() and np.isfinite(std).all(), "not finite"
        assert (std > 0).all(), "standard deviations must be positive"
        np.testing.assert_array_equal(learner.predict(X), mean)
        return mean
    labels, probabilities = learner.predict(X), learner.predict_proba(X)
    assert probabilities.shape == (len(X), len(learner.classes_))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert (probabilities >= 0).all(), "probabilities must not be negative"
    np.testing.assert_array_equal(labels, learner.classes_[probabilities.argmax(axis=1)])
    return probabilities


def _adapt_and_predict(learner, episode, regression):
    X_support, y_support, X_query, _ = episode
    assert learner.fit(X_support, y_support) is learner, "fit must return the learner"
    together = _answer(learner, X_query, regression)
    alone = np.concatenate([_answer(learner, x[None], regression) for x in X_query])
    np.testing.assert_allclose(
        alone, together, rtol=1e-4, atol=1e-5, err_msg="an answer depends on the other queries"
    )
    return together


def _check_weights(learner, original, episode, expected, regression):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.npz"
        learner.meta_weights_.save(path)
        for weights in (path, str(path), learner.meta_weights_):
            loaded = clone(original).set_params(weights=weights)
            same = _adapt_and_predict(loaded, episode, regression)
            np.testing.assert_array_equal(same, expected, "stored weights answer differently")


def _must_refuse(call, *arguments, words):
    try:
        call(*arguments)
    except ValueError as error:
        assert any(word in str(error) for word in words), f"unclear message: {error}"
    else:
        raise AssertionError(f"bad input was accepted; expected an error about {words}")


def _check_bad_tasks(learner, tasks, regression):
    X, y = (np.asarray(part) for part in tasks[0])
    broken = X.copy()
    broken[0, 0] = np.nan
    meta_fit = clone(learner).meta_fit
    _must_refuse(meta_fit, [], words=["task"])
    _must_refuse(meta_fit, [*tasks, (np.c_[X, X], y)], words=["width", "features"])
    _must_refuse(meta_fit, [*tasks, (broken, y)], words=["NaN"])
    _must_refuse(meta_fit, [*tasks, X], words=["pair"])
    if not regression:
        _must_refuse(meta_fit, [*tasks, (X, np.zeros(len(X), dtype=int))], words=["class"])


def _check_bad_support(learner, episode, regression):
    X, y = episode[:2]
    broken = X.copy()
    broken[0, 0] = np.nan
    learner = copy.deepcopy(learner)
    _must_refuse(learner.fit, X[:0], y[:0], words=["0 sample", "minimum"])
    _must_refuse(learner.fit, broken, y, words=["NaN"])
    _must_refuse(learner.fit, np.c_[X, X], y, words=["features"])
    if not regression:
        _must_refuse(learner.fit, X, np.zeros(len(X), dtype=int), words=["class"])
