"""What the columns of a table are, from any storage, and reading them into plain columns."""

from ._layout import ROLES, Layout, Plan
from ._reader import TableReader, describe_columns

# isort: split
# For the other rooms; no part of the public interface.
from ._check_metric import check_metric, check_metric_name
from ._check_table import check_all_columns, check_columns, check_new_rows, check_table
from ._decide import decide
from ._hash_of_data import hash_of_data
from ._labels import Labels
from ._numbers import Numbers
from ._read import as_text, read_as, read_plan
from ._reader import describe_layout
from ._rows import choose_rows, cut_folds, own_copy
from ._several_outputs import (
    SeveralLabels,
    SeveralNumbers,
    check_outputs,
    has_several,
    output_values,
)
from ._storage import view_of
from ._target_column import check_target, numbers_of_text, target_column, target_values, with_index
from ._values import is_missing

__all__ = ["ROLES", "Layout", "Plan", "TableReader", "describe_columns"]
