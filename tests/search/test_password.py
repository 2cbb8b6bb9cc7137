"""The password of a database is in nothing that a search shows of itself, nor in what is saved."""

import pickle

import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.utils import estimator_html_repr

from sk_metalearn import AutoClassifier, AutoRegressor, MetaSearchCV
from sk_metalearn.exceptions import KnowledgeError
from sk_metalearn.knowledge import KnowledgeStore
from sk_metalearn.knowledge._urls import password_of, read_url
from sk_metalearn.search._memory import memory_of
from sk_metalearn.search._options import SearchOptions

SECRET = "tops3cret"
URLS = [
    f"postgresql://jane:{SECRET}@127.0.0.1:1/own",
    f"postgresql+psycopg://jane:{SECRET}@127.0.0.1:1/own",
    f"postgresql://jane@127.0.0.1:1/own?password={SECRET}",
    f"postgresql:///own?host=127.0.0.1&password={SECRET}",
]
SEARCHES = [
    lambda **options: MetaSearchCV(SVC(), {"C": [1, 2]}, **options),
    AutoClassifier,
    AutoRegressor,
]


def shown(estimator):
    with config_context(print_changed_only=False):
        texts = [repr(estimator), str(estimator), estimator_html_repr(estimator)]
        texts += [repr(make_pipeline(SVC(), estimator)), repr(estimator.get_params())]
        texts += [estimator_html_repr(make_pipeline(SVC(), estimator))]
    copies = [estimator, clone(estimator), pickle.loads(pickle.dumps(estimator))]
    texts += [repr(SearchOptions.of(own)) for own in copies]
    return [*texts, *(pickle.dumps(own).decode("latin-1") for own in copies)]


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("make", SEARCHES)
@pytest.mark.parametrize("name", ["knowledge", "remember"])
def test_a_search_does_not_show_or_save_it(make, url, name):
    given, later = make(**{name: url}), make()
    later.set_params(**{name: url})
    for search in (given, later):
        assert not [text for text in shown(search) if SECRET in text]
        # It is found again where the store is opened.
        place = read_url(getattr(pickle.loads(pickle.dumps(search)), name))[0]
        assert password_of(place) == SECRET


def test_a_place_without_one_is_stored_as_it_is():
    for value in ("user", "own.db", None, False, "postgresql://host/own", "a name"):
        assert AutoClassifier(knowledge=value).knowledge is value
    with pytest.raises(AttributeError, match="has no attribute 'knowledge'"):
        search = AutoClassifier()
        del search.knowledge
        _ = search.knowledge


def test_an_error_does_not_show_it():
    with pytest.raises(KnowledgeError) as caught:
        KnowledgeStore(URLS[0], patience=1.0)
    assert SECRET not in str(caught.value)


def test_a_url_is_no_name_of_a_dataset():
    with pytest.raises(KnowledgeError, match="KnowledgeBase.open") as caught:
        memory_of(URLS[0], "classification", "accuracy")
    assert SECRET not in str(caught.value)
