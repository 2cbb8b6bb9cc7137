"""A strategy is imported when it is asked for, by its name or as an attribute of the room."""

import subprocess
import sys

import pytest

from sk_metalearn import strategies
from sk_metalearn.exceptions import StrategyError
from sk_metalearn.strategies import IN_FRONT, STRATEGIES, get_strategy
from sk_metalearn.strategies._lookup import strategy_class

ALWAYS = {"_lookup", "_strategy"}
PAST = {"_past_performance", "_alike", "_portfolio", "_process", "_acquisition"}
NEEDED = {
    "auto": PAST | {"_auto_strategy", "_covariance"},
    "portfolio": PAST,
    "gp": {"_gp", "_process", "_surrogate", "_acquisition", "_sampling"},
    "random": {"_sampling"},
}


def loaded_by(code):
    """Modules of the two rooms that a program has loaded at its end."""
    code += (
        "\nimport sys\n"
        "print(*(m for m in sys.modules if m.startswith('sk_metalearn.strategies.')"
        " or m.startswith('sk_metalearn.metalearners')))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    names = done.stdout.split()
    assert not [name for name in names if "metalearners" in name]
    return {name.rpartition(".")[2] for name in names}


def test_the_package_alone_loads_no_strategy():
    assert loaded_by("import sk_metalearn") == set()


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_a_name_loads_what_it_needs(name):
    code = f"from sk_metalearn.strategies import get_strategy; get_strategy({name!r})"
    assert loaded_by(code) == ALWAYS | NEEDED[name]


def test_a_search_loads_its_strategy_and_no_meta_learner():
    code = (
        "from sklearn.datasets import load_iris\n"
        "from sklearn.tree import DecisionTreeClassifier\n"
        "from sk_metalearn import MetaSearchCV\n"
        "grid = {'max_depth': [1, 2, 3, 4]}\n"
        "search = MetaSearchCV(DecisionTreeClassifier(), grid, n_iter=2, cv=2)\n"
        "search.fit(*load_iris(return_X_y=True))"
    )
    # Where the past says nothing, the Gaussian process goes on.
    assert loaded_by(code) <= ALWAYS | NEEDED["auto"] | NEEDED["gp"]


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_every_name_is_a_class_of_the_room(name):
    kind = strategy_class(name)
    assert getattr(strategies, kind.__name__) is kind
    assert kind.__name__ in strategies.__all__ and kind.__name__ in dir(strategies)
    assert type(get_strategy(name)) is kind


def test_an_unknown_name_is_refused_and_six_are_named_first():
    with pytest.raises(StrategyError, match=f"use one of {', '.join(IN_FRONT)}, an instance"):
        get_strategy("bayes")
    with pytest.raises(AttributeError, match="no attribute 'Bayes'"):
        strategies.Bayes  # noqa: B018
