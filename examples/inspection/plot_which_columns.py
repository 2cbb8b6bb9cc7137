"""
Which columns the model needs
=============================

A column matters if the score falls when its values are shuffled. What tells nearly the same is
shuffled together, and each fold is judged by a model that has not seen its rows.
"""

# %%
# A search over whole pipelines, on measurements of wines.
import matplotlib.pyplot as plt
from sklearn.datasets import load_wine

from sk_metalearn import AutoClassifier
from sk_metalearn.inspection import ColumnImportanceDisplay

X, y = load_wine(return_X_y=True, as_frame=True)
X["alcohol in promille"] = 10 * X["alcohol"]
auto = AutoClassifier(n_iter=6, scoring="neg_log_loss", random_state=0).fit(X, y)

# %%
# With ``cv`` what was found is fitted anew on each fold; no search is repeated.
display = ColumnImportanceDisplay.from_estimator(auto, X, y, cv=4, n_repeats=3, random_state=0)
for row in display.rows()[:5]:
    print(f"{row['lost']:.3f} ({row['low']:.3f} to {row['high']:.3f})  {row['column']}")

# %%
# The two columns of alcohol are one bar. Alone, neither would seem to matter.
display.plot()
plt.show()
