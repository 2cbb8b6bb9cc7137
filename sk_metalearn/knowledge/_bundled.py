"""The knowledge that comes with the package."""

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from ..exceptions import KnowledgeError
from ._bundle import read_bundle

__all__ = ["read_bundled"]

_NAME = "bundled.npz"


@lru_cache(maxsize=1)
def read_bundled():
    """Read it, once.

    Returns
    -------
    parts : tuple
        As of `read_bundle`.
    path : Path

    Raises
    ------
    KnowledgeError
        If this copy of the package has none.
    """
    resource = files(__package__).joinpath("data", _NAME)
    if not resource.is_file():
        raise KnowledgeError(
            "This copy of sk_metalearn holds no bundled knowledge (data/bundled.npz is missing). "
            "Install a release, or build one with: sk-metalearn kb build"
        )
    path = Path(str(resource))
    return read_bundle(path), path
