"""What is known of past tasks: records, tables, the knowledge base and its stores."""

from ._base import KnowledgeBase
from ._check import excluded_tasks
from ._exclusions import EXCLUDED, exclusion
from ._families import FamilyTable, normalize_name
from ._metrics import FOLD_METRICS, METRICS, nearest_metric
from ._records import Evaluation, Source, Status, Task, task_id
from ._table import PerformanceTable

__all__ = [
    "EXCLUDED",
    "FOLD_METRICS",
    "METRICS",
    "Evaluation",
    "FamilyTable",
    "KnowledgeBase",
    "PerformanceTable",
    "Source",
    "Status",
    "Task",
    "exclusion",
    "excluded_tasks",
    "nearest_metric",
    "normalize_name",
    "task_id",
]
