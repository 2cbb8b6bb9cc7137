"""Making knowledge: the pool measured on datasets, and the results of others brought in."""

from ._in_one_step import build_base

__all__ = ["build_base"]
