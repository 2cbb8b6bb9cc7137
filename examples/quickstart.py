"""Ten seconds with sk_metalearn: fit, score, and what past datasets said."""

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from sk_metalearn import AutoClassifier

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

auto = AutoClassifier(n_iter=10, random_state=0).fit(X_train, y_train)

print(f"accuracy on rows that the search has not seen: {auto.score(X_test, y_test):.3f}")
print("\nThe final model mixes (weight, configuration):")
for row, weight in auto.ensemble_.items():
    print(f"  {weight:2d}  {auto.configurations_[row]}")
print(f"\n{auto.knowledge_report_}")
