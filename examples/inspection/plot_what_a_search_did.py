"""
What a search did, and why
==========================

Every candidate of a search knows why it was tried. `explain` tells it in words, two displays draw
it.
"""

# %%
# A grid of 40 points for a support vector machine; the search visits 8 of them.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sk_metalearn import MetaSearchCV
from sk_metalearn.inspection import SearchHistoryDisplay, SimilarDatasetsDisplay, explain

X, y = load_breast_cancer(return_X_y=True)
grid = {"svc__C": np.logspace(-2, 4, 8), "svc__gamma": np.logspace(-5, 0, 5)}
search = MetaSearchCV(make_pipeline(StandardScaler(), SVC()), grid, n_iter=8, random_state=0)
search.fit(X, y)
print(explain(search))

# %%
# The course of the search, and the past datasets whose results guided it.
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
SearchHistoryDisplay.from_estimator(search).plot(left)
SimilarDatasetsDisplay.from_estimator(search).plot(right)
plt.show()
