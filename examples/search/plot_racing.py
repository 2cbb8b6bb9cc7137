"""
Racing: no folds for losers
===========================

With ``racing=True`` a candidate that can hardly become the best any more is stopped after its
first folds.
"""

# %%
# The same search with and without it.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_metalearn import MetaSearchCV

X, y = load_digits(return_X_y=True)
X, y = X[:500], y[:500]
pipeline = make_pipeline(StandardScaler(), MLPClassifier(max_iter=60, random_state=0))
grid = {
    "mlpclassifier__alpha": [1e-4, 1e-1, 10.0, 100.0],
    "mlpclassifier__learning_rate_init": [1e-4, 1e-3, 1e-2, 1e-1],
}
found = {}
for racing in (False, True):
    search = MetaSearchCV(pipeline, grid, n_iter=10, racing=racing, knowledge=None, random_state=0)
    search.fit(X, y)
    results = search.cv_results_
    folds = np.column_stack([results[f"split{i}_test_score"] for i in range(5)])
    found[racing] = folds
    print(
        f"racing={racing}: {np.isfinite(folds).sum()} fits, best {search.best_score_:.4f}, "
        f"stopped early: {(results['status'] == 'raced').sum()}"
    )

# %%
# One row a candidate, one column a fold; grey folds were never fitted.
figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained", sharey=True)
for axis, (racing, folds) in zip(axes, found.items(), strict=True):
    axis.set_facecolor("0.8")
    image = axis.imshow(folds, aspect="auto", vmin=0, vmax=1)
    axis.set(title=f"racing={racing}", xlabel="fold", xticks=range(5), ylabel="candidate")
figure.colorbar(image, ax=axes, label="accuracy")
plt.show()
