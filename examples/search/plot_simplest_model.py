"""
The simplest of the good ones
=============================

Scores on folds are noisy, so several candidates are as good as the best.
``refit="one_standard_error"`` takes the cheapest of them; `OneStandardError` takes a cost of
yours.
"""

# %%
# A decision tree: its depth is the cost.
import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from sk_metalearn import MetaSearchCV
from sk_metalearn.search import OneStandardError

X, y = load_breast_cancer(return_X_y=True)
cv = StratifiedKFold(5, shuffle=True, random_state=0)
grid = {"max_depth": list(range(1, 11))}
found = {}
for name, refit in (("best", True), ("simplest", OneStandardError(cost="param_max_depth"))):
    search = MetaSearchCV(DecisionTreeClassifier(random_state=0), grid, cv=cv, refit=refit)
    found[name] = search.fit(X, y).best_params_["max_depth"]
    print(f"{name}: depth {found[name]}")

# %%
results = search.cv_results_
figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
order = results["param_max_depth"].astype(int).argsort()
depth = results["param_max_depth"].astype(int)[order]
error = results["std_test_score"][order] / cv.get_n_splits() ** 0.5
axes.errorbar(depth, results["mean_test_score"][order], yerr=error, fmt="o-")
for (name, chosen), colour in zip(found.items(), ("C1", "C2"), strict=True):
    axes.axvline(chosen, color=colour, linestyle="--", label=name)
axes.set(xlabel="max_depth", ylabel="accuracy (+- one standard error)")
axes.legend(loc="lower right")
plt.show()
