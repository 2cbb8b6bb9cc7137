"""
Learning a wave from ten points
===============================

Every task is a wave ``amplitude * sin(x - phase)``, of which ten points are seen. A network that
starts from random weights needs more than that. MAML and Reptile learn, over many other waves,
weights from which a few steps of gradient descent are enough.

Meta-training needs PyTorch: ``pip install "sk_metalearn[deep]"``.
"""

# %%
# Tasks
# -----
# ``make_sine_tasks`` gives the waves of the MAML paper. The outer loop learns from 1000 of them;
# the waves of the pictures below are others.

import matplotlib.pyplot as plt
import numpy as np

from sk_metalearn.metalearners import (
    MAMLRegressor,
    OuterLoop,
    ReptileRegressor,
    few_shot_scores,
    make_sine_tasks,
    sample_episodes,
)

tasks = make_sine_tasks(1000, n_samples=50, random_state=0)

# %%
# Outer loop
# ----------
# ``meta_fit`` is the outer loop: it looks for weights from which the inner loop goes far.

maml = MAMLRegressor(
    inner_learning_rate=0.01,
    n_steps=1,
    standardize=False,
    outer=OuterLoop(max_iter=2500, batch_size=20, validation_interval=500),
    random_state=0,
).meta_fit(tasks)

reptile = ReptileRegressor(
    n_steps=20,
    n_query=40,
    outer=OuterLoop(
        max_iter=2500, batch_size=5, optimizer="sgd", learning_rate=0.5, validation_interval=500
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
learners = {"MAML": maml, "Reptile": reptile}

figure, axes = plt.subplots(1, 3, figsize=(11, 3.4), sharey=True, layout="constrained")
for axis, (name, learner) in zip(axes, learners.items(), strict=False):
    for n_steps, style in ((0, ":"), (1, "--"), (10, "-")):
        learner.set_params(n_adapt_steps=n_steps).fit(X, y)
        axis.plot(line, learner.predict(line), style, color="C0", label=f"{n_steps} steps")
    axis.set_title(name)
scratch = MAMLRegressor(standardize=False, random_state=0).fit(X, y)
axes[2].plot(line, scratch.predict(line), color="C0", label="150 steps")
axes[2].set_title("no meta-training")
for axis in axes:
    axis.plot(X, y, "o", color="C3", label="support")
    axis.set_xlabel("x")
    axis.legend(fontsize=7)
plt.show()

# %%
# The error after each step, over 100 other waves
# -----------------------------------------------


def mean_squared_error(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2)


figure, axis = plt.subplots(figsize=(6, 3.4), layout="constrained")
steps = [0, 1, 2, 5, 10]
for name, learner in learners.items():
    errors = []
    for n_steps in steps:
        episodes = sample_episodes(
            make_sine_tasks(100, 60, random_state=1),
            100,
            kind="regression",
            n_shots=10,
            n_query=50,
            random_state=0,
        )
        learner.set_params(n_adapt_steps=n_steps)
        errors.append(few_shot_scores(learner, episodes, mean_squared_error).mean())
    axis.plot(steps, errors, "o-", label=name)
    print(
        f"{name}: {errors[0]:.2f} before, {errors[1]:.2f} after 1 step, {errors[-1]:.2f} after 10"
    )
axis.set(xlabel="steps of the inner loop", ylabel="mean squared error", yscale="log")
axis.legend()
plt.show()
