"""What a candidate is, in a few words: the settings that differ from the defaults."""

import numpy as np

from ..exceptions import SpaceError
from ..spaces import Configuration, get_family, same_value
from ._own_families import configuration_of
from ._own_steps import BEFORE

__all__ = ["configuration_text", "params_text", "settings_text"]

_LONGEST = 40


def settings_text(params, estimator=None, kind=None):
    """Describe a candidate by what differs from the defaults.

    Parameters
    ----------
    params : dict
        As in ``cv_results_["params"]``.
    estimator : estimator or None, default=None
        The user's own, whose settings are the defaults; None where whole pipelines are searched.
    kind : {"classification", "regression"} or None, default=None
        Of a pipeline.

    Returns
    -------
    str
    """
    if estimator is None:
        text = configuration_text(configuration_of(params), kind)
        return f"{params[BEFORE]}, then {text}" if BEFORE in params else text
    return params_text(params, estimator)


def configuration_text(configuration, kind):
    """Describe a pipeline of the catalogue.

    Parameters
    ----------
    configuration : Configuration
    kind : {"classification", "regression"}

    Returns
    -------
    str
        Such as ``"svm(C=10, scaler=none)"``; the name alone where all is at its default.

    Examples
    --------
    >>> from sk_metalearn.search._settings_text import configuration_text
    >>> from sk_metalearn.spaces import load_pool
    >>> configuration_text(load_pool("classification")[3], "classification")
    'gaussian_nb'
    """
    try:
        family = get_family(configuration.family, kind)
    except SpaceError:
        # An estimator of the user's; what is set on it differs from what it was.
        changed = configuration.params
        return f"{configuration.family}({_listed(changed)})" if changed else configuration.family
    defaults = Configuration(
        family.name,
        {name: own.default for name, own in family.parameters.items()},
        family.preprocessing,
    )
    changed = {
        name: value
        for ours, usual in (
            (configuration.params, defaults.params),
            (configuration.preprocessing, defaults.preprocessing),
        )
        for name, value in ours.items()
        if name not in usual or not same_value(value, usual[name])
    }
    return f"{configuration.family}({_listed(changed)})" if changed else configuration.family


def params_text(params, estimator):
    """Describe settings of an estimator of the user's.

    Parameters
    ----------
    params : dict
    estimator : estimator
        Its own settings are the defaults.

    Returns
    -------
    str
        Names without the steps before them where that is clear; ``"as given"`` where nothing
        differs.
    """
    own = estimator.get_params()
    changed = {
        name: value
        for name, value in params.items()
        if name not in own or not same_value(value, own[name])
    }
    ends = [name.rpartition("__")[2] for name in params]
    clear = len(set(ends)) == len(ends)
    return _listed({n.rpartition("__")[2] if clear else n: v for n, v in changed.items()}) or (
        "as given"
    )


def _listed(settings):
    return ", ".join(f"{name}={_short(value)}" for name, value in settings.items())


def _short(value):
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    if hasattr(value, "get_params"):
        return type(value).__name__ if not isinstance(value, type) else value.__name__
    text = " ".join(str(getattr(value, "__name__", value)).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
