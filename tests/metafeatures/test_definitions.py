"""Values against scipy, scikit-learn and the definitions written out."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats
from sklearn.cross_decomposition import CCA
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import mutual_info_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.tree import DecisionTreeClassifier

from sk_metalearn.metafeatures import MetaFeatureExtractor
from sk_metalearn.metafeatures._columns import Sorted
from sk_metalearn.metafeatures._moments import block_moments, merge
from sk_metalearn.metafeatures._normality import shapiro_wilk

LOADERS = {"iris": load_iris, "wine": load_wine, "breast": load_breast_cancer}


@pytest.fixture(scope="module")
def described():
    return {
        name: MetaFeatureExtractor(groups="all", fidelity="exact").extract(*load(return_X_y=True))
        for name, load in LOADERS.items()
    }


@pytest.mark.parametrize("name", LOADERS)
def test_statistics_of_columns(described, name):
    X, _ = LOADERS[name](return_X_y=True)
    n = len(X)
    columns = {
        "mean": X.mean(axis=0),
        "sd": X.std(axis=0, ddof=1),
        "variance": X.var(axis=0, ddof=1),
        "median": np.median(X, axis=0),
        "interquartile_range": stats.iqr(X, axis=0),
        "mad": stats.median_abs_deviation(X, axis=0, scale=1 / 1.4826),
        "trimmed_mean": stats.trim_mean(X, 0.2, axis=0),
        "skewness": stats.skew(X) * ((n - 1) / n) ** 1.5,
        "kurtosis": (stats.kurtosis(X) + 3) * (1 - 1 / n) ** 2 - 3,
        "range": np.ptp(X, axis=0),
        "geometric_mean": stats.gmean(X[:, (X > 0).all(axis=0)]),
    }
    if not (X > 0).all():
        # a column with a zero has geometric mean zero
        zero = np.zeros(np.sum((X >= 0).all(axis=0) & (X == 0).any(axis=0)))
        columns["geometric_mean"] = np.r_[columns["geometric_mean"], zero]
    for what, values in columns.items():
        assert described[name][f"{what}_mean"] == pytest.approx(values.mean(), rel=1e-9), what
        assert described[name][f"{what}_sd"] == pytest.approx(values.std(ddof=1), rel=1e-9), what


@pytest.mark.parametrize("name", LOADERS)
def test_openml_skewness_and_kurtosis_are_unbiased(described, name):
    X, _ = LOADERS[name](return_X_y=True)
    skewness = stats.skew(X, bias=False)
    kurtosis = stats.kurtosis(X, bias=False)
    found = described[name]
    assert found["MeanSkewnessOfNumericAtts"] == pytest.approx(skewness.mean(), rel=1e-9)
    assert found["MaxKurtosisOfNumericAtts"] == pytest.approx(kurtosis.max(), rel=1e-9)


def test_openml_qualities_of_wine(described):
    # OpenML data set 187 (wine): figures from openml.org, CC-BY
    figures = {
        "NumberOfFeatures": 14,
        "MajorityClassPercentage": 39.8876404494382,
        "ClassEntropy": 1.5668222768551812,
        "Dimensionality": 14 / 178,
    }
    for name, value in figures.items():
        assert described["wine"][name] == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("name", LOADERS)
def test_entropy_and_mutual_information(described, name):
    X, y = LOADERS[name](return_X_y=True)
    n_bins = int(len(X) ** (1 / 3))
    information = []
    for column in X.T:
        edges = np.unique(np.quantile(column, np.arange(1, n_bins + 1) / n_bins))
        bins = np.searchsorted(edges, column)
        information.append(mutual_info_score(bins, y) / np.log(2))
    found = described[name]
    assert found["class_entropy"] == pytest.approx(stats.entropy(np.bincount(y), base=2))
    # the shares in the table are raised by 1e-8, as pymfe does
    assert found["mutual_information_mean"] == pytest.approx(np.mean(information), rel=1e-5)
    assert found["mutual_information_max"] == pytest.approx(np.max(information), rel=1e-5)


@pytest.mark.parametrize("name", LOADERS)
def test_correlations_and_components(described, name):
    X, y = LOADERS[name](return_X_y=True)
    found = described[name]
    pairs = np.abs(np.corrcoef(X.T)[np.tril_indices(X.shape[1], -1)])
    assert found["correlation_mean"] == pytest.approx(pairs.mean(), rel=1e-9)
    assert found["correlated_share"] == pytest.approx(np.mean(pairs >= 0.5), rel=1e-12)
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    pca = PCA().fit(scaled)
    assert found["pca_first"] == pytest.approx(pca.explained_variance_ratio_[0], rel=1e-9)
    assert found["t4"] == pytest.approx(PCA(0.95).fit(X).n_components_ / X.shape[1])
    scores = pca.transform(scaled)[:, 0]
    assert found["pca_kurtosis"] == pytest.approx(stats.kurtosis(scores), rel=1e-6)
    dummies = (y[:, None] == np.unique(y)[1:]).astype(float)
    cca = CCA(n_components=dummies.shape[1], max_iter=10_000, tol=1e-12).fit(X, dummies)
    a, b = cca.transform(X, dummies)
    r = [np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(dummies.shape[1])]
    assert found["canonical_correlation_mean"] == pytest.approx(np.mean(r), rel=1e-5)
    assert found["wilks_lambda"] == pytest.approx(np.prod(1 - np.square(r)), rel=1e-4)


@pytest.mark.parametrize("name", LOADERS)
def test_landmarkers_are_cross_validated_scores(described, name):
    X, y = LOADERS[name](return_X_y=True)
    learners = {
        "one_nn": KNeighborsClassifier(1),
        "naive_bayes": GaussianNB(),
        "best_node": DecisionTreeClassifier(max_depth=1, random_state=0),
        "small_tree": DecisionTreeClassifier(max_depth=3, random_state=0),
    }
    for learner, estimator in learners.items():
        scores = cross_val_score(estimator, X, y, cv=StratifiedKFold(10))
        assert described[name][f"{learner}_mean"] == pytest.approx(scores.mean(), rel=1e-12)
        assert described[name][f"{learner}_sd"] == pytest.approx(scores.std(ddof=1), rel=1e-9)
    # scikit-learn divides the covariance by n since 1.9, by n - k before: a row may change sides
    scores = cross_val_score(LinearDiscriminantAnalysis(), X, y, cv=StratifiedKFold(10))
    assert described[name]["linear_discriminant_mean"] == pytest.approx(
        scores.mean(), abs=1.5 / len(y)
    )


@pytest.mark.parametrize("name", LOADERS)
def test_tree_shape(described, name):
    X, y = LOADERS[name](return_X_y=True)
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    found = described[name]
    assert found["tree_leaves"] == tree.get_n_leaves()
    assert found["tree_depth_max"] == tree.get_depth()
    assert found["column_importance_max"] == pytest.approx(tree.feature_importances_.max())
    # the terms of a binary tree's leaves: sum of d 2^-d over leaves = number of leaves * mean
    reached = tree.apply(X)
    assert found["leaf_share_mean"] == pytest.approx(1 / len(np.unique(reached)))


@pytest.mark.parametrize("name", LOADERS)
def test_neighbourhood_complexity(described, name):
    X, y = LOADERS[name](return_X_y=True)
    unit = (X - X.min(axis=0)) / np.ptp(X, axis=0)
    nearest = NearestNeighbors(n_neighbors=2, metric="manhattan").fit(unit)
    other = nearest.kneighbors(unit, return_distance=False)[:, 1]
    assert described[name]["n3_mean"] == pytest.approx(np.mean(y[other] != y), abs=1.5 / len(y))


def test_overlap_of_two_intervals():
    X = np.array([[0.0], [1.0], [2.0], [1.5], [3.0], [4.0]])
    y = [0, 0, 0, 1, 1, 1]
    found = MetaFeatureExtractor(groups=["complexity"]).extract(X, y)
    # the classes overlap in [1.5, 2] of [0, 4], where two of six rows are
    assert found["f2_mean"] == pytest.approx(0.5 / 4)
    assert found["f3_mean"] == found["f4_mean"] == pytest.approx(2 / 6)
    within = 2 + np.var([1.5, 3, 4]) * 3
    assert found["f1_mean"] == pytest.approx(within / (np.var(X) * 6))
    # joined along the line 0-1-1.5-2-3-4: the edges 1-1.5, 1.5-2 and 2-3 join two classes
    assert found["n1"] == pytest.approx(4 / 6)
    assert found["c2"] == pytest.approx(0.0)


def test_a_linear_target_is_simple():
    rng = np.random.default_rng(0)
    X = rng.random((200, 3))
    extractor = MetaFeatureExtractor(groups=["complexity", "landmarking", "subsampling"])
    easy = extractor.extract(X, X[:, 0])
    assert easy["reg_l1"] == pytest.approx(0, abs=1e-9)
    assert easy["reg_c1"] == pytest.approx(1)
    assert easy["reg_c3"] == easy["reg_c4"] == 0
    assert easy["probe_linear"] > 0.99
    hard = extractor.extract(X, rng.random(200))
    for name in ("reg_l1", "reg_l2", "reg_c3", "reg_c4", "reg_s1", "reg_s3"):
        assert hard[name] > easy[name]
    assert hard["linear_mean"] < 0.1 < easy["linear_mean"]


def test_stationarity_of_the_target_along_columns():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 2))
    found = MetaFeatureExtractor(groups=["target"]).extract(X, X[:, 0] + 0.1 * rng.normal(size=500))
    tenths = np.array_split(np.argsort(X[:, 0]), 10)
    y = X[:, 0]
    assert stats.kruskal(*(y[rows] for rows in tenths)).pvalue < 1e-50
    assert found["target_stationarity_p_min"] < 1e-50
    assert found["target_drift_max"] > 0.9
    alone = MetaFeatureExtractor(groups=["target"]).extract(X[:, 1:], X[:, 0])
    assert alone["target_stationarity_p_min"] > 1e-4


def test_regression_target():
    X, y = load_diabetes(return_X_y=True)
    found = MetaFeatureExtractor(groups=["target", "openml"]).extract(X, y, "regression")
    assert found["target_skewness"] == pytest.approx(stats.skew(y))
    assert found["target_kurtosis"] == pytest.approx(stats.kurtosis(y))
    assert found["target_variation"] == pytest.approx(y.std(ddof=1) / y.mean())
    assert found["MaxMeansOfNumericAtts"] == pytest.approx(y.mean())
    assert found["NumberOfClasses"] == 0


def test_missing_values():
    X = np.array([[1, np.nan, np.nan], [2, 1, 3], [3, 4, np.nan], [4, 4, 4]], dtype=float)
    found = MetaFeatureExtractor(groups=["missing", "openml"]).extract(X, [0, 1, 0, 1])
    assert found["n_missing"] == 3
    assert found["fraction_missing"] == 3 / 12
    assert found["PercentageOfMissingValues"] == pytest.approx(300 / 16)
    assert found["fraction_rows_missing"] == 2 / 4
    assert found["fraction_columns_missing"] == pytest.approx(2 / 3)
    assert found["row_missing_max"] == pytest.approx(2 / 3)
    assert found["missing_target_correlation"] == pytest.approx(1)


@pytest.mark.parametrize("n", [3, 4, 5, 6, 11, 12, 50, 5000])
def test_shapiro_wilk(n):
    rng = np.random.default_rng(n)
    samples = np.vstack([rng.normal(size=(3, n)), rng.exponential(size=(3, n)), rng.random((3, n))])
    expected = [stats.shapiro(sample).pvalue for sample in samples]
    np.testing.assert_allclose(shapiro_wilk(np.sort(samples, axis=1)), expected, rtol=1e-4)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 101])
def test_sorted_columns(n):
    rng = np.random.default_rng(n)
    X = np.column_stack([rng.normal(size=n), rng.integers(0, 3, n), np.full(n, 2.0)])
    holes = np.where(rng.random(X.shape) < 0.3, np.nan, X)
    for block in (X, holes):
        count = np.sum(~np.isnan(block), axis=0)
        found = Sorted(np.sort(block.T, axis=1), count)
        for j, column in enumerate(block.T):
            values = column[~np.isnan(column)]
            assert found.distinct()[j] == len(np.unique(values))
            if len(values):
                assert found.quantile([0.2, 0.5])[j] == pytest.approx(
                    np.quantile(values, [0.2, 0.5])
                )
                assert found.median_deviation()[j] == pytest.approx(
                    stats.median_abs_deviation(values)
                )


def test_moments_merge_to_those_of_the_whole():
    rng = np.random.default_rng(0)
    X = 1e6 + rng.gamma(1.0, size=(900, 4))
    X[rng.random(X.shape) < 0.1] = np.nan
    X[:300, 3] = np.nan
    merged = None
    for part in np.split(X, [1, 250, 300, 301]):
        found = block_moments(part)
        merged = found if merged is None else merge(merged, found)
    whole = block_moments(X)
    np.testing.assert_allclose(merged.mean, np.nanmean(X, axis=0), rtol=1e-12)
    np.testing.assert_allclose(merged.sd, np.nanstd(X, axis=0, ddof=1), rtol=1e-9)
    np.testing.assert_allclose(merged.skewness, stats.skew(X, nan_policy="omit"), rtol=1e-7)
    np.testing.assert_allclose(merged.kurtosis, stats.kurtosis(X, nan_policy="omit"), rtol=1e-7)
    np.testing.assert_array_equal(merged.count, whole.count)
    np.testing.assert_array_equal(merged.min, np.nanmin(X, axis=0))


def test_directional_fisher_ratio():
    X, y = load_wine(return_X_y=True)
    found = MetaFeatureExtractor(groups=["f1v_mean"], fidelity="exact").extract(X, y)["f1v_mean"]
    values = []
    for a, b in combinations(range(3), 2):
        one, other = X[y == a], X[y == b]
        within = (len(one) * np.cov(one.T) + len(other) * np.cov(other.T)) / (len(one) + len(other))
        gap = one.mean(axis=0) - other.mean(axis=0)
        values.append(1 / (1 + gap @ np.linalg.solve(within, gap)))
    assert found == pytest.approx(np.mean(values), rel=1e-6)
    # more columns than rows: the same in the space that the rows span
    wide = X[:20] @ np.random.default_rng(0).normal(size=(13, 60))
    labels = np.arange(20) % 2
    small = MetaFeatureExtractor(groups=["f1v_mean"]).extract(X[:20], labels)["f1v_mean"]
    large = MetaFeatureExtractor(groups=["f1v_mean"]).extract(wide, labels)["f1v_mean"]
    assert large == pytest.approx(small, rel=1e-4)


def test_digits_sample_is_near_the_whole():
    X, y = load_digits(return_X_y=True)
    groups = ["landmarking", "probe_linear"]
    sampled = MetaFeatureExtractor(groups=groups).extract(X, y)
    full = MetaFeatureExtractor(groups=groups, fidelity="full").extract(X, y)
    for name in ("one_nn_mean", "naive_bayes_mean", "linear_discriminant_mean"):
        assert sampled[name] == pytest.approx(full[name], abs=0.08)
