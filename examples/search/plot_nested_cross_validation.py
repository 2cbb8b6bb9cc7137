"""
Why ``best_score_`` is too good
===============================

On columns of noise nothing can be learned. The best of many candidates has a good score all the
same, since it is the luckiest. A search inside a cross-validation tells the truth.
"""

# %%
# 80 rows of noise, eight times. The truth is 0.5.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sk_metalearn import MetaSearchCV

grid = {"svc__C": np.logspace(-2, 3, 6), "svc__gamma": np.logspace(-3, 1, 5)}
search = MetaSearchCV(make_pipeline(StandardScaler(), SVC()), grid, n_iter=12, cv=3, random_state=0)
optimistic, honest = [], []
for seed in range(8):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(80, 6)), np.arange(80) % 2
    optimistic.append(search.fit(X, y).best_score_)
    honest.append(cross_val_score(search, X, y, cv=4).mean())
print(f"best_score_ {np.mean(optimistic):.2f}, nested cross-validation {np.mean(honest):.2f}")

# %%
figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
axes.boxplot([optimistic, honest], tick_labels=["best_score_", "nested"], orientation="horizontal")
axes.axvline(0.5, color="C3", linestyle="--", label="the truth")
axes.set_xlabel("accuracy")
axes.legend()
plt.show()
