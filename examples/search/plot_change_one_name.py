"""
From GridSearchCV by changing one name
======================================

A grid of 60 points for a support vector machine: `GridSearchCV` fits all of them, `MetaSearchCV`
the six that past datasets suggest.
"""

# %%
# The same pipeline, grid and folds for both.
import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sk_metalearn import MetaSearchCV

X, y = load_breast_cancer(return_X_y=True)
pipeline = make_pipeline(StandardScaler(), SVC())
grid = {"svc__C": np.logspace(-2, 4, 10), "svc__gamma": np.logspace(-4, 0, 6)}
cv = StratifiedKFold(5, shuffle=True, random_state=0)

searches = [
    GridSearchCV(pipeline, grid, cv=cv),
    MetaSearchCV(pipeline, grid, cv=cv, n_iter=6, random_state=0),
]
for search in searches:
    started = time.perf_counter()
    search.fit(X, y)
    print(
        f"{type(search).__name__:14s} {len(search.cv_results_['params']):3d} candidates, "
        f"{time.perf_counter() - started:5.1f} s: {search.best_score_:.4f} with "
        f"{search.best_params_}"
    )

# %%
# The search says how the grid met the knowledge base.
print(search.knowledge_report_)

# %%
# All 60 points, and the six that were tried, by their number.
whole, ours = (search.cv_results_ for search in searches)
figure, axes = plt.subplots(figsize=(6.5, 4), layout="constrained")
scores = whole["mean_test_score"].reshape(10, 6).T
image = axes.pcolormesh(grid["svc__C"], grid["svc__gamma"], scores, shading="nearest")
for number, params in enumerate(ours["params"], start=1):
    axes.text(params["svc__C"], params["svc__gamma"], number, ha="center", va="center", color="C3")
axes.set(xscale="log", yscale="log", xlabel="C", ylabel="gamma")
figure.colorbar(image, label="accuracy on the folds")
plt.show()
