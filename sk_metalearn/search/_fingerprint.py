"""What two searches must share for one to go on from the other, and the checkpoint of one."""

import os

import numpy as np
from sklearn import __version__ as sklearn_version

from .._version import __version__
from ..evaluation import open_journal
from ..exceptions import CheckpointError
from ..tables import hash_of_data
from ._point_json import stable_text

__all__ = ["fingerprint_of", "seed_of", "take_up"]


def fingerprint_of(X, y, params, options, estimator=None, space=None, classes=None):
    """Give what identifies a search, by the names that an error message uses.

    Parameters
    ----------
    X, y : array-like
    params : dict
        What `fit` was given beside X and y.
    options : SearchOptions
    estimator, space : object, default=None
        As given to the search.
    classes : array-like of shape (n_classes,), default=None
        What the values of y stand for, where these may be codes.

    Returns
    -------
    dict of str to str
    """
    cv, state = options.cv, options.random_state
    settings = {f"the parameter {name}": own for name, own in options.deciding().items()}
    return {
        "the data": hash_of_data(X, y, classes),
        "the parameters of fit": hash_of_data(params),
        "the estimator": stable_text(estimator),
        "the search space": stable_text(space),
        **{name: stable_text(own) for name, own in settings.items()},
        "cv": hash_of_data(cv) if isinstance(cv, list) else stable_text(cv),
        "random_state": str(state) if isinstance(state, int | np.integer) else "none",
        "the versions": f"sk_metalearn {__version__}, scikit-learn {sklearn_version}",
    }


def take_up(path, fingerprint, n_rows, stack):
    """Open a checkpoint that is there already; nothing is written.

    Parameters
    ----------
    path : path-like or None
    fingerprint : dict of str to str
    n_rows : int
        Of the data, which the folds refer to.
    stack : ExitStack
        Closes the file.

    Returns
    -------
    Journal or None
        None where there is nothing to go on from.

    Raises
    ------
    CheckpointError
        If the file is no checkpoint, is in use, or belongs to another search.
    """
    if path is None or not os.path.exists(path) or not os.path.getsize(path):
        return None
    journal = open_journal(path, fingerprint, n_rows)
    stack.callback(journal.close)
    return journal if journal.splits is not None else None


def seed_of(journal, path):
    """Give the seed that a checkpoint keeps."""
    try:
        return int(journal.meta["seed"])
    except (KeyError, ValueError) as error:
        raise CheckpointError(
            f"The checkpoint {os.fspath(path)!r} is damaged: it holds no seed ({error}). Give "
            "another path, or delete the file to start again."
        ) from error
