"""
Quantiles
=========

What will be exceeded once in ten times? The pinball loss asks for a quantile, and boosting
minimises it.
"""

# %%
# Sales that grow through the week, with more noise on busy days.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import make_scorer, mean_pinball_loss

from sk_metalearn import AutoRegressor

rng = np.random.default_rng(0)
hour = rng.uniform(0, 24, 900)
expected = 20 + 15 * np.sin(hour / 24 * np.pi) ** 4
sales = expected + rng.gamma(2, expected / 12)
X, X_new = hour[:600, None], hour[600:, None]

models = {}
for level in (0.1, 0.5, 0.9):
    scoring = make_scorer(mean_pinball_loss, alpha=level, greater_is_better=False)
    models[level] = AutoRegressor(
        n_iter=4, families=["hist_gradient_boosting"], scoring=scoring, random_state=0
    ).fit(X, sales[:600])
    below = np.mean(sales[600:] <= models[level].predict(X_new))
    print(f"asked for {level:.0%}: {below:.0%} of the new sales are below")

# %%
figure, axis = plt.subplots(figsize=(7, 3.8), layout="constrained")
axis.scatter(hour[600:], sales[600:], s=8, color="tab:gray", label="new sales")
grid = np.linspace(0, 24, 200)[:, None]
for level, model in models.items():
    axis.plot(grid, model.predict(grid), label=f"{level:.0%} below")
axis.set(xlabel="hour", ylabel="sales")
axis.legend()
plt.show()
