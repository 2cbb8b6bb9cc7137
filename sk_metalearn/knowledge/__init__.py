"""What is known of past tasks: records, tables, the knowledge base and its stores."""

from ._base import KnowledgeBase
from ._exclusions import excluded_tasks
from ._families import FamilyTable
from ._lines import share_records
from ._records import Evaluation, Source, Status, Task, task_id
from ._retrieval import DatasetRetriever, Neighbor
from ._store import KnowledgeStore
from ._table import PerformanceTable
from ._urls import user_store_url

# isort: split
# For the other rooms; no part of the public interface.
from ._exclusions import exclusion
from ._families import normalize_name
from ._limits import MAX_FOLDS, MAX_NAME
from ._metrics import METRICS, nearest_metric
from ._performance_model import family_model, normal_scores
from ._private import HASHED, estimator_text, failure_type, kept_settings, keyed_hash
from ._records import OWN_SEARCHES, show_value, unnamed
from ._seconds import predict_seconds
from ._text import printable
from ._urls import PlaceParameter, is_store

__all__ = [
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
    "share_records",
    "task_id",
    "user_store_url",
]
