"""
Candidates that fail
====================

A candidate that raises, hangs or scores NaN is a row with its status and its reason. The search
goes on.
"""

# %%
# A model that fails in three ways, depending on a parameter.
import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

from sk_metalearn import MetaSearchCV
from sk_metalearn.search import CandidateLimits


class Fragile(DecisionTreeClassifier):
    """A tree that does not like some depths."""

    def fit(self, X, y):
        if self.max_depth == 2:
            raise ValueError("I do not like two levels.")
        if self.max_depth == 3:
            time.sleep(60)
        return super().fit(X, y)


X, y = load_iris(return_X_y=True)
search = MetaSearchCV(
    Fragile(random_state=0),
    {"max_depth": [1, 2, 3, 4, 5]},
    limits=CandidateLimits(fold_seconds=1),
    cv=3,
    knowledge=None,
    random_state=0,
)
search.fit(X, y)
results = search.cv_results_
for depth, status, failure in zip(
    results["param_max_depth"], results["status"], results["failure"], strict=True
):
    print(f"depth {depth}: {status:8s} {str(failure).splitlines()[0] if failure else ''}")

# %%
figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
scores = np.nan_to_num(results["mean_test_score"])
bars = axes.bar([str(depth) for depth in results["param_max_depth"]], scores)
axes.bar_label(bars, results["status"])
axes.set(xlabel="max_depth", ylabel="accuracy", ylim=(0, 1.1))
plt.show()
