"""Messages that say what to do."""

import importlib.metadata

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.svm import SVC

from sk_metalearn import AutoClassifier, AutoRegressor, MetaSearchCV, recommend
from sk_metalearn.exceptions import CheckpointError, MissingDependencyError, import_optional

X, y = load_iris(return_X_y=True)
NAMED = np.array(["a", "b", "c"])[y]


@pytest.mark.parametrize(
    "wrong, near",
    [("acuracy", "'accuracy'"), ("f1-makro", "'f1_macro'"), ("roc", "'roc_auc'"), ("AUC", "auc")],
)
@pytest.mark.parametrize("where", ["auto", "grid", "several", "recommend"])
def test_a_misspelt_metric_is_told_its_nearest_name(where, wrong, near):
    calls = {
        "auto": lambda: AutoClassifier(scoring=wrong).fit(X, y),
        "grid": lambda: MetaSearchCV(SVC(), {"C": [1]}, scoring=wrong).fit(X, y),
        "several": lambda: MetaSearchCV(SVC(), {"C": [1]}, scoring=["accuracy", wrong]).fit(X, y),
        "recommend": lambda: recommend(X, y, scoring=wrong),
    }
    with pytest.raises(ValueError, match=f"scoring='{wrong}'.*Did you mean .*{near}"):
        calls[where]()


def test_a_metric_like_no_other_has_no_nearest_name():
    with pytest.raises(ValueError, match="no metric of that name. sklearn.metrics.get_scorer"):
        AutoClassifier(scoring="qqqqqqqq").fit(X, y)


def test_a_regressor_names_the_class_it_was_given():
    with pytest.raises(ValueError, match="y holds 'a'. Give numbers, or use AutoClassifier"):
        AutoRegressor().fit(X, NAMED)
    with pytest.raises(ValueError, match="y holds 'many'.*AutoClassifier"):
        AutoRegressor().fit(X[:60], [*map(str, range(59)), "many"])


def test_numbers_as_classes_are_told_the_other_estimator():
    with pytest.raises(ValueError, match="Unknown label type.*AutoRegressor predicts numbers"):
        AutoClassifier().fit(X, X[:, 0])


@pytest.mark.parametrize(
    "change, named",
    [
        ({"scoring": "f1_macro"}, "the parameter scoring"),
        ({"racing": True}, "the parameter racing"),
        ({"cv": 4}, "cv"),
        ({"random_state": 1}, "random_state"),
    ],
)
def test_a_checkpoint_says_which_setting_differs(tmp_path, change, named):
    options = {"cv": 3, "random_state": 0, "knowledge": None, "checkpoint": tmp_path / "c"}
    MetaSearchCV(SVC(), {"C": [1, 2]}, **options).fit(X, y)
    with pytest.raises(CheckpointError, match=f"it differs in {named}\\. Continue"):
        MetaSearchCV(SVC(), {"C": [1, 2]}, **{**options, **change}).fit(X, y)


def test_the_pip_line_names_what_every_index_has(monkeypatch):
    wanted = ["numpy>=1", 'torch>=2.2; extra == "deep"', "other ; extra == 'plot'"]
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: wanted)
    with pytest.raises(MissingDependencyError, match='pip install "torch>=2.2"$'):
        import_optional("no_such_module.part", "deep", "This")

    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", missing)
    with pytest.raises(MissingDependencyError, match='pip install "no_such_module"$'):
        import_optional("no_such_module.part", "deep", "This")


@pytest.mark.parametrize(
    ("where", "own"),
    [
        ("auto", None),
        ("auto", 3),
        ("recommend", SVC()),
        ("recommend", (SVC(), {"C": [1, 2]})),
        ("recommend", None),
    ],
)
def test_a_family_that_is_no_name_is_shown_with_what_may_stand_there(where, own):
    named = ["lda", own]
    calls = {
        "auto": lambda: AutoClassifier(families=named).fit(X, y),
        "recommend": lambda: recommend(X, y, families=named),
    }
    expected = r"no name; give some of \['adaboost'.*MetaSearchCV"
    if where == "auto":
        expected = "An entry of families is a name, an estimator, or a pair"
    with pytest.raises(ValueError, match=expected):
        calls[where]()


def test_one_name_in_place_of_a_list_of_families_is_told_apart():
    with pytest.raises(ValueError, match=r"got 'lda'\. Write families=\['lda'\]"):
        recommend(X, y, families="lda")
