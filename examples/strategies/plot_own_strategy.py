"""
A strategy of your own
======================

A strategy is a dataclass with one method: ``propose`` gives the next candidate. This one takes
the untried candidate that lies nearest to the best one so far.
"""

# %%
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sk_metalearn import MetaSearchCV
from sk_metalearn.strategies import Strategy


@dataclass
class HillClimb(Strategy):
    """Go to the nearest untried neighbour of the best candidate."""

    def begin(self):
        values = [
            [np.log10(point[name]) for name in sorted(point)] for point in self.context.candidates
        ]
        self.places = np.array(values)

    def propose(self):
        untried = self.untried
        if not len(untried):
            return None
        outcomes, scores = self.record.scores(only_candidates=True)
        if not outcomes:
            return self.make(candidate=self.rng.choice(untried), reason="a first guess")
        best = outcomes[int(scores.argmax())].proposal.candidate
        distance = np.abs(self.places[untried] - self.places[best]).sum(axis=1)
        return self.make(candidate=untried[distance.argmin()], reason="near the best")


# %%
# It serves like any other.
X, y = load_breast_cancer(return_X_y=True)
grid = {"svc__C": np.logspace(-2, 4, 10), "svc__gamma": np.logspace(-5, 0, 8)}
pipeline = make_pipeline(StandardScaler(), SVC())
figure, axes = plt.subplots(figsize=(6, 3.4), layout="constrained")
for name, strategy in (("hill climb", HillClimb()), ("random", "random"), ("auto", "auto")):
    search = MetaSearchCV(pipeline, grid, n_iter=15, strategy=strategy, cv=3, random_state=1)
    scores = search.fit(X, y).cv_results_["mean_test_score"]
    axes.step(range(1, 16), np.maximum.accumulate(scores), where="post", label=name)
    print(f"{name:10s} {scores.max():.4f}")
axes.set(xlabel="evaluations", ylabel="best accuracy so far")
axes.legend()
plt.show()
