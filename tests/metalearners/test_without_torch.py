"""What needs no PyTorch works without it; what does need it says what to install."""

import subprocess
import sys

import numpy as np
import pytest
from _learners import small

from sk_metalearn.exceptions import MissingDependencyError
from sk_metalearn.metalearners import MetaWeights, make_sine_tasks
from sk_metalearn.metalearners.testing import check_meta_learner, make_class_tasks


@pytest.fixture
def no_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)


def test_meta_fit_names_the_pip_line(no_torch, learner):
    if learner.method == "reptile":
        pytest.skip("Reptile needs no PyTorch")
    make = make_class_tasks if learner.kind == "classification" else make_sine_tasks
    with pytest.raises(MissingDependencyError, match='pip install "torch'):
        learner.meta_fit(make(6, random_state=0))


@pytest.mark.parametrize("name", ["ReptileClassifier", "ReptileRegressor"])
def test_reptile_meta_trains(no_torch, name):
    check_meta_learner(small(name), n_shots=3)


def test_everything_adapts_and_predicts_with_given_weights(no_torch, learner):
    classify = learner.kind == "classification"
    task = (make_class_tasks if classify else make_sine_tasks)(1, random_state=0)[0]
    X, y = task[0] / 5, task[1] % 3 if classify else task[1] / 5
    params = learner._initial_params(np.random.RandomState(0), X.shape[1], 3 if classify else 1)
    if not classify:
        params |= {"noise_variance": np.float32(0.1), "weight_variance": np.float32(0.1)}
    weights = MetaWeights(learner.method, learner.kind, X.shape[1], params, {})
    learner.set_params(weights=weights).fit(X, y)
    if classify:
        assert learner.predict_proba(X).shape == (len(X), 3)
    else:
        mean, std = learner.predict(X, return_std=True)
        assert np.isfinite(mean).all() and (std > 0).all()


def test_importing_the_room_loads_no_heavy_module():
    code = (
        "import sys, sk_metalearn.metalearners\n"
        "heavy = {'torch', 'matplotlib', 'sqlalchemy', 'openml'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
