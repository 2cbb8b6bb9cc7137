"""Auto estimators on targets of several outputs: numbers, and labels of which a row has any."""

import io
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_linnerud, make_multilabel_classification, make_regression
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression, QuantileRegressor, Ridge
from sklearn.metrics import f1_score, hamming_loss, make_scorer, mean_pinball_loss, r2_score
from sklearn.model_selection import GroupKFold, TimeSeriesSplit, cross_val_score
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sk_metalearn import AutoClassifier, AutoRegressor, KnowledgeBase, MetaSearchCV, recommend
from sk_metalearn.exceptions import FallbackWarning, KnowledgeError
from sk_metalearn.inspection import (
    ColumnImportanceDisplay,
    EnsembleWeightsDisplay,
    SearchHistoryDisplay,
    explain,
)
from sk_metalearn.search import CandidateLimits, _several, to_code
from sk_metalearn.search._catalogue_choices import usable_configurations
from sk_metalearn.search._past import measure
from sk_metalearn.spaces import (
    Configuration,
    Schema,
    build_estimator,
    catalogue_space,
    early_configurations,
    families,
    get_family,
)

X, Y = make_regression(120, 5, n_targets=3, noise=20.0, random_state=0)
# Outputs in units of their own.
Y = Y * [1.0, 1000.0, 0.001]
X_LABELS, LABELS = make_multilabel_classification(120, 8, n_classes=4, random_state=1)
NUMBERS = {"n_iter": 3, "families": ["ridge", "svm", "random_forest"], "random_state": 0}
QUICK = {
    AutoRegressor: {"n_iter": 3, "cv": 3, "families": ["ridge", "huber"], "random_state": 0},
    AutoClassifier: {"n_iter": 3, "cv": 3, "families": ["lda", "gaussian_nb"], "random_state": 0},
}
CLASSES = {"n_iter": 3, "families": ["lda", "linear_svc", "random_forest"], "random_state": 0}


@pytest.fixture(scope="module")
def regressor():
    return AutoRegressor(**NUMBERS).fit(X, Y)


@pytest.fixture(scope="module")
def classifier():
    return AutoClassifier(**CLASSES).fit(X_LABELS, LABELS)


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_every_family_serves_several_outputs(kind):
    data, target = (X, Y) if kind == "regression" else (X_LABELS, LABELS)
    schema = Schema.from_data(data, target, kind)
    assert schema.n_outputs == target.shape[1]
    for family in families(kind):
        params = {name: own.default for name, own in family.parameters.items()}
        point = Configuration(family.name, params, family.preprocessing)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = build_estimator(point, schema, 0).fit(data, target)
        assert model.predict(data).shape == target.shape, family.name
        if kind == "classification":
            assert hasattr(model, "predict_proba"), family.name


def test_numbers_are_predicted_together(regressor):
    assert set(regressor.cv_results_["status"]) == {"ok"}
    assert len({own["family"] for own in regressor.cv_results_["params"]}) > 1
    assert regressor.predict(X).shape == Y.shape
    assert regressor.score(X, Y) == pytest.approx(r2_score(Y, regressor.predict(X)))
    assert len(regressor.ensemble_) == 1
    assert regressor.best_score_ == np.max(regressor.cv_results_["mean_test_score"])
    # The mean predicts none of the outputs.
    assert regressor.score_estimate_.score > 0.5 > 0.1 > regressor.score_estimate_.dummy


def test_a_tree_does_not_look_at_the_largest_numbers_alone():
    noise = np.random.RandomState(0).normal(size=len(X))
    target = np.column_stack([1e4 * noise, Y[:, 0]])
    bare = RandomForestRegressor(max_depth=3, random_state=0)
    family = get_family("random_forest", "regression")
    point = Configuration("random_forest", {"max_depth": 3}, family.preprocessing)
    ours = build_estimator(point, Schema.from_data(X, target, "regression"), 0)
    of_ours, of_bare = (
        r2_score(target, model.fit(X, target).predict(X), multioutput="raw_values")[1]
        for model in (ours, bare)
    )
    assert of_ours > of_bare + 0.2


