"""Retrieval of past tasks: right, stable, quick, explained, and a good scikit-learn citizen."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_metalearn.exceptions import KnowledgeError
from sk_metalearn.knowledge import DatasetRetriever, Evaluation, KnowledgeBase, Task, task_id
from sk_metalearn.metafeatures import MetaFeatureExtractor
from sk_metalearn.spaces import load_pool


@parametrize_with_checks(
    [
        DatasetRetriever(n_neighbors=1),
        DatasetRetriever(n_neighbors=1, metric="manhattan"),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def _ranks(X):
    return np.array([[(np.sum(c < v) + np.sum(c <= v)) / 2 for v in c] for c in X.T]).T / len(X)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_neighbours_by_the_definition(metric):
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(60, 4)), 1)
    retriever = DatasetRetriever(n_neighbors=7, metric=metric).fit(X)
    gaps = np.abs(_ranks(X)[:, None] - _ranks(X)[None])
    expected = gaps.mean(2) if metric == "manhattan" else np.sqrt((gaps**2).mean(2))
    distances, indices = retriever.kneighbors(X, 60)
    assert np.allclose(distances, np.sort(expected, axis=1), atol=1e-6)
    assert np.allclose(np.take_along_axis(expected, indices, 1), distances, atol=1e-6)
    distances, indices = retriever.kneighbors()
    assert distances.shape == (60, 7)
    assert not (indices == np.arange(60)[:, None]).any()


def test_units_and_outliers_do_not_matter():
    rng = np.random.default_rng(1)
    X = rng.lognormal(size=(50, 3))
    query = rng.lognormal(size=(5, 3))
    first = DatasetRetriever().fit(X).kneighbors(query)
    again = DatasetRetriever().fit(np.exp(X) * 1000).kneighbors(np.exp(query) * 1000)
    assert np.allclose(first[0], again[0]) and np.array_equal(first[1], again[1])


def test_missing_values_lie_in_the_middle():
    X = np.array([[0.0], [1.0], [2.0], [3.0], [np.nan]])
    retriever = DatasetRetriever(n_neighbors=1).fit(X)
    assert retriever.kneighbors([[np.nan]], return_distance=False).tolist() == [[4]]
    assert retriever.kneighbors([[9.0]], return_distance=False).tolist() == [[3]]


def test_learned_weights_find_what_matters():
    rng = np.random.default_rng(2)
    X = rng.uniform(size=(80, 5))
    # Which of two kinds of configuration does well depends on the second column alone.
    scores = np.outer(X[:, 1], np.linspace(-1, 1, 12)) + np.outer(1 - X[:, 1], np.tile([1, -1], 6))
    scores += 0.01 * rng.normal(size=scores.shape)
    scores[rng.uniform(size=scores.shape) < 0.1] = np.nan
    retriever = DatasetRetriever(metric="learned").fit(X, scores)
    assert retriever.weights_.argmax() == 1 and retriever.weights_[1] > 0.8
    assert retriever.weights_.sum() == pytest.approx(1.0)
    assert np.array_equal(clone(retriever).fit(X, scores).weights_, retriever.weights_)
    near = retriever.kneighbors([[0.5, 0.9, 0.5, 0.5, 0.5]], 5, return_distance=False)
    assert np.abs(X[near[0], 1] - 0.9).max() < 0.1


def test_learning_needs_scores():
    X = np.random.default_rng(0).uniform(size=(10, 2))
    with pytest.raises(KnowledgeError, match="needs y"):
        DatasetRetriever(metric="learned").fit(X)
    with pytest.raises(KnowledgeError, match=r"\(10, n_configurations\)"):
        DatasetRetriever(metric="learned").fit(X, np.zeros((9, 3)))
    with pytest.raises(KnowledgeError, match="at least three"):
        DatasetRetriever(metric="learned").fit(X, np.full((10, 3), np.nan))


def test_too_many_neighbours_are_refused():
    retriever = DatasetRetriever().fit(np.eye(4))
    with pytest.raises(ValueError, match="from 1 to 4"):
        retriever.kneighbors(np.eye(4), 5)
    with pytest.raises(ValueError, match="from 1 to 3"):
        retriever.kneighbors(n_neighbors=4)


@pytest.fixture(scope="module")
def described():
    """A base whose tasks are described by the package's own meta-features."""
    rng = np.random.default_rng(0)
    extractor = MetaFeatureExtractor()
    tasks, features, evaluations, datasets = [], {}, [], {}
    pool = load_pool("classification")[:2]
    for number, (n, p, classes) in enumerate([(120, 4, 2), (600, 30, 2), (300, 8, 5), (90, 40, 3)]):
        X, y = rng.normal(size=(n, p)), np.arange(n) % classes
        task = Task(
            task_id("r", number), f"set {number}", "classification", f"f{number}", n, p, classes
        )
        datasets[task.id] = X, y
        tasks.append(task)
        features[task.id] = extractor.extract(X, y)
        evaluations += [
            Evaluation(task.id, own.id, "ok", {"accuracy": (0.5,)}, source="t") for own in pool
        ]
    base = KnowledgeBase.from_evaluations(tasks, pool, evaluations, features)
    return base, datasets


def test_a_base_finds_its_own_tasks(described):
    base, datasets = described
    for task in base.tasks:
        first, *others = base.neighbors(*datasets[task.id], n_neighbors=3)
        assert first.task.id == task.id and first.distance == pytest.approx(0, abs=1e-6)
        assert len(others) == 2 and others[0].distance > 0
        assert first.reasons and all("here" in reason for reason in first.reasons)


def test_neighbours_of_a_dataset_and_of_its_meta_features_agree(described):
    base, _ = described
    X, y = load_breast_cancer(return_X_y=True)
    found = base.neighbors(X, y)
    assert len(found) == 4
    assert [own.distance for own in found] == sorted(own.distance for own in found)
    features = MetaFeatureExtractor().extract(X, y)
    assert base.neighbors(metafeatures=features, kind="classification") == found
    few = {name: features[name] for name in ("log_n_rows", "log_n_columns")}
    (nearest, *_) = base.neighbors(metafeatures=few)
    assert nearest.task.name == "set 1"
    assert "set 1 (distance" in str(nearest) and "log_n_rows 6.397, here 6.344" in str(nearest)


def test_what_is_left_out_is_not_found(described):
    base, _ = described
    X, y = load_breast_cancer(return_X_y=True)
    assert all(own.task.name != "set 1" for own in base.without(tasks=["set 1"]).neighbors(X, y))


def test_questions_that_cannot_be_answered(described, base):
    with pytest.raises(KnowledgeError, match="needs X"):
        described[0].neighbors()
    with pytest.raises(KnowledgeError, match="No meta-feature to compare by"):
        described[0].neighbors(metafeatures={"colour": 3.0})
    with pytest.raises(KnowledgeError, match="say kind="):
        base.neighbors(metafeatures={"log_n_rows": 3.0})
    X, y = load_diabetes(return_X_y=True)
    with pytest.raises(KnowledgeError, match="no regression tasks"):
        described[0].neighbors(X, y, kind="regression")


def test_kind_is_told_by_y(base):
    X, y = load_diabetes(return_X_y=True)
    assert all(own.task.kind == "regression" for own in base.neighbors(X, y + 0.5))
