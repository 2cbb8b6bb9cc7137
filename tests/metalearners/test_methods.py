"""Each method does what its paper says."""

import numpy as np
import pytest
from _learners import small
from sklearn.metrics import mean_squared_error
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from sk_metalearn import metalearners as ml
from sk_metalearn.metalearners import OuterLoop, few_shot_scores, make_sine_tasks, sample_episodes
from sk_metalearn.metalearners._embedding import embed, init_embedding
from sk_metalearn.metalearners._episodes import one_hot
from sk_metalearn.metalearners._external_memory import content_weights
from sk_metalearn.metalearners._learned_optimizer import flatten, random_nets, unflatten
from sk_metalearn.metalearners._mlp_learner import head_for
from sk_metalearn.metalearners._networks import (
    gradient_features,
    init_mlp,
    mlp,
    mlp_gradient,
    shifted,
)
from sk_metalearn.metalearners._ntm import _address
from sk_metalearn.metalearners._snail import _convolve, _dilations
from sk_metalearn.metalearners.testing import make_class_tasks

RNG = np.random.RandomState(0)


def _torch():
    return pytest.importorskip("torch", reason="meta-training needs PyTorch")


# What meta-training is for ------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, max_iter",
    [
        ("PrototypicalNetworkClassifier", 100),
        ("MatchingNetworkClassifier", 100),
        ("SiameseNetworkClassifier", 100),
        ("MAMLClassifier", 60),
        ("ReptileClassifier", 200),
        ("MetaNetworkClassifier", 100),
        ("SNAILClassifier", 100),
    ],
)
def test_classes_are_told_apart_better_than_in_input_space(name, max_iter):
    """Two of eight columns matter; the other six hide it from a nearest neighbour."""
    if not name.startswith("Reptile"):
        _torch()
    outer = {"max_iter": max_iter, "batch_size": 8, "validation_interval": 50}
    if name.startswith("Reptile"):
        outer |= {"optimizer": "sgd", "learning_rate": 0.5}
    else:
        outer |= {"learning_rate": 5e-3}
    changes = {"n_units": 24} if name[:4] in ("Meta", "SNAI") else {}
    if name.startswith(("MAML", "Reptile")):
        changes = {"hidden_layer_sizes": (24,), "n_steps": 5, "inner_learning_rate": 0.3}
    learner = small(name, outer=OuterLoop(**outer), **changes)
    learner.meta_fit(make_class_tasks(30, random_state=0))

    def episodes():
        return sample_episodes(
            make_class_tasks(20, random_state=1), 60, n_shots=3, n_way=3, random_state=2
        )

    neighbour = few_shot_scores(KNeighborsClassifier(1), episodes()).mean()
    assert few_shot_scores(learner, episodes()).mean() > neighbour + 0.1


@pytest.mark.parametrize("name", ["MAMLRegressor", "ReptileRegressor"])
def test_one_step_on_a_new_wave_lowers_the_error(name):
    if name.startswith("MAML"):
        _torch()
    outer = OuterLoop(max_iter=200, batch_size=8, learning_rate=3e-3)
    longer = {}
    if name.startswith("Reptile"):
        outer = OuterLoop(max_iter=300, batch_size=8, optimizer="sgd", learning_rate=0.5)
        longer = {"n_steps": 10, "n_query": 40}
    settings = {"inner_learning_rate": 0.05, "n_steps": 5, "outer": outer} | longer
    learner = getattr(ml, name)(random_state=0, **settings)
    learner.meta_fit(make_sine_tasks(200, 50, random_state=0))
    errors = []
    for n_steps in (0, 5):
        learner.set_params(n_adapt_steps=n_steps)
        episodes = sample_episodes(
            make_sine_tasks(100, 40, 1),
            100,
            kind="regression",
            n_shots=10,
            n_query=30,
            random_state=2,
        )
        errors.append(few_shot_scores(learner, episodes, mean_squared_error).mean())
    assert errors[1] < 0.8 * errors[0]