def test_labels_are_predicted_together(classifier):
    assert set(classifier.cv_results_["status"]) == {"ok"}
    predicted, probabilities = classifier.predict(X_LABELS), classifier.predict_proba(X_LABELS)
    assert predicted.shape == probabilities.shape == LABELS.shape
    assert np.array_equal(predicted, probabilities > 0.5) and predicted.dtype.kind == "i"
    assert np.allclose(np.exp(classifier.predict_log_proba(X_LABELS)), probabilities)
    assert [list(own) for own in classifier.classes_] == [[0, 1]] * 4
    assert classifier.score(X_LABELS, LABELS) == pytest.approx(
        f1_score(LABELS, predicted, average="micro")
    )


@pytest.mark.parametrize("scoring", ["accuracy", "roc_auc", "f1_macro", "average_precision"])
@pytest.mark.parametrize("family", ["random_forest", "mlp", "k_neighbors", "linear_svc", "ridge"])
def test_each_metric_of_labels_knows_each_family(scoring, family):
    # Two labels, which scikit-learn's networks may take for two classes.
    auto = AutoClassifier(n_iter=1, cv=3, scoring=scoring, families=[family], random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        auto.fit(X_LABELS, LABELS[:, :2])
    score = auto.score(X_LABELS, LABELS[:, :2])
    assert auto.cv_results_["status"][0] == "ok" and 0 < auto.best_score_ < 1 and score > 0.5


def test_a_label_that_a_fold_does_not_train_on_has_probability_zero():
    rare = LABELS[:, :2].copy()
    rare[:, 1] = np.arange(len(rare)) < 40
    folds = [(np.arange(40, 120), np.arange(40)), (np.arange(80), np.arange(80, 120))]
    scorer = make_scorer(
        lambda y, p: -np.mean((y - p) ** 2, axis=0)[1], response_method="predict_proba"
    )
    auto = AutoClassifier(
        n_iter=1, cv=folds, scoring=scorer, families=["random_forest"], random_state=0
    ).fit(X_LABELS, rare)
    # Of the first fold all rows have the label, of which none was known.
    assert auto.cv_results_["split0_test_score"][0] == -1


@pytest.mark.parametrize("Auto", [AutoRegressor, AutoClassifier])
def test_any_container_gives_the_same(Auto):
    data, target = (X, Y) if Auto is AutoRegressor else (X_LABELS, LABELS)
    options = {**QUICK[Auto], "n_iter": 1}
    whole = Auto(**options).fit(data, target).predict(data)
    names = [f"c{j}" for j in range(target.shape[1])]
    frame = pd.DataFrame(target, columns=names, index=range(500, 620))
    containers = [frame, target.tolist()]
    if Auto is AutoClassifier:
        containers += [csr_matrix(target), target.astype(bool), frame.astype("Int64")]
    pl = pytest.importorskip("polars")
    containers.append(pl.DataFrame(target, schema=names))
    containers.append(containers[-1].to_arrow())
    for own in containers:
        auto = Auto(**options).fit(data, own)
        assert np.array_equal(auto.predict(data), whole), type(own)
        assert np.isfinite(auto.score(data, own))


@pytest.mark.parametrize("Auto", [AutoRegressor, AutoClassifier])
def test_a_function_of_the_users_sees_the_frame(Auto):
    seen = []

    def judge(estimator, X, y):
        seen.append(y)
        return -float(np.mean((np.asarray(y) - estimator.predict(X)) ** 2))

    data, target = (X, Y) if Auto is AutoRegressor else (X_LABELS, LABELS)
    frame = pd.DataFrame(target).add_prefix("c").set_index(np.arange(len(target)) + 7)
    families = ["ridge", "k_neighbors"]
    auto = Auto(n_iter=2, cv=3, scoring=judge, families=families, random_state=0).fit(data, frame)
    auto.score(data, frame)
    assert all(list(own.columns) == list(frame.columns) for own in seen)
    assert seen[-1].index[0] == 7 and np.isfinite(auto.best_score_)


@pytest.mark.parametrize("Auto", [AutoRegressor, AutoClassifier])
def test_the_other_ways_to_fit(Auto, tmp_path):
    data, target = (X, Y) if Auto is AutoRegressor else (X_LABELS, LABELS)
    options = QUICK[Auto]
    path = tmp_path / "search.checkpoint"
    plain = Auto(**options).fit(data, target)
    kept = Auto(**{**options, "n_iter": 2}, checkpoint=path).fit(data, target)
    assert kept.predict(data).shape == target.shape
    # A search that goes on finds what one without a break finds.
    again = Auto(**options, checkpoint=path).fit(data, target)
    assert np.array_equal(again.predict(data), plain.predict(data))
    parallel = Auto(**options, n_jobs=2).fit(data, target)
    assert np.array_equal(parallel.predict(data), plain.predict(data))
    scores = cross_val_score(Auto(**options), data, target, cv=2, error_score="raise")
    assert np.isfinite(scores).all()
    sampled = Auto(**options, max_rows=80).fit(data, target)
    assert sampled.predict(data).shape == target.shape
    grouped = Auto(**{**options, "cv": None}).fit(data, target, groups=np.arange(len(data)) // 6)
    assert grouped.n_splits_ == 5
    cv = TimeSeriesSplit(3, max_train_size=30)
    ordered = Auto(**{**options, "cv": cv}, final="latest").fit(data, target)
    assert ordered.refit_on_ == "the latest 60 rows"
    limits = CandidateLimits(predict_seconds=10, model_bytes=10**9)
    assert Auto(**options, limits=limits).fit(data, target).predict(data).shape == target.shape


@pytest.mark.parametrize("Auto", [AutoRegressor, AutoClassifier])
def test_a_budget_ends_with_a_model_of_all_outputs(Auto):
    data, target = (X, Y) if Auto is AutoRegressor else (X_LABELS, LABELS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        auto = Auto(time_budget=6, random_state=0).fit(data, target)
        # The sample is smaller than the data, and time is up before anything is searched.
        hasty = Auto(time_budget=0.01, max_rows=60, random_state=0).fit(data, target)
    assert auto.predict(data).shape == hasty.predict(data).shape == target.shape
    assert auto.refit_on_ in ("all rows", "training rows of fold 0") or auto.best_index_ < 0
    if Auto is AutoClassifier:
        assert hasty.predict_proba(data).shape == target.shape


@pytest.mark.parametrize("Auto", [AutoRegressor, AutoClassifier])
def test_a_deployed_model_needs_scikit_learn_alone(Auto, regressor, classifier):
    regresses = Auto is AutoRegressor
    data, target = (X, Y) if regresses else (X_LABELS, LABELS)
    auto = regressor if regresses else classifier
    file = io.BytesIO()
    joblib.dump(auto, file)
    loaded = joblib.load(file)
    assert np.array_equal(loaded.predict(data), auto.predict(data))
    text = to_code(auto)
    assert "sk_metalearn" not in text
    scope = {}
    exec(text, scope)
    made = scope["model"].fit(data, target)
    assert np.allclose(made.predict(data), auto.predict(data))


@pytest.mark.parametrize("Auto", [AutoRegressor, AutoClassifier])
def test_every_public_method(Auto, regressor, classifier):
    regresses = Auto is AutoRegressor
    data, target = (X, Y) if regresses else (X_LABELS, LABELS)
    auto = regressor if regresses else classifier
    called = {"fit", "predict", "predict_proba", "predict_log_proba", "score"}
    board = auto.leaderboard()
    assert "dummy" in set(board["family"]) | set(board["settings"])
    assert len(auto.describe_columns()) == data.shape[1]
    again = auto.refit(data[::2], target[::2])
    assert again.predict(data).shape == target.shape
    with pytest.raises(ValueError, match="y has 1 columns; the model that was found is for"):
        auto.refit(data, target[:, 0])
    with pytest.raises(ValueError, match="y has 2 columns"):
        auto.refit(data, target[:, :2])
    called |= {"leaderboard", "describe_columns", "refit"}
    if regresses:
        with pytest.raises(ValueError, match="predict_interval is for one output"):
            auto.predict_interval(data)
        called.add("predict_interval")
    else:
        assert not hasattr(auto, "decision_function")
        assert auto.threshold_ is None
        called.add("decision_function")
    assert "best_estimator_" in auto._repr_html_()
    assert auto.knowledge_report_["used"] and str(auto.knowledge_report_)
    assert str(explain(auto)) and str(auto.score_estimate_)
    assert EnsembleWeightsDisplay.from_estimator(auto).weights.tolist() == [1]
    metric = SearchHistoryDisplay.from_estimator(auto).metric
    assert metric == ("r2" if regresses else "f1_micro")
    for cv in (None, 2):
        shown = ColumnImportanceDisplay.from_estimator(
            auto, data, target if cv else csr_matrix(target), cv=cv, n_repeats=2, random_state=0
        )
        assert np.isfinite(shown.importances).all() and shown.metric == metric
    methods = {
        name
        for name in dir(Auto)
        if not name.startswith(("_", "set_")) and callable(getattr(Auto, name, None))
    }
    common = {"get_params", "get_metadata_routing"}
    assert methods - called - common <= {"decision_function"}
    assert auto.get_params() and clone(auto).get_metadata_routing()


def test_weights_reach_all_outputs(regressor):
    few = np.where(np.arange(len(X)) < 40, 1.0, 1e-6)
    for Auto, data, target, options in (
        (AutoRegressor, X, Y, {"families": ["ridge", "svm"]}),
        (AutoClassifier, X_LABELS, LABELS, {"families": ["gaussian_nb", "logistic_regression"]}),
    ):
        options = {**QUICK[Auto], **options}
        auto = Auto(**options).fit(data, target, sample_weight=few)
        assert set(auto.cv_results_["status"]) == {"ok"}
        with config_context(enable_metadata_routing=True):
            routed = Auto(**options).fit(data, target, sample_weight=few)
        assert np.array_equal(routed.predict(data), auto.predict(data))
    weighted = regressor.refit(X, Y, sample_weight=few)
    assert not np.allclose(weighted.predict(X), regressor.predict(X))


@pytest.mark.parametrize(
    "Auto, option",
    [
        (AutoRegressor, {"final": "bag"}),
        (AutoClassifier, {"final": "bag"}),
        (AutoClassifier, {"threshold": "tune"}),
    ],
)
def test_what_is_for_one_output_says_so(Auto, option):
    data, target = (X, Y) if Auto is AutoRegressor else (X_LABELS, LABELS)
    ((name, value),) = option.items()
    wrapper = Auto.__name__.replace("Auto", "MultiOutput")
    with pytest.raises(ValueError, match=f"{name}={value!r} is for one output.*{wrapper}"):
        Auto(**option).fit(data, target)


def test_the_size_of_an_ensemble_has_no_effect_and_says_so():
    assert AutoRegressor().ensemble_size == AutoClassifier().ensemble_size == _several._USUAL_SIZE
    options = QUICK[AutoRegressor]
    with pytest.warns(FallbackWarning, match="ensemble_size=5 is for one output"):
        auto = AutoRegressor(**options, ensemble_size=5).fit(X, Y)
    assert len(auto.ensemble_) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error", FallbackWarning)
        same = AutoRegressor(**options, ensemble_size=0).fit(X, Y)
    assert np.array_equal(same.predict(X), auto.predict(X))


@pytest.mark.parametrize(
    "target, message",
    [
        (LABELS + 1, r"column 0 of y: it holds 2.*MultiOutputClassifier\(AutoClassifier\(\)\)"),
        (np.where(LABELS, "yes", "no"), "column 0 of y: it holds no.*MultiLabelBinarizer"),
        (np.where(LABELS, 1, -1), "column 0 of y: it holds -1"),
        (np.where(LABELS, np.nan, 0.0), "column 0 of y: Input y contains NaN"),
        (LABELS * [1, 1, 0, 1], "column 2 of y: it holds one class only, 0"),
        (LABELS[:-1], r"inconsistent numbers of samples: \[120, 119\]"),
        (pd.DataFrame({"a": LABELS[:, 0], "b": "text"}), "column 'b' of y: it holds text"),
    ],
)
def test_labels_that_cannot_be_used_are_named(target, message):
    with pytest.raises(ValueError, match=message):
        AutoClassifier(**CLASSES).fit(X_LABELS, target)


def test_numbers_that_cannot_be_used_are_named():
    frame = pd.DataFrame(Y, columns=["a", "b", "c"])
    with pytest.raises(ValueError, match="column 'b' of y: AutoRegressor needs a target of numb"):
        AutoRegressor(**NUMBERS).fit(X, frame.assign(b="low"))
    with pytest.raises(ValueError, match="column 'c' of y: Input y contains NaN"):
        AutoRegressor(**NUMBERS).fit(X, frame.assign(c=np.nan))
    with pytest.raises(ValueError, match="neg_mean_poisson_deviance.*cannot be computed.*'r2'"):
        AutoRegressor(scoring="neg_mean_poisson_deviance").fit(X, np.abs(Y))
    with pytest.raises(ValueError, match="'neg_brier_score' cannot be computed.*'f1_macro'"):
        AutoClassifier(scoring="neg_brier_score").fit(X_LABELS, LABELS)
    with pytest.raises(ValueError, match="each output"):
        recommend(X, Y, kind="regression")


def test_a_column_of_its_own_is_one_output():
    with pytest.warns(match="column-vector"):
        auto = AutoRegressor(**NUMBERS).fit(X, Y[:, :1])
    assert auto.predict(X).shape == (len(X),)


def test_several_columns_of_classes_have_a_way():
    classes = np.column_stack([LABELS[:, 0], LABELS[:, 1] + LABELS[:, 2]])
    auto = AutoClassifier(n_iter=1, cv=2, families=["lda"], random_state=0)
    predicted = MultiOutputClassifier(auto).fit(X_LABELS, classes).predict(X_LABELS)
    assert predicted.shape == classes.shape and set(predicted[:, 1]) <= {0, 1, 2}


def test_the_past_of_single_targets_guides(regressor):
    report = regressor.knowledge_report_
    assert report["used"] and report["metric"] == "r2" and report["tasks"] > 10
    names, first = measure(X, Y, "regression"), measure(X, Y[:, 0], "regression")
    each = [measure(X, Y[:, j], "regression") for j in range(3)]
    assert names["n_rows"] == first["n_rows"] if "n_rows" in first else names.keys() == first.keys()
    for name, value in names.items():
        known = [own[name] for own in each if np.isfinite(own[name])]
        assert (known and value == pytest.approx(np.mean(known))) or np.isnan(value)


def test_labels_ask_the_past_for_the_nearest_metric(classifier):
    report = classifier.knowledge_report_
    assert report["used"] and report["metric"] == "f1_macro" and not report["metric_is_exact"]
    assert "the nearest metric known" in str(report)


def test_it_is_not_remembered_and_says_so(tmp_path):
    base = KnowledgeBase.open(tmp_path / "own.db")
    with pytest.warns(FallbackWarning, match="of one output can be remembered") as told:
        AutoRegressor(**QUICK[AutoRegressor], remember=base).fit(X, Y)
    assert sum("remembered" in str(own.message) for own in told) == 1
    with pytest.raises(KnowledgeError, match="no regression tasks"):
        base.table("regression")


def test_own_estimators_are_wrapped_where_they_take_one_output():
    own = [QuantileRegressor(alpha=0), make_pipeline(StandardScaler(), QuantileRegressor(alpha=0))]
    auto = AutoRegressor(n_iter=3, families=["ridge", *own], cv=2, random_state=0).fit(X, Y)
    assert set(auto.cv_results_["status"]) == {"ok"}
    assert any(own["family"].startswith("own_") for own in auto.cv_results_["params"])
    own = [LinearSVC(), GaussianNB(), LogisticRegression()]
    auto = AutoClassifier(n_iter=4, families=["lda", *own], cv=2, random_state=0)
    assert set(auto.fit(X_LABELS, LABELS).cv_results_["status"]) == {"ok"}


def test_boosting_minimises_a_quantile_of_each_output():
    scorer = make_scorer(mean_pinball_loss, alpha=0.9, greater_is_better=False)
    auto = AutoRegressor(
        n_iter=1, cv=2, scoring=scorer, families=["hist_gradient_boosting"], random_state=0
    ).fit(X, Y)
    model = auto.best_estimator_[-1]
    assert isinstance(model, MultiOutputRegressor) and model.estimator.loss == "quantile"


def test_a_metric_of_labels_of_ones_own():
    scorer = make_scorer(hamming_loss, greater_is_better=False)
    auto = AutoClassifier(**CLASSES, scoring=scorer).fit(X_LABELS, LABELS)
    assert auto.score(X_LABELS, LABELS) == pytest.approx(
        -hamming_loss(LABELS, auto.predict(X_LABELS))
    )


@pytest.mark.parametrize(
    "Auto, scoring",
    [
        (AutoRegressor, ["neg_mean_absolute_error", "r2"]),
        (AutoClassifier, ["roc_auc", "f1_macro", "accuracy"]),
    ],
)
def test_several_metrics_of_several_outputs(Auto, scoring):
    data, target = (X, Y) if Auto is AutoRegressor else (X_LABELS, LABELS)
    auto = Auto(**QUICK[Auto], scoring=scoring).fit(data, target)
    alone = Auto(**QUICK[Auto], scoring=scoring[0]).fit(data, target)
    assert np.array_equal(auto.predict(data), alone.predict(data))
    board = auto.leaderboard()
    board = board[board["row"] >= 0]
    assert np.isfinite(board[scoring[1:]].to_numpy()).all()
    assert np.isfinite(auto.score(data, target))


@pytest.mark.parametrize("target", [Y, LABELS], ids=["numbers", "labels"])
def test_a_grid_search_takes_what_its_estimator_takes(target):
    data = X if target is Y else X_LABELS
    model = Ridge() if target is Y else MultiOutputClassifier(LogisticRegression())
    grid = {"alpha": [0.1, 1.0]} if target is Y else {"estimator__C": [0.1, 1.0]}
    with pytest.warns(FallbackWarning, match="the knowledge has no"):
        search = MetaSearchCV(model, grid, cv=GroupKFold(3)).fit(
            data, target, groups=np.arange(len(data)) % 6
        )
    assert search.predict(data).shape == target.shape and search.score(data, target) > 0


def test_the_catalogues_space_of_an_estimator_of_several_outputs():
    with pytest.warns(FallbackWarning, match="the knowledge has no"):
        search = MetaSearchCV(MLPRegressor(max_iter=20), n_iter=3, cv=2, random_state=0)
        search.fit(X, Y)
    assert set(search.cv_results_["status"]) == {"ok"} and search.predict(X).shape == Y.shape
    assert len({repr(own) for own in search.cv_results_["params"]}) == 3


def test_no_step_looks_at_one_output():
    rng = np.random.RandomState(0)
    frame = (
        pd.DataFrame(X).add_prefix("n").assign(shop=[f"s{i}" for i in rng.randint(60, size=120)])
    )
    for kind, target in (("regression", Y), ("classification", LABELS)):
        schema = Schema.from_data(frame, target, kind)
        assert schema.many and not early_configurations(kind, schema)
        words = {
            word
            for own in usable_configurations(kind, schema, None)[0]
            for word in own.preprocessing.values()
        }
        assert words and not words & {"target", "select"}
        for branch in catalogue_space(kind, many_levels=True, n_outputs=2).branches:
            for name, own in branch.parameters.items():
                if name.startswith("preprocessing__"):
                    assert not set(own.choices) & {"target", "select"}
    auto = AutoRegressor(**NUMBERS).fit(frame, Y)
    assert set(auto.cv_results_["status"]) == {"ok"}


def test_the_latest_rows_must_know_every_label():
    rare = LABELS.copy()
    rare[:, 2] = np.arange(len(rare)) < 60
    cv = TimeSeriesSplit(3, max_train_size=20)
    with pytest.raises(ValueError, match=r"latest 50 of 120 rows.*the columns \[2\] of y"):
        AutoClassifier(**{**CLASSES, "cv": cv}, final="latest").fit(X_LABELS, rare)


def test_few_rows_of_people():
    X, Y = load_linnerud(return_X_y=True, as_frame=True)
    auto = AutoRegressor(n_iter=2, cv=4, families=["ridge"], random_state=0).fit(X, Y)
    assert auto.predict(X).shape == Y.shape and isinstance(auto.best_estimator_, Pipeline)
