"""
A cost of your own
==================

A missed case costs 10, a false alarm 1. The search maximises what `make_scorer` makes of that, and
``threshold="tune"`` predicts the second class as soon as that pays.
"""

# %%
import matplotlib.pyplot as plt
from sklearn.datasets import make_classification
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix, make_scorer
from sklearn.model_selection import train_test_split

from sk_metalearn import AutoClassifier


def cost(y_true, y_pred):
    """Cost of a row."""
    (_, false_alarms), (missed, _) = confusion_matrix(y_true, y_pred, labels=[0, 1])
    return (10 * missed + false_alarms) / len(y_true)


scoring = make_scorer(cost, greater_is_better=False)
X, y = make_classification(700, 12, weights=[0.85], class_sep=0.8, flip_y=0.02, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# Searched for accuracy, for the cost, and for the cost with a threshold of its own.
options = {
    "accuracy": {"scoring": "accuracy"},
    "cost": {"scoring": scoring},
    "cost, own threshold": {"scoring": scoring, "threshold": "tune"},
}
models = {
    name: AutoClassifier(n_iter=4, random_state=0, **own).fit(X_train, y_train)
    for name, own in options.items()
}
print(f"The second class from {models['cost, own threshold'].threshold_:.3f} on.")

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained")
for axis, (name, model) in zip(axes, models.items(), strict=True):
    predicted = model.predict(X_test)
    ConfusionMatrixDisplay.from_predictions(y_test, predicted, ax=axis, colorbar=False)
    axis.set_title(f"{name}: {cost(y_test, predicted):.2f} a row")
plt.show()
