"""Estimators whose fit takes as long as one says."""

import threading
import time

import numpy as np
from _faulty import Faulty


class Slow(Faulty):
    """Sleeps `seconds` in fit; `slow_above` rows it sleeps for `long_seconds`."""

    def __init__(self, shrink=0.0, seconds=0.0, slow_above=10**9, long_seconds=600.0):
        super().__init__(shrink=shrink, seconds=seconds)
        self.slow_above = slow_above
        self.long_seconds = long_seconds

    def fit(self, X, y):
        super().fit(X, y)
        if len(X) > self.slow_above:
            time.sleep(self.long_seconds)
        return self


class Unpicklable(Faulty):
    """Holds a lock."""

    def __init__(self, shrink=0.0, lock=None):
        super().__init__(shrink=shrink)
        self.lock = lock

    def fit(self, X, y):
        time.sleep(0.05)
        return super().fit(X, y)


class Lock:
    """A parameter that cannot be pickled, but be copied."""

    def __init__(self):
        self.lock = threading.Lock()

    def __deepcopy__(self, memo):
        return self


class SizedModel(Faulty):
    """A model of a given size and time to predict."""

    def __init__(self, shrink=0.0, megabytes=0, predict_seconds=0.0):
        super().__init__(shrink=shrink)
        self.megabytes = megabytes
        self.predict_seconds = predict_seconds

    def fit(self, X, y):
        self.block_ = np.random.default_rng(0).random(self.megabytes * 2**17)
        return super().fit(X, y)

    def predict(self, X):
        time.sleep(self.predict_seconds)
        return super().predict(X)
