"""One candidate on one fold, wherever it runs."""

import time

import numpy as np
import pytest
from joblib import parallel_config
from sklearn import config_context, get_config
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import check_scoring

from sk_metalearn.evaluation import make_executor
from sk_metalearn.evaluation._fold import Payload, SetParams, run_fold

X, Y = np.arange(60.0).reshape(-1, 1), np.arange(60) % 2
SPLITS = [(np.arange(40), np.arange(40, 60)), (np.arange(20, 60), np.arange(20))]


class Slow(ClassifierMixin, BaseEstimator):
    """Every call costs 5 ms, every row as much as is asked."""

    def __init__(self, per_row=0.0):
        self.per_row = per_row

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.routing_ = get_config()["enable_metadata_routing"]
        return self

    def predict(self, X):
        time.sleep(0.005 + self.per_row * len(X))
        return np.full(len(X), self.routing_, dtype=int)


def payload(estimator=None, **options):
    estimator = estimator or Slow()
    scorer = check_scoring(estimator, "accuracy")
    return Payload(X, Y, SPLITS, SetParams(estimator), scorer, **options)


def test_threads_have_the_configuration_of_the_search():
    with config_context(enable_metadata_routing=True), parallel_config("threading", n_jobs=2):
        with make_executor(payload(keep_predictions=True)) as executor:
            for fold in range(2):
                executor.submit(({}, fold), fold)
            done = [executor.next() for _ in range(2)]
    assert type(executor).__name__ == "InThreads"
    assert [own.value.status for own in done] == ["ok", "ok"]
    assert all(own.value.predictions.all() for own in done), "1 where routing was on"


@pytest.mark.parametrize(("per_row", "exceeded"), [(0.0, False), (0.0002, True)])
def test_prediction_is_timed_on_a_thousand_rows(per_row, exceeded):
    """20 rows in 5 ms are no 1,000 rows in 250 ms."""
    result = run_fold(payload(Slow(per_row), max_predict_seconds=0.15), {}, 0)
    assert bool(result.excess) is exceeded, result.excess


class Leaves(Slow):
    """Calls sys.exit."""

    def fit(self, X, y):
        raise SystemExit("enough")


def test_a_candidate_that_exits_is_a_result():
    result = run_fold(payload(Leaves(), error_score=-1.0), {}, 0)
    assert result.status == "crashed" and "enough" in result.failure
    assert result.scores == -1.0 and result.error is None
    result = run_fold(payload(Leaves(), error_score="raise"), {}, 0)
    assert isinstance(result.error, RuntimeError)


def test_a_scorer_that_fails_is_told():
    def fails(estimator, X, y):
        raise ValueError("no such score")

    result = run_fold(payload(), {}, 0)
    assert result.status == "ok"
    failing = payload()
    failing.scorer = fails
    result = run_fold(failing, {}, 0)
    assert result.status == "invalid" and "no such score" in result.failure
    # Told by the search, once for all its folds.
    ((category, text),) = result.warnings
    assert category is UserWarning and text.startswith("Scoring failed")
