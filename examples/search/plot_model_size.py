"""
A model that has to be small
============================

A model that answers in a web page or on a small device must be small. `CandidateLimits` holds the
whole final model, an ensemble included, below a number of bytes.
"""

# %%
import pickle

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sk_metalearn import AutoClassifier
from sk_metalearn.search import CandidateLimits

X_train, X_test, y_train, y_test = train_test_split(
    *load_digits(return_X_y=True), train_size=500, random_state=0
)
families = ["lda", "gaussian_nb", "svm", "k_neighbors"]
found = {}
for kilobytes in (20, 400, None):
    limits = None if kilobytes is None else CandidateLimits(model_bytes=1000 * kilobytes)
    auto = AutoClassifier(
        n_iter=7, cv=3, families=families, scoring="neg_log_loss", limits=limits, random_state=0
    ).fit(X_train, y_train)
    size = len(pickle.dumps(auto.best_estimator_)) / 1000
    found[kilobytes] = size, auto.score(X_test, y_test)
    print(f"limit {kilobytes}: {size:.0f} kB, {len(auto.ensemble_)} members")

# %%
# Each limit leaves out what is too large, and chooses among mixtures of the rest.
figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
sizes, scores = zip(*found.values(), strict=True)
axes.plot(sizes, scores, "o-")
for kilobytes, (size, score) in found.items():
    name = "no limit" if kilobytes is None else f"at most {kilobytes} kB"
    axes.annotate(name, (size, score), xytext=(4, -12), textcoords="offset points")
axes.set(xscale="log", xlabel="size of the final model (kB)", ylabel="log likelihood of test rows")
axes.margins(0.2)
plt.show()
