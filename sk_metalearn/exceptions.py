"""The errors and warnings of sk_metalearn."""

import importlib
import importlib.metadata
import inspect
import warnings

__all__ = [
    "CheckpointError",
    "FallbackWarning",
    "KnowledgeError",
    "KnowledgeWarning",
    "MissingDependencyError",
    "SkMetalearnError",
    "SpaceError",
    "StrategyError",
    "TableError",
    "WeightsError",
    "import_optional",
    "pip_line",
    "warn_user",
]

# Modules that a user's call passes through before it comes to a warning.
_INSIDE = ("sk_metalearn.", "sklearn.")


class SkMetalearnError(Exception):
    """Base class of the package's own errors."""


class KnowledgeError(SkMetalearnError, ValueError):
    """A knowledge base cannot be read, is damaged, or does not fit what was asked of it."""


class SpaceError(SkMetalearnError, ValueError):
    """A configuration or a search space is not valid."""


class TableError(SkMetalearnError, ValueError, TypeError):
    """A column of a table holds what no model can learn from; it is named."""


class StrategyError(SkMetalearnError, ValueError):
    """A strategy was used out of turn or cannot serve the given context."""


class CheckpointError(SkMetalearnError, ValueError):
    """A checkpoint belongs to other data, another search space or another version."""


class WeightsError(SkMetalearnError, ValueError):
    """Stored weights of a meta-learner cannot be read, or are of a newer version."""


class MissingDependencyError(SkMetalearnError, ImportError):
    """An optional dependency is needed and not installed."""


class KnowledgeWarning(UserWarning):
    """Knowledge was dropped, is far from the data, or was measured under other conditions."""


class FallbackWarning(UserWarning):
    """What was asked for could not be served and something simpler was done instead."""


def import_optional(module, extra, purpose):
    """Import an optional module or say which pip line installs it.

    Parameters
    ----------
    module : str
        Dotted name of the module.
    extra : str
        The extra of sk_metalearn that brings it.
    purpose : str
        What needs it, as the subject of a sentence.

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    MissingDependencyError
        If the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependencyError(
            f"{purpose} needs the package {module.split('.')[0]!r}, which is not installed. "
            f"Install it with: {pip_line(extra, module)}"
        ) from error


def pip_line(extra, module):
    """Give the line that installs what an extra brings, from wherever the package came.

    Parameters
    ----------
    extra : str
    module : str
        What is needed, where the package itself is not installed and nobody knows its extras.

    Returns
    -------
    str
        Names the packages of the extra: these are on every index.
    """
    mark = f'extra == "{extra}"'
    try:
        wanted = importlib.metadata.requires("sk-metalearn") or []
    except importlib.metadata.PackageNotFoundError:
        wanted = []
    own = [need.partition(";")[0].strip() for need in wanted if mark in need.replace("'", '"')]
    own = own or [module.partition(".")[0]]
    return "pip install " + " ".join(f'"{need}"' for need in own)


def warn_user(message, category):
    """Warn as from the line of the user's program that called the package.

    Parameters
    ----------
    message : str
    category : type
        A subclass of Warning.
    """
    frame, level = inspect.currentframe(), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_INSIDE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
