"""What measured the seconds: the machine, its versions, and three reference workloads."""

import hashlib
import platform
import time

import numpy as np
import scipy
import sklearn
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

__all__ = ["machine_id", "reference_seconds", "versions"]


def versions():
    """Give the versions that scores may depend on."""
    return {
        "python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
    }


def machine_id():
    """Give a short name of the type of machine: the same for machines with the same processor."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            lines = [
                line.split(":", 1)[1].strip() for line in file if line.startswith("model name")
            ]
        model = lines[0] if lines else model
    except OSError:
        pass
    digest = hashlib.sha256(f"{platform.machine()}/{model}".encode()).hexdigest()[:6]
    return f"{platform.machine()}-{digest}"


def _tree():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 20))
    DecisionTreeClassifier(random_state=0).fit(X, (X[:, 0] * X[:, 1] > 0).astype(int))


def _algebra():
    matrix = np.random.default_rng(0).normal(size=(400, 400))
    for _ in range(5):
        np.linalg.svd(matrix @ matrix, compute_uv=False)


def _python():
    total = 0
    for i in range(1_000_000):
        total += i % 7
    return total


def reference_seconds():
    """Time the reference workloads on one thread.

    Returns
    -------
    dict of str to float
        CPU seconds of ``tree``, ``algebra`` and ``python``: the least of three runs each.
    """
    seconds = {}
    with threadpool_limits(1):
        for name, work in (("tree", _tree), ("algebra", _algebra), ("python", _python)):
            runs = []
            for _ in range(3):
                start = time.process_time()
                work()
                runs.append(time.process_time() - start)
            seconds[name] = round(min(runs), 4)
    return seconds
