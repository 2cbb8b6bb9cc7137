"""What two searches must share for one to go on from the other."""

import numpy as np
from sklearn import __version__ as sklearn_version

from .._version import __version__
from ..tables._identity import hash_of_data
from ._points import stable_text

__all__ = ["fingerprint_of", "hash_of_data"]


def fingerprint_of(
    X, y, random_state, params=None, cv=None, estimator=None, space=None, settings=()
):
    """Give what identifies a search, by the names that an error message uses.

    Parameters
    ----------
    X, y : array-like
    random_state : int, RandomState instance or None
    params : dict, optional
        What `fit` was given beside X and y.
    cv, estimator, space : object, optional
        As given to the search.
    settings : sequence of object
        Whatever else decides what the search does.

    Returns
    -------
    dict of str to str
    """
    seeded = isinstance(random_state, int | np.integer)
    rows = cv is None or isinstance(cv, int | np.integer) or hasattr(cv, "split")
    return {
        "the data": hash_of_data(X, y),
        "the parameters of fit": hash_of_data(params),
        "the estimator": stable_text(estimator),
        "the search space": stable_text(space),
        "the settings": stable_text(list(settings)),
        "cv": stable_text(cv) if rows else hash_of_data(cv),
        "random_state": str(random_state) if seeded else "none",
        "the versions": f"sk_metalearn {__version__}, scikit-learn {sklearn_version}",
    }
