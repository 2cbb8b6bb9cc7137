"""
Rows that belong together
=========================

Eight measurements of each of 30 machines. If the same machine is on both sides of a fold, the
model recognises the machine, and the score says nothing about machines it has never seen.
"""

# %%
# Each machine has its own level of noise in every column, and one label.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GroupKFold, KFold

from sk_metalearn import AutoClassifier

rng = np.random.default_rng(0)


def measure(n_machines):
    label = rng.integers(2, size=n_machines)
    machine = rng.normal(size=(n_machines, 8))
    machine[:, 0] += 1.2 * label
    groups = np.repeat(np.arange(n_machines), 8)
    return machine[groups] + 0.3 * rng.normal(size=(len(groups), 8)), label[groups], groups


X, y, groups = measure(30)
X_new, y_new, _ = measure(200)

# %%
# The same search with folds that tear the machines apart, and with folds that keep them together.
found = {}
for name, cv in (
    ("shuffled rows", KFold(5, shuffle=True, random_state=0)),
    ("whole machines", GroupKFold(5)),
):
    auto = AutoClassifier(n_iter=4, cv=cv, random_state=0)
    auto.fit(X, y, groups=groups if name == "whole machines" else None)
    found[name] = auto.best_score_, auto.score(X_new, y_new)
    print(f"{name:14s} on the folds {found[name][0]:.2f}, on new machines {found[name][1]:.2f}")

# %%
# Only the second score is what to expect of new machines.
figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
place = np.arange(len(found))
axes.bar(place - 0.2, [own[0] for own in found.values()], 0.35, label="score on the folds")
axes.bar(place + 0.2, [own[1] for own in found.values()], 0.35, label="on 200 new machines")
axes.set_xticks(place, found)
axes.set(ylabel="accuracy", ylim=(0.4, 1.05))
axes.legend(loc="lower right")
plt.show()
