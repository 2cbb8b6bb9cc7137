"""Conformance checks of executors and journals, for our own and for others'.

Examples
--------
A test file for an executor of one's own::

    import pytest
    from sk_metalearn.evaluation.testing import EXECUTOR_CHECKS

    @pytest.mark.parametrize("check", EXECUTOR_CHECKS, ids=lambda check: check.__name__)
    def test_contract(check):
        check(MyExecutor)
"""

import os
import subprocess
import sys
import time

import numpy as np
from sklearn import config_context, get_config
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.metrics import check_scoring
from threadpoolctl import threadpool_info

from ._fake import FakeClock, FakeExecutor, FakeResult
from ._fold import FoldResult, Payload, SetParams, run_fold
from ._journal import StoredTrial
from ._threads import caller_threads

__all__ = [
    "EXECUTOR_CHECKS",
    "JOURNAL_CHECKS",
    "FakeClock",
    "FakeExecutor",
    "FakeResult",
    "ProbeClassifier",
    "check_executor",
    "check_journal",
    "make_payload",
]

# No job of these checks takes nearly as long, unless it hangs.
_LONG = 300.0


class ProbeClassifier(ClassifierMixin, BaseEstimator):
    """Predicts the nearest class mean, and does what it is told.

    Parameters
    ----------
    shrink : float, default=0.0
        How far the means move to the mean of all rows.
    action : str, default=""
        ``"raise"``, ``"sleep"``, ``"memory"``, ``"exit"``, ``"sys.exit"``, ``"child"`` (starts a
        process in a session of its own, and sleeps), ``"orphan"`` (starts one, and ends this
        process), or nothing.
    seconds : float, default=0.0
        Sleep of a fit.
    note : str, default=""
        File that takes a line for each fit.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    means_ : ndarray of shape (n_classes, n_features)
    n_threads_ : int
        Threads that compiled code had in `fit`.
    config_ : dict
        Configuration of scikit-learn in `fit`.
    """

    def __init__(self, shrink=0.0, action="", seconds=0.0, note=""):
        self.shrink = shrink
        self.action = action
        self.seconds = seconds
        self.note = note

    def fit(self, X, y):
        """Fit.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)

        Returns
        -------
        self
        """
        if self.note:
            with open(self.note, "a") as file:
                file.write(f"{os.getpid()}\n")
        if self.action == "raise":
            raise RuntimeError("this candidate does not work")
        if self.action in ("child", "orphan"):
            child = subprocess.Popen(
                [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
            )
            with open(self.note, "a") as file:
                file.write(f"{child.pid}\n")
        if self.action in ("exit", "orphan"):
            os._exit(7)
        if self.action == "sys.exit":
            sys.exit("enough")
        if self.action == "memory":
            self.block_ = [np.ones(2**20) for _ in range(2000)]
        time.sleep(600.0 if self.action in ("sleep", "child", "memory") else self.seconds)
        self.n_threads_ = max([1, *(library["num_threads"] for library in threadpool_info())])
        self.config_ = get_config()
        self.classes_ = np.unique(y)
        means = np.array([X[y == label].mean(axis=0) for label in self.classes_])
        self.means_ = (1 - self.shrink) * means + self.shrink * means.mean(axis=0)
        return self

    def predict(self, X):
        """Predict.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        distance = ((X[:, None, :] - self.means_[None]) ** 2).sum(axis=2)
        return self.classes_[distance.argmin(axis=1)]


def _score(estimator, X, y):
    return float(np.mean(estimator.predict(X) == y))


def _threads_of(estimator, X, y):
    return float(estimator.n_threads_)


def _routing_of(estimator, X, y):
    return float(estimator.config_["enable_metadata_routing"])


def make_payload(estimator=None, scoring=_score, **options):
    """Make a small classification problem on two folds.

    Parameters
    ----------
    estimator : estimator, default=None
        `ProbeClassifier` by default.
    scoring : str or callable
    **options
        Fields of the payload.

    Returns
    -------
    Payload
    """
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), np.arange(60) % 3
    X[:, 0] += y
    rows = np.arange(60)
    splits = [(rows[20:], rows[:20]), (rows[:40], rows[40:])]
    estimator = ProbeClassifier() if estimator is None else estimator
    return Payload(X, y, splits, SetParams(estimator), check_scoring(estimator, scoring), **options)


def _all_of(executor):
    """Take what is pending, by key."""
    found = {}
    deadline = time.monotonic() + _LONG
    while (done := executor.next(timeout=max(0.0, deadline - time.monotonic()))) is not None:
        assert done.key not in found, f"{done.key!r} came back twice"
        found[done.key] = done
    return found


def _one(executor, job, **limits):
    executor.submit(job, "one", **limits)
    done = executor.next(timeout=_LONG)
    assert done is not None and done.key == "one", done
    return done


def check_results(make):
    """Results come back with their keys, each once, and are those of `run_fold`."""
    payload = make_payload()
    with make(payload) as executor:
        assert executor.n_workers >= 1 and executor.capacity >= 1
        assert executor.next(timeout=0) is None
        jobs = [({"shrink": shrink}, fold) for shrink in (0.0, 0.5, 0.99) for fold in (0, 1)]
        for key, job in enumerate(jobs):
            executor.submit(job, ("key", key))
        found = _all_of(executor)
        assert set(found) == {("key", key) for key in range(len(jobs))}
        for key, job in enumerate(jobs):
            done = found["key", key]
            assert done.status == "ok", done.error
            assert done.value.scores == run_fold(payload, *job).scores
        assert executor.next(timeout=0) is None


def check_failures(make):
    """A candidate that raises, or calls sys.exit, is a result, and the executor goes on."""
    with make(make_payload()) as executor:
        for action in ("raise", "sys.exit"):
            done = _one(executor, ({"action": action}, 0))
            assert done.status == "ok" and done.value.status == "crashed", done
            assert done.value.failure
        assert _one(executor, ({}, 1)).value.status == "ok"


def check_one_thread(make):
    """Compiled code has one thread in a fold; the caller's number is left as it was."""
    before = [library["num_threads"] for library in threadpool_info()]
    with make(make_payload(scoring=_threads_of)) as executor:
        assert _one(executor, ({}, 0)).value.scores == 1.0
        # Where this process has libraries of compiled code, the other one has them, too.
        for n_threads in (2, 1):
            done = executor.call(_count_threads, n_threads=n_threads)
            assert done.value == (n_threads if before else 1), done
        assert _one(executor, ({}, 0)).value.scores == 1.0
    after = [library["num_threads"] for library in threadpool_info()]
    assert after[: len(before)] == before and caller_threads() >= 1


def _count_threads():
    return max([1, *(library["num_threads"] for library in threadpool_info())])


def check_configuration(make):
    """Candidates run under the configuration of the search."""
    with config_context(enable_metadata_routing=True):
        payload = make_payload(scoring=_routing_of)
        with make(payload) as executor:
            assert _one(executor, ({}, 0)).value.scores == 1.0

    with config_context(enable_metadata_routing=True):
        with make(make_payload()) as executor:
            assert executor.call(_routing_here).value is True


def _routing_here():
    return get_config()["enable_metadata_routing"]


def check_cancel(make):
    """What is cancelled does not come back; the rest does."""
    with make(make_payload()) as executor:
        for key in "abc":
            executor.submit(({"seconds": 0.2}, 0), key)
        executor.cancel(["a", "c", "unknown"])
        assert set(_all_of(executor)) == {"b"}
        executor.submit(({}, 0), "a")
        assert set(_all_of(executor)) == {"a"}


def check_call(make):
    """Any function can be called, with the payload's own data, and its failure is told."""
    payload = make_payload()
    with make(payload) as executor:
        executor.submit(({}, 0), "given up")
        done = executor.call(_fit, clone(payload.make.estimator), payload.X, payload.y)
        assert done.status == "ok", done.error
        assert type(done.value) is ProbeClassifier
        assert _score(done.value, payload.X, payload.y) > 0.4
        assert executor.next(timeout=0) is None
        assert executor.call(_rows_of, payload).value == 60
        done = executor.call(divmod, 1, 0)
        assert done.status == "crashed" and "ZeroDivisionError" in done.error
        assert _one(executor, ({}, 0)).status == "ok"


def _fit(estimator, X, y):
    return estimator.fit(X, y)


def _rows_of(payload):
    return len(payload.X)


def check_share(make):
    """Another payload takes the place of the first."""
    with make(make_payload()) as executor:
        assert _one(executor, ({}, 0)).status == "ok"
        other = make_payload(ProbeClassifier(shrink=1.0))
        executor.share(other)
        assert _one(executor, ({}, 0)).value.scores == run_fold(other, {}, 0).scores
        assert executor.call(_rows_of, other).value == 60


def check_close(make):
    """Closing twice is once."""
    executor = make(make_payload())
    executor.submit(({}, 0), "never")
    executor.close()
    executor.close()


def check_limits(make):
    """Limits hold, the process of a candidate may end, and the executor goes on."""
    with make(make_payload()) as executor:
        if not executor.kills:
            return
        limits = {
            "sleep": ("timeout", {"wall_seconds": 1.0}),
            "memory": ("memory", {"memory_bytes": 700 * 2**20}),
            "exit": ("died", {}),
        }
        for action, (status, limit) in limits.items():
            done = _one(executor, ({"action": action}, 0), **limit)
            assert done.status == status and done.error, done
        assert _one(executor, ({}, 0), wall_seconds=_LONG).value.status == "ok"
        done = executor.call(time.sleep, 600, wall_seconds=1.0)
        assert done.status == "timeout" and done.error, done
        # Long queues are ended at once.
        for key in range(2 * executor.capacity):
            executor.submit(({"action": "sleep"}, 0), key)
        executor.cancel(range(2 * executor.capacity))
        assert _one(executor, ({}, 0)).status == "ok"


EXECUTOR_CHECKS = (
    check_results,
    check_failures,
    check_one_thread,
    check_configuration,
    check_cancel,
    check_call,
    check_share,
    check_close,
    check_limits,
)


def check_executor(make):
    """Run all checks of an executor.

    Parameters
    ----------
    make : callable
        ``make(payload)`` gives an `Executor`.
    """
    for check in EXECUTOR_CHECKS:
        check(make)


def _entries():
    rows = np.arange(6)
    splits = [(rows[:4], rows[4:]), (rows[2:], rows[:2])]
    trials = [
        StoredTrial(0, "a", {"point": {"C": 1.5, "kernel": None}, "reason": "default"}),
        StoredTrial(1, "b", {"point": {}, "reason": "random"}),
    ]
    folds = {
        ("a", 0): FoldResult("ok", 0.5, None, 1.25, 0.5, predictions=np.array([0.1, 0.9])),
        ("a", 1): FoldResult(
            "ok",
            {"one": 1.0, "two": np.nan},
            classes=np.array(["x", "y"]),
            excess="too slow",
            shares=(1.5, 0.25),
        ),
        ("b", 0): FoldResult("died", failure="The worker process ended.", model="left.model"),
    }
    return {"seed": "7", "the data": "abc"}, splits, trials, folds


def _fill(journal):
    meta, splits, trials, folds = _entries()
    journal.begin(meta, splits)
    for trial in trials:
        journal.add_trial(trial)
    for (key, fold), result in folds.items():
        journal.add_fold(key, fold, result)


def _holds_entries(journal):
    meta, splits, trials, folds = _entries()
    assert meta.items() <= journal.meta.items()
    for one, other in zip(splits, journal.splits, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])
    assert journal.trials == {trial.number: trial for trial in trials}
    assert set(journal.folds) == set(folds)
    for key, result in folds.items():
        found = journal.folds[key]
        for name in ("status", "fit_seconds", "score_seconds", "failure", "excess", "shares"):
            assert getattr(found, name) == getattr(result, name), name
        for name in ("scores", "train_scores"):
            one, other = getattr(found, name), getattr(result, name)
            assert one is other or repr(one) == repr(other), name
        for name in ("predictions", "classes"):
            one, other = getattr(found, name), getattr(result, name)
            assert (one is None) == (other is None)
            if other is not None:
                np.testing.assert_array_equal(one, other)


