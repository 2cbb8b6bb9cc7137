"""A search in a process of its own, to be killed: python _killed.py CHECKPOINT LOG N_JOBS MODE."""

import sys

import numpy as np
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from sk_metalearn import MetaSearchCV


class Logged(ClassifierMixin, BaseEstimator):
    """Logistic regression that writes a line for every fit that comes to its end."""

    def __init__(self, C=1.0, log=None):
        self.C = C
        self.log = log

    def fit(self, X, y):
        self.model_ = LogisticRegression(C=self.C, max_iter=20).fit(X, y)
        self.classes_ = self.model_.classes_
        if self.log is not None:
            with open(self.log, "a") as file:
                file.write(f"{self.C!r} {len(X)} {X.sum()!r}\n")
        return self

    def predict(self, X):
        return self.model_.predict(X)


def run(checkpoint, log, n_jobs, mode):
    X, y = make_classification(300, 20, flip_y=0.3, random_state=0)
    options = {"time_budget": 120.0, "n_iter": 12} if mode == "timed" else {"n_iter": 12}
    return MetaSearchCV(
        Logged(log=log),
        {"C": loguniform(1e-4, 1e2)},
        cv=3,
        knowledge=None,
        random_state=0,
        n_jobs=n_jobs,
        checkpoint=checkpoint,
        **options,
    ).fit(X, y)


if __name__ == "__main__":
    checkpoint, log, n_jobs, mode = sys.argv[1:]
    search = run(checkpoint, log, int(n_jobs), mode)
    np.save(f"{checkpoint}.npy", search.cv_results_["mean_test_score"])
    print(search.best_params_["C"], search.best_score_, flush=True)
