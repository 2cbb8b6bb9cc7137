"""Making knowledge: the pool measured on datasets, and the results of others brought in."""

from ._describe import describe
from ._import_table import TABLES, import_table
from ._in_one_step import build_base
from ._merge_shards import merge
from ._openml_datasets import OpenMLClient, fetch_datasets, fetch_qualities
from ._openml_evaluations import import_evaluations
from ._run import run
from ._verify import verify

# isort: split
# For the other rooms; no part of the public interface.
from ._command import run_command

__all__ = [
    "TABLES",
    "OpenMLClient",
    "build_base",
    "describe",
    "fetch_datasets",
    "fetch_qualities",
    "import_evaluations",
    "import_table",
    "merge",
    "run",
    "verify",
]
