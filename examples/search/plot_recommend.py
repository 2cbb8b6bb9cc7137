"""
A model without a search
========================

`recommend` gives configured estimators and the score to expect, from similar past datasets alone.
How near is that to the score on the data themselves?
"""

# %%
import matplotlib.pyplot as plt
from sklearn.datasets import load_wine
from sklearn.model_selection import cross_val_score

from sk_metalearn import recommend

X, y = load_wine(return_X_y=True)
found = recommend(X, y, n=6)
for one in found:
    print(f"expected {one.expected_score:.3f} +- {one.spread:.3f}: {one.configuration}")

# %%
# The past datasets that speak for the first one: name, its score there, and the share of the
# weight.
for name, score, share in found[0].evidence:
    print(f"{name:24s} {score:.3f} {share:.1%}")

# %%
# Expected, and measured by five folds.
measured = [cross_val_score(one.estimator, X, y, cv=5).mean() for one in found]
names = [one.configuration.family for one in found]
figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
axes.errorbar(
    [one.expected_score for one in found],
    range(len(found)),
    xerr=[one.spread for one in found],
    fmt="o",
    label="expected (line: middle half of past datasets)",
)
axes.plot(measured, range(len(found)), "x", markersize=9, color="C3", label="measured")
axes.set_yticks(range(len(found)), names)
axes.invert_yaxis()
axes.set_xlabel("accuracy")
axes.legend()
plt.show()
