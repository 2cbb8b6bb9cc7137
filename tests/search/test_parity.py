"""scikit-learn's own tests of GridSearchCV and RandomizedSearchCV, run against MetaSearchCV.

``pytest tests/search/test_parity.py -rA`` lists them one by one.
"""

import sklearn
from _as_sklearn import scikit_learn_tests
from sklearn.utils.fixes import parse_version

# What these look at is no part of the contract that MetaSearchCV keeps.
_DRAWS = "expects RandomizedSearchCV's own order of draws"
NOT_OURS = {
    "custom_run_search": "compares all attributes with a subclass of scikit-learn's own base",
    "search_default_iid[RandomizedSearchCV-specialized_params1]": _DRAWS,
    "search_cv_results_rank_tie_breaking": _DRAWS,
    "random_search_cv_results": "expects points that were drawn twice to be tried twice",
    "search_cv_timing": _DRAWS,
    "search_with_2d_array": _DRAWS,
}

if parse_version(sklearn.__version__) < parse_version("1.9"):
    NOT_OURS["random_search_bad_cv"] = "expects the wording of a message before 1.9"

_search = scikit_learn_tests("sklearn.model_selection.tests.test_search")
_routing = scikit_learn_tests("sklearn.tests.test_metaestimators_metadata_routing")

# Of the routing tests, which are about all meta-estimators, only those about ours.
_ours = [
    i
    for i, case in enumerate(_routing["METAESTIMATORS"])
    if case["metaestimator"].__name__ in ("GridSearchCV", "RandomizedSearchCV")
]
for _list in ("METAESTIMATORS", "METAESTIMATOR_IDS"):
    _routing[_list][:] = [_routing[_list][i] for i in _ours]


_NO_METAESTIMATOR = ("unsupported", "registry")


def _adopt(namespace, prefix, leave_out=()):
    for name, value in namespace.items():
        short = name.removeprefix("test_")
        if short == name or short.startswith(leave_out):
            continue
        globals()[f"test_{prefix}{short}"] = value


_adopt(_search, "search_")
_adopt(_routing, "routing_", _NO_METAESTIMATOR)