def test_maml_without_inner_steps_is_joint_pretraining():
    _torch()
    learner = small("MAMLRegressor", n_steps=0, n_adapt_steps=0)
    learner.meta_fit(make_sine_tasks(10, random_state=0))
    X, y = make_sine_tasks(1, random_state=1)[0]
    np.testing.assert_array_equal(
        learner.fit(X[:5], y[:5]).predict(X), learner.fit(X[5:], y[5:]).predict(X)
    )


def test_adaptation_that_diverges_is_an_error():
    learner = small("ReptileRegressor").meta_fit(make_sine_tasks(10, random_state=0))
    learner.set_params(inner_learning_rate=1e6, n_adapt_steps=50)
    X, y = make_sine_tasks(1, random_state=1)[0]
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="smaller or fewer"):
        learner.fit(X, y)


def test_heads_grow_and_shrink():
    params = init_mlp(RNG, [2, 3, 4]) | {"noise_variance": np.float32(1)}
    assert set(head_for(params, 4)) == {"W0", "b0", "W1", "b1"}
    np.testing.assert_array_equal(head_for(params, 2)["W1"], params["W1"][:, :2])
    wide = head_for(params, 6)["W1"]
    np.testing.assert_allclose(wide[:, 4], params["W1"].mean(1), rtol=1e-6)
    np.testing.assert_array_equal(wide[:, :4], params["W1"])


def test_spread_of_an_adapted_perceptron_grows_away_from_the_support():
    X = np.linspace(-1, 1, 20)[:, None]
    learner = ml.MAMLRegressor(random_state=0).fit(X, np.sin(3 * X[:, 0]))
    _, std = learner.predict([[0.0], [4.0]], return_std=True)
    assert std[1] > 2 * std[0]


# Metric learners ----------------------------------------------------------------------------------


def test_embedding_begins_as_the_input_space():
    X = RNG.normal(size=(20, 6)).astype(np.float32)
    same = embed(init_embedding(RNG, 6, (5,), None), X)
    np.testing.assert_allclose(same[:, :6], X, rtol=1e-6)
    assert same.shape == (20, 32) and not same[:, 6:].any()
    long = RNG.normal(size=(3, 40)).astype(np.float32)
    np.testing.assert_allclose(embed(init_embedding(RNG, 40, (5,), None), long), long, rtol=1e-5)
    wide = embed(init_embedding(RNG, 6, (5,), 9), X)
    np.testing.assert_allclose(np.linalg.norm(wide, axis=1), np.linalg.norm(X, axis=1), rtol=1e-5)
    assert embed(init_embedding(RNG, 6, (5,), 3), X).shape == (20, 3)


def test_matching_networks_learn_from_a_single_column():
    """A cosine of one column knows only its sign; beside a constant it knows the place."""
    _torch()
    outer = OuterLoop(max_iter=200, learning_rate=3e-3)
    learner = ml.MatchingNetworkRegressor(outer=outer, random_state=0)
    learner.meta_fit(make_sine_tasks(100, 30, random_state=0))
    draw = {"kind": "regression", "n_shots": 10, "n_query": 20, "random_state": 2}
    episodes = list(sample_episodes(make_sine_tasks(50, 30, 1), 50, **draw))
    zero = np.mean([(episode[3] ** 2).mean() for episode in episodes])
    assert few_shot_scores(learner, episodes, mean_squared_error).mean() < 0.7 * zero


def test_untrained_metric_learners_are_those_of_the_input_space():
    (X, y), (Z, _) = make_class_tasks(2, random_state=3)
    scaled = (Z - X.mean(0)) / X.std(0)
    X_scaled = (X - X.mean(0)) / X.std(0)
    centroid = NearestCentroid().fit(X_scaled, y).predict(scaled)
    np.testing.assert_array_equal(ml.PrototypicalNetworkClassifier().fit(X, y).predict(Z), centroid)
    nearest = KNeighborsClassifier(1).fit(X_scaled, y).predict(scaled)
    np.testing.assert_array_equal(ml.SiameseNetworkClassifier().fit(X, y).predict(Z), nearest)
    np.testing.assert_allclose(ml.SiameseNetworkClassifier().fit(X, y).embed(Z), scaled, rtol=1e-4)


