"""A method's classifier and regressor are one body, and their docstrings say the same."""

import inspect

import pytest
from _learners import LEARNERS

from sk_metalearn import metalearners as ml

NumpyDocString = pytest.importorskip("numpydoc.docscrape").NumpyDocString

METHODS = sorted(name.removesuffix("Regressor") for name in LEARNERS if name.endswith("Regressor"))
# What the kind of the task decides; it is the same for all methods of a kind.
BY_KIND = {"n_way", "n_shots", "n_query", "standardize", "classes_", "scaling_"}


def entries(name, section):
    """Type and text of each entry of a section."""
    doc = NumpyDocString(inspect.getdoc(getattr(ml, name)))
    return {entry.name: (entry.type, "\n".join(entry.desc)) for entry in doc[section]}


def text(name, section):
    return "\n".join(map(str, NumpyDocString(inspect.getdoc(getattr(ml, name)))[section]))


@pytest.mark.parametrize("method", METHODS)
def test_twins_have_one_body(method):
    classifier, regressor = (getattr(ml, method + kind) for kind in ("Classifier", "Regressor"))
    body = {base for base in classifier.__mro__ if base in regressor.__mro__}
    assert any(base.__dict__.get("method") for base in body), "the method is written twice"
    for name in ("_initial_params", "_adapt", "_episode_loss", "meta_fit", "fit"):
        assert getattr(classifier, name) is getattr(regressor, name)
    own = [set(inspect.signature(kind).parameters) for kind in (classifier, regressor)]
    assert own[0] - own[1] == {"n_way"} and not own[1] - own[0]


@pytest.mark.parametrize("section", ["Parameters", "Attributes"])
@pytest.mark.parametrize("method", METHODS)
def test_twins_describe_what_they_share_in_the_same_words(method, section):
    classifier, regressor = (
        {n: e for n, e in entries(method + kind, section).items() if n not in BY_KIND}
        for kind in ("Classifier", "Regressor")
    )
    assert classifier == regressor
    assert text(method + "Classifier", "References") == text(method + "Regressor", "References")


@pytest.mark.parametrize("section", ["Parameters", "Attributes"])
@pytest.mark.parametrize("kind", ["Classifier", "Regressor"])
def test_learners_of_a_kind_describe_it_in_the_same_words(kind, section):
    found = {}
    for name in sorted(LEARNERS):
        if name.endswith(kind):
            for entry, words in entries(name, section).items():
                if entry in BY_KIND - {"n_way"}:
                    found.setdefault(entry, {}).setdefault(words, []).append(name)
    assert found and all(len(ways) == 1 for ways in found.values()), found
