"""
Knowledge of your own
=====================

Knowledge grows with what you measure. This example measures a few configurations on three small
datasets, keeps the results in a database, shows what sharing them would reveal, and uses them.
"""

# %%
# Measure the first configurations of the pool that are quick, as anyone could: a configuration
# stands for a scikit-learn pipeline.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.model_selection import cross_validate

from sk_metalearn import KnowledgeBase, MetaFeatureExtractor
from sk_metalearn.knowledge import Evaluation, Task, share_records, task_id
from sk_metalearn.spaces import Schema, build_estimator, load_pool

quick = ("dummy", "k_neighbors", "logistic_regression", "gaussian_nb", "decision_tree", "lda")
pool = [own for own in load_pool("classification")[:32] if own.family in quick]


def measure(name, X, y):
    schema = Schema.from_data(X, y)
    task = Task(
        task_id(X.tobytes(), y.tobytes()), name, "classification", name, *X.shape, len(set(y))
    )
    evaluations = []
    for configuration in pool:
        model = build_estimator(configuration, schema, random_state=0)
        folds = cross_validate(model, X, y, cv=3, scoring=("accuracy", "neg_log_loss"))
        evaluations.append(
            Evaluation(
                task.id,
                configuration.id,
                "ok",
                {name: folds[f"test_{name}"].tolist() for name in ("accuracy", "neg_log_loss")},
                fit_seconds=folds["fit_time"].tolist(),
                predict_seconds=folds["score_time"].tolist(),
                source="my measurements",
            )
        )
    return task, evaluations


# %%
# A base opened on a database keeps what it records. The same code serves a team on a
# ``postgresql://`` URL; many processes may write at once.
folder = Path(tempfile.mkdtemp())
base = KnowledgeBase.open(folder / "own.db")
extractor = MetaFeatureExtractor()
for name, load in (("iris", load_iris), ("wine", load_wine), ("cancer", load_breast_cancer)):
    X, y = load(return_X_y=True)
    task, evaluations = measure(name, X, y)
    base.record(task, evaluations, extractor.extract(X, y), configurations=pool)
print(KnowledgeBase.open(folder / "own.db").summary())

# %%
# The scores as a table.
table = base.table("classification")
scores = table.scores("accuracy")
fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
image = ax.imshow(scores.T, aspect="auto", vmin=0.5, vmax=1.0)
ax.set_xticks(range(len(table.tasks)), [task.name for task in table.tasks])
labels = [f"{number} {own.family}" for number, own in enumerate(table.configurations)]
ax.set_yticks(range(len(labels)), labels)
for i, j in np.ndindex(scores.shape):
    ax.text(i, j, f"{scores[i, j]:.3f}", ha="center", va="center", color="w", fontsize=8)
fig.colorbar(image, label="accuracy")
plt.show()

# %%
# What would be shared can be read first: descriptions, meta-features and scores, no data.
records = list(share_records(base, anonymous=True))
print(len(records), "records, such as")
print(next(own for own in records if own["record"] == "task"))
print({**next(own for own in records if own["record"] == "evaluation"), "fit_seconds": "..."})

# %%
# Own and bundled knowledge together are one base.
together = KnowledgeBase.bundled().merge(base)
print(together)
