"""The errors and warnings of sk_metalearn."""

import importlib

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
    "import_optional",
]


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
            f"Install it with: pip install 'sk-metalearn[{extra}]'"
        ) from error
