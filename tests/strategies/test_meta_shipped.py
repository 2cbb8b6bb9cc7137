"""The weights that come with the package."""

import numpy as np
import pytest

from sk_metalearn.metalearners import MetaWeights
from sk_metalearn.spaces import catalogue_space
from sk_metalearn.strategies import Context, get_strategy
from sk_metalearn.strategies._learned_choice import LearnedChoice, weights_path
from sk_metalearn.strategies.meta_training import METHODS, bundled_searches

KINDS = ("classification", "regression")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", sorted(METHODS))
def test_weights_are_small_and_say_what_they_were_learned_on(method, kind):
    path = weights_path(method, kind)
    weights = MetaWeights.load(path)
    assert (weights.method, weights.kind) == (f"search_{method}", kind)
    assert path.stat().st_size < 1_000_000
    assert len(weights.about["knowledge"]) == 16 and weights.about["package"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", sorted(METHODS))
def test_they_serve_a_search_with_the_bundled_knowledge(method, kind):
    searches = bundled_searches(kind)
    past, space = searches.past, catalogue_space(kind)
    own = dict(zip(past.metafeature_names, past.metafeatures[0], strict=True))
    context = Context(searches.candidates, space, kind, past=past, metafeatures=own)
    strategy = get_strategy(method).start(context)
    reasons = {proposal.reason for proposal in strategy.ask(2)}
    assert not any("(no" in reason for reason in reasons)
    if issubclass(METHODS[method], LearnedChoice):
        shipped = MetaWeights.load(weights_path(method, kind)).params
        assert shipped.keys() == strategy.params.keys()
        assert all((strategy.params[k] == shipped[k]).all() for k in shipped)


def test_meta_training_moved_the_weights():
    """All but few differ from the hand-made start, which is kept where nothing beats it."""
    moved = []
    for method in METHODS:
        if issubclass(METHODS[method], LearnedChoice):
            for kind in KINDS:
                params = MetaWeights.load(weights_path(method, kind)).params
                start = METHODS[method].initial_params(np.random.RandomState(0), 0)
                shared = [k for k in start if np.shape(start[k]) == np.shape(params[k])]
                moved.append(any((params[k] != start[k]).any() for k in shared))
    assert np.mean(moved) >= 0.8
