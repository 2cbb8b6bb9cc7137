"""Candidates that fail become rows, and the search goes on."""

import warnings

import numpy as np
import pytest
from _faulty import Faulty
from sklearn.datasets import load_iris

from sk_metalearn import CandidateLimits, MetaSearchCV

X, y = load_iris(return_X_y=True)


def search(grid, **options):
    options = {"knowledge": None, "strategy": "grid", "cv": 3, "random_state": 0, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MetaSearchCV(Faulty(), grid, n_iter="all", **options).fit(X, y)


FAULTS = [
    ("raise", "crashed", {}),
    ("nan", "invalid", {}),
    ("hang", "timeout", {"limits": CandidateLimits(fold_seconds=1.0)}),
    ("memory", "memory", {"limits": CandidateLimits(memory_bytes=600 * 2**20)}),
    ("exit", "died", {"limits": CandidateLimits(fold_seconds=30.0)}),
]
# They end as those above do, and under limits one at a time runs in a worker as two do.
ALIKE = [
    ("sleep", "timeout", {"limits": CandidateLimits(fold_seconds=1.0)}, 2),
    ("segfault", "died", {"limits": CandidateLimits(fold_seconds=30.0)}, 2),
    *((*own, 1) for own in FAULTS if own[2]),
]


@pytest.mark.parametrize(
    "fault, status, limits, n_jobs",
    [
        *((*own, n_jobs) for own in FAULTS for n_jobs in (1, 2) if n_jobs == 2 or not own[2]),
        *(pytest.param(*own, marks=pytest.mark.slow) for own in ALIKE),
    ],
)
def test_a_failing_candidate_is_a_row(fault, status, limits, n_jobs):
    grid = [{"fault": ["", fault]}, {"shrink": [0.5]}]
    found = search(grid, n_jobs=n_jobs, **limits)
    results = found.cv_results_
    assert list(results["status"]) == ["ok", status, "ok"]
    assert np.isnan(results["mean_test_score"][1]) and results["failure"][1]
    assert found.best_index_ != 1 and found.best_score_ > 0.85
    assert found.predict(X).shape == y.shape


def test_death_without_limits_does_not_end_a_parallel_search():
    found = search({"fault": ["exit", "", "segfault"]}, n_jobs=2)
    assert list(found.cv_results_["status"]) == ["died", "ok", "died"]


def test_numeric_error_score():
    results = search({"fault": ["raise", ""]}, error_score=-1.0).cv_results_
    assert results["mean_test_score"][0] == -1.0 and results["rank_test_score"][0] == 2


@pytest.mark.slow
def test_error_score_raise():
    with pytest.raises(RuntimeError, match="does not work"):
        search({"fault": ["", "raise"]}, error_score="raise")
    with pytest.raises(RuntimeError, match="does not work"):
        search({"fault": ["", "raise"]}, error_score="raise", n_jobs=2)
    with pytest.raises(TimeoutError, match="1 seconds"):
        search({"fault": ["sleep"]}, error_score="raise", limits=CandidateLimits(fold_seconds=1.0))


def test_all_failed():
    with pytest.raises(ValueError, match="All the 6 fits failed"):
        search({"fault": ["raise"], "shrink": [0.0, 0.1]})