def test_contrastive_loss_is_that_of_the_paper():
    learner = ml.SiameseNetworkClassifier(margin=2.0)
    X = np.array([[[0.0], [1.0], [1.5], [4.0]]])
    Y = one_hot(np.array([[0, 0, 1, 1]]), 2)
    # same: d = 1, 2.5; different: d = 1.5, 4, 0.5, 3
    near = (1.0 + 2.5**2) / 2
    far = (0.5**2 + 0 + 1.5**2 + 0) / 4
    loss = learner._episode_loss({}, X[:, :3], Y[:, :3], X[:, 3:], Y[:, 3:], None)
    np.testing.assert_allclose(loss, 0.5 * (near + far), rtol=1e-3)


def test_prototypes_are_class_means():
    X, y = make_class_tasks(1, random_state=0)[0]
    learner = ml.PrototypicalNetworkClassifier().fit(X, y)
    scaled = (X - X.mean(0)) / X.std(0)
    np.testing.assert_allclose(learner.state_[0, 2], scaled[y == 2].mean(0), rtol=1e-5)


def test_attention_of_matching_networks_averages_targets():
    X = np.array([[1.0, 0.0], [0.0, 1.0]])
    learner = ml.MatchingNetworkRegressor().fit(X, [0.0, 10.0])
    mean, std = learner.predict([[1.0, 0.0], [1.0, 1.0]], return_std=True)
    np.testing.assert_allclose(mean, [0, 5], atol=1e-3)
    assert std[1] > 4 > std[0]


# Memory -------------------------------------------------------------------------------------------


def test_addressing_by_content():
    memory = np.eye(3)[None]
    weights = content_weights(memory, 2 * memory[:, 1:2], np.full((1, 1, 1), 50.0))
    np.testing.assert_allclose(weights[0, 0], [0, 1, 0], atol=1e-6)


def test_heads_of_the_turing_machine_shift_and_sharpen():
    memory, focus = RNG.normal(size=(1, 5, 3)), np.zeros((1, 2, 5))
    focus[0, :, 4] = 1
    address = np.zeros((1, 2, 9))  # key, sharpness, gate, gamma, shift by -1, 0, 1
    address[..., 4] = -50  # closed gate: the focus of the step before
    address[0, 0, 8] = address[0, 1, 6] = 50
    weights = _address(memory, focus, address)
    np.testing.assert_allclose(weights[0], np.eye(5)[[0, 3]], atol=1e-4)
    address[..., 6:] = 0  # blurred over three places, then sharpened
    blurred = _address(memory, focus, address)[0, 0]
    address[..., 5] = 50
    address[0, 0, 7] = 1.0
    sharp = _address(memory, focus, address)[0, 0]
    np.testing.assert_allclose(sorted(blurred)[2:], [1 / 3] * 3, atol=1e-2)
    assert sharp[4] > 0.99


@pytest.mark.parametrize("n_heads", [1, 2])
def test_mann_writes_to_the_slots_it_used_least(n_heads):
    rng = np.random.default_rng(0)
    learner = small("MANNClassifier", n_heads=n_heads)
    params = learner._initial_params(rng, 2, 3)
    params["focus_b"][:n_heads] = -50  # the write gates: never where it read last
    state, filled = learner._start(params, np.zeros((1, 4, 2), dtype=np.float32)), []
    for _ in range(4):
        _, state = learner._step(params, rng.normal(size=(1, 5)), state)
        filled.append((np.abs(state[0][0]).max(axis=1) > 1e-5).sum())
    assert filled == [n_heads, 2 * n_heads, 3 * n_heads, 4 * n_heads]


