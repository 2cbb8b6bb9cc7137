"""scikit-learn's own checks of every public estimator, none of them expected to fail."""

import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_metalearn import AutoClassifier, AutoRegressor, DatasetRetriever, MetaFeatureExtractor
from sk_metalearn.search import MetaSearchCV

SMALL = {"n_iter": 2, "cv": 2, "ensemble_size": 2, "random_state": 0}

ESTIMATORS = [
    MetaSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=2),
    MetaSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2),
    AutoClassifier(**SMALL, families=["lda", "logistic_regression"]),
    AutoRegressor(**SMALL, families=["ridge", "k_neighbors"]),
    MetaFeatureExtractor(),
    DatasetRetriever(),
]


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
