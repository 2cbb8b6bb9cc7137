"""What the searches ask of the room of tables."""

from ..tables._check import check_rows, check_table
from ..tables._metric import check_metric
from ..tables._rows import choose_rows, cut_folds
from ..tables._target import check_target

__all__ = [
    "check_metric",
    "check_rows",
    "check_table",
    "check_target",
    "choose_rows",
    "cut_folds",
]