def test_a_row_of_mann_begins_alike_to_the_example_it_holds():
    """Before meta-training, an example seen again is read from the slot with its label."""
    learner = small("MANNClassifier", n_units=64, n_slots=20, slot_size=32, n_heads=1)
    params = learner._initial_params(np.random.RandomState(0), 40, 3)
    X, Y = RNG.normal(size=(1, 8, 40)), one_hot(RNG.randint(3, size=(1, 8)), 3)
    state = learner._adapt(params, X, Y)
    found = []
    for x in X[0]:
        inputs = learner._input(params, x[None], state["label"])
        _, after = learner._step(params, inputs, state["memory"])
        found.append(after[2][0, 0].argmax())
    # The row of an example is written one step later; the first row is that of no example.
    assert np.mean(np.array(found) == np.arange(1, 9)) > 0.7


def test_turing_machine_learns_to_copy():
    """The short version of the copy task; benchmarks/metalearners.py has the long one."""
    _torch()
    outer = OuterLoop(
        max_iter=300,
        batch_size=16,
        learning_rate=1e-2,
        validation_interval=50,
        n_validation_episodes=32,
    )
    make = ml.make_copy_sequences
    machine = ml.NeuralTuringMachine(24, 8, 6, outer=outer, random_state=0)
    machine.meta_fit(make(400, (1, 2), 3, 0), make(40, (1, 2), 3, 1))
    right = [
        (machine.predict(inputs) == targets)[~np.isnan(targets)].mean()
        for inputs, targets in make(40, (2, 2), 3, 2)
    ]
    assert np.mean(right) > 0.9


def test_copy_sequences():
    inputs, targets = ml.make_copy_sequences(1, (4, 4), 3, random_state=0)[0]
    np.testing.assert_array_equal(inputs[:4, :3], targets[5:])
    assert np.isnan(targets[:5]).all() and not inputs[5:].any()
    assert inputs[4].tolist() == [0, 0, 0, 1]
    with pytest.raises(ValueError, match="Sequence 0 has 9 steps of input and 3 of targets"):
        ml.NeuralTuringMachine().meta_fit([(inputs, targets[:3])], [])
    with pytest.raises(ValueError, match="No sequences"):
        ml.NeuralTuringMachine().meta_fit([], [])


def test_memory_learners_see_a_label_one_step_late():
    learner = small("NTMClassifier")
    params = learner._initial_params(RNG, 2, 3)
    X, Y = RNG.normal(size=(1, 6, 2)), one_hot(RNG.randint(3, size=(1, 6)), 3)
    before, _ = learner._read_examples(params, X, Y)
    changed = Y.copy()
    changed[:, 3] = np.roll(changed[:, 3], 1, axis=-1)
    after, _ = learner._read_examples(params, X, changed)
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert np.abs(before[:, 4:] - after[:, 4:]).max(axis=(0, 2)).min() > 0


