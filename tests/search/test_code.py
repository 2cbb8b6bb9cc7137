"""The best estimator as Python code."""

import runpy

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from sk_metalearn import AutoClassifier, MetaSearchCV
from sk_metalearn.search import to_code

X, y = load_iris(return_X_y=True)


def run(code, tmp_path):
    path = tmp_path / "code.py"
    path.write_text(code)
    return runpy.run_path(str(path))["model"]


@pytest.mark.parametrize(
    "model",
    [
        SVC(C=0.1, class_weight={0: 1.0, 1: 2.5}),
        make_pipeline(StandardScaler(with_mean=False), CalibratedClassifierCV(SVC(), cv=3)),
        VotingClassifier([("a", SVC()), ("b", LogisticRegression(C=1e-3))], weights=[1, 2]),
        ColumnTransformer([("n", StandardScaler(), [0, 1]), ("c", OneHotEncoder(), ["d"])]),
        FunctionTransformer(kw_args={"a": set(), "b": {1}, "c": frozenset()}),
    ],
    ids=lambda model: type(model).__name__,
)
def test_the_code_makes_the_same_estimator(model, tmp_path):
    assert repr(run(to_code(model), tmp_path)) == repr(model)


def test_code_of_searches(tmp_path):
    options = {"knowledge": None, "random_state": 0, "cv": 3}
    search = MetaSearchCV(make_pipeline(StandardScaler(), SVC()), {"svc__C": [0.1, 10]}, **options)
    model = run(to_code(search.fit(X, y)), tmp_path).fit(X, y)
    assert (model.predict(X) == search.predict(X)).all()
    auto = AutoClassifier(n_iter=4, families=["lda", "gaussian_nb"], **options).fit(X, y)
    model = run(to_code(auto), tmp_path).fit(X, y)
    assert (model.predict(X) == auto.predict(X)).all()


def test_a_slice_is_written_with_plain_numbers(tmp_path):
    model = ColumnTransformer([("n", StandardScaler(), slice(None, np.int64(3)))])
    made = run(to_code(model), tmp_path)
    assert made.transformers[0][2] == slice(None, 3)


@pytest.mark.parametrize(
    "model",
    [SVC(kernel=lambda a, b: a @ b.T), SVC(random_state=np.random.RandomState(0))],
    ids=["function", "random state"],
)
def test_what_has_no_code_is_refused(model):
    with pytest.raises(ValueError, match="no name|No short code"):
        to_code(make_pipeline(StandardScaler(), model))
