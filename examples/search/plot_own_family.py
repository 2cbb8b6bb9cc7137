"""
Your own estimator among the others
===================================

``families`` takes estimators of your own beside the names of families. They are tried early,
compared with the others, and join the ensemble.
"""

# %%
# An additive model: a curve for each column.
import matplotlib.pyplot as plt
from scipy.stats import loguniform
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer

from sk_metalearn import AutoRegressor

X, y = load_diabetes(return_X_y=True)
additive = make_pipeline(SplineTransformer(n_knots=4), Ridge())
space = {"ridge__alpha": loguniform(1e-2, 1e2)}
auto = AutoRegressor(families=["all", (additive, space)], n_iter=16, random_state=0).fit(X, y)
board = auto.leaderboard()
print(board[["score", "weight", "settings"]].head(8).to_string())

# %%
shown = board[board["row"] >= 0].sort_values("row")
own = shown["family"].str.startswith("own_")
figure, axis = plt.subplots(figsize=(7, 3.6), layout="constrained")
axis.scatter(shown["row"][~own], shown["score"][~own], color="tab:gray", label="of the catalogue")
axis.scatter(shown["row"][own], shown["score"][own], color="tab:orange", label="your own")
axis.axhline(auto.best_score_, color="tab:blue", label="the final model")
axis.set(xlabel="number of the candidate", ylabel="R2 on the folds", ylim=(0.3, None))
axis.legend()
plt.show()