# SNAIL --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_support", [1, 4, 9])
def test_a_query_of_snail_is_the_last_step_of_the_sequence(n_support):
    """`fit` keeps what the layers see; the answer is that of the network on the whole sequence."""
    learner = small("SNAILRegressor", n_shots=9)
    params = learner._initial_params(np.random.RandomState(0), 2, 1)
    X, Y = RNG.normal(size=(1, n_support, 2)), RNG.normal(size=(1, n_support, 1))
    queries = RNG.normal(size=(1, 3, 2))
    fast = learner._query(params, learner._adapt(params, X, Y), queries)
    hidden = np.triu(np.full((n_support + 1,) * 2, -np.inf), 1)
    hidden[-1, -1] = -np.inf  # a query has no label to tell itself
    for i in range(3):
        whole = np.concatenate([X, queries[:, i : i + 1]], 1)
        x = learner._tokens(params, whole, np.concatenate([Y, np.zeros((1, 1, 1))], 1))
        for layer, dilation in _dilations(params):
            if dilation:
                new = _convolve(params, layer, x, shifted(x, dilation))
            else:
                keys = x @ params[f"layer{layer}_keys"]
                logits = x @ params[f"layer{layer}_queries"] @ keys[0].T / keys.shape[-1] ** 0.5
                weights = np.exp(logits + hidden - logits.max())
                values = x @ params[f"layer{layer}_W"] + params[f"layer{layer}_b"]
                new = weights / weights.sum(-1, keepdims=True) @ values
            x = np.concatenate([x, new], -1)
        expected = x[0, -1] @ params["head_W0"] + params["head_b0"]
        np.testing.assert_allclose(fast[0, i], expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("n_features", [3, 40])
def test_snail_looks_up_the_label_of_what_looks_alike_before_it_has_learned(n_features):
    learner = small("SNAILClassifier", n_shots=1, n_units=32)
    params = learner._initial_params(np.random.RandomState(0), n_features, 4)
    X = 10 * np.linalg.qr(RNG.normal(size=(n_features, n_features)))[0][None, :3]
    state = learner._adapt(params, X, np.eye(4)[None, [2, 0, 3]])
    assert learner._query(params, state, X).argmax(-1).tolist() == [[2, 0, 3]]


def test_delays():
    x = np.arange(6.0).reshape(1, 6, 1)
    assert shifted(x, 2)[0, :, 0].tolist() == [0, 0, 0, 1, 2, 3]
    assert not shifted(x, 9).any()


# Learned training ---------------------------------------------------------------------------------


def test_gradients_of_any_size_are_described():
    described = gradient_features(np.array([0.0, 1.0, -np.exp(-5), 1e-9]))
    np.testing.assert_allclose(described[1], [0, 1], atol=1e-12)
    np.testing.assert_allclose(described[2], [-0.5, -1], atol=1e-12)
    np.testing.assert_allclose(described[3], [-1, 1e-9 * np.exp(10)], rtol=1e-6)
    assert described[0, 1] == 0


def test_a_gradient_moves_the_weights_it_belongs_to():
    X, Y = RNG.normal(size=(2, 7, 3)), RNG.normal(size=(2, 7, 1))
    nets = random_nets(RNG, [3, 4, 1], 2)
    gradient, before = mlp_gradient(nets, X, lambda output: output - Y)
    row = flatten(nets, nets) - 1e-2 * flatten(gradient, nets)
    after = mlp(unflatten(row, nets), X)
    assert (((after - Y) ** 2).mean((1, 2)) < ((before - Y) ** 2).mean((1, 2))).all()
    expected = nets["W1"] - 1e-2 * gradient["W1"]
    np.testing.assert_allclose(unflatten(row, nets)["W1"], expected)


def test_learned_optimiser_gets_faster():
    _torch()
    rng = np.random.RandomState(0)
    tasks = [(rng.normal(size=(12, 4)), rng.normal(size=12)) for _ in range(30)]
    learner = ml.LearnedOptimizerRegressor(
        (),
        n_steps=15,
        n_shots=8,
        n_query=1,
        outer=OuterLoop(max_iter=60, batch_size=8, learning_rate=1e-2, validation_interval=20),
        random_state=0,
    ).meta_fit(tasks)
    losses = learner.history_["validation_loss"]
    assert min(losses) < 0.8 * losses[0]
    curve = learner.fit(*tasks[0]).loss_curve_
    assert len(curve) == 16 and curve[-1] < 0.7 * curve[0]


def test_control_stops_early_where_steps_are_dear():
    """With labels that are noise, every step hurts the queries: the controller learns to stop."""
    _torch()
    rng = np.random.RandomState(0)
    tasks = [(rng.normal(size=(16, 2)), rng.normal(size=16)) for _ in range(30)]
    learner = small(
        "MetaControlRegressor",
        hidden_layer_sizes=(),
        n_steps=10,
        n_shots=4,
        step_cost=1.0,
        outer=OuterLoop(max_iter=120, learning_rate=3e-2, validation_interval=20),
    ).meta_fit(tasks)
    assert len(learner.fit(*tasks[0]).loss_curve_) < 10
    assert len(learner.learning_rate_curve_) == len(learner.loss_curve_)
