"""Whatever ends a search, fit called again goes on where it was."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter

import _killed
import numpy as np
import pytest
from _killed import run
from scipy.stats import loguniform
from sklearn.datasets import load_iris
from sklearn.metrics import make_scorer
from sklearn.model_selection import KFold
from sklearn.svm import SVC

from sk_metalearn import AutoClassifier, CandidateLimits, MetaSearchCV
from sk_metalearn.exceptions import CheckpointError

X, y = load_iris(return_X_y=True)
GRID = {"C": [0.01, 0.1, 1, 10, 100], "gamma": [0.01, 0.1, 1]}


def start(checkpoint, log, n_jobs=1, mode="n_iter"):
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    return subprocess.Popen(
        [sys.executable, _killed.__file__, str(checkpoint), str(log), str(n_jobs), mode],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def lines_of(log):
    return log.read_text().splitlines() if log.exists() else []


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return run(tmp_path_factory.mktemp("whole") / "checkpoint", None, None, "n_iter")


# The search is killed when so many of its 36 fits have come to their end.
@pytest.mark.parametrize(
    "points, n_jobs",
    [
        ((5, 20), 1),
        pytest.param((5, 20), 2, marks=pytest.mark.slow),
        pytest.param((3,), 1, marks=pytest.mark.slow),
        pytest.param((35,), 1, marks=pytest.mark.slow),
        pytest.param((11,), 2, marks=pytest.mark.slow),
    ],
)
def test_kill_and_go_on(tmp_path, uninterrupted, points, n_jobs):
    checkpoint, log = tmp_path / "checkpoint", tmp_path / "log"
    for point in points:
        process = start(checkpoint, log, n_jobs)
        deadline = time.monotonic() + 60
        while len(lines_of(log)) < point and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.kill()
        process.communicate()
    process = start(checkpoint, log, n_jobs)
    output, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors
    C, score = map(float, output.split())
    assert C == uninterrupted.best_params_["C"] and score == uninterrupted.best_score_
    scores = np.load(f"{checkpoint}.npy")
    np.testing.assert_array_equal(scores, uninterrupted.cv_results_["mean_test_score"])
    # Fits repeated are at most those that were running when the process was killed.
    fits = Counter(lines_of(log))
    assert len(fits) == 12 * 3 + 1
    assert sum(fits.values()) - len(fits) <= n_jobs * len(points)


@pytest.mark.slow
def test_go_on_without_repeatable_order(tmp_path):
    checkpoint, log = tmp_path / "checkpoint", tmp_path / "log"
    process = start(checkpoint, log, 2, "timed")
    while len(lines_of(log)) < 14:
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)
    process.kill()
    process.communicate()
    process = start(checkpoint, log, 2, "timed")
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors
    fits = Counter(lines_of(log))
    assert sum(fits.values()) - len(fits) <= 3
    assert len(np.load(f"{checkpoint}.npy")) == 12


def search(checkpoint, **options):
    options = {"n_iter": 5, "cv": 3, "knowledge": None, "random_state": 0, **options}
    return MetaSearchCV(SVC(), options.pop("grid", GRID), checkpoint=checkpoint, **options)


def test_more_iterations_continue(tmp_path):
    path = tmp_path / "checkpoint"
    first = search(path).fit(X, y)
    more = search(path, n_iter=9).fit(X, y)
    assert more.cv_results_["params"][:5] == first.cv_results_["params"]
    np.testing.assert_array_equal(
        more.cv_results_["mean_fit_time"][:5], first.cv_results_["mean_fit_time"]
    )
    assert len(more.cv_results_["params"]) == 9


def test_unseeded_folds_are_kept(tmp_path):
    from sklearn.model_selection import StratifiedKFold

    cv = StratifiedKFold(3, shuffle=True)
    path = tmp_path / "checkpoint"
    first = search(path, cv=cv, random_state=None).fit(X, y)
    again = search(path, cv=cv, random_state=None, n_iter=7).fit(X, y)
    np.testing.assert_array_equal(
        again.cv_results_["split0_test_score"][:5], first.cv_results_["split0_test_score"]
    )


@pytest.mark.parametrize(
    "change, words",
    [
        ({"X": X + 1}, "the data"),
        ({"grid": {"C": [1, 2]}}, "the search space"),
        ({"cv": 4}, "cv"),
        ({"scoring": "f1_macro"}, "the parameter scoring"),
        ({"random_state": 1}, "random_state"),
        ({"return_train_score": True}, "the parameter return_train_score"),
        ({"error_score": 0.0}, "the parameter error_score"),
        ({"limits": CandidateLimits(fold_seconds=60.0)}, "the parameter limits"),
        ({"limits": CandidateLimits(predict_seconds=60.0)}, "the parameter limits"),
        ({"limits": CandidateLimits(model_bytes=10**9)}, "the parameter limits"),
    ],
)
def test_another_search_is_refused(tmp_path, change, words):
    path = tmp_path / "checkpoint"
    search(path).fit(X, y)
    data = change.pop("X", X)
    with pytest.raises(CheckpointError, match=f"differs in {words}"):
        search(path, **change).fit(data, y)


@pytest.mark.parametrize(
    "name, first, second",
    [
        ("scoring", lambda e, X, y: e.score(X, y), lambda e, X, y: -e.score(X, y)),
        ("scoring", make_scorer(lambda y, p: 0.0), make_scorer(lambda y, p: 1.0)),
        ("param_grid", {"C": loguniform(1e-3, 1e-2)}, {"C": loguniform(1e2, 1e3)}),
        ("cv", [(np.arange(100), np.arange(100, 150))], [(np.arange(90), np.arange(90, 150))]),
    ],
)
def test_what_differs_only_inside_is_another_search(name, first, second, tmp_path):
    options = {"n_iter": 2, "cv": 2, "knowledge": None, "random_state": 0}
    kept = MetaSearchCV(SVC(), {"C": [1, 10]}, checkpoint=tmp_path / "checkpoint", **options)
    kept.set_params(**{name: first}).fit(X, y)
    kept.fit(X, y)
    with pytest.raises(CheckpointError, match="differs in"):
        kept.set_params(**{name: second}).fit(X, y)


def test_folds_may_come_from_a_generator(tmp_path):
    path, folds = tmp_path / "checkpoint", KFold(3, shuffle=True, random_state=0)
    first = search(path, cv=folds.split(X, y)).fit(X, y)
    again = search(path, cv=folds.split(X, y), n_iter=7).fit(X, y)
    np.testing.assert_array_equal(
        again.cv_results_["mean_fit_time"][:5], first.cv_results_["mean_fit_time"]
    )
    with pytest.raises(CheckpointError, match="differs in cv"):
        search(path, cv=KFold(3).split(X, y)).fit(X, y)
    auto = AutoClassifier(n_iter=1, families=["lda"], knowledge=None, random_state=0)
    for n_iter in (1, 2):
        auto.set_params(n_iter=n_iter, cv=folds.split(X, y), checkpoint=tmp_path / "auto").fit(X, y)
        assert len(auto.cv_results_["params"]) == n_iter


def test_a_foreign_file_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no checkpoint, but something of mine" * 100)
    with pytest.raises(CheckpointError, match="no checkpoint"):
        search(path).fit(X, y)
    assert path.read_text().startswith("no checkpoint")
    with pytest.raises(CheckpointError, match="cannot be opened"):
        search(tmp_path / "missing" / "checkpoint").fit(X, y)


def test_a_checkpoint_serves_one_search_at_a_time(tmp_path):
    log = tmp_path / "log"
    process = start(tmp_path / "checkpoint", log)
    while not lines_of(log):
        assert process.poll() is None
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGSTOP)
    try:
        with pytest.raises(CheckpointError, match="Another search may be using it"):
            run(tmp_path / "checkpoint", None, None, "n_iter")
    finally:
        os.kill(process.pid, signal.SIGCONT)
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    "estimator, wrong",
    [
        (MetaSearchCV(SVC(), {"C": [1, 2]}, cv=3), {"param_grid": {"CC": [1, 2]}}),
        (MetaSearchCV(SVC(), {"C": [1, 2]}, cv=3), {"knowledge": "no_such_file.npz"}),
        (MetaSearchCV(SVC(), {"C": [1, 2]}, cv=3), {"strategy": "guess"}),
        (AutoClassifier(n_iter=1, families=["lda"]), {"families": ["ldaa"]}),
        (AutoClassifier(n_iter=1, families=["lda"]), {"knowledge": "no_such_file.npz"}),
    ],
)
def test_a_mistake_in_the_options_spoils_no_checkpoint(tmp_path, estimator, wrong):
    path = tmp_path / "checkpoint"
    right = {name: estimator.get_params()[name] for name in wrong}
    estimator.set_params(checkpoint=path, random_state=0, **wrong)
    with pytest.raises(ValueError) as mistake:
        estimator.fit(X, y)
    assert not path.exists(), mistake
    estimator.set_params(**right).fit(X, y)
    estimator.fit(X, y)


def test_auto_goes_on(tmp_path):
    options = {"cv": 3, "families": ["lda", "gaussian_nb", "decision_tree"], "random_state": 0}
    path = tmp_path / "checkpoint"
    labels = np.array(["setosa", "versicolor", "virginica"])[y]
    first = AutoClassifier(n_iter=3, checkpoint=path, **options).fit(X, labels)
    again = AutoClassifier(n_iter=5, checkpoint=path, **options).fit(X, labels)
    np.testing.assert_array_equal(
        again.cv_results_["mean_fit_time"][:3], first.cv_results_["mean_fit_time"]
    )
    whole = AutoClassifier(n_iter=5, **options).fit(X, labels)
    assert again.ensemble_ == whole.ensemble_ and again.best_score_ == whole.best_score_


@pytest.mark.parametrize("classes", [["1", "2", "3"], ["low", "mid", "top"]])
def test_equal_labels_in_another_storage_go_on_and_others_do_not(classes, tmp_path):
    pd = pytest.importorskip("pandas")
    options = {"cv": 3, "families": ["lda", "gaussian_nb"], "n_iter": 2, "random_state": 0}
    options |= {"knowledge": None, "checkpoint": tmp_path / "checkpoint"}
    labels = np.array(classes)[y]
    first = AutoClassifier(**options).fit(X, labels)
    for same in (labels.astype(object), pd.Series(labels, dtype="category"), list(labels)):
        again = AutoClassifier(**options).fit(X, same)
        np.testing.assert_array_equal(
            again.cv_results_["mean_fit_time"], first.cv_results_["mean_fit_time"]
        )
    for others in (["1", "2", "4"], ["top", "mid", "low"], [1, 2, 3], [0, 1, 2]):
        with pytest.raises(CheckpointError, match="the data"):
            AutoClassifier(**options).fit(X, np.array(others)[y])


def test_an_ensemble_may_be_asked_for_later_and_limits_may_not(tmp_path):
    options = {"cv": 3, "families": ["gaussian_nb", "decision_tree", "k_neighbors"], "n_iter": 8}
    options |= {"random_state": 0, "knowledge": None, "scoring": "neg_log_loss"}
    path, few = tmp_path / "checkpoint", X[:, :2]
    # Labels that are wrong: no model is perfect, and a mixture the best.
    wrong = np.where(np.arange(len(y)) % 5 == 0, y[0], y)
    AutoClassifier(ensemble_size=0, checkpoint=path, **options).fit(few, wrong)
    later = AutoClassifier(ensemble_size=30, checkpoint=path, **options).fit(few, wrong)
    whole = AutoClassifier(ensemble_size=30, **options).fit(few, wrong)
    assert later.ensemble_ == whole.ensemble_ and len(whole.ensemble_) > 1
    with pytest.raises(CheckpointError, match="the parameter limits"):
        AutoClassifier(limits=CandidateLimits(model_bytes=10), checkpoint=path, **options).fit(
            few, wrong
        )
