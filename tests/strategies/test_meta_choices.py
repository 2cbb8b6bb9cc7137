"""Strategies with a learned rule of choice: what the rule is, and that it can be learned."""

import numpy as np
import pytest
from _searches import family, past

from sk_metalearn.exceptions import StrategyError
from sk_metalearn.metalearners import MetaWeights, value_and_grad
from sk_metalearn.spaces import families
from sk_metalearn.strategies import Outcome, PastPerformance, get_strategy
from sk_metalearn.strategies import meta_training as training
from sk_metalearn.strategies._alike import profile_embedding
from sk_metalearn.strategies._learned_choice import LearnedChoice
from sk_metalearn.strategies.testing import simulate

CHOICES = [name for name, kind in training.METHODS.items() if issubclass(kind, LearnedChoice)]


def by_hand(name):
    """The strategy with the rule from which meta-training starts."""
    return get_strategy(name, weights=None)


def proposed(strategy, n=12, **changes):
    score, _ = family().task(1000)
    proposals, _ = simulate(strategy, family().context(**{"past": past(), **changes}), score, n)
    return [proposal.candidate for proposal in proposals]


def small_searches(n_tasks=16, **changes):
    known = family().past(n_tasks)
    groups = np.arange(n_tasks) // 2
    return training.PastSearches(known, groups, family().candidates, family().space, **changes)


@pytest.fixture(scope="module")
def searches():
    return small_searches()


@pytest.fixture
def quick(monkeypatch):
    """Meta-training of a moment."""
    pytest.importorskip("torch", reason="meta-training needs PyTorch")
    short = training.OuterLoop(max_iter=10, batch_size=8, learning_rate=0.02, validation_interval=5)
    monkeypatch.setattr(training, "CHOICE", short)
    monkeypatch.setattr(training, "N_PROTOTYPES", (2, 4))


# Rules -------------------------------------------------------------------------------------------


def test_matching_before_learning_is_active_greedy():
    assert proposed(by_hand("matching")) == proposed(get_strategy("active_greedy"))


def test_matching_can_be_told_to_trust_metafeatures():
    read = np.array([[0.0, 0.0, 1000.0], [0.0, 0.0, 0.0]])
    weights = MetaWeights("search_matching", "classification", 0, {"read": read}, {})
    strategy = get_strategy("matching", weights=weights)
    known = past()
    for row in (0, 7):
        own = dict(zip(known.metafeature_names, known.metafeatures[row], strict=True))
        first = proposed(strategy, 1, metafeatures=own)
        assert first == [int(np.argmax(known.scores[row]))]


def test_prototypes_share_the_weight_of_their_members():
    params = by_hand("prototypical").initial_params(None, 0) | {"n_prototypes": np.float32(3)}
    weights = MetaWeights("search_prototypical", "classification", 0, params, {})
    strategy = get_strategy("prototypical", weights=weights)
    proposed(strategy, 6)
    state = {name: np.asarray(value)[None] for name, value in strategy.describe().items()}
    attention = strategy.read(params, state)[0]
    groups = [attention[strategy._member == k] for k in range(3)]
    assert all(len(group) and np.ptp(group) < 1e-12 for group in groups)
    assert attention.sum() == pytest.approx(1)
    assert len({round(group[0], 12) for group in groups}) > 1


def test_the_siamese_map_knows_which_columns_tell_profiles_apart():
    rng = np.random.RandomState(0)
    table = rng.normal(size=(200, 8))
    profiles = rng.normal(size=(2, 30))
    normal = table[:, :2] @ profiles + 0.3 * rng.normal(size=(200, 30))
    points = table @ profile_embedding(table, normal)
    gaps = ((points[:100] - points[100:]) ** 2).sum(axis=1)
    assert gaps.mean() == pytest.approx(1, rel=0.2)
    pairs = zip(normal[:100], normal[100:], strict=True)
    apart = [1 - np.corrcoef(a, b)[0, 1] for a, b in pairs]
    plain = ((table[:100] - table[100:]) ** 2).sum(axis=1)
    assert np.corrcoef(gaps, apart)[0, 1] > np.corrcoef(plain, apart)[0, 1] + 0.1


def test_memory_forgets_what_is_read_least():
    known = past()
    odd = -known.scores[:1]  # a task like no other
    scores = np.vstack([odd, known.scores])
    strategy = get_strategy("memory", weights=None, n_slots=len(scores) - 1)
    strategy.start(family().context(past=PastPerformance(scores)))
    assert np.flatnonzero(~strategy._kept).tolist() == [0]
    state = {name: np.asarray(value)[None] for name, value in strategy.describe().items()}
    assert strategy.read(strategy.params, state)[0, 0] == 0


def test_memory_reads_by_content():
    strategy = by_hand("memory")
    known = past()
    strategy.start(family().context(past=known))
    for candidate in range(0, 30, 2):
        proposal = strategy.make(candidate=candidate)
        strategy.record.add(Outcome(proposal, 3.0 + 2.0 * known.scores[4, candidate]))
    state = {name: np.asarray(value)[None] for name, value in strategy.describe().items()}
    assert strategy.read(strategy.params, state)[0].argmax() == 4


def test_the_meta_network_rates_by_places():
    strategy = by_hand("meta_network")
    tried = proposed(strategy, 5)
    places = strategy.describe()["places"]
    left = np.setdiff1d(np.arange(len(places)), tried)
    for way in places[left].T:
        np.testing.assert_allclose(sorted(np.exp(-way)), np.arange(1, len(left) + 1))


