"""
New data, no new search
=======================

A model ages as new rows come. ``refit`` fits what a search has found on them: the same members with
the same weights, without a search.
"""

# %%
# A search on the first fifth of the rows.
import time

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sk_metalearn import AutoClassifier

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, test_size=0.4, stratify=y, random_state=0)
n_first = len(y) // 5
begun = time.perf_counter()
auto = AutoClassifier(n_iter=5, random_state=0).fit(X[:n_first], y[:n_first])
print(f"search: {time.perf_counter() - begun:.1f} s, {len(auto.ensemble_)} members")

# %%
# More rows come. Each time what was found learns from all of them.
n_rows, losses = [], []
for part in range(1, 6):
    end = part * n_first
    begun = time.perf_counter()
    model = auto.refit(X[:end], y[:end])
    n_rows.append(end)
    losses.append(log_loss(y_test, model.predict_proba(X_test)))
    print(f"{end} rows: {time.perf_counter() - begun:.1f} s, log loss {losses[-1]:.3f}")

# %%
figure, axis = plt.subplots(figsize=(6, 3.4), layout="constrained")
axis.plot(n_rows, losses, marker="o")
axis.set(xlabel="rows that refit was given", ylabel="log loss on test rows")
plt.show()
