"""
Go on where a search was
========================

A checkpoint keeps every result as soon as it is there. After a crash, or with a larger
``n_iter``, the search goes on; what is known is not fitted again.
"""

# %%
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sk_metalearn import MetaSearchCV

X, y = load_digits(return_X_y=True)
X, y = X[:600], y[:600]
grid = {"svc__C": np.logspace(-2, 4, 9), "svc__gamma": np.logspace(-5, 0, 8)}
file = Path(tempfile.mkdtemp()) / "night.sqlite"
search = MetaSearchCV(
    make_pipeline(StandardScaler(), SVC()), grid, cv=3, checkpoint=file, random_state=0
)

# %%
# Six candidates, then twelve, then the same twelve again.
seconds = []
for n_iter in (6, 12, 12):
    started = time.perf_counter()
    search.set_params(n_iter=n_iter).fit(X, y)
    seconds.append(time.perf_counter() - started)
    print(f"n_iter={n_iter}: {seconds[-1]:.1f} s, best {search.best_score_:.4f}")

# %%
scores = search.cv_results_["mean_test_score"]
figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
axes.plot(range(1, 7), scores[:6], "o", label="first run")
axes.plot(range(7, len(scores) + 1), scores[6:], "s", label="second run")
axes.step(
    range(1, len(scores) + 1),
    np.maximum.accumulate(scores),
    where="post",
    color="0.5",
    label="best",
)
axes.set(xlabel="candidate", ylabel="accuracy", ylim=(scores.max() - 0.1, scores.max() + 0.01))
axes.legend()
plt.show()
