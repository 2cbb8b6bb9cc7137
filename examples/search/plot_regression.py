"""
Numbers instead of classes
==========================

`AutoRegressor` on scikit-learn's diabetes data, which the bundled knowledge does not contain.
"""

# %%
import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.metrics import PredictionErrorDisplay
from sklearn.model_selection import train_test_split

from sk_metalearn import AutoRegressor

X, y = load_diabetes(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
auto = AutoRegressor(n_iter=12, random_state=0).fit(X_train, y_train)
print(f"R2 on the folds {auto.best_score_:.3f}, on the test rows {auto.score(X_test, y_test):.3f}")

# %%
# What was tried, the best first.
auto.leaderboard().head()

# %%
# What is predicted against what is true, and the score of each candidate.
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
PredictionErrorDisplay.from_predictions(
    y_test, auto.predict(X_test), kind="actual_vs_predicted", ax=left
)
board = auto.leaderboard().dropna(subset="score")[::-1]
right.barh(range(len(board)), board["score"])
right.set_yticks(range(len(board)), board["family"])
right.set_xlabel("R2 on the folds")
right.set_xlim(left=max(0, board["score"].min() - 0.05))
plt.show()
