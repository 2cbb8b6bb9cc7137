"""
A messy table
=============

A key, a date, money as text, free text, gaps: `AutoClassifier` takes the table as it is, says
what it took each column for, and gives a model whose columns can be weighed.
"""

# %%
# A table such as people have.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.inspection import permutation_importance
from sklearn.model_selection import train_test_split

from sk_metalearn import AutoClassifier

rng = np.random.default_rng(0)
n = 300
months = rng.integers(1, 60, n)
spent = rng.gamma(2, 120, n)
angry = rng.random(n) < 0.3
X = pd.DataFrame(
    {
        "customer_id": np.arange(n) + 70000,
        "since": pd.Timestamp("2025-01-01") - pd.to_timedelta(30 * months, unit="D"),
        "spent": [f"${value:,.2f}" for value in spent],
        "city": rng.choice(["Berlin", "Leipzig", "Hamburg"], n),
        "visits": np.where(rng.random(n) < 0.15, np.nan, rng.poisson(4, n)),
        "message": np.where(angry, "late and very rude service", "friendly as always"),
    }
)
risk = 2 * angry - 0.05 * months - 0.002 * spent + rng.logistic(0, 0.5, n)
y = np.where(risk > -0.8, "leaves", "stays")
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# The search: a warning names the column that is left out.
auto = AutoClassifier(n_iter=6, ensemble_size=0, scoring="roc_auc", random_state=0)
auto.fit(X_train, y_train)
print(f"area under the ROC curve on the test rows: {auto.score(X_test, y_test):.3f}")

# %%
# What each column was taken for, and why.
auto.describe_columns()

# %%
# Which columns matter, by what the model loses without them.
importance = permutation_importance(auto, X_test, y_test, n_repeats=3, random_state=0)
order = importance.importances_mean.argsort()
figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
axes.barh(X.columns[order], importance.importances_mean[order])
axes.set_xlabel("loss of area under the ROC curve")
plt.show()
