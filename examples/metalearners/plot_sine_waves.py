"""
Learning a wave from ten points
===============================

Every task is a wave ``amplitude * sin(x - phase)``, of which ten points are seen. A network that
starts from random weights needs more than that. Reptile learns, over many other waves, weights
from which a few steps of gradient descent are enough.
"""

# %%
# Tasks
# -----
# ``make_sine_tasks`` gives the waves of the MAML paper. The outer loop learns from 300 of them;
# the waves of the pictures below are others.

import matplotlib.pyplot as plt
import numpy as np

from sk_metalearn.metalearners import (
    OuterLoop,
    ReptileRegressor,
    few_shot_scores,
    make_sine_tasks,
    sample_episodes,
)

tasks = make_sine_tasks(300, n_samples=50, random_state=0)

# %%
# Outer loop
# ----------
# ``meta_fit`` is the outer loop: it looks for weights from which the inner loop goes far.

reptile = ReptileRegressor(
    n_steps=20,
    n_query=40,
    outer=OuterLoop(
        max_iter=400, batch_size=5, optimizer="sgd", learning_rate=0.5, validation_interval=200
    ),
    random_state=0,
).meta_fit(tasks)

# %%
# Inner loop
# ----------
# ``fit`` is the inner loop: it takes ``n_adapt_steps`` steps on the support examples. Without
# ``meta_fit`` it trains a network from scratch.

X, y = make_sine_tasks(1, n_samples=10, random_state=20)[0]
line = np.linspace(-5, 5, 200)[:, None]

figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), sharey=True, layout="constrained")
for n_steps, style in ((0, ":"), (1, "--"), (10, "-")):
    reptile.set_params(n_adapt_steps=n_steps).fit(X, y)
    axes[0].plot(line, reptile.predict(line), style, color="C0", label=f"{n_steps} steps")
axes[0].set_title("Reptile")
scratch = ReptileRegressor(n_adapt_steps=150, random_state=0).fit(X, y)
axes[1].plot(line, scratch.predict(line), color="C0", label="150 steps")
axes[1].set_title("no meta-training")
for axis in axes:
    axis.plot(X, y, "o", color="C3", label="support")
    axis.set_xlabel("x")
    axis.legend(fontsize=7)
plt.show()

# %%
# The error after each step, over 50 other waves
# ----------------------------------------------


def mean_squared_error(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2)


steps, errors = [0, 1, 2, 5, 10], []
for n_steps in steps:
    episodes = sample_episodes(
        make_sine_tasks(50, 60, random_state=1),
        50,
        kind="regression",
        n_shots=10,
        n_query=50,
        random_state=0,
    )
    reptile.set_params(n_adapt_steps=n_steps)
    errors.append(few_shot_scores(reptile, episodes, mean_squared_error).mean())
    print(f"after {n_steps} steps: {errors[-1]:.2f}")
figure, axis = plt.subplots(figsize=(6, 3.4), layout="constrained")
axis.plot(steps, errors, "o-")
axis.set(xlabel="steps of the inner loop", ylabel="mean squared error", yscale="log")
plt.show()