def check_notes(make):
    """A journal starts empty and holds what it was told."""
    journal = make()
    assert journal.splits is None and not journal.trials and not journal.folds
    _fill(journal)
    _holds_entries(journal)
    journal.close()
    journal.close()


def check_first_notes_stay(make):
    """A second begin, or another result of a fold, changes nothing."""
    journal = make()
    _fill(journal)
    journal.begin({"seed": "8"}, [])
    journal.add_fold("a", 0, FoldResult("crashed"))
    _holds_entries(journal)
    journal.close()


def check_goes_on(make):
    """What was closed is there when it is opened again, unless it is in memory only."""
    journal = make()
    _fill(journal)
    journal.close()
    again = make()
    if again.splits is not None:
        _holds_entries(again)
        assert not any(result.model for result in again.folds.values())
    again.close()


def check_copy(make):
    """A copy in memory holds the same, without the models of a search that has ended."""
    journal = make()
    _fill(journal)
    copy = journal.in_memory()
    journal.close()
    _holds_entries(copy)
    assert not any(result.model for result in copy.folds.values())
    copy.add_fold("b", 1, FoldResult("ok", 1.0))
    assert ("b", 1) not in journal.folds


JOURNAL_CHECKS = (check_notes, check_first_notes_stay, check_goes_on, check_copy)


def check_journal(make):
    """Check that a journal keeps what it is told.

    Parameters
    ----------
    make : callable
        ``make(place)`` opens the journal at a place; the same place again gives the same journal,
        if it outlives its closing. Places are short names.
    """
    for check in JOURNAL_CHECKS:
        check(lambda place=check.__name__: make(place))
