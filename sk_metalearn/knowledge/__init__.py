"""What is known of past tasks: records, tables, the knowledge base and its stores."""

from ._base import KnowledgeBase
from ._check import excluded_tasks
from ._exclusions import EXCLUDED, exclusion
from ._families import FamilyTable, normalize_name
from ._metrics import FOLD_METRICS, METRICS, nearest_metric
from ._performance_model import normal_scores as normal_scores
from ._records import Evaluation, Source, Status, Task, task_id
from ._retrieval import DatasetRetriever, Neighbor
from ._share import export_lines, read_lines, share_records
from ._store import KnowledgeStore, user_store_url
from ._table import PerformanceTable

__all__ = [
    "EXCLUDED",
    "FOLD_METRICS",
    "METRICS",
    "DatasetRetriever",
    "Evaluation",
    "FamilyTable",
    "KnowledgeBase",
    "KnowledgeStore",
    "Neighbor",
    "PerformanceTable",
    "Source",
    "Status",
    "Task",
    "excluded_tasks",
    "exclusion",
    "export_lines",
    "nearest_metric",
    "normalize_name",
    "read_lines",
    "share_records",
    "task_id",
    "user_store_url",
]
