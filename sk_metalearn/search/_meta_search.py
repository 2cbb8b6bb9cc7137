"""GridSearchCV's contract with a search that has seen other datasets."""

import copy
import os
import shutil
import tempfile
import time
import warnings
from contextlib import ExitStack
from numbers import Integral, Real

import numpy as np
from joblib import hash as joblib_hash
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state

from .._compat import (
    BaseSearchCV,
    Interval,
    StrOptions,
    _fit_context,
    accepts_callbacks,
    begin_callbacks,
    check_method_params,
    check_refit_for_multimetric,
    indexable,
    is_multimetric,
    num_samples,
    routed_params,
    scorers_of,
    warn_or_raise_about_fit_failures,
)
from .._version import __version__
from ..evaluation import (
    Journal,
    Payload,
    check_fingerprint,
    make_by_params,
    make_executor,
    open_journal,
)
from ..exceptions import CheckpointError, FallbackWarning
from ..knowledge import KnowledgeBase
from ..strategies import Context, Strategy, get_strategy
from ._candidates import check_names, choose_n_iter, make_candidates
from ._engine import Limits, SearchLoop
from ._listener import Listener
from ._points import stable_text
from ._prior import past_performance
from ._refit import (
    OneStandardError,
    best_index,
    fit_remotely,
    load_model,
    predict_refit_seconds,
)
from ._report import KnowledgeReport
from ._results import format_results
from ._task import (
    describe_task,
    geometric_seconds,
    measure,
    open_knowledge,
    warn_if_not_iid,
)

__all__ = ["MetaSearchCV"]
