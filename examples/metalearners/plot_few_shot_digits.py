"""
Few-shot classification of digits
=================================

A classifier for five classes it never saw, from one or five examples of each. Prototypical and
matching networks learn on other classes which differences between images matter, and then compare
new images with the few examples.

Meta-training needs PyTorch: ``pip install ".[deep]"``.
"""

# %%
# Classes to learn on, and others to be judged on
# -----------------------------------------------
# A digit and its quarter turns are four classes, a mirror image is a class of its own. The digits
# 3, 4 and 7 are left out of meta-training, however they are turned.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from sk_metalearn.metalearners import (
    MatchingNetworkClassifier,
    OuterLoop,
    PrototypicalNetworkClassifier,
    few_shot_scores,
    make_rotated_classes,
    sample_episodes,
)

digits = load_digits()
X, y = make_rotated_classes(digits.images / 16, digits.target)
X_mirrored, y_mirrored = make_rotated_classes(digits.images[:, :, ::-1] / 16, digits.target)
X_all, y_all = np.vstack([X, X_mirrored]), np.concatenate([y, y_mirrored + 40])


def classes_of(chosen, X, y):
    """Rows of the digits chosen, in all their turns."""
    rows = np.isin(y % 40 // 4, chosen)
    return X[rows], y[rows]


training = classes_of([0, 1, 6, 8, 9], X_all, y_all)
validation = classes_of([2, 5], X_all, y_all)
test = classes_of([3, 4, 7], X, y)

# %%
# One task
# --------
# Five classes, one example of each in the support set, and images to be told apart.

X_support, y_support, X_query, y_query = next(
    sample_episodes([test], 1, n_shots=1, n_query=2, random_state=0)
)
figure, axes = plt.subplots(3, 5, figsize=(5, 3.2), layout="constrained")
order = np.argsort(y_support)
for column, row in enumerate(order):
    axes[0, column].imshow(X_support[row].reshape(8, 8), cmap="gray_r")
    for i, image in enumerate(X_query[y_query == y_support[row]]):
        axes[1 + i, column].imshow(image.reshape(8, 8), cmap="gray_r")
for axis in axes.flat:
    axis.set(xticks=[], yticks=[])
for axis, name in zip(axes[:, 0], ("support", "query", "query"), strict=True):
    axis.set_ylabel(name)
plt.show()

# %%
# Meta-training and 100 tasks
# ---------------------------

shown = {}
for n_shots in (1, 5):
    settings = {
        "n_shots": n_shots,
        "n_query": 3,
        "n_components": None,  # as many as pixels: at first the embedding is the image itself
        "standardize": False,
        "outer": OuterLoop(max_iter=40, learning_rate=1e-3, validation_interval=20),
        "random_state": 0,
    }
    learners = {
        "nearest neighbour": KNeighborsClassifier(1),
        "prototypical network": PrototypicalNetworkClassifier((64,), **settings),
        "matching network": MatchingNetworkClassifier((64,), **settings),
    }
    for name, learner in learners.items():
        if hasattr(learner, "meta_fit"):
            learner.meta_fit([training], [validation])
        episodes = sample_episodes([test], 100, n_shots=n_shots, n_query=3, random_state=0)
        scores = few_shot_scores(learner, episodes)
        shown[name, n_shots] = scores.mean()
        error = 1.96 * scores.std() / np.sqrt(len(scores))
        print(f"{n_shots} shot, {name}: {scores.mean():.3f} +- {error:.3f}")

# %%
# What was gained
# ---------------

figure, axis = plt.subplots(figsize=(6, 2.6), layout="constrained")
names = list(dict.fromkeys(name for name, _ in shown))
for offset, n_shots in ((0.2, 1), (-0.2, 5)):
    values = [shown[name, n_shots] for name in names]
    axis.barh(np.arange(3) + offset, values, 0.35, label=f"{n_shots} examples of each class")
axis.set(yticks=range(3), yticklabels=names, xlim=(0.6, 1), xlabel="accuracy")
axis.legend(fontsize=7, loc="lower right")
plt.show()
