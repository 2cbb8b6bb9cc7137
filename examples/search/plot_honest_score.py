"""
A score that does not flatter
=============================

``best_score_`` belongs to the ensemble that scored best on the folds, so a part of it is luck.
``score_estimate_`` says what to expect: each fold is judged by an ensemble that the other folds
chose.
"""

# %%
# Few rows, and labels of which a third is wrong: much room for luck.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification

from sk_metalearn import AutoClassifier

told = {"best_score_": [], "score_estimate_": [], "10,000 new rows": []}
for seed in range(4):
    X, y = make_classification(10_150, 12, flip_y=0.6, random_state=seed)
    families = ["logistic_regression", "gaussian_nb", "k_neighbors", "decision_tree"]
    auto = AutoClassifier(n_iter=15, families=families, scoring="roc_auc", random_state=seed)
    auto.fit(X[:150], y[:150])
    told["best_score_"].append(auto.best_score_)
    told["score_estimate_"].append(auto.score_estimate_.score)
    told["10,000 new rows"].append(auto.score(X[150:], y[150:]))
    print(f"dataset {seed}: best score {auto.best_score_:.3f}, estimate {auto.score_estimate_}")

# %%
figure, axis = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
for place, (name, scores) in enumerate(told.items()):
    axis.bar(np.arange(4) + 0.27 * (place - 1), scores, width=0.25, label=name)
axis.set(xlabel="dataset", ylabel="area under the ROC curve", xticks=range(4), ylim=(0.4, 0.9))
axis.legend(ncols=3)
plt.show()
