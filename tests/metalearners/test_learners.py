"""What holds for every meta-learner: scikit-learn's checks and the contract of the room."""

import numpy as np
import pytest
from _learners import LEARNERS, small
from sklearn.base import BaseEstimator, clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_metalearn import metalearners as ml
from sk_metalearn.metalearners import OuterLoop
from sk_metalearn.metalearners.testing import check_meta_learner, make_class_tasks

BROAD = {"hidden_layer_sizes": (16,)}


def test_every_public_learner_is_tested():
    public = {
        name
        for name in ml.__all__
        if isinstance(getattr(ml, name), type) and issubclass(getattr(ml, name), BaseEstimator)
    }
    assert public == set(LEARNERS)


@parametrize_with_checks(
    [
        small(name, **(BROAD if "hidden_layer_sizes" in LEARNERS[name] else {}))
        for name in sorted(LEARNERS)
    ]
)
def test_scikit_learn(estimator, check):
    check(estimator)


def test_contract(learner):
    pytest.importorskip("torch", reason="meta-training needs PyTorch")
    check_meta_learner(learner, n_shots=3)


def test_scikit_learn_conventions_hold_after_meta_fit():
    """The checks of scikit-learn clone, which forgets `meta_fit`; these use what was learned."""
    learner = small("ReptileClassifier").meta_fit(make_class_tasks(6, random_state=0))
    X, y = make_class_tasks(1, random_state=1)[0]
    names = np.array(list("abcdef"))[y]
    assert set(learner.fit(X, names).predict(X)) <= set("abcdef")
    assert learner.n_features_in_ == 8
    with pytest.raises(ValueError, match="8 features"):
        learner.fit(X[:, :5], y)
    assert not hasattr(clone(learner), "meta_weights_")


def test_stricter_n_way_is_refused_with_reason():
    pytest.importorskip("torch", reason="meta-training needs PyTorch")
    learner = small("SNAILClassifier").meta_fit(make_class_tasks(6, random_state=0))
    X, y = make_class_tasks(1, random_state=1)[0]
    with pytest.raises(ValueError, match="6 classes.*at most 3.*larger n_way"):
        learner.fit(X, y)


def test_meta_fit_goes_on_from_weights():
    tasks = make_class_tasks(6, random_state=0)
    long = OuterLoop(max_iter=150, optimizer="sgd", learning_rate=0.5)
    quick = {"inner_learning_rate": 0.1, "n_adapt_steps": 10}
    first = small("ReptileClassifier", outer=long, **quick).meta_fit(tasks)
    second = small("ReptileClassifier", weights=first.meta_weights_, random_state=1, **quick)
    second.meta_fit(tasks)
    start = second.history_["validation_loss"][0]
    assert start < 0.8 * first.history_["validation_loss"][0]


def test_weights_of_another_method_are_refused():
    weights = small("ReptileClassifier").meta_fit(make_class_tasks(6)).meta_weights_
    X, y = make_class_tasks(1)[0]
    with pytest.raises(ValueError, match="'reptile'.*'maml'"):
        small("MAMLClassifier", weights=weights).fit(X, y)
    with pytest.raises(ValueError, match="classification.*regression"):
        small("ReptileRegressor", weights=weights).fit(X, y)


def test_a_learner_that_breaks_the_contract_is_caught():
    class Forgetful(ml.ReptileRegressor):
        def fit(self, X, y):
            super().fit(X, y)
            self.meta_weights_.params["b0"] = self.meta_weights_.params["b0"] + 1
            return self

    with pytest.raises(AssertionError, match="fit changed"):
        check_meta_learner(Forgetful(n_shots=3, outer=ml.OuterLoop(max_iter=3), random_state=0))
