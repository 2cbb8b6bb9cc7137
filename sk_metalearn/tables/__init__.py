"""What the columns of a table are, from any storage, and reading them into plain columns."""

from ._layout import ROLES, Layout, Plan
from ._reader import TableReader, describe_columns

__all__ = ["ROLES", "Layout", "Plan", "TableReader", "describe_columns"]
