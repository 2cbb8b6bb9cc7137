"""
Several outputs at once
=======================

An image shows the upper half of a digit; what does the lower half look like? And which of four
properties has a digit: odd, prime, above four, with a closed loop? The first target has a column of
numbers for each pixel, the second a column of 0 and 1 for each label.
"""

# %%
# 32 pixels tell of 32 others. The R2 of each output counts by how much the pixel varies: some are
# nearly always white.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import f1_score, make_scorer, r2_score

from sk_metalearn import AutoClassifier, AutoRegressor

images, digits = load_digits(return_X_y=True)
upper, lower = images[:, :32], images[:, 32:]
train, test = np.arange(400), np.arange(1000, 1300)
auto = AutoRegressor(
    n_iter=4,
    cv=3,
    families=["ridge", "k_neighbors", "extra_trees"],
    scoring=make_scorer(r2_score, multioutput="variance_weighted"),
    random_state=0,
).fit(upper[train], lower[train])
print(f"R2 on new images: {auto.score(upper[test], lower[test]):.2f}")
auto.leaderboard()[["score", "family", "settings"]]

# %%
# Labels, of which a digit may have several.
names = np.array(["odd", "prime", "above 4", "loop"])
labels = np.column_stack(
    [digits % 2, np.isin(digits, [2, 3, 5, 7]), digits > 4, np.isin(digits, [0, 6, 8, 9])]
)
tagger = AutoClassifier(
    n_iter=4, cv=3, families=["lda", "k_neighbors", "extra_trees"], random_state=0
).fit(images[train], labels[train])
found = tagger.predict(images[test])
for name, own in zip(names, f1_score(labels[test], found, average=None), strict=True):
    print(f"{name:8} F1 {own:.2f}")

# %%
# New images below the red line as they were predicted, and as they are; above them the labels that
# were found.
predicted = auto.predict(upper[test])
figure, axes = plt.subplots(2, 8, figsize=(10, 3.4), layout="constrained")
for j, column in enumerate(axes.T):
    for axis, half in zip(column, (predicted[j], lower[test[j]]), strict=True):
        whole = np.concatenate([upper[test[j]], half]).reshape(8, 8)
        axis.imshow(whole, cmap="gray_r", vmin=0, vmax=16)
        axis.axhline(3.5, color="tab:red")
        axis.set(xticks=[], yticks=[])
    column[0].set_title("\n".join(names[found[j] == 1]) or "none", fontsize=9)
axes[0, 0].set_ylabel("predicted")
axes[1, 0].set_ylabel("true")
plt.show()
