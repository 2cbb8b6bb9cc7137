"""
Steps of your own before the search
===================================

What only you know of the data goes into a step of your own: here that a row of 64 numbers is a
picture. `before` keeps a transformer before everything that is searched, fitted on the training
rows of each fold. Given several by name, the search finds out which one helps.
"""

# %%
# The step adds how much the picture changes from each point to the next, to the right and down.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import FunctionTransformer

from sk_metalearn import AutoClassifier


def add_changes(X):
    """Put the differences between neighbours beside the points of pictures of 8 x 8."""
    pictures = np.asarray(X).reshape(-1, 8, 8)
    right, down = np.diff(pictures, axis=2), np.diff(pictures, axis=1)
    return np.column_stack([X, right.reshape(len(X), -1), down.reshape(len(X), -1)])


X_train, X_test, y_train, y_test = train_test_split(
    *load_digits(return_X_y=True), train_size=400, random_state=0
)
before = {
    "points": "passthrough",
    "with changes": FunctionTransformer(add_changes),
    "two directions": PCA(2),
}
auto = AutoClassifier(
    before=before, n_iter=16, families=["lda", "svm", "logistic_regression"], random_state=0
).fit(X_train, y_train)
print(f"accuracy on new rows: {auto.score(X_test, y_test):.3f}")

# %%
# Each alternative was tried, and those that help got the further tries. The ensemble may hold
# several.
tried = auto.leaderboard()
tried = tried[tried["row"] >= 0]
steps = [params["before"] for params in auto.cv_results_["params"]]
figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
for place, name in enumerate(before):
    rows = [i for i, step in enumerate(steps) if step == name]
    scores = auto.cv_results_["mean_test_score"][rows]
    axes.plot(scores, [place] * len(rows), "o", alpha=0.6)
    axes.annotate(f"tries: {len(rows)}", (min(scores), place + 0.2))
axes.set(xlabel="accuracy on the folds", ylim=(-0.5, len(before) - 0.3))
axes.set_yticks(range(len(before)), list(before))
plt.show()
