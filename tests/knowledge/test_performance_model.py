"""The performance model of a family: places, prediction, spread, seconds."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from sk_metalearn.knowledge import PerformanceTable, Task
from sk_metalearn.knowledge._performance_model import FamilyModel, SharedProcess, family_model
from sk_metalearn.knowledge._places import place_points
from sk_metalearn.knowledge._seconds import predict_seconds
from sk_metalearn.spaces import Configuration, Schema, families, get_family, load_pool

SVM = get_family("svm", "classification")


def svm(C=1.0, gamma="scale", kernel="rbf", scaler="standard", **more):
    params = {"kernel": kernel, "C": C, "gamma": gamma, "class_weight": None, **more}
    return Configuration("svm", params, {**SVM.preprocessing, "scaler": scaler})


def random_points(number, rng):
    return [svm(C=10 ** rng.uniform(-3, 4), gamma=10 ** rng.uniform(-5, 1)) for _ in range(number)]


def surface(configurations, peak, n_features=16):
    """A smooth response with its peak at log10 of C and of gamma times columns."""
    places = [
        (np.log10(c.params["C"]), np.log10(c.params["gamma"] * n_features)) for c in configurations
    ]
    distance = ((np.array(places) - peak) ** 2 / [8.0, 4.0]).sum(axis=1)
    return 0.5 + 0.45 * np.exp(-distance)


@pytest.fixture(scope="module")
def svm_tasks():
    rng = np.random.default_rng(0)
    points = random_points(30, rng)
    peaks = rng.normal([1.5, -0.5], [0.8, 0.6], size=(60, 2))
    scores = np.array([surface(points, peak) for peak in peaks])
    scores += rng.normal(0, 0.004, scores.shape)
    return points, peaks, scores


def test_a_name_stands_where_its_number_stands():
    named, _ = place_points(SVM, [svm(gamma="scale"), svm(gamma="auto")], 20)
    number, _ = place_points(SVM, [svm(gamma=1 / 20)] * 2, 20)
    np.testing.assert_allclose(named, number)
    boosting = get_family("hist_gradient_boosting", "classification")
    default = Configuration("hist_gradient_boosting", boosting.space.default())
    shallow = Configuration("hist_gradient_boosting", {**default.params, "max_depth": 2})
    deep = Configuration("hist_gradient_boosting", {**default.params, "max_depth": 16})
    places, _ = place_points(boosting, [default, shallow, deep])
    assert np.abs(places[0] - places[2]).sum() < 0.05 < np.abs(places[0] - places[1]).sum()


def test_gamma_is_relative_to_the_distances_between_rows():
    few, _ = place_points(SVM, [svm(gamma=0.1)], 10)
    many, _ = place_points(SVM, [svm(gamma=0.01)], 100)
    np.testing.assert_allclose(few, many)
    raw = svm(gamma=0.1 / 25.0, scaler="none")
    places, groups = place_points(SVM, [raw, svm(gamma=0.1)], 10, variance=25.0)
    # Only the columns that speak of the scaler differ: whether, and which.
    assert (places[0] != places[1]).sum() == 3
    same, _ = place_points(SVM, [svm(gamma=0.1)], 10)
    np.testing.assert_allclose(places[1], same[0])


def test_every_pool_member_has_a_finite_place():
    for kind in ("classification", "regression"):
        for family in families(kind):
            members = [own for own in load_pool(kind) if own.family == family.name]
            if not members:
                continue
            places, groups = place_points(family, members)
            assert places.shape == (len(members), len(groups))
            assert np.isfinite(places).all() and np.abs(places).max() < 2


def test_values_outside_the_catalogue_have_a_place_too():
    odd = [
        svm(kernel="cosine"),
        svm(C=1e9),
        Configuration("svm", {**svm().params, "class_weight": {"0": 2.0}}, SVM.preprocessing),
    ]
    places, _ = place_points(SVM, odd)
    assert np.isfinite(places).all() and np.abs(places).max() <= 1.3


def test_predicts_points_that_were_not_measured(svm_tasks):
    points, peaks, scores = svm_tasks
    model = FamilyModel(SVM, points, scores, np.ones_like(scores), np.full(60, 16))
    new = random_points(80, np.random.default_rng(1))
    predicted, spread = model.predict(model.place(new, 16))
    truth = np.array([surface(new, peak) for peak in peaks])
    agreement = [spearmanr(a, b)[0] for a, b in zip(predicted, truth, strict=True)]
    assert np.mean(agreement) > 0.9
    assert model.reliability > 0.7
    # The spread says how far off the predictions are.
    ratio = np.abs(predicted - truth) / spread
    assert 0.2 < np.median(ratio) < 1.5
    far = spread[:, np.argsort(np.abs(predicted - truth).mean(axis=0))]
    assert far[:, -20:].mean() > far[:, :20].mean()


def test_points_measured_are_almost_reproduced(svm_tasks):
    points, _, scores = svm_tasks
    model = FamilyModel(SVM, points, scores, np.ones_like(scores), np.full(60, 16))
    predicted, _ = model.predict(model.place(points, 16))
    assert np.abs(predicted - scores).mean() < 0.02


def test_only_the_order_matters_for_the_model(svm_tasks):
    points, _, scores = svm_tasks
    plain = FamilyModel(SVM, points, scores, np.ones_like(scores), np.full(60, 16))
    bent = FamilyModel(SVM, points, np.exp(5 * scores), np.ones_like(scores), np.full(60, 16))
    assert plain.reliability == pytest.approx(bent.reliability)


def test_noise_is_not_reliable():
    rng = np.random.default_rng(2)
    points = random_points(25, rng)
    scores = rng.normal(size=(40, 25))
    model = FamilyModel(SVM, points, scores, np.ones_like(scores), np.full(40, 16))
    assert model.reliability < 0.1


def test_widths_carry_over_between_numbers_of_columns():
    rng = np.random.default_rng(3)
    points = random_points(40, rng)
    columns = np.repeat([4, 16, 128], 20)
    peak = np.array([1.0, -0.5])
    scores = np.array([surface(points, peak, own) for own in columns])
    model = FamilyModel(SVM, points, scores, np.ones_like(scores), columns)
    ladder = [svm(C=10.0, gamma=own) for own in np.logspace(-4, 1, 40)]
    for p in (4, 128):
        best = ladder[int(np.nanmean(model.predict(model.place(ladder, p))[0], axis=0).argmax())]
        assert best.params["gamma"] * p == pytest.approx(10**-0.5, rel=0.8)


def test_unknown_cells(svm_tasks):
    points, peaks, scores = svm_tasks
    holes = scores.copy()
    holes[:20, 15:] = np.nan
    holes[5] = np.nan
    model = FamilyModel(SVM, points, holes, np.ones_like(scores), np.full(60, 16))
    predicted, spread = model.predict(model.place(points, 16))
    assert np.isnan(predicted[5]).all() and np.isnan(spread[5]).all()
    rows = np.setdiff1d(np.arange(60), [5])
    assert np.isfinite(predicted[rows]).all() and (spread[rows] > 0).all()
    agreement = [spearmanr(predicted[i, 15:], scores[i, 15:])[0] for i in range(20) if i != 5]
    assert np.mean(agreement) > 0.6
    assert spread[:5, 15:].mean() > spread[30:, 15:].mean()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_few_points(number):
    rng = np.random.default_rng(4)
    points, scores = random_points(number, rng), rng.uniform(0.5, 1, size=(12, number))
    model = FamilyModel(SVM, points, scores, np.ones_like(scores), np.full(12, 8))
    predicted, spread = model.predict(model.place(random_points(5, rng), 8))
    assert np.isfinite(predicted).all() and np.isfinite(spread).all()
    assert predicted.min() > 0.3 and predicted.max() < 1.2


def test_the_gradient_is_exact_enough_for_the_optimum(svm_tasks):
    points, _, scores = svm_tasks
    places, groups = place_points(SVM, points, 16)
    values = scores - scores.mean(axis=1, keepdims=True)
    layout = np.zeros(len(values), dtype=int)
    process = SharedProcess(places[None], layout, groups, values)

    def error(weights):
        other = SharedProcess(places[None], layout, groups, values)
        other.weights = weights
        other._between = other._kernel(places, places)[None]
        other._calibrate()
        return -other.reliability

    best = error(process.weights)
    assert all(best <= error(process.weights * factor) + 0.02 for factor in (0.05, 20.0))


def table(n_tasks=40, metric="accuracy", grow=1.5):
    rng = np.random.default_rng(5)
    configurations = [own for own in load_pool("classification") if own.family in ("svm", "dummy")]
    rows = rng.integers(100, 2500, n_tasks)
    tasks = [
        Task(f"{i:012x}", f"t{i}", "classification", f"f{i}", int(rows[i]), 16, 2)
        for i in range(n_tasks)
    ]
    shape = n_tasks, len(configurations)
    scores = rng.uniform(0.5, 0.9, shape)
    used = np.minimum(0.75 * rows, 2000) * 2 / 3
    seconds = 1e-5 * used[:, None] ** grow * rng.lognormal(0, 0.1, shape)
    arrays = {
        f"mean:{metric}": scores,
        "seconds": seconds,
        "status": np.ones(shape, dtype=np.uint8),
        "metafeatures": np.zeros((n_tasks, 0)),
    }
    return PerformanceTable("classification", tasks, configurations, arrays)


def test_a_model_is_fitted_once_per_table_family_and_metric():
    own = table()
    model = family_model(own, "svm", "accuracy")
    assert model is family_model(own, "svm", "accuracy")
    assert model is not family_model(table(), "svm", "accuracy")
    assert family_model(own, "mlp", "accuracy") is None
    assert model.n_points == sum(c.family == "svm" for c in own.configurations)


def test_seconds_grow_as_on_past_tasks():
    own = table(n_tasks=150, grow=1.5)
    configurations = [svm(), None, Configuration("mlp", {}, {})]

    def at(n_rows):
        columns = tuple(range(16))
        schema = Schema(n_rows, 16, columns, n_classes=2, min_class_count=50)
        return predict_seconds(configurations, schema, own)

    small, large = at(300), at(30_000)
    assert np.isfinite(small[0]) and np.isnan(small[1:]).all()
    exponent = np.log(large[0] / small[0]) / np.log(100)
    assert exponent == pytest.approx(1.5, abs=0.15)
    assert small[0] == pytest.approx(1e-5 * 200**1.5, rel=0.3)


def test_predictions_of_near_points_err_together(svm_tasks):
    points, _, scores = svm_tasks
    model = FamilyModel(SVM, points[:12], scores[:, :12], np.ones((60, 12)), np.full(60, 16))
    near = model.place([svm(C=C, gamma=0.01) for C in (1.0, 1.2, 1000.0)], 16)
    correlation = model.correlation(near)
    assert np.allclose(np.diag(correlation), 1.0)
    assert np.linalg.eigvalsh(correlation).min() > 0
    assert correlation[0, 1] > correlation[0, 2]
    # Nobody can tell twins apart: measuring one says all about the other.
    twins = model.place([svm(C=C, gamma=0.01) for C in (1.0, 1.001)], 16)
    assert model.correlation(twins)[0, 1] > 0.999
