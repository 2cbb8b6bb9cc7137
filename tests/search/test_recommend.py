"""What past datasets recommend for a dataset, without a fit."""

import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import cross_val_score

from sk_metalearn import KnowledgeBase, recommend
from sk_metalearn.exceptions import KnowledgeError
from sk_metalearn.knowledge import Evaluation, Task
from sk_metalearn.spaces import load_pool


def without_metafeatures():
    """Three invented tasks on which each configuration of the pool does worse than the last."""
    pool = load_pool("regression")[1:7]
    tasks = [Task(f"{i:012x}", f"set {i}", "regression", f"family {i}", 100, 4) for i in range(3)]
    evaluations = [
        Evaluation(task.id, own.id, "ok", {"r2": [0.9 - 0.1 * place] * 3}, fit_seconds=[0.1] * 3)
        for task in tasks
        for place, own in enumerate(pool)
    ]
    return KnowledgeBase.from_evaluations(tasks, {"regression": pool}, evaluations), pool


def test_recommended_estimators_are_good_and_the_evidence_is_measured():
    X, y = load_diabetes(return_X_y=True)
    base = KnowledgeBase.bundled()  # which does not hold this dataset
    found = recommend(X, y, n=3, kind="regression", knowledge=base)
    assert len({str(own.configuration) for own in found}) == 3
    scores = [cross_val_score(own.estimator, X, y, cv=3).mean() for own in found]
    assert max(scores) > 0.35 > cross_val_score(DummyRegressor(), X, y, cv=3).mean()
    table = base.table("regression")
    names = [task.name for task in table.tasks]
    column = table.columns_of([found[0].configuration])[0]
    for name, score in found[0].evidence:
        assert score == table.scores(found[0].metric)[names.index(name), column]
        assert name in str(found[0])


def test_without_metafeatures_the_best_on_average_comes_first():
    X, y = load_diabetes(return_X_y=True)
    base, pool = without_metafeatures()
    found = recommend(X, y, n=2, kind="regression", knowledge=base)
    assert found[0].configuration == pool[0]
    assert found[0].expected_score == pytest.approx(0.9)
    assert found[0].evidence == () and "nearest" not in str(found[0])


@pytest.mark.parametrize(
    "bad, message",
    [
        ({"n": 0}, "at least 1; got 0"),
        ({"knowledge": None}, "got knowledge=None"),
        ({"families": ["svm_of_dreams"]}, "svm_of_dreams"),
        ({"strategy": "guess"}, "guess"),
    ],
)
def test_what_cannot_be_is_said(bad, message):
    X, y = load_wine(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        recommend(X, y, **bad)


def test_a_base_of_another_kind_is_named():
    X, y = load_wine(return_X_y=True)
    with pytest.raises(KnowledgeError, match="no classification tasks"):
        recommend(X, y, knowledge=without_metafeatures()[0])
