"""scikit-learn's own tests of GridSearchCV and RandomizedSearchCV, run against MetaSearchCV."""

import pytest
from _as_sklearn import scikit_learn_tests

_tests = scikit_learn_tests("sklearn.model_selection.tests.test_search")
globals().update({name: value for name, value in _tests.items() if name.startswith("test_")})
