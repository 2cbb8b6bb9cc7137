"""
What the bundled knowledge knows
================================

The package ships what it measured: a pool of configurations on a few hundred datasets, every
evaluation kept, failures and seconds included. This example opens it, looks at it, finds the past
datasets most like a new one, and leaves some out.
"""

# %%
# Opening reads the list of tasks and configurations; an array of scores is read when it is first
# asked for.
import matplotlib.pyplot as plt
import numpy as np

from sk_metalearn import KnowledgeBase

base = KnowledgeBase.bundled()
base.summary()

# %%
# A performance table is tasks by configurations. Which families of models come close to each
# dataset's best score? Regret is the share of the way from the best down to the dummy estimator.
table = base.table("classification")
scores = table.scores("accuracy", failures="dummy")
baseline = table.baseline("accuracy")
best = np.where(np.isfinite(scores), scores, -np.inf).max(axis=1)
useful = (np.isfinite(scores).mean(axis=1) > 0.9) & (best > baseline)
best, scores, baseline = best[useful], scores[useful], baseline[useful]
regret = np.clip((best - scores.T) / (best - baseline), 0, 1)

families = sorted({own.family for own in table.configurations} - {"dummy"})
of_family = {
    family: np.nanmin(
        regret[[j for j, own in enumerate(table.configurations) if own.family == family]], axis=0
    )
    for family in families
}
order = sorted(families, key=lambda family: np.nanmedian(of_family[family]))
values = [of_family[family][np.isfinite(of_family[family])] for family in order]
fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
ax.boxplot(values, orientation="horizontal", showfliers=False, widths=0.6)
ax.set_yticks(range(1, len(order) + 1), order)
ax.invert_yaxis()
ax.set_xlabel("regret of the family's best configuration (accuracy)")
ax.set_title(f"{useful.sum()} classification datasets")
plt.show()

# %%
# Past datasets like a new one, and why. Only meta-features are looked at.
from sklearn.datasets import load_breast_cancer

X, y = load_breast_cancer(return_X_y=True)
for neighbor in base.neighbors(X, y, n_neighbors=3):
    print(neighbor)

# %%
# The bundled knowledge holds none of the datasets that scikit-learn ships, nor copies of them, so
# that examples such as this one are honest. To judge on a dataset that it does hold, leave out
# the dataset with all its relatives: other versions, subsets, simulated copies.
first = table.tasks[0]
less = base.without(tasks=[first.name])
print(f"without {first.name!r}: {less}, left out {sorted(less.left_out)}")
