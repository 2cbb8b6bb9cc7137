"""
How sure is a prediction?
=========================

``predict_interval`` says between which values nine of ten targets will be. It needs no further fit:
the search knows how far off its models were on rows that they had not seen.
"""

# %%
# A search on 300 patients; 142 others wait.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes

from sk_metalearn import AutoRegressor

X, y = load_diabetes(return_X_y=True)
auto = AutoRegressor(n_iter=6, random_state=0).fit(X[:300], y[:300])
X_new, y_new = X[300:], y[300:]
for coverage in (0.5, 0.8, 0.9):
    low, high = auto.predict_interval(X_new, coverage).T
    within = np.mean((low <= y_new) & (y_new <= high))
    print(f"asked for {coverage:.0%}: {within:.0%} within, {high[0] - low[0]:.0f} wide")

# %%
# The new patients in the order of their predictions.
predicted = auto.predict(X_new)
order = np.argsort(predicted)
figure, axis = plt.subplots(figsize=(7, 3.8), layout="constrained")
places = np.arange(len(order))
axis.fill_between(places, low[order], high[order], alpha=0.25, label="nine of ten")
axis.plot(places, predicted[order], label="prediction")
axis.plot(places, y_new[order], ".", color="black", label="target")
axis.set(xlabel="patient", ylabel="progress of the disease")
axis.legend(ncols=3)
plt.show()
