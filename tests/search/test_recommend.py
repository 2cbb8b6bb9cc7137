"""What past datasets recommend for a dataset, without a fit."""

import numpy as np
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


def _odd(container):
    if container == "pandas":
        pandas = pytest.importorskip("pandas")
        return pandas.DataFrame({"a": range(90), "odd": np.ones(90) * 1j})
    polars = pytest.importorskip("polars")
    cells = [[1, 2]] * 90 if container == "list" else [{"k": 1}] * 90
    kind = polars.Object if container == "object" else None
    return polars.DataFrame({"a": range(90), "odd": polars.Series(cells, dtype=kind)})


@pytest.mark.parametrize("container", ["pandas", "list", "record", "object"])
def test_columns_that_no_model_takes_are_named(container):
    with pytest.raises(ValueError, match=r"columns \['odd'\] of X hold complex"):
        recommend(_odd(container), np.arange(90) % 2)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_the_missing_value_of_pandas_in_y_is_named(kind):
    pandas = pytest.importorskip("pandas")
    y = pandas.Series(["1", None, "2"] * 30, dtype="string")
    with pytest.raises(ValueError, match="Input y contains NaN or None"):
        recommend(np.ones((90, 1)), y, kind=kind)


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
    for name, score, _ in found[0].evidence:
        assert score == table.scores(found[0].metric)[names.index(name), column]
        assert name in str(found[0])


def test_without_metafeatures_the_best_on_average_comes_first():
    X, y = load_diabetes(return_X_y=True)
    base, pool = without_metafeatures()
    found = recommend(X, y, n=2, kind="regression", knowledge=base)
    assert found[0].configuration == pool[0]
    assert found[0].expected_score == pytest.approx(0.9)
    assert found[0].evidence == () and "counted most" not in str(found[0])


@pytest.mark.parametrize(
    "bad, message",
    [
        ({"n": 0}, "at least 1; got 0"),
        ({"knowledge": None}, "got knowledge=None"),
        ({"families": ["svm_of_dreams"]}, "svm_of_dreams"),
        ({"strategy": "guess"}, "guess"),
        ({"scoring": "roc_auc"}, "y has 3 classes.*'roc_auc_ovr'"),
        ({"scoring": "accuracy", "kind": "regression"}, "metric of numbers such as 'r2'"),
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


def test_a_recommendation_shows_itself():
    X, y = load_wine(return_X_y=True)
    found = recommend(X, y, n=3)
    assert isinstance(found, list) and len(found) == 3
    lines = repr(found).splitlines()
    assert lines[0] == "3 recommended classification models by accuracy" and len(lines) == 7
    assert all(len(line) <= 100 for line in lines)
    for line, own in zip(lines[4:], found, strict=True):
        assert f"{own.expected_score:.4f}" in line and own.configuration.family in line
    shown = found._repr_html_()
    assert shown.count("<tr>") == 4 + 1 + len(found[0].evidence)
    assert repr(found[:0]) == "[]"


@pytest.mark.parametrize(
    "scoring, shown",
    [(None, "accuracy"), ("roc_auc", "roc_auc"), ("f1", "f1_macro")],
)
def test_the_metric_is_named_as_the_user_does_where_past_datasets_have_it(scoring, shown):
    X, y = load_wine(return_X_y=True)
    words = np.array(["red", "white"])[(y == 0).astype(int)]
    found = recommend(X, words, n=2, scoring=scoring)
    assert {own.metric for own in found} == {shown}
    nearest = ", nearest to f1 of what is known" if scoring == "f1" else ""
    assert repr(found).splitlines()[0].endswith(f"by {shown}{nearest}")
    assert f"by {shown}{nearest}" in found._repr_html_()


def test_one_dataset_where_a_model_fails_wholly_does_not_move_what_is_expected():
    X, y = load_diabetes(return_X_y=True)
    families = ["ridge", "elastic_net", "bayesian_ridge"]
    found = recommend(X, y, n=9, kind="regression", families=families)
    table = KnowledgeBase.bundled().table("regression")
    columns = table.columns_of([own.configuration for own in found])
    assert (np.nanmean(table.scores("r2")[:, columns], axis=0) < -1).any()
    assert all(0 < own.expected_score < 1 and 0 < own.spread < 1 for own in found)


def test_a_metric_of_numbers_is_refused_for_classes():
    X, y = load_wine(return_X_y=True)
    with pytest.raises(ValueError, match="Give a metric of classes such as 'accuracy'"):
        recommend(X, np.array(["a", "b", "c"])[y], scoring="r2")
