"""
Strategies compared on recorded results
=======================================

The bundled knowledge base holds the scores of a pool of configurations on many datasets.
Strategies can be compared on it without a fit: each searches datasets whose families are taken
out of what it knows, and is told what was recorded.
"""

# %%
# The recorded scores, and folds that keep families of datasets together.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GroupKFold

from sk_metalearn import KnowledgeBase
from sk_metalearn.spaces import load_pool
from sk_metalearn.strategies import Context, Outcome, PastPerformance, get_strategy

table = KnowledgeBase.bundled().table("regression", configurations=load_pool("regression"))
scores, baseline = table.scores("r2"), table.baseline("r2")
families = [task.family for task in table.tasks]
folds = list(GroupKFold(5).split(scores, groups=families))
print(f"{len(table.tasks)} datasets of {len(set(families))} families")
print(f"{scores.shape[1]} configurations")


# %%
# One search: ask for a proposal, tell what was recorded, and again.
def search(name, known, task, n_evaluations=15):
    past = PastPerformance(
        scores=scores[known],
        seconds=table.seconds[known],
        baseline=baseline[known],
        tasks=tuple(table.tasks[i].name for i in known),
        metafeatures=table.metafeatures[known],
        metafeature_names=table.metafeature_names,
    )
    context = Context(
        candidates=[configuration.to_dict() for configuration in table.configurations],
        kind="regression",
        metric="r2",
        past=past,
        metafeatures=dict(zip(table.metafeature_names, table.metafeatures[task], strict=True)),
        seed=int(task),
    )
    strategy, found = get_strategy(name).start(context), []
    for _ in range(n_evaluations):
        (proposal,) = strategy.ask()
        score = scores[task, proposal.candidate]
        strategy.tell([Outcome(proposal, score)])
        found.append(score)
    best = np.fmax.accumulate(found)
    top = np.nanmax(scores[task])
    regret = np.clip((top - best) / (top - baseline[task]), 0, 1)
    return np.where(np.isfinite(regret), regret, 1.0)


# %%
# Every third dataset of each fold. A regret of 0 is the best configuration recorded, 1 the dummy.
figure, axes = plt.subplots(figsize=(7, 4.5))
for name in ("random", "average_rank", "portfolio", "active_greedy", "transfer_mvn", "auto"):
    curves = [search(name, known, task) for known, left in folds for task in left[::3]]
    mean = np.mean(curves, axis=0)
    print(f"{name:14s} after 1, 5 and 10 evaluations: {mean[[0, 4, 9]].round(4)}")
    axes.plot(np.arange(1, len(mean) + 1), mean, label=name, linewidth=2.5 if name == "auto" else 1)
axes.set(xlabel="evaluations", ylabel="mean normalised regret", yscale="log")
axes.legend()
figure.tight_layout()
