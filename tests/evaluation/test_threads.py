"""One thread for folds, the caller's number for all else."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_info

from sk_metalearn.evaluation import caller_threads, make_executor, one_thread
from sk_metalearn.evaluation._threads import several_threads
from sk_metalearn.evaluation.testing import make_payload


def numbers():
    return sorted(library["num_threads"] for library in threadpool_info())


@pytest.fixture(autouse=True)
def three_threads():
    with ThreadpoolController().limit(limits=3):
        yield


def test_one_thread_and_back():
    assert set(numbers()) == {3} and caller_threads() == 3
    with one_thread():
        assert set(numbers()) == {1} and caller_threads() == 3
        with one_thread():
            assert set(numbers()) == {1}
        assert set(numbers()) == {1}
        with several_threads(2):
            assert set(numbers()) == {2}
        assert set(numbers()) == {1}
        with several_threads(None):
            assert set(numbers()) == {1}
    assert set(numbers()) == {3} and caller_threads() == 3


def test_an_exception_restores():
    with pytest.raises(KeyError), one_thread():
        raise KeyError
    assert set(numbers()) == {3}


@pytest.mark.parametrize("first_out", ["first in", "last in"])
def test_two_threads_in_any_order(first_out):
    """BLAS has one number for the process: the last to leave restores it."""
    inside, leave = [threading.Event() for _ in range(2)], [threading.Event() for _ in range(2)]
    seen = []

    def hold(own):
        with one_thread():
            inside[own].set()
            leave[own].wait(60)
            seen.append(set(numbers()))

    threads = [threading.Thread(target=hold, args=(own,)) for own in range(2)]
    for own, thread in enumerate(threads):
        thread.start()
        assert inside[own].wait(60)
    for own in (0, 1) if first_out == "first in" else (1, 0):
        leave[own].set()
        threads[own].join(60)
    assert seen == [{1}, {1}]
    assert set(numbers()) == {3} and caller_threads() == 3


def test_two_searches_in_two_threads():
    def search():
        with make_executor(make_payload()) as executor:
            for key in range(4):
                executor.submit(({"seconds": 0.05}, key % 2), key)
            while executor.next() is not None:
                pass

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set(numbers()) == {3}


def test_what_is_loaded_inside_is_held_too():
    code = (
        "import sys\n"
        "from threadpoolctl import threadpool_info, threadpool_limits\n"
        "from sk_metalearn.evaluation._threads import one_thread\n"
        "with one_thread():\n"
        "    import sklearn.cluster, scipy.linalg\n"
        "    with one_thread():\n"
        "        inside = {own['num_threads'] for own in threadpool_info()}\n"
        "after = {own['num_threads'] for own in threadpool_info()}\n"
        "print(inside == {1}, 1 not in after)\n"
    )
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(names, "2")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.stdout.split() == ["True", "True"], done


def test_results_do_not_depend_on_the_threads_of_the_caller():
    X = np.random.default_rng(0).normal(size=(300, 300))
    with one_thread():
        one = X @ X
    with several_threads(2), one_thread():
        other = X @ X
    np.testing.assert_array_equal(one, other)
