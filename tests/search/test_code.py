"""The best estimator as Python code."""

import runpy

import numpy as np
import pytest
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import load_iris
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from sk_metalearn import AutoClassifier, MetaSearchCV
from sk_metalearn.search import to_code
from sk_metalearn.search._code import _Writer

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


def test_code_of_a_table_with_dates_and_texts(tmp_path):
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    table = pandas.DataFrame(
        {
            "since $": pandas.date_range("2020-01-01", periods=90),
            'pl"an': rng.choice(["free", "pro"], 90),
            "price": [f"${own:.2f}" for own in rng.lognormal(size=90)],
        }
    )
    target = np.where(table['pl"an'] == "pro", "yes", "no")
    target = np.where(rng.random(90) < 0.3, "no", target)
    options = {
        "knowledge": None,
        "random_state": 0,
        "cv": 3,
        "scoring": "neg_log_loss",
        "final": "refit",
    }
    families = ["lda", "gaussian_nb", "decision_tree", "k_neighbors"]
    auto = AutoClassifier(n_iter=8, families=families, **options).fit(table, target)
    code = to_code(auto)
    model = run(code, tmp_path).fit(table, target)
    np.testing.assert_allclose(model.predict_proba(table), auto.predict_proba(table))
    # What the members share is written once.
    assert len(auto.ensemble_) > 1 and code.count("Layout(") == 1
    assert all(len(line) <= 120 for line in code.splitlines())


def test_what_clone_keeps_beside_the_parameters_is_in_the_code(tmp_path):
    with config_context(enable_metadata_routing=True):
        model = make_pipeline(
            StandardScaler().set_output(transform="pandas"),
            LogisticRegression().set_fit_request(sample_weight=True),
        )
        made = run(to_code(model), tmp_path)
        assert made[-1].get_metadata_routing().fit.requests == {"sample_weight": True}
    scaled = made[0].fit_transform(X)
    assert hasattr(scaled, "columns")


def test_a_slice_is_written_with_plain_numbers(tmp_path):
    model = ColumnTransformer([("n", StandardScaler(), slice(None, np.int64(3)))])
    made = run(to_code(model), tmp_path)
    assert made.transformers[0][2] == slice(None, 3)


def test_a_choice_of_columns_is_written(tmp_path):
    chosen = make_column_selector("^a", dtype_include="number"), make_column_selector()
    model = ColumnTransformer([("n", StandardScaler(), chosen[0]), ("m", "drop", chosen[1])])
    code = to_code(model)
    made = [own[2] for own in run(code, tmp_path).transformers]
    assert [vars(own) for own in made] == [vars(own) for own in chosen]
    assert "make_column_selector()" in code


@pytest.mark.parametrize(
    "model",
    [SVC(kernel=lambda a, b: a @ b.T), SVC(random_state=np.random.RandomState(0))],
    ids=["function", "random state"],
)
def test_what_has_no_code_is_refused(model):
    with pytest.raises(ValueError, match="no name|No short code"):
        to_code(make_pipeline(StandardScaler(), model))


def test_deep_estimators_are_written_in_few_steps(monkeypatch):
    model = SVC(C=123456789.0, class_weight={"a long name of a class": 0.123456789})
    for depth in range(12):
        model = Pipeline([(f"a_step_with_a_long_name_{depth}", model)])
    calls, write = [], _Writer.write
    monkeypatch.setattr(
        _Writer, "write", lambda self, *given: calls.append(given) or write(self, *given)
    )
    code = to_code(model)
    assert len(calls) < 40 * 12
    names = {}
    exec(code, names)
    assert repr(names["model"]) == repr(model)