@pytest.mark.parametrize("name", CHOICES)
def test_both_engines_rate_alike(name, searches):
    """What is differentiated in meta-training is what proposes."""
    torch = pytest.importorskip("torch")
    strategy = by_hand(name)
    proposed(strategy, 6)
    params = strategy.initial_params(np.random.RandomState(0), len(past().metafeature_names))
    state = {key: np.asarray(value)[None] for key, value in strategy.describe().items()}
    tensors = {key: torch.as_tensor(value, dtype=torch.float32) for key, value in state.items()}
    weights = {key: torch.as_tensor(value) for key, value in params.items()}
    theirs = strategy.rate(weights, tensors).numpy()
    ours = strategy.rate(params, state)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)


# Learning ----------------------------------------------------------------------------------------


def test_a_search_never_sees_its_own_family(searches):
    for i in (0, 5, 15):
        context = searches.context(i)
        task = searches.tasks[i]
        own = searches.past.scores[searches.groups == searches.groups[task]]
        assert len(context.past.scores) == len(searches.past.scores) - len(own)
        for row in own:
            assert not (context.past.scores == row).all(axis=1).any()


def test_the_loss_is_the_regret_left():
    own = np.array([[0.5, 0.2, 0.9, 0.3]])
    tried = np.array([[1.0, 0.0, 0.0, 0.0]])

    def loss(rating, tried=tried):
        return training.choice_loss(np.array([rating]), own, tried, np.array([2.0]))

    assert loss([0.0, 50.0, 0.0, 0.0]) == pytest.approx(2 * 0.2, abs=1e-6)
    assert loss([0.0, 0.0, 50.0, 0.0]) == pytest.approx(2 * 0.5, abs=1e-6)
    # What was tried cannot be chosen, however it is rated.
    assert loss([99.0, 50.0, 0.0, 0.0]) == pytest.approx(2 * 0.2, abs=1e-6)
    # Before the first result everything is regretted.
    assert loss([0.0, 0.0, 50.0, 0.0], 0 * tried) == pytest.approx(2 * 0.9, abs=1e-6)


def test_the_loss_has_a_gradient():
    pytest.importorskip("torch")
    own, tried, scale = np.array([[0.5, 0.2, 0.9]]), np.array([[1.0, 0.0, 0.0]]), np.ones(1)
    loss = lambda params, *rest: training.choice_loss(params["r"], *rest)  # noqa: E731
    _, gradient = value_and_grad(loss, {"r": np.zeros((1, 3))}, own, tried, scale)
    assert gradient["r"][0, 1] < 0 < gradient["r"][0, 2]


def test_constants_are_learned(searches):
    """From a rule that knows nothing: the loss on held-out families falls."""
    pytest.importorskip("torch")
    kind = training.METHODS["matching"]
    start = {"read": np.zeros((2, 3), dtype=np.float32)}
    weights = MetaWeights("search_matching", "classification", 0, start, {})
    states = searches.record(lambda: kind(weights=weights))
    outer = training.OuterLoop(
        max_iter=100, batch_size=16, learning_rate=0.1, validation_interval=20
    )
    rng = np.random.RandomState(0)
    params, history = training.learn_choice(kind, start, states, searches, outer, rng)
    assert min(history["validation_loss"]) < 0.98 * history["validation_loss"][0]
    assert np.abs(params["read"]).max() > 0.3


@pytest.mark.parametrize("name", CHOICES)
def test_learned_weights_serve_a_search_and_come_back_from_a_file(name, searches, quick, tmp_path):
    weights = training.meta_train(name, searches, seed=1)
    assert weights.about["knowledge"] == searches.fingerprint
    path = tmp_path / "weights.npz"
    weights.save(path)
    order = proposed(get_strategy(name, weights=weights))
    assert order == proposed(get_strategy(name, weights=str(path)))
    score, _ = family().task(1000)
    values = score(family().candidates)
    assert values[order].max() > np.quantile(values, 0.9)


def test_weights_of_another_method_are_refused(searches):
    weights = MetaWeights("search_memory", "classification", 0, {}, {})
    with pytest.raises(StrategyError, match="learned by 'search_memory'; the strategy 'matching'"):
        get_strategy("matching", weights=weights).start(family().context())


def test_the_fingerprint_is_of_scores_and_candidates(searches):
    assert small_searches().fingerprint == searches.fingerprint
    assert small_searches(14).fingerprint != searches.fingerprint


def test_the_command_goes_on_where_it_stopped(quick, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(training, "bundled_searches", lambda kind: small_searches(10))
    arguments = ["--out", str(tmp_path), "--kinds", "classification", "--methods", "matching"]
    training.main(arguments)
    training.main([*arguments, "memory"])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("search_")]
    assert lines[1] == "search_matching_classification.npz: up to date"
    assert lines[2].startswith("search_memory_classification.npz: ")
    monkeypatch.setattr(training, "bundled_searches", lambda kind: small_searches(12))
    training.main(arguments)
    assert "up to date" not in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_what_is_learned_from_is_what_a_search_chooses_from(kind):
    searches = training.bundled_searches(kind)
    assert {point["family"] for point in searches.candidates} == (
        {own.name for own in families(kind)} - {"dummy"}
    )
    assert np.isfinite(searches.past.scores).mean() > 0.99
