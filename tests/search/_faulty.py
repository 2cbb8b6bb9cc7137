"""Real estimators that fail in every way a candidate can, and a metric that cannot be computed."""

import ctypes
import os
import time

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Faulty(ClassifierMixin, BaseEstimator):
    """Predicts the nearest class mean, unless `fault` is set.

    Parameters
    ----------
    shrink : float, default=0.0
    fault : str, default=""
        ``"raise"``, ``"hang"`` (in compiled code, holding the interpreter lock), ``"sleep"``,
        ``"nan"``, ``"memory"``, ``"exit"``, ``"segfault"`` or ``"slow"``.
    seconds : float, default=0.0
        How long a fit sleeps.
    """

    def __init__(self, shrink=0.0, fault="", seconds=0.0):
        self.shrink = shrink
        self.fault = fault
        self.seconds = seconds

    def fit(self, X, y):
        if self.fault == "raise":
            raise RuntimeError("this candidate does not work")
        if self.fault == "hang":
            ctypes.PyDLL(None).sleep(600)
        if self.fault == "sleep":
            time.sleep(600)
        if self.fault == "memory":
            self.block_ = [np.ones(2**20) for _ in range(2000)]
            time.sleep(600)
        if self.fault == "exit":
            os._exit(7)
        if self.fault == "segfault":
            ctypes.string_at(0)
        time.sleep(self.seconds)
        self.classes_ = np.unique(y)
        means = np.array([X[y == c].mean(axis=0) for c in self.classes_])
        self.means_ = (1 - self.shrink) * means + self.shrink * means.mean(axis=0)
        return self

    def predict(self, X):
        distance = ((X[:, None, :] - self.means_[None]) ** 2).sum(axis=2)
        return self.classes_[distance.argmin(axis=1)]

    def score(self, X, y):
        if self.fault == "nan":
            return np.nan
        return super().score(X, y)


def unscorable(estimator, X, y):
    """A metric that fails for every candidate."""
    raise ValueError("no score")
